//! Which commits a scan is limited to: a range, an age, or a list.

use std::path::Path;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use anyhow::bail;
use signleak::source::git::RangeSpec;
use time::Date;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::Rfc3339;

use super::args::ReachArgs;
use super::input;

/// Lists of commits that are larger than this are refused.
const MAX_LIST: u64 = 256 << 20;

/// What the arguments limit a scan to; `None` for the whole history.
pub(crate) fn read(args: &ReachArgs) -> anyhow::Result<Option<RangeSpec>> {
    if let Some(when) = &args.since {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        return since(when, i64::try_from(now)?).map(RangeSpec::Since).map(Some);
    }
    if let Some(file) = &args.commits {
        return commits(file, args.stdin).map(RangeSpec::Commits).map(Some);
    }
    Ok(args.range.as_deref().map(RangeSpec::parse))
}

/// Reads a time, in seconds since 1970; `now` is where ages count from. Days begin at midnight UTC.
fn since(when: &str, now: i64) -> anyhow::Result<i64> {
    if let Ok(time) = OffsetDateTime::parse(when, &Rfc3339) {
        return Ok(time.unix_timestamp());
    }
    if let Ok(day) = Date::parse(when, &Iso8601::DATE) {
        return Ok(day.midnight().assume_utc().unix_timestamp());
    }
    let age = when.strip_suffix(|unit: char| "mhdwy".contains(unit));
    let count = age.and_then(|digits| digits.parse::<u32>().ok());
    let unit = when.chars().next_back();
    let Some((count, unit)) = count.zip(unit) else {
        bail!(
            "--since {when}: give a day such as 2026-01-31, a time such as 2026-01-31T12:00:00Z, or an age such as 30d"
        )
    };
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => 366 * 86_400,
    };
    Ok(now - i64::from(count) * seconds)
}

/// The first word of each line.
fn commits(file: &Path, stdin_is_text: bool) -> anyhow::Result<Vec<String>> {
    let read = if file.as_os_str() != "-" {
        input::read_capped(file, MAX_LIST)
    } else if stdin_is_text {
        bail!("--commits -: standard input is already read as a text to scan")
    } else {
        input::read_stream_capped(std::io::stdin().lock(), MAX_LIST)
    };
    let text = read.with_context(|| format!("--commits {}: cannot be read", file.display()))?;
    let text = String::from_utf8(text).context("--commits: the list is not UTF-8")?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_ages_are_read() {
        let now = 1_700_000_000;
        for (when, expected) in [
            ("2020-09-13", 1_599_955_200),
            ("2020-09-13T12:26:40Z", 1_600_000_000),
            ("2020-09-13T14:26:40+02:00", 1_600_000_000),
            ("90m", now - 5_400),
            ("2h", now - 7_200),
            ("30d", now - 30 * 86_400),
            ("2w", now - 14 * 86_400),
        ] {
            assert_eq!(since(when, now).expect(when), expected, "{when}");
        }
        for bad in ["", "d", "yesterday", "-3d", "2020-13-01", "3 d"] {
            assert!(since(bad, now).is_err(), "{bad}");
        }
    }
}
