//! A pattern that is compiled when it is first used: most runs of a hook use none, and compiling all of them would take longer
//! than all the rest.

use std::fmt;
use std::sync::OnceLock;

use regex::bytes::Regex;
use regex::bytes::RegexBuilder;

/// A regular expression over bytes.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Takes a pattern; whoever does not know that it is one calls [`Self::check`].
    pub(super) fn new(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Finds any of these words, in any letter case.
    pub(super) fn any_of(words: &[String]) -> Self {
        let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
        Self::new(format!("(?i:{})", words.join("|")))
    }

    /// Compiles it now.
    pub(super) fn check(&self) -> Result<(), regex::Error> {
        if self.compiled.get().is_none() {
            let _is_new = self.compiled.set(self.compile()?);
        }
        Ok(())
    }

    /// The compiled pattern.
    ///
    /// # Panics
    /// Never: patterns of the user's are checked when they are read, those that are built in by a test.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| self.compile().expect("the pattern was checked"))
    }

    /// Without Unicode, whose word boundaries would cost the fast matchers on every text that is not plain ASCII.
    fn compile(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.text).unicode(false).build()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
