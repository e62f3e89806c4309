use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// A reader that is a closure.
struct Each<F>(F);

impl<F: FnMut(&View<'_>)> Reader for Each<F> {
    fn opens(&mut self, _text: &[u8], _member: Option<&BlobPath>) -> bool {
        true
    }

    fn read(&mut self, view: &View<'_>) {
        (self.0)(view);
    }

    fn landmarks(&self, _text: &[u8], _places: &mut Vec<Span>) {}
}

fn each_view(bytes: &[u8], limits: &Limits, coverage: &mut Coverage, look: impl FnMut(&View<'_>)) {
    read_views(bytes, limits, coverage, "test", &mut Each(look));
}

/// The document's text at every view's place of `key`.
fn places_of(key: &str, bytes: &[u8]) -> Vec<(Vec<u8>, Region, Vec<Encoding>)> {
    let mut places = vec![];
    each_view(bytes, &Limits::default(), &mut Coverage::default(), |view| {
        if let Some(at) = memchr::memmem::find(view.text, key.as_bytes()) {
            let span = Span::new(at, at + key.len());
            let source = view.document_span(span);
            places.push((
                view.document.bytes()[source.start..source.end].to_vec(),
                view.region(span),
                view.via.to_vec(),
            ));
        }
    });
    places
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_value_is_read_through_every_encoding_and_maps_back(key in "[A-Za-z0-9]{32}", before in "[a-z :\n]{0,80}", behind in "[ \n;][a-z :\n]{0,80}") {
        let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
        let entities: String = key.bytes().map(|byte| format!("&#{byte};")).collect();
        let unicode: String = key.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        let joined = format!("{}\" +\n  \"{}", &key[..16], &key[16..]);
        let nested = STANDARD.encode(STANDARD.encode(format!("key={key}")));
        for encoded in [STANDARD.encode(&key), percent(&key), percent(&percent(&key)), hex, entities, unicode, joined, nested, key.clone()] {
            let document = format!("{before}\"{encoded}\"{behind}");
            let places = places_of(&key, document.as_bytes());
            prop_assert!(!places.is_empty(), "not read: {encoded}");
            for (source, region, _) in places {
                let at = memchr::memmem::find(document.as_bytes(), &source).expect("the source stands in the document");
                prop_assert_eq!(region, Region::of(document.as_bytes(), Span::new(at, at + source.len())));
                prop_assert!(encoded.as_bytes().windows(source.len()).any(|part| part == source));
            }
        }
        for wide in [format!("\u{feff}{before}{key}{behind}"), format!("{before}{key}{behind}")] {
            let little: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
            prop_assert!(!places_of(&key, &little).is_empty() && !places_of(&key, &big).is_empty());
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), head in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"])) {
        let bytes = [head, &bytes].concat();
        each_view(&bytes, &Limits::default(), &mut Coverage::default(), |view| {
            let all = Span::new(0, view.text.len());
            assert!(view.document_span(all).end <= view.document.bytes().len());
        });
    }
}

proptest! {
    #[test]
    fn rich_text_gives_back_its_letters_and_maps_back(key in "[A-Za-z0-9]{32}", marks in "[\\\\'{}a-z0-9 u?-]{0,60}") {
        let document = format!("{{\\rtf1 {marks}\n\\pard Cl\\'e9 : \\f1 {key}\\f0\\par\n}}");
        let is_rich = |(source, region, via): &(Vec<u8>, Region, Vec<Encoding>)| {
            let at = memchr::memmem::find(document.as_bytes(), key.as_bytes()).expect("the key stands there");
            source == key.as_bytes()
                && *region == Region::of(document.as_bytes(), Span::new(at, at + key.len()))
                && via.contains(&Encoding::RichText)
        };
        prop_assert!(places_of(&key, document.as_bytes()).iter().any(is_rich), "{document}");
        let mut said = false;
        each_view(document.as_bytes(), &Limits::default(), &mut Coverage::default(), |view| {
            said |= memchr::memmem::find(view.text, "Cl\u{e9} : ".as_bytes()).is_some();
        });
        prop_assert!(said, "{document}");
    }
}

#[test]
fn apostrophes_and_escapes_of_rich_text_are_read_as_such() {
    let mut said = vec![];
    let text = b"{\\rtf1 Cl\\'e9 d\\'92API, cl\\'e9 d\\rquote API \\\\par \\{a\\}}";
    each_view(text, &Limits::default(), &mut Coverage::default(), |view| {
        said.push(String::from_utf8_lossy(view.text).into_owned());
    });
    let read = "Cl\u{e9} d\u{2019}API, cl\u{e9} d'API \\par {a}".to_owned();
    assert!(said.contains(&read), "{said:?}");
}

#[test]
fn a_bomb_stops_at_the_limit_and_is_a_gap() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    (0..64).for_each(|_| encoder.write_all(&[0; 1 << 20]).expect("written"));
    let bomb = encoder.finish().expect("finished");
    let limits = Limits { max_expansion: 1 << 20, ..Limits::default() };
    let mut coverage = Coverage::default();
    let mut longest = 0;
    each_view(&bomb, &limits, &mut coverage, |view| {
        longest = longest.max(view.text.len());
    });
    assert!(longest <= 1 << 20);
    assert_eq!(coverage.gap_counts().collect::<Vec<_>>(), [(GapKind::ArchiveLimit, 1)]);
}

/// What a mail filter put behind a link when it made that its own link's parameter is not the link's.
#[test]
fn a_link_that_is_a_parameter_ends_with_itself() {
    let link = "https://app.example.org/sign?s=1&mode=sms&k=2";
    let inner = link
        .replace(':', "%3A")
        .replace('/', "%2F")
        .replace('?', "%3F")
        .replace('=', "%3D")
        .replace('&', "%26");
    for (text, own) in [
        (
            format!("see https://filter.example.net/?url={inner}&data=05%7C02&reserved=0"),
            link.to_owned(),
        ),
        (
            format!("<a href='https://filter.example.net/?url={inner}&amp;data=05'>"),
            link.to_owned(),
        ),
        (format!("see {link}&more=1%202"), format!("{link}&more=1")),
        (format!("\"{}&more=1\"", link.replace('/', "\\/")), format!("{link}&more=1")),
    ] {
        let mut links = vec![];
        each_view(text.as_bytes(), &Limits::default(), &mut Coverage::default(), |view| {
            let Some(at) = memchr::memmem::find(view.text, b"https://app") else { return };
            let ends = |byte: &u8| b" '\"".contains(byte);
            let end = view.text[at..].iter().position(ends).unwrap_or(view.text.len() - at);
            let own = view.own_link(Span::new(at, at + end));
            links.push(String::from_utf8_lossy(&view.text[own.start..own.end]).into_owned());
        });
        assert!(links.contains(&own), "{links:?} of {text}");
    }
}

/// A password with `%76` in it is not `v` in a file of settings, but is in a URL.
#[test]
fn percent_signs_outside_of_urls_are_meant() {
    for (text, is_meant) in [
        ("password = \"Abc%76d\"\n", true),
        ("PASSWORD=Abc%76d\n", true),
        ("GET /login?user=a&password=Abc%76d HTTP/1.1\n", false),
        ("https://api.example.org/login#password=Abc%76d\n", false),
    ] {
        let mut seen = 0;
        each_view(text.as_bytes(), &Limits::default(), &mut Coverage::default(), |view| {
            if let Some(at) = memchr::memmem::find(view.text, b"Abcvd") {
                assert_eq!(view.is_no_url(Span::new(at, at + 5)), is_meant, "{text}");
                seen += 1;
            }
        });
        assert!(seen > 0, "{text}");
    }
}
