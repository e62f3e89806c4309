//! The readers of views: one judges what it sees, one only looks for shapes. They say which documents are opened and
//! where long ones are decoded.

use super::Detector;
use super::Hit;
use super::full_path;
use super::page::mention;
use super::page::mention::Far;
use super::page::mention::Mentions;
use super::search::token;
use super::verdict::pattern;
use crate::blob::BlobPath;
use crate::decode;
use crate::decode::Reader;
use crate::decode::View;
use crate::location::Span;
use crate::sieve::Sieve as _;

/// Landmarks that stand this near to each other, in bytes, are one.
const NEIGHBOURS: usize = 256;

/// Takes the hits of one view; the path is that of the file or member.
type Keep<'k, 'd> = dyn FnMut(&View<'_>, &BlobPath, Vec<Hit<'d>>) + 'k;

/// Judges every view.
pub(super) struct Eyes<'d, 'k> {
    detector: &'d Detector,
    path: &'d BlobPath,
    keep: &'k mut Keep<'k, 'd>,
    beyond: Beyond,
}

impl<'d, 'k> Eyes<'d, 'k> {
    /// Eyes for the file at `path`.
    pub(super) fn new(
        detector: &'d Detector,
        path: &'d BlobPath,
        keep: &'k mut Keep<'k, 'd>,
    ) -> Self {
        Self { detector, path, keep, beyond: Beyond::default() }
    }
}

impl Reader for Eyes<'_, '_> {
    fn opens(&mut self, text: &[u8], member: Option<&BlobPath>) -> bool {
        self.beyond = Beyond::default();
        self.detector.prefilter.may_match(text)
            || self.detector.prefilter.may_match(full_path(self.path, member).as_bytes())
    }

    fn read(&mut self, view: &View<'_>) {
        let path = full_path(self.path, view.member);
        let hits = self.detector.hits(view, &path, &mut self.beyond);
        if !hits.is_empty() {
            (self.keep)(view, &path, hits);
        }
    }

    fn landmarks(&self, _text: &[u8], places: &mut Vec<Span>) {
        places.extend_from_slice(&self.beyond.landmarks);
    }
}

/// What a long document says as a whole to its parts.
#[derive(Default)]
pub(super) struct Beyond {
    /// Its mentions, by provider.
    mentions: Vec<(usize, Mentions)>,
    /// Where keywords and tokens stand.
    landmarks: Vec<Span>,
}

impl Beyond {
    /// What the document outside of the view's part says of a provider.
    pub(super) fn far(&self, provider: usize, view: &View<'_>) -> Option<Far> {
        let (_, mentions) = self.mentions.iter().find(|(number, _)| *number == provider)?;
        mentions.far_from(view.document.bytes(), view.part)
    }

    /// Remembers the raw view of a long document.
    pub(super) fn remember(
        &mut self,
        provider: usize,
        view: &View<'_>,
        mentions: &Mentions,
        tokens: &[Span],
    ) {
        if view.is_raw() && view.text.len() > decode::WHOLE {
            for place in mentions.keywords.iter().chain(tokens) {
                // Neighbours are one: a text may be nothing else.
                match self.landmarks.last_mut() {
                    Some(last) if (last.start..last.end + NEIGHBOURS).contains(&place.start) => {
                        last.end = last.end.max(place.end);
                    }
                    _ => self.landmarks.push(*place),
                }
            }
            self.mentions.push((provider, mentions.clone()));
        }
    }
}

/// Looks for anything that has the shape of a secret, and for a mention.
pub(super) struct Shapes<'d> {
    /// Whose rules.
    detector: &'d Detector,
    /// Whether something of that shape was found.
    has_shape: bool,
    /// Whether a provider is named, or need not be.
    is_named: bool,
    /// Whether the path may name a provider.
    is_hinted: bool,
}

impl<'d> Shapes<'d> {
    /// Eyes for a blob whose path is not known, but whether it may name a provider.
    pub(super) fn new(detector: &'d Detector, is_hinted: bool) -> Self {
        Self { detector, has_shape: false, is_named: is_hinted, is_hinted }
    }

    /// Whether all that a finding needs was seen.
    pub(super) fn may_hold(&self) -> bool {
        self.has_shape && self.is_named
    }

    /// Whether a view before the one that names a provider may have what was not looked for in it.
    pub(super) fn may_have_missed(&self) -> bool {
        self.is_named && !self.is_hinted && !self.has_shape
    }

    fn names_it(&self, text: &[u8]) -> bool {
        let mut providers = self.detector.rules.providers.iter().zip(self.detector.keywords());
        providers.any(|(provider, keywords)| mention::is_named(provider, keywords, text))
    }
}

impl Reader for Shapes<'_> {
    fn opens(&mut self, text: &[u8], member: Option<&BlobPath>) -> bool {
        // What the judge would not open need not be decoded: most members of most archives.
        let opens = || {
            let prefilter = &self.detector.prefilter;
            prefilter.may_match(text)
                || member.is_some_and(|member| prefilter.may_match(member.as_bytes()))
        };
        !self.may_hold() && (self.is_hinted || opens())
    }

    fn read(&mut self, view: &View<'_>) {
        self.is_named = self.is_named
            || self.names_it(view.text)
            || view.member.is_some_and(|member| self.names_it(member.as_bytes()));
        // Most of what passes the prefilter by chance names nobody, and shapes cost more to find than names.
        self.has_shape = self.has_shape
            || self.is_named
                && self.detector.rules.providers.iter().any(|provider| {
                    !token::tokens(provider, view.text).is_empty()
                        || pattern::may_match(provider, view.text)
                });
    }

    fn landmarks(&self, text: &[u8], places: &mut Vec<Span>) {
        for keywords in self.detector.keywords() {
            places.extend(
                keywords.find_iter(text).map(|found| Span::new(found.start(), found.end())),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::rule::RuleSet;

    /// Base64 that begins like an archive passes the prefilter; without a keyword in it, it must not make a history be
    /// read a second time.
    #[test]
    fn what_names_nobody_is_kept_only_on_a_hint() {
        let rules = RuleSet::built_in().expect("built-in rules are valid");
        let detector = Detector::new(rules, decode::Limits::default());
        let token = "d41d8cd98f00b204e9800998ecf8427e";
        let text = format!("icon = H4sIAAAA\nsum = {token}\n");
        assert!(detector.prefilter.may_match(text.as_bytes()));
        assert!(!detector.may_hold(text.as_bytes(), false));
        assert!(detector.may_hold(text.as_bytes(), true));
        assert!(detector.may_hold(format!("{text}# yousign").as_bytes(), false));
        assert!(detector.may_hold(format!("{text}my.YsApiKey").as_bytes(), false));
        // The value stands in the text as it is, the name only in what that says decoded.
        let encoded = STANDARD.encode("the token of yousign");
        assert!(detector.may_hold(format!("{text}{encoded}\n").as_bytes(), false));
        // Random letters that spell a short keyword.
        assert!(!detector.may_hold(format!("{text}uk0YSapIUzsI+lX9").as_bytes(), false));
    }
}
