//! Which parts of a long document are decoded. A pass at memory speed finds what is encoded as a text of its own
//! (base64, hexadecimal, UTF-16) or letter by letter; with what stands around these places and the reader's landmarks.

use memchr::memchr3_iter;

use super::families;
use crate::location::Span;

/// Bytes that are decoded on each side of a place.
const REACH: usize = 4 * 1024;
/// Bytes between two probes; no run that matters is shorter.
const STRIDE: usize = families::SHORTEST_RUN;

/// The places of what is encoded.
pub(super) fn encoded(text: &[u8]) -> Vec<Span> {
    let mut places = vec![];
    encoded_runs(text, &mut places);
    escapes(text, &mut places);
    places
}

/// The parts around places, in order and without overlaps.
pub(super) fn around(text: &[u8], mut landmarks: Vec<Span>) -> Vec<Span> {
    landmarks.sort_unstable();
    let parts = parts_around(text, &landmarks, REACH);
    if parts.iter().map(|part| part.len()).sum::<usize>() > text.len() / 2 {
        return vec![Span::new(0, text.len())];
    }
    parts
}

/// The parts of a text within `reach` bytes of `places`, which are sorted. No part begins or ends inside of a word.
#[must_use]
pub fn parts_around(text: &[u8], places: &[Span], reach: usize) -> Vec<Span> {
    let mut parts: Vec<Span> = vec![];
    for place in places {
        let start = place.start.saturating_sub(reach);
        let end = place.end + reach;
        match parts.last_mut() {
            Some(last) if start <= last.end => {
                if end > last.end {
                    last.end = boundary_behind(text, end);
                }
            }
            _ => {
                let floor = parts.last().map_or(0, |last| last.end);
                let start = boundary_before(text, start).max(floor);
                parts.push(Span::new(start, boundary_behind(text, end)));
            }
        }
    }
    parts
}

/// The nearest offset at or before `at` that cuts no run of letters and digits.
fn boundary_before(text: &[u8], at: usize) -> usize {
    let run = text[..at].iter().rev().take(REACH).take_while(|byte| is_glued(**byte)).count();
    at - run
}

/// The nearest offset at or behind `at` that cuts no run of letters and digits.
fn boundary_behind(text: &[u8], at: usize) -> usize {
    let at = at.min(text.len());
    at + text[at..].iter().take(REACH).take_while(|byte| is_glued(**byte)).count()
}

fn is_glued(byte: u8) -> bool {
    families::is_base64(byte) || byte >= 0x80 || matches!(byte, b'=' | b'%' | b'\\' | b'&')
}

/// Runs of base64 or hexadecimal that say a text or an archive, and runs of UTF-16.
fn encoded_runs(text: &[u8], places: &mut Vec<Span>) {
    let mut at = STRIDE - 1;
    while at < text.len() {
        if families::is_base64(text[at]) {
            let run = families::run_around(text, at, families::is_base64);
            if run.len() >= STRIDE && families::says_something(&text[run.start..run.end]) {
                places.push(run);
            }
            at = run.end + STRIDE;
        } else {
            if text[at] == 0 {
                let run = families::wide_run_around(text, at);
                if run.len() >= 2 * STRIDE {
                    places.push(run);
                    at = at.max(run.end);
                }
            }
            at += STRIDE;
        }
    }
}

/// Escapes that stand for letters or digits, and those right before a long run of them.
fn escapes(text: &[u8], places: &mut Vec<Span>) {
    let mut done = 0;
    for at in memchr3_iter(b'\\', b'%', b'&', text) {
        if at < done {
            continue;
        }
        let Some((length, character)) = families::escape_at(text, at) else { continue };
        let is_letter = character.is_some_and(|character| character.is_ascii_alphanumeric());
        if is_letter || begins_run(&text[at + length..]) {
            places.push(Span::new(at, at + length));
            // Further ones nearby are decoded with this one.
            done = at + REACH / 2;
        }
    }
}

fn begins_run(text: &[u8]) -> bool {
    text.len() >= STRIDE && text[..STRIDE].iter().all(u8::is_ascii_alphanumeric)
}
