# docker build -t signleak . && docker run --rm -v "$PWD:/repo:ro" signleak scan
FROM rust:1.95-slim-trixie AS build
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY src src
COPY rules rules
COPY README.md ./
RUN cargo build --release --locked --bin signleak

FROM debian:trixie-slim
RUN useradd --create-home --uid 10001 signleak
COPY --from=build /src/target/release/signleak /usr/local/bin/signleak
USER signleak
WORKDIR /repo
# The mounted repository belongs to another user, and nothing in it is ever executed.
ENTRYPOINT ["signleak"]
CMD ["scan", "--trust-owner"]
