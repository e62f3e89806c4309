//! Rules as data: providers, what their secrets look like and which words speak for and against. Reads the TOML
//! files of `rules/` and of the user; knows nothing of how a text is searched.

mod lazy;
mod parse;
mod vocabulary;
mod weights;

use serde::Deserialize;

use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Severity;

pub use lazy::Pattern;
pub use parse::RuleError;
pub use vocabulary::Vocabulary;
pub use weights::Places;
pub use weights::Thresholds;
pub use weights::Weights;

/// The built-in files, read in this order.
const BUILT_IN: [(&str, &str); 2] = [
    ("rules/vocabulary.toml", include_str!("../../rules/vocabulary.toml")),
    ("rules/yousign.toml", include_str!("../../rules/yousign.toml")),
];

/// All rules of a run.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Providers in the order in which their files were read.
    pub providers: Vec<Provider>,
    /// Words shared by all providers.
    pub vocabulary: Vocabulary,
    /// How much each reason counts.
    pub weights: Weights,
    /// Which sums make a finding.
    pub thresholds: Thresholds,
    /// What paths tell about the kind of place.
    pub places: Places,
}

impl RuleSet {
    /// The rules that are compiled in.
    ///
    /// # Errors
    /// Never, as a test proves; the type is that of [`RuleSet::add`].
    pub fn built_in() -> Result<Self, RuleError> {
        let mut set = Self::default();
        for (name, text) in BUILT_IN {
            parse::add(&mut set, text, name)?;
        }
        Ok(set)
    }

    /// Adds a rule file's text: its provider is new or replaces the rules that have the same id, its words are
    /// added, and the rules it disables are removed. `name` stands in error messages.
    ///
    /// # Errors
    /// When the text is no valid rule file; the error names the line and column.
    pub fn add(&mut self, text: &str, name: &str) -> Result<(), RuleError> {
        parse::add(self, text, name)?;
        parse::check_patterns(self, name)
    }

    /// All rules in a fixed order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.providers.iter().flat_map(|provider| &provider.rules)
    }
}

/// One provider whose secrets are searched.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Short id such as `yousign`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Where its documentation is.
    pub information_uri: String,
    /// Lowercase words of which one must stand in a text or its path.
    pub keywords: Vec<String>,
    /// Those keywords that name the provider by themselves.
    pub names: Vec<String>,
    /// Spellings with capitals in the middle, for encodings in which letter case cannot be ignored.
    pub spellings: Vec<String>,
    /// English words before a camel-case keyword that make it no mention.
    pub joined_before: Vec<String>,
    /// English words behind a camel-case keyword that make it no mention.
    pub joined_after: Vec<String>,
    /// Words of a name that name it, too, in a file that speaks of it.
    pub abbreviations: Vec<String>,
    /// Words that begin with a keyword and are about something else.
    pub unlike: Vec<String>,
    /// Names of the parameters of links to its pages, which look like keys and are none.
    pub page_parameters: Vec<String>,
    /// What its API offers, as the first part of a path.
    pub resources: Vec<String>,
    /// Its hosts, the most specific first.
    pub hosts: Vec<Host>,
    /// Where keys can be checked; nothing is sent anywhere else.
    pub live: Vec<LiveHost>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A host of the provider.
#[derive(Clone, Debug)]
pub struct Host {
    /// Matches the whole host name, in any letter case.
    pub pattern: Pattern,
    /// Environment that it serves.
    pub environment: Environment,
    /// Whether keys are sent to it.
    pub api: bool,
}

/// A host that may be asked whether a key of one kind works.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveHost {
    /// The rule whose secrets are sent there.
    pub rule: String,
    /// The alphabet of those secrets, which tells the generations of keys apart.
    pub alphabet: Alphabet,
    /// Start of every URL, `https`.
    pub base: String,
    /// Environment of the keys that it accepts.
    pub environment: Environment,
    /// Path and query of the calls: the first is made, the next after a 403. `{nonce}` stands for a random word.
    pub probes: Vec<String>,
    /// What proves that the answer is the API's.
    pub proof: Proof,
}

/// How an answer is known to be the API's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// 200 holds `{"meta": {"next_cursor"}, "data": []}`, an error `{"type", "detail"}`.
    Envelope,
    /// The status alone; the body is dropped unread.
    Status,
}

/// What is reported, and what it looks like.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Id such as `yousign-api-key`. Several rules may share one.
    pub id: String,
    /// How the value is found.
    pub kind: RuleKind,
    /// One line for people.
    pub title: String,
    /// What the value allows.
    pub description: String,
    /// Severity where the environment is not production.
    pub severity: Severity,
    /// Severity in production.
    pub severity_production: Severity,
    /// What to do, in order.
    pub remedy: Vec<String>,
    /// Texts in which the rule must find something; `{{base62:32}}` and the like stand for random values.
    pub examples: Vec<String>,
    /// Texts in which no rule may find anything.
    pub negative_examples: Vec<String>,
}

impl Rule {
    /// Severity of a value in this environment.
    #[must_use]
    pub fn severity_in(&self, environment: Environment) -> Severity {
        if environment == Environment::Production {
            self.severity_production
        } else {
            self.severity
        }
    }

    /// Whether breaches hold no secret and do not count as leaks.
    #[must_use]
    pub fn is_policy(&self) -> bool {
        match &self.kind {
            RuleKind::Token(_) => false,
            RuleKind::Pattern(pattern) => pattern.policy,
            RuleKind::Tracked(_) => true,
        }
    }
}

/// How a rule finds its values.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// A token of a given shape, judged by its context.
    Token(TokenRule),
    /// A regular expression.
    Pattern(PatternRule),
    /// A file that git tracks and that holds a leak.
    Tracked(TrackedRule),
}

/// Files that should not be tracked by git as soon as they hold a secret: always a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedRule {
    /// Lowercase names of such files, which may have more in front or, behind a dot, at their end: `.env`.
    pub files: Vec<String>,
    /// Lowercase parts of the names of files that are meant to be tracked.
    pub except: Vec<String>,
}

impl TrackedRule {
    /// Whether the rule is about files of this name.
    #[must_use]
    pub fn is_about(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let is_one = |file: &String| {
            let has_more =
                name.strip_prefix(file.as_str()).is_some_and(|rest| rest.starts_with('.'));
            has_more || name.ends_with(file.as_str())
        };
        self.files.iter().any(is_one)
            && !self.except.iter().any(|part| name.contains(part.as_str()))
    }
}

/// A value without a prefix: its shape, and the words that make it this rule's and not the default's.
#[derive(Clone, Debug)]
pub struct TokenRule {
    /// Accepted shapes.
    pub shapes: Vec<Shape>,
    /// What makes the value this rule's; empty for the provider's default rule.
    pub cues: Cues,
}

/// Words that assign a token to a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cues {
    /// In the name the value is assigned to.
    pub label: Vec<String>,
    /// In the name of the function it is passed to.
    pub call: Vec<String>,
    /// In an enclosing name or the path, if the label ends in one of `heads`.
    pub context: Vec<String>,
    /// See `context`.
    pub heads: Vec<String>,
    /// In the name that holds the nearest mention of the provider, if the label ends in one of `heads`.
    pub mention: Vec<String>,
    /// Among the names in the value's own bracket, if the label ends in one of `heads`.
    pub sibling: Vec<String>,
}

/// A value that a regular expression finds.
#[derive(Clone, Debug)]
pub struct PatternRule {
    /// The group `secret` is the value; the whole match if there is none.
    pub pattern: Pattern,
    /// Lowercase text that the path must hold.
    pub path: Option<String>,
    /// Words of which one must stand in the name, an enclosing block or the path, beside the provider's name.
    pub context: Vec<String>,
    /// Finds one of those words.
    pub speaks: Pattern,
    /// Confidence of a match.
    pub confidence: Confidence,
    /// Whether the value must look random.
    pub random: bool,
    /// Whether it is a breach of policy that holds no secret.
    pub policy: bool,
}

/// Length and alphabet of a token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Its characters.
    pub alphabet: Alphabet,
    /// Exact number of characters.
    pub length: usize,
    /// Whether it must hold both upper and lower case letters.
    #[serde(default)]
    pub mixed_case: bool,
    /// Description for people, part of the evidence.
    pub note: String,
}

/// Characters of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// `A-Z`, `a-z`, `0-9`.
    Base62,
    /// `0-9`, `a-f`.
    LowerHex,
}

impl Alphabet {
    /// Whether all of `bytes` belong to the alphabet.
    #[must_use]
    pub fn holds(self, bytes: &[u8]) -> bool {
        match self {
            Self::Base62 => bytes.iter().all(u8::is_ascii_alphanumeric),
            Self::LowerHex => bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        }
    }
}

impl Shape {
    /// Whether `token` has this shape.
    #[must_use]
    pub fn accepts(&self, token: &[u8]) -> bool {
        token.len() == self.length
            && self.alphabet.holds(token)
            && (!self.mixed_case
                || token.iter().any(u8::is_ascii_uppercase)
                    && token.iter().any(u8::is_ascii_lowercase))
    }
}
