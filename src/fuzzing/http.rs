//! What a server answers, and the URLs that name one.

#[cfg(any(feature = "live", feature = "revoke"))]
pub(super) use present::{answer, endpoint};

#[cfg(any(feature = "live", feature = "revoke"))]
mod present {
    use std::io::Read as _;
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::time::Duration;

    use crate::http::Body;
    use crate::http::Client;
    use crate::http::Endpoint;
    use crate::http::Options;

    /// An answer, byte for byte, from a server on this machine: the call ends, and its body is within bounds.
    pub(in crate::fuzzing) fn answer(data: &[u8]) {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = server.local_addr().expect("bound").port();
        let options = Options {
            timeout: Some(Duration::from_secs(2)),
            allow_private: true,
            ..Options::default()
        };
        let client = Client::new(&options).expect("plain options");
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}/")).expect("a URL");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let Ok((mut stream, _)) = server.accept() else { return };
                drop(stream.read(&mut [0; 4096]));
                drop(stream.write_all(data));
            });
            if let Ok(response) = client.get(&endpoint, &[], Body::Read) {
                assert!(response.body.len() <= 64 * 1024);
                let _ = response.number("retry-after");
            }
        });
    }

    /// A URL that is accepted leads to a host, shows no query, and takes more path.
    pub(in crate::fuzzing) fn endpoint(text: &str) {
        let Ok(endpoint) = Endpoint::parse(text) else { return };
        assert!(!endpoint.host().is_empty() && !endpoint.host().contains('@'));
        assert!(!endpoint.display().contains('?'));
        if let Ok(joined) = endpoint.join("v3/users?limit=1") {
            assert_eq!(joined.host(), endpoint.host());
        }
    }
}

#[cfg(not(any(feature = "live", feature = "revoke")))]
pub(super) fn answer(_data: &[u8]) {}

#[cfg(not(any(feature = "live", feature = "revoke")))]
pub(super) fn endpoint(_text: &str) {}
