//! The words that tell what a value is.

use std::collections::HashSet;

use serde::Deserialize;

/// Word lists; `rules/vocabulary.toml` says what each is for. All lowercase.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the file that fills them describes them")]
pub struct Vocabulary {
    pub credential: HashSet<String>,
    pub harmless: HashSet<String>,
    pub digest: HashSet<String>,
    pub other_purpose: HashSet<String>,
    pub carrier: HashSet<String>,
    pub neutral: HashSet<String>,
    pub generic_block: HashSet<String>,
    pub rivals: HashSet<String>,
    pub placeholder: Vec<String>,
    pub encrypted_before: Vec<String>,
}

/// The table `[vocabulary]` of a rule file: words to add.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct VocabularyToml {
    credential: Vec<String>,
    harmless: Vec<String>,
    digest: Vec<String>,
    other_purpose: Vec<String>,
    carrier: Vec<String>,
    neutral: Vec<String>,
    generic_block: Vec<String>,
    rivals: Vec<String>,
    placeholder: Vec<String>,
    encrypted_before: Vec<String>,
}

impl Vocabulary {
    /// Adds the words of a file.
    pub(super) fn extend(&mut self, words: VocabularyToml) {
        self.credential.extend(words.credential);
        self.harmless.extend(words.harmless);
        self.digest.extend(words.digest);
        self.other_purpose.extend(words.other_purpose);
        self.carrier.extend(words.carrier);
        self.neutral.extend(words.neutral);
        self.generic_block.extend(words.generic_block);
        self.rivals.extend(words.rivals);
        self.placeholder.extend(words.placeholder);
        self.encrypted_before.extend(words.encrypted_before);
    }
}
