//! Whether a value looks drawn at random or written by a person: a likelihood ratio, not bare entropy.
//!
//! The text model is a table of letter pairs, counted over identifiers and prose of public Rust packages and some
//! French words, mixed with word starts so that joined words stay likely.

/// Tenths of bits a value must stay below. Of 20 million random base62 draws of 32, 13 reach it; joined English words lie above
/// 250.
const TEXT_LIMIT: i32 = 150;
/// The same for each letter of a value without digits: names of variables lie above 5, one random value in 100, too.
const WORDS: i32 = 3;
/// Pairs of neighbours like `ab`, `21` or `ee` out of 31 from which a base62 value is a sequence (expected: 1.5).
const BASE62_STEPS: usize = 12;
/// The same for hexadecimal digits (expected: 5.3; a random key reaches 19 once in ten million draws, which the test met).
const HEX_STEPS: usize = 21;

/// Why a value does not look random, if so.
pub(crate) fn objection(value: &[u8]) -> Option<&'static str> {
    let is_hex = value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if distinct(value) < if is_hex { 6 } else { 10 }.min(value.len() / 2) {
        return Some("few different characters");
    }
    if is_periodic(value) {
        return Some("repeats itself");
    }
    // Of hexadecimal digits two are commands, too: one key in 30,000 would be made of them and of numbers.
    if !is_hex && is_outline(value) {
        return Some("is the outline of a drawing");
    }
    let limit = if is_hex { HEX_STEPS } else { BASE62_STEPS };
    let is_sequence = |lag: usize| {
        let pairs = value.iter().zip(value.iter().skip(lag));
        let steps = pairs.filter(|(left, right)| left.abs_diff(**right) <= 1).count();
        steps * 31 >= limit * value.len().saturating_sub(lag)
    };
    // `abcdef…`, and `a1b2c3…`.
    if is_sequence(1) || is_sequence(2) {
        return Some("is a sequence");
    }
    if is_camel_case(value) {
        return Some("reads like words");
    }
    if !is_hex
        && text_likelihood(value) * 32
            > TEXT_LIMIT * i32::try_from(value.len()).unwrap_or(i32::MAX / 1024).max(16)
    {
        return Some("reads like words");
    }
    None
}

/// Whether a long name is nothing but words: letters of which no two capitals stand together, and which make some. Of 20 million
/// random base62 values of 32 the former are so in 113, and none of these is the latter.
fn is_camel_case(value: &[u8]) -> bool {
    const SHORTEST: usize = 30;
    let is_both_upper = |pair: &[u8]| pair.iter().all(u8::is_ascii_uppercase);
    value.len() >= SHORTEST
        && value.iter().all(u8::is_ascii_alphabetic)
        && !value.windows(2).any(is_both_upper)
        && !reads_drawn(value)
}

/// Whether a key only tells entries apart, as `bTX7w` does: no word, with capitals and digits in the middle.
pub(crate) fn is_entry_id(key: &[u8]) -> bool {
    const LONGEST: usize = 8;
    let has = |test: fn(&u8) -> bool| key.iter().any(test);
    key.len() <= LONGEST
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}

/// Whether letters alone look drawn at random: ten or more, with capitals among the others, that make no words.
pub(crate) fn looks_drawn(value: &[u8]) -> bool {
    let mut pairs = value.windows(2);
    value.len() >= 10
        && value.iter().all(u8::is_ascii_alphabetic)
        && pairs.any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        && reads_drawn(value)
}

/// Whether letters make no words.
fn reads_drawn(letters: &[u8]) -> bool {
    text_likelihood(letters) < WORDS * i32::try_from(letters.len()).unwrap_or(i32::MAX / 1024)
}

/// Whether a value could be a digest, which programs write in lowercase.
pub(crate) fn could_be_digest(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_uppercase)
}

/// Whether a word is no name but a value like those that are searched: digits stand here and there in it.
pub(crate) fn is_drawn(word: &[u8]) -> bool {
    const SHORTEST: usize = 24;
    const CHANGES: usize = 4;
    const LONG: usize = 30;
    if word.len() < SHORTEST || !word.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let changes =
        word.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit());
    let is_mixed = !could_be_digest(word) && word.iter().any(u8::is_ascii_digit);
    // Letters alone, as one key in three hundred is, with capitals side by side.
    let is_both_upper = |pair: &[u8]| pair.iter().all(u8::is_ascii_uppercase);
    let is_jumble = word.len() >= LONG
        && word.iter().any(u8::is_ascii_lowercase)
        && word.windows(2).any(is_both_upper);
    changes.count() >= CHANGES || (is_mixed || is_jumble) && objection(word).is_none()
}

/// Tenths of bits by which `value` is likelier as words than as random letters and digits.
pub(crate) fn text_likelihood(value: &[u8]) -> i32 {
    value.windows(2).map(|pair| pair_likelihood(pair[0], pair[1])).sum()
}

fn pair_likelihood(left: u8, right: u8) -> i32 {
    let letters = i32::from(PAIRS[class(left)][class(right)]);
    // A given letter of either case has 2 of 62 chances, all digits together 10 of 62.
    let random = if right.is_ascii_digit() { -26 } else { -50 };
    let case = match (left.is_ascii_alphabetic(), right.is_ascii_alphabetic()) {
        (true, true) if left.is_ascii_uppercase() == right.is_ascii_uppercase() => 7,
        (true, true) => -15,
        _ => 0,
    };
    letters - random + case
}

fn class(byte: u8) -> usize {
    if byte.is_ascii_alphabetic() { usize::from(byte.to_ascii_lowercase() - b'a') } else { 26 }
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Whether the value is nearly the same when shifted by up to half its length.
fn is_periodic(value: &[u8]) -> bool {
    (1..=value.len() / 2).any(|shift| {
        let pairs = value.len() - shift;
        let equal =
            value.iter().zip(&value[shift..]).filter(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        equal * 4 >= pairs * 3
    })
}

/// Whether the value could stand in the outline of an SVG drawing (`0V192H192v128h128v64`): single commands between numbers.
fn is_outline(value: &[u8]) -> bool {
    let is_command = |byte: &u8| b"mlhvcsqta".contains(&byte.to_ascii_lowercase());
    let ends = |byte: &u8| byte.eq_ignore_ascii_case(&b'z');
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic());
    let follows =
        |pair: &[u8]| pair[1].is_ascii_digit() || pair[0].is_ascii_digit() || ends(&pair[0]);
    letters.clone().count() >= 4
        && letters.clone().all(|byte| is_command(byte) || ends(byte))
        && value.windows(2).all(follows)
}

/// Ten times the base-2 logarithm of the chance that the second letter follows the first; row and column 26 are digits.
#[rustfmt::skip]
const PAIRS: [[i8; 27]; 27] = [
    [-61, -46, -39, -42, -62, -61, -51, -77, -49, -97, -70, -35, -47, -38, -79, -45, -98, -34, -38, -29, -60, -64, -67, -70, -65, -86, -31],
    [-35, -53, -44, -53, -38, -55, -75, -79, -37, -71, -84, -33, -60, -68, -45, -61, -98, -47, -44, -59, -39, -72, -80, -86, -53, -94, -21],
    [-35, -59, -49, -56, -35, -57, -58, -39, -49, -98, -42, -47, -60, -66, -30, -56, -87, -47, -46, -38, -55, -65, -77, -83, -78, -104, -28],
    [-40, -54, -51, -43, -23, -52, -65, -70, -32, -81, -86, -52, -60, -66, -47, -56, -84, -43, -42, -59, -50, -65, -71, -82, -78, -100, -25],
    [-45, -60, -42, -36, -50, -51, -58, -75, -58, -95, -77, -47, -49, -36, -67, -51, -70, -28, -34, -38, -67, -58, -66, -49, -76, -99, -32],
    [-40, -55, -48, -45, -41, -36, -65, -78, -32, -105, -87, -38, -60, -59, -38, -56, -93, -46, -42, -53, -54, -79, -76, -86, -76, -102, -23],
    [-45, -58, -56, -61, -22, -63, -60, -45, -37, -104, -76, -51, -54, -40, -52, -54, -79, -35, -36, -57, -44, -69, -73, -78, -73, -77, -35],
    [-26, -62, -57, -53, -24, -64, -74, -75, -32, -99, -76, -59, -51, -64, -33, -60, -95, -44, -48, -45, -48, -75, -62, -88, -64, -67, -37],
    [-49, -57, -42, -43, -51, -49, -46, -82, -66, -97, -80, -45, -45, -24, -35, -51, -93, -51, -40, -34, -74, -55, -81, -66, -115, -50, -37],
    [-35, -64, -61, -70, -24, -60, -61, -81, -38, -104, -46, -72, -58, -65, -30, -47, -89, -66, -29, -51, -39, -82, -82, -81, -98, -93, -37],
    [-44, -51, -54, -48, -19, -54, -61, -64, -30, -97, -84, -53, -61, -53, -56, -54, -89, -52, -34, -46, -57, -69, -65, -93, -77, -87, -35],
    [-33, -66, -56, -47, -26, -58, -71, -77, -28, -105, -61, -37, -62, -66, -34, -58, -92, -61, -48, -46, -49, -68, -76, -93, -45, -94, -37],
    [-26, -49, -56, -57, -26, -63, -71, -73, -35, -104, -74, -60, -48, -65, -41, -33, -95, -59, -41, -54, -44, -72, -79, -84, -76, -99, -36],
    [-41, -66, -40, -35, -35, -48, -33, -73, -43, -91, -59, -60, -64, -58, -42, -58, -92, -59, -36, -30, -55, -59, -77, -84, -76, -82, -38],
    [-58, -58, -36, -45, -64, -55, -59, -78, -56, -87, -65, -44, -41, -27, -53, -42, -101, -30, -43, -46, -42, -57, -50, -74, -94, -100, -36],
    [-30, -66, -54, -61, -30, -61, -65, -57, -42, -103, -74, -40, -62, -69, -38, -40, -91, -30, -43, -41, -49, -69, -71, -83, -71, -106, -36],
    [-54, -54, -55, -46, -46, -59, -62, -76, -51, -100, -82, -47, -62, -50, -71, -54, -80, -47, -44, -59, -12, -77, -77, -91, -106, -75, -34],
    [-32, -64, -49, -51, -23, -60, -58, -80, -35, -105, -63, -61, -50, -54, -35, -56, -87, -45, -40, -44, -55, -64, -71, -84, -55, -99, -37],
    [-49, -65, -42, -63, -27, -64, -62, -45, -31, -101, -64, -58, -56, -62, -48, -44, -83, -58, -39, -27, -45, -71, -68, -82, -58, -79, -36],
    [-36, -65, -48, -60, -26, -54, -72, -47, -29, -104, -79, -56, -57, -65, -42, -54, -91, -34, -40, -49, -51, -70, -74, -70, -50, -92, -36],
    [-49, -49, -45, -59, -43, -51, -60, -83, -45, -102, -89, -41, -41, -28, -69, -41, -99, -38, -32, -32, -74, -79, -82, -75, -109, -92, -34],
    [-27, -64, -54, -60, -17, -54, -69, -72, -32, -104, -91, -57, -53, -63, -52, -56, -87, -59, -46, -55, -72, -77, -76, -66, -93, -91, -30],
    [-29, -64, -51, -52, -35, -59, -71, -45, -30, -93, -85, -51, -55, -36, -38, -53, -85, -36, -39, -54, -63, -76, -75, -72, -96, -100, -38],
    [-54, -55, -48, -56, -52, -54, -77, -79, -59, -106, -93, -72, -68, -73, -73, -51, -93, -66, -58, -52, -74, -81, -81, -78, -94, -106, -5],
    [-51, -49, -47, -59, -47, -52, -65, -69, -47, -88, -81, -49, -43, -38, -49, -25, -91, -52, -31, -34, -70, -59, -62, -90, -67, -72, -36],
    [-42, -69, -61, -65, -9, -64, -66, -71, -39, -100, -85, -61, -62, -69, -50, -65, -81, -66, -53, -69, -69, -81, -75, -89, -58, -60, -37],
    [-54, -55, -53, -55, -54, -54, -80, -84, -69, -105, -92, -78, -71, -76, -76, -67, -103, -69, -60, -70, -71, -83, -84, -33, -117, -107, -6],
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_sequences_are_no_random_values() {
        for value in [
            "ThisIsNotARealKeyButAPlaceholder",
            "getSignatureRequestDocumentsById",
            "YousignWebhookSignatureValidator",
            "votreCleYousignApiIciARemplacer1",
            "abcdefghijklmnopqrstuvwxyzABCDEF",
            "1234567890abcdef1234567890abcdef",
            "deadbeefdeadbeefdeadbeefdeadbeef",
            "0123456789abcdef0123456789abcdef",
            "00000000000000000000000000000000",
            "0V192H192v128h128v64H192v128a320",
        ] {
            assert!(
                objection(value.as_bytes()).is_some(),
                "{value}: {}",
                text_likelihood(value.as_bytes())
            );
        }
    }

    #[test]
    fn a_hexadecimal_key_of_commands_and_numbers_is_no_outline() {
        let key = "03416710c9605318-a75270a64808655c".replace('-', "");
        assert!(is_outline(key.as_bytes()));
        assert_eq!(objection(key.as_bytes()), None);
    }

    const BASE62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const HEX: &[u8] = b"0123456789abcdef";

    /// 32 characters, each as likely as any other; a class such as `[A-Za-z0-9]` would draw a third of them from the digits.
    fn drawn(alphabet: &'static [u8]) -> impl Strategy<Value = String> {
        let letter = (0..alphabet.len()).prop_map(|at| char::from(alphabet[at]));
        proptest::collection::vec(letter, 32).prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn random_keys_look_random(key in drawn(BASE62), hex in drawn(HEX)) {
            prop_assert_eq!(objection(hex.as_bytes()), None);
            // One random key in a million may read like words; that is not worth a flaky test.
            prop_assert!(text_likelihood(key.as_bytes()) < 260);
        }

        /// A random key of a test had letters alone and no two capitals together, and was taken for a name.
        #[test]
        fn letters_that_make_no_words_are_no_name(key in "([qzjkxvw]{2}[QZJKXVW]){11}") {
            prop_assert_ne!(objection(key.as_bytes()), Some("reads like words"));
        }
    }
}
