//! What does not count although it was found: comments beside a value, and ignore files keyed by the secret's hash.

mod entry;
mod foreign;
mod ignore_file;
mod inline;

use std::fmt;

pub use entry::Judge;
pub use entry::Subject;
pub use ignore_file::IgnoreError;
pub use ignore_file::IgnoreFile;
pub use inline::InlineAllow;
pub use inline::inline_allow;

/// A day, as the last one on which a suppression holds: `YYYY-MM-DD`, which sorts as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(String);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Day {
    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return None };
        let is_number = |part: &str, digits: usize| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let in_range = |part: &str, most: u8| {
            part.parse::<u8>().is_ok_and(|number| (1..=most).contains(&number))
        };
        (is_number(year, 4)
            && is_number(month, 2)
            && is_number(day, 2)
            && in_range(month, 12)
            && in_range(day, 31))
        .then(|| Self(text.to_owned()))
    }

    /// The day on which a time falls, in seconds since 1970, UTC.
    #[must_use]
    pub fn of_unix_time(seconds: u64) -> Self {
        // Days to a civil date, after H. Hinnant's `civil_from_days`.
        let days = i64::try_from(seconds / 86_400).unwrap_or(0) + 719_468;
        let era = days / 146_097;
        let day_of_era = days - era * 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_computed() {
        assert_eq!(Day::of_unix_time(0), Day("1970-01-01".to_owned()));
        assert_eq!(Day::of_unix_time(1_709_164_800), Day("2024-02-29".to_owned()));
        assert!(Day::parse("2026-13-01").is_none() && Day::parse("2026-1-01").is_none());
        assert!(Day::parse("2026-11-24") > Day::parse("2026-11-23"));
    }
}
