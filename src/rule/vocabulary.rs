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
    pub everyday_rivals: HashSet<String>,
    pub password: HashSet<String>,
    pub suffix: HashSet<String>,
    pub storing: HashSet<String>,
    pub markup: HashSet<String>,
    pub code_head: HashSet<String>,
    pub conversion: HashSet<String>,
    pub sandbox: HashSet<String>,
    pub production: HashSet<String>,
    pub environment_flag: HashSet<String>,
    pub flag_owner: HashSet<String>,
    pub reference_word: HashSet<String>,
    pub published: HashSet<String>,
    pub file_ending: HashSet<String>,
    pub own_secret: HashSet<String>,
    pub purpose_owner: HashSet<String>,
    pub purpose_call: HashSet<String>,
    pub loading: HashSet<String>,
    pub identity: HashSet<String>,
    pub entry: HashSet<String>,
    pub header: HashSet<String>,
    pub owner_column: HashSet<String>,
    pub reference: Vec<String>,
    pub placeholder: Vec<String>,
    pub encrypted_before: Vec<String>,
    pub idle_hosts: Vec<String>,
    pub answer: Vec<String>,
    pub prompt: Vec<String>,
    pub method: Vec<String>,
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
    everyday_rivals: Vec<String>,
    password: Vec<String>,
    suffix: Vec<String>,
    storing: Vec<String>,
    markup: Vec<String>,
    code_head: Vec<String>,
    conversion: Vec<String>,
    sandbox: Vec<String>,
    production: Vec<String>,
    environment_flag: Vec<String>,
    flag_owner: Vec<String>,
    reference_word: Vec<String>,
    published: Vec<String>,
    file_ending: Vec<String>,
    own_secret: Vec<String>,
    purpose_owner: Vec<String>,
    purpose_call: Vec<String>,
    loading: Vec<String>,
    identity: Vec<String>,
    entry: Vec<String>,
    header: Vec<String>,
    owner_column: Vec<String>,
    reference: Vec<String>,
    placeholder: Vec<String>,
    encrypted_before: Vec<String>,
    idle_hosts: Vec<String>,
    answer: Vec<String>,
    prompt: Vec<String>,
    method: Vec<String>,
}

impl Vocabulary {
    /// Whether a function only changes a value's type (`[]byte(…)`), so that the call around it counts.
    pub(crate) fn is_conversion(&self, callee: &[u8]) -> bool {
        self.conversion.contains(&String::from_utf8_lossy(callee).to_ascii_lowercase())
    }

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
        self.everyday_rivals.extend(words.everyday_rivals);
        self.password.extend(words.password);
        self.suffix.extend(words.suffix);
        self.storing.extend(words.storing);
        self.markup.extend(words.markup);
        self.code_head.extend(words.code_head);
        self.conversion.extend(words.conversion);
        self.sandbox.extend(words.sandbox);
        self.production.extend(words.production);
        self.environment_flag.extend(words.environment_flag);
        self.flag_owner.extend(words.flag_owner);
        self.reference_word.extend(words.reference_word);
        self.published.extend(words.published);
        self.file_ending.extend(words.file_ending);
        self.own_secret.extend(words.own_secret);
        self.purpose_owner.extend(words.purpose_owner);
        self.purpose_call.extend(words.purpose_call);
        self.loading.extend(words.loading);
        self.identity.extend(words.identity);
        self.entry.extend(words.entry);
        self.header.extend(words.header);
        self.owner_column.extend(words.owner_column);
        self.reference.extend(words.reference);
        self.placeholder.extend(words.placeholder);
        self.encrypted_before.extend(words.encrypted_before);
        self.idle_hosts.extend(words.idle_hosts);
        self.answer.extend(words.answer);
        self.prompt.extend(words.prompt);
        self.method.extend(words.method);
    }
}
