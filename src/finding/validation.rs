//! What a live check has shown about a secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use super::Environment;
use crate::secret::Fingerprint;

/// State of a secret after a live check. Ordered from the least to the most alarming.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Validation {
    /// Nobody asked for a check, or this kind of secret is never sent anywhere.
    #[default]
    Unchecked,
    /// Every host it could belong to refuses it: revoked, or never valid.
    Refused,
    /// No host accepts it, and at least one gave no clear answer.
    Unknown {
        /// Why not.
        reason: UnknownReason,
    },
    /// The provider accepts it.
    Active {
        /// The environment whose host accepts it.
        environment: Environment,
    },
}

impl Validation {
    /// Whether the secret has been shown to work.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Active { .. })
    }
}

/// Why a live check could not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    /// The provider asks to wait for longer than we may.
    RateLimited,
    /// The provider has an error of its own (5xx).
    ServerError,
    /// Somebody redirects; keys are never sent after a redirect.
    Redirected,
    /// No trusted connection: certificate, name or protocol.
    Tls,
    /// No complete answer in time.
    Timeout,
    /// No connection, or one that broke.
    Connection,
    /// The host's name leads to an address of a private network.
    PrivateAddress,
    /// An answer that the provider does not give: a captive portal, a proxy.
    UnexpectedAnswer,
    /// The same host accepts a random key, so its word counts for nothing.
    ControlAccepted,
    /// Two answers of the same host contradict each other.
    Contradiction,
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RateLimited => "the provider's rate limit is used up",
            Self::ServerError => "the provider answers with errors of its own",
            Self::Redirected => "the host redirects, and keys do not follow",
            Self::Tls => "no trusted TLS connection to the host",
            Self::Timeout => "no complete answer in time",
            Self::Connection => "no connection to the host",
            Self::PrivateAddress => "the host's name leads into a private network",
            Self::UnexpectedAnswer => "what answers is not the provider's API",
            Self::ControlAccepted => "the host accepts a random key as well",
            Self::Contradiction => "the host's answers contradict each other",
        })
    }
}

/// What a live check has cost the owner's quota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCheck {
    /// Requests that were sent, negative controls included.
    pub requests: u32,
    /// The same by host.
    pub hosts: BTreeMap<String, u32>,
}

impl LiveCheck {
    /// Adds what another check has cost.
    pub fn merge(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        for (host, requests) in other.hosts {
            let sum = self.hosts.entry(host).or_default();
            *sum = sum.saturating_add(requests);
        }
    }
}

/// What a live check has shown about all secrets of a run; empty if nobody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validations {
    /// State of each secret that was checked.
    pub states: BTreeMap<Fingerprint, Validation>,
    /// What it has cost.
    pub check: Option<LiveCheck>,
}
