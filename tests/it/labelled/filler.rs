//! Random lines that look like the rest of a file and hold nothing to find.

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::template::{bytes_base64, random, uuid};

/// A neutral identifier.
pub(super) fn word(rng: &mut StdRng) -> String {
    const SYLLABLES: &[&str] = &[
        "ba", "do", "mi", "ren", "tal", "ko", "ves", "lun", "par", "sti", "mar", "che", "fol",
        "gra", "nid", "sor", "pel", "tu", "vax", "quin",
    ];
    let count = rng.random_range(2..=3);
    (0..count).map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())]).collect()
}

/// `count` lines in the manner of `language`; code with braces if that is empty.
pub(super) fn lines(rng: &mut StdRng, count: usize, language: &str) -> String {
    let lines: Vec<String> = (0..count).map(|_| line(rng, language)).collect();
    lines.join("\n")
}

fn line(rng: &mut StdRng, language: &str) -> String {
    let (a, b, c) = (word(rng), word(rng), word(rng));
    let number = rng.random_range(0..9000);
    let day = number % 18 + 10;
    let kind = rng.random_range(0..4);
    match (language, kind) {
        ("py", 0) => format!("    {a} = {b}({c}, {number})"),
        ("py", 1) => format!("    if {a} is None:"),
        ("py", 2) => format!("        return {b}"),
        ("py", _) => format!("    self.{a} = {b}.get(\"{c}\")"),
        ("yaml", 0) => format!("  {a}: {b}"),
        ("yaml", 1) => format!("  {a}_id: {}", uuid(rng)),
        ("yaml", _) => format!("  {a}_{b}: {number}"),
        ("env", 0) => format!("{}_PORT={number}", a.to_uppercase()),
        ("env", 1) => format!("{}_URL=https://{b}.example.org/{c}", a.to_uppercase()),
        ("env", _) => format!("{}_{}={c}", a.to_uppercase(), b.to_uppercase()),
        ("lock", 0) => format!("      \"integrity\": \"sha512-{}\",", bytes_base64(rng, 64)),
        ("lock", 1) => format!("      \"reference\": \"{}\",", random(rng, "0123456789abcdef", 40)),
        ("lock", _) => format!("    \"{a}-{b}\": \"^{}.{day}.1\",", number % 9),
        ("log", 0) => {
            format!("2026-03-{day} 08:14:11 DEBUG [{a}] request_id={} status=200", uuid(rng))
        }
        ("log", _) => format!("2026-03-{day} 08:14:12 INFO  [{a}] {b} finished in {number} ms"),
        ("text", 0) => format!("- {a}: {b} {c}"),
        ("text", _) => format!("The {a} of the {b} is kept for {number} days."),
        ("json", 0) => format!("    \"{a}Id\": \"{}\",", uuid(rng)),
        ("json", _) => format!("    \"{a}\": \"{b} {number}\","),
        ("sql", 0) => format!("INSERT INTO `{a}_{b}` VALUES ({number},NULL,'{}');", uuid(rng)),
        ("sql", _) => format!("INSERT INTO `{a}` VALUES ({number},'{b}','{c}','2026-01-{day}');"),
        (_, 0) => format!("  const {a} = {b}({c}, {number});"),
        (_, 1) => format!("  if ({a}.{b} === {number}) {{ {c}(); }}"),
        (_, 2) => format!("  // {a} {b}: {c}"),
        (_, _) => format!("  {a}.{b} = {c} || [];"),
    }
}
