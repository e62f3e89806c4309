//! What a name says about the value it stands for.

use crate::detect::page::lex;
use crate::detect::page::randomness;
use crate::detect::page::rivals::Rivals;
use crate::rule::Provider;
use crate::rule::RuleKind;
use crate::rule::Vocabulary;

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A credential, and no word says of whom else.
    Credential,
    /// A credential that people choose, and no word says of whom.
    Password,
    /// A credential of something that the words name and we do not know (`CRM_API_KEY`).
    ForeignCredential,
    /// A credential for another purpose (`APP_SECRET`).
    OtherPurpose,
    /// A credential or value of another provider.
    Rival,
    /// A digest or identifier, or something else that is no secret.
    Harmless,
    /// Nothing: the value's siblings or the enclosing name decide.
    Carrier,
    /// Some name that says neither.
    Unknown,
}

/// A name with its meaning.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// The name as it is written, shortened for people.
    pub(crate) text: String,
    /// Its lowercase words.
    pub(crate) words: Vec<String>,
    /// What it says.
    pub(crate) meaning: Meaning,
    /// Whether it names the provider.
    pub(crate) names_provider: bool,
}

impl Label {
    /// Whether it is the name of an API key.
    pub(crate) fn names_api(&self) -> bool {
        self.words.iter().any(|word| word == "api" || word == "apikey")
    }

    /// Reads a name.
    pub(crate) fn read(
        name: &[u8],
        provider: &Provider,
        vocabulary: &Vocabulary,
        rivals: &Rivals,
    ) -> Self {
        let is_name = !randomness::is_drawn(name);
        let words = if is_name { lex::subwords(name) } else { vec![] };
        let last_part = name
            .rsplit(|byte| *byte == b'.' || *byte == b':')
            .find(|part| !part.is_empty())
            .unwrap_or(name);
        let joined: String = words.concat();
        let is_ours = |word: &String| {
            provider.abbreviations.contains(word)
                || provider.keywords.iter().any(|keyword| word.contains(keyword.as_str()))
        };
        let is_spelled = || {
            provider.keywords.iter().any(|keyword| joined.contains(keyword.as_str()))
                && !is_join(&words, provider)
        };
        let names_provider = (words.iter().any(is_ours) || is_spelled())
            && !words.iter().any(|word| provider.unlike.contains(word));
        let own = if is_name { lex::subwords(last_part) } else { vec![] };
        let meaning = meaning(&own, name, names_provider, provider, vocabulary, rivals);
        Self {
            text: String::from_utf8_lossy(&name[..name.len().min(60)]).into_owned(),
            words,
            meaning,
            names_provider,
        }
    }

    /// Reads the words of a phrase (`clé API Yousign est`), the nearest to the value first, of which the first name
    /// already says what `self` is. What the phrase names beyond it counts where `self` leaves it open.
    pub(crate) fn within_phrase(
        mut self,
        phrase: &[&[u8]],
        provider: &Provider,
        vocabulary: &Vocabulary,
        rivals: &Rivals,
    ) -> Self {
        let read = |name: &&[u8]| Self::read(name, provider, vocabulary, rivals);
        let others: Vec<Self> = phrase.iter().map(read).collect();
        let names_provider = self.names_provider || others.iter().any(|label| label.names_provider);
        if !names_provider || !matches!(self.meaning, Meaning::Credential | Meaning::Unknown) {
            return self;
        }
        if others.iter().any(|label| label.meaning == Meaning::Credential) {
            self.meaning = Meaning::Credential;
        }
        let written: Vec<&str> =
            others.iter().rev().map(|label| label.text.as_str()).chain([&*self.text]).collect();
        self.text = written.join(" ");
        self.words.extend(others.into_iter().flat_map(|label| label.words));
        self.names_provider = true;
        self
    }

    /// Whether one of the cues stands in the name; a cue of several words (`signing_secret`) must stand whole.
    pub(crate) fn has_cue(&self, cues: &[String]) -> bool {
        let closed = self.words.concat();
        let stands_whole = |cue: &String| match cue.split_once('_') {
            None => self.words.contains(cue),
            Some((first, _)) => {
                let joined = || format!("_{}_", self.words.join("_"));
                closed.contains(first) && joined().contains(&format!("_{cue}_"))
            }
        };
        cues.iter().any(|cue| stands_whole(cue) || cue.len() > 5 && closed.contains(cue.as_str()))
    }
}

fn meaning(
    words: &[String],
    name: &[u8],
    names_provider: bool,
    provider: &Provider,
    vocabulary: &Vocabulary,
    rivals: &Rivals,
) -> Meaning {
    let is_digest = |word: &String| vocabulary.digest.contains(word);
    let is_suffix = |word: &str| is_suffix(word, vocabulary);
    let Some(head) = head(words, provider, vocabulary) else {
        return if names_provider { Meaning::Unknown } else { Meaning::Carrier };
    };
    // Beside the name of the header that holds a signature stands what signatures are checked with; they are longer themselves.
    if names_provider && names_signature(words, provider) {
        return Meaning::Credential;
    }
    // In `dummy_key` or `public_key` the word stands before the head; in `key_hash` it is the head.
    if words.iter().any(is_digest) {
        return Meaning::Harmless;
    }
    // `JETON_COURRIER`: French says first what it is.
    let leads = |word: &&String| words.len() > 1 && vocabulary.leading.contains(*word);
    let first = words.first().filter(leads).filter(|_| !vocabulary.harmless.contains(head));
    let head = first.unwrap_or(head);
    let ends_in_credential = is_credential(head, provider, vocabulary)
        || vocabulary.own_secret.contains(&words.join("_"));
    if !ends_in_credential && vocabulary.harmless.contains(head.as_str()) {
        return Meaning::Harmless;
    }
    if !names_provider && !ends_in_credential && is_glued_purpose(head, vocabulary) {
        return Meaning::OtherPurpose;
    }
    if ends_in_credential && words.iter().any(|word| vocabulary.data_key.contains(word)) {
        return Meaning::OtherPurpose;
    }
    // French puts it first: `CLE_CRYPTAGE_LOCALE`.
    let is_purpose = |word: &String| vocabulary.is_other_purpose(word);
    if let [first, others @ ..] = words
        && !names_provider
        && !ends_in_credential
        && vocabulary.credential.contains(first)
        && others.iter().any(is_purpose)
    {
        return Meaning::OtherPurpose;
    }
    if names_provider {
        return if ends_in_credential { Meaning::Credential } else { Meaning::Unknown };
    }
    if rivals.named_in(name) {
        return Meaning::Rival;
    }
    if ends_in_credential {
        if is_owned_by_purpose(name, vocabulary) {
            return Meaning::OtherPurpose;
        }
        let qualifiers = || words.iter().filter(|word| *word != head && !is_suffix(word));
        if qualifiers().any(is_purpose) {
            return Meaning::OtherPurpose;
        }
        let foreign = |word: &String| {
            !vocabulary.neutral.contains(word)
                && !vocabulary.credential.contains(word)
                && !vocabulary.carrier.contains(word)
        };
        return if qualifiers().any(foreign) {
            Meaning::ForeignCredential
        } else if vocabulary.password.contains(head) {
            Meaning::Password
        } else {
            Meaning::Credential
        };
    }
    let says_nothing =
        |word: &String| vocabulary.carrier.contains(word) || vocabulary.neutral.contains(word);
    if words.iter().all(says_nothing) { Meaning::Carrier } else { Meaning::Unknown }
}

/// Whether a name is that of the header in which signatures come (`X-Yousign-Signature-256`), a cue of the rule for what they are checked with.
fn names_signature(words: &[String], provider: &Provider) -> bool {
    let name = words.join("_");
    provider.rules.iter().any(|rule| match &rule.kind {
        RuleKind::Token(kind) => kind.cues.mention.iter().any(|cue| name.ends_with(cue.as_str())),
        RuleKind::Pattern(_) | RuleKind::Tracked(_) => false,
    })
}

/// Whether `you` and `sign` stand among other words of a sentence (`afterYouSign`).
fn is_join(words: &[String], provider: &Provider) -> bool {
    words.windows(2).enumerate().any(|(at, pair)| {
        let before = at.checked_sub(1).map(|before| &words[before]);
        provider.keywords.contains(&pair.concat())
            && (before.is_some_and(|word| provider.joined_before.contains(word))
                || words.get(at + 2).is_some_and(|word| provider.joined_after.contains(word)))
    })
}

/// Whether a purpose and a credential are written in one word (`csrftoken`, `jwtsecret`).
fn is_glued_purpose(word: &str, vocabulary: &Vocabulary) -> bool {
    let is_purpose = |length: &usize| {
        word.is_char_boundary(*length) && vocabulary.purpose_owner.contains(&word[..*length])
    };
    let is_credential = |length: &usize| {
        word.is_char_boundary(word.len() - *length)
            && vocabulary.credential.contains(&word[word.len() - *length..])
    };
    word.len() > 6
        && (3..word.len()).any(|length| is_purpose(&length))
        && (3..word.len()).any(|length| is_credential(&length))
}

/// Whether the nearest telling part before the last one of a dotted name is a purpose (`security.jwt.signing.key`).
fn is_owned_by_purpose(name: &[u8], vocabulary: &Vocabulary) -> bool {
    let parts = name.rsplit(|byte| matches!(byte, b'.' | b':')).filter(|part| !part.is_empty());
    let mut owners = parts.skip(1).map(lex::subwords);
    let says_nothing = |word: &String| {
        vocabulary.neutral.contains(word) || vocabulary.credential.contains(word) && word != "jwt"
    };
    let owner = owners.find(|words| !words.iter().all(says_nothing));
    owner.is_some_and(|words| words.iter().any(|word| vocabulary.purpose_owner.contains(word)))
}

/// The word that says what the thing is: the last one that is no environment, version or number. French puts it first: before
/// words that say nothing, a credential is meant (`CLE_API`). Nor is it the provider, unless nothing else stands there.
fn head<'w>(
    words: &'w [String],
    provider: &Provider,
    vocabulary: &Vocabulary,
) -> Option<&'w String> {
    let is_suffix = |word: &String| {
        is_suffix(word, vocabulary) || words.len() > 1 && provider.keywords.contains(word)
    };
    let mut telling =
        words.iter().rev().filter(|word| !is_suffix(word) && !vocabulary.carrier.contains(*word));
    let last = telling.next();
    let says_nothing =
        |word: &String| vocabulary.neutral.contains(word) && !vocabulary.credential.contains(word);
    if last.is_some_and(says_nothing) {
        let credential = telling.find(|word| !says_nothing(word));
        if let Some(credential) = credential.filter(|word| vocabulary.credential.contains(*word)) {
            return Some(credential);
        }
    }
    last.or_else(|| words.last().filter(|word| !is_suffix(word)))
}

/// Words that follow a name without changing what it is.
fn is_suffix(word: &str, vocabulary: &Vocabulary) -> bool {
    word.len() == 1
        || word.bytes().all(|byte| byte.is_ascii_digit())
        || word.starts_with('v') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
        || vocabulary.suffix.contains(word)
}

/// `key`, `token`, …, also glued to the provider or to `api` (`ysapikey`, `yousignkey`).
fn is_credential(word: &str, provider: &Provider, vocabulary: &Vocabulary) -> bool {
    if vocabulary.credential.contains(word) {
        return true;
    }
    let rest = provider.keywords.iter().find_map(|keyword| word.strip_prefix(keyword.as_str()));
    rest.is_some_and(|rest| vocabulary.credential.contains(rest))
}
