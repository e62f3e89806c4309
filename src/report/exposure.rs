//! Since when and to whom a finding has been exposed, over all its places, in words that every format shows alike.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::words;
use crate::finding::Exposure;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::provenance::CommitInfo;
use crate::provenance::Reachability;

const DAY: i64 = 86_400;
/// Names that a line lists; further ones are counted.
const LISTED: usize = 4;

/// The exposure of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timeline<'f> {
    /// The first commit that held it.
    pub(super) first: Option<&'f CommitInfo>,
    /// The newest commit that still holds it.
    pub(super) last: Option<&'f CommitInfo>,
    /// First and last second, as Unix times; `None` where no commit tells.
    pub(super) span: Option<(i64, i64)>,
    /// Whole days of the span.
    pub(super) days: Option<u32>,
    /// Whether the commit that `HEAD` names holds it.
    pub(super) in_head: bool,
    /// Whether a file, the index or another place outside of history holds it.
    pub(super) in_files: bool,
    /// Refs that hold it, full names.
    pub(super) refs: BTreeSet<&'f str>,
    /// Their number, also of those that are not listed.
    pub(super) ref_count: usize,
    /// Authors of the commits that brought it in.
    pub(super) authors: BTreeSet<&'f str>,
    /// Places, all copies counted.
    pub(super) copies: usize,
    /// Whether it was sent to browsers or phones.
    pub(super) is_client: bool,
    /// The best way in which git still reaches it.
    pub(super) reachability: Option<Reachability>,
}

impl<'f> Timeline<'f> {
    /// Sums up the places of a finding.
    pub(super) fn of(finding: &'f Finding) -> Self {
        let places = &finding.occurrences;
        let exposed = || places.iter().filter_map(|place| place.exposed.as_ref());
        let commits = || places.iter().filter_map(|place| place.commit.as_ref());
        let last_commits = || exposed().filter_map(|exposed| exposed.last_commit.as_ref());
        let in_head = exposed().any(|exposed| exposed.in_head);
        let refs: BTreeSet<&str> =
            exposed().flat_map(|exposed| exposed.refs.iter().map(String::as_str)).collect();
        let most = exposed().map(|exposed| exposed.ref_count).max().unwrap_or(0);
        let first = commits().min_by_key(|commit| (unix_time(&commit.date), commit.id));
        let last = last_commits().max_by_key(|commit| (unix_time(&commit.date), commit.id));
        let span = span(finding);
        Self {
            first,
            last,
            span,
            days: span.and_then(|(start, end)| u32::try_from((end - start) / DAY).ok()),
            in_head,
            in_files: places.iter().any(|place| place.reachability.is_none()),
            ref_count: most.max(refs.len()),
            refs,
            authors: commits()
                .chain(exposed().flat_map(|exposed| &exposed.introduced))
                .map(|commit| commit.author.as_str())
                .collect(),
            copies: places.len(),
            is_client: finding.exposure == Exposure::ClientBundle
                || places.iter().any(|place| place.original.is_some()),
            reachability: places.iter().filter_map(|place| place.reachability).min(),
        }
    }

    /// Whether somebody who checks the project out today gets it.
    pub(super) fn is_present(&self) -> bool {
        self.in_head || self.in_files
    }

    /// What to show, as pairs of a label and a text.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![];
        let by = |commit: &CommitInfo| {
            format!("{}, commit {} by {}", day(&commit.date), short_id(commit), commit.author)
        };
        if let Some(first) = self.first {
            facts.push(("first seen", by(first)));
        }
        if let Some(last) = self.last.filter(|_| !self.in_head) {
            facts.push(("last seen", by(last)));
        }
        if let Some(days) = self.days {
            facts.push(("exposed for", words::days(days)));
        }
        facts.push(("now", self.state().to_owned()));
        for (label, names) in self.ref_kinds() {
            facts.push((label, listed(&names)));
        }
        if self.ref_count > self.refs.len() {
            facts.push(("all refs", self.ref_count.to_string()));
        }
        if !self.authors.is_empty() {
            let authors: Vec<&str> = self.authors.iter().copied().collect();
            facts.push(("authors", listed(&authors)));
        }
        let copies = words::counted(self.copies as u64, "place", "places");
        facts.push(("copies", copies));
        let client = match self.is_client {
            true => "sent to browsers or phones: everybody could read it",
            false => "no copy seen in what browsers or phones get",
        };
        facts.push(("client", client.to_owned()));
        facts
    }

    /// Where it can still be read, in one phrase.
    pub(super) fn state(&self) -> &'static str {
        match (self.in_head, self.in_files, self.reachability) {
            (true, _, _) => "still in HEAD",
            (_, true, Some(_)) => "in files and in history",
            (_, true, None) => "in files",
            (_, _, Some(Reachability::Reachable)) => "gone from HEAD, in history",
            (_, _, Some(Reachability::Stash)) => "in a stash",
            (_, _, Some(Reachability::Reflog)) => "in the reflog",
            (_, _, Some(Reachability::Dangling)) => "in a dangling object",
            (_, _, None) => "unknown",
        }
    }

    /// The refs by kind, short names.
    fn ref_kinds(&self) -> Vec<(&'static str, Vec<&'f str>)> {
        let mut kinds: Vec<(&str, Vec<&str>)> =
            ["branches", "tags", "pull requests", "other refs"].map(|kind| (kind, vec![])).into();
        for name in &self.refs {
            let (kind, short) = ref_kind(name);
            kinds[kind as usize].1.push(short);
        }
        kinds.retain(|(_, names)| !names.is_empty());
        kinds
    }
}

/// The first commit that held a finding, and for how many days it has been exposed.
#[must_use]
pub fn since(finding: &Finding) -> (Option<&CommitInfo>, Option<u32>) {
    let timeline = Timeline::of(finding);
    (timeline.first, timeline.days)
}

/// What a ref stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefKind {
    Branch,
    Tag,
    /// A pull or merge request: kept by the server, out of the owner's reach.
    PullRequest,
    Other,
}

/// Kind and short name of a ref.
pub(super) fn ref_kind(name: &str) -> (RefKind, &str) {
    let kinds = [
        ("refs/heads/", RefKind::Branch),
        ("refs/remotes/", RefKind::Branch),
        ("refs/tags/", RefKind::Tag),
        ("refs/pull/", RefKind::PullRequest),
        ("refs/merge-requests/", RefKind::PullRequest),
    ];
    kinds
        .iter()
        .find_map(|(prefix, kind)| Some((*kind, name.strip_prefix(prefix)?)))
        .unwrap_or((RefKind::Other, name))
}

/// From the first commit that brought a place in to the end of the last place's exposure.
fn span(finding: &Finding) -> Option<(i64, i64)> {
    let start = |place: &Occurrence| unix_time(&place.commit.as_ref()?.date);
    // Days count from the first commit with this object, whatever its name was then.
    let mut firsts = BTreeMap::new();
    for place in &finding.occurrences {
        if let Some(start) = start(place) {
            let first = firsts.entry((place.target, place.blob_id)).or_insert(start);
            *first = start.min(*first);
        }
    }
    let spans = finding.occurrences.iter().filter_map(|place| {
        let start = start(place)?;
        let exposed = place.exposed.as_ref();
        let first = firsts[&(place.target, place.blob_id)];
        let counted =
            exposed.and_then(|exposed| exposed.days).map(|days| first + i64::from(days) * DAY);
        let last = exposed.and_then(|exposed| unix_time(&exposed.last_commit.as_ref()?.date));
        Some((start, counted.max(last).map_or(start, |end| end.max(start))))
    });
    spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The first twelve digits of a commit's id.
pub(super) fn short_id(commit: &CommitInfo) -> String {
    commit.id.to_string().chars().take(12).collect()
}

/// The date of an RFC 3339 time, in its own offset.
pub(super) fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// Joins the first names and counts the others.
fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Seconds since 1970 of an RFC 3339 time.
fn unix_time(time: &str) -> Option<i64> {
    OffsetDateTime::parse(time, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}
