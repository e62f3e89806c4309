//! The revocation hook: asks the owner's own endpoint to revoke leaked keys, in a way that it can trust, and keeps what
//! could not be delivered until it is. The key itself leaves only when the user asked for that.

mod answer;
mod outbox;
mod payload;
mod transport;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::finding::Candidate;
use crate::finding::Finding;
use crate::finding::Receipt;
use crate::finding::RevocationStatus;
use crate::finding::ScanReport;
use crate::finding::Validation;
use crate::http;
use crate::http::Clock;
use crate::secret::Fingerprint;
use crate::secret::Secret;
use crate::source::git::rfc3339;

use answer::Answer;
use outbox::Entry;
use outbox::Outbox;

pub use outbox::OutboxError;
pub use payload::Format;
pub use transport::Signer;
pub use transport::SignerError;
pub use transport::Transport;

/// The first pause after a failed attempt; the next ones double.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// How revocations are asked for.
pub struct Options {
    /// Who is asked.
    pub transport: Transport,
    /// What signs the requests.
    pub signer: Signer,
    /// Form of the body.
    pub format: Format,
    /// Whether the key itself is sent, and not its hash alone.
    pub send_secret: bool,
    /// Whether keys are asked for again that have a receipt.
    pub again: bool,
    /// Folder of the outbox.
    pub outbox: PathBuf,
    /// Attempts for each request.
    pub attempts: u32,
    /// Longest waiting in all.
    pub patience: Duration,
}

/// Something stops all revocations.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The outbox cannot be used; nothing was sent.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The transport cannot be used.
    #[error(transparent)]
    Http(#[from] http::HttpError),
}

/// A request as it would be sent, for people: secrets are redacted.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Headers by name.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Asks for the revocation of leaked keys.
pub struct Revoker {
    options: Options,
    clock: Box<dyn Clock>,
}

impl Revoker {
    /// Prepares; sends nothing.
    #[must_use]
    pub fn new(options: Options, clock: Box<dyn Clock>) -> Self {
        Self { options, clock }
    }

    /// The requests that [`Revoker::run`] would send for a report.
    #[must_use]
    pub fn preview(&self, report: &ScanReport) -> Vec<Preview> {
        let time = self.time();
        let leaks = report.leaks().filter(|finding| is_wanted(finding));
        leaks
            .map(|finding| {
                let entry = Entry::new(payload::of(finding, &time), self.options.send_secret);
                let shown = self.options.send_secret.then_some(finding.secret.redacted.as_str());
                let body = self.options.format.body(&entry, shown);
                let mut headers = vec![
                    ("webhook-id", entry.id),
                    ("webhook-timestamp", self.clock.now().as_secs().to_string()),
                    ("webhook-signature", "v1,…".to_owned()),
                ];
                if self.options.transport.has_token() {
                    headers.push(("authorization", "Bearer …".to_owned()));
                }
                Preview { headers, body }
            })
            .collect()
    }

    /// Asks for every key of the report that works or may work, and for what earlier runs could not deliver. Each
    /// finding gets its receipt. `keys` are needed only where the key itself is sent.
    ///
    /// # Errors
    /// When the outbox cannot be used. An endpoint that fails is no error: the receipts say `undelivered`.
    pub fn run(&self, report: &mut ScanReport, keys: &[Candidate]) -> Result<(), RevokeError> {
        let outbox = Outbox::open(&self.options.outbox, &self.options.transport.name())?;
        let time = self.time();
        for finding in report.leaks().filter(|finding| is_wanted(finding)) {
            let entry = Entry::new(payload::of(finding, &time), self.options.send_secret);
            if self.options.again {
                outbox.reopen(&entry.id)?;
            }
            if outbox.receipt(&entry.id).is_none() {
                outbox.put(&entry)?;
            }
        }
        let secrets: BTreeMap<Fingerprint, &Secret> =
            keys.iter().map(|key| (key.secret.fingerprint(), &key.secret)).collect();
        let mut left = self.options.patience;
        let mut answers = BTreeMap::new();
        for entry in outbox.pending()? {
            let receipt = self.deliver(&entry, &secrets, &mut left);
            if receipt.status != RevocationStatus::Undelivered {
                outbox.settle(&receipt)?;
            }
            answers.insert(entry.id, receipt);
        }
        for finding in &mut report.findings {
            let id = payload::id(&finding.secret.sha256);
            if finding.is_leak() && finding.suppression.is_none() {
                finding.revocation = answers.get(&id).cloned().or_else(|| outbox.receipt(&id));
            }
        }
        Ok(())
    }

    fn time(&self) -> String {
        rfc3339(i64::try_from(self.clock.now().as_secs()).unwrap_or(0), 0)
    }

    /// Sends one request until it is answered, or the attempts or our patience are used up.
    fn deliver(
        &self,
        entry: &Entry,
        secrets: &BTreeMap<Fingerprint, &Secret>,
        left: &mut Duration,
    ) -> Receipt {
        let mut receipt = Receipt {
            id: entry.id.clone(),
            endpoint: self.options.transport.name(),
            status: RevocationStatus::Undelivered,
            detail: None,
            answered_at: None,
            attempts: 0,
            proof: None,
        };
        let secret = Fingerprint::from_hex(&entry.fingerprint).and_then(|key| secrets.get(&key));
        if entry.send_secret && secret.is_none() {
            receipt.detail =
                Some("the key itself is to be sent, and this run has not read it".to_owned());
            return receipt;
        }
        let shown = secret.filter(|_| entry.send_secret);
        let text = shown.map(|secret| String::from_utf8_lossy(secret.expose()).into_owned());
        let body = zeroize::Zeroizing::new(self.options.format.body(entry, text.as_deref()));
        while receipt.attempts < self.options.attempts {
            receipt.attempts += 1;
            let now = self.clock.now().as_secs();
            let headers = self.options.signer.headers(&entry.id, now, body.as_bytes());
            match self.options.transport.send(&headers, body.as_bytes(), self.options.format) {
                Answer::Final { status, detail } => {
                    receipt.status = status;
                    receipt.detail = detail.map(|detail| redacted(&detail, secret.copied()));
                    receipt.answered_at = Some(self.time());
                    return receipt;
                }
                Answer::Failed { detail } => {
                    receipt.detail = Some(redacted(&detail, secret.copied()));
                    return receipt;
                }
                Answer::Retry { detail, wait } => {
                    receipt.detail = Some(redacted(&detail, secret.copied()));
                    let pause = FIRST_PAUSE * 2_u32.pow((receipt.attempts - 1).min(6));
                    let pause = pause.mul_f64(0.5 + self.clock.jitter() / 2.0);
                    let pause = wait.unwrap_or(pause);
                    if receipt.attempts == self.options.attempts || pause > *left {
                        return receipt;
                    }
                    self.clock.sleep(pause);
                    *left -= pause;
                }
            }
        }
        receipt
    }
}

/// A key that every host refuses needs no revocation.
fn is_wanted(finding: &Finding) -> bool {
    finding.validation != Validation::Refused
}

/// An endpoint may repeat what it was sent; a receipt does not.
fn redacted(detail: &str, secret: Option<&Secret>) -> String {
    match secret.map(|secret| (String::from_utf8_lossy(secret.expose()), secret.redacted())) {
        Some((text, shown)) if !text.is_empty() => detail.replace(&*text, &shown),
        _ => detail.to_owned(),
    }
}
