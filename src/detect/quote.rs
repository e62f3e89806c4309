//! Short quotes of a text for the evidence, never with a value in them.

/// A name as evidence may quote it: never with the value in it.
pub(super) fn visible(name: &str, value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    name.replace(&*value, "…")
}

/// A header as evidence may quote it: words only, no long tokens, at most 40 characters.
pub(super) fn excerpt(header: &[u8]) -> String {
    let text = String::from_utf8_lossy(header);
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.len() < 32).collect();
    words.join(" ").chars().filter(|character| !character.is_control()).take(40).collect()
}
