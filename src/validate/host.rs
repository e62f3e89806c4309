//! One host of the provider: the negative control, then one key after another, never more than two calls for each.

use std::time::Duration;

use super::judge;
use super::judge::Answer;
use super::pace::Pace;
use crate::finding::Environment;
use crate::finding::UnknownReason;
use crate::http::Body;
use crate::http::Client;
use crate::http::Clock;
use crate::http::Endpoint;
use crate::rule::LiveHost;
use crate::rule::Proof;
use crate::rule::Shape;
use crate::secret::Secret;

/// Calls for one key.
const MAX_CALLS: usize = 2;
/// Keys in a row that may fail before the host is given up.
const MAX_FAILURES: u32 = 3;
const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What a host says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It works there.
    Live,
    /// It does not work there.
    Refused,
    /// Nothing is known.
    Unknown(UnknownReason),
}

/// A host, and what is known about it so far.
pub(super) struct Host<'c> {
    /// The rule's entry.
    pub(super) entry: &'c LiveHost,
    /// Calls made.
    pub(super) calls: u32,
    base: &'c Endpoint,
    client: &'c Client,
    pace: Pace<'c>,
    /// Why the host is not asked any more, or that the control has not been made.
    trust: Trust,
    failures: u32,
}

/// Whether the host's word counts.
#[derive(Clone, Copy)]
enum Trust {
    /// The control has not been made yet.
    Untested,
    /// The host has refused a random key.
    Earned,
    /// It is not asked any more.
    Lost(UnknownReason),
}

impl<'c> Host<'c> {
    /// A host that has not been called yet.
    pub(super) fn new(
        (entry, base): (&'c LiveHost, &'c Endpoint),
        client: &'c Client,
        clock: &'c dyn Clock,
        patience: Duration,
    ) -> Self {
        let pace = Pace::new(clock, patience);
        Self { entry, calls: 0, base, client, pace, trust: Trust::Untested, failures: 0 }
    }

    /// Environment that the host serves.
    pub(super) fn environment(&self) -> Environment {
        self.entry.environment
    }

    /// Name of the host.
    pub(super) fn name(&self) -> &str {
        self.base.host()
    }

    /// Asks about a key. Before the first one, a random key of the same shape must be refused: captive portals, proxies
    /// and mocks say yes to everything, and the real key is not shown to them.
    pub(super) fn ask(&mut self, key: &Secret, shape: &Shape) -> Standing {
        if matches!(self.trust, Trust::Untested) {
            self.trust = match self.probe(&random_key(shape)) {
                Standing::Refused => Trust::Earned,
                Standing::Live => Trust::Lost(UnknownReason::ControlAccepted),
                Standing::Unknown(reason) => Trust::Lost(reason),
            };
        }
        if let Trust::Lost(reason) = self.trust {
            return Standing::Unknown(reason);
        }
        let standing = self.probe(key);
        match standing {
            Standing::Unknown(reason) => {
                self.failures += 1;
                if self.failures >= MAX_FAILURES {
                    self.trust = Trust::Lost(reason);
                }
            }
            Standing::Live | Standing::Refused => self.failures = 0,
        }
        standing
    }

    fn probe(&mut self, key: &Secret) -> Standing {
        let mut is_forbidden = false;
        let mut unclear = UnknownReason::UnexpectedAnswer;
        for _ in 0..MAX_CALLS {
            if !self.pace.wait() {
                unclear = UnknownReason::RateLimited;
                break;
            }
            match self.call(key, usize::from(is_forbidden)) {
                Answer::Live => return Standing::Live,
                // Forbidden at one place and unknown at the other cannot both be true.
                Answer::Refused if is_forbidden => {
                    return Standing::Unknown(UnknownReason::Contradiction);
                }
                Answer::Refused => return Standing::Refused,
                Answer::Forbidden if is_forbidden || self.entry.probes.len() == 1 => {
                    return Standing::Live;
                }
                Answer::Forbidden => is_forbidden = true,
                Answer::Failed { reason, .. } => unclear = reason,
                Answer::Unclear(reason) => {
                    unclear = reason;
                    break;
                }
            }
        }
        // A 403 of the API has said that the key is known, whatever the second question brought.
        if is_forbidden { Standing::Live } else { Standing::Unknown(unclear) }
    }

    fn call(&mut self, key: &Secret, probe: usize) -> Answer {
        let Ok(text) = std::str::from_utf8(key.expose()) else {
            return Answer::Unclear(UnknownReason::UnexpectedAnswer);
        };
        let nonce = random_text(16, |letter| !letter.is_ascii_uppercase());
        let place = self.entry.probes[probe].replace("{nonce}", &nonce);
        let Ok(endpoint) = self.base.join(&place) else {
            return Answer::Unclear(UnknownReason::UnexpectedAnswer);
        };
        let bearer = zeroize::Zeroizing::new(format!("Bearer {text}"));
        let headers = [("authorization", bearer.as_str()), ("accept", "application/json")];
        let body = match self.entry.proof {
            Proof::Envelope => Body::Read,
            Proof::Status => Body::Drop,
        };
        self.calls += 1;
        let result = self.client.get(&endpoint, &headers, body);
        let answer = judge::judge(&result, self.entry.proof);
        if let Ok(response) = &result {
            self.pace.obey(response);
        }
        match answer {
            Answer::Failed { wait, .. } => self.pace.failed(wait),
            _ => self.pace.succeeded(),
        }
        answer
    }
}

/// A key that nobody has.
fn random_key(shape: &Shape) -> Secret {
    loop {
        let text = random_text(shape.length, |letter| shape.alphabet.holds(&[letter]));
        if shape.accepts(text.as_bytes()) {
            return Secret::new(text.as_bytes());
        }
    }
}

fn random_text(length: usize, fits: impl Fn(u8) -> bool) -> String {
    let letters: Vec<u8> = LETTERS.iter().copied().filter(|letter| fits(*letter)).collect();
    (0..length).map(|_| char::from(letters[fastrand::usize(..letters.len())])).collect()
}
