//! What ties a value to another place that speaks of the provider: an imported class, a variable used in a call, the host to
//! which a call goes.

use super::Judge;
use super::label::Label;
use super::own_line;
use super::score::Verdict;
use crate::detect::page::blocks;
use crate::detect::page::blocks::Block;
use crate::detect::page::context::Context;
use crate::detect::page::context::Link;
use crate::detect::page::items::Item;
use crate::detect::page::lex;
use crate::detect::page::lex::Lexeme;
use crate::detect::page::urls;
use crate::detect::page::urls::Host;
use crate::location::Span;
use crate::rule::Rule;

/// How far a call or a data block is searched for the host that it speaks to, in bytes.
const CALL_REACH: usize = 600;
/// How far a constant or a resource is looked for, in bytes.
const DEFINED_WITHIN: usize = 8 * 1024;
/// How far behind a constant's name the URL begins that it is given.
const LONGEST_URL: usize = 80;

impl Judge<'_, '_> {
    /// Weighs whether what the value is passed or assigned to is named where the text speaks of the provider, as by an
    /// import (`use Yousign\Client`) or a call (`new YousignClient($key)`); `true` if what it is tied to is.
    pub(crate) fn weigh_links(
        &self,
        span: Span,
        label: Option<&Label>,
        context: &Context,
        verdict: &mut Verdict,
    ) -> bool {
        let provider = &self.provider.name;
        let carrier = &self.page.vocabulary().carrier;
        // In a file of one line the value's own name stands beside the mention, too.
        let own = context.statement.unwrap_or(span);
        let is_linked = |name: &[u8]| {
            let word = String::from_utf8_lossy(name).to_ascii_lowercase();
            !carrier.contains(&word)
                && !self.page.vocabulary().header.contains(&word)
                && !self.page.vocabulary().markup.contains(&word)
                && !self.page.vocabulary().code_head.contains(&word)
                && self.page.is_named_with_provider(name, own)
        };
        if let Some(name) = self.resource_of_ours(context) {
            let text = format!("belongs to `{name}`, which speaks of {provider}");
            verdict.add(self.weights.linked_header, text);
            return true;
        }
        // A method of somebody's object (`request.Header.Set`) is none either.
        let callee = context.callee.map(|callee| self.page.slice(callee));
        let callee = callee.filter(|callee| !callee.contains(&b'.')).map(lex::last_part);
        // A class is imported for one purpose; a function such as `updateValue` takes anything, unless it comes from there.
        let is_class = |callee: &&[u8]| callee.first().is_some_and(u8::is_ascii_uppercase);
        let is_theirs = |callee: &&[u8]| {
            self.page.is_imported(callee) || is_class(callee) && !self.is_generic(callee)
        };
        if let Some(callee) = callee.filter(is_theirs).filter(|callee| is_linked(callee)) {
            let callee = String::from_utf8_lossy(callee);
            let text = format!("passed to `{callee}`, which a line about {provider} names");
            verdict.add(self.weights.linked_callee, text);
            return true;
        }
        // A name such as `aK` says nothing itself.
        let assigned = context.names.first().filter(|name| name.link == Link::Assigned);
        let assigned = assigned.map(|name| self.page.slice(name.span));
        let name = label.map(|label| label.text.as_bytes()).or(assigned);
        let Some(name) = name else { return false };
        let names = (name, assigned.unwrap_or(name));
        if self.weigh_destination((span, own), label, names, context, verdict) {
            return true;
        }
        // In data a name such as `key` is no variable that is used elsewhere.
        if !self.page.is_code() && self.is_any_credential(name) {
            return false;
        }
        if self.is_sent_to_provider(lex::last_part(name), own) {
            let is_at_once = self.is_sent_at_once(lex::last_part(name), own);
            let weights = &self.weights;
            let weight = if is_at_once { weights.same_call } else { weights.linked_header };
            let name = String::from_utf8_lossy(name);
            verdict.add(weight, format!("`{name}` is sent in a header to a host of {provider}"));
            return true;
        }
        if let Some(given) = self.given_to(context, label) {
            let text = format!("`{}` is given to `{given}`", String::from_utf8_lossy(name));
            verdict.add(self.weights.linked_name, text);
        }
        if self.stands_for_ours(lex::last_part(name), own) {
            let name = String::from_utf8_lossy(name);
            verdict.add(self.weights.linked_header, format!("`{name}` stands for {provider}"));
            return true;
        }
        if name.len() > 1 && is_linked(lex::last_part(name)) {
            let name = String::from_utf8_lossy(name);
            let text = format!("`{name}` is named again in a line about {provider}");
            verdict.add(self.weights.linked_name, text);
        }
        false
    }

    /// Weighs to whose host a setting beside the value, a command or a call says that it goes; `true` if that is the provider's.
    fn weigh_destination(
        &self,
        (span, own): (Span, Span),
        label: Option<&Label>,
        (name, variable): (&[u8], &[u8]),
        context: &Context,
        verdict: &mut Verdict,
    ) -> bool {
        let (weights, provider) = (&self.weights, &self.provider.name);
        let [name, variable_name] = [name, variable].map(String::from_utf8_lossy);
        match label.and_then(|label| self.name_with_host(span, label)) {
            Some(Ok(setting)) => {
                let text = format!("`{name}` begins as `{setting}` does, a host of {provider}");
                verdict.add(weights.linked_name, text);
                return true;
            }
            Some(Err(why)) => verdict.add(weights.foreign_host, format!("`{name}` {why}")),
            None => {}
        }
        if self.is_passed_to_ours(span, context) {
            let text = format!("its name is passed to a call with a host of {provider}");
            verdict.add(weights.same_call, text);
            return true;
        }
        match self.host_of_variable(variable, own) {
            Some(Host::Ours) => {
                let text = format!("`{variable_name}` is sent to a host of {provider}");
                verdict.add(weights.linked_header, text);
                return true;
            }
            Some(Host::Foreign(host)) => {
                verdict.add(weights.foreign_host, format!("`{variable_name}` is sent to {host}"));
            }
            Some(Host::Between(_)) | None => {}
        }
        false
    }

    /// The name of a setting near by which holds the URL of an API and begins with the same word as the value's
    /// (`BRIDGE_TOKEN=VALUE`, `BRIDGE_UPSTREAM=https://…`) if that is the provider's, or else an error: why the value is
    /// somebody else's.
    pub(crate) fn name_with_host(
        &self,
        span: Span,
        label: &Label,
    ) -> Option<Result<String, String>> {
        let [first, .., last] = label.words.as_slice() else { return None };
        // French says first what it is: `JETON_DEVIS`, `URL_DEVIS`.
        let credential = &self.page.vocabulary().credential;
        let is_last = credential.contains(first) && !credential.contains(last);
        let first = if is_last { last } else { first };
        let is_build = |word: &String| {
            let mut prefixes = self.page.rules.places.public_prefixes.iter();
            prefixes.any(|prefix| prefix.to_ascii_lowercase().split('_').any(|part| part == word))
        };
        if first.len() < 2 || is_build(first) {
            return None;
        }
        let mut foreign = None;
        for (name, host) in self.settings_with_hosts(span) {
            let words = lex::subwords(name);
            let is_alike = if is_last { words.last() } else { words.first() } == Some(first);
            let name = String::from_utf8_lossy(name);
            match host {
                Host::Ours if is_alike => return Some(Ok(name.into_owned())),
                Host::Ours if !is_last && is_numbered_apart(&label.words, &words) => {
                    let provider = &self.provider.name;
                    foreign = Some(Err(format!(
                        "has another number than `{name}`, a host of {provider}"
                    )));
                }
                Host::Foreign(host) if is_alike && !self.is_generic(first.as_bytes()) => {
                    let text = || format!("begins as `{name}` does, which holds {host}");
                    foreign = foreign.or_else(|| Some(Err(text())));
                }
                _ => {}
            }
        }
        foreign
    }

    /// The names of settings around the value that hold URLs, and the hosts of these.
    fn settings_with_hosts(&self, span: Span) -> impl Iterator<Item = (&[u8], Host)> {
        const MOST: usize = 64;
        let text = self.page.text;
        let start = span.start.saturating_sub(CALL_REACH);
        let window = &text[start..text.len().min(span.end + CALL_REACH)];
        let schemes = memchr::memmem::find_iter(window, b"://").map(move |at| start + at);
        schemes.take(MOST).filter_map(|at| {
            let host =
                urls::host_at(self.page, at).filter(|_| !urls::is_named_idle(self.page, at))?;
            let line = self.page.lines.around(at);
            let from = line.start.max(at.saturating_sub(CALL_REACH));
            let mut words = lex::leftwards(text, at, at - from);
            let equals = |lexeme: &Lexeme| matches!(lexeme, Lexeme::Operator(b'=' | b':'));
            let is_word = |lexeme| match lexeme {
                Lexeme::Word(word) => Some(self.page.slice(word)),
                _ => None,
            };
            let name = words.by_ref().skip_while(|lexeme| !equals(lexeme)).find_map(is_word)?;
            Some((self.key_above(line).unwrap_or(name), host))
        })
    }

    /// The name in the element right above one for a value (`<field name="key">NAME</field>`, `<field name="value">URL</field>`).
    fn key_above(&self, line: Span) -> Option<&[u8]> {
        let is_value = |line: &[u8]| memchr::memmem::find(line, b"value\">").is_some();
        let is_short = |line: &Span| line.len() < CALL_REACH;
        let own = Some(line).filter(is_short).filter(|line| is_value(self.page.slice(*line)));
        let above = self.page.lines.above(own?).next().filter(is_short)?;
        let text = self.page.slice(above).trim_ascii();
        let text = &text[memchr::memmem::find(text, b"key\">")? + b"key\">".len()..];
        Some(&text[..memchr::memchr(b'<', text)?])
    }

    /// The resource to which the value's block in Terraform refers, if that speaks of the provider
    /// (`secret_id = aws_secretsmanager_secret.esign.id`).
    fn resource_of_ours(&self, context: &Context) -> Option<String> {
        let block = context.blocks.first().filter(|block| block.is_data)?;
        let head = self.page.slice(own_line(self.page, block)).trim_ascii_start();
        head.starts_with(b"resource ").then_some(())?;
        let end = blocks::end(self.page, block.start)?.min(block.start + CALL_REACH);
        let inside = self.page.text.get(block.start..end)?;
        let mut references = inside.split(|byte| !lex::is_word(*byte));
        references.find_map(|reference| {
            let mut parts = reference.split(|byte| *byte == b'.');
            let (kind, name, _) = (parts.next()?, parts.next()?, parts.next()?);
            let header = [b"\"", kind, b"\" \"", name, b"\" {"].concat();
            let (from, near) = self.near(block.start);
            let open = from + memchr::memmem::find(near, &header)? + header.len() - 1;
            let resource = Span::new(open, blocks::end(self.page, open)?.max(open));
            let is_ours = self.page.mentions.within_any(resource, |mention| mention.host.is_none());
            is_ours.then(|| String::from_utf8_lossy(name).into_owned())
        })
    }

    /// Whether a name says that it is a credential, and not of what.
    fn is_any_credential(&self, name: &[u8]) -> bool {
        let vocabulary = self.page.vocabulary();
        let words = lex::subwords(lex::last_part(name));
        words.len() == 1 && words.iter().all(|word| vocabulary.credential.contains(word))
    }

    /// The end of the calls that follow the one which ends at `end` (`withToken(VALUE)->post(URL)`).
    fn chain_end(&self, mut end: usize) -> usize {
        let text = self.page.text;
        while text.get(end) == Some(&b')') && end < text.len() {
            let behind = text[end + 1..].trim_ascii_start();
            let links = [b"->".as_slice(), b"?.", b"."].into_iter();
            let Some(call) = links.filter_map(|link| behind.strip_prefix(link)).next() else {
                break;
            };
            let name =
                call.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
            let open = text.len() - call.len() + name.count();
            let close = (text.get(open) == Some(&b'(')).then(|| blocks::end(self.page, open));
            let Some(close) = close.flatten() else { break };
            end = close;
        }
        end
    }

    /// Whether another provider could own what its statement `own` holds; in prose its name is enough.
    pub(crate) fn is_said_of_rival(&self, own: Span, span: Span) -> bool {
        let before = Span::new(own.start, span.start.max(own.start));
        self.rivals.owns_in(self.page, own)
            || !self.page.is_code() && self.rivals.named_plainly_in(self.page.slice(before))
    }

    /// Whether a comment behind the value, in its line, names another provider and not us.
    pub(crate) fn is_commented_as_rival(&self, span: Span) -> bool {
        let comment = self.comment_behind(span, CALL_REACH);
        comment.is_some_and(|comment| {
            self.rivals.named_plainly_in(self.page.slice(comment))
                && !self.page.mentions.within(comment)
        })
    }

    /// The comment behind the value in its line, as far as it stands within `reach` bytes.
    pub(crate) fn comment_behind(&self, span: Span, reach: usize) -> Option<Span> {
        const MARKS: [&[u8]; 7] = [b" //", b" # ", b" -- ", b" /*", b" <!--", b"\t//", b"\t# "];
        let end = self.page.lines.around(span.start).end.min(span.end + reach).max(span.end);
        let behind = &self.page.text[span.end..end];
        let starts = MARKS.iter().filter_map(|mark| memchr::memmem::find(behind, mark));
        Some(Span::new(span.end + starts.min()?, end))
    }

    /// Weighs the host to which the value's call or block goes; `true` if that is the provider's.
    pub(crate) fn weigh_host(
        &self,
        (span, rule): (Span, &Rule),
        context: &Context,
        items: &[Item],
        verdict: &mut Verdict,
    ) -> bool {
        let host = self.host_spoken_to(span, context, items);
        let foreign = match host.or_else(|| self.host_of_receiver(context)) {
            Some(Host::Ours) => {
                let text = format!("a host of {} stands in the same call", self.provider.name);
                verdict.add(self.weights.same_call, text);
                return true;
            }
            Some(Host::Foreign(host)) => Some(host),
            // A gateway has tokens of its own; what it hands on may stand in its settings.
            Some(Host::Between(host)) => context.is_bearer.then_some(host),
            None => None,
        };
        if foreign.is_some() && self.is_passed_to_ours(span, context) {
            let text =
                format!("its name is passed to a call with a host of {}", self.provider.name);
            verdict.add(self.weights.same_call, text);
            return true;
        }
        // What signatures are checked with is sent nowhere; a URL beside it is where notifications come in.
        if let Some(host) = foreign.filter(|_| self.is_default(rule)) {
            verdict.add(self.weights.foreign_host, format!("the same call goes to {host}"));
        }
        false
    }

    /// The host that is called with the value: in the statement, or in the innermost call or data block that has one.
    fn host_spoken_to(&self, span: Span, context: &Context, items: &[Item]) -> Option<Host> {
        // Requests stand below each other in a file; a header goes where its own does.
        let request = urls::request_above(self.page, span);
        if let Some(host) = request.filter(|_| urls::is_header(self.page, span)) {
            return Some(host);
        }
        let near = |window: Span| {
            Span::new(
                window.start.max(span.start.saturating_sub(CALL_REACH)),
                window.end.min(span.end + CALL_REACH).max(span.end),
            )
        };
        // A block that names the provider says whose its values are, wherever it goes: to a proxy, for one.
        let ours = |block: &Block| self.is_headed_by_ours(block);
        let inner = context.blocks.iter().position(ours).unwrap_or(context.blocks.len());
        // Nor does what is outside of an object say so that itself names the provider (`{ provider: NAME, key: VALUE }`).
        let names_us = |block: &Block| {
            let end = blocks::end(self.page, block.start).filter(|_| block.is_data);
            end.is_some_and(|end| {
                self.page.mentions.within(Span::new(block.start, end.max(block.start)))
            })
        };
        let named = context.blocks[..inner].iter().position(names_us);
        let inner = named.map_or(inner, |at| at + 1);
        // What stands around a block of another name goes elsewhere than that block.
        let is_strange = |block: &Block| {
            // `new Mistral({ apiKey: VALUE })`
            if self.page.text.get(block.start) == Some(&b'(') && self.is_headed_by_rival(block) {
                return true;
            }
            let name = self.namer.header_name(block).filter(|_| block.is_data);
            let is_trade = |word: &str| self.page.vocabulary().trade.contains(word);
            name.is_some_and(|name| !self.is_generic(name) || lex::any_subword(name, is_trade))
        };
        let strange = context.blocks[..inner].iter().position(is_strange);
        let inner = strange.map_or(inner, |at| at + 1);
        let is_item = |block: &Block| items.iter().any(|item| item.span.start == block.start);
        let calls = context.blocks[..inner].iter().filter(|block| {
            block.is_data || is_item(block) || self.is_call(block) || self.is_record(block)
        });
        let windows = calls.take(3 + items.len()).filter_map(|block| {
            let end = blocks::end(self.page, block.start)?;
            Some((block.start, near(Span::new(block.start, self.chain_end(end)))))
        });
        // What stands in a function passed to a call is not all sent to one host.
        let is_function = |block: &&Block| blocks::is_function(self.page, block);
        let function = context.blocks.iter().find(is_function).map(|block| block.start);
        let is_sent = |start: usize, host: &Host| {
            function.is_none_or(|function| start > function) || *host == Host::Ours
        };
        // Of a server's settings: `location /sign/ { proxy_pass URL; proxy_set_header … VALUE; }`.
        let own = context.blocks.first().filter(|_| context.is_bearer && !self.page.is_code());
        let own = own.filter(|block| self.page.text.get(block.start) == Some(&b'{'));
        let own = own.and_then(|block| {
            Some((block.start, near(Span::new(block.start, blocks::end(self.page, block.start)?))))
        });
        // A command goes on where its line ends in a backslash.
        let command = self.command_around(span.start);
        let is_long = command != self.page.lines.around(span.start);
        let statement = context.statement.map(|statement| {
            let whole =
                Span::new(statement.start.min(command.start), statement.end.max(command.end));
            (span.start, near(if is_long { whole } else { statement }))
        });
        let told = statement.into_iter().chain(own).chain(windows).find_map(|(start, window)| {
            let host = urls::nearest_host(self.page, window, span, items);
            host.filter(|host| is_sent(start, host))
        });
        told.or_else(|| self.host_in_constant(context))
    }

    /// What of the text stands not too far from `at`, and where it begins.
    fn near(&self, at: usize) -> (usize, &[u8]) {
        let text = self.page.text;
        let from = at.saturating_sub(DEFINED_WITHIN);
        (from, &text[from..text.len().min(at + DEFINED_WITHIN)])
    }

    /// Whether a block is a class or a literal of a struct (`Upstream {`), whose fields are about one thing, or builds one
    /// (`defaultRequest {`, `val mailer = HttpClient {`).
    fn is_record(&self, block: &Block) -> bool {
        let head = self.page.slice(own_line(self.page, block)).trim_ascii();
        if let Some(name) = head.strip_prefix(b"class ").filter(|name| name.ends_with(b":")) {
            return !name.is_empty();
        }
        // A class that speaks of the provider may well hold addresses of others, too.
        if lex::subwords(head).iter().any(|word| word == "class") {
            let end = blocks::end(self.page, block.start).unwrap_or(block.start);
            let own = Span::new(own_line(self.page, block).start, end.max(block.start));
            return self.page.text.get(block.start) == Some(&b'{')
                && !self.page.mentions.within(own);
        }
        let is_part = |byte: &u8| lex::is_name(*byte) || matches!(byte, b':' | b'.' | b'&');
        let is_literal =
            head.first().is_some_and(u8::is_ascii_uppercase) && head.iter().all(is_part);
        let built = head.rsplit(|byte| *byte == b'=').next().unwrap_or(head).trim_ascii();
        let is_statement = |word: &String| word.as_bytes() == built;
        let is_built = !built.is_empty()
            && built.iter().all(|byte| lex::is_name(*byte))
            && !self.page.vocabulary().code_head.iter().any(is_statement);
        self.page.text.get(block.start) == Some(&b'{') && (is_literal || is_built)
    }

    /// The host that a constant holds with which the URL of the value's call begins (``fetch(`${CRM}/…`, … VALUE)``).
    fn host_in_constant(&self, context: &Context) -> Option<Host> {
        let is_call = |block: &&Block| self.is_call(block);
        self.host_of_call(context.blocks.iter().take(4).find(is_call)?.start)
    }

    /// Whether a block is what a function is called with.
    fn is_call(&self, block: &Block) -> bool {
        self.page.text.get(block.start) == Some(&b'(')
            && !blocks::is_declared_in(self.page.text, block.start)
    }

    /// The host that a constant holds with which the first argument of the call begins whose bracket opens at `open`.
    pub(crate) fn host_of_call(&self, open: usize) -> Option<Host> {
        const LONGEST: usize = 40;
        let opening = [&b"`${"[..], b"\"${", b"f\"{", b"f'{", b""];
        let behind = self.page.text[open + 1..].trim_ascii_start();
        let name = opening.iter().find_map(|opening| behind.strip_prefix(*opening))?;
        let length = name.iter().take(LONGEST).take_while(|byte| lex::is_name(**byte)).count();
        let (name, rest) = name.split_at(length);
        let rest = rest.trim_ascii_start();
        let goes_on = [&b"}/"[..], b"+", b". '", b". \"", b".. "];
        if length < 2 || !goes_on.iter().any(|sign| rest.starts_with(sign)) {
            return None;
        }
        self.host_of_constant(name, open)
    }

    /// The host of the URL that is given to the constant `name` not too far from `at`.
    pub(crate) fn host_of_constant(&self, name: &[u8], at: usize) -> Option<Host> {
        let text = self.page.text;
        let (from, near) = self.near(at);
        let mut places = memchr::memmem::find_iter(near, name).map(|at| from + at);
        places.find_map(|at| {
            let is_word = at.checked_sub(1).is_none_or(|before| !lex::is_name(text[before]));
            let line = self.page.lines.around(at);
            let behind = at + name.len();
            let value = &text[behind..line.end.min(behind + LONGEST_URL).max(behind)];
            let equals = value.trim_ascii_start();
            let is_given = equals.starts_with(b"=") || equals.starts_with(b":");
            let scheme = memchr::memmem::find(value, b"://").filter(|_| is_word && is_given)?;
            urls::host_at(self.page, behind + scheme)
        })
    }
}

/// Whether the first words of two names are numbered, and the numbers differ (`e3.key`, `e1.url`).
fn is_numbered_apart(words: &[String], others: &[String]) -> bool {
    fn numbered(words: &[String]) -> Option<(&str, &str)> {
        let first = words.first()?;
        let stem = first.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let digits = if stem.len() < first.len() { &first[stem.len()..] } else { words.get(1)? };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !stem.is_empty()).then_some((stem, digits))
    }
    let (Some((stem, number)), Some((other_stem, other))) = (numbered(words), numbered(others))
    else {
        return false;
    };
    stem == other_stem && number != other
}
