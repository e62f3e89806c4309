//! What else a value may be for: an argument of somebody else's function, the digest of a file.

use super::context::Context;
use super::lex;
use super::verdict::Judge;

impl Judge<'_, '_> {
    /// The function whose argument the value is, itself or in an object (`session({ secret: VALUE })`), if its name speaks
    /// of another purpose than an API's.
    pub(super) fn call_for_other_purpose(&self, context: &Context) -> Option<String> {
        let innermost = context
            .blocks
            .iter()
            .take(2)
            .find(|block| self.page.text.get(block.start) == Some(&b'('));
        let object = || innermost.and_then(|block| self.namer.header_name(block));
        let callee = context.callee.map(|callee| self.page.slice(callee)).or_else(object)?;
        let callee = lex::last_part(callee);
        let words = lex::subwords(callee);
        let vocabulary = self.page.vocabulary();
        let is_other = |word: &String| {
            vocabulary.other_purpose.contains(word) && !vocabulary.neutral.contains(word)
        };
        let is_known = words.len() == 1 && words.iter().all(is_other);
        is_known.then(|| String::from_utf8_lossy(callee).into_owned())
    }

    /// Whether a name ends as files of a project do (`YousignClient.php`).
    pub(super) fn is_file_name(&self, name: &[u8]) -> bool {
        let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
        let ending = dot.map(|dot| String::from_utf8_lossy(&name[dot + 1..]).to_ascii_lowercase());
        ending.is_some_and(|ending| self.page.vocabulary().file_ending.contains(&ending))
    }
}
