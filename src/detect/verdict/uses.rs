//! Where else the name of a value stands: in what checks signatures with it, sends it, or uses it for another purpose.

use super::Judge;
use super::has_both_cases;
use super::label::Label;
use super::label::Meaning;
use crate::detect::page::blocks;
use crate::detect::page::context::Context;
use crate::detect::page::context::Link;
use crate::detect::page::lex;
use crate::detect::page::quote;
use crate::detect::page::urls;
use crate::detect::page::urls::Host;
use crate::location::Span;

/// How far around a use a host is looked for, in bytes.
const REACH: usize = 600;
/// Lines above and below a statement in which its receiver is looked for.
const MAX_LINES: usize = 10;
/// Places of a name that are looked at.
const MAX_USES: usize = 16;
/// Longer commands are lines of something else, such as bundles.
const LONGEST_COMMAND: usize = 4 * REACH;
/// How far before and behind a name in a call the call's other arguments are read.
const CALL: usize = 200;
/// How far from a value its name is followed, in bytes.
const USED_WITHIN: usize = 8 * 1024;

impl Judge<'_, '_> {
    /// Where lines that check signatures name what the value is assigned to, the first and the last one. A bundle of one line
    /// checks some somewhere, and what is called an API key, or no secret, is nothing to check them with.
    pub(crate) fn checked_at(
        &self,
        context: &Context,
        label: Option<&Label>,
    ) -> Option<(usize, usize)> {
        let name = self.assigned(context)?;
        let is_own = |label: &&Label| lex::last_part(label.text.as_bytes()) == name;
        if label.is_some_and(Label::names_api)
            || label.filter(is_own).is_some_and(|label| label.meaning == Meaning::Harmless)
        {
            return None;
        }
        // `SECRETS[sender]` checks with one of them what `SECRETS = {"yousign": VALUE}` holds.
        let of_keys = || {
            let text = label.filter(|label| label.names_provider)?.text.as_bytes();
            self.page.checked_at(text.rsplit(|byte| *byte == b' ').next()?)
        };
        self.page.checked_at(name).or_else(of_keys)
    }

    /// The place that says most about whose the value is: its own, or that of a check in which its name stands.
    pub(crate) fn nearest_use(
        &self,
        span: Span,
        context: &Context,
        label: Option<&Label>,
    ) -> usize {
        let Some((first, last)) = self.checked_at(context, label) else { return span.start };
        let distance =
            |at: usize| self.page.nearest_mention(at).map(|near| near.distance.in_lines());
        let far = |at: &usize| distance(*at).unwrap_or(usize::MAX);
        [span.start, first, last].into_iter().min_by_key(far).unwrap_or(span.start)
    }

    /// Whether what the value is assigned to is used to sign or encrypt what is one's own (`jwt.sign(payload, NAME)`).
    pub(crate) fn is_used_for_other_purpose(&self, context: &Context, label: &Label) -> bool {
        let name = self.assigned(context).filter(|name| name.len() > 1);
        !label.names_provider && name.is_some_and(|name| self.page.is_named_in_other_use(name))
    }

    /// What of another provider is given the name of the value (`Mistral(api_key=NAME)`), if nothing of ours is.
    pub(crate) fn passed_to_rival(
        &self,
        context: &Context,
        label: Option<&Label>,
    ) -> Option<String> {
        let name = self.assigned(context).filter(|name| name.len() > 2)?;
        let own = context.statement?;
        if label.is_none_or(|label| label.names_provider || label.meaning == Meaning::Unknown) {
            return None;
        }
        let is_short = |place: &Span| self.page.lines.around(place.start).len() < REACH;
        let uses = self.uses_of(name, own).filter(is_short);
        let mut rival = None;
        for place in uses.take(MAX_USES) {
            let line = self.page.lines.around(place.start);
            let before = self.page.slice(Span::new(line.start, place.start));
            if self.page.mentions.within(line) {
                return None;
            }
            let behind = self.page.text[place.end..line.end].trim_ascii_start();
            // `password=` names another argument.
            let is_argument = matches!(behind.first(), Some(b',' | b')' | b'}' | b']'));
            // `mistral(NAME)`, `"x-honeycomb-team": NAME`
            let open = memchr::memchr(b'(', before).or_else(|| memchr::memchr(b':', before));
            let user = open.map(|open| &before[..open]);
            let user = user.filter(|_| is_argument);
            let is_theirs = |user: &&[u8]| self.rivals.named_plainly_in(user);
            rival = rival.or_else(|| user.filter(is_theirs).map(quote::excerpt));
        }
        rival
    }

    /// Whether the name of the value is passed to a call together with a host of the provider (`new Client("https://…", NAME)`), or is
    /// a field beside one (`Options{BaseURL: "https://…", Key: NAME}`).
    pub(crate) fn is_passed_to_ours(&self, span: Span, context: &Context) -> bool {
        let own = Span::new(context.statement.map_or(span.start, |own| own.start), span.end);
        let Some(name) = self.assigned(context).filter(|name| name.len() > 1) else { return false };
        let is_call = |place: Span| {
            let text = self.page.text;
            let before = &text[place.start.saturating_sub(CALL)..place.start];
            let ends = |byte: &u8| matches!(byte, b'(' | b';' | b'{' | b'}' | b'=');
            let Some(open) = before.iter().rposition(ends) else { return false };
            let behind = &text[place.end..text.len().min(place.end + CALL)];
            let is_field = before.trim_ascii_end().ends_with(b":");
            let is_argument = (is_field
                || matches!(before.trim_ascii_end().last(), Some(b'(' | b',')))
                && matches!(behind.trim_ascii_start().first(), Some(b')' | b',' | b'}'));
            let close = behind.iter().position(|byte| matches!(byte, b')' | b';'));
            let call = Span::new(place.start - before.len() + open, place.end + close.unwrap_or(0));
            is_argument
                && before[open] == if is_field { b'{' } else { b'(' }
                && self.page.mentions.within_any(call, |mention| mention.api)
        };
        self.uses_of(name, own).take(MAX_USES).any(is_call)
    }

    /// Where the name stands outside of `own` and not far from it.
    fn uses_of<'a>(&'a self, name: &'a [u8], own: Span) -> impl Iterator<Item = Span> + 'a {
        let text = self.page.text;
        let start = own.start.saturating_sub(USED_WITHIN);
        let window = &text[start..text.len().min(own.end + USED_WITHIN)];
        let is_part = |at: usize| text.get(at).is_some_and(|byte| lex::is_name(*byte));
        memchr::memmem::find_iter(window, name)
            .map(move |at| Span::new(start + at, start + at + name.len()))
            .filter(move |place| {
                let is_whole = !is_part(place.start.wrapping_sub(1)) && !is_part(place.end);
                is_whole && !own.overlaps(*place)
            })
    }

    /// The last part of the name that the value is assigned to, without a sigil.
    fn assigned(&self, context: &Context) -> Option<&[u8]> {
        // `hexdigest() == VALUE` compares with what a function gives.
        let is_call = |name: Span| self.page.text.get(name.end) == Some(&b'(');
        let is_attribute = |name: Span| self.page.slice(name).starts_with(b"@");
        let assigned = context.names.iter().find(|name| {
            name.link == Link::Assigned || name.link == Link::Adjacent && is_attribute(name.span)
        });
        let assigned = assigned.filter(|name| !is_call(name.span))?;
        Some(without_sigil(lex::last_part(self.page.slice(assigned.span))))
    }

    /// Whether a line outside of `own` sends what has the name in a header, and the host nearest to it is the provider's.
    pub(crate) fn is_sent_to_provider(&self, name: &[u8], own: Span) -> bool {
        let name = without_sigil(name);
        let Some((first, last)) = self.page.sent_at(name) else { return false };
        // A class such as `AuthenticationHeaderValue` is used for any host.
        let is_class = name.first().is_some_and(u8::is_ascii_uppercase) && has_both_cases(name);
        if is_class && self.is_generic(name) {
            return false;
        }
        // `Authorization: VALUE` is the header itself.
        let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
        if self.page.vocabulary().header.contains(&lower) {
            return false;
        }
        let is_ours = |at: usize| {
            let end = self.page.text.len().min(at + REACH);
            let window = Span::new(at.saturating_sub(REACH), end);
            match urls::nearest_host(self.page, window, Span::new(at, at), &[]) {
                Some(host) => host == Host::Ours,
                None => self.page.mentions.in_path,
            }
        };
        let is_use = |at: &usize| {
            !own.overlaps(Span::new(*at, *at + 1)) && !self.is_given_otherwise(name, own, *at)
        };
        [first, last].into_iter().filter(is_use).any(is_ours)
    }

    /// The variable that has the value, if it is sent to the provider in a header, and does not name that itself.
    pub(crate) fn sent_variable(
        &self,
        label: Option<&Label>,
        span: Span,
        context: &Context,
    ) -> Option<String> {
        let name = self.assigned(context).filter(|_| self.page.is_code())?;
        let is_own = |label: &Label| lex::last_part(label.text.as_bytes()) == name;
        let says_it = label.is_some_and(|label| label.names_provider && is_own(label));
        let own = context.statement.unwrap_or(span);
        (!says_it && self.is_sent_to_provider(name, own))
            .then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether a command or a call sends the variable that has the value to the provider, or is given it with a host of the provider.
    pub(crate) fn is_sent_to_ours(&self, span: Span, context: &Context) -> bool {
        let own = context.statement.unwrap_or(span);
        let goes_to_us = |name: &[u8]| self.host_of_variable(name, own) == Some(Host::Ours);
        self.assigned(context).is_some_and(goes_to_us) || self.is_passed_to_ours(span, context)
    }

    /// The host to which commands or calls send the variable.
    pub(crate) fn host_of_variable(&self, name: &[u8], own: Span) -> Option<Host> {
        self.host_by_command(name, own).or_else(|| self.host_by_call(name, own))
    }

    /// The host to which a command of a shell sends the variable (`curl -H "Authorization: Bearer $T" "$BASE/v3"`); the provider's
    /// if one does.
    fn host_by_command(&self, name: &[u8], own: Span) -> Option<Host> {
        let text = self.page.text;
        let header = &self.page.vocabulary().header;
        let hosts = self.uses_of(name, own).take(MAX_USES).filter_map(|place| {
            let before = text[..place.start].strip_suffix(b"{").unwrap_or(&text[..place.start]);
            let command = self.command_around(place.start);
            let is_sent = before.ends_with(b"$")
                && command.len() < LONGEST_COMMAND
                && !self.is_given_otherwise(name, own, place.start)
                && lex::any_said(self.page.slice(command), |word| header.contains(word));
            is_sent.then(|| self.host_of_command(command)).flatten()
        });
        ours_or_first(hosts)
    }

    /// The host to which calls send the variable in a header, if their URLs begin with a constant that holds one
    /// (`get(f"{BASE}/documents", headers={"Authorization": f"Bearer {TOKEN}"})`); the provider's if one does.
    fn host_by_call(&self, name: &[u8], own: Span) -> Option<Host> {
        const CALLS: usize = 4;
        let header = &self.page.vocabulary().header;
        let name = without_sigil(lex::last_part(name));
        let uses = self.uses_of(name, own).take(if name.len() > 1 { MAX_USES } else { 0 });
        let hosts = uses.filter_map(|place| {
            let opens = blocks::brackets(self.page, place.start);
            let mut calls = opens.filter(|open| self.page.text[*open] == b'(').take(CALLS);
            let (open, host) = calls.find_map(|open| Some((open, self.host_of_call(open)?)))?;
            let call = self.page.slice(Span::new(open, place.start));
            let is_sent = call.len() < REACH
                && lex::any_said(call, |word| header.contains(word))
                && !self.is_given_otherwise(name, own, place.start);
            is_sent.then_some(host)
        });
        ours_or_first(hosts)
    }

    /// The lines around `at` that a backslash at the end of each makes one; its own if none does.
    pub(crate) fn command_around(&self, at: usize) -> Span {
        let lines = &self.page.lines;
        let goes_on = |line: &Span| self.page.slice(*line).trim_ascii_end().ends_with(b"\\");
        let own = lines.around(at);
        let first = lines.above(own).take(MAX_LINES).take_while(goes_on).last().unwrap_or(own);
        let mut last = own;
        for line in lines.below(own).take(MAX_LINES) {
            if !goes_on(&last) {
                break;
            }
            last = line;
        }
        Span::new(first.start, last.end)
    }

    /// The host of the first URL in a command, which may begin with a variable.
    fn host_of_command(&self, command: Span) -> Option<Host> {
        let text = self.page.slice(command);
        if let Some(scheme) = memchr::memmem::find(text, b"://") {
            return urls::host_at(self.page, command.start + scheme);
        }
        memchr::memchr_iter(b'$', text).take(MAX_USES).find_map(|at| {
            let behind = text[at + 1..].strip_prefix(b"{").unwrap_or(&text[at + 1..]);
            let length = behind.iter().take_while(|byte| lex::is_name(**byte)).count();
            let (name, rest) = behind.split_at(length);
            let is_base = length > 0 && (rest.starts_with(b"/") || rest.starts_with(b"}/"));
            is_base.then(|| self.host_of_constant(name, command.start + at)).flatten()
        })
    }

    /// Whether the name is elsewhere a key whose value names the provider (`esign: 'x-yousign-signature'`): then it stands for it.
    pub(crate) fn stands_for_ours(&self, name: &[u8], own: Span) -> bool {
        const LONGEST: usize = 80;
        let vocabulary = self.page.vocabulary();
        let says_whose = !lex::any_subword(name, |word| {
            vocabulary.identity.contains(word) || vocabulary.credential.contains(word)
        }) && (!self.is_generic(name)
            || lex::any_subword(name, |word| vocabulary.trade.contains(word)));
        let is_ours = |place: Span| {
            let rest = &self.page.text[place.end..self.page.text.len().min(place.end + LONGEST)];
            let end = memchr::memchr2(b'\n', b',', rest).unwrap_or(rest.len());
            let sign = rest[..end].iter().position(|byte| !b"\"'` ".contains(byte));
            let value = Span::new(place.end, place.end + end);
            sign.is_some_and(|at| rest[at] == b':' || rest[at..].starts_with(b"=>"))
                && self.page.mentions.within(value)
        };
        says_whose && self.uses_of(name, own).take(MAX_USES).any(is_ours)
    }

    /// Whether the name has another value where it is used at `at`: the last assignment before is not `own`.
    fn is_given_otherwise(&self, name: &[u8], own: Span, at: usize) -> bool {
        let is_given = |place: &Span| {
            let behind = self.page.text[place.end..].trim_ascii_start();
            let behind = behind.strip_prefix(b":").unwrap_or(behind);
            behind.starts_with(b"=") && !behind.starts_with(b"==") && !behind.starts_with(b"=>")
        };
        let before = self.uses_of(name, own).filter(|place| place.start < at).filter(is_given);
        before.last().is_some_and(|last| own.start > at || last.start > own.start)
    }

    /// Whether a request sends what has the name, and its URL, the provider's, stands right beside the header.
    pub(crate) fn is_sent_at_once(&self, name: &[u8], own: Span) -> bool {
        let is_beside = |place: Span| {
            let end = self.page.text.len().min(place.end + CALL);
            let window = Span::new(place.start.saturating_sub(CALL), end);
            urls::nearest_host(self.page, window, place, &[]) == Some(Host::Ours)
        };
        self.uses_of(without_sigil(name), own).take(MAX_USES).any(is_beside)
    }

    /// The credential's name to which a name that says nothing itself is given (`token = os.getenv("…") or b64decode(NAME)`).
    pub(crate) fn given_to(&self, context: &Context, label: Option<&Label>) -> Option<String> {
        let says_nothing =
            |label: &Label| matches!(label.meaning, Meaning::Carrier | Meaning::Unknown);
        let name = self.assigned(context).filter(|_| label.is_none_or(says_nothing))?;
        let own = context.statement.filter(|_| self.page.is_code() && name.len() > 1)?;
        let given = |place: Span| {
            let line = self.page.lines.around(place.start);
            let reach = line.start.max(place.start.saturating_sub(CALL));
            let before = self.page.slice(Span::new(reach, place.start));
            let equals = memchr::memchr(b'=', before)?;
            (before.get(equals + 1) != Some(&b'=')).then_some(())?;
            let target = before[..equals].trim_ascii_end();
            let target = target.strip_suffix(b":").unwrap_or(target).trim_ascii_end();
            let label = self.namer.read(lex::last_name(target));
            (label.meaning == Meaning::Credential).then_some(label.text)
        };
        self.uses_of(name, own).take(MAX_USES).find_map(given)
    }

    /// The host to which what a header is given to speaks (`curl_setopt($ch, …VALUE)`, `crm.headers[…] = VALUE`): that of the
    /// nearest line that has both.
    pub(crate) fn host_of_receiver(&self, context: &Context) -> Option<Host> {
        let statement = context.statement.filter(|_| self.page.is_code())?;
        let header = &self.page.vocabulary().header;
        let is_header = |word: &str| header.contains(word);
        if !context.is_bearer && !lex::any_said(self.page.slice(statement), is_header) {
            return None;
        }
        let receiver = self.receiver(statement)?;
        let own = self.page.lines.around(statement.start);
        let above = self.page.lines.above(own).take(MAX_LINES).zip(1..);
        let below = self.page.lines.below(own).take(MAX_LINES).zip(1..);
        let hosts = above.chain(below).filter_map(|(line, distance)| {
            let text = self.page.slice(line);
            let scheme = memchr::memmem::find(text, b"://").filter(|_| line.len() < REACH)?;
            text.split(|byte| !lex::is_name(*byte)).any(|word| word == receiver).then_some(())?;
            Some((distance, urls::host_at(self.page, line.start + scheme)?))
        });
        hosts.min_by_key(|(distance, _)| *distance).map(|(_, host)| host)
    }

    /// The object with which a statement begins (`crm.headers`, `this.crm.headers`), or the variable that is the first argument of
    /// its function.
    fn receiver(&self, statement: Span) -> Option<&[u8]> {
        let text = self.page.slice(statement).trim_ascii_start();
        let is_part =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@');
        let length = |text: &[u8]| text.iter().take_while(|byte| is_part(byte)).count();
        let mut rest = text;
        for own in [b"$this->".as_slice(), b"this.", b"self."] {
            rest = rest.strip_prefix(own).unwrap_or(rest);
        }
        let first = &rest[..length(rest)];
        let behind = &rest[first.len()..];
        let object = if let Some(arguments) = behind.strip_prefix(b"(") {
            let argument = &arguments[..length(arguments)];
            argument.starts_with(b"$").then_some(argument)?
        } else {
            (behind.starts_with(b".") || behind.starts_with(b"->")).then_some(first)?
        };
        Some(without_sigil(object)).filter(|name| !name.is_empty())
    }
}

/// The provider's host if it is among them, or else the first.
pub(crate) fn ours_or_first(mut hosts: impl Iterator<Item = Host>) -> Option<Host> {
    let first = hosts.next()?;
    Some(if hosts.any(|host| host == Host::Ours) { Host::Ours } else { first })
}

fn without_sigil(name: &[u8]) -> &[u8] {
    let sigils = name.iter().take_while(|byte| matches!(byte, b'$' | b'@')).count();
    &name[sigils..]
}
