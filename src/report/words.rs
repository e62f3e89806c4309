//! Words that the formats for people share.

use super::Context;
use super::escape::terminal;
use crate::coverage::GapKind;
use crate::finding::Environment;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::Original;
use crate::finding::Receipt;
use crate::finding::RevocationStatus;
use crate::finding::ScanReport;
use crate::finding::Tally;
use crate::finding::Validation;
use crate::provenance::Exposed;
use crate::provenance::Origin;

/// Columns of wrapped text.
const WIDTH: usize = 88;

/// Where it stands: `path:line:column`, or the kind of place where there is no path.
pub(super) fn place(occurrence: &Occurrence) -> String {
    let region = occurrence.region;
    let path = occurrence.path.to_string();
    let path = if path.is_empty() { origin(occurrence.origin) } else { path.as_str() };
    format!("{path}:{}:{}", region.line, region.column)
}

/// `path:line:column` before the build.
pub(super) fn original(original: &Original) -> String {
    format!("{}:{}:{}", original.path, original.line, original.column)
}

/// The reasons that speak for a finding.
pub(super) fn reasons(finding: &Finding) -> impl Iterator<Item = &str> {
    let reasons = finding.evidence.iter().filter(|evidence| evidence.weight >= 0);
    reasons.map(|evidence| evidence.text.as_str())
}

/// The path of a place, or the kind of place where there is none.
pub(super) fn path(occurrence: &Occurrence) -> String {
    let path = occurrence.path.to_string();
    if path.is_empty() {
        origin(occurrence.origin).to_owned()
    } else {
        terminal(&path).into_owned()
    }
}

/// What a place's first commit does not say of how it came to be.
pub(super) fn beginnings(exposed: &Exposed) -> Vec<String> {
    let more = exposed.introduced_count.saturating_sub(1) as u64;
    let others = (more > 0).then(|| {
        format!("introduced independently by {}", counted(more, "more commit", "more commits"))
    });
    let renamed = exposed.renamed_from.as_ref().map(|path| format!("renamed from {path}"));
    others.into_iter().chain(renamed).collect()
}

/// What a finding is: its title, the environment, how sure.
pub(super) fn headline(finding: &Finding, context: &Context<'_>) -> String {
    let environment = match finding.environment {
        Environment::Unknown => String::new(),
        known => format!(", {}", name(known)),
    };
    format!("{}{environment}, {} confidence", context.title(finding), name(finding.confidence))
}

/// The secret as far as it may be shown.
pub(super) fn secret(finding: &Finding) -> String {
    let secret = &finding.secret;
    format!(
        "secret: {}, {} characters, sha256 {}",
        terminal(&secret.redacted),
        secret.length,
        secret.sha256
    )
}

/// What the live check and the revocation hook have shown.
pub(super) fn standing(finding: &Finding) -> Vec<String> {
    let live = match finding.validation {
        Validation::Unchecked => None,
        Validation::Active { environment } => Some(format!(
            "live check: ACTIVE, the key opens the {} environment now",
            name(environment)
        )),
        Validation::Refused => {
            Some("live check: refused everywhere: revoked, or never valid".to_owned())
        }
        Validation::Unknown { reason } => Some(format!("live check: unknown, {reason}")),
    };
    let lines = live.into_iter().chain(finding.revocation.iter().map(revocation));
    lines.map(|line| terminal(&line).into_owned()).collect()
}

fn revocation(receipt: &Receipt) -> String {
    let answer = match receipt.status {
        RevocationStatus::Revoked => "revoked",
        RevocationStatus::Accepted => "accepted, not revoked yet",
        RevocationStatus::UnknownKey => "the endpoint does not know this key",
        RevocationStatus::Rejected => "rejected",
        RevocationStatus::Undelivered => "not delivered, the request waits in the outbox",
    };
    let detail = receipt.detail.as_ref().map_or(String::new(), |detail| format!(": {detail}"));
    let proof = match receipt.proof {
        None => String::new(),
        Some(Validation::Refused) => "; proven: the provider refuses the key now".to_owned(),
        Some(Validation::Active { .. }) => "; BUT THE PROVIDER STILL ACCEPTS THE KEY".to_owned(),
        Some(_) => "; not proven: the live check gave no clear answer".to_owned(),
    };
    format!("revocation: {answer} ({}){detail}{proof}", receipt.endpoint)
}

/// Suppressions that do nothing, a line each.
pub(super) fn stale(report: &ScanReport) -> impl Iterator<Item = String> {
    report.stale_suppressions.iter().map(|stale| format!("{}: {}", stale.place, stale.detail))
}

/// What a run found: `2 leaks, 1 suppressed`.
pub(super) fn found(report: &ScanReport) -> String {
    let Tally { leaks, policy, suppressed } = report.tally();
    let mut parts = vec![match leaks {
        0 => "no leak found".to_owned(),
        leaks => counted(leaks as u64, "leak", "leaks"),
    }];
    if policy > 0 {
        parts.push(counted(policy as u64, "breach of policy", "breaches of policy"));
    }
    if suppressed > 0 {
        parts.push(format!("{suppressed} suppressed"));
    }
    if let Some(check) = &report.live_check {
        parts.push(counted(check.requests.into(), "live request", "live requests"));
    }
    parts.join(", ")
}

/// What a run looked at: `3 files (2.0 KiB)`.
pub(super) fn scanned(report: &ScanReport) -> String {
    let coverage = &report.coverage;
    let mut parts = vec![];
    if coverage.files > 0 {
        let files = counted(coverage.files, "file", "files");
        parts.push(format!("{files} ({})", bytes(coverage.file_bytes)));
    }
    if coverage.objects > 0 {
        let objects = counted(coverage.objects, "git object", "git objects");
        parts.push(format!("{objects} ({})", bytes(coverage.object_bytes)));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}

/// A run in one sentence.
pub(super) fn verdict(report: &ScanReport) -> String {
    let complete = if report.coverage.is_complete() { "" } else { "; NOT everything was scanned" };
    format!("{}: scanned {}{complete}", found(report), scanned(report))
}

/// Outcome of a live check in a word or two, if there was one.
pub(super) fn live(finding: &Finding) -> Option<String> {
    match finding.validation {
        Validation::Unchecked => None,
        Validation::Active { environment } => Some(format!("active in {}", name(environment))),
        Validation::Refused => Some("refused".to_owned()),
        Validation::Unknown { .. } => Some("live check unclear".to_owned()),
    }
}

/// A number with its noun: `1,024 files`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// How long something lasted.
pub(super) fn days(days: u32) -> String {
    match days {
        0 => "less than a day".to_owned(),
        days => counted(days.into(), "day", "days"),
    }
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// An amount of bytes in the unit that suits it.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, size)| number >= *size) {
        Some((unit, size)) => {
            let tenths = number / (size / 10).max(1);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{number} bytes"),
    }
}

/// A value's name as JSON spells it, with spaces.
pub(super) fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(|name| name.replace('_', " ")))
        .unwrap_or_default()
}

/// Kind of place, in words.
pub(super) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Worktree => "file",
        Origin::Stdin => "standard input",
        Origin::Archive => "archive",
        Origin::Index => "git index",
        Origin::History => "git history",
        Origin::CommitMessage => "commit message",
        Origin::TagMessage => "tag message",
        Origin::Note => "git note",
        Origin::RefName => "ref name",
        Origin::Reflog => "reflog",
        Origin::FileName => "file name",
    }
}

/// Why something was not scanned, in words.
pub(super) fn gap_name(kind: GapKind) -> &'static str {
    match kind {
        GapKind::Unreadable => "unreadable",
        GapKind::NotAFile => "no regular file",
        GapKind::Symlink => "symbolic link",
        GapKind::TooLarge => "larger than the limit",
        GapKind::ArchiveLimit => "archive or encoding beyond a limit",
        GapKind::ArchiveUnreadable => "unreadable archive",
        GapKind::CorruptObject => "damaged git object",
        GapKind::MissingObject => "missing git object",
        GapKind::Shallow => "history cut off by a shallow clone",
        GapKind::Promised => "object that a partial clone left out",
        GapKind::LfsPointer => "Git LFS file that is not here",
        GapKind::Submodule => "submodule that is not checked out",
        GapKind::Repository => "repository",
        GapKind::Limit => "limit reached",
        GapKind::Failure => "failure of the scanner",
    }
}

/// Adds a paragraph behind `head`, its further lines below its first word.
pub(super) fn wrap(text: &mut String, head: &str, paragraph: &str) {
    let indent = head.chars().count();
    let mut column = indent;
    text.push_str(head);
    let shown = terminal(paragraph);
    for (at, word) in shown.split(' ').enumerate() {
        let width = word.chars().count();
        if at > 0 && column + 1 + width > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if at > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
}
