//! Values that a console or an assembly listing shows: what names them stands in another line, above or below.

use super::Page;
use super::lex;
use super::rivals::Rivals;
use crate::location::Span;

/// Bytes of a line in which its prompt must end.
const LONGEST_PROMPT: usize = 60;
/// Bytes that may stand before an answer in its line.
const LONGEST_MARK: usize = 40;
/// Bytes that may stand before a value in its instruction.
const LONGEST_INSTRUCTION: usize = 80;
/// Bytes of what stands before a message in a chat.
const LONGEST_SENDER: usize = 80;
/// Bytes of a message behind the value that it hands over.
const LONGEST_REST: usize = 160;
/// Messages before one that are read.
const MAX_MESSAGES: usize = 8;
/// Bytes in which the messages before one are looked for.
const MESSAGE_REACH: usize = 1_500;
/// Bytes of a line before a value in its comment.
const LONGEST_COMMENTED: usize = 300;
/// Lines below an instruction in which its register is looked for.
const MAX_INSTRUCTIONS: usize = 8;

/// The question whose answer the value's line is (`>>> os.environ["NAME"]`), without its prompt.
pub(crate) fn question(page: &Page<'_>, span: Span) -> Option<Span> {
    let line = page.lines.around(span.start);
    let above = page.lines.above(line).next()?;
    let is_short = span.start - line.start < LONGEST_MARK && above.len() < 400;
    if !is_short || !is_answer(page, line, span) {
        return None;
    }
    let prompt = prompt(page, page.slice(above))?;
    Some(Span::new(above.start + prompt, above.end))
}

/// The header of the form field whose content the value is (`form-data; name="NAME"`, a blank line, VALUE).
pub(crate) fn form_field(page: &Page<'_>, span: Span) -> Option<Span> {
    let own = page.lines.around(span.start);
    let mut above = page.lines.above(own);
    above.next().filter(|line| page.slice(*line).trim_ascii().is_empty())?;
    let field = above
        .take(3)
        .find(|line| memchr::memmem::find(page.slice(*line), b"form-data;").is_some())?;
    let name = memchr::memmem::find(page.slice(field), b"name=")?;
    is_alone(page, own, span).then(|| Span::new(field.start + name + 5, field.end))
}

/// The message before the one that is nothing but the value (`[date, time] Name: VALUE`), or hands it over (`Name: here it is: VALUE`).
pub(crate) fn chat(page: &Page<'_>, rivals: &Rivals, span: Span) -> Option<Span> {
    let own = page.lines.around(span.start);
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`".contains(byte);
    let quotes = page.text[own.start..span.start].iter().rev().take_while(|byte| is_edge(byte));
    let start = span.start - quotes.count();
    let is_sender_before = |end: usize| is_sender(page, Span::new(own.start, end));
    let is_message = page.text[span.end..own.end].iter().all(is_edge)
        && (is_sender_before(start) || is_sender_before(handover(page, own, start)));
    let messages = page.lines.above(own).take(MAX_MESSAGES).map_while(|line| {
        let said = memchr::memmem::find(page.slice(line), b": ").map(|at| line.start + at + 1)?;
        is_sender(page, Span::new(line.start, said)).then(|| Span::new(said, line.end))
    });
    about(page, rivals, messages.take(if is_message { MAX_MESSAGES } else { 0 }))
}

/// Where in a line the words begin with which somebody hands over what stands at `end`.
fn handover(page: &Page<'_>, line: Span, end: usize) -> usize {
    let before = &page.text[line.start.max(end.saturating_sub(LONGEST_SENDER))..end];
    let is_handing = |word: &[u8]| {
        let word = word.trim_ascii_end();
        let word = String::from_utf8_lossy(word.strip_suffix(b":").unwrap_or(word)).to_lowercase();
        word.is_empty() || page.vocabulary().handover.contains(&word)
    };
    let words = before.rsplit(|byte| b" ,'".contains(byte)).take_while(|word| is_handing(word));
    end - words.map(|word| word.len() + 1).sum::<usize>().min(before.len())
}

/// The nearest of some messages that speaks of the provider, unless one behind it speaks of another; or else the nearest.
fn about(page: &Page<'_>, rivals: &Rivals, messages: impl Iterator<Item = Span>) -> Option<Span> {
    let mut nearest = None;
    for message in messages {
        if page.mentions.within(message) {
            return Some(message);
        }
        if rivals.named_plainly_in(page.slice(message)) {
            return nearest;
        }
        nearest = nearest.or(Some(message));
    }
    nearest
}

/// The message before the one that holds the value and little else, in a chat's export (`"text": "… VALUE"`).
pub(crate) fn exported_chat(page: &Page<'_>, rivals: &Rivals, span: Span) -> Option<Span> {
    let line = page.lines.around(span.start);
    let reach = line.start.max(span.start.saturating_sub(LONGEST_SENDER));
    let before = &page.text[reach..span.start];
    let colon = ["\":\"", "\": \""].map(|colon| memchr::memmem::rfind(before, colon.as_bytes()));
    let open = reach + colon.into_iter().flatten().max()?;
    let key = page.text[..open].iter().rev().take(20).take_while(|byte| byte.is_ascii_lowercase());
    let key = Span::new(open - key.count(), open);
    let end = |start: usize| Some(start + memchr::memchr(b'"', &page.text[start..line.end])?);
    let said = Span::new(open, end(span.end)?);
    let is_message = page.vocabulary().message.contains(&*String::from_utf8_lossy(page.slice(key)))
        && span.start < said.start + LONGEST_SENDER
        && said.end < span.end + LONGEST_REST
        && !page.mentions.within(said)
        && !rivals.named_plainly_in(page.slice(said))
        && !says_of_what(page, rivals, &page.text[said.start..span.start]);
    is_message.then_some(())?;
    let floor = key.start.saturating_sub(MESSAGE_REACH);
    let opening = [b"\"", page.slice(key), b"\":"].concat();
    let before = page.text[floor..key.start].strip_suffix(b"\"")?;
    let messages = memchr::memmem::rfind_iter(before, &opening).map_while(|at| {
        let behind = &before[at + opening.len()..];
        let gap = behind.iter().take_while(|byte| matches!(byte, b' ' | b'"')).count();
        let length = memchr::memchr(b'"', &behind[gap..])?;
        let start = floor + at + opening.len() + gap;
        Some(Span::new(start, start + length))
    });
    about(page, rivals, messages.take(MAX_MESSAGES))
}

/// Whether what is said before a value tells itself what that is: a digest (`le md5 VALUE`), or somebody else's (`et pour Acme : VALUE`).
fn says_of_what(page: &Page<'_>, rivals: &Rivals, said: &[u8]) -> bool {
    let vocabulary = page.vocabulary();
    let lower = |word: &[u8]| String::from_utf8_lossy(word).to_lowercase();
    // Who is spoken to (`<@U02ABCD>`) is nobody's name.
    let words = said.split(|byte| !lex::is_name(*byte) && *byte != b'@');
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty() && word[0] != b'@').collect();
    let is_name = |at: usize| {
        let word = lower(words[at]);
        let is_last = at + 1 == words.len();
        let before = at.checked_sub(1).map(|before| lower(words[before]));
        // `Acme c'est VALUE`
        let is_told = || words.get(1).is_some_and(|next| vocabulary.telling.contains(&lower(next)));
        words[at][0].is_ascii_uppercase()
            && (at > 0 || words[at].len() > 2 && !vocabulary.handover.contains(&word) && is_told())
            && !vocabulary.credential.contains(&word)
            && (!vocabulary.neutral.contains(&word) || rivals.named_in(words[at]))
            && (at == 0
                || is_last
                || before.is_some_and(|before| vocabulary.belonging.contains(&before)))
    };
    (0..words.len()).any(|at| vocabulary.digest.contains(&lower(words[at])) || is_name(at))
}

/// The line above a value that is alone in its own, if it is the beginning of a sentence about the provider (`la clé Yousign est`).
pub(crate) fn announced(page: &Page<'_>, span: Span) -> Option<Span> {
    let own = page.lines.around(span.start);
    let is_said = is_alone(page, own, span) && !page.is_code();
    let above = page.lines.above(own).next().filter(|_| is_said)?;
    let ends = page.slice(above).trim_ascii_end().last()?.is_ascii_alphanumeric();
    (ends && page.mentions.within(above)).then_some(above)
}

/// The line that is a title of a value alone in its own, or alone in a block between fences (`### NAME`, a fence, VALUE).
pub(crate) fn title(page: &Page<'_>, span: Span) -> Option<Span> {
    const LONGEST: usize = 60;
    const BLANK: usize = 3;
    let own = page.lines.around(span.start);
    (is_alone(page, own, span) && !page.is_code()).then_some(())?;
    let mut above = page.lines.above(own).peekable();
    let text = |line: &Span| page.slice(*line).trim_ascii();
    let is_fence = |line: &Span| text(line).starts_with(b"```") || text(line).starts_with(b"~~~");
    let line = if above.peek().is_some_and(is_fence) {
        above.skip(1).take(BLANK).find(|line| !text(line).is_empty())?
    } else {
        above.next().filter(|line| !text(line).ends_with(b":"))?
    };
    let is_word =
        |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b" '#*_-():".contains(byte);
    (line.len() < LONGEST && text(&line).iter().all(is_word)).then_some(line)
}

/// The line above the one that tells the length of the value, which is alone in its line, as Redis writes its commands.
pub(crate) fn counted(page: &Page<'_>, span: Span) -> Option<Span> {
    let own = page.lines.around(span.start);
    let mut above = page.lines.above(own);
    let count = page.slice(above.next()?).trim_ascii().strip_prefix(b"$")?;
    let is_count = str::from_utf8(count).ok()?.parse() == Ok(span.len());
    above.next().filter(|_| is_count && is_alone(page, own, span))
}

/// Whether a line holds nothing but the value.
fn is_alone(page: &Page<'_>, line: Span, span: Span) -> bool {
    page.slice(line).trim_ascii().len() == span.len()
}

/// Whether a part of a line is a time and somebody's name with a colon behind it, and does not speak of the provider.
fn is_sender(page: &Page<'_>, part: Span) -> bool {
    let text = page.slice(part).trim_ascii_end();
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let begins = text.first().is_some_and(|byte| *byte == b'[' || byte.is_ascii_digit());
    // French has a space before the colon.
    let name = text.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
    let is_part =
        |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80 || b" -'.()".contains(byte);
    let length = name.iter().rev().take_while(|byte| is_part(byte)).count();
    let mut words = name[name.len() - length..].trim_ascii_start().split(|byte| *byte == b' ');
    let is_name = |word: &[u8]| word.first().is_some_and(|byte| !byte.is_ascii_lowercase());
    begins
        && digits >= 4
        && text.len() < LONGEST_SENDER
        && words.all(is_name)
        && !page.mentions.within(part)
}

/// What the comment behind a value, in which the one before it stands (`NAME=… # was: VALUE`), is behind.
pub(crate) fn former(page: &Page<'_>, span: Span) -> Option<Span> {
    let line = page.lines.around(span.start);
    let before =
        &page.text[line.start.max(span.start.saturating_sub(LONGEST_COMMENTED))..span.start];
    let mark = [b" #".as_slice(), b" //", b" --", b"\t#", b" ;"];
    let mark = mark.iter().filter_map(|mark| memchr::memmem::rfind(before, mark)).max()?;
    let mut words = before[mark + 2..].split(|byte| b" \t:=\"'`(-/#".contains(byte));
    let is_former = |word: &[u8]| {
        let word = String::from_utf8_lossy(word).to_lowercase();
        page.vocabulary().former.contains(&word)
    };
    let said = before[mark + 2..].iter().any(u8::is_ascii_alphabetic);
    let is_value = |byte: &u8| matches!(byte, b'=' | b':');
    let is_commented = said && words.all(|word| word.is_empty() || is_former(word));
    (is_commented && before[..mark].iter().any(is_value))
        .then(|| Span::new(span.start - before.len(), span.start - before.len() + mark))
}

/// Whether a line holds nothing but the value and what consoles put around an answer.
fn is_answer(page: &Page<'_>, line: Span, span: Span) -> bool {
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`".contains(byte);
    // What does not end its last line has the next prompt behind it.
    let behind = page.text[span.end..line.end].trim_ascii();
    let is_prompt =
        |sign: &String| behind.len() < LONGEST_PROMPT && behind.ends_with(sign.as_bytes());
    if !behind.iter().all(is_edge) && !page.vocabulary().prompt.iter().any(is_prompt) {
        return false;
    }
    let before = &page.text[line.start..span.start];
    let quotes = before.iter().rev().take_while(|byte| is_edge(byte)).count();
    // `Out[3]:` and `val res0: String =` are numbered.
    let mark = before[..before.len() - quotes].trim_ascii();
    let mark: Vec<u8> = mark.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect();
    mark.is_empty() || page.vocabulary().answer.iter().any(|answer| answer.as_bytes() == mark)
}

/// Bytes up to the end of the prompt that begins a line: up to three words of which the last ends in a sign such as `$`.
fn prompt(page: &Page<'_>, line: &[u8]) -> Option<usize> {
    let reach = &line[..line.len().min(LONGEST_PROMPT)];
    let mut words = 0;
    let mut begun = false;
    for (at, byte) in reach.iter().enumerate() {
        if !byte.is_ascii_whitespace() {
            begun = true;
            continue;
        }
        if !begun {
            continue;
        }
        let is_sign = |sign: &String| reach[..at].ends_with(sign.as_bytes());
        if page.vocabulary().prompt.iter().any(is_sign) {
            return (!line[at..].trim_ascii().is_empty()).then_some(at);
        }
        words += 1;
        begun = false;
        if words == 3 {
            return None;
        }
    }
    None
}

/// The instruction that uses what the value's one loads (`const-string v0, VALUE`): the next one with the same register, or
/// else the next one.
pub(crate) fn instruction(page: &Page<'_>, span: Span) -> Option<Span> {
    let line = page.lines.around(span.start);
    if span.start - line.start > LONGEST_INSTRUCTION {
        return None;
    }
    let before = page.text[line.start..span.start].split(u8::is_ascii_whitespace);
    // Offsets and labels stand before the instruction.
    let is_offset = |word: &[u8]| word.ends_with(b":") || word.iter().all(u8::is_ascii_digit);
    let mut words = before.skip_while(|word| is_offset(word));
    let loads = String::from_utf8_lossy(words.next()?).to_ascii_lowercase();
    if !page.vocabulary().loading.contains(&loads) {
        return None;
    }
    let register = words.next().and_then(|word| word.strip_suffix(b","));
    page.lines.below(line).take(MAX_INSTRUCTIONS).find(|line| match register {
        Some(register) => has_word(page.slice(*line), register),
        None => line.len() > 1,
    })
}

fn has_word(line: &[u8], word: &[u8]) -> bool {
    line.split(|byte| !byte.is_ascii_alphanumeric()).any(|part| part == word)
}
