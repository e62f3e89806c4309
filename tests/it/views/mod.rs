//! Every way in which a key may be written is read, and the finding points at what encodes the key in the original file.

mod files;
mod marked;
mod values;

use marked::Marked;
use signleak::blob::BlobPath;
use signleak::coverage::Coverage;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::rule::RuleSet;

use proptest::prelude::*;

use crate::support::key;

/// A document of some kind: its path, and how it is made of a key.
type Shape = (&'static str, &'static str, fn(&str) -> Marked);

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unicode(text: &str) -> String {
    text.bytes().map(|byte| format!("\\u{byte:04x}")).collect()
}

/// `YOUSIGN_API_KEY=KEY` in lines.
fn dotenv(key: &str) -> Marked {
    Marked::new("# keys\nAPP=1\nYOUSIGN_API_KEY=", key, "\nDEBUG=0\n")
}

/// JSON with the key two levels deep.
fn json(key: &str) -> Marked {
    Marked::new("{\n  \"yousign\": {\n    \"apiKey\": \"", key, "\"\n  },\n  \"debug\": false\n}\n")
}

/// `left`, the key's halves, `between` and `right`: a key in two literals.
fn halves(left: &str, key: &str, between: &str, right: &str) -> Marked {
    Marked::new(left, &format!("{}{between}{}", &key[..15], &key[15..]), right)
}

/// The key in four pieces, the last of one character.
fn pieces(left: &str, key: &str, between: &str, right: &str) -> Marked {
    let parts = [&key[..8], &key[8..20], &key[20..31], &key[31..]];
    Marked::new(left, &parts.join(between), right)
}

fn codes(key: &str, radix: impl Fn(u8) -> String) -> String {
    key.bytes().map(radix).collect::<Vec<_>>().join(", ")
}

/// The key's letters with `','` between them.
fn char_list(key: &str) -> String {
    key.chars().map(String::from).collect::<Vec<_>>().join("','")
}

fn reversed(key: &str) -> String {
    key.chars().rev().collect()
}

/// Judges one document: none if the key is found where it stands, or else what is wrong.
fn fault(detector: &Detector, shape: &Shape, key: &str) -> Option<String> {
    let (name, path, make) = shape;
    fault_in(detector, name, path, &make(key), key)
}

fn fault_in(
    detector: &Detector,
    name: &str,
    path: &str,
    document: &Marked,
    key: &str,
) -> Option<String> {
    let mut coverage = Coverage::default();
    let found =
        detector.candidates(&document.bytes, &BlobPath::new(path.as_bytes()), &mut coverage);
    let Some(candidate) = found.iter().find(|found| found.secret.expose() == key.as_bytes()) else {
        return Some(format!("{name}: not found ({} other values)", found.len()));
    };
    let region = candidate.region;
    let place = (region.line, region.column, region.end_line, region.end_column);
    if place != document.region() {
        return Some(format!("{name}: at {place:?} instead of {:?}", document.region()));
    }
    let member = candidate.member.as_ref().map(ToString::to_string);
    let is_inside = match (&member, &document.member) {
        (Some(member), Some(expected)) => member.ends_with(expected.as_str()),
        (None, None) => true,
        _ => false,
    };
    (!is_inside).then(|| format!("{name}: in {member:?} instead of {:?}", document.member))
}

fn detector() -> Detector {
    Detector::new(RuleSet::built_in().expect("built-in rules are valid"), Limits::default())
}

#[test]
fn every_view_is_read_and_points_at_the_original() {
    let detector = detector();
    let shapes = [values::ENCODINGS, values::LITERALS, files::FORMATS, files::NESTED].concat();
    let faults: Vec<String> =
        shapes.iter().filter_map(|shape| fault(&detector, shape, &key())).collect();
    assert!(faults.is_empty(), "{} of {}: {faults:#?}", faults.len(), shapes.len());
}

type Encode = fn(Marked) -> Marked;

/// Encodings of a whole text, in which no keyword stands as it is.
const WHOLE: &[(&str, Encode)] = &[
    ("plain", |text| text),
    ("UTF-16LE", |text| text.utf16(false, true)),
    ("UTF-16BE", |text| text.utf16(true, false)),
    ("UTF-32LE", |text| text.utf32(false, true)),
    ("base64", |text| text.base64().within("data: ", "\n")),
    ("base64 twice", |text| text.base64().base64().within("data: ", "\n")),
    ("hexadecimal", |text| text.each(|byte| format!("{byte:02x}")).within("0x", "\n")),
    ("percent", |text| text.each(|byte| format!("%{byte:02x}")).within("?q=", " ")),
    ("percent twice", |text| text.each(|byte| format!("%25{byte:02X}")).within("?q=", " ")),
    ("unicode escapes", |text| text.each(|byte| format!("\\u{byte:04x}")).within("\"", "\"")),
    ("hex escapes", |text| text.each(|byte| format!("\\x{byte:02x}")).within("\"", "\"")),
    ("octal escapes", |text| text.each(|byte| format!("\\{byte:03o}")).within("\"", "\"")),
    ("entities", |text| text.each(|byte| format!("&#{byte};")).within("<b>", "</b>")),
    ("hex entities", |text| text.each(|byte| format!("&#x{byte:x};")).within("<b>", "</b>")),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// The prefilter lets every encoding of a whole file pass, and the finding's region is that of what encodes the key:
    /// [`Marked`] has counted it without the code under test.
    #[test]
    fn no_encoding_hides_a_key_or_moves_it(
        key in "[a-z][A-Z][0-9][A-Za-z0-9]{29}",
        before in "([a-z]{1,9}[ =:;]?[a-zA-Z]{0,7}\n){0,9}",
        name in "YOUSIGN_API_KEY|yousign_token|Yousign_Key|YouSign_ApiKey|youtrust_api_key|YOUTRUST_TOKEN",
        behind in "(\n[a-z]{1,9}[ =:;]?[a-zA-Z]{0,7}){0,9}\n",
    ) {
        let detector = detector();
        for (encoding, encode) in WHOLE {
            let document =
                encode(Marked::new(&format!("{before}{name}="), &key, &behind));
            prop_assert_eq!(fault_in(&detector, encoding, "notes.txt", &document, &key), None);
        }
    }
}
