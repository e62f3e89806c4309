//! From the text of a rule file to rules; every mistake is an error with its line and column.

use serde::Deserialize;

use super::vocabulary::VocabularyToml;
use super::weights;
use super::{
    Cues, Host, LiveHost, Pattern, PatternRule, Provider, Rule, RuleKind, RuleSet, Shape,
    TokenRule, TrackedRule,
};
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Severity;
use crate::finding::is_rule_id;

/// Version of the format that this build reads.
const SCHEMA_VERSION: u32 = 1;

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It is no TOML, or has an unknown or missing key or a value of the wrong type.
    #[error("{name}:{line}:{column}: {message}")]
    Syntax {
        /// Name of the file.
        name: String,
        /// 1-based line.
        line: usize,
        /// 1-based column.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Its values do not make sense together.
    #[error("{name}: {place}: {message}")]
    Meaning {
        /// Name of the file.
        name: String,
        /// Rule or table.
        place: String,
        /// What is wrong, and what would be right.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    schema_version: u32,
    #[serde(default)]
    disabled: Vec<String>,
    #[serde(default)]
    vocabulary: VocabularyToml,
    #[serde(default)]
    weights: toml::Table,
    #[serde(default)]
    thresholds: toml::Table,
    #[serde(default)]
    exposure: toml::Table,
    provider: Option<ProviderToml>,
    #[serde(default)]
    rules: Vec<RuleToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderToml {
    id: String,
    name: String,
    #[serde(default)]
    information_uri: String,
    keywords: Vec<String>,
    names: Vec<String>,
    #[serde(default)]
    spellings: Vec<String>,
    #[serde(default)]
    joined_before: Vec<String>,
    #[serde(default)]
    joined_after: Vec<String>,
    #[serde(default)]
    abbreviations: Vec<String>,
    #[serde(default)]
    unlike: Vec<String>,
    #[serde(default)]
    page_parameters: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    hosts: Vec<HostToml>,
    #[serde(default)]
    live: Vec<LiveHost>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostToml {
    host: Option<String>,
    pattern: Option<String>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    api: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindToml {
    Token,
    Pattern,
    Policy,
    Tracked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleToml {
    id: String,
    kind: KindToml,
    title: String,
    description: String,
    severity: Severity,
    severity_production: Option<Severity>,
    #[serde(default)]
    remedy: Vec<String>,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    negative_examples: Vec<String>,
    #[serde(default)]
    shapes: Vec<Shape>,
    #[serde(default)]
    label_cues: Vec<String>,
    #[serde(default)]
    call_cues: Vec<String>,
    #[serde(default)]
    context_cues: Vec<String>,
    #[serde(default)]
    context_heads: Vec<String>,
    #[serde(default)]
    mention_cues: Vec<String>,
    #[serde(default)]
    sibling_cues: Vec<String>,
    pattern: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    path: Option<String>,
    #[serde(default)]
    context: Vec<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    random: bool,
}

/// Adds the file `text` to `set`; see [`RuleSet::add`].
pub(super) fn add(set: &mut RuleSet, text: &str, name: &str) -> Result<(), RuleError> {
    let file: FileToml = toml::from_str(text).map_err(|error| syntax(&error, text, name))?;
    if file.schema_version != SCHEMA_VERSION {
        let message = format!(
            "version {} is not known; this build reads version {SCHEMA_VERSION}",
            file.schema_version
        );
        return Err(meaning(name, "schema_version", message));
    }
    set.vocabulary.extend(file.vocabulary);
    weights::overlay(&mut set.weights, file.weights)
        .map_err(|message| meaning(name, "weights", message))?;
    weights::overlay(&mut set.thresholds, file.thresholds)
        .map_err(|message| meaning(name, "thresholds", message))?;
    weights::overlay(&mut set.places, file.exposure)
        .map_err(|message| meaning(name, "exposure", message))?;
    let rules =
        file.rules.into_iter().map(|rule| build_rule(rule, name)).collect::<Result<Vec<_>, _>>()?;
    match file.provider {
        Some(provider) => add_provider(set, provider, rules, name)?,
        None if rules.is_empty() => {}
        None => override_rules(set, &rules, name)?,
    }
    for id in &file.disabled {
        if set.rules().all(|rule| rule.id != *id) {
            return Err(meaning(
                name,
                "disabled",
                format!("there is no rule `{id}`; `signleak rules list` names them"),
            ));
        }
        set.providers.iter_mut().for_each(|provider| provider.rules.retain(|rule| rule.id != *id));
    }
    Ok(())
}

/// Adds a provider, or replaces the one with the same id.
fn add_provider(
    set: &mut RuleSet,
    toml: ProviderToml,
    rules: Vec<Rule>,
    name: &str,
) -> Result<(), RuleError> {
    if toml.keywords.is_empty() || toml.keywords.iter().any(|word| !is_keyword(word)) {
        let message =
            "needs lowercase ASCII of three letters or more, with `_` or `-` between words";
        return Err(meaning(name, "provider.keywords", message.to_owned()));
    }
    if let Some(stray) = toml.names.iter().find(|word| !toml.keywords.contains(word)) {
        return Err(meaning(
            name,
            "provider.names",
            format!("`{stray}` is not one of the keywords"),
        ));
    }
    let hosts =
        toml.hosts.into_iter().map(|host| build_host(host, name)).collect::<Result<_, _>>()?;
    let provider = Provider {
        id: toml.id,
        name: toml.name,
        information_uri: toml.information_uri,
        keywords: toml.keywords,
        names: toml.names,
        spellings: toml.spellings,
        joined_before: toml.joined_before,
        joined_after: toml.joined_after,
        abbreviations: toml.abbreviations,
        unlike: toml.unlike,
        page_parameters: toml.page_parameters,
        resources: toml.resources,
        hosts,
        live: toml.live,
        rules,
    };
    check_live(&provider, name)?;
    set.providers.retain(|known| known.id != provider.id);
    set.providers.push(provider);
    Ok(())
}

/// Refuses hosts that would be sent keys in the open, or keys of no rule.
fn check_live(provider: &Provider, name: &str) -> Result<(), RuleError> {
    for host in &provider.live {
        let wrong = |message: &str| {
            Err(meaning(name, &format!("provider.live {}", host.base), message.to_owned()))
        };
        if !host.base.starts_with("https://") {
            return wrong("`base` must begin with https://");
        }
        if host.probes.is_empty() || host.probes.len() > 2 {
            return wrong("needs one or two `probes`");
        }
        if provider.rules.iter().all(|rule| rule.id != host.rule) {
            return wrong("`rule` names no rule of this provider");
        }
    }
    Ok(())
}

/// Puts rules in the place of those with the same id.
fn override_rules(set: &mut RuleSet, rules: &[Rule], name: &str) -> Result<(), RuleError> {
    for rule in rules {
        if set.rules().all(|known| known.id != rule.id) {
            let message = "no rule has this id; a new rule needs a [provider]".to_owned();
            return Err(meaning(name, &rule.id, message));
        }
    }
    for provider in &mut set.providers {
        let owned: Vec<String> = provider.rules.iter().map(|rule| rule.id.clone()).collect();
        provider.rules.retain(|known| rules.iter().all(|rule| rule.id != known.id));
        provider.rules.extend(rules.iter().filter(|rule| owned.contains(&rule.id)).cloned());
    }
    Ok(())
}

fn build_host(toml: HostToml, name: &str) -> Result<Host, RuleError> {
    let pattern = match (toml.host, toml.pattern) {
        (Some(host), None) => regex::escape(&host),
        (None, Some(pattern)) => pattern,
        _ => {
            return Err(meaning(
                name,
                "provider.hosts",
                "give either `host` or `pattern`".to_owned(),
            ));
        }
    };
    let pattern = Pattern::new(format!("(?i)^(?:{pattern})$"));
    Ok(Host { pattern, environment: toml.environment, api: toml.api })
}

fn build_rule(toml: RuleToml, name: &str) -> Result<Rule, RuleError> {
    if !is_rule_id(&toml.id) {
        let message = "an id is made of letters, digits, `-`, `_` and `.`".to_owned();
        return Err(meaning(name, &toml.id.escape_debug().to_string(), message));
    }
    let kind = match toml.kind {
        KindToml::Token if toml.shapes.is_empty() => {
            return Err(meaning(
                name,
                &toml.id,
                "a rule of kind `token` needs [[rules.shapes]]".to_owned(),
            ));
        }
        KindToml::Token => RuleKind::Token(TokenRule {
            shapes: toml.shapes,
            cues: Cues {
                label: toml.label_cues,
                call: toml.call_cues,
                context: toml.context_cues,
                heads: toml.context_heads,
                mention: toml.mention_cues,
                sibling: toml.sibling_cues,
            },
        }),
        KindToml::Tracked if toml.files.is_empty() => {
            let message = "a rule of kind `tracked` needs `files`".to_owned();
            return Err(meaning(name, &toml.id, message));
        }
        KindToml::Tracked => {
            RuleKind::Tracked(TrackedRule { files: toml.files, except: toml.except })
        }
        KindToml::Pattern | KindToml::Policy => {
            let Some(pattern) = toml.pattern else {
                return Err(meaning(
                    name,
                    &toml.id,
                    "a rule of this kind needs a `pattern`".to_owned(),
                ));
            };
            RuleKind::Pattern(PatternRule {
                pattern: Pattern::new(pattern),
                path: toml.path,
                speaks: Pattern::any_of(&toml.context),
                context: toml.context,
                confidence: toml.confidence.unwrap_or(Confidence::Medium),
                random: toml.random,
                policy: matches!(toml.kind, KindToml::Policy),
            })
        }
    };
    Ok(Rule {
        id: toml.id,
        kind,
        title: toml.title,
        description: toml.description,
        severity: toml.severity,
        severity_production: toml.severity_production.unwrap_or(toml.severity),
        remedy: toml.remedy,
        examples: toml.examples,
        negative_examples: toml.negative_examples,
    })
}

/// Compiles every pattern, so that a mistake is told before anything is scanned.
pub(super) fn check_patterns(set: &RuleSet, name: &str) -> Result<(), RuleError> {
    for provider in &set.providers {
        let hosts = provider.hosts.iter().map(|host| ("provider.hosts", &host.pattern));
        let rules = provider.rules.iter().filter_map(|rule| match &rule.kind {
            RuleKind::Pattern(pattern) => Some((rule.id.as_str(), &pattern.pattern)),
            RuleKind::Token(_) | RuleKind::Tracked(_) => None,
        });
        for (place, pattern) in hosts.chain(rules) {
            pattern.check().map_err(|error| meaning(name, place, error.to_string()))?;
        }
    }
    Ok(())
}

fn is_keyword(word: &str) -> bool {
    word.len() >= 3 && word.split(['_', '-']).all(|part| !part.is_empty() && is_plain(part))
}

fn is_plain(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn meaning(name: &str, place: &str, message: String) -> RuleError {
    RuleError::Meaning { name: name.to_owned(), place: place.to_owned(), message }
}

fn syntax(error: &toml::de::Error, text: &str, name: &str) -> RuleError {
    let before = &text[..error.span().map_or(0, |span| span.start).min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    RuleError::Syntax {
        name: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        RuleSet::built_in()
            .expect("built-in rules are valid")
            .add(text, "my.toml")
            .expect_err("invalid")
            .to_string()
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let unknown = error_of("schema_version = 1\nkeyword = []\n");
        assert!(unknown.starts_with("my.toml:2:1: unknown field `keyword`"), "{unknown}");
        assert!(
            error_of("schema_version = 1\ndisabled = [\"nope\"]")
                .contains("there is no rule `nope`")
        );
        assert!(error_of("schema_version = 7").contains("version 7 is not known"));
    }

    #[test]
    fn a_file_changes_single_weights() {
        let mut set = RuleSet::built_in().expect("built-in rules are valid");
        let before = set.weights;
        set.add("schema_version = 1\n[weights]\npath = 3\n", "my.toml").expect("valid");
        assert_eq!(set.weights, crate::rule::Weights { path: 3, ..before });
        assert!(error_of("schema_version = 1\n[weights]\npaths = 3\n").contains("paths"));
    }

    #[test]
    fn every_built_in_pattern_compiles_and_the_users_are_checked() {
        let set = RuleSet::built_in().expect("built-in rules are valid");
        check_patterns(&set, "built in").expect("they compile");
        let host = "schema_version = 1\n[provider]\nid = \"p\"\nname = \"P\"\nkeywords = [\"ppp\"]\nnames = [\"ppp\"]\n[[provider.hosts]]\npattern = \"(\"\n";
        assert!(error_of(host).starts_with("my.toml: provider.hosts: "), "{}", error_of(host));
    }

    #[test]
    fn a_file_disables_a_rule() {
        let mut set = RuleSet::built_in().expect("built-in rules are valid");
        set.add("schema_version = 1\ndisabled = [\"yousign-v1-credentials\"]", "my.toml")
            .expect("valid");
        assert!(set.rules().all(|rule| rule.id != "yousign-v1-credentials"));
    }
}
