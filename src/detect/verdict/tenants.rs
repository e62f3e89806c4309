//! Settings with a block for each tenant: whose names say whose keys they are, but all are the provider's.

use super::Judge;
use super::has_both_cases;
use crate::detect::page::blocks;
use crate::detect::page::context::Context;
use crate::detect::page::urls;
use crate::detect::page::urls::Host;
use crate::detect::search::token::shapes;
use crate::location::Span;

impl Judge<'_, '_> {
    /// Whether the value is one of several keys in blocks of one kind, in a block that speaks to a host of the provider and of
    /// nobody else (`'endpoint' => 'https://…', 'agencies' => ['lille' => ['VALUE', 54], 'lyon' => ['…', 45]]`).
    pub(crate) fn is_of_tenant(&self, span: Span, context: &Context) -> bool {
        let opens = |start: usize| matches!(self.page.text.get(start), Some(b'{' | b'['));
        let mut blocks = context.blocks.iter().filter(|block| opens(block.start));
        let mut outer = blocks
            .by_ref()
            .skip(1)
            .filter_map(|block| Some(Span::new(block.start, blocks::end(self.page, block.start)?)));
        if !has_both_cases(self.page.slice(span)) {
            return false;
        }
        let has_several = outer.next().is_some_and(|tenants| {
            let words = self.page.slice(tenants).split(|byte| !byte.is_ascii_alphanumeric());
            let has_shape = |word: &[u8]| shapes(self.provider).any(|shape| shape.accepts(word));
            words.filter(|word| has_both_cases(word) && has_shape(word)).nth(1).is_some()
        });
        has_several && outer.any(|settings| self.speaks_to_us_alone(settings))
    }

    /// Whether a host of the provider stands directly in the block, and nothing in it speaks of anybody else.
    fn speaks_to_us_alone(&self, settings: Span) -> bool {
        let hosts = self.page.mentions.inside(settings).iter().filter(|mention| mention.api);
        let is_direct = |at: usize| blocks::brackets(self.page, at).next() == Some(settings.start);
        let mut schemes = memchr::memmem::find_iter(self.page.slice(settings), b"://");
        let is_foreign = |at: usize| {
            matches!(urls::host_at(self.page, settings.start + at), Some(Host::Foreign(_)))
        };
        hosts.map(|mention| mention.span.start).any(is_direct)
            && !schemes.any(is_foreign)
            && !self.rivals.owns_in(self.page, settings)
    }
}
