//! The picture of when each key was exposed: a bar from its first commit to its last, under years or months.

use time::Date;
use time::Month;
use time::OffsetDateTime;

use super::super::words;
use super::view::FindingView;

/// Keys that the picture shows.
const BARS: usize = 25;
/// Labels on the axis, at most.
const TICKS: usize = 7;
/// Pixels of the axis, and of each key.
const AXIS: usize = 22;
const ROW: usize = 38;
const DAY: i64 = 86_400;

/// The picture. Horizontal places are percentages, so that it fits any width; vertical ones are pixels.
pub(super) struct Chart {
    pub(super) height: usize,
    pub(super) ticks: Vec<Tick>,
    pub(super) bars: Vec<Bar>,
    /// Keys with a date that are not shown.
    pub(super) hidden: usize,
    /// Keys that no commit dates.
    pub(super) undated: usize,
    pub(super) undated_text: String,
}

/// A label of the axis.
pub(super) struct Tick {
    pub(super) x: String,
    pub(super) label: String,
    pub(super) anchor: &'static str,
    /// ` odd` for every other one, which narrow windows leave out.
    pub(super) class: &'static str,
}

/// One key.
pub(super) struct Bar {
    pub(super) id: String,
    pub(super) severity: String,
    pub(super) label: String,
    pub(super) note: String,
    /// The whole row for who hears the page.
    pub(super) spoken: String,
    pub(super) x: String,
    pub(super) width: String,
    /// Whether the project still holds it.
    pub(super) open: bool,
    pub(super) top: usize,
    pub(super) text_y: usize,
    pub(super) bar_y: usize,
    pub(super) end_y: usize,
}

/// First and last second of the picture.
#[derive(Clone, Copy)]
struct Range {
    start: i64,
    end: i64,
}

impl Chart {
    /// Draws the leaks that have a date.
    pub(super) fn of(leaks: &[&FindingView<'_>]) -> Option<Self> {
        let spans = leaks.iter().filter_map(|leak| Some((*leak, leak.timeline.span?)));
        let spans: Vec<(&FindingView<'_>, (i64, i64))> = spans.collect();
        let start = spans.iter().map(|(_, span)| span.0).min()?;
        let end = spans.iter().map(|(_, span)| span.1).max()?;
        // A picture of less than a day would be all bar.
        let range = Range { start, end: end.max(start + DAY) };
        let bars: Vec<Bar> = spans
            .iter()
            .take(BARS)
            .enumerate()
            .map(|(row, (leak, span))| bar(row, leak, *span, range))
            .collect();
        let undated = leaks.len() - spans.len();
        Some(Self {
            height: AXIS + bars.len() * ROW,
            ticks: ticks(range),
            hidden: spans.len() - bars.len(),
            bars,
            undated,
            undated_text: format!(
                "{} in files only, which have no date.",
                words::counted(undated as u64, "more stands", "more stand")
            ),
        })
    }
}

fn bar(row: usize, leak: &FindingView<'_>, span: (i64, i64), range: Range) -> Bar {
    let open = leak.present;
    let end = if open { range.end } else { span.1 };
    // What lasted for a moment must be seen, too.
    let least = (range.end - range.start) / 120;
    let start = span.0.min(range.end - least);
    let note = match leak.days {
        Some(days) => format!("{} · {}", words::days(days), leak.first_place()),
        None => leak.first_place().to_owned(),
    };
    let top = AXIS + row * ROW;
    Bar {
        id: leak.id.clone(),
        severity: leak.severity.clone(),
        label: leak.secret.clone(),
        spoken: format!(
            "{} {note}, {}, {}, since {}",
            leak.secret, leak.title, leak.severity, leak.since
        ),
        note,
        x: range.percent(start),
        width: percent((end - start).max(least), range.end - range.start),
        open,
        top,
        text_y: top + 15,
        bar_y: top + 22,
        end_y: top + 19,
    }
}

impl Range {
    fn percent(self, time: i64) -> String {
        percent(time - self.start, self.end - self.start)
    }
}

/// Years or months, as many as fit; the first and last day where neither does.
fn ticks(range: Range) -> Vec<Tick> {
    let date = |time| OffsetDateTime::from_unix_timestamp(time).ok().map(OffsetDateTime::date);
    let (Some(first), Some(last)) = (date(range.start), date(range.end)) else { return vec![] };
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1;
    let between = |step: i64| {
        let all = (months(first) / step + 1..=months(last) / step).map(move |number| number * step);
        all.filter_map(move |month| tick(month, step, range))
    };
    let step =
        [1, 3, 6, 12, 24, 60, 120, 600].into_iter().find(|&step| between(step).count() <= TICKS);
    let inner: Vec<Tick> = step.map_or(vec![], |step| between(step).collect());
    if inner.len() > 1 {
        return inner;
    }
    let edge = |date: Date, x: &str, anchor| Tick {
        x: x.to_owned(),
        label: date.to_string(),
        anchor,
        class: "",
    };
    vec![edge(first, "0", "start"), edge(last, "100", "end")]
}

/// The first day of a month, counted from year 0, unless its label would leave the picture.
fn tick(month: i64, step: i64, range: Range) -> Option<Tick> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let number = u8::try_from(month.rem_euclid(12) + 1).ok()?;
    let day = Date::from_calendar_date(year, Month::try_from(number).ok()?, 1).ok()?;
    let time = day.midnight().assume_utc().unix_timestamp();
    let part = (time - range.start) * 100 / (range.end - range.start);
    (4..=95).contains(&part).then(|| Tick {
        x: range.percent(time),
        label: if step < 12 { format!("{year}-{number:02}") } else { year.to_string() },
        anchor: "middle",
        class: if month / step % 2 == 0 { "" } else { " odd" },
    })
}

/// A share in percent with two decimals, without floating point, so that it is the same everywhere.
fn percent(part: i64, whole: i64) -> String {
    let hundredths = part.clamp(0, whole) * 10_000 / whole.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
