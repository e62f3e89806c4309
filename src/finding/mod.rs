//! What is reported: one finding per secret and rule, redacted, with all its occurrences and the evidence for it.

mod receipt;
mod validation;

use std::cmp::Ordering;
use std::cmp::Reverse;

use serde::Deserialize;
use serde::Serialize;

use crate::blob::BlobPath;
use crate::location::Region;
use crate::provenance::CommitInfo;
use crate::provenance::Exposed;
use crate::provenance::Origin;
use crate::provenance::Provenance;
use crate::provenance::Reachability;
use crate::secret::Fingerprint;
use crate::secret::Secret;

pub use receipt::Receipt;
pub use receipt::RevocationStatus;
pub use validation::LiveCheck;
pub use validation::UnknownReason;
pub use validation::Validation;
pub use validation::Validations;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A secret leaked.
    Leak,
    /// Something that leads to leaks, without a secret.
    Policy,
}

/// How bad it is if the finding is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// How sure we are that the finding is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// Which of the provider's environments the secret opens, as far as its surroundings tell.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Real data.
    Production,
    /// Test data.
    Sandbox,
    /// Nothing says which.
    #[default]
    Unknown,
}

/// What kind of place the secret leaked into. Ordered from the least to the most exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// Only the git history holds it.
    History,
    /// Program text.
    Source,
    /// A configuration or data file.
    Config,
    /// A log file.
    Log,
    /// A URL: it ends in logs, histories and referrers.
    Url,
    /// Code that is sent to browsers or phones.
    ClientBundle,
}

/// One reason for or against a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// Points towards a finding; negative ones speak against.
    pub weight: i32,
    /// The reason in words a stranger understands. Never holds the secret.
    pub text: String,
}

/// What a detector believes to be a secret, before suppression. The only type that owns a [`Secret`].
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Id of the rule.
    pub rule_id: String,
    /// Whether a secret leaked.
    pub kind: Kind,
    /// The value; for a breach of policy the name or text that breaks it.
    pub secret: Secret,
    /// Severity of the rule in this environment.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Which environment.
    pub environment: Environment,
    /// Kind of place.
    pub exposure: Exposure,
    /// Reasons, the weightiest first.
    pub evidence: Vec<Evidence>,
    /// Where the value stands in the blob.
    pub region: Region,
    /// The line of the value for the terminal, every secret of the blob masked, shortened around the value.
    pub snippet: String,
    /// Path inside of an archive, if the blob was one.
    pub member: Option<BlobPath>,
    /// Place before the build, if a source map tells.
    pub original: Option<Original>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Suppression {
    /// `inline`, `ignore_file` or `baseline`.
    pub kind: String,
    /// File and line that suppress it.
    pub place: String,
    /// Reason given there.
    pub reason: Option<String>,
    /// The last day on which it holds, `YYYY-MM-DD`.
    #[serde(default)]
    pub until: Option<String>,
}

/// The secret as reports may show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SecretSummary {
    /// Fingerprint of the value.
    pub sha256: Fingerprint,
    /// First and last two characters; the whole text of a breach of policy.
    pub redacted: String,
    /// Bytes of the value.
    pub length: usize,
}

impl SecretSummary {
    /// Summarises a candidate's value.
    #[must_use]
    pub fn of(candidate: &Candidate) -> Self {
        let secret = &candidate.secret;
        let redacted = match candidate.kind {
            Kind::Leak => secret.redacted(),
            Kind::Policy => String::from_utf8_lossy(secret.expose()).into_owned(),
        };
        Self { sha256: secret.fingerprint(), redacted, length: secret.len() }
    }
}

/// File and line before a build, as a source map tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Original {
    /// Path of the original file.
    pub path: String,
    /// 1-based line in it.
    pub line: u32,
    /// 1-based column in that line.
    #[serde(default)]
    pub column: u32,
}

/// One place where the secret stands. Serialises to the object that `docs/report.schema.json` describes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Occurrence {
    /// Path, or the ref's name.
    pub path: BlobPath,
    /// Line and columns in that file.
    #[serde(flatten)]
    pub region: Region,
    /// Kind of place.
    pub origin: Origin,
    /// Introducing commit.
    pub commit: Option<CommitInfo>,
    /// How git still reaches it.
    pub reachability: Option<Reachability>,
    /// Git object.
    pub blob_id: Option<crate::blob::BlobId>,
    /// Place before the build.
    pub original: Option<Original>,
    /// How long and where it can be seen.
    pub exposed: Option<Box<Exposed>>,
    /// Number of the target, counted from 0 in the order of the command line.
    pub target: usize,
    /// Masked line of text, for people.
    pub snippet: String,
}

impl Occurrence {
    /// Whether both are the same place; the second pass of a scan sees known places again with another snippet.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        (&self.path, self.region, self.origin, self.target, &self.commit, self.blob_id)
            == (&other.path, other.region, other.origin, other.target, &other.commit, other.blob_id)
    }

    /// Joins where a blob was seen with where the value stands in it.
    #[must_use]
    pub fn new(candidate: &Candidate, provenance: Provenance, target: usize) -> Self {
        let (path, origin) = match &candidate.member {
            Some(member) => (provenance.path.member(member.as_bytes()), Origin::Archive),
            None => (provenance.path, provenance.origin),
        };
        Self {
            path,
            region: candidate.region,
            origin,
            commit: provenance.commit,
            reachability: provenance.reachability,
            blob_id: provenance.blob_id,
            original: candidate.original.clone(),
            exposed: provenance.exposed,
            target,
            snippet: candidate.snippet.clone(),
        }
    }
}

/// One leaked secret, or one breach of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule_id: String,
    /// How bad.
    pub severity: Severity,
    /// How sure: the surest of its occurrences.
    pub confidence: Confidence,
    /// Which environment.
    pub environment: Environment,
    /// The most exposed of its places.
    pub exposure: Exposure,
    /// Whether it is a leak.
    pub kind: Kind,
    /// The secret, redacted.
    pub secret: SecretSummary,
    /// Reasons at its surest occurrence.
    pub evidence: Vec<Evidence>,
    /// State after a live check.
    pub validation: Validation,
    /// What the revocation hook has answered, if it was called.
    pub revocation: Option<Receipt>,
    /// Why it does not count, if so.
    pub suppression: Option<Suppression>,
    /// All places, sorted, without duplicates.
    pub occurrences: Vec<Occurrence>,
}

/// Whether a text can be the id of a rule: letters, digits, `-`, `_` and `.`, which mean nothing to terminals and formats.
#[must_use]
pub fn is_rule_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

impl Finding {
    /// Whether it is a leaked secret and not a breach of a policy.
    #[must_use]
    pub fn is_leak(&self) -> bool {
        self.kind == Kind::Leak
    }

    /// The order of findings in every report: the worst first, then by place. Total for findings of one report.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let key = |finding: &Self| {
            let first = finding
                .occurrences
                .first()
                .map(|occurrence| (occurrence.target, occurrence.path.clone(), occurrence.region));
            (Reverse((finding.severity, finding.confidence)), first, finding.rule_id.clone())
        };
        key(self).cmp(&key(other)).then_with(|| self.secret.cmp(&other.secret))
    }
}

/// An entry of an ignore file or baseline that suppresses nothing, and should not seem to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StaleSuppression {
    /// File and line.
    pub place: String,
    /// Why it does nothing, and what to do about it.
    pub detail: String,
}

/// A whole run as reports see it. Equal input makes an equal value, whatever the number of threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanReport {
    /// Targets as they were typed, escaped for display.
    pub targets: Vec<String>,
    /// Findings in their final order.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub coverage: crate::coverage::Coverage,
    /// Cost of the live check, if there was one.
    pub live_check: Option<LiveCheck>,
    /// Suppressions that do nothing.
    pub stale_suppressions: Vec<StaleSuppression>,
}

impl ScanReport {
    /// The leaks that count: neither suppressed nor breaches of policy.
    pub fn leaks(&self) -> impl Iterator<Item = &Finding> {
        self.unsuppressed().filter(|finding| finding.is_leak())
    }

    /// Leaks and breaches of policy that nothing suppresses.
    pub fn unsuppressed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.suppression.is_none())
    }

    /// Counts the findings by what they mean for the run.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let leaks = self.leaks().count();
        let unsuppressed = self.unsuppressed().count();
        Tally {
            leaks,
            policy: unsuppressed - leaks,
            suppressed: self.findings.len() - unsuppressed,
        }
    }
}

/// Findings of a run, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Leaks that count.
    pub leaks: usize,
    /// Breaches of policy that count.
    pub policy: usize,
    /// Findings of both kinds that something suppresses.
    pub suppressed: usize,
}
