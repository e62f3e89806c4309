//! What the CI system says about this run: which event, and which commits it brings. GitHub Actions and GitLab CI say it in
//! environment variables and, GitHub, in a JSON file.

use std::env;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use signleak::source::git::Change;
use signleak::source::git::PushedRef;

use super::super::input;

/// Event files larger than this are refused.
const MAX_EVENT: u64 = 64 << 20;

/// The CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    GitHub,
    GitLab,
    Other,
}

impl System {
    /// The one that runs us.
    pub(super) fn current() -> Self {
        if variable("GITHUB_ACTIONS").as_deref() == Some("true") {
            Self::GitHub
        } else if variable("GITLAB_CI").as_deref() == Some("true") {
            Self::GitLab
        } else {
            Self::Other
        }
    }

    /// How to get the whole history here.
    pub(super) fn deepen(self) -> &'static str {
        match self {
            Self::GitHub => "give actions/checkout `fetch-depth: 0`",
            Self::GitLab => "set the variable GIT_DEPTH to \"0\"",
            Self::Other => "run `git fetch --unshallow`",
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Commits came, and with them perhaps a new name.
    Change { name: String, change: Change, pushed: Option<PushedRef> },
    /// A branch or tag was deleted, which brings nothing.
    Deletion,
    /// No commit came: a schedule, a button.
    Other { name: String },
}

impl Event {
    /// Reads the event of `system`.
    pub(super) fn read(system: System) -> anyhow::Result<Self> {
        match system {
            System::GitHub => github(),
            System::GitLab => Ok(gitlab()),
            System::Other => Ok(Self::Other { name: "no CI event".to_owned() }),
        }
    }

    fn push(before: String, after: String, reference: &str, default: Option<&str>) -> Self {
        if !is_id(&after) {
            return Self::Deletion;
        }
        let mut known: Vec<String> = Some(before).filter(|id| is_id(id)).into_iter().collect();
        // A new branch, or one whose old end is gone, begins where it left the default branch. That one's own first push is
        // its whole history.
        let is_default = default.is_some_and(|name| reference == format!("refs/heads/{name}"));
        known.extend(
            default.filter(|_| !is_default).map(|name| format!("refs/remotes/origin/{name}")),
        );
        let pushed = PushedRef { name: reference.as_bytes().to_vec(), id: after.clone() };
        let change = Change { tip: after, known };
        Self::Change { name: "push".to_owned(), change, pushed: Some(pushed) }
    }

    fn merge(name: &str, head: String, base: String, base_ref: Option<&str>) -> Self {
        let mut known = vec![base];
        known.extend(
            base_ref.map(|name| {
                format!("refs/remotes/origin/{}", name.trim_start_matches("refs/heads/"))
            }),
        );
        let change = Change { tip: head, known };
        Self::Change { name: name.to_owned(), change, pushed: None }
    }
}

/// The parts of GitHub's event that name commits.
#[derive(Deserialize)]
struct Payload {
    before: Option<String>,
    after: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    repository: Option<Repository>,
    pull_request: Option<PullRequest>,
    merge_group: Option<MergeGroup>,
}

#[derive(Deserialize)]
struct Repository {
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct PullRequest {
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    #[serde(rename = "ref")]
    name: Option<String>,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_sha: String,
    base_sha: String,
    base_ref: Option<String>,
}

fn github() -> anyhow::Result<Event> {
    let name = variable("GITHUB_EVENT_NAME")
        .context("GITHUB_EVENT_NAME is not set; name what to scan with --mode all")?;
    if !matches!(name.as_str(), "push" | "pull_request" | "pull_request_target" | "merge_group") {
        return Ok(Event::Other { name });
    }
    let path = variable("GITHUB_EVENT_PATH").context("GITHUB_EVENT_PATH is not set")?;
    let text = input::read_capped(Path::new(&path), MAX_EVENT)
        .with_context(|| format!("cannot read the event in {path}"))?;
    let payload: Payload = serde_json::from_slice(&text)
        .with_context(|| format!("the event in {path} is not as GitHub writes it"))?;
    let lacks = || format!("the event in {path} does not say which commits the {name} brings");
    match (name.as_str(), payload) {
        (
            "push",
            Payload { before: Some(before), after: Some(after), reference, repository, .. },
        ) => {
            let reference = reference.or_else(|| variable("GITHUB_REF")).with_context(lacks)?;
            let default = repository.and_then(|repository| repository.default_branch);
            Ok(Event::push(before, after, &reference, default.as_deref()))
        }
        ("merge_group", Payload { merge_group: Some(group), .. }) => {
            Ok(Event::merge(&name, group.head_sha, group.base_sha, group.base_ref.as_deref()))
        }
        (_, Payload { pull_request: Some(pull), .. }) => {
            Ok(Event::merge(&name, pull.head.sha, pull.base.sha, pull.base.name.as_deref()))
        }
        _ => Err(anyhow::anyhow!(lacks())),
    }
}

fn gitlab() -> Event {
    let name = variable("CI_PIPELINE_SOURCE").unwrap_or_default();
    let id = |name: &str| variable(name).unwrap_or_default();
    match name.as_str() {
        "push" => {
            let kind = if variable("CI_COMMIT_TAG").is_some() { "tags" } else { "heads" };
            let reference = format!("refs/{kind}/{}", id("CI_COMMIT_REF_NAME"));
            let default = variable("CI_DEFAULT_BRANCH");
            Event::push(
                id("CI_COMMIT_BEFORE_SHA"),
                id("CI_COMMIT_SHA"),
                &reference,
                default.as_deref(),
            )
        }
        "merge_request_event" => {
            let head = variable("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
            let base_ref = variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
            Event::merge(
                "merge request",
                head.unwrap_or_else(|| id("CI_COMMIT_SHA")),
                id("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
                base_ref.as_deref(),
            )
        }
        _ => Event::Other { name },
    }
}

/// Whether it is an id and not the zeros that stand for nothing.
fn is_id(id: &str) -> bool {
    id.bytes().any(|byte| byte != b'0')
}

/// An environment variable that is set and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var_os(name)?.into_string().ok().filter(|value| !value.is_empty())
}
