//! A TLS server with a certificate authority of its own, which answers as it is told and keeps every byte it was sent.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) raw: Vec<u8>,
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head =
            String::from_utf8_lossy(&self.raw[..self.raw.len() - self.body.len()]).into_owned();
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The key in `Authorization: Bearer …`.
    pub(crate) fn bearer(&self) -> String {
        self.header("authorization")
            .and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned))
            .unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, and then nothing until the client leaves.
    Stall(Vec<u8>),
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    Reply::Answer(status, vec![("content-type", "application/json".to_owned())], body.to_owned())
}

/// Which certificate the server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    Good,
    OtherName,
    OtherAuthority,
    Expired,
    /// A good one, and clients must show one too.
    Mutual,
    /// No TLS at all.
    None,
}

pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Mutex<Vec<Request>>,
    connections: Mutex<usize>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().expect("no panic").clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().expect("no panic")
    }
}

/// Certificate authority, PEM.
pub(crate) fn authority() -> String {
    issuer().pem()
}

fn issuer() -> &'static CertifiedIssuer<'static, KeyPair> {
    static ISSUER: OnceLock<CertifiedIssuer<'static, KeyPair>> = OnceLock::new();
    ISSUER.get_or_init(new_issuer)
}

fn new_issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).expect("valid");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA")
}

/// A client certificate and its key, PEM.
pub(crate) fn identity() -> String {
    let (certificate, key) = leaf(issuer(), "client", ExtendedKeyUsagePurpose::ClientAuth, false);
    certificate.pem() + &key.serialize_pem()
}

fn leaf(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
    is_expired: bool,
) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("valid");
    params.extended_key_usages = vec![usage];
    if is_expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, issuer).expect("signed"), key)
}

fn config(certificate: Certificate) -> Arc<ServerConfig> {
    let other;
    let issuer = if certificate == Certificate::OtherAuthority {
        other = new_issuer();
        &other
    } else {
        issuer()
    };
    let name =
        if certificate == Certificate::OtherName { "elsewhere.invalid" } else { "localhost" };
    let (leaf, key) = leaf(
        issuer,
        name,
        ExtendedKeyUsagePurpose::ServerAuth,
        certificate == Certificate::Expired,
    );
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3");
    let builder = if certificate == Certificate::Mutual {
        let mut roots = RootCertStore::empty();
        roots.add(self::issuer().der().clone()).expect("a CA");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().expect("valid"))
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Arc::new(builder.with_single_cert(vec![leaf.der().clone()], key).expect("valid"))
}

/// Runs `test` while a server with this certificate answers.
pub(crate) fn with_server<R>(
    certificate: Certificate,
    answer: impl Fn(&Request) -> Reply + Sync,
    test: impl FnOnce(&Server) -> R,
) -> R {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("set");
    let port = listener.local_addr().expect("bound").port();
    let server = Server { port, seen: Mutex::default(), connections: Mutex::default() };
    let (config, stop) = (config(certificate), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        *server.connections.lock().expect("no panic") += 1;
                        let config =
                            (certificate != Certificate::None).then(|| Arc::clone(&config));
                        let (server, answer) = (&server, &answer);
                        scope.spawn(move || drop(serve(stream, config, server, answer)));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    Err(_) => break,
                }
            }
        });
        let _stop = StopOnDrop(&stop);
        test(&server)
    })
}

/// Ends the server also when the test fails.
struct StopOnDrop<'s>(&'s AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn serve(
    stream: TcpStream,
    config: Option<Arc<ServerConfig>>,
    server: &Server,
    answer: &(impl Fn(&Request) -> Reply + Sync),
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    match config {
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
            let mut stream = StreamOwned::new(connection, stream);
            converse(&mut stream, server, answer)?;
            stream.conn.send_close_notify();
            stream.flush()
        }
        // Whatever comes, the answer is in plain text.
        None => {
            let mut stream = stream;
            let mut part = [0; 512];
            let _read = stream.read(&mut part)?;
            stream.write_all(b"HTTP/1.1 400 X\r\ncontent-length: 0\r\n\r\n")
        }
    }
}

fn converse(
    stream: &mut (impl Read + Write),
    server: &Server,
    answer: &(impl Fn(&Request) -> Reply + Sync),
) -> std::io::Result<()> {
    let request = read_request(stream)?;
    server.seen.lock().expect("no panic").push(request.clone());
    match answer(&request) {
        Reply::Answer(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text += &format!("{name}: {value}\r\n");
            }
            stream.write_all(format!("{text}\r\n{body}").as_bytes())
        }
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Stall(bytes) => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            let mut rest = vec![];
            drop(stream.read_to_end(&mut rest));
            Ok(())
        }
    }
}

fn read_request(stream: &mut impl Read) -> std::io::Result<Request> {
    let mut raw = vec![];
    let mut part = [0; 4096];
    loop {
        if let Some(end) = raw.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&raw[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            if raw.len() >= end + 4 + length {
                let line = head.lines().next().unwrap_or_default().to_owned();
                let body = raw[end + 4..].to_vec();
                return Ok(Request { raw, line, body });
            }
        }
        match stream.read(&mut part)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => raw.extend_from_slice(&part[..read]),
        }
    }
}
