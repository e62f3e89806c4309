//! Under which rule a token is reported: the one whose cues its surroundings meet, or else the provider's default.

use super::Judge;
use super::label::Label;
use super::label::Meaning;
use super::naming::Naming;
use crate::detect::page::blocks;
use crate::detect::page::columns::Column;
use crate::detect::page::context;
use crate::detect::page::context::Context;
use crate::detect::page::lex;
use crate::detect::page::mention::Nearest;
use crate::location::Span;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::Shape;
use crate::rule::TokenRule;

/// A longer call is about more than one value.
const LONGEST_CALL: usize = 400;
/// More mentions are not looked through for a header's name.
const MAX_MENTIONS: usize = 20;

impl<'r> Judge<'r, '_> {
    /// The rule under which the value is reported: one whose cues are met, or else the provider's default.
    pub(crate) fn rule(
        &self,
        span: Span,
        context: &Context,
        naming: &Naming,
    ) -> Option<(&'r Rule, &'r Shape)> {
        let token = self.page.slice(span);
        let candidates = || {
            self.provider.rules.iter().filter_map(|rule| match &rule.kind {
                RuleKind::Token(kind) => kind
                    .shapes
                    .iter()
                    .find(|shape| shape.accepts(token))
                    .map(|shape| (rule, kind, shape)),
                RuleKind::Pattern(_) | RuleKind::Tracked(_) => None,
            })
        };

        let cued = candidates().find(|(rule, kind, _)| {
            !self.is_default(rule) && self.has_cue(kind, span, (context, naming))
        });
        cued.or_else(|| candidates().find(|(rule, _, _)| self.is_default(rule)))
            .map(|(rule, _, shape)| (rule, shape))
    }

    /// Whether a rule for tokens needs no cue.
    pub(crate) fn is_default(&self, rule: &Rule) -> bool {
        matches!(&rule.kind, RuleKind::Token(kind) if kind.cues == crate::rule::Cues::default())
    }

    fn has_cue(
        &self,
        kind: &TokenRule,
        span: Span,
        (context, naming): (&Context, &Naming),
    ) -> bool {
        let (cues, label) = (&kind.cues, naming.label.as_ref());
        if let Some(label) = label.filter(|label| label.has_cue(&cues.label)) {
            return label.names_provider || !self.has_name_without(&cues.label, context);
        }
        if self.has_call_cue(span, context, &cues.call) {
            return true;
        }
        if self.checked_at(context, label).is_some() {
            return true;
        }
        let in_heads = label.is_none_or(|label| {
            label.words.iter().any(|word| cues.heads.contains(word))
                || label.meaning == Meaning::Carrier
        });
        let contexts = context
            .blocks
            .iter()
            .map(|block| self.page.slice(block.header))
            .chain([self.page.path.as_bytes()]);
        let mut contexts = contexts.map(|header| self.namer.read(header));
        label.is_some()
            && in_heads
            && !label.is_some_and(Label::names_api)
            && (contexts.any(|header| header.has_cue(&cues.context))
                || self.is_in_row_with(naming.column.as_ref(), span, &cues.context)
                || self.stands_by_mention(span, &cues.mention)
                || self.has_sibling(span, &cues.sibling))
    }

    /// Whether the value's statement has the provider's name for a credential, and no cue in it
    /// (`signature_key = Field(VALUE, alias="ACME_API_KEY")`).
    fn has_name_without(&self, cues: &[String], context: &Context) -> bool {
        // `Field(\n  default=VALUE,\n  alias="ACME_API_KEY",\n)`
        let call = context.blocks.first().filter(|block| self.page.text[block.start] == b'(');
        let call =
            call.and_then(|call| Some(Span::new(call.start, blocks::end(self.page, call.start)?)));
        let parts =
            context.statement.into_iter().chain(call.filter(|call| call.len() < LONGEST_CALL));
        let mentions = parts.flat_map(|part| self.page.mentions.inside(part));
        mentions.take(MAX_MENTIONS).any(|mention| {
            let label = self.namer.read_span(lex::word_around(self.page.text, mention.span));
            label.names_provider && label.meaning == Meaning::Credential && !label.has_cue(cues)
        })
    }

    /// Whether a cell before the value in its row of a table has a cue (`Yousign webhook | VALUE`).
    fn is_in_row_with(&self, column: Option<&Column>, span: Span, cues: &[String]) -> bool {
        let fields = column.into_iter().flat_map(|column| &column.fields).map(|(_, field)| *field);
        let mut before = fields.filter(|field| field.end <= span.start);
        before.any(|field| self.namer.read(self.page.slice(field)).has_cue(cues))
    }

    /// Whether the mention nearest to the value is part of a name with a cue, such as a header's.
    fn stands_by_mention(&self, span: Span, cues: &[String]) -> bool {
        let nearest = self.page.nearest_mention(span.start);
        let has_cue = |near: &Nearest<'_>| self.namer.read(near.word()).has_cue(cues);
        // What is named in its own line need not be told by other lines.
        let is_named = |near: &Nearest<'_>| near.distance.lines == 0 && self.page.lines.count() > 1;
        nearest.as_ref().is_some_and(has_cue)
            || !nearest.as_ref().is_some_and(is_named) && self.speaks_of_header_alone(cues)
    }

    /// Whether the page names a header with a cue and no host of the provider: it receives and does not call.
    fn speaks_of_header_alone(&self, cues: &[String]) -> bool {
        let mentions = &self.page.mentions.in_text;
        let has_cue = |span: Span| {
            let word = lex::word_around(self.page.text, span);
            self.namer.read(self.page.slice(word)).has_cue(cues)
        };
        mentions.len() <= MAX_MENTIONS
            && !mentions.iter().any(|mention| mention.api)
            && mentions.iter().any(|mention| has_cue(mention.span))
    }

    /// Whether one of the names in the value's own bracket has a cue.
    fn has_sibling(&self, span: Span, cues: &[String]) -> bool {
        let around = self.page.slice(context::siblings(self.page.text, span));
        cues.iter().any(|cue| memchr::memmem::find(around, cue.as_bytes()).is_some())
    }

    /// Whether the function to which the value is passed has a cue in its name, or the first word of another argument behind the
    /// value is one (`new SecretKeySpec(VALUE, "HmacSHA256")`).
    pub(crate) fn has_call_cue(&self, span: Span, context: &Context, cues: &[String]) -> bool {
        let Some(callee) = context.callee else { return false };
        let holds = |name: &[u8]| {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            cues.iter().any(|cue| name.contains(cue.as_str()))
        };
        let end = context.statement.map_or(span.end, |statement| statement.end.max(span.end));
        let behind = self.page.text[span.end..end].split(|byte| b"\"'".contains(byte));
        // What stands in quotes is every other part, and the value's own may end the first.
        let mut literals = behind.skip(2).step_by(2);
        holds(self.page.slice(callee)) || literals.any(holds)
    }
}
