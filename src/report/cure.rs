//! What to do about a finding, in order: the rule's own steps, then what rewriting history would do and would not.

use super::RuleInfo;
use super::escape::terminal;
use super::exposure::RefKind;
use super::exposure::Timeline;
use super::exposure::ref_kind;
use super::words;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::provenance::Origin;
use crate::provenance::Reachability;

/// The last step, for whoever wants it: a secret that was revoked is harmless in history.
pub(super) const REWRITE: &str = "optional, and only once it is revoked: take the value out of history with \
    `git filter-repo --replace-text FILE` in a fresh clone; `signleak cure --from REPORT --replace-text FILE` writes that \
    file, which only you can read";

/// The steps against one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cure<'r> {
    /// What the rule says, in order.
    pub(super) steps: &'r [String],
    /// Where history holds the value: what rewriting it, the last step, will not reach.
    pub(super) rewrite: Option<Vec<String>>,
}

impl<'r> Cure<'r> {
    /// The cure of a finding of this rule.
    pub(super) fn of(finding: &Finding, rule: Option<&'r RuleInfo>) -> Self {
        let in_history = finding.occurrences.iter().any(|place| place.reachability.is_some());
        Self {
            steps: rule.map_or(&[], |rule| &rule.remedy),
            rewrite: (finding.is_leak() && in_history)
                .then(|| limits(&finding.occurrences.iter().collect::<Vec<_>>())),
        }
    }
}

/// What the live check, the revocation and the history say, as pairs of a label and a text.
pub(super) fn facts(finding: &Finding, timeline: &Timeline<'_>) -> Vec<(String, String)> {
    let standing = words::standing(finding).into_iter().map(|line| {
        line.split_once(": ").map_or_else(
            || (line.clone(), String::new()),
            |(label, text)| (label.to_owned(), text.to_owned()),
        )
    });
    let history = timeline.facts().into_iter();
    let history = history.map(|(label, text)| (label.to_owned(), terminal(&text).into_owned()));
    standing.chain(history).collect()
}

/// What a rewritten history leaves behind of these places.
pub(super) fn limits(places: &[&Occurrence]) -> Vec<String> {
    let mut limits = vec!["forks, clones and caches that others hold".to_owned()];
    let requests = places
        .iter()
        .filter_map(|place| place.exposed.as_ref())
        .flat_map(|exposed| &exposed.refs)
        .filter(|name| ref_kind(name).0 == RefKind::PullRequest);
    let requests: std::collections::BTreeSet<&String> = requests.collect();
    let seen = match (requests.first(), requests.len()) {
        (None, _) => String::new(),
        (Some(name), 1) => format!(" (here `{name}`)"),
        (Some(name), count) => format!(" (here {count}, such as `{name}`)"),
    };
    limits.push(format!(
        "pull-request refs{seen} and cached views of the hosting service: only its support can remove them"
    ));
    limits.push("copies that are encoded, compressed or in binary files".to_owned());
    let by_origin = [
        (Origin::Archive, "the copy inside of an archive: replace the archive"),
        (
            Origin::CommitMessage,
            "the copy in a commit message: add `--replace-message FILE`; an author's name: `--mailmap`",
        ),
        (Origin::TagMessage, "the copy in a tag's message: add `--replace-message FILE`"),
        (Origin::Note, "the copy in a git note: edit it with `git notes`"),
        (Origin::RefName, "the copy in a ref's name: delete that branch or tag"),
        (Origin::FileName, "the copy in a file's name: add `--path-rename OLD:NEW`"),
    ];
    let held = |origin| places.iter().any(|place| place.origin == origin);
    limits.extend(
        by_origin.iter().filter(|(origin, _)| held(*origin)).map(|(_, text)| (*text).to_owned()),
    );
    let is_local = |place: &&Occurrence| {
        place.reachability.is_some_and(|reachability| reachability > Reachability::Reachable)
    };
    if places.iter().any(is_local) {
        limits.push(
            "stashes, reflogs and dangling objects of this clone: `git stash drop`, then \
             `git reflog expire --expire=now --all` and `git gc --prune=now`"
                .to_owned(),
        );
    }
    limits
}
