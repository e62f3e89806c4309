//! Judges one token: which rule, how sure, and why. Every reason has a weight in points; the sum decides.

use super::Hit;
use super::blocks;
use super::blocks::Block;
use super::columns::Column;
use super::context;
use super::context::Context;
use super::encoded;
use super::environment;
use super::label::Label;
use super::label::Meaning;
use super::lex;
use super::lines::Distance;
use super::naming::Namer;
use super::naming::Naming;
use super::page::Page;
use super::quote;
use super::randomness;
use super::rivals::Rivals;
use super::score::Verdict;
use super::urls;
use super::urls::Host;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::Alphabet;
use crate::rule::Provider;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::Shape;
use crate::rule::Weights;

/// How far another provider is searched, in bytes.
const RIVAL_REACH: usize = 1_500;

/// Judges the tokens of one page.
pub(super) struct Judge<'r, 'p> {
    pub(super) provider: &'r Provider,
    pub(super) page: &'p Page<'p>,
    pub(super) rivals: &'p Rivals,
    pub(super) namer: Namer<'p>,
    pub(super) weights: Weights,
}

impl<'r, 'p> Judge<'r, 'p> {
    /// A judge for `page` by the rules of `provider`.
    pub(super) fn new(provider: &'r Provider, page: &'p Page<'p>, rivals: &'p Rivals) -> Self {
        let namer = Namer { page, rivals };
        Self { provider, page, rivals, namer, weights: page.rules.weights }
    }

    /// Judges the token at `span`.
    pub(super) fn judge(&self, span: Span) -> Option<Hit<'r>> {
        let context = context::read(self.page, span);
        let naming = self.namer.name(span, &context);
        let (rule, shape) = self.rule(span, &context, naming.label.as_ref())?;
        let mut verdict = Verdict::new(self.page.rules.thresholds);
        self.weigh_shape(span, shape, &mut verdict);
        self.weigh_label((span, rule), &naming, &context, &mut verdict);
        self.weigh_provider((span, rule), &naming, &context, &mut verdict);
        if verdict.confidence().is_some() && self.is_key_elsewhere(span) {
            verdict.add(self.weights.harmless_name, "is itself the name of something near by");
        }
        let environment = match verdict.confidence() {
            Some(_) => environment::environment(self.page, span, &context),
            None => Environment::Unknown,
        };
        Some(Hit { rule, span, verdict, environment })
    }

    fn weigh_shape(&self, span: Span, shape: &Shape, verdict: &mut Verdict) {
        let token = self.page.slice(span);
        let weight = if is_plain(token, shape) {
            self.weights.plain_shape
        } else {
            self.weights.mixed_shape
        };
        verdict.add(weight, format!("has the shape of a key: {}", shape.note));
        let objection = randomness::objection(token)
            .or_else(|| self.placeholder(token))
            .or_else(|| self.is_function(span).then_some("is the name of a function"));
        match objection {
            Some(objection) => {
                verdict.add(self.weights.not_random, format!("the value {objection}"));
            }
            None => verdict.add(self.weights.random, "the value looks drawn at random"),
        }
        if !has_both_cases(token) && self.is_quoted_key(span) {
            verdict.add(self.weights.harmless_name, "is itself the name of something");
        }
        if urls::is_page_parameter(self.page, span) {
            let text = "a parameter of a link to one of the provider's pages, not a key";
            verdict.add(self.weights.page_parameter, text);
        }
        let before = &self.page.text[span.start.saturating_sub(40)..span.start];
        if encoded::is_in_crypt_format(before) {
            verdict.add(self.weights.encrypted, "stands inside of a hashed password");
        }
        if encoded::is_encrypted(self.page, span) {
            verdict.add(self.weights.encrypted, "stands inside of an encrypted value");
        }
    }

    fn placeholder(&self, token: &[u8]) -> Option<&'static str> {
        let lower = String::from_utf8_lossy(token).to_ascii_lowercase();
        let vocabulary = self.page.vocabulary();
        if vocabulary.published.contains(&lower) {
            return Some("is one that anybody knows, like the MD5 of nothing");
        }
        let holds = |word: &String| lower.contains(word.as_str());
        vocabulary.placeholder.iter().any(holds).then_some("holds a placeholder's word")
    }

    fn weigh_label(
        &self,
        (span, rule): (Span, &Rule),
        naming: &Naming,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let label = naming.label.as_ref();
        if let Some(block) = self.block_of_digests(span, context) {
            let text = format!("stands in `{block}`, among digests");
            verdict.add(self.weights.harmless_name, text);
            return;
        }
        if self.is_signature_check(context) || self.checked_at(context, label).is_some() {
            let text = "passed to a function that checks signatures";
            verdict.add(self.weights.signature_check, text);
            return;
        }
        self.weigh_digest(span, label, context, verdict);
        let is_rival = |label: &Label| label.meaning == Meaning::Rival;
        if urls::is_user_information(self.page, span) {
            let text = "the user or password in a URL";
            verdict.add(self.weights.credential, text);
            return;
        }
        if urls::is_in_url_elsewhere(self.page, span) {
            let text = "a part of a URL of another host";
            verdict.add(self.weights.rival_in_statement, text);
            return;
        }
        if context.is_bearer && !label.is_some_and(is_rival) {
            verdict.add(self.weights.bearer, "follows `Bearer`");
            return;
        }
        if !label.is_some_and(|label| label.names_provider)
            && let Some(call) = self.call_for_other_purpose(label, context)
        {
            let text = format!("passed to `{call}`, which takes secrets for another purpose");
            verdict.add(self.weights.other_purpose, text);
        }
        let Some(label) = label else {
            if urls::is_parameter(self.page, span) {
                let text = "a parameter of a URL without a telling name";
                verdict.add(self.weights.nameless_parameter, text);
            }
            return;
        };
        if label.meaning == Meaning::Credential
            && self.is_default(rule)
            && self.is_own_secret(span, label, context)
        {
            let text = "frameworks keep a secret of their own under that name";
            verdict.add(self.weights.other_purpose, text);
        }
        if self.is_used_for_other_purpose(context, label) {
            let text = "used to sign or encrypt what is one's own";
            verdict.add(self.weights.other_purpose, text);
        }
        if label.meaning == Meaning::Password && self.is_for_database(span) {
            let text = "stands among the settings of a database";
            verdict.add(self.weights.other_purpose, text);
        }
        if self.is_form_state(label, span) {
            let text = "a hidden field of a form, as against forged requests";
            verdict.add(self.weights.other_purpose, text);
        }
        if label.text == "key" && self.is_list_key(span) {
            let text = "tells items of a list apart, as `key` does in JSX";
            verdict.add(self.weights.harmless_name, text);
            return;
        }
        let (weight, what) = self.weight_of(label, span, naming.column.is_some());
        let name = quote::visible(&label.text, self.page.slice(span));
        verdict.add(weight, format!("its name `{name}` {what}"));
        if !has_both_cases(self.page.slice(span)) && self.is_file_name(label.text.as_bytes()) {
            let text = "its name is that of a file: it is the file's digest";
            verdict.add(self.weights.digest_nearby, text);
        }
    }

    /// How much a name counts, and what it says.
    fn weight_of(&self, label: &Label, span: Span, in_table: bool) -> (i32, String) {
        let weights = &self.weights;
        let provider = &self.provider.name;
        match (label.meaning, label.names_provider) {
            (Meaning::Credential, true) => {
                (weights.own_credential, format!("is that of a {provider} credential"))
            }
            (Meaning::Credential, false) => (weights.credential, "is a credential's".to_owned()),
            (Meaning::Password, _) if in_table && !has_both_cases(self.page.slice(span)) => {
                (weights.digest_nearby, "is a password's, which tables hold hashed".to_owned())
            }
            (Meaning::Password, _) => (weights.password, "is a password's".to_owned()),
            (Meaning::ForeignCredential, _) => {
                (weights.foreign_credential, "is that of a credential of something else".to_owned())
            }
            (Meaning::OtherPurpose, _) => {
                (weights.other_purpose, "is that of a credential for another purpose".to_owned())
            }
            (Meaning::Rival, _) => (weights.rival_name, "speaks of another provider".to_owned()),
            (Meaning::Harmless, _) => {
                (weights.harmless_name, "is that of an identifier, digest or the like".to_owned())
            }
            // A digest in a row with the provider's name is not a key (`('yousign-bot', <md5>)`).
            (_, true) if !has_both_cases(self.page.slice(span)) => {
                (weights.own_name_plain_shape, format!("speaks of {provider}"))
            }
            (_, true) => (weights.own_name, format!("speaks of {provider}")),
            (Meaning::Carrier, false) => {
                (weights.carrier, "does not say what it carries".to_owned())
            }
            (Meaning::Unknown, false) => {
                (weights.unknown_name, "does not say that it is a credential".to_owned())
            }
        }
    }

    fn is_signature_check(&self, context: &Context) -> bool {
        let checks = |rule: &Rule| match &rule.kind {
            RuleKind::Token(kind) => {
                context.callee.is_some_and(|callee| self.has_call_cue(callee, &kind.cues.call))
            }
            RuleKind::Pattern(_) | RuleKind::Tracked(_) => false,
        };
        self.provider.rules.iter().any(checks)
    }

    /// Weighs how closely the value is tied to the provider, and whether it is tied to somebody else.
    fn weigh_provider(
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
        let own = naming.column.as_ref().map(|column| column.row).or(context.statement);
        let table = naming.column.as_ref().and_then(|column| column.table);
        let items = self.items(span, context);
        let is_named = |part: Span| {
            let mut inside = self.page.mentions.inside(part).iter();
            inside.any(|mention| {
                !items.iter().any(|item| item.is_beside(self.page, mention.span.start))
            })
        };
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
        if let Some(anchor) = self.merged_from_ours(span) {
            verdict.add(
                weights.enclosing_block,
                format!("its block takes in `&{anchor}`, which names {name}"),
            );
            return;
        }
        if self.weigh_host((span, rule), context, &items, verdict) {
            return;
        }
        if naming.column.as_ref().is_some_and(|column| self.is_strange(column)) {
            verdict.add(weights.strange_block, "its table is about something else");
        } else if naming.column.is_none() && self.weigh_blocks(context, verdict) {
            self.weigh_passing(context, label, verdict);
            return;
        }
        if !self.weigh_items(span, naming, &items, verdict) {
            self.weigh_distance(span, naming, context, verdict);
        }
        self.weigh_passing(context, label, verdict);
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

    /// Weighs the blocks around the value; `true` if one of them speaks of the provider.
    fn weigh_blocks(&self, context: &Context, verdict: &mut Verdict) -> bool {
        let mentions = &self.page.mentions;
        // A path in a comment (`// not for /yousign/*`) is no owner.
        let heads = |block: &Block| {
            let line = own_line(self.page, block);
            let is_path = |at: usize| at > 0 && self.page.text[at - 1] == b'/';
            mentions.within_any(block.header, |mention| {
                line.start <= mention.span.start || !is_path(mention.span.start)
            })
        };
        let block = context.blocks.iter().position(heads);
        // Where only the comment above a block names us, what opens the block may still name somebody else.
        let by_comment = |block: &Block| !mentions.within(own_line(self.page, block));
        let inner = block
            .map_or(context.blocks.len(), |at| at + usize::from(by_comment(&context.blocks[at])));
        let inner = &context.blocks[..inner];
        let is_rival = |block: &&Block| {
            let named = if block.is_data {
                self.namer.header_name(block).is_some_and(|name| self.rivals.named_in(name))
            } else {
                self.rivals.named_plainly_in(self.page.slice(own_line(self.page, block)))
            };
            named && blocks::end(self.page, block.start).is_some()
        };
        if let Some(rival) = inner.iter().find(is_rival) {
            let header = quote::excerpt(self.page.slice(rival.header));
            verdict.add(self.weights.rival_block, format!("inside of `{header}`"));
        }
        if let Some(block) = block {
            let header = quote::excerpt(self.page.slice(context.blocks[block].header));
            verdict.add(self.weights.enclosing_block, format!("inside of `{header}`"));
        }
        block.is_some()
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
        let window =
            Span::new(at.saturating_sub(RIVAL_REACH), self.page.text.len().min(at + RIVAL_REACH));
        let rival = self.rivals.nearest_owner(self.page, window, at).filter(|_| !is_linked);
        let counts = |rival: &Distance| {
            let rival = rival.in_lines();
            rival < lines && rival <= self.page.rules.thresholds.rival_lines
        };
        if let Some(rival) = rival.filter(counts) {
            let text = format!("another provider is nearer, {}", rival.in_words());
            verdict.add(self.weights.rival_nearer, text);
        }
        if self.is_of_tenant(span, context) {
            let text = "one of several keys in settings that speak to the provider alone";
            verdict.add(self.weights.linked_name, text);
        } else if let Some(block) = self.stranger(context).filter(|_| !is_linked) {
            let text = format!("its block `{block}` is about something else");
            verdict.add(self.weights.strange_block, text);
        }
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

    /// Whether all words of a name are such as say nothing about whose it is.
    pub(super) fn is_generic(&self, name: &[u8]) -> bool {
        let vocabulary = self.page.vocabulary();
        lex::subwords(name).iter().all(|word| {
            word.bytes().all(|byte| byte.is_ascii_digit())
                || vocabulary.generic_block.contains(word)
                || vocabulary.neutral.contains(word)
                || vocabulary.carrier.contains(word)
        })
    }

    /// The innermost data block with a telling name that is neither generic nor holds a mention of the provider.
    fn stranger(&self, context: &Context) -> Option<String> {
        let tells = |block: &&Block| {
            let name = self.namer.header_name(block);
            name.is_some_and(|name| !self.is_generic(name))
        };
        let block = context.blocks.iter().filter(|block| block.is_data).find(tells)?;
        let end = blocks::end(self.page, block.start)?;
        (!self.page.mentions.within(Span::new(block.start, end.max(block.start))))
            .then(|| quote::excerpt(self.namer.header_name(block).unwrap_or_default()))
    }
}

/// The last line of a block's header, without a comment above it.
pub(super) fn own_line(page: &Page<'_>, block: &Block) -> Span {
    let header = page.slice(block.header);
    let text = header.trim_ascii_end();
    let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Span::new(block.header.start + start, block.header.end)
}

/// Whether the shape says little: many things are 32 hexadecimal digits.
fn is_plain(token: &[u8], shape: &Shape) -> bool {
    shape.alphabet == Alphabet::LowerHex || !has_both_cases(token)
}

pub(super) fn has_both_cases(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_uppercase) && token.iter().any(u8::is_ascii_lowercase)
}
