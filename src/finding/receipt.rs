//! What the owner's revocation hook has answered.

use serde::Deserialize;
use serde::Serialize;

use super::Validation;

/// How a revocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationStatus {
    /// The key is revoked.
    Revoked,
    /// The request is taken; somebody or something will revoke the key.
    Accepted,
    /// The endpoint knows no key with this fingerprint.
    UnknownKey,
    /// The endpoint will not revoke it.
    Rejected,
    /// No answer that counts; the request waits in the outbox.
    Undelivered,
}

/// The trace that a revocation leaves in a report. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Receipt {
    /// The `webhook-id`, the same in every attempt and on every machine.
    pub id: String,
    /// Who was asked: scheme, host and path of the endpoint, or the command.
    pub endpoint: String,
    /// What was answered.
    pub status: RevocationStatus,
    /// The endpoint's own words, shortened, or what went wrong.
    pub detail: Option<String>,
    /// When it was answered, RFC 3339 in UTC.
    pub answered_at: Option<String>,
    /// Attempts that this run needed; 0 when an earlier run has the answer.
    pub attempts: u32,
    /// What a live check after the answer has shown.
    pub proof: Option<Validation>,
}
