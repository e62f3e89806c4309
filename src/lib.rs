//! Finds leaked Yousign credentials in files and whole git histories.
//!
//! A Yousign key is 32 random characters and nothing else, so the context decides: what a value is assigned to, what
//! stands around it, what the file is called.
//!
//! ```text
//! source ─▶ decode (views) ─▶ detect (prefilter ▶ tokens ▶ context ▶ verdict) ─▶ scan ─▶ suppress ─▶ report
//! ```
//!
//! The modules stand here in reading order, lower layers first; `ARCHITECTURE.md` has the rules they keep.
//!
//! ```
//! use signleak::blob::BlobPath;
//! use signleak::coverage::Coverage;
//! use signleak::decode::Limits;
//! use signleak::detect::Detector;
//! use signleak::rule::RuleSet;
//!
//! let detector = Detector::new(RuleSet::built_in()?, Limits::default());
//! let text = b"YOUSIGN_API_KEY=your_yousign_api_key_goes_here";
//! let found = detector.candidates(text, &BlobPath::new(b".env"), &mut Coverage::default());
//! assert!(found.is_empty(), "a placeholder is no key");
//! # Ok::<(), signleak::rule::RuleError>(())
//! ```

#[cfg(any(feature = "live", feature = "revoke"))]
pub mod http;
pub mod location;
pub mod secret;
pub mod sieve;
pub mod stop;

pub mod blob;
pub mod coverage;
pub mod provenance;

pub mod decode;
pub mod finding;
pub mod source;

pub mod report;
pub mod rule;
pub mod suppress;

pub mod detect;
#[cfg(feature = "live")]
pub mod validate;

pub mod check;
#[cfg(feature = "revoke")]
pub mod revoke;
pub mod scan;

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
