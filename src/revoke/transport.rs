//! How a request reaches the owner: over HTTPS, or as the standard input of a command on this machine.

use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use standardwebhooks::Webhook;

use super::answer;
use super::answer::Answer;
use super::payload::Format;
use crate::http::Client;
use crate::http::Endpoint;
use crate::http::FailureKind;

/// An answer of a command longer than this is none.
const MAX_ANSWER: u64 = 64 * 1024;
/// How often a command is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A signing secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signing secret must be `whsec_` and the base64 of 24 to 64 bytes; several are separated by spaces"
)]
pub struct SignerError;

/// Signs by Standard Webhooks; with several secrets several times, which lets a receiver change its own.
pub struct Signer(Vec<Webhook>);

impl Signer {
    /// Reads one or more secrets, separated by white space.
    ///
    /// # Errors
    /// When there is none, or one has the wrong form or length.
    pub fn new(secrets: &str) -> Result<Self, SignerError> {
        use base64::Engine as _;
        let signer = |secret: &str| {
            let encoded = secret.strip_prefix("whsec_").ok_or(SignerError)?;
            let key = base64::engine::general_purpose::STANDARD.decode(encoded);
            let key = key.map_err(|_| SignerError)?;
            if !(24..=64).contains(&key.len()) {
                return Err(SignerError);
            }
            Webhook::from_bytes(key).map_err(|_| SignerError)
        };
        let signers: Vec<Webhook> =
            secrets.split_whitespace().map(signer).collect::<Result<_, _>>()?;
        if signers.is_empty() { Err(SignerError) } else { Ok(Self(signers)) }
    }

    /// The three headers of a message.
    pub(super) fn headers(&self, id: &str, time: u64, body: &[u8]) -> [(&'static str, String); 3] {
        let seconds = i64::try_from(time).unwrap_or(i64::MAX);
        let signatures: Vec<String> =
            self.0.iter().filter_map(|webhook| webhook.sign(id, seconds, body).ok()).collect();
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", time.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ]
    }
}

/// Who is asked.
pub enum Transport {
    /// An endpoint.
    Https {
        /// Makes the call.
        client: Box<Client>,
        /// Where.
        endpoint: Endpoint,
        /// Token for `Authorization: Bearer`.
        token: Option<String>,
    },
    /// A program of this machine: the body on standard input, the headers in `WEBHOOK_ID`, `WEBHOOK_TIMESTAMP` and
    /// `WEBHOOK_SIGNATURE`, the answer on standard output.
    Command {
        /// The program.
        program: PathBuf,
        /// How long it may take.
        timeout: Duration,
    },
}

impl Transport {
    /// The name in receipts.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Https { endpoint, .. } => endpoint.display(),
            Self::Command { program, .. } => format!("command {}", program.display()),
        }
    }

    /// Whether a bearer token is sent.
    pub(super) fn has_token(&self) -> bool {
        matches!(self, Self::Https { token: Some(_), .. })
    }

    /// Makes one attempt.
    pub(super) fn send(
        &self,
        headers: &[(&'static str, String); 3],
        body: &[u8],
        format: Format,
    ) -> Answer {
        match self {
            Self::Https { client, endpoint, token } => {
                let bearer = token.as_ref().map(|token| format!("Bearer {token}"));
                let mut all: Vec<(&str, &str)> = vec![("content-type", "application/json")];
                all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
                all.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
                post(client, endpoint, &all, body, format)
            }
            Self::Command { program, timeout } => match run(program, *timeout, headers, body) {
                Ok(answer) => answer::read(&answer, format),
                Err(detail) => Answer::Failed { detail },
            },
        }
    }
}

fn post(
    client: &Client,
    endpoint: &Endpoint,
    headers: &[(&str, &str)],
    body: &[u8],
    format: Format,
) -> Answer {
    let response = match client.post(endpoint, headers, body) {
        Ok(response) => response,
        Err(error) => {
            let detail = format!("no answer: {error}");
            return match error.kind {
                FailureKind::Timeout | FailureKind::Connection => {
                    Answer::Retry { detail, wait: None }
                }
                _ => Answer::Failed { detail },
            };
        }
    };
    let detail = format!("the endpoint answers with status {}", response.status);
    match response.status {
        200..=299 => answer::read(&response.body, format),
        408 | 425 | 429 | 500..=599 => {
            Answer::Retry { detail, wait: response.number("retry-after").map(Duration::from_secs) }
        }
        _ => Answer::Failed { detail },
    }
}

/// Runs a command to its end. Its output goes to a file that has no name, so that nobody who keeps a pipe open can
/// hold us up.
fn run(
    program: &PathBuf,
    timeout: Duration,
    headers: &[(&'static str, String); 3],
    body: &[u8],
) -> Result<Vec<u8>, String> {
    let io = |error: std::io::Error| format!("the command {}: {error}", program.display());
    let mut output = tempfile::tempfile().map_err(io)?;
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(output.try_clone().map_err(io)?).stderr(Stdio::null());
    for (name, value) in headers {
        command.env(name.to_ascii_uppercase().replace('-', "_"), value);
    }
    command.env_remove("SIGNLEAK_REVOKE_SECRET").env_remove("SIGNLEAK_REVOKE_TOKEN");
    let (started, mut child) = (Instant::now(), command.spawn().map_err(io)?);
    if let Some(mut input) = child.stdin.take() {
        // Bodies are smaller than a pipe holds, so this does not block; a command need not read it.
        drop(input.write_all(body));
    }
    let status = loop {
        match child.try_wait().map_err(io)? {
            Some(status) => break status,
            None if started.elapsed() > timeout => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("the command {} took too long", program.display()));
            }
            None => std::thread::sleep(LOOK),
        }
    };
    if !status.success() {
        return Err(format!("the command {} failed: {status}", program.display()));
    }
    let mut answer = vec![];
    output.rewind().map_err(io)?;
    output.take(MAX_ANSWER).read_to_end(&mut answer).map_err(io)?;
    Ok(answer)
}
