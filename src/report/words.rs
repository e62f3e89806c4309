//! Words that the formats for people share.

use crate::coverage::GapKind;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::provenance::Origin;

/// Where it stands: `path:line:column`, or the kind of place where there is no path.
pub(super) fn place(occurrence: &Occurrence) -> String {
    let region = occurrence.region;
    let path = occurrence.path.to_string();
    let path = if path.is_empty() { origin(occurrence.origin) } else { path.as_str() };
    format!("{path}:{}:{}", region.line, region.column)
}

/// The reasons that speak for a finding.
pub(super) fn reasons(finding: &Finding) -> impl Iterator<Item = &str> {
    let reasons = finding.evidence.iter().filter(|evidence| evidence.weight >= 0);
    reasons.map(|evidence| evidence.text.as_str())
}

/// A number with its noun: `1,024 files`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {}", if number == 1 { one } else { many })
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
    }
}
