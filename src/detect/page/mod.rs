//! One text under judgement: its bytes, its path, its lines, and where it speaks of the provider.

pub(super) mod blocks;
pub(super) mod columns;
pub(super) mod console;
pub(super) mod context;
mod declared;
pub(super) mod encoded;
pub(super) mod items;
pub(super) mod lex;
pub(super) mod lines;
pub(super) mod mention;
pub(super) mod outline;
pub(super) mod positional;
pub(super) mod quote;
pub(super) mod randomness;
pub(super) mod rivals;
pub(super) mod statement;
pub(super) mod urls;

use std::cell::OnceCell;
use std::cell::Ref;
use std::cell::RefCell;
use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use self::columns::Header;
use self::columns::Tables;
use self::lines::Lines;
use self::mention::Far;
use self::mention::Mentions;
use self::mention::Nearest;
use self::outline::Outline;
use self::rivals::Owners;
use crate::blob::BlobPath;
use crate::decode;
use crate::location::Span;
use crate::rule::Provider;
use crate::rule::RuleKind;
use crate::rule::RuleSet;
use crate::rule::Vocabulary;

/// Bytes of a line that count as beside a mention in it.
const BESIDE: usize = 120;

/// Bytes on each side of a keyword that are about the provider in a long text.
pub(crate) const REACH: usize = 16 * 1024;

/// The line that begins a document of YAML, and how the one begins that begins a file of a patch.
const YAML_MARK: &[u8] = b"---";
const PATCH_MARK: &[u8] = b"diff --git ";

/// Calls that check signatures, or headers, kept per text.
const MAX_CUES: usize = 1_000;

/// Mentions among which imports are looked for.
const MAX_IMPORTS: usize = 50;

/// Words, each with the first and the last place where it stands.
type Words<'t> = HashMap<&'t [u8], (usize, usize)>;

/// A text with what is known of it as a whole.
pub(crate) struct Page<'t> {
    /// Its bytes, decoded.
    pub(crate) text: &'t [u8],
    /// Path of the file, or of the member of an archive.
    pub(crate) path: &'t BlobPath,
    /// Its line ends.
    pub(crate) lines: Lines,
    /// Where it speaks of the provider.
    pub(crate) mentions: Mentions,
    /// Whose secrets are searched.
    pub(crate) provider: &'t Provider,
    /// What words mean, and what reasons weigh.
    pub(crate) rules: &'t RuleSet,
    /// Words that stand in a line with a mention of the provider.
    beside_mentions: OnceCell<Words<'t>>,
    /// Words that stand in a line which checks a signature.
    beside_checks: OnceCell<Words<'t>>,
    /// Words that stand in a line which sends a credential in a header.
    beside_headers: OnceCell<Words<'t>>,
    /// Words that stand in a line which uses a secret for another purpose.
    beside_other_uses: OnceCell<Words<'t>>,
    /// How much names among siblings say, as far as they were read: the same ones stand around many values.
    pub(crate) ranks: RefCell<HashMap<&'t [u8], u8>>,
    /// Other providers around the value at hand.
    pub(crate) owners: RefCell<Owners>,
    /// Names of columns, if the first line is the header of a table.
    header: OnceCell<Option<Header>>,
    /// The tables that the text defines.
    tables: OnceCell<Tables<'t>>,
    /// Where the documents of a YAML file, or the files of a patch, begin.
    parts: OnceCell<Vec<usize>>,
    /// The mappings of a source map, if the text is one.
    mappings: OnceCell<Option<Span>>,
    /// Brackets and lines around the value at hand.
    outline: RefCell<Outline>,
    /// Ends of indented blocks and sections, by where they begin, as far as they were sought.
    ends: RefCell<HashMap<usize, usize>>,
}

impl<'t> Page<'t> {
    /// Reads `text` for mentions of the provider; `None` if nothing in it, around it or in its path speaks of it.
    pub(crate) fn read(
        text: &'t [u8],
        path: &'t BlobPath,
        (provider, keywords): (&'t Provider, &Regex),
        rules: &'t RuleSet,
        far: Option<Far>,
    ) -> Option<Self> {
        let mentions = Mentions { far, ..Mentions::find(provider, keywords, text, path) };
        (!mentions.is_empty()).then(|| Self {
            text,
            path,
            lines: Lines::new(text),
            mentions,
            provider,
            rules,
            beside_mentions: OnceCell::new(),
            beside_checks: OnceCell::new(),
            beside_headers: OnceCell::new(),
            beside_other_uses: OnceCell::new(),
            ranks: RefCell::default(),
            owners: RefCell::default(),
            header: OnceCell::new(),
            tables: OnceCell::new(),
            parts: OnceCell::new(),
            mappings: OnceCell::new(),
            outline: RefCell::default(),
            ends: RefCell::default(),
        })
    }

    /// The mention of the provider nearest to `at`.
    pub(crate) fn nearest_mention(&self, at: usize) -> Option<Nearest<'_>> {
        self.mentions.nearest((self.text, &self.lines), at)
    }

    /// The first line, if it is the header of a table.
    pub(crate) fn header(&self) -> Option<&Header> {
        let read = || (!self.is_code()).then(|| Header::read(self.text, &self.lines)).flatten();
        self.header.get_or_init(read).as_ref()
    }

    /// The tables that the text defines.
    pub(crate) fn tables(&self) -> &Tables<'t> {
        self.tables.get_or_init(|| Tables::read(self.text))
    }

    /// The document of a YAML file, or the file of a patch, in which `at` stands, if there are several.
    pub(crate) fn part(&self, at: usize) -> Option<Span> {
        let parts = self.parts.get_or_init(|| {
            let begin = |mark: &'static [u8]| memchr::memmem::find_iter(self.text, mark);
            let starts = |at: &usize| at.checked_sub(1).is_none_or(|end| self.text[end] == b'\n');
            let is_whole = |at: &usize| {
                let line = self.lines.around(*at);
                self.slice(line).trim_ascii_end() == YAML_MARK
            };
            let documents = begin(YAML_MARK).filter(|_| self.is_yaml()).filter(is_whole);
            let mut parts: Vec<usize> = documents.chain(begin(PATCH_MARK)).filter(starts).collect();
            parts.sort_unstable();
            parts
        });
        let next = parts.partition_point(|start| *start <= at);
        let start = next.checked_sub(1).map_or(0, |last| parts[last]);
        let end = parts.get(next).copied().unwrap_or(self.text.len());
        (!parts.is_empty()).then(|| Span::new(start, end))
    }

    /// The brackets and lines of a stretch that holds `needed`; the same is good for what comes within `reach` behind it.
    pub(crate) fn outline(&self, needed: Span, reach: usize) -> Ref<'_, Outline> {
        self.outline.borrow_mut().cover(self.text, needed, reach);
        self.outline.borrow()
    }

    /// The end of the indented block or section that begins at `start`, which `find` seeks if it is not known.
    pub(crate) fn indented_end(&self, start: usize, find: impl FnOnce() -> usize) -> usize {
        *self.ends.borrow_mut().entry(start).or_insert_with(find)
    }

    /// What words mean.
    pub(crate) fn vocabulary(&self) -> &'t Vocabulary {
        &self.rules.vocabulary
    }

    /// The bytes of `span`.
    pub(crate) fn slice(&self, span: Span) -> &'t [u8] {
        &self.text[span.start..span.end]
    }

    /// Whether a line that speaks of the provider has the name in it, outside of `own`.
    pub(crate) fn is_named_with_provider(&self, name: &[u8], own: Span) -> bool {
        let words = self.beside_mentions.get_or_init(|| self.words_beside_mentions());
        words.get(name).is_some_and(|(first, last)| *first < own.start || own.end <= *last)
    }

    /// Where lines that check a signature have the name in them, the first and the last one.
    pub(crate) fn checked_at(&self, name: &[u8]) -> Option<(usize, usize)> {
        self.beside_checks.get_or_init(|| self.words_beside_checks()).get(name).copied()
    }

    /// Whether a line that imports something of the provider has the name in it.
    pub(crate) fn is_imported(&self, name: &[u8]) -> bool {
        let mut imports = self.mentions.in_text.iter().take(MAX_IMPORTS).filter(|mention| {
            self.lines.around(mention.span.start).len() < 2 * BESIDE
                && mention::is_imported(self.text, mention.span)
        });
        imports.any(|mention| {
            let line = self.slice(self.lines.around(mention.span.start));
            line.split(|byte| !lex::is_name(*byte)).any(|word| word == name)
        })
    }

    /// Whether a call in which the name stands takes secrets for another purpose.
    pub(crate) fn is_named_in_other_use(&self, name: &[u8]) -> bool {
        let read = || self.words_beside_cues(self.vocabulary().purpose_use.iter());
        self.beside_other_uses.get_or_init(read).contains_key(name)
    }

    /// Where lines that send a credential in a header have the name in them, the first and the last one.
    pub(crate) fn sent_at(&self, name: &[u8]) -> Option<(usize, usize)> {
        let read = || self.words_beside_cues(self.vocabulary().header.iter());
        self.beside_headers.get_or_init(read).get(name).copied()
    }

    /// The parts of a long text within `reach` bytes of keywords; the whole text if it is short or its path speaks of the
    /// provider.
    pub(crate) fn parts_about_provider(&self, reach: usize) -> Vec<Span> {
        if self.text.len() <= decode::WHOLE || self.mentions.in_path {
            vec![Span::new(0, self.text.len())]
        } else {
            decode::parts_around(self.text, &self.mentions.keywords, reach)
        }
    }

    fn words_beside_mentions(&self) -> Words<'t> {
        self.words_beside(self.mentions.in_text.iter().map(|mention| mention.span), 1)
    }

    fn words_beside_checks(&self) -> Words<'t> {
        let cues = self.provider.rules.iter().flat_map(|rule| match &rule.kind {
            RuleKind::Token(kind) => kind.cues.call.as_slice(),
            RuleKind::Pattern(_) | RuleKind::Tracked(_) => &[],
        });
        self.words_beside_cues(cues)
    }

    fn words_beside_cues<'c>(&self, cues: impl Iterator<Item = &'c String>) -> Words<'t> {
        let Ok(cues) = AhoCorasick::builder().ascii_case_insensitive(true).build(cues) else {
            return Words::new();
        };
        let parts = self.parts_about_provider(REACH);
        let found = parts.iter().flat_map(|part| {
            let found = cues.find_iter(self.slice(*part));
            let found =
                found.map(|found| Span::new(part.start + found.start(), part.start + found.end()));
            // Not in the middle of a word: a key may hold the letters of a cue.
            found.filter(|found| lex::begins_subword(self.text, found.start))
        });
        // Short names of a bundle mean something else at each place.
        self.words_beside(found.take(MAX_CUES), 3)
    }

    /// The words in the lines of `places`, near them.
    fn words_beside(
        &self,
        places: impl Iterator<Item = Span>,
        shortest_in_bundles: usize,
    ) -> Words<'t> {
        let mut words = Words::new();
        for place in places {
            let line = self.lines.around(place.start);
            let mut at = line.start.max(place.start.saturating_sub(BESIDE));
            let end = line.end.min(place.end + BESIDE);
            let shortest = if line.len() > 2 * BESIDE { shortest_in_bundles } else { 1 };
            for word in self.text[at..end].split(|byte| !lex::is_name(*byte)) {
                if word.len() >= shortest && !self.is_key(at + word.len()) {
                    words.entry(word).or_insert((at, at)).1 = at;
                }
                at += word.len() + 1;
            }
        }
        words
    }

    /// Whether a place stands in the mappings of a source map, which are numbers in base64.
    pub(crate) fn is_in_mappings(&self, at: usize) -> bool {
        const NAME: &[u8] = b"\"mappings\":";
        let find = || {
            let start = memchr::memmem::find(self.text, NAME)? + NAME.len();
            let start = start + memchr::memchr(b'"', &self.text[start..])? + 1;
            Some(Span::new(start, start + memchr::memchr(b'"', &self.text[start..])?))
        };
        let mappings = self.mappings.get_or_init(|| self.is_source_map().then(find).flatten());
        mappings.is_some_and(|mappings| (mappings.start..mappings.end).contains(&at))
    }

    fn is_source_map(&self) -> bool {
        self.file_name().ends_with(b".map")
    }

    /// Whether the value's line speaks of the provider.
    pub(crate) fn names_provider_beside(&self, span: Span) -> bool {
        self.mentions.within(self.lines.around(span.start))
    }

    /// Whether the file's own name, not only that of a folder, speaks of the provider.
    pub(crate) fn file_names_provider(&self) -> bool {
        let name = self.file_name().to_ascii_lowercase();
        let holds = |word: &String| memchr::memmem::find(&name, word.as_bytes()).is_some();
        self.mentions.in_path && self.provider.names.iter().any(holds)
    }

    /// Whether the file's name ends as those of programs do.
    pub(crate) fn is_code(&self) -> bool {
        let ending = self.file_name().rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        let ending = String::from_utf8_lossy(ending).to_ascii_lowercase();
        self.vocabulary().file_ending.contains(&ending)
    }

    /// Whether a word that ends at `end` is a quoted key (`'key' => …`) or is given a value of its own (`key = …`).
    pub(crate) fn is_key(&self, end: usize) -> bool {
        let is_quoted = matches!(self.text.get(end), Some(b'"' | b'\''));
        let rest = &self.text[(end + usize::from(is_quoted)).min(self.text.len())..];
        let rest = &rest[rest.iter().take_while(|byte| **byte == b' ').count()..];
        match rest {
            [b':', ..] => is_quoted,
            [b'=', next, ..] => is_quoted || !matches!(next, b'=' | b'>' | b'~'),
            _ => false,
        }
    }

    /// Whether the file's name ends as those of YAML do.
    pub(crate) fn is_yaml(&self) -> bool {
        let name = self.file_name();
        name.ends_with(b".yml") || name.ends_with(b".yaml")
    }

    /// The last part of the path.
    pub(crate) fn file_name(&self) -> &'t [u8] {
        self.path.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
}
