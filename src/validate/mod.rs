//! The live check: asks the provider, and nobody else, whether a leaked key still works. Hosts come from the rules'
//! allow-list; a kind of secret without an entry there is never sent.

mod host;
mod judge;
mod pace;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::finding::Candidate;
use crate::finding::Environment;
use crate::finding::LiveCheck;
use crate::finding::Validation;
use crate::finding::Validations;
use crate::http;
use crate::http::Client;
use crate::http::Clock;
use crate::http::Endpoint;
use crate::rule::LiveHost;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::RuleSet;
use crate::rule::Shape;

use host::Host;
use host::Standing;

/// Longest waiting in all for one host, unless the options say otherwise.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How a live check is made.
#[derive(Clone)]
pub struct Options {
    /// How calls are made.
    pub http: http::Options,
    /// URLs to call instead of those in the rules, by the host in the rules: for tests and proxies.
    pub bases: BTreeMap<String, String>,
    /// Longest waiting in all for one host; what is asked for beyond makes the rest unknown.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { http: http::Options::default(), bases: BTreeMap::new(), patience: PATIENCE }
    }
}

/// The options name something that is not there.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A certificate, proxy or URL cannot be used.
    #[error(transparent)]
    Http(#[from] http::HttpError),
    /// A host is overridden that no rule allows.
    #[error("{host}: the rules allow no live check there; they allow {allowed}")]
    NotAllowed {
        /// The host.
        host: String,
        /// The hosts of the rules.
        allowed: String,
    },
}

/// Checks keys. A key is asked about once in its life, whatever the number of its copies.
pub struct Checker {
    entries: Vec<(LiveHost, Endpoint)>,
    rules: Vec<Rule>,
    client: Client,
    patience: Duration,
}

impl Checker {
    /// Prepares a check with the allow-list of `rules`; connects to nobody.
    ///
    /// # Errors
    /// When the options cannot be used.
    pub fn new(rules: &RuleSet, options: &Options) -> Result<Self, CheckError> {
        let listed: Vec<&LiveHost> =
            rules.providers.iter().flat_map(|provider| &provider.live).collect();
        let mut entries = vec![];
        for entry in listed {
            let own = Endpoint::parse(&entry.base)?;
            let base = match options.bases.get(own.host()) {
                Some(other) => Endpoint::parse(other)?,
                None => own,
            };
            entries.push((entry.clone(), base));
        }
        let names = || entries.iter().filter_map(|(entry, _)| host_of(entry));
        if let Some(stray) = options.bases.keys().find(|host| !names().any(|name| name == **host)) {
            let allowed: Vec<String> = names().collect();
            return Err(CheckError::NotAllowed {
                host: stray.clone(),
                allowed: allowed.join(", "),
            });
        }
        Ok(Self {
            entries,
            rules: rules.rules().cloned().collect(),
            client: Client::new(&options.http)?,
            patience: options.patience,
        })
    }

    /// Checks the secrets of `candidates`, each once. Those that no entry of the allow-list covers stay unchecked.
    #[must_use]
    pub fn check(&self, candidates: &[Candidate], clock: &dyn Clock) -> Validations {
        let mut hosts: Vec<Host<'_>> = self
            .entries
            .iter()
            .map(|(entry, base)| Host::new((entry, base), &self.client, clock, self.patience))
            .collect();
        let mut states = BTreeMap::new();
        for candidate in candidates {
            let fingerprint = candidate.secret.fingerprint();
            if states.contains_key(&fingerprint) {
                continue;
            }
            if let Some(shape) = self.shape(candidate) {
                states.insert(fingerprint, validation(&mut hosts, candidate, shape));
            }
        }
        let mut check = LiveCheck::default();
        for host in hosts.iter().filter(|host| host.calls > 0) {
            check.requests += host.calls;
            *check.hosts.entry(host.name().to_owned()).or_default() += host.calls;
        }
        Validations { states, check: Some(check) }
    }

    /// The shape of a candidate's secret.
    fn shape(&self, candidate: &Candidate) -> Option<&Shape> {
        let shapes =
            self.rules.iter().filter(|rule| rule.id == candidate.rule_id).flat_map(|rule| {
                match &rule.kind {
                    RuleKind::Token(token) => token.shapes.as_slice(),
                    RuleKind::Pattern(_) | RuleKind::Tracked(_) => &[],
                }
            });
        let mut fitting = shapes.filter(|shape| shape.accepts(candidate.secret.expose()));
        let shape = fitting.next()?;
        let is_covered = |(entry, _): &(LiveHost, Endpoint)| covers(entry, candidate, shape);
        self.entries.iter().any(is_covered).then_some(shape)
    }
}

fn host_of(entry: &LiveHost) -> Option<String> {
    Endpoint::parse(&entry.base).ok().map(|base| base.host().to_owned())
}

fn covers(entry: &LiveHost, candidate: &Candidate, shape: &Shape) -> bool {
    entry.rule == candidate.rule_id && entry.alphabet == shape.alphabet
}

/// Asks the hosts about one key: the likeliest environment first, and no other once one has accepted it.
fn validation(hosts: &mut [Host<'_>], candidate: &Candidate, shape: &Shape) -> Validation {
    let mut order: Vec<&mut Host<'_>> =
        hosts.iter_mut().filter(|host| covers(host.entry, candidate, shape)).collect();
    order.sort_by_key(|host| {
        candidate.environment != Environment::Unknown && host.environment() != candidate.environment
    });
    let mut state = Validation::Refused;
    for host in order {
        match host.ask(&candidate.secret, shape) {
            Standing::Live => return Validation::Active { environment: host.environment() },
            Standing::Refused => {}
            Standing::Unknown(reason) => {
                if state == Validation::Refused {
                    state = Validation::Unknown { reason };
                }
            }
        }
    }
    state
}
