//! Short quotes of a text for the evidence, never with a value in them.

/// A name as evidence may quote it: never with the value in it.
pub(crate) fn visible(name: &str, value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    name.replace(&*value, "…")
}

/// A header as evidence may quote it: no runs that could be a secret, at most 40 characters.
pub(crate) fn excerpt(header: &[u8]) -> String {
    const LONGEST: usize = 20;
    let text = String::from_utf8_lossy(header);
    let mut shown = String::new();
    for word in text.split_whitespace() {
        shown.push_str(if shown.is_empty() { "" } else { " " });
        for part in word.split_inclusive(|letter: char| !letter.is_alphanumeric()) {
            shown.push_str(if part.len() < LONGEST || word.len() < 32 { part } else { "…" });
        }
    }
    shown.chars().filter(|character| !character.is_control()).take(40).collect()
}
