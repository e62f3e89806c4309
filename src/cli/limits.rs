//! The limits of a scan as they were asked for, and the signals that end it early.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use anyhow::bail;
use signleak::decode::Limits;
use signleak::stop::Stop;

use super::args::LimitArgs;
use super::memory;

/// Reads the limits; the time begins to run.
pub(crate) fn read(args: &LimitArgs) -> anyhow::Result<Limits> {
    let mut limits = Limits::default();
    if let Some(depth) = args.max_archive_depth {
        limits.max_depth = depth;
    }
    if let Some(text) = &args.max_expansion {
        limits.max_expansion = size(text).context("--max-expansion")?;
    }
    let time = args.timeout.as_deref().map(duration).transpose().context("--timeout")?;
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    let memory = args.max_memory.as_deref().map(size).transpose().context("--max-memory")?;
    memory::limit(memory);
    limits.stop = Stop::new(Arc::default(), deadline).or_when_full(memory::is_full);
    Ok(limits)
}

/// Reads `10M`.
pub(crate) fn size(text: &str) -> anyhow::Result<u64> {
    let wrong = || format!("`{text}`: give a number of bytes such as 500K or 10M");
    let (digits, unit) =
        text.split_at(text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).len());
    let factor: u64 = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        _ if digits.is_empty() => bail!(wrong()),
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => bail!("`{text}`: the unit is none of K, M and G"),
    };
    let number: u64 = digits.parse().with_context(wrong)?;
    number.checked_mul(factor).with_context(|| format!("`{text}`: is too large"))
}

/// Reads `90s`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    match number.filter(|seconds| *seconds > 0) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => bail!("`{text}`: give a time such as 90s, 10m or 2h"),
    }
}

/// As long as it lives, SIGINT and SIGTERM end the scan and not the process, so that what was found is reported; the second
/// one ends the process at once, as do all that come later.
pub(crate) struct Signals(Arc<AtomicBool>);

impl Signals {
    /// Begins to listen.
    pub(crate) fn ask(stop: &Stop) -> anyhow::Result<Self> {
        let asked = stop.asked();
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&asked))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&asked)))
                .context("cannot listen to signals")?;
        }
        Ok(Self(asked))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("90s", Some(90)), ("10m", Some(600)), ("2h", Some(7_200))] {
            assert_eq!(duration(text).ok().map(|time| time.as_secs()), seconds, "{text}");
        }
        for text in
            ["", "s", "0s", "5", "5d", "-1s", "99999999999999999999h", "9999999999999999999h"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
