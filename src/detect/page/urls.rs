//! URLs around a value: the parameter it is, the page it belongs to, the host that is called with it.

use super::Page;
use super::context;
use super::items::Item;
use super::lex;
use super::mention::Mention;
use super::randomness::could_be_digest;
use crate::location::Span;

/// How far a URL is read to the left of a value, in bytes.
const REACH: usize = 600;

/// Whether the value is the value of a query parameter.
pub(crate) fn is_parameter(page: &Page<'_>, span: Span) -> bool {
    url_before(page.text, span).is_some()
}

/// Whether the value is a query parameter of one of the provider's pages, such as `k` in a signature link, or stands
/// between other such parameters.
pub(crate) fn is_page_parameter(page: &Page<'_>, span: Span) -> bool {
    let on_page =
        |url| page.mentions.within_any(url, |mention| mention.host.is_some() && !mention.api);
    url_before(page.text, span).is_some_and(on_page)
        || is_among_page_parameters(page, span)
        || is_path_of_page(page, span)
        || is_among_parameters_in_json(page, span)
}

/// `{ "s": …, "r": …, "k": "VALUE" }`
fn is_among_parameters_in_json(page: &Page<'_>, span: Span) -> bool {
    let is_part = |byte: &u8| b"\"' :".contains(byte);
    let before = &page.text[span.start.saturating_sub(20)..span.start];
    let end = before.len() - before.iter().rev().take_while(|byte| is_part(byte)).count();
    let names = &page.provider.page_parameters;
    let Some(own) = names.iter().find(|name| before[..end].ends_with(name.as_bytes())) else {
        return false;
    };
    let is_quoted = |text: &[u8]| matches!(text.last(), Some(b'"' | b'\''));
    if !is_quoted(&before[..end - own.len()]) || !before[end..].contains(&b':') {
        return false;
    }
    let around = page.slice(context::siblings(page.text, span));
    let mut others = names.iter().filter(|name| *name != own);
    others.any(|name| memchr::memmem::find(around, format!("\"{name}\":").as_bytes()).is_some())
}

/// Whether the value is a part of the path of one of the provider's pages (`https://links.provider.com/u/VALUE`).
fn is_path_of_page(page: &Page<'_>, span: Span) -> bool {
    let run = glued(page.text, span, REACH);
    let before = &page.text[run.start..span.start];
    let ends = page.text[span.end..run.end].first();
    let Some(scheme) = memchr::memmem::rfind(before, b"://").filter(|_| before.ends_with(b"/"))
    else {
        return false;
    };
    let host = run.start + scheme + 3;
    let length = page.text[host..span.start].iter().position(|byte| *byte == b'/').unwrap_or(0);
    let host = Span::new(host, host + length);
    // Somebody's own proxy may be called like the provider, under another domain.
    let is_known =
        |name: &[u8]| page.provider.hosts.iter().any(|host| host.pattern.regex().is_match(name));
    let is_page = |mention: &Mention| {
        let domain = &page.text[mention.span.start.max(host.start)..host.end];
        !mention.api && (is_known(domain) || is_known(&[b"api.", domain].concat()))
    };
    ends.is_none_or(|byte| b"/?#>)],;.".contains(byte)) && page.mentions.within_any(host, is_page)
}

/// `s=…&r=…&k=VALUE` without its URL.
fn is_among_page_parameters(page: &Page<'_>, span: Span) -> bool {
    if !page.text[..span.start].ends_with(b"=") {
        return false;
    }
    let run = glued(page.text, span, REACH);
    let mut own = false;
    let mut others = 0;
    for part in page.slice(run).split(|byte| matches!(byte, b'&' | b'?' | b';')) {
        let Some(equals) = part.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = (&part[..equals], &part[equals + 1..]);
        let is_one = page.provider.page_parameters.iter().any(|known| known.as_bytes() == name);
        if is_one && value.starts_with(page.slice(span)) {
            own = true;
        } else if is_one && value.len() >= 16 {
            others += 1;
        }
    }
    own && others > 0
}

/// Whether the value is the user or the password of a URL of the provider (`https://VALUE@host`).
pub(crate) fn is_user_information(page: &Page<'_>, span: Span) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~%:".contains(byte);
    let rest = page.text[span.end..].iter().take(REACH).take_while(|byte| is_part(byte)).count();
    let at = span.end + rest;
    if page.text.get(at) != Some(&b'@') {
        return false;
    }
    let run = glued(page.text, span, REACH);
    let before = &page.text[run.start..span.start];
    let Some(scheme) = memchr::memmem::rfind(before, b"://") else { return false };
    let host = at + 1;
    host <= run.end
        && before[scheme + 3..].iter().all(is_part)
        && page.mentions.within_any(Span::new(host, run.end), |mention| {
            mention.host.is_some() && mention.span.start == host
        })
}

/// Whether the value is a part of a path that speaks of the provider before it and of what its API offers behind it, as gateways
/// have it (`/provider/VALUE/documents`).
pub(crate) fn is_before_resource(page: &Page<'_>, span: Span) -> bool {
    let run = glued(page.text, span, REACH);
    let before = Span::new(run.start, span.start);
    let behind = page.text[span.end..run.end].strip_prefix(b"/").unwrap_or_default();
    let length = behind.iter().take_while(|byte| lex::is_name(**byte)).count();
    page.slice(before).ends_with(b"/")
        && page.mentions.within(before)
        && is_resource(page, &behind[..length])
}

/// Whether the value is the part of a path behind what the API offers: its id (`/provider/documents/VALUE`).
pub(crate) fn is_behind_resource(page: &Page<'_>, span: Span) -> bool {
    let before = &page.text[span.start.saturating_sub(80)..span.start];
    let before = before.strip_suffix(b"/").unwrap_or_default();
    let length = before.iter().rev().take_while(|byte| lex::is_name(**byte)).count();
    let (rest, resource) = before.split_at(before.len() - length);
    rest.ends_with(b"/") && is_resource(page, resource)
}

fn is_resource(page: &Page<'_>, name: &[u8]) -> bool {
    page.provider.resources.iter().any(|resource| resource.as_bytes() == name)
}

/// Whether the value is the user or the password of a URL of somebody else's host (`postgres://app:VALUE@db`), a part of such a
/// URL's path that does not speak of the provider before it, or a parameter of one that does not at all.
pub(crate) fn is_in_url_elsewhere(page: &Page<'_>, span: Span) -> bool {
    let run = glued(page.text, span, REACH);
    let before = &page.text[run.start..span.start];
    let Some(scheme) = memchr::memmem::rfind(before, b"://") else {
        return is_request_here(page, span, run);
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~%:".contains(byte);
    if page.text.get(span.end) == Some(&b'@') && before[scheme + 3..].iter().all(is_part) {
        let is_host = |byte: &&u8| !b"/?#".contains(byte);
        let host = page.text[span.end..run.end].iter().take_while(is_host).count();
        let is_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let name = before[..scheme].iter().rev().take_while(is_scheme);
        let parts = [
            Span::new(run.start + scheme - name.count(), run.start + scheme),
            Span::new(span.end, span.end + host),
        ];
        return !parts.iter().any(|part| page.mentions.within(*part));
    }
    let is_foreign = || {
        let host = host_at(page, run.start + scheme);
        matches!(host, Some(Host::Foreign(_) | Host::Between(_)))
    };
    let is_in_path = before.ends_with(b"/") && !before[scheme..].contains(&b'?');
    let is_elsewhere = is_parameter(page, span) && !is_parameter_for_ours(page, span, run)
        || is_in_path && !page.mentions.within(Span::new(run.start, span.start));
    is_elsewhere && is_foreign()
}

/// Whether the address of a URL, the name of the parameter that the value is, or the whole value of another one names the provider;
/// what another one only speaks of (`controller=AdminProviderSettings`) is not what the value is for.
fn is_parameter_for_ours(page: &Page<'_>, span: Span, run: Span) -> bool {
    let text = page.slice(run);
    let Some(question) = memchr::memchr(b'?', text) else { return page.mentions.within(run) };
    // What guards one's own forms and jobs is called so, too.
    let is_guard =
        could_be_digest(page.slice(span)) && text[..span.start - run.start].ends_with(b"token=");
    if page.mentions.within(Span::new(run.start, run.start + question)) {
        return !is_guard;
    }
    let mut at = run.start + question + 1;
    text[question + 1..].split(|byte| b"&;".contains(byte)).any(|part| {
        let own = Span::new(at, at + part.len());
        at = own.end + 1;
        let equals = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let is_name = |name: &String| {
            let value = part.get(equals + 1..).unwrap_or_default();
            value.eq_ignore_ascii_case(name.as_bytes())
        };
        if own.overlaps(span) {
            page.mentions.within(Span::new(own.start, own.start + equals))
        } else {
            !is_guard && page.provider.names.iter().any(is_name)
        }
    })
}

/// Whether the value is a part of the path of a request that one's own server has logged (`"POST /hooks/VALUE HTTP/1.1"`), or a
/// parameter of one (`"GET /reset?token=VALUE HTTP/1.1"`) in a line that does not speak of the provider; or could be a digest, and another
/// parameter speaks of it.
fn is_request_here(page: &Page<'_>, span: Span, run: Span) -> bool {
    let line = page.lines.around(span.start);
    let before = &page.text[line.start..run.start];
    let is_method = |method: &String| before.ends_with(format!("\"{method}").as_bytes());
    let path = page.slice(Span::new(run.start, span.start));
    let is_in_path = path.ends_with(b"/") && !path.contains(&b'?');
    if could_be_digest(page.slice(span)) && is_parameter(page, span) && page.mentions.within(run) {
        return !is_parameter_for_ours(page, span, run);
    }
    path.starts_with(b"/")
        && page.vocabulary().method.iter().any(is_method)
        && (is_in_path || is_parameter(page, span) && !page.mentions.within(line))
}

/// What stands around the value without a space or quote between.
pub(crate) fn glued(text: &[u8], span: Span, reach: usize) -> Span {
    let is_part = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'`<>".contains(byte);
    let before = text[..span.start].iter().rev().take(reach).take_while(is_part).count();
    let behind = text[span.end..].iter().take(reach).take_while(is_part).count();
    Span::new(span.start - before, span.end + behind)
}

/// What stands glued before the value of a query parameter: the URL, as far as it reaches.
fn url_before(text: &[u8], span: Span) -> Option<Span> {
    if !text[..span.start].ends_with(b"=") {
        return None;
    }
    let url = Span::new(glued(text, Span::new(span.start, span.start), REACH).start, span.start);
    text[url.start..url.end].contains(&b'?').then_some(url)
}

/// What parts a URL's scheme from its host.
const SCHEME: &[u8] = b"://";

/// Whose host a call or a block speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// The provider's, or one that is named after it.
    Ours,
    /// This other one, in a URL whose path names the provider: a proxy or gateway.
    Between(String),
    /// This other one.
    Foreign(String),
}

/// The host of the URL nearest to the value within `window`, unless it stands in another item of a list than the value.
pub(crate) fn nearest_host(
    page: &Page<'_>,
    window: Span,
    span: Span,
    items: &[Item],
) -> Option<Host> {
    let text = page.slice(window);
    let urls = memchr::memmem::find_iter(text, SCHEME);
    let fields = memchr::memmem::find_iter(text, b"host").filter_map(|at| named_host(text, at));
    let starts = urls.chain(fields).map(|at| window.start + at);
    starts
        .filter(|at| {
            !is_in_comment(page, *at)
                && !is_named_idle(page, *at)
                && !items.iter().any(|item| item.is_beside(page, *at))
        })
        .filter_map(|at| Some((at, host_at(page, at)?)))
        .min_by_key(|(at, _)| at.abs_diff(span.start))
        .map(|(_, host)| host)
}

/// Where a host begins that stands without a scheme in the field whose name ends at `at` (`"host": "api.acme.com"`), less what a
/// scheme's end would take.
fn named_host(text: &[u8], at: usize) -> Option<usize> {
    // Behind a semicolon it is that of a database (`dbi:Pg:dbname=app;host=db.internal`).
    let begins = |before: usize| !text[before].is_ascii_alphanumeric() && text[before] != b';';
    let is_word = at.checked_sub(1).is_none_or(begins);
    let behind = &text[at + b"host".len()..];
    let gap = behind.iter().take(6).take_while(|byte| b"\"': =".contains(byte)).count();
    let is_given = behind[..gap].iter().any(|byte| matches!(byte, b':' | b'='));
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let name = behind[gap..].iter().take_while(is_part).count();
    let is_domain = memchr::memchr(b'.', &behind[gap..gap + name]).is_some_and(|dot| dot > 0);
    (is_word && is_given && is_domain).then(|| at + b"host".len() + gap - SCHEME.len())
}

/// Whether the value stands in a line like a request's header, which begins with its name and a colon, behind the time of a log
/// perhaps (`[07:26:52]    authorization: Basic VALUE`).
pub(crate) fn is_header(page: &Page<'_>, span: Span) -> bool {
    let line = page.lines.around(span.start);
    let before = &page.text[line.start..span.start];
    let is_time = |byte: &&u8| !byte.is_ascii_alphabetic() || matches!(byte, b'T' | b'Z');
    let before = &before[before.iter().take_while(is_time).count()..];
    let name =
        before.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    name > 0 && before[name..].starts_with(b": ") && !page.is_code()
}

/// The host of the request whose headers a value stands among, if the nearest line above that begins a request has one.
pub(crate) fn request_above(page: &Page<'_>, span: Span) -> Option<Host> {
    const LINES: usize = 8;
    let methods = &page.vocabulary().method;
    let begins = |line: &Span| {
        let text = page.slice(*line);
        methods.iter().any(|method| memchr::memmem::find(text, method.as_bytes()).is_some())
    };
    let mut above = page.lines.above(page.lines.around(span.start)).take(LINES);
    let line = above.find(begins).filter(|line| line.len() < REACH)?;
    let text = page.slice(line);
    let scheme = memchr::memmem::find(text, b"://").map(|at| line.start + at);
    host_at(page, scheme.or_else(|| scheme_of_variable(page, line))?)
}

/// Where the URL of a request's variable has its scheme's end (`GET {{api}}/users`, `@api = https://…` above).
fn scheme_of_variable(page: &Page<'_>, request: Span) -> Option<usize> {
    const ABOVE: usize = 64 * 1024;
    const MOST: usize = 8;
    let text = page.slice(request);
    let name = text[memchr::memmem::find(text, b"{{")? + 2..].trim_ascii_start();
    let length = name.iter().take_while(|byte| lex::is_word(**byte)).count();
    let variable = [b"@", &name[..length]].concat();
    let above = Span::new(request.start.saturating_sub(ABOVE), request.start);
    let places = memchr::memmem::find_iter(page.slice(above), &variable).take(MOST);
    places.filter(|_| length > 0).find_map(|at| {
        let at = above.start + at;
        let line = page.lines.around(at);
        let value = page.text[at + variable.len()..line.end].trim_ascii_start();
        let is_given = at == line.start && value.starts_with(b"=");
        let scheme = memchr::memmem::find(page.slice(line), b"://").filter(|_| is_given)?;
        Some(line.start + scheme)
    })
}

pub(crate) fn host_at(page: &Page<'_>, scheme_end: usize) -> Option<Host> {
    let from = scheme_end + 3;
    let url = glued(page.text, Span::new(from, from), 200);
    let rest = &page.text[from..url.end.max(from)];
    let host = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let name = Span::new(url.start.min(from), from + host);
    if page.mentions.within(name) {
        // No key is sent to one of the provider's pages.
        let takes_keys = |mention: &Mention| mention.host.is_none() || mention.api;
        return page.mentions.within_any(name, takes_keys).then_some(Host::Ours);
    }
    let rest = rest
        .iter()
        .position(|byte| *byte == b'@')
        .map_or(rest, |at| if rest[..at].contains(&b'/') { rest } else { &rest[at + 1..] });
    let is_host = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let name = rest.iter().take_while(is_host).map(|byte| char::from(byte.to_ascii_lowercase()));
    let name: String = name.collect();
    let idle = &page.vocabulary().idle_hosts;
    let is_idle = idle.iter().any(|host| {
        name == *host || name.strip_suffix(host.as_str()).is_some_and(|sub| sub.ends_with('.'))
    });
    (name.contains('.') && !is_idle)
        .then(|| if page.mentions.within(url) { Host::Between(name) } else { Host::Foreign(name) })
}

/// The host of the URL around `at`.
pub(crate) fn host_around(page: &Page<'_>, at: usize) -> Option<Host> {
    let url = glued(page.text, Span::new(at, at), REACH);
    let scheme = memchr::memmem::rfind(&page.text[url.start..at], b"://")?;
    host_at(page, url.start + scheme)
}

/// Whether the name of the URL whose scheme ends at `at` says that no value is sent there (`xmlns=`, `callbackUrl:`, `<origin>`).
pub(crate) fn is_named_idle(page: &Page<'_>, at: usize) -> bool {
    const LONGEST: usize = 80;
    let before = &page.text[at.saturating_sub(LONGEST).max(page.lines.around(at).start)..at];
    let run = |text: &[u8], is_part: fn(&u8) -> bool| {
        text.len() - text.iter().rev().take_while(|byte| is_part(byte)).count()
    };
    let before = &before[..run(before, u8::is_ascii_alphabetic)];
    let before = &before[..run(before, |byte| b" \t\"'`=:>([{".contains(byte))];
    let name = &before[run(before, |byte| lex::is_word(*byte) || *byte == b':')..];
    lex::any_subword(name, |word| page.vocabulary().idle_url.contains(word))
}

/// Whether a comment's mark begins the line of `at`.
fn is_in_comment(page: &Page<'_>, at: usize) -> bool {
    let line = page.slice(page.lines.around(at)).trim_ascii_start();
    lex::begins_comment(line) || line.starts_with(b"<!--")
}
