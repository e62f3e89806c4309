//! What an endpoint answers: `docs/revocation.openapi.yaml` is the contract.

use std::time::Duration;

use serde_json::Value;

use super::payload::Format;
use crate::finding::RevocationStatus;

/// Characters of an endpoint's own words that are kept.
const MAX_DETAIL: usize = 200;

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An answer by the contract.
    Final { status: RevocationStatus, detail: Option<String> },
    /// Nothing that counts; another attempt may help.
    Retry { detail: String, wait: Option<Duration> },
    /// Nothing that counts, and the same request would bring the same again.
    Failed { detail: String },
}

/// Reads a body by the contract.
pub(super) fn read(body: &[u8], format: Format) -> Answer {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let read = match format {
        Format::Standard => value.as_ref().and_then(standard),
        Format::Partner => partner(body, value.as_ref()),
    };
    read.unwrap_or_else(|| Answer::Failed {
        detail: "the endpoint's answer is none of revoked, accepted, unknown_key and rejected"
            .to_owned(),
    })
}

fn standard(value: &Value) -> Option<Answer> {
    let status = match value.get("status")?.as_str()? {
        "revoked" => RevocationStatus::Revoked,
        "accepted" => RevocationStatus::Accepted,
        "unknown_key" => RevocationStatus::UnknownKey,
        "rejected" => RevocationStatus::Rejected,
        _ => return None,
    };
    let detail = value.get("detail").and_then(Value::as_str);
    Some(Answer::Final {
        status,
        detail: detail.map(|text| text.chars().take(MAX_DETAIL).collect()),
    })
}

/// A partner may answer nothing, or a label for the one token that it was sent.
fn partner(body: &[u8], value: Option<&Value>) -> Option<Answer> {
    let done = |status| Some(Answer::Final { status, detail: None });
    if body.trim_ascii().is_empty() {
        return done(RevocationStatus::Accepted);
    }
    match value?.as_array()?.first().map(|label| label.get("label").and_then(Value::as_str)) {
        None | Some(Some("true_positive")) => done(RevocationStatus::Accepted),
        Some(Some("false_positive")) => done(RevocationStatus::UnknownKey),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_counts() {
        let status = |text: &str, format| match read(text.as_bytes(), format) {
            Answer::Final { status, .. } => Some(status),
            _ => None,
        };
        let standard = |text| status(text, Format::Standard);
        assert_eq!(standard(r#"{"status":"revoked"}"#), Some(RevocationStatus::Revoked));
        for garbage in ["", "{}", "ok", r#"{"status":"done"}"#, r#"{"status":1}"#, "[]", "\u{0}"] {
            assert_eq!(standard(garbage), None, "{garbage}");
        }
        let partner = |text| status(text, Format::Partner);
        assert_eq!(partner(""), Some(RevocationStatus::Accepted));
        assert_eq!(partner(r#"[{"label":"false_positive"}]"#), Some(RevocationStatus::UnknownKey));
        assert_eq!(partner("<html>"), None);
    }
}
