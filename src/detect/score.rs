//! Adds up the reasons for and against a value.

use crate::decode::Encoding;
use crate::finding::Confidence;
use crate::finding::Evidence;

/// Points from which a value is a finding of each confidence.
const LOW: i32 = 50;
const MEDIUM: i32 = 60;
const HIGH: i32 = 85;

/// Reasons for and against, and what they add up to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    evidence: Vec<Evidence>,
}

impl Verdict {
    /// A verdict with one reason.
    pub(crate) fn because(weight: i32, text: impl Into<String>) -> Self {
        let mut verdict = Self::default();
        verdict.add(weight, text);
        verdict
    }

    /// Adds a reason.
    pub(crate) fn add(&mut self, weight: i32, text: impl Into<String>) {
        self.evidence.push(Evidence { weight, text: text.into() });
    }

    /// How sure the sum of all reasons makes; `None` means no finding.
    #[must_use]
    pub fn confidence(&self) -> Option<Confidence> {
        match self.evidence.iter().map(|evidence| evidence.weight).sum::<i32>() {
            HIGH.. => Some(Confidence::High),
            MEDIUM..HIGH => Some(Confidence::Medium),
            LOW..MEDIUM => Some(Confidence::Low),
            _ => None,
        }
    }

    /// The reasons, the weightiest first, and through which encodings the value was read.
    pub(crate) fn into_evidence(mut self, via: &[Encoding]) -> Vec<Evidence> {
        if !via.is_empty() {
            let names: Vec<String> = via.iter().map(ToString::to_string).collect();
            self.add(0, format!("read through {}", names.join(", then ")));
        }
        self.evidence.sort_by_key(|evidence| std::cmp::Reverse(evidence.weight.abs()));
        self.evidence
    }
}
