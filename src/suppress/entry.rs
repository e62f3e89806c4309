//! One suppression out of a file, and what it is held against.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use globset::GlobMatcher;
use hmac_sha256::HMAC;
use sha1::Digest as _;
use sha1::Sha1;

use super::Day;
use crate::blob::BlobId;
use crate::blob::BlobPath;
use crate::secret::Fingerprint;
use crate::secret::Secret;

/// By what a secret is recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// SHA-256 of the secret.
    Sha256(Fingerprint),
    /// HMAC-SHA-256 of that digest, under a key that is not in the file.
    Hmac(Fingerprint),
    /// SHA-1 of the secret, as detect-secrets writes it.
    Sha1([u8; 20]),
    /// A line of a file, in one commit or in any, as gitleaks writes it.
    Line { commit: Option<String>, path: String, line: u32 },
}

/// One suppression.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) key: Key,
    pub(super) rule: Option<String>,
    pub(super) path: Option<GlobMatcher>,
    pub(super) until: Option<Day>,
    pub(super) reason: Option<String>,
    /// Whether it has matched in this run.
    pub(super) is_used: AtomicBool,
}

/// A finding at one place.
#[derive(Clone, Copy)]
pub struct Subject<'s> {
    /// The value.
    pub secret: &'s Secret,
    /// The rule it is reported under.
    pub rule_id: &'s str,
    /// Where it stands.
    pub path: &'s BlobPath,
    /// On which line.
    pub line: u32,
    /// The commit that introduced it.
    pub commit: Option<BlobId>,
}

/// What entries are judged by beside the finding.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The day on which entries may have expired.
    pub today: Day,
    /// The key of `hmac:` entries.
    pub hmac_key: Option<Vec<u8>>,
}

impl Judge {
    /// The `hmac:` form of a fingerprint, if there is a key.
    #[must_use]
    pub fn hmac(&self, fingerprint: &Fingerprint) -> Option<Fingerprint> {
        let key = self.hmac_key.as_ref()?;
        Some(Fingerprint::from_bytes(HMAC::mac(fingerprint.as_bytes(), key)))
    }
}

impl Entry {
    /// An entry without conditions.
    pub(super) fn new(line: usize, key: Key) -> Self {
        Self {
            line,
            key,
            rule: None,
            path: None,
            until: None,
            reason: None,
            is_used: AtomicBool::new(false),
        }
    }

    /// Whether it is about `subject` and holds today.
    pub(super) fn matches(&self, subject: &Subject<'_>, judge: &Judge) -> bool {
        let is_about = self.is_key_of(subject, judge)
            && self.rule.as_ref().is_none_or(|rule| rule == subject.rule_id)
            && self.path.as_ref().is_none_or(|glob| glob.is_match(subject.path.to_string()));
        if is_about {
            self.is_used.store(true, Ordering::Relaxed);
        }
        is_about && self.until.as_ref().is_none_or(|until| judge.today <= *until)
    }

    fn is_key_of(&self, subject: &Subject<'_>, judge: &Judge) -> bool {
        match &self.key {
            Key::Sha256(hash) => *hash == subject.secret.fingerprint(),
            Key::Hmac(hash) => judge.hmac(&subject.secret.fingerprint()) == Some(*hash),
            Key::Sha1(hash) => Sha1::digest(subject.secret.expose())[..] == hash[..],
            Key::Line { commit, path, line } => {
                *line == subject.line
                    && path.as_bytes() == subject.path.as_bytes()
                    && commit.as_ref().is_none_or(|commit| {
                        subject.commit.is_some_and(|id| id.to_string() == *commit)
                    })
            }
        }
    }
}
