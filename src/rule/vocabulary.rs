//! The words that tell what a value is.

use std::collections::HashSet;

use serde::Deserialize;

macro_rules! vocabulary {
    (sets: $($set:ident),*; lists: $($list:ident),*;) => {
        /// Word lists; `rules/vocabulary.toml` says what each is for. All lowercase.
        #[derive(Clone, Debug, Default)]
        #[expect(missing_docs, reason = "the file that fills them describes them")]
        pub struct Vocabulary {
            $(pub $set: HashSet<String>,)*
            $(pub $list: Vec<String>,)*
        }

        /// The table `[vocabulary]` of a rule file: words to add.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct VocabularyToml {
            $($set: Vec<String>,)*
            $($list: Vec<String>,)*
        }

        impl Vocabulary {
            /// Adds the words of a file.
            pub(super) fn extend(&mut self, words: VocabularyToml) {
                $(self.$set.extend(words.$set);)*
                $(self.$list.extend(words.$list);)*
            }
        }
    };
}

vocabulary! {
    sets:
        credential, harmless, digest, other_purpose, carrier, neutral, generic_block, rivals,
        everyday_rivals, password, suffix, storing, markup, code_head, conversion, sandbox,
        production, environment_flag, flag_owner, reference_word, published, file_ending,
        own_secret, purpose_owner, purpose_call, loading, identity, entry, header, owner_column,
        data_key, database_field, former, idle_url, message, declaring, defining,
        constructor, handover, leading, telling, belonging,
        entering, trade, data_command;
    lists:
        reference, placeholder, encrypted_before, idle_hosts, answer, prompt, method, purpose_use;
}

impl Vocabulary {
    /// Whether a word of a credential's name tells another purpose than an API's.
    pub(crate) fn is_other_purpose(&self, word: &str) -> bool {
        self.other_purpose.contains(word) && !self.neutral.contains(word)
    }

    /// Whether a key with this word is one of data, or a credential for another purpose.
    pub(crate) fn is_purpose(&self, word: &str) -> bool {
        self.data_key.contains(word) || self.is_other_purpose(word)
    }

    /// Whether a function only changes a value's type (`[]byte(…)`), so that the call around it counts.
    pub(crate) fn is_conversion(&self, callee: &[u8]) -> bool {
        self.conversion.contains(&String::from_utf8_lossy(callee).to_ascii_lowercase())
    }
}
