//! `signleak explain`: why the values of a file are or are not findings.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use signleak::blob::BlobPath;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::detect::Explanation;
use signleak::report::escape;
use signleak::rule::Thresholds;

use super::Status;
use super::args::ExplainArgs;
use super::input;
use super::rules;

/// Files larger than this are refused: `scan` is for those.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Status> {
    let (file, line) = split_place(&args.place);
    let detector = Detector::new(rules::read(&args.rules.files)?, Limits::default());
    let bytes = input::read_capped(Path::new(file), MAX_FILE)
        .with_context(|| format!("cannot read {file}"))?;
    let path = BlobPath::new(file.trim_start_matches("./").as_bytes());
    let mut explanations = detector.explain(&bytes, &path);
    explanations.retain(|explanation| {
        line.is_none_or(|line| {
            (explanation.region.line..=explanation.region.end_line).contains(&line)
        })
    });
    let mut out = anstream::stdout().lock();
    if explanations.is_empty() {
        explain_nothing(&mut out, &detector, (file, line), &bytes)?;
    }
    for explanation in &explanations {
        write_explanation(&mut out, file, explanation, detector.rules().thresholds)?;
    }
    Ok(Status::Clean)
}

/// Splits `FILE:LINE:COLUMN`, where the numbers may be missing.
fn split_place(place: &str) -> (&str, Option<u32>) {
    if Path::new(place).exists() {
        return (place, None);
    }
    let number = |text: &str| text.parse::<u32>().ok();
    match place.rsplit_once(':') {
        Some((rest, last)) if number(last).is_some() => match rest.rsplit_once(':') {
            Some((file, line)) if number(line).is_some() => (file, number(line)),
            _ => (rest, number(last)),
        },
        _ => (place, None),
    }
}

fn explain_nothing(
    out: &mut impl Write,
    detector: &Detector,
    place: (&str, Option<u32>),
    bytes: &[u8],
) -> anyhow::Result<()> {
    use signleak::sieve::Sieve as _;
    let (file, line) = place;
    let name = escape::terminal(file);
    let where_ = line.map_or(String::new(), |line| format!(", line {line}"));
    let speaks =
        detector.prefilter().may_match(bytes) || detector.prefilter().may_match(file.as_bytes());
    if speaks {
        writeln!(out, "{name}{where_}: no value here has the shape of a secret that a rule knows")?;
    } else {
        writeln!(
            out,
            "{name}: neither the text nor the path names a provider, so nothing in it is looked at"
        )?;
    }
    Ok(())
}

fn write_explanation(
    out: &mut impl Write,
    file: &str,
    explanation: &Explanation,
    thresholds: Thresholds,
) -> anyhow::Result<()> {
    let verdict = match explanation.confidence {
        Some(confidence) => {
            format!("a finding, {} confidence", format!("{confidence:?}").to_lowercase())
        }
        None => "not a finding".to_owned(),
    };
    let region = explanation.region;
    let place = format!("{}:{}:{}", escape::terminal(file), region.line, region.column);
    writeln!(out, "{place}: {} {}: {verdict}", explanation.rule_id, explanation.redacted)?;
    writeln!(out, "  environment: {}", format!("{:?}", explanation.environment).to_lowercase())?;
    let total: i32 = explanation.evidence.iter().map(|evidence| evidence.weight).sum();
    for evidence in &explanation.evidence {
        writeln!(
            out,
            "  {:>5}  {}",
            format!("{:+}", evidence.weight),
            escape::terminal(&evidence.text)
        )?;
    }
    writeln!(
        out,
        "  {total:>5}  in all: from {} on high, from {} medium, from {} low confidence\n",
        thresholds.high, thresholds.medium, thresholds.low
    )?;
    Ok(())
}
