//! The findings as the page shows them: words made here, so that its script only puts them in place.

use serde::Serialize;

use super::super::Context;
use super::super::cure;
use super::super::cure::Cure;
use super::super::escape::terminal;
use super::super::exposure;
use super::super::exposure::Timeline;
use super::super::words;
use crate::finding::Environment;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::Severity;

/// All that the page's script needs.
#[derive(Serialize)]
pub(super) struct PageData<'r> {
    /// Rules that have findings.
    pub(super) rules: Vec<RuleView>,
    /// The optional last step.
    pub(super) rewrite: String,
    /// Findings in the order of the report.
    pub(super) findings: Vec<FindingView<'r>>,
}

/// A rule that has findings.
#[derive(Serialize)]
pub(super) struct RuleView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    /// Where to read more; empty if that is no web address.
    pub(super) uri: String,
    /// What to do, in order.
    pub(super) steps: Vec<String>,
    /// Findings that count.
    pub(super) count: usize,
}

/// One finding.
#[derive(Serialize)]
pub(super) struct FindingView<'r> {
    /// Names the finding in links.
    pub(super) id: String,
    /// Number of its rule in the page's list.
    pub(super) rule: usize,
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) severity: String,
    /// 0 low to 3 critical, to sort by.
    pub(super) rank: u8,
    pub(super) confidence: String,
    /// Empty when nothing tells.
    pub(super) environment: String,
    pub(super) exposure: String,
    pub(super) secret: String,
    pub(super) length: usize,
    pub(super) sha256: String,
    pub(super) evidence: Vec<String>,
    /// Outcome of a live check; empty without one.
    pub(super) live: String,
    /// Why it does not count; empty if it does.
    pub(super) suppressed: String,
    /// Day of the first commit; empty if there is none.
    pub(super) since: String,
    pub(super) until: String,
    pub(super) days: Option<u32>,
    /// Where it can still be read, in a word or two.
    pub(super) state: &'static str,
    pub(super) present: bool,
    pub(super) client: bool,
    pub(super) facts: Vec<(String, String)>,
    pub(super) places: Vec<PlaceView>,
    /// What rewriting history does not reach; empty where there is no history.
    pub(super) limits: Vec<String>,
    #[serde(skip)]
    pub(super) timeline: Timeline<'r>,
}

/// One place of a finding.
#[derive(Serialize)]
pub(super) struct PlaceView {
    /// `path:line:column`.
    pub(super) at: String,
    pub(super) line: u32,
    pub(super) origin: &'static str,
    /// Commit, day and author; empty outside of history.
    pub(super) commit: String,
    /// How git reaches it, and since when it is there.
    pub(super) reach: String,
    /// File and line before a build; empty without a source map.
    pub(super) original: String,
    pub(super) snippet: String,
}

impl<'r> PageData<'r> {
    /// Prepares findings for the page.
    pub(super) fn of(findings: &'r [Finding], context: &Context<'_>) -> Self {
        let mut rules: Vec<RuleView> = vec![];
        let findings = findings
            .iter()
            .map(|finding| {
                let rule = rules.iter().position(|rule| rule.id == finding.rule_id);
                let rule = rule.unwrap_or_else(|| {
                    rules.push(RuleView::of(&finding.rule_id, context));
                    rules.len() - 1
                });
                rules[rule].count += usize::from(finding.suppression.is_none());
                FindingView::of(finding, rule, &rules[rule].title, context)
            })
            .collect();
        Self { rules, rewrite: sentence(cure::REWRITE), findings }
    }

    /// The leaks that count.
    pub(super) fn leaks(&self) -> impl Iterator<Item = &FindingView<'r>> {
        self.findings
            .iter()
            .filter(|finding| finding.kind == "leak" && finding.suppressed.is_empty())
    }

    /// Whether anything counts.
    pub(super) fn has_open(&self) -> bool {
        self.rules.iter().any(|rule| rule.count > 0)
    }
}

impl RuleView {
    fn of(id: &str, context: &Context<'_>) -> Self {
        let info = context.rule(id);
        let uri = info.map_or("", |info| info.help_uri.as_str());
        Self {
            id: shown(id),
            title: shown(info.map_or(id, |info| &info.title)),
            description: shown(info.map_or("", |info| &info.description)),
            uri: if uri.starts_with("https://") { shown(uri) } else { String::new() },
            steps: info
                .map_or(vec![], |info| info.remedy.iter().map(|step| sentence(step)).collect()),
            count: 0,
        }
    }
}

impl<'r> FindingView<'r> {
    fn of(finding: &'r Finding, rule: usize, title: &str, context: &Context<'_>) -> Self {
        let timeline = Timeline::of(finding);
        let cure = Cure::of(finding, context.rule(&finding.rule_id));
        let limits = cure.rewrite.unwrap_or_default();
        let sha256 = finding.secret.sha256.to_string();
        let date = |commit: Option<&crate::provenance::CommitInfo>| {
            commit.map_or(String::new(), |commit| shown(exposure::day(&commit.date)))
        };
        Self {
            id: format!("f-{}-{rule}", &sha256[..16]),
            rule,
            title: title.to_owned(),
            kind: if finding.is_leak() { "leak" } else { "policy" },
            severity: words::name(finding.severity),
            rank: rank(finding.severity),
            confidence: words::name(finding.confidence),
            environment: match finding.environment {
                Environment::Unknown => String::new(),
                known => words::name(known),
            },
            exposure: words::name(finding.exposure),
            secret: shown(&finding.secret.redacted),
            length: finding.secret.length,
            sha256,
            evidence: words::reasons(finding).map(shown).collect(),
            live: words::live(finding).map_or(String::new(), |live| shown(&live)),
            suppressed: finding.suppression.as_ref().map_or(String::new(), |why| {
                shown(&match &why.reason {
                    Some(reason) => format!("{} ({reason})", why.place),
                    None => why.place.clone(),
                })
            }),
            since: date(timeline.first),
            until: date(timeline.last),
            days: timeline.days,
            state: timeline.state(),
            present: timeline.is_present(),
            client: timeline.is_client,
            facts: cure::facts(finding, &timeline),
            places: finding.occurrences.iter().map(PlaceView::of).collect(),
            limits: limits.iter().map(|limit| shown(limit)).collect(),
            timeline,
        }
    }

    /// The first place, or what stands for it.
    pub(super) fn first_place(&self) -> &str {
        self.places.first().map_or("", |place| place.at.as_str())
    }
}

impl PlaceView {
    fn of(occurrence: &Occurrence) -> Self {
        let region = occurrence.region;
        let commit = occurrence.commit.as_ref();
        let exposed = occurrence.exposed.as_deref();
        let reach = occurrence.reachability.map_or(String::new(), |reachability| {
            let head = exposed.filter(|exposed| exposed.in_head).map(|_| "in HEAD".to_owned());
            let facts = head.into_iter().chain(exposed.into_iter().flat_map(words::beginnings));
            let reach = words::name(reachability);
            shown(&std::iter::once(reach).chain(facts).collect::<Vec<_>>().join(", "))
        });
        Self {
            at: shown(&words::place(occurrence)),
            line: region.line,
            origin: words::origin(occurrence.origin),
            commit: commit.map_or(String::new(), |commit| {
                shown(&format!(
                    "{} {} {}",
                    exposure::short_id(commit),
                    exposure::day(&commit.date),
                    commit.author
                ))
            }),
            reach,
            original: occurrence
                .original
                .as_ref()
                .map_or(String::new(), |original| shown(&words::original(original))),
            snippet: shown(occurrence.snippet.trim_end()),
        }
    }
}

/// Text from a repository or a rule file, with nothing in it that reorders or hides what is read.
pub(super) fn shown(text: &str) -> String {
    terminal(text).into_owned()
}

/// A step that stands by itself: with a capital and a full stop.
pub(super) fn sentence(step: &str) -> String {
    let step = shown(step);
    let mut letters = step.chars();
    let first: String =
        letters.next().map_or(String::new(), |letter| letter.to_uppercase().collect());
    let stop = if step.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 0,
        Severity::Medium => 1,
        Severity::High => 2,
        Severity::Critical => 3,
    }
}
