//! The table of judgement: what one answer of a provider says about the key that was sent. Matches on the status and on
//! the shape of the body, never on its words.

use std::time::Duration;

use serde_json::Value;

use crate::finding::UnknownReason;
use crate::http::CallError;
use crate::http::FailureKind;
use crate::http::Response;
use crate::rule::Proof;

/// What one answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The key works.
    Live,
    /// The key is known, but not allowed here: it works.
    Forbidden,
    /// The key does not work on this host.
    Refused,
    /// Nothing is known; asking again may help, after `wait` if the host names a time.
    Failed { reason: UnknownReason, wait: Option<Duration> },
    /// Nothing is known, and asking again will not help.
    Unclear(UnknownReason),
}

/// Judges an answer, or its absence.
pub(super) fn judge(result: &Result<Response, CallError>, proof: Proof) -> Answer {
    let response = match result {
        Ok(response) => response,
        Err(error) => return failure(error.kind),
    };
    let is_proven = |fits: fn(&Value) -> bool| match proof {
        Proof::Status => true,
        Proof::Envelope => serde_json::from_slice(&response.body).is_ok_and(|body| fits(&body)),
    };
    match response.status {
        200 if is_proven(is_page) => Answer::Live,
        401 if is_proven(is_problem) => Answer::Refused,
        403 if proof == Proof::Envelope && is_proven(is_problem) => Answer::Forbidden,
        300..=399 => Answer::Unclear(UnknownReason::Redirected),
        429 => Answer::Failed {
            reason: UnknownReason::RateLimited,
            wait: response.number("retry-after").map(Duration::from_secs),
        },
        500..=599 => Answer::Failed {
            reason: UnknownReason::ServerError,
            wait: response.number("retry-after").map(Duration::from_secs),
        },
        _ => Answer::Unclear(UnknownReason::UnexpectedAnswer),
    }
}

fn failure(kind: FailureKind) -> Answer {
    let failed = |reason| Answer::Failed { reason, wait: None };
    match kind {
        FailureKind::Timeout => failed(UnknownReason::Timeout),
        FailureKind::Connection => failed(UnknownReason::Connection),
        FailureKind::Tls => Answer::Unclear(UnknownReason::Tls),
        FailureKind::PrivateAddress => Answer::Unclear(UnknownReason::PrivateAddress),
        FailureKind::Malformed => Answer::Unclear(UnknownReason::UnexpectedAnswer),
    }
}

/// Whether a body is a page of a list: `{"meta": {"next_cursor": …}, "data": […]}`.
fn is_page(body: &Value) -> bool {
    body.get("data").is_some_and(Value::is_array)
        && body.get("meta").is_some_and(|meta| meta.get("next_cursor").is_some())
}

/// Whether a body is an error of the API: `{"type": "…", "detail": "…"}`.
fn is_problem(body: &Value) -> bool {
    ["type", "detail"].iter().all(|key| body.get(key).is_some_and(Value::is_string))
}
