//! The live check behind `--verify`, or in a build without it the message that says so.

#[cfg(feature = "live")]
pub(crate) use with::Live;
#[cfg(not(feature = "live"))]
pub(crate) use without::Live;

#[cfg(feature = "live")]
mod with {
    use std::time::Duration;

    use anyhow::Context as _;
    use signleak::finding::Candidate;
    use signleak::finding::Validations;
    use signleak::http;
    use signleak::http::SystemClock;
    use signleak::rule::RuleSet;
    use signleak::validate::Checker;
    use signleak::validate::Options;

    use crate::cli::args::CallArgs;
    use crate::cli::args::LiveArgs;
    use crate::cli::calls;

    /// A prepared check.
    pub(crate) struct Live(Checker);

    impl Live {
        /// Validates the options.
        pub(crate) fn new(
            rules: &RuleSet,
            args: &LiveArgs,
            calls: &CallArgs,
        ) -> anyhow::Result<Self> {
            let pair = |given: &String| {
                let (name, url) = given
                    .split_once('=')
                    .with_context(|| format!("--verify-host {given}: write NAME=URL"))?;
                Ok((name.to_owned(), url.to_owned()))
            };
            let bases = args.verify_host.iter().map(pair).collect::<anyhow::Result<_>>()?;
            let http = http::Options {
                allow_private: args.verify_private,
                ..calls::options(calls, None)?
            };
            let patience = Duration::from_secs(args.verify_patience);
            let checker = Checker::new(rules, &Options { http, bases, patience });
            Ok(Self(checker.context("--verify")?))
        }

        /// Checks keys.
        pub(crate) fn check(&self, candidates: &[Candidate]) -> Validations {
            self.0.check(candidates, &SystemClock)
        }
    }
}

#[cfg(not(feature = "live"))]
mod without {
    use signleak::finding::Candidate;
    use signleak::finding::Validations;
    use signleak::rule::RuleSet;

    use crate::cli::args::CallArgs;
    use crate::cli::args::LiveArgs;

    /// Never made: this build cannot check.
    pub(crate) enum Live {}

    impl Live {
        /// Says that this build cannot check.
        pub(crate) fn new(_: &RuleSet, _: &LiveArgs, _: &CallArgs) -> anyhow::Result<Self> {
            anyhow::bail!(
                "this signleak was built without the live check; install it with the feature `live` (cargo install signleak --features live)"
            )
        }

        /// Cannot be called.
        pub(crate) fn check(&self, _: &[Candidate]) -> Validations {
            match *self {}
        }
    }
}
