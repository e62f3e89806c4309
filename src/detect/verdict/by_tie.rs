//! Weighs how closely a value is tied to the provider, and whether it is tied to somebody else.

use super::Judge;
use super::has_both_cases;
use super::label::Label;
use super::label::Meaning;
use super::naming::Naming;
use super::own_line;
use super::score::Verdict;
use crate::detect::page::blocks;
use crate::detect::page::blocks::Block;
use crate::detect::page::columns::Column;
use crate::detect::page::context::Context;
use crate::detect::page::encoded;
use crate::detect::page::items::Item;
use crate::detect::page::lex;
use crate::detect::page::lines::Distance;
use crate::detect::page::quote;
use crate::detect::page::randomness;
use crate::detect::page::urls;
use crate::detect::page::urls::Host;
use crate::location::Span;
use crate::rule::Rule;

/// How far another provider is searched, in bytes.
const RIVAL_REACH: usize = 1_500;
/// Lines of a document of YAML, or of a file in a patch, in which its name is looked for.
const MAX_PART: usize = 20;

impl Judge<'_, '_> {
    /// Weighs how closely the value is tied to the provider, and whether it is tied to somebody else.
    pub(crate) fn weigh_provider(
        &self,
        (span, rule): (Span, &Rule),
        naming: &Naming,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let name = &self.provider.name;
        let weights = &self.weights;
        let label = naming.label.as_ref();
        if label.is_some_and(|label| label.names_provider) {
            verdict.add(weights.tied_by_name, "the name itself ties it to the provider");
            // `$client = new Client(VALUE, 'https://…')`: the name is no credential's, the call tells.
            let calls = |statement| self.page.mentions.within_any(statement, |mention| mention.api);
            if label.is_some_and(|label| label.meaning == Meaning::Unknown)
                && context.statement.is_some_and(calls)
            {
                verdict.add(weights.same_call, format!("a host of {name} stands in the same call"));
            } else {
                self.weigh_sending(span, label, context, verdict);
            }
            return;
        }
        if encoded::is_in_data(self.page.text, span)
            || context.is_bare && encoded::is_last_of_lines(self.page, span)
        {
            let text = "stands in the middle of a long run of encoded data";
            verdict.add(self.weights.piece_of_data, text);
        }
        // In a table the other columns' names say nothing about this one.
        let statement = context.statement.map(|statement| self.in_tag(statement, span));
        let own = naming.column.as_ref().map(|column| column.row).or(statement);
        let table = naming.column.as_ref().and_then(|column| column.table);
        let items = self.items(span, context);
        let is_named = |part: Span| self.names_us(part, context, &items);
        if own.into_iter().chain(table).any(is_named) {
            verdict.add(weights.same_statement, format!("{name} stands in the same statement"));
            self.weigh_nearer_in_statement(span, own, verdict);
            if let Some(call) = self.owner_of_rival(context) {
                verdict.add(weights.rival_block, format!("inside of `{call}`"));
            }
            return;
        }
        if own.is_some_and(|own| self.is_said_of_rival(own, span))
            || self.is_commented_as_rival(span)
        {
            let text = "another provider stands in the same statement";
            verdict.add(weights.rival_in_statement, text);
        }
        if let Some(owner) = self.owner_beside_ours(span, context) {
            let text = format!("its name begins with `{owner}`, one beside it with `{name}`");
            verdict.add(weights.other_item, text);
        }
        if self.weigh_anchors(span, verdict)
            || self.weigh_host((span, rule), context, &items, verdict)
        {
            self.weigh_sending(span, label, context, verdict);
            return;
        }
        if naming.column.as_ref().is_some_and(|column| self.is_strange(column)) {
            verdict.add(weights.strange_block, "its table is about something else");
        } else if naming.column.is_none()
            && let Some(block) = self.weigh_blocks(context, verdict)
        {
            self.weigh_host_in_block(block, label, verdict);
            self.weigh_passing(context, label, verdict);
            return;
        }
        if !self.weigh_items(span, naming, &items, verdict) {
            if let Some(owner) = self.twin_of_ours(span, naming.column.as_ref(), context) {
                let text = format!("`{owner}` stands where a line like it has `{name}`");
                verdict.add(weights.rival_block, text);
            }
            self.weigh_distance(span, naming, context, verdict);
        }
        self.weigh_passing(context, label, verdict);
    }

    /// Weighs that the variable which has the value is sent to the provider, if what the value is called does not say what it is: a
    /// word that means nothing, or the name of what it stands in.
    fn weigh_sending(
        &self,
        span: Span,
        label: Option<&Label>,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        if label.is_none_or(|label| label.meaning == Meaning::Unknown)
            && let Some(variable) = self.sent_variable(label, span, context)
        {
            let text =
                format!("`{variable}` is sent in a header to a host of {}", self.provider.name);
            verdict.add(self.weights.linked_header, text);
        }
    }

    /// Weighs what takes in the value's block by an anchor of YAML, and what that takes in; `true` if the latter names the
    /// provider.
    fn weigh_anchors(&self, span: Span, verdict: &mut Verdict) -> bool {
        if let Some(Host::Foreign(host)) = self.host_of_merging(span) {
            let text = format!("what takes it in by an anchor speaks to {host}");
            verdict.add(self.weights.foreign_host, text);
        }
        let Some(anchor) = self.merged_from_ours(span) else { return false };
        let text = format!("its block takes in `&{anchor}`, which names {}", self.provider.name);
        verdict.add(self.weights.enclosing_block, text);
        true
    }

    /// What of a statement stands in the value's own tag, if it is an attribute (`<add key="NAME" value="VALUE" />`).
    fn in_tag(&self, statement: Span, span: Span) -> Span {
        let before = &self.page.text[statement.start.min(span.start)..span.start];
        let open = memchr::memrchr2(b'<', b'>', before).filter(|at| before[*at] == b'<');
        let line = self.page.slice(self.page.lines.around(span.start)).trim_ascii_start();
        let open = open.filter(|_| line.starts_with(b"<"));
        open.map_or(statement, |at| Span::new(statement.start + at, statement.end))
    }

    /// Whether a statement names the provider, and not only in another item of a list or in the address of a gateway, which has
    /// tokens of its own.
    fn names_us(&self, part: Span, context: &Context, items: &[Item]) -> bool {
        let is_in_gateway = |at: usize| {
            context.is_bearer && matches!(urls::host_around(self.page, at), Some(Host::Between(_)))
        };
        let mut inside = self.page.mentions.inside(part).iter();
        inside.any(|mention| {
            let at = mention.span.start;
            // A link to one of its pages says nothing of what stands beside it.
            (mention.host.is_none() || mention.api)
                && !is_in_gateway(at)
                && !items.iter().any(|item| item.is_beside(self.page, at))
        })
    }

    /// Weighs that what could be a finding is given to another provider under its name.
    fn weigh_passing(&self, context: &Context, label: Option<&Label>, verdict: &mut Verdict) {
        if verdict.confidence().is_some()
            && let Some(user) = self.passed_to_rival(context, label)
        {
            let text = format!("its name is passed to `{user}`, another provider's");
            verdict.add(self.weights.other_item, text);
        }
    }

    /// Where both stand in one statement, the nearer one counts.
    fn weigh_nearer_in_statement(&self, span: Span, own: Option<Span>, verdict: &mut Verdict) {
        let Some(own) = own else { return };
        let ours = self.page.mentions.bytes_away(span.start);
        let theirs = self.rivals.bytes_away(self.page, own, span.start);
        if theirs.is_some_and(|theirs| ours.is_none_or(|ours| theirs < ours)) {
            let text = "another provider is nearer in the same statement";
            verdict.add(self.weights.rival_in_statement, text);
        }
    }

    /// Weighs that settings of the provider have a host of its API beside a value without a name (`<constructor-arg>`).
    fn weigh_host_in_block(&self, block: &Block, label: Option<&Label>, verdict: &mut Verdict) {
        let is_nameless = label.is_none_or(|label| label.meaning == Meaning::Carrier);
        let has_host = |end: usize| {
            let inside = Span::new(block.start, end.max(block.start));
            self.page.mentions.within_any(inside, |mention| mention.api)
        };
        if is_nameless && block.is_data && blocks::end(self.page, block.start).is_some_and(has_host)
        {
            let text = format!("a host of {} stands in the same block", self.provider.name);
            verdict.add(self.weights.linked_name, text);
        }
    }

    /// Weighs the blocks around the value, and returns the one that speaks of the provider, if one does.
    fn weigh_blocks<'c>(&self, context: &'c Context, verdict: &mut Verdict) -> Option<&'c Block> {
        let mentions = &self.page.mentions;
        let heads = |block: &Block| self.is_headed_by_ours(block);
        let block = context.blocks.iter().position(heads);
        // Where only the comment above a block names us, what opens the block may still name somebody else.
        let by_comment = |block: &Block| !mentions.within(own_line(self.page, block));
        let inner = block
            .map_or(context.blocks.len(), |at| at + usize::from(by_comment(&context.blocks[at])));
        let inner = &context.blocks[..inner];
        let is_rival = |block: &&Block| {
            self.is_headed_by_rival(block) && blocks::end(self.page, block.start).is_some()
        };
        if let Some(rival) = inner.iter().find(is_rival) {
            let header = quote::excerpt(self.page.slice(rival.header));
            verdict.add(self.weights.rival_block, format!("inside of `{header}`"));
        }
        let block = &context.blocks[block?];
        let header = quote::excerpt(self.page.slice(block.header));
        verdict.add(self.weights.enclosing_block, format!("inside of `{header}`"));
        Some(block)
    }

    /// Whether what opens a block, or the comment above it, names the provider. A path in a comment (`// not for /yousign/*`,
    /// `App\\Yousign\\Settings`) is no owner, and one that lists several is about none of them.
    pub(crate) fn is_headed_by_ours(&self, block: &Block) -> bool {
        let line = own_line(self.page, block);
        let is_path = |at: usize| at > 0 && b"/\\".contains(&self.page.text[at - 1]);
        let comment = Span::new(block.header.start, line.start.max(block.header.start));
        let is_list = || self.rivals.named_plainly_in(self.page.slice(comment));
        self.page.mentions.within_any(block.header, |mention| {
            line.start <= mention.span.start || !is_path(mention.span.start) && !is_list()
        })
    }

    /// Whether what opens a block names another provider.
    pub(crate) fn is_headed_by_rival(&self, block: &Block) -> bool {
        if block.is_data {
            self.namer.header_name(block).is_some_and(|name| self.rivals.named_in(name))
        } else {
            self.rivals.named_plainly_in(self.page.slice(own_line(self.page, block)))
        }
    }

    /// Weighs mentions elsewhere in the file and in its path.
    fn weigh_distance(
        &self,
        span: Span,
        naming: &Naming,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let label = naming.label.as_ref();
        if (context.is_bearer || urls::is_header(self.page, span))
            && let Some(Host::Foreign(host)) = urls::request_above(self.page, span)
        {
            verdict.add(self.weights.foreign_host, format!("the request above goes to {host}"));
        }
        let at = self.nearest_use(span, context, label);
        let lines = self.weigh_mention(at, verdict);
        let is_vague = label.is_some_and(|label| label.words == ["key"]);
        if is_vague
            && lines > self.page.rules.thresholds.middle_lines
            && !has_both_cases(self.page.slice(span))
        {
            let text = "far away, `key` may be that of anything";
            verdict.add(self.weights.unknown_name, text);
        }
        let is_linked = naming.column.is_none() && self.weigh_links(span, label, context, verdict);
        // Other documents of the file are about other things.
        let part = self.page.part(at).unwrap_or(Span::new(0, self.page.text.len()));
        let window = Span::new(
            at.saturating_sub(RIVAL_REACH).max(part.start),
            (at + RIVAL_REACH).min(part.end),
        );
        let rival = self.rivals.nearest_owner(self.page, window, at).filter(|_| !is_linked);
        let counts = |rival: &Distance| {
            let rival = rival.in_lines();
            rival < lines && rival <= self.page.rules.thresholds.rival_lines
        };
        if let Some(rival) = rival.filter(counts) {
            let text = format!("another provider is nearer, {}", rival.in_words());
            verdict.add(self.weights.rival_nearer, text);
        }
        if let Some(name) = self.name_of_part(span).filter(|name| self.page.mentions.within(*name))
        {
            let name = quote::excerpt(self.page.slice(name));
            verdict.add(self.weights.enclosing_block, format!("stands in a part called `{name}`"));
        } else if let Some(part) = self.part_of_another(span) {
            let text = format!("stands in `{part}`, and {} in another part", self.provider.name);
            verdict.add(self.weights.strange_block, text);
        }
        if let Some(owner) = self.owner_of_file() {
            let text = format!("the file is called after `{owner}`");
            verdict.add(self.weights.rival_nearer, text);
        }
        if self.is_of_tenant(span, context) {
            let text = "one of several keys in settings that speak to the provider alone";
            verdict.add(self.weights.linked_name, text);
        } else if let Some(block) = self.stranger(span, context).filter(|_| !is_linked) {
            let text = format!("its block `{block}` is about something else");
            verdict.add(self.weights.strange_block, text);
        }
    }

    /// What the value's document of a YAML file is called, or its file in a patch, if the provider is named in other ones only.
    fn part_of_another(&self, span: Span) -> Option<String> {
        let page = self.page;
        let part = page.part(span.start)?;
        if page.mentions.in_text.is_empty() || page.mentions.within(part) {
            return None;
        }
        let name = page.slice(self.name_of_part(span)?);
        let stem = name.split(|byte| *byte == b'.').next().unwrap_or(name);
        (!self.is_generic(stem)).then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// The name of the value's document in a YAML file of several, or of its file in a patch.
    fn name_of_part(&self, span: Span) -> Option<Span> {
        let page = self.page;
        let part = page.part(span.start)?;
        let first = page.lines.around(part.start);
        let lines = std::iter::once(first).chain(page.lines.below(first)).take(MAX_PART);
        let mut names = lines.take_while(|line| line.start < part.end);
        names.find_map(|line| {
            let text = page.slice(line).trim_ascii();
            let file = text.strip_prefix(b"diff --git ");
            let file = file.and_then(|file| file.rsplit(|byte| *byte == b'/').next());
            let inline = || {
                // `metadata: { name: acme }`
                let name =
                    text.strip_prefix(b"metadata:")?.trim_ascii_start().strip_prefix(b"{")?;
                name.trim_ascii_start().strip_prefix(b"name: ")
            };
            let name = file.or_else(|| text.strip_prefix(b"name: ")).or_else(inline)?;
            let start = line.start + page.slice(line).trim_ascii_end().len() - name.len();
            let length = name.iter().position(|byte| b" ,}".contains(byte)).unwrap_or(name.len());
            Some(Span::new(start, start + length))
        })
    }

    /// Another provider whose name the file bears, and nothing but that.
    fn owner_of_file(&self) -> Option<String> {
        let name = self.page.file_name();
        let stem = name.split(|byte| *byte == b'.').find(|part| !part.is_empty())?;
        let is_one = lex::subwords(stem).len() == 1 && self.rivals.named_plainly_in(stem);
        is_one.then(|| String::from_utf8_lossy(stem).into_owned())
    }

    /// Weighs the path, or else the nearest mention in the text; returns how many lines away that is.
    fn weigh_mention(&self, at: usize, verdict: &mut Verdict) -> usize {
        let weights = &self.weights;
        let nearest = self.page.nearest_mention(at);
        if self.page.mentions.in_path {
            verdict.add(weights.path, "the file's path names the provider");
        } else if let Some(near) = nearest {
            let lines = near.distance.in_lines();
            let thresholds = &self.page.rules.thresholds;
            let weight = if lines <= thresholds.near_lines {
                weights.near_mention
            } else if lines <= thresholds.middle_lines {
                weights.middle_mention
            } else {
                weights.far_mention
            } + if near.has_host { weights.host } else { 0 };
            let word = String::from_utf8_lossy(near.mention());
            let text = format!("`{word}` stands {}", near.distance.in_words());
            verdict.add(weight, text);
        }
        nearest.map_or(usize::MAX, |near| near.distance.in_lines())
    }

    /// Whether an SQL table has a telling name; that it does not speak of the provider is known.
    fn is_strange(&self, column: &Column) -> bool {
        let name =
            column.table.map(|table| lex::last_part(self.page.slice(table).trim_ascii_end()));
        !self.page.mentions.in_path && name.is_some_and(|name| !self.is_generic(name))
    }

    /// The innermost data block with a telling name that is neither generic nor holds a mention of the provider.
    fn stranger(&self, span: Span, context: &Context) -> Option<String> {
        // `char k[] = { VALUE }` is the value, with its name.
        let is_value = |block: &Block| {
            let before = self.page.text.get(block.start + 1..span.start).unwrap_or(b"-");
            self.page.text.get(block.start) == Some(&b'{')
                && self.page.slice(block.header).trim_ascii_end().ends_with(b"=")
                && before.iter().all(|byte| byte.is_ascii_whitespace() || b"\"'".contains(byte))
        };
        let tells = |block: &&Block| {
            let name = self.namer.header_name(block).filter(|_| !is_value(block));
            name.is_some_and(|name| !self.is_generic(name) && !randomness::is_entry_id(name))
        };
        let block = context.blocks.iter().filter(|block| block.is_data).find(tells)?;
        let end = blocks::end(self.page, block.start)?;
        (!self.page.mentions.within(Span::new(block.start, end.max(block.start))))
            .then(|| quote::excerpt(self.namer.header_name(block).unwrap_or_default()))
    }
}
