//! Adds up the reasons for and against a value.

use crate::decode::Encoding;
use crate::finding::Confidence;
use crate::finding::Evidence;
use crate::rule::Thresholds;

/// Reasons for and against, and what they add up to.
#[derive(Clone, Debug)]
pub struct Verdict {
    evidence: Vec<Evidence>,
    thresholds: Thresholds,
}

impl Verdict {
    /// A verdict without a reason yet.
    pub(crate) fn new(thresholds: Thresholds) -> Self {
        Self { evidence: vec![], thresholds }
    }

    /// Adds a reason.
    pub(crate) fn add(&mut self, weight: i32, text: impl Into<String>) {
        self.evidence.push(Evidence { weight, text: text.into() });
    }

    /// How sure the sum of all reasons makes; `None` means no finding.
    #[must_use]
    pub fn confidence(&self) -> Option<Confidence> {
        let sum: i32 = self.evidence.iter().map(|evidence| evidence.weight).sum();
        let Thresholds { high, medium, low, .. } = self.thresholds;
        [(high, Confidence::High), (medium, Confidence::Medium), (low, Confidence::Low)]
            .into_iter()
            .find_map(|(least, confidence)| (sum >= least).then_some(confidence))
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
