#!/usr/bin/env bash
# Gets the program: `key` names the source for the cache, `build` builds it, `fetch` takes a release whose digest is known.
set -euo pipefail

source=${GITHUB_ACTION_PATH:?is set by the runner}
bin=${RUNNER_TEMP:?is set by the runner}/signleak-bin
exe=signleak
[ "${RUNNER_OS:-}" != Windows ] || exe=signleak.exe

digest() {
    if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

key() {
    local sum
    sum=$(cd "$source" && find Cargo.toml Cargo.lock rust-toolchain.toml src rules -type f -print0 | LC_ALL=C sort -z |
        while IFS= read -r -d '' file; do digest "$file"; done | digest)
    printf 'key=%s\n' "${sum%% *}" >>"${GITHUB_OUTPUT:?}"
    printf 'bin=%s\n' "$bin" >>"$GITHUB_OUTPUT"
}

build() {
    (cd "$source" && cargo build --release --locked --bin signleak --target-dir "$RUNNER_TEMP/signleak-target")
    mkdir -p "$bin"
    cp "$RUNNER_TEMP/signleak-target/release/$exe" "$bin/$exe"
}

fetch() {
    : "${INPUT_SHA256:?give the input sha256 with version: a program whose digest is not known is not run}"
    local name="signleak-${INPUT_VERSION:?}-${RUNNER_OS:?}-${RUNNER_ARCH:?}.tar.gz" sum
    curl --proto '=https' --fail --silent --show-error --location --output "$RUNNER_TEMP/$name" \
        "${GITHUB_SERVER_URL:?}/${ACTION_REPOSITORY:?}/releases/download/v$INPUT_VERSION/$name"
    sum=$(digest "$RUNNER_TEMP/$name")
    if [ "${sum%% *}" != "$INPUT_SHA256" ]; then
        echo "::error title=signleak::the digest of $name is ${sum%% *}, not the one that was given; it is not run"
        exit 2
    fi
    mkdir -p "$bin"
    tar -xzf "$RUNNER_TEMP/$name" -C "$bin" "$exe"
}

case ${1:-} in
key | build | fetch) "$1" ;;
*) echo "usage: install.sh key|build|fetch" >&2; exit 2 ;;
esac
