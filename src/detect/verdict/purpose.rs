//! What else a value may be for: an argument of somebody else's function, the digest of a file.

use super::Judge;
use super::has_both_cases;
use super::label::Label;
use super::label::Meaning;
use super::own_line;
use super::score::Verdict;
use crate::detect::page::blocks::Block;
use crate::detect::page::context;
use crate::detect::page::context::Context;
use crate::detect::page::items;
use crate::detect::page::lex;
use crate::detect::page::randomness::could_be_digest;
use crate::location::Span;

impl Judge<'_, '_> {
    /// The function whose argument the value is, itself or in an object (`session({ secret: VALUE })`), if its name speaks
    /// of another purpose than an API's.
    pub(crate) fn call_for_other_purpose(
        &self,
        label: Option<&Label>,
        context: &Context,
    ) -> Option<String> {
        let blocks = &context.blocks;
        let is_call = |block: &&Block| self.page.text.get(block.start) == Some(&b'(');
        let written = |name: &[u8]| String::from_utf8_lossy(lex::last_part(name)).into_owned();
        let object =
            || blocks.iter().take(2).find(is_call).and_then(|block| self.namer.header_name(block));
        let callee = context.callee.map(|callee| self.page.slice(callee)).or_else(object)?;
        let vocabulary = self.page.vocabulary();
        let takes_other = |word: &str| vocabulary.purpose_call.contains(word);
        let names_us = |part: Span| self.page.mentions.within(part);
        let around = context.blocks.iter().take(2).map(|block| own_line(self.page, block));
        if !context.statement.into_iter().chain(around).any(names_us) {
            // `register(jwt, { secret: VALUE })`
            let before_object =
                blocks.get(1).filter(is_call).map(|call| Span::new(call.start, blocks[0].start));
            let before_object = before_object.filter(|part| part.len() < 100 && !names_us(*part));
            let in_arguments = |part: Span| lex::any_said(self.page.slice(part), takes_other);
            if lex::any_subword(callee, takes_other) || before_object.is_some_and(in_arguments) {
                return Some(written(callee));
            }
        }
        let words = lex::subwords(lex::last_part(callee));
        let is_other = |word: &String| vocabulary.is_other_purpose(word);
        let is_credential = label.is_some_and(|label| label.meaning == Meaning::Credential);
        (is_credential && words.len() == 1 && words.iter().all(is_other)).then(|| written(callee))
    }

    /// What names another provider around the value's object and not us: its key (`algolia: { apiKey: VALUE }`), or the function
    /// to which it is passed (`Bugsnag.start({ apiKey: VALUE })`).
    pub(crate) fn owner_of_rival(&self, context: &Context) -> Option<String> {
        let is = |block: &Block, bracket: u8| self.page.text.get(block.start) == Some(&bracket);
        let object = context.blocks.first()?;
        let call = context.blocks.get(1).filter(|call| is(object, b'{') && is(call, b'('));
        let owner = if object.is_data { Some(object) } else { call }?;
        let name = self.namer.header_name(owner)?;
        let is_theirs = self.rivals.named_plainly_in(name)
            && !self.page.mentions.within(own_line(self.page, owner));
        is_theirs.then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether a name is that of a framework's own secret (`SECRET_KEY`), itself or in its block (`framework: secret:`), and
    /// nothing but a mention somewhere in the file ties the value to the provider.
    pub(crate) fn is_own_secret(&self, span: Span, label: &Label, context: &Context) -> bool {
        let name = lex::subwords(lex::last_part(label.text.as_bytes())).join("_");
        let block = context.blocks.iter().find(|block| block.is_data);
        let block = block.and_then(|block| self.namer.header_name(block)).unwrap_or_default();
        let known = &self.page.vocabulary().own_secret;
        let within = || {
            format!(
                "{}.{name}",
                String::from_utf8_lossy(lex::last_part(block)).to_ascii_lowercase()
            )
        };
        let is_clients = || name == "secret" && self.stands_by_client_id(span);
        let dotted = label.text.to_ascii_lowercase();
        (known.contains(&name)
            || known.contains(&dotted)
            || known.contains(&within())
            || is_clients())
            && !self.is_tied_closely(label, context)
    }

    /// Whether what could be a digest is a key by which data is kept (`Cache pool key VALUE`): its line says so before it.
    pub(crate) fn is_key_of_data(&self, span: Span) -> bool {
        const REACH: usize = 120;
        let line = self.page.lines.around(span.start);
        let from = line.start.max(span.start.saturating_sub(REACH));
        let is_data = |word: &str| self.page.vocabulary().data_key.contains(word);
        !has_both_cases(self.page.slice(span))
            && !self.page.is_code()
            && lex::any_said(&self.page.text[from..span.start], is_data)
    }

    /// Whether a line that begins with a time, as those of logs do, tells of a `key` that could be a digest
    /// (`2024-03-16 09:15:23 INFO mail queued key=VALUE`): that is one of data.
    pub(crate) fn is_key_in_log(&self, label: &Label, span: Span) -> bool {
        const SHAPE: &[u8] = b"0000-00-00";
        let line = self.page.slice(self.page.lines.around(span.start)).trim_ascii_start();
        let line = line.strip_prefix(b"[").unwrap_or(line);
        let fits = |(byte, shape): (&u8, &u8)| {
            if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape }
        };
        label.text == "key"
            && !has_both_cases(self.page.slice(span))
            && line.len() > SHAPE.len()
            && line.iter().zip(SHAPE).all(fits)
    }

    /// Whether the words before a colon and the value begin with one for identifiers, and none is a credential's
    /// (`ID client : VALUE`, `Numéro de dossier : VALUE`).
    pub(crate) fn is_id_in_prose(&self, span: Span) -> bool {
        const WORDS: std::ops::RangeInclusive<usize> = 2..=4;
        let (page, vocabulary) = (self.page, self.page.vocabulary());
        let line = page.lines.around(span.start);
        let before = &page.text[line.start.max(span.start.saturating_sub(120))..span.start];
        let is_edge = |byte: &u8| byte.is_ascii_whitespace() || b"`*\"'".contains(byte);
        let end = before.iter().rposition(|byte| !is_edge(byte)).map_or(0, |last| last + 1);
        let phrase = before[..end].strip_suffix(b":").unwrap_or_default();
        let is_part =
            |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80 || b" '-*.".contains(byte);
        if page.is_code() || !phrase.iter().all(is_part) {
            return false;
        }
        let words = lex::subwords(phrase);
        WORDS.contains(&words.len())
            && words.first().is_some_and(|word| vocabulary.harmless.contains(word))
            && !words.iter().any(|word| vocabulary.credential.contains(word))
            && !page.mentions.within(Span::new(span.start - before.len(), span.start))
    }

    /// Whether the value ends a key by which data is kept (`queue:yousign:jobs:VALUE`), which no name of a credential precedes: a
    /// long one, or one in a list of such keys.
    pub(crate) fn ends_key_of_data(&self, span: Span) -> bool {
        const WORDS: usize = 3;
        const LINES: usize = 4;
        const LONGEST: usize = 400;
        let page = self.page;
        let line = page.lines.around(span.start);
        let from = line.start.max(span.start.saturating_sub(200));
        let is_part = |byte: &u8| lex::is_name(*byte) || b":-.{}".contains(byte);
        let before = &page.text[from..span.start];
        let length = before.iter().rev().take_while(|byte| is_part(byte)).count();
        let key = &before[before.len() - length..];
        let vocabulary = page.vocabulary();
        // `GET yousign:token:VALUE`
        let is_asked = || {
            let command = before[..before.len() - length].strip_suffix(b" ").unwrap_or_default();
            let letters = command.iter().rev().take_while(|byte| byte.is_ascii_uppercase());
            let command = command[command.len() - letters.count()..].to_ascii_lowercase();
            vocabulary.data_command.contains(&*String::from_utf8_lossy(&command))
        };
        if key.ends_with(b":") && key.len() > 1 && is_asked() {
            return true;
        }
        let is_credential = |word: &str| vocabulary.credential.contains(word);
        if !key.ends_with(b":") || lex::any_subword(key, is_credential) {
            return false;
        }
        let is_key = |line: &Span| {
            let text = page.slice(*line).trim_ascii();
            let value = text.rsplit(|byte| *byte == b':').next().unwrap_or(text);
            line.len() < LONGEST
                && text.iter().all(is_part)
                && (16..text.len()).contains(&value.len())
        };
        let beside = || {
            let above = page.lines.above(line).take(LINES);
            above.chain(page.lines.below(line).take(LINES)).filter(is_key).count()
        };
        memchr::memchr_iter(b':', key).count() >= WORDS || is_key(&line) && beside() >= LINES
    }

    /// Whether the next argument of the value's call is a digest of something (`assertSame('VALUE', md5($body))`).
    pub(crate) fn is_compared_with_digest(&self, span: Span) -> bool {
        const REACH: usize = 60;
        let text = self.page.text;
        let behind = &text[span.end..text.len().min(span.end + REACH)];
        let gap = behind.iter().take_while(|byte| b"\"'`, ".contains(byte)).count();
        let length = behind[gap..].iter().take_while(|byte| lex::is_name(**byte)).count();
        let function = behind[gap..gap + length].to_ascii_lowercase();
        behind[..gap].contains(&b',')
            && behind[gap + length..].starts_with(b"(")
            && self.page.vocabulary().digest.contains(&*String::from_utf8_lossy(&function))
    }

    /// Whether a comment behind the value, in its line, calls it a digest (`"VALUE",  # md5 of contract.pdf`).
    pub(crate) fn is_commented_as_digest(&self, span: Span) -> bool {
        const REACH: usize = 60;
        let is_digest = |word: &str| self.page.vocabulary().digest.contains(word);
        let comment =
            self.comment_behind(span, REACH).filter(|_| !has_both_cases(self.page.slice(span)));
        comment.is_some_and(|comment| {
            let words = self.page.slice(comment).split(|byte| !lex::is_name(*byte));
            let mut words = words.filter(|word| !word.is_empty()).take(2);
            words.any(|word| lex::any_subword(word, is_digest))
        })
    }

    /// Whether words of prose call what could be a digest a key by which data is kept (`cache key VALUE`).
    pub(crate) fn is_called_key_of_data(&self, label: &Label, span: Span) -> bool {
        let (first, rest) = label.text.split_once(' ').unwrap_or_default();
        !has_both_cases(self.page.slice(span))
            && rest.split(' ').next() == Some("key")
            && self.page.vocabulary().data_key.contains(&first.to_lowercase())
    }

    /// Whether a sibling is the id of an OAuth client (`"clientId": …, "secret": VALUE`), which the provider has none of.
    fn stands_by_client_id(&self, span: Span) -> bool {
        let around = self.page.slice(context::siblings(self.page.text, span));
        let mut before = String::new();
        lex::any_said(around, |word| {
            let is_id = word == "id" && before == "client";
            before.clear();
            before.push_str(word);
            is_id
        })
    }

    /// Whether a block, a call or a later use of the name says that the value is the provider's; names of other settings beside
    /// it say nothing.
    fn is_tied_closely(&self, label: &Label, context: &Context) -> bool {
        let mentions = &self.page.mentions;
        let callee = |callee: Span| mentions.within(lex::word_around(self.page.text, callee));
        let own = context.statement.unwrap_or(Span::new(0, 0));
        context.blocks.iter().any(|block| mentions.within(block.header) && self.heads_value(block))
            || self.has_sibling_of_ours(own, context)
            || context.callee.is_some_and(callee)
            || self.page.file_names_provider()
            || self.page.is_named_with_provider(lex::last_part(label.text.as_bytes()), own)
    }

    /// Whether a setting beside that of the statement, in the same block and indented alike, has the provider's name or host.
    fn has_sibling_of_ours(&self, statement: Span, context: &Context) -> bool {
        const LINES: usize = 8;
        const LONGEST: usize = 1_000;
        let page = self.page;
        if !context.blocks.first().is_some_and(|block| block.is_data) {
            return false;
        }
        let own = page.lines.around(statement.end.saturating_sub(1).max(statement.start));
        let level = |line: Span| items::column(page.slice(line)).map(|(column, _)| column);
        let is_beside = |line: &Span| {
            line.len() < LONGEST && level(*line).is_none_or(|column| Some(column) == level(own))
        };
        // `yousign_url` among all parameters says nothing of the others.
        let says_so = |line: Span| {
            let Some(at) = memchr::memchr2(b':', b'=', page.slice(line)) else { return false };
            let name = Span::new(line.start, line.start + at);
            page.mentions.within(Span::new(name.end, line.end))
                && !page.mentions.within(name)
                && (lex::subwords(page.slice(name)).len() == 1 || self.is_generic(page.slice(name)))
        };
        let above = page.lines.above(own).take(LINES).take_while(is_beside);
        let below = page.lines.below(own).take(LINES).take_while(is_beside);
        above.chain(below).any(says_so)
    }

    /// Whether what names the provider in a block's header is not a line of other code above it.
    fn heads_value(&self, block: &Block) -> bool {
        self.page.text.get(block.start) != Some(&b'(')
            || self.page.mentions.within(own_line(self.page, block))
    }

    /// Whether a value that could be a digest is the `key` of an element in JSX.
    pub(crate) fn is_list_key(&self, span: Span) -> bool {
        let name = self.page.file_name();
        let is_jsx = [b".jsx".as_slice(), b".tsx", b".js"].iter().any(|end| name.ends_with(end));
        let line = self.page.lines.around(span.start);
        let before = &self.page.text[line.start.max(span.start.saturating_sub(200))..span.start];
        let tag = memchr::memrchr2(b'<', b'>', before).map(|at| &before[at..]);
        let is_tag = tag.is_some_and(|tag| {
            tag.first() == Some(&b'<') && tag.get(1).is_some_and(u8::is_ascii_alphabetic)
        });
        let ends = [b" key=\"".as_slice(), b" key='", b" key={\"", b" key={'"];
        let is_hex = could_be_digest(self.page.slice(span));
        is_jsx && is_hex && is_tag && ends.iter().any(|end| before.ends_with(end))
    }

    /// Whether the value, in quotes, has a colon behind it, as names in JSON have.
    pub(crate) fn is_quoted_key(&self, span: Span) -> bool {
        self.page.text.get(span.end) == Some(&b'"') && self.page.is_key(span.end)
    }

    /// Whether a value that could be a digest is a name in JSON at another place near by, as those of hashed messages are.
    pub(crate) fn is_key_elsewhere(&self, span: Span) -> bool {
        const REACH: usize = 16 * 1024;
        let token = self.page.slice(span);
        if !could_be_digest(token) {
            return false;
        }
        let start = span.start.saturating_sub(REACH);
        let window = &self.page.text[start..self.page.text.len().min(span.end + REACH)];
        let places = memchr::memmem::find_iter(window, token).map(|at| start + at);
        let mut ends = places.filter(|at| *at != span.start).map(|at| at + token.len());
        ends.any(|end| self.page.text.get(end) == Some(&b'"') && self.page.is_key(end))
    }

    /// Weighs a digest's name in the statement of a value that could be one (`md5($x) === 'VALUE'`).
    pub(crate) fn weigh_digest(
        &self,
        span: Span,
        label: Option<&Label>,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let is_ours =
            label.is_some_and(|label| label.names_provider && label.meaning == Meaning::Credential);
        let Some(statement) = context.statement.filter(|_| !is_ours) else { return };
        if has_both_cases(self.page.slice(span)) {
            return;
        }
        let is_digest = |word: &str| self.page.vocabulary().digest.contains(word);
        if lex::any_said(&self.page.text[statement.start..span.start], is_digest) {
            verdict.add(self.weights.digest_nearby, "its statement speaks of a digest");
        }
    }

    /// The data block around a value that could be a digest whose name says that it holds digests (`RETIRED_MD5 = {`).
    pub(crate) fn block_of_digests(&self, span: Span, context: &Context) -> Option<String> {
        let digest = &self.page.vocabulary().digest;
        let is_plain = could_be_digest(self.page.slice(span));
        let blocks = context.blocks.iter().take(3).filter(|block| is_plain && block.is_data);
        let mut names = blocks.filter_map(|block| self.namer.header_name(block));
        // A `hash` of Perl and Ruby holds anything.
        let is_digest = |word: &str| word != "hash" && digest.contains(word);
        let name = names.find(|name| lex::any_subword(name, is_digest))?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// Whether a parenthesis opens right behind a value without quotes, as where a function is defined or called.
    pub(crate) fn is_function(&self, span: Span) -> bool {
        let text = self.page.text;
        let is_open =
            span.start.checked_sub(1).is_none_or(|at| !matches!(text[at], b'"' | b'\'' | b'`'));
        text[span.start].is_ascii_alphabetic() && text.get(span.end) == Some(&b'(') && is_open
    }

    /// Whether the value is what a form sends back with itself (`<input type="hidden" name="_token" value="…">`).
    pub(crate) fn is_form_state(&self, label: &Label, span: Span) -> bool {
        let tag = self.page.slice(context::siblings(self.page.text, span));
        let is_sent = || {
            let quoted = [b"'_token'".as_slice(), b"\"_token\""];
            !self.page.is_code()
                || quoted.iter().any(|name| memchr::memmem::find(tag, name).is_some())
        };
        // Frameworks of PHP call it so wherever it is sent; in programs it is also a private variable.
        label.text == "_token" && is_sent()
            || label.words == ["token"] && memchr::memmem::find(tag, b"hidden").is_some()
    }

    /// Whether a password's siblings are those of a database's.
    pub(crate) fn is_for_database(&self, span: Span) -> bool {
        let around = self.in_record(context::siblings(self.page.text, span), span);
        let is_field = |word: &str| self.page.vocabulary().database_field.contains(word);
        !self.page.mentions.within_any(around, |mention| mention.host.is_some())
            && around
                .without(span)
                .into_iter()
                .any(|part| lex::any_said(self.page.slice(part), is_field))
    }

    /// What of `around` is written in lines of markup that begin like the value's, if that begins with a tag.
    fn in_record(&self, around: Span, span: Span) -> Span {
        let page = self.page;
        let own = page.lines.around(span.start);
        let tag = lex::leading_tag(page.slice(own));
        if tag.is_empty() {
            return around;
        }
        let is_alike = |line: &Span| page.slice(*line).trim_ascii_start().starts_with(tag);
        let above =
            page.lines.above(own).take_while(|line| line.end > around.start && is_alike(line));
        let below =
            page.lines.below(own).take_while(|line| line.start < around.end && is_alike(line));
        let start = above.last().unwrap_or(own).start.max(around.start);
        let end = below.last().unwrap_or(own).end.min(around.end);
        Span::new(start.min(span.start), end.max(span.end))
    }

    /// Whether a name ends as files of a project do (`YousignClient.php`).
    pub(crate) fn is_file_name(&self, name: &[u8]) -> bool {
        let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
        let ending = dot.map(|dot| String::from_utf8_lossy(&name[dot + 1..]).to_ascii_lowercase());
        ending.is_some_and(|ending| self.page.vocabulary().file_ending.contains(&ending))
    }
}
