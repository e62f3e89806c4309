//! Proves the examples of every rule through the real detector, with fresh random values in the place of
//! `{{base62:32}}`, `{{hex:32}}` and `{{uuid}}`.

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::detect::Detector;
use crate::finding::Confidence;

/// An example that was not judged as its rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Rule whose example it is.
    pub rule_id: String,
    /// The example as it stands in the rule file.
    pub example: String,
    /// What was expected and what came.
    pub reason: String,
}

/// Judges all examples with values drawn from `seed`; returns how many were judged and which failed.
#[must_use]
pub fn check_examples(detector: &Detector, seed: u64) -> (usize, Vec<Failure>) {
    let mut random = Random(seed);
    let mut failures = vec![];
    let mut judged = 0;
    for rule in detector.rules().rules() {
        let expected = rule.examples.iter().map(|example| (example, true));
        for (example, is_finding) in
            expected.chain(rule.negative_examples.iter().map(|example| (example, false)))
        {
            judged += 1;
            let text = fill(example, &mut random);
            let found = ids(detector, &text);
            let is_right =
                if is_finding { found.contains(&rule.id) } else { !found.contains(&rule.id) };
            if !is_right {
                let wanted = if is_finding { "expected a finding" } else { "expected no finding" };
                let reason = format!(
                    "{wanted}, got {}",
                    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
                );
                failures.push(Failure {
                    rule_id: rule.id.clone(),
                    example: example.clone(),
                    reason,
                });
            }
        }
    }
    (judged, failures)
}

/// Ids of the rules that find something in `text` at the default confidence.
fn ids(detector: &Detector, text: &str) -> Vec<String> {
    let mut coverage = Coverage::default();
    let candidates =
        detector.candidates(text.as_bytes(), &BlobPath::new(b"example"), &mut coverage);
    let sure =
        candidates.into_iter().filter(|candidate| candidate.confidence >= Confidence::Medium);
    sure.map(|candidate| candidate.rule_id).collect()
}

/// Puts random values in the place of `{{alphabet:length}}`.
fn fill(example: &str, random: &mut Random) -> String {
    let mut text = String::new();
    let mut rest = example;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        text.push_str(before);
        match name.split_once(':').map(|(alphabet, length)| (alphabet, length.parse::<usize>())) {
            Some(("base62", Ok(length))) => text.extend(random.mixed(length)),
            Some(("hex", Ok(length))) => text.extend(random.draw(b"0123456789abcdef", length)),
            _ if name == "uuid" => {
                let groups = [8, 4, 4, 4, 12].map(|length| {
                    random.draw(b"0123456789abcdef", length).into_iter().collect::<String>()
                });
                text.push_str(&groups.join("-"));
            }
            _ => text.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = after;
    }
    text + rest
}

/// A small generator (SplitMix64): the values must differ from run to run, not be secret.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn draw(&mut self, alphabet: &[u8], length: usize) -> Vec<char> {
        let count = alphabet.len() as u64;
        (0..length)
            .map(|_| char::from(alphabet[usize::try_from(self.next() % count).unwrap_or(0)]))
            .collect()
    }

    /// Letters and digits with at least one letter of each case and one digit.
    fn mixed(&mut self, length: usize) -> Vec<char> {
        const BASE62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        loop {
            let value = self.draw(BASE62, length);
            let has = |test: fn(&char) -> bool| value.iter().any(test);
            if length < 3
                || has(char::is_ascii_uppercase)
                    && has(char::is_ascii_lowercase)
                    && has(char::is_ascii_digit)
            {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Limits;
    use crate::rule::RuleSet;

    #[test]
    fn every_built_in_example_is_judged_right() {
        let detector = Detector::new(
            RuleSet::built_in().expect("built-in rules are valid"),
            Limits::default(),
        );
        for seed in 0..200 {
            let (judged, failures) = check_examples(&detector, seed);
            assert!(judged >= 20);
            assert!(failures.is_empty(), "seed {seed}: {failures:#?}");
        }
    }
}
