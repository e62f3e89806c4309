//! `--known-keys`: the keys that their owner searches, from a file or a secrets manager's output. They are kept in
//! memory only, and no message quotes a line.

use std::path::Path;

use anyhow::Context as _;
use anyhow::bail;
use signleak::detect::KnownKey;
use zeroize::Zeroizing;

use super::args::ScanArgs;
use super::input;

/// A list larger than this is refused.
const MAX_LIST: u64 = 64 << 20;

/// The keys of the list that was named; none if none was.
pub(crate) fn of(args: &ScanArgs) -> anyhow::Result<Vec<KnownKey>> {
    let Some(path) = &args.reach.known_keys else { return Ok(vec![]) };
    let is_stdin = |path: &Path| path.as_os_str() == "-";
    if is_stdin(path) && (args.reach.stdin || args.targets.iter().any(|target| is_stdin(target))) {
        bail!("--known-keys -: standard input cannot be both the keys and what is scanned");
    }
    let name = path.display();
    let bytes = if is_stdin(path) {
        input::read_stream_capped(std::io::stdin().lock(), MAX_LIST)
    } else {
        input::read_capped(path, MAX_LIST)
    };
    let bytes = bytes.with_context(|| format!("--known-keys {name}: cannot be read"))?;
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes)
        .ok()
        .with_context(|| format!("--known-keys {name}: is not UTF-8"))?;
    let keys = text
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            KnownKey::parse(line).with_context(|| {
                let place = format!("--known-keys {name}:{}", number + 1);
                format!("{place}: too short to be searched; give keys of 16 characters or more, or SHA-256 hashes")
            })
        })
        .collect::<anyhow::Result<Vec<KnownKey>>>()?;
    if keys.is_empty() {
        bail!("--known-keys {name}: holds no key; give one key or SHA-256 a line");
    }
    Ok(keys)
}
