//! HTTPS calls that end: bounded in time and size, one connection each, no redirects, no private addresses unless
//! allowed. All network code of the library; only `validate` and `revoke` use it.

mod address;
mod clock;

use std::time::Duration;

use ureq::http::HeaderMap;
use ureq::http::Uri;
use ureq::tls::Certificate;
use ureq::tls::ClientCert;
use ureq::tls::PemItem;
use ureq::tls::PrivateKey;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;

pub use clock::Clock;
pub use clock::SystemClock;

/// Answers with a larger body are refused.
const MAX_BODY: u64 = 64 * 1024;
/// Answers with more bytes of headers are refused.
const MAX_HEADERS: usize = 16 * 1024;

/// Where a call may go: `https`, or `http` to this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl Endpoint {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// When it is none, carries a password, or would send plain text over a network.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let wrong = |why| HttpError::Endpoint { url: without_query(text).to_owned(), why };
        let uri: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
        let Some(authority) = uri.authority() else { return Err(wrong("names no host")) };
        if authority.as_str().contains('@') {
            return Err(wrong("carries a user name or password; use a bearer token"));
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_this_machine(authority.host()) => Ok(Self(uri)),
            Some("http") => Err(wrong("is not encrypted; use https")),
            _ => Err(wrong("must begin with https://")),
        }
    }

    /// The same endpoint with more path and query behind it.
    ///
    /// # Errors
    /// When the result is no URL.
    pub fn join(&self, path_and_query: &str) -> Result<Self, HttpError> {
        let base = self.0.to_string();
        Self::parse(&format!("{}/{path_and_query}", base.trim_end_matches('/')))
    }

    /// Host, with the port if one is given.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.authority().map_or("", |authority| authority.as_str())
    }

    /// For people: without the query, which may hold a token.
    #[must_use]
    pub fn display(&self) -> String {
        without_query(&self.0.to_string()).to_owned()
    }
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// How calls are made. Files and the environment are read by the caller.
#[derive(Clone, Default)]
pub struct Options {
    /// Longest duration of one call, from the look-up of the name to the last byte.
    pub timeout: Option<Duration>,
    /// PEM certificates that are trusted instead of the built-in Mozilla roots.
    pub roots: Option<Vec<u8>>,
    /// PEM certificate chain and private key, for mutual TLS.
    pub identity: Option<Vec<u8>>,
    /// URL of an HTTP proxy, which then looks up the names.
    pub proxy: Option<String>,
    /// Whether hosts in private networks may be called.
    pub allow_private: bool,
}

/// Longest duration of a call unless the options say otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Something is wrong with the options or an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No usable URL.
    #[error("{url}: {why}")]
    Endpoint {
        /// The URL without its query.
        url: String,
        /// What is wrong, and what would be right.
        why: &'static str,
    },
    /// The certificates or the key cannot be read.
    #[error("{what}: no usable PEM ({why})")]
    Pem {
        /// Which of the inputs.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The proxy's URL cannot be used.
    #[error("the proxy's URL cannot be used")]
    Proxy,
}

/// Kind of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Not finished in time.
    Timeout,
    /// Certificate, name or protocol of TLS.
    Tls,
    /// No connection, or one that broke.
    Connection,
    /// A private address that is not allowed.
    PrivateAddress,
    /// An answer that is no HTTP, or too large.
    Malformed,
}

/// A call that brought no answer.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct CallError {
    /// What kind of failure.
    pub kind: FailureKind,
    /// In words; holds nothing of the request.
    pub detail: String,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Body, empty if it was not asked for.
    pub body: Vec<u8>,
    headers: HeaderMap,
}

impl Response {
    /// Makes an answer as a server would, for judging it without one.
    #[must_use]
    pub fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        Self { status, body: body.to_vec(), headers }
    }

    /// A header that holds a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.headers.get(name)?.to_str().ok()?.trim().parse().ok()
    }
}

/// What is done with an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// It is read.
    Read,
    /// It is dropped unread.
    Drop,
}

/// Makes calls.
pub struct Client {
    agent: ureq::Agent,
}

impl Client {
    /// Prepares calls; connects to nobody.
    ///
    /// # Errors
    /// When certificates, key or proxy cannot be used.
    pub fn new(options: &Options) -> Result<Self, HttpError> {
        let proxy = match &options.proxy {
            Some(url) => Some(ureq::Proxy::new(url).map_err(|_| HttpError::Proxy)?),
            None => None,
        };
        let resolver = address::Resolver::new(options.allow_private || proxy.is_some());
        let config = ureq::config::Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(MAX_HEADERS)
            .timeout_global(Some(options.timeout.unwrap_or(TIMEOUT)))
            .user_agent(concat!("signleak/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy)
            .tls_config(tls(options)?)
            .build();
        Ok(Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver) })
    }

    /// Reads from an endpoint.
    ///
    /// # Errors
    /// When no complete answer comes in time.
    pub fn get(
        &self,
        endpoint: &Endpoint,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Result<Response, CallError> {
        let mut request = self.agent.get(&endpoint.0);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call(), body)
    }

    /// Sends a text to an endpoint.
    ///
    /// # Errors
    /// When no complete answer comes in time.
    pub fn post(
        &self,
        endpoint: &Endpoint,
        headers: &[(&str, &str)],
        text: &[u8],
    ) -> Result<Response, CallError> {
        let mut request = self.agent.post(&endpoint.0);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(text), Body::Read)
    }
}

fn answer(
    result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    wanted: Body,
) -> Result<Response, CallError> {
    let (parts, mut body) = result.map_err(failure)?.into_parts();
    let bytes = match wanted {
        Body::Read => body.with_config().limit(MAX_BODY).read_to_vec().map_err(failure)?,
        Body::Drop => vec![],
    };
    Ok(Response { status: parts.status.as_u16(), body: bytes, headers: parts.headers })
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn failure(error: ureq::Error) -> CallError {
    use std::io::ErrorKind;
    let kind = match &error {
        ureq::Error::Timeout(_) => FailureKind::Timeout,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => FailureKind::Tls,
        ureq::Error::Io(error) if address::is_refusal(error) => FailureKind::PrivateAddress,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => FailureKind::Timeout,
            // How rustls reports everything that it does not accept.
            ErrorKind::InvalidData => FailureKind::Tls,
            _ => FailureKind::Connection,
        },
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_) => FailureKind::Connection,
        _ => FailureKind::Malformed,
    };
    CallError { kind, detail: error.to_string() }
}

fn tls(options: &Options) -> Result<TlsConfig, HttpError> {
    let mut config = TlsConfig::builder();
    if let Some(pem) = &options.roots {
        let (certificates, _) = read_pem(pem, "the trusted certificates")?;
        config = config.root_certs(RootCerts::new_with_certs(&certificates));
    }
    if let Some(pem) = &options.identity {
        const WHAT: &str = "the client certificate";
        let (chain, key) = read_pem(pem, WHAT)?;
        let key =
            key.ok_or_else(|| HttpError::Pem { what: WHAT, why: "no private key".to_owned() })?;
        config = config.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(config.build())
}

/// The certificates of a PEM text, of which there must be one, and the key, if there is one.
fn read_pem(
    pem: &[u8],
    what: &'static str,
) -> Result<(Vec<Certificate<'static>>, Option<PrivateKey<'static>>), HttpError> {
    let (mut certificates, mut key) = (vec![], None);
    for item in ureq::tls::parse_pem(pem) {
        match item.map_err(|error| HttpError::Pem { what, why: error.to_string() })? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            PemItem::PrivateKey(found) => key = Some(found),
            _ => {}
        }
    }
    if certificates.is_empty() {
        return Err(HttpError::Pem { what, why: "no certificate".to_owned() });
    }
    Ok((certificates, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_endpoints_and_this_machine() {
        let ok = [
            "https://hook.example/revoke?x=1",
            "http://127.0.0.1:1/x",
            "http://[::1]:1",
            "http://localhost",
        ];
        assert!(ok.iter().all(|url| Endpoint::parse(url).is_ok()));
        let wrong = [
            "",
            "hook.example",
            "/x",
            "ftp://a",
            "http://hook.example",
            "http://10.0.0.1",
            "https://user:word@hook.example",
            "http://localhost.example",
        ];
        assert!(wrong.iter().all(|url| Endpoint::parse(url).is_err()));
    }

    #[test]
    fn a_query_is_not_shown() {
        let endpoint = Endpoint::parse("https://hook.example/a?token=hidden").expect("valid");
        assert_eq!(endpoint.display(), "https://hook.example/a");
        let error =
            Endpoint::parse("http://hook.example/a?token=hidden").expect_err("not encrypted");
        assert_eq!(error.to_string(), "http://hook.example/a: is not encrypted; use https");
    }
}
