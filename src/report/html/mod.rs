//! A page for a browser: one file that loads nothing, runs nothing but its own script, and holds no secret.
//!
//! `page.html` is the frame, filled in here with everything escaped. Findings go in as JSON, which `script.js` shows as a
//! table, so that ten thousand of them open at once; without scripts a plain list takes its place. The policy in the page
//! names the hashes of its style and script: whatever else might get in does not run.

mod chart;
mod view;

use std::io;

use askama::Template;
use askama::filters::Escaper as _;
use askama::filters::Html;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use sha2::Sha256;

use self::chart::Chart;
use self::view::FindingView;
use self::view::PageData;
use self::view::shown;
use super::Context;
use super::cure;
use super::words;
use crate::coverage::Coverage;
use crate::finding::ScanReport;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Findings that the list for browsers without scripts holds.
const LISTED: usize = 500;

/// What fills `page.html`.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'r> {
    policy: String,
    style: &'static str,
    script: &'static str,
    version: &'static str,
    information_uri: &'static str,
    headline: String,
    /// Colour of the verdict.
    mood: &'static str,
    targets: Vec<String>,
    /// What matters most about the findings, a sentence each.
    points: Vec<String>,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    /// The findings as JSON.
    json: String,
    data: &'r PageData<'r>,
    listed: &'r [FindingView<'r>],
    unlisted: usize,
    /// What rewriting history does not reach; empty where there is none to rewrite.
    limits: Vec<String>,
    scanned: Vec<(&'static str, String)>,
    gaps: Vec<GapView>,
    stale: Vec<String>,
    gap_total: String,
}

/// A number of the summary.
struct Tile {
    label: &'static str,
    class: String,
    count: String,
}

/// What was not scanned for one reason.
struct GapView {
    name: &'static str,
    count: String,
    /// Place and detail.
    listed: Vec<(String, String)>,
    unlisted: u64,
}

/// Writes the report.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let data = PageData::of(&report.findings, context);
    let leaks: Vec<&FindingView<'_>> = data.leaks().collect();
    let gaps = gaps(&report.coverage);
    let listed = &data.findings[..data.findings.len().min(LISTED)];
    let page = Page {
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        version: context.tool.version,
        information_uri: context.tool.information_uri,
        headline: headline(leaks.len()),
        mood: match (leaks.is_empty(), gaps.is_empty()) {
            (false, _) => "bad",
            (true, false) => "unsure",
            (true, true) => "clean",
        },
        targets: report.targets.iter().map(|target| shown(target)).collect(),
        points: points(&leaks),
        tiles: tiles(&data, &leaks),
        chart: Chart::of(&leaks),
        json: json(&data)?,
        data: &data,
        listed,
        unlisted: data.findings.len() - listed.len(),
        limits: limits(report),
        scanned: scanned(&report.coverage),
        gap_total: gap_total(&report.coverage),
        gaps,
        stale: words::stale(report).map(|line| shown(&line)).collect(),
    };
    page.write_into(out)
}

/// Escapes a text and sets what stands in backticks as code.
fn rich(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut html = String::new();
    for (at, part) in parts.iter().enumerate() {
        let is_code = at % 2 == 1 && parts.len() % 2 == 1;
        html.push_str(if is_code { "<code>" } else { "" });
        // Writing into a String cannot fail.
        let _written = Html.write_escaped_str(&mut html, part);
        html.push_str(if is_code { "</code>" } else { "" });
        if parts.len().is_multiple_of(2) && at + 1 < parts.len() {
            html.push('`');
        }
    }
    html
}

/// Allows the page's own style and script, and nothing else: no request, no form, no frame, no string as code.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// JSON that cannot end the element it stands in, whatever the findings hold.
fn json(data: &PageData<'_>) -> io::Result<String> {
    let json = serde_json::to_string(data)?;
    Ok(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

/// What rewriting history leaves behind of all leaks together.
fn limits(report: &ScanReport) -> Vec<String> {
    let places: Vec<_> = report.leaks().flat_map(|leak| &leak.occurrences).collect();
    let in_history = places.iter().any(|place| place.reachability.is_some());
    let limits = if in_history { cure::limits(&places) } else { vec![] };
    limits.iter().map(|limit| shown(limit)).collect()
}

fn headline(leaks: usize) -> String {
    match leaks {
        0 => "No leak found".to_owned(),
        leaks => words::counted(leaks as u64, "leaked secret", "leaked secrets"),
    }
}

fn points(leaks: &[&FindingView<'_>]) -> Vec<String> {
    let count =
        |is: fn(&FindingView<'_>) -> bool| leaks.iter().filter(|leak| is(leak)).count() as u64;
    let mut points = vec![];
    let mut point = |count: u64, one: &str, many: &str| {
        if count > 0 {
            points.push(format!("{}.", words::counted(count, one, many)));
        }
    };
    point(
        count(|leak| leak.live.starts_with("active")),
        "is active right now",
        "are active right now",
    );
    point(
        count(|leak| leak.present),
        "is still in HEAD or in files",
        "are still in HEAD or in files",
    );
    point(
        count(|leak| leak.client),
        "was sent to browsers or phones, where everybody can read it",
        "were sent to browsers or phones, where everybody can read them",
    );
    let oldest = leaks.iter().filter(|leak| !leak.since.is_empty()).map(|leak| &leak.since).min();
    points.extend(oldest.map(|since| format!("The first one came in on {since}.")));
    points
}

fn tiles(data: &PageData<'_>, leaks: &[&FindingView<'_>]) -> Vec<Tile> {
    let tile = |label: &'static str, class: &str, count: usize| Tile {
        label,
        class: if count == 0 { format!("{class} none") } else { class.to_owned() },
        count: words::grouped(count as u64),
    };
    let of_severity =
        |severity: &str| leaks.iter().filter(|leak| leak.severity == severity).count();
    let mut tiles: Vec<Tile> = ["critical", "high", "medium", "low"]
        .map(|severity| tile(severity, severity, of_severity(severity)))
        .into();
    let suppressed = data.findings.iter().filter(|finding| !finding.suppressed.is_empty()).count();
    tiles.push(tile("policy", "", data.findings.len() - suppressed - leaks.len()));
    tiles.push(tile("suppressed", "", suppressed));
    tiles
}

fn scanned(coverage: &Coverage) -> Vec<(&'static str, String)> {
    let sized = |number, size| format!("{} ({})", words::grouped(number), words::bytes(size));
    let facts = [
        ("files", coverage.files, sized(coverage.files, coverage.file_bytes)),
        ("git objects", coverage.objects, sized(coverage.objects, coverage.object_bytes)),
        ("blobs among them", coverage.blobs, words::grouped(coverage.blobs)),
        ("commits among them", coverage.commits, words::grouped(coverage.commits)),
        ("refs and reflog entries", coverage.refs, words::grouped(coverage.refs)),
    ];
    let facts = facts.into_iter().filter(|(_, number, _)| *number > 0);
    facts.map(|(label, _, text)| (label, text)).collect()
}

fn gaps(coverage: &Coverage) -> Vec<GapView> {
    let view = |(kind, count): (_, u64)| {
        let listed = coverage.gaps().filter(|gap| gap.kind == kind);
        let listed: Vec<_> = listed.map(|gap| (shown(&gap.place), shown(&gap.detail))).collect();
        GapView {
            name: words::gap_name(kind),
            count: words::grouped(count),
            unlisted: count.saturating_sub(listed.len() as u64),
            listed,
        }
    };
    coverage.gap_counts().map(view).collect()
}

fn gap_total(coverage: &Coverage) -> String {
    words::counted(
        coverage.gap_counts().fold(0, |sum, (_, count)| sum.saturating_add(count)),
        "gap",
        "gaps",
    )
}
