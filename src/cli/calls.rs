//! Options of calls over the network, read from the arguments and the files they name.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use signleak::http;

use super::args::CallArgs;
use super::input;

/// PEM files larger than this are refused.
const MAX_PEM: u64 = 1024 * 1024;

/// Reads the certificates; `identity` is a PEM file with a client certificate and its key.
pub(crate) fn options(args: &CallArgs, identity: Option<&Path>) -> anyhow::Result<http::Options> {
    let read = |path: &Path| {
        input::read_capped(path, MAX_PEM).with_context(|| format!("cannot read {}", path.display()))
    };
    Ok(http::Options {
        timeout: Some(Duration::from_secs(args.call_timeout.max(1))),
        roots: args.ca_file.as_deref().map(read).transpose()?,
        identity: identity.map(read).transpose()?,
        proxy: args.proxy.clone(),
        allow_private: false,
    })
}
