//! The revocation hook behind `--revoke`, or in a build without it the message that says so.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use anyhow::bail;
use signleak::finding::Candidate;
use signleak::finding::RevocationStatus;
use signleak::finding::ScanReport;
use signleak::http::Client;
use signleak::http::Endpoint;
use signleak::http::SystemClock;
use signleak::report::escape;
use signleak::revoke::Format;
use signleak::revoke::Options;
use signleak::revoke::Revoker;
use signleak::revoke::Signer;
use signleak::revoke::Transport;

use super::args::BodyArg;
use super::args::CallArgs;
use super::args::EndpointArgs;
use super::calls;
use super::input;
use super::live::Live;

/// Files with a secret or token larger than this are refused.
const MAX_FILE: u64 = 64 * 1024;

/// A prepared hook.
pub(crate) struct Hook {
    revoker: Revoker,
    send: bool,
    target: String,
}

impl Hook {
    /// Validates the options; reads the signing secret and the token.
    pub(crate) fn new(args: &EndpointArgs, calls: &CallArgs) -> anyhow::Result<Self> {
        let format = match args.revoke_body {
            BodyArg::Standard => Format::Standard,
            BodyArg::Partner if args.send_secret => Format::Partner,
            BodyArg::Partner => {
                bail!("--revoke-body partner: this form carries the key; give --send-secret too")
            }
        };
        if !args.yes && !args.dry_run && !std::io::stderr().is_terminal() {
            bail!(
                "--revoke: nobody is here to be asked; give --yes to send, or --dry-run to see what would be sent"
            );
        }
        let secret = given(args.revoke_secret_file.as_ref(), "SIGNLEAK_REVOKE_SECRET")?.context(
            "--revoke: no signing secret; give --revoke-secret-file or set SIGNLEAK_REVOKE_SECRET",
        )?;
        let transport = transport(args, calls)?;
        let target = transport.name();
        let options = Options {
            transport,
            signer: Signer::new(&secret).context("--revoke")?,
            format,
            send_secret: args.send_secret,
            again: args.again,
            outbox: args.outbox.clone().map_or_else(default_outbox, Ok)?,
            attempts: args.revoke_attempts.max(1),
            patience: Duration::from_secs(args.revoke_patience),
        };
        Ok(Self { revoker: Revoker::new(options, Box::new(SystemClock)), send: args.yes, target })
    }

    /// Asks for revocation, or shows what would be sent. With a live check, proves what was revoked. `false` if
    /// something could not be delivered.
    pub(crate) fn run(
        &self,
        report: &mut ScanReport,
        keys: &[Candidate],
        live: Option<&Live>,
    ) -> anyhow::Result<bool> {
        if !self.send {
            anstream::eprint!("{}", self.preview(report));
            return Ok(true);
        }
        self.revoker.run(report, keys)?;
        if let Some(live) = live {
            prove(report, keys, live);
        }
        let mut delivered = true;
        for finding in &report.findings {
            let undelivered = finding
                .revocation
                .as_ref()
                .filter(|receipt| receipt.status == RevocationStatus::Undelivered);
            if let Some(receipt) = undelivered {
                delivered = false;
                anstream::eprintln!(
                    "not revoked: {} ({}): {}; the request waits in the outbox",
                    finding.secret.redacted,
                    receipt.endpoint,
                    escape::terminal(receipt.detail.as_deref().unwrap_or("no answer"))
                );
            }
        }
        Ok(delivered)
    }

    fn preview(&self, report: &ScanReport) -> String {
        let requests = self.revoker.preview(report);
        let mut text = String::new();
        for request in &requests {
            let _written = writeln!(text, "POST {}", self.target);
            for (name, value) in &request.headers {
                let _written = writeln!(text, "{name}: {value}");
            }
            let _written = writeln!(text, "\n{}\n", escape::terminal(&request.body));
        }
        let _written =
            writeln!(text, "{} requests would be sent; --yes sends them", requests.len());
        text
    }
}

/// Asks the provider about the keys that are said to be revoked.
fn prove(report: &mut ScanReport, keys: &[Candidate], live: &Live) {
    let is_revoked = |key: &&Candidate| {
        report.findings.iter().any(|finding| {
            let receipt = finding.revocation.as_ref();
            finding.secret.sha256 == key.secret.fingerprint()
                && receipt.is_some_and(|receipt| receipt.status == RevocationStatus::Revoked)
        })
    };
    let revoked: Vec<Candidate> = keys.iter().filter(is_revoked).cloned().collect();
    let validations = live.check(&revoked);
    for finding in &mut report.findings {
        let state = validations.states.get(&finding.secret.sha256);
        if let (Some(receipt), Some(state)) = (&mut finding.revocation, state) {
            receipt.proof = Some(*state);
        }
    }
    if let Some(check) = validations.check {
        report.live_check.get_or_insert_default().merge(check);
    }
}

fn transport(args: &EndpointArgs, calls: &CallArgs) -> anyhow::Result<Transport> {
    if let Some(program) = &args.revoke_command {
        let timeout = Duration::from_secs(calls.call_timeout.max(1));
        return Ok(Transport::Command { program: program.clone(), timeout });
    }
    let url = match &args.revoke_url {
        Some(url) => url.clone(),
        None => environment("SIGNLEAK_REVOKE_URL")?.context(
            "--revoke: nobody to ask; give --revoke-url, --revoke-command or SIGNLEAK_REVOKE_URL",
        )?,
    };
    // The owner names the endpoint, which may well stand in the owner's own network.
    let http = signleak::http::Options {
        allow_private: true,
        ..calls::options(calls, args.revoke_identity.as_deref())?
    };
    Ok(Transport::Https {
        client: Box::new(Client::new(&http)?),
        endpoint: Endpoint::parse(&url).context("--revoke-url")?,
        token: given(args.revoke_token_file.as_ref(), "SIGNLEAK_REVOKE_TOKEN")?,
    })
}

/// A secret from a file, or else from the environment; never from the command line, which others can see.
fn given(file: Option<&PathBuf>, variable: &str) -> anyhow::Result<Option<String>> {
    let Some(file) = file else { return environment(variable) };
    let bytes = input::read_capped(file, MAX_FILE)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let text =
        String::from_utf8(bytes).with_context(|| format!("{} is no text", file.display()))?;
    Ok(Some(text.trim().to_owned()))
}

fn environment(variable: &str) -> anyhow::Result<Option<String>> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    value
        .map(|value| value.into_string().map_err(|_| anyhow::anyhow!("{variable} is no text")))
        .transpose()
}

fn default_outbox() -> anyhow::Result<PathBuf> {
    let folder = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    let state = folder("XDG_STATE_HOME").map(PathBuf::from);
    let state =
        state.or_else(|| folder("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    Ok(state
        .context("--revoke: no home folder for the outbox; give --outbox")?
        .join("signleak/outbox"))
}
