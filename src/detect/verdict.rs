//! Judges one token: which rule, how sure, and why. Every reason has a weight in points; the sum decides.

use super::Hit;
use super::columns;
use super::context;
use super::context::Block;
use super::context::Context;
use super::context::Link;
use super::label::Label;
use super::label::Meaning;
use super::lex;
use super::lex::Lexeme;
use super::mention::Mentions;
use super::mention::Rivals;
use super::randomness;
use super::score::Verdict;
use super::surroundings;
use crate::blob::BlobPath;
use crate::location::Span;
use crate::rule::Alphabet;
use crate::rule::Provider;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::Shape;
use crate::rule::TokenRule;
use crate::rule::Vocabulary;

/// Judges the tokens of one text.
pub(super) struct Judge<'r, 't> {
    provider: &'r Provider,
    vocabulary: &'r Vocabulary,
    rivals: &'r Rivals,
    mentions: &'t Mentions,
    text: &'t [u8],
    path: &'t BlobPath,
}

impl<'r, 't> Judge<'r, 't> {
    /// A judge for `text`.
    pub(super) fn new(
        provider: &'r Provider,
        vocabulary: &'r Vocabulary,
        rivals: &'r Rivals,
        mentions: &'t Mentions,
        text: &'t [u8],
        path: &'t BlobPath,
    ) -> Self {
        Self { provider, vocabulary, rivals, mentions, text, path }
    }

    /// Judges the token at `span`.
    pub(super) fn judge(&self, span: Span) -> Option<Hit<'r>> {
        let context = context::read(self.text, span);
        let label = self.label(span, &context);
        let (rule, shape) = self.rule(span, &context, label.as_ref())?;
        let mut verdict = Verdict::default();
        self.weigh_shape(span, shape, &mut verdict);
        self.weigh_label(span, label.as_ref(), &context, &mut verdict);
        self.weigh_provider(span, label.as_ref(), &context, &mut verdict);
        let environment = surroundings::environment(
            self.provider,
            self.mentions,
            self.text,
            span,
            (&context, self.path),
        );
        Some(Hit { rule, span, verdict, environment })
    }

    fn slice(&self, span: Span) -> &'t [u8] {
        &self.text[span.start..span.end]
    }

    fn read_label(&self, name: &[u8]) -> Label {
        Label::read(name, self.provider, self.vocabulary, self.rivals)
    }

    /// The name that says what the value is: tied to it, or else a sibling's, an enclosing block's, or the file's.
    fn label(&self, span: Span, context: &Context) -> Option<Label> {
        if let Some(column) = columns::name_of(self.text, span) {
            let label = self.read_label(column);
            if matches!(label.meaning, Meaning::Harmless | Meaning::OtherPurpose | Meaning::Rival) {
                return Some(label);
            }
        }
        if let Some(key) = context::serialized_key(self.text, span) {
            return Some(self.read_label(self.slice(key)));
        }
        let mut carried = false;
        let mut adjacent = 0;
        for (at, name) in context.names.iter().enumerate() {
            let label = self.read_label(self.slice(name.span));
            let says_something = label.names_provider
                || !matches!(label.meaning, Meaning::Unknown | Meaning::Carrier);
            let is_carrier = label.meaning == Meaning::Carrier
                || name.link == Link::Called && self.is_setter(&label);
            match name.link {
                // A command such as `aws` names nobody's credential by itself.
                Link::Path => {}
                Link::Adjacent if label.meaning == Meaning::Rival && label.words.len() == 1 => {}
                _ if is_carrier && !label.names_provider => carried = true,
                // Behind a carrier, `name=` or `type=` describe the carrier and not the value.
                _ if carried && !label.names_provider && label.meaning != Meaning::Credential => {
                    break;
                }
                Link::Assigned => return Some(label),
                Link::Called | Link::Fallback if says_something => return Some(label),
                Link::Listed
                    if at == 0
                        && (label.names_provider
                            || says_something && self.is_quoted(name.span)) =>
                {
                    return Some(label);
                }
                Link::Listed if label.names_provider && label.meaning == Meaning::Credential => {
                    return Some(label);
                }
                Link::Adjacent if says_something => return Some(label),
                Link::Adjacent => {
                    adjacent += 1;
                    if adjacent > 6 {
                        break;
                    }
                }
                _ => {}
            }
        }
        if carried || context.names.is_empty() {
            let around = if carried { self.sibling_label(span, context) } else { None };
            return around
                .or_else(|| self.block_label(context))
                .or_else(|| self.path_label(context));
        }
        None
    }

    /// Whether a function only stores what it is given (`setValue`).
    fn is_setter(&self, label: &Label) -> bool {
        let stores = |word: &String| {
            self.vocabulary.carrier.contains(word)
                || matches!(word.as_str(), "set" | "with" | "add" | "put" | "define")
        };
        !label.words.is_empty() && label.words.iter().all(stores)
    }

    /// Whether a name is a string literal.
    fn is_quoted(&self, span: Span) -> bool {
        matches!(self.text.get(span.end), Some(b'"' | b'\'' | b'`' | b'\\'))
    }

    /// A name among the siblings of a value whose own name only carries it (`name="X" value="…"`).
    fn sibling_label(&self, span: Span, context: &Context) -> Option<Label> {
        let around = context::siblings(self.text, span);
        let around = context.statement.map_or(around, |statement| {
            Span::new(around.start.min(statement.start), around.end.max(statement.end))
        });
        let words =
            lex::leftwards(self.text, around.end, around.len()).filter_map(|lexeme| match lexeme {
                Lexeme::Word(word) if !word.overlaps(span) => {
                    Some(self.read_label(self.slice(word)))
                }
                _ => None,
            });
        let labels: Vec<Label> = words.take(60).collect();
        let rank = |label: &Label| match label.meaning {
            Meaning::Credential if label.names_provider => 0,
            Meaning::Rival if label.words.len() == 1 => 9,
            Meaning::Rival | Meaning::OtherPurpose => 1,
            _ if label.names_provider => 2,
            Meaning::ForeignCredential => 3,
            Meaning::Credential => 4,
            _ => 9,
        };
        labels.into_iter().filter(|label| rank(label) < 9).min_by_key(rank)
    }

    /// The name of the innermost data block that says something.
    fn block_label(&self, context: &Context) -> Option<Label> {
        context.blocks.iter().filter(|block| block.is_data).take(3).find_map(|block| {
            let label = self.read_label(self.header_name(block)?);
            (label.names_provider
                || matches!(
                    label.meaning,
                    Meaning::Credential | Meaning::Harmless | Meaning::Rival
                ))
            .then_some(label)
        })
    }

    /// The name in a block's header: its last word.
    fn header_name(&self, block: &Block) -> Option<&'t [u8]> {
        lex::leftwards(self.text, block.header.end, block.header.len()).find_map(|lexeme| {
            match lexeme {
                Lexeme::Word(word) => Some(self.slice(word)),
                _ => None,
            }
        })
    }

    /// The file's name, when the value stands alone in its text.
    fn path_label(&self, context: &Context) -> Option<Label> {
        if !context.is_bare || self.text.trim_ascii().len() > 200 {
            return None;
        }
        let name = self.path.as_bytes().rsplit(|byte| *byte == b'/').next()?;
        let stem = name
            .rsplitn(2, |byte| *byte == b'.')
            .last()
            .filter(|stem| !stem.is_empty())
            .unwrap_or(name);
        let label = self.read_label(stem);
        (label.names_provider || label.meaning == Meaning::Credential).then_some(label)
    }

    /// The rule under which the value is reported: one whose cues are met, or else the provider's default.
    fn rule(
        &self,
        span: Span,
        context: &Context,
        label: Option<&Label>,
    ) -> Option<(&'r Rule, &'r Shape)> {
        let token = self.slice(span);
        let candidates = || {
            self.provider.rules.iter().filter_map(|rule| match &rule.kind {
                RuleKind::Token(kind) => kind
                    .shapes
                    .iter()
                    .find(|shape| shape.accepts(token))
                    .map(|shape| (rule, kind, shape)),
                RuleKind::Pattern(_) => None,
            })
        };
        let is_default = |kind: &TokenRule| kind.cues == crate::rule::Cues::default();
        let cued = candidates()
            .find(|(_, kind, _)| !is_default(kind) && self.has_cue(kind, context, label));
        cued.or_else(|| candidates().find(|(_, kind, _)| is_default(kind)))
            .map(|(rule, _, shape)| (rule, shape))
    }

    fn has_cue(&self, kind: &TokenRule, context: &Context, label: Option<&Label>) -> bool {
        let cues = &kind.cues;
        if label.is_some_and(|label| label.has_cue(&cues.label)) {
            return true;
        }
        if context.callee.is_some_and(|callee| self.has_call_cue(callee, &cues.call)) {
            return true;
        }
        let in_heads = label.is_none_or(|label| {
            label.words.iter().any(|word| cues.heads.contains(word))
                || label.meaning == Meaning::Carrier
        });
        let names_api = label
            .is_some_and(|label| label.words.iter().any(|word| word == "api" || word == "apikey"));
        let contexts = context
            .blocks
            .iter()
            .map(|block| self.slice(block.header))
            .chain([self.path.as_bytes()]);
        let mut contexts = contexts.map(|header| self.read_label(header));
        label.is_some()
            && in_heads
            && !names_api
            && contexts.any(|header| header.has_cue(&cues.context))
    }

    fn has_call_cue(&self, callee: Span, cues: &[String]) -> bool {
        let name = self.slice(callee).to_ascii_lowercase();
        let name = String::from_utf8_lossy(&name);
        cues.iter().any(|cue| name.contains(cue.as_str()))
    }

    fn weigh_shape(&self, span: Span, shape: &Shape, verdict: &mut Verdict) {
        let token = self.slice(span);
        let weight =
            if shape.alphabet == Alphabet::LowerHex || !has_both_cases(token) { 5 } else { 25 };
        verdict.add(weight, shape.note.clone());
        match randomness::objection(token).or_else(|| self.placeholder(token)) {
            Some(objection) => verdict.add(-200, format!("the value {objection}")),
            None => verdict.add(10, "looks drawn at random"),
        }
        if self.is_page_parameter(span) {
            verdict.add(-200, "a parameter of one of the provider's pages, not a key");
        }
        let before = &self.text[span.start.saturating_sub(40)..span.start];
        if self.vocabulary.encrypted_before.iter().any(|mark| {
            memchr::memmem::rfind(before, mark.as_bytes())
                .is_some_and(|at| !before[at..].contains(&b'\n'))
        }) {
            verdict.add(-200, "stands inside of an encrypted value");
        }
    }

    /// Whether the value is a query parameter of one of the provider's pages, such as `k` in a signature link.
    fn is_page_parameter(&self, span: Span) -> bool {
        url_before(self.text, span).is_some_and(|url| {
            self.mentions.within_any(url, |mention| mention.host.is_some() && !mention.api)
        })
    }

    fn placeholder(&self, token: &[u8]) -> Option<&'static str> {
        let lower = token.to_ascii_lowercase();
        let holds = |word: &String| memchr::memmem::find(&lower, word.as_bytes()).is_some();
        self.vocabulary.placeholder.iter().any(holds).then_some("holds a placeholder's word")
    }

    fn weigh_label(
        &self,
        span: Span,
        label: Option<&Label>,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let is_call_cue = |rule: &Rule| match &rule.kind {
            RuleKind::Token(kind) => {
                context.callee.is_some_and(|callee| self.has_call_cue(callee, &kind.cues.call))
            }
            RuleKind::Pattern(_) => false,
        };
        if self.provider.rules.iter().any(is_call_cue) {
            verdict.add(40, "passed to a function that checks signatures");
            return;
        }
        if context.is_bearer && label.is_none_or(|label| label.meaning != Meaning::Rival) {
            verdict.add(40, "follows `Bearer`");
            return;
        }
        let Some(label) = label else {
            if in_url_query(self.text, span) {
                verdict.add(-20, "a parameter of a URL without a telling name");
            }
            return;
        };
        let text = surroundings::visible(&label.text, self.slice(span));
        let (weight, reason) = match (label.meaning, label.names_provider) {
            (Meaning::Credential, true) => {
                (60, format!("`{text}` names a credential of {}", self.provider.name))
            }
            (Meaning::Credential, false) => {
                (30, format!("assigned to `{text}`, a credential's name"))
            }
            (Meaning::ForeignCredential, _) => {
                (-25, format!("`{text}` names a credential of something else"))
            }
            (Meaning::OtherPurpose, _) => {
                (-60, format!("`{text}` names a credential for another purpose"))
            }
            (Meaning::Rival, _) => (-120, format!("`{text}` names another provider")),
            (Meaning::Harmless, _) => {
                (-120, format!("`{text}` names an identifier, digest or other harmless value"))
            }
            // A digest in a row with the provider's name is not a key (`('yousign-bot', <md5>)`).
            (_, true) if !has_both_cases(self.slice(span)) => {
                (5, format!("`{text}` names {}", self.provider.name))
            }
            (_, true) => (40, format!("`{text}` names {}", self.provider.name)),
            (Meaning::Carrier, false) => (0, format!("`{text}` does not say what it carries")),
            (Meaning::Unknown, false) => (-8, format!("`{text}` does not say what it is")),
        };
        verdict.add(weight, reason);
    }

    /// Weighs how closely the value is tied to the provider, and whether another provider is nearer.
    fn weigh_provider(
        &self,
        span: Span,
        label: Option<&Label>,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        if label.is_some_and(|label| label.names_provider) {
            verdict.add(35, "the name itself ties it to the provider");
            return;
        }
        let own_statement = context.statement.filter(|statement| self.mentions.within(*statement));
        if own_statement.is_some() {
            verdict.add(35, format!("{} stands in the same statement", self.provider.name));
            return;
        }
        let block = context.blocks.iter().position(|block| self.mentions.within(block.header));
        let inner = &context.blocks[..block.unwrap_or(context.blocks.len())];
        if inner.iter().any(|block| self.rivals.named_in(self.slice(block.header))) {
            verdict.add(-80, "an enclosing block names another provider");
        }
        if let Some(block) = block {
            let header = surroundings::excerpt(self.slice(context.blocks[block].header));
            verdict.add(35, format!("inside of `{header}`"));
            return;
        }
        self.weigh_distance(span, label, context, verdict);
    }

    /// Weighs mentions elsewhere in the file and in its path.
    fn weigh_distance(
        &self,
        span: Span,
        label: Option<&Label>,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let nearest = self.mentions.nearest(self.text, span.start, usize::MAX);
        let lines = nearest.map_or(usize::MAX, |(_, lines)| lines);
        if self.mentions.in_path {
            verdict.add(30, "the file's path names the provider");
        } else if let Some((mention, lines)) = nearest {
            let weight = if lines <= 10 {
                22
            } else if lines <= 40 {
                18
            } else {
                14
            } + if mention.host.is_some() { 5 } else { 0 };
            let what = if mention.host.is_some() { "a host" } else { "a mention" };
            verdict.add(weight, format!("{what} of {} {lines} lines away", self.provider.name));
        }
        let window =
            Span::new(span.start.saturating_sub(1500), self.text.len().min(span.end + 1500));
        let says_whose = label.is_some_and(|label| label.names_provider);
        if let Some(rival) = self
            .rivals
            .nearest(self.text, window, span.start)
            .filter(|rival| !says_whose && *rival < lines && *rival <= 6)
        {
            verdict.add(-30, format!("another provider is nearer, {rival} lines away"));
        }
        if let Some(block) = self.stranger(context) {
            verdict.add(-40, format!("the enclosing block `{block}` is about something else"));
        }
    }

    /// The innermost data block with a telling name that is neither generic nor holds a mention of the provider.
    fn stranger(&self, context: &Context) -> Option<String> {
        let block = context.blocks.iter().filter(|block| block.is_data).find(|block| {
            self.header_name(block).is_some_and(|name| {
                !lex::subwords(name).iter().all(|word| {
                    word.bytes().all(|byte| byte.is_ascii_digit())
                        || self.vocabulary.generic_block.contains(word)
                        || self.vocabulary.neutral.contains(word)
                        || self.vocabulary.carrier.contains(word)
                })
            })
        })?;
        let end = surroundings::block_end(self.text, block.start);
        (!self.mentions.within(Span::new(block.start, end)))
            .then(|| surroundings::excerpt(self.header_name(block).unwrap_or_default()))
    }
}

fn has_both_cases(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_uppercase) && token.iter().any(u8::is_ascii_lowercase)
}

/// Whether the value is the value of a query parameter.
fn in_url_query(text: &[u8], span: Span) -> bool {
    url_before(text, span).is_some()
}

/// What stands glued before the value of a query parameter: the URL, as far as it reaches.
fn url_before(text: &[u8], span: Span) -> Option<Span> {
    let before = text[..span.start].iter().rev().take(600);
    let glued =
        before.take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`<>".contains(byte)).count();
    let url = Span::new(span.start - glued, span.start);
    let prefix = &text[url.start..url.end];
    (prefix.ends_with(b"=") && prefix.contains(&b'?')).then_some(url)
}
