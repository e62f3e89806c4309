//! The body of a request: what the owner must know to revoke a key and to judge how urgent that is.

use serde_json::Value;
use serde_json::json;

use super::outbox::Entry;
use crate::finding::Exposure;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::report;
use crate::secret::Fingerprint;

/// Standard Webhooks wants bodies below 20 kB; the key itself must still fit.
const MAX_BODY: usize = 19_000;

/// Form of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Standard Webhooks: `{type, timestamp, data}`.
    Standard,
    /// What GitHub's secret scanning sends to its partners; holds the key itself.
    Partner,
}

/// The `webhook-id` of a key: the same in every run on every machine, so that 500 jobs ask once.
pub(super) fn id(fingerprint: &Fingerprint) -> String {
    format!("revoke_{fingerprint}")
}

/// The body for a finding, without the key. Places are left out, the last ones first, until it fits.
pub(super) fn of(finding: &Finding, time: &str) -> Value {
    let mut places: Vec<Value> = finding.occurrences.iter().take(100).map(place).collect();
    loop {
        let body = body(finding, time, &places);
        if places.len() <= 1 || body.to_string().len() <= MAX_BODY {
            return body;
        }
        places.truncate(places.len() / 2);
    }
}

fn body(finding: &Finding, time: &str, places: &[Value]) -> Value {
    let (first, days) = report::since(finding);
    let mut exposed = finding.occurrences.iter().filter_map(|place| place.exposed.as_ref());
    json!({
        "type": "secret.leaked",
        "timestamp": time,
        "data": {
            "id": id(&finding.secret.sha256),
            "fingerprint": finding.secret.sha256,
            "redacted": finding.secret.redacted,
            "length": finding.secret.length,
            "rule": finding.rule_id,
            "severity": finding.severity,
            "confidence": finding.confidence,
            "environment": finding.environment,
            "validation": finding.validation,
            "exposure": {
                "kind": finding.exposure,
                "client": finding.exposure == Exposure::ClientBundle,
                "first_seen": first.map(|commit| &commit.date),
                "days": days,
                "in_head": exposed.any(|exposed| exposed.in_head),
            },
            "occurrence_count": finding.occurrences.len(),
            "occurrences": places,
        },
    })
}

fn place(occurrence: &Occurrence) -> Value {
    json!({
        "path": occurrence.path.to_string().chars().take(500).collect::<String>(),
        "line": occurrence.region.line,
        "origin": occurrence.origin,
        "commit": occurrence.commit.as_ref().map(|commit| commit.id),
        "reachability": occurrence.reachability,
    })
}

impl Format {
    /// The text that is sent: the entry's body, with the key if it is to be sent.
    pub(super) fn body(self, entry: &Entry, secret: Option<&str>) -> String {
        let mut body = entry.body.clone();
        match self {
            Self::Standard => {
                if let Some(secret) = secret {
                    body["data"]["secret"] = Value::from(secret);
                }
                body.to_string()
            }
            Self::Partner => {
                let data = &body["data"];
                let place = &data["occurrences"][0];
                let source = if place["commit"].is_null() { "content" } else { "commit" };
                let token = secret.unwrap_or_default();
                json!([{ "token": token, "type": data["rule"], "url": place["path"], "source": source }])
                    .to_string()
            }
        }
    }
}
