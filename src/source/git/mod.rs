//! The history source: every object of a git repository, faster than git reads them, and where each leak came from.
//!
//! [`Repo::sift`] makes one pass over all objects and remembers what the caller's look keeps; [`Repo::attribute`] then names
//! the places of what was kept: commits, paths, refs, reachability, days exposed. Knows nothing of rules.
//!
//! `repo` finds and opens; `names` reads refs and reflogs; `store` joins `pack/` and `loose`; `sift` and `hints` are the
//! pass; `range` is the same for a few commits; `staged` compares the index with `HEAD`; `attribution/` answers who, where and for how long.

mod attribution;
mod change;
mod config;
mod discover;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hints;
mod hooks_path;
mod lfs;
mod lookup;
mod loose;
mod mapped;
mod names;
mod object;
mod pack;
mod pushed;
mod range;
mod repo;
mod revisions;
mod settled;
mod sift;
mod sifted;
mod staged;
mod store;
mod submodules;
mod verify;
mod version;
mod walk;

pub use attribution::{AttributeError, Content, Located};
pub use change::{Change, ChangeError, ChangeRange};
pub(crate) use discover::exclude_file;
pub(crate) use files::{read as read_file, read_end};
pub use hooks_path::{HooksFolder, global_hooks_path, set_global_hooks_path};
pub use object::ObjectKind;
#[cfg(feature = "revoke")]
pub(crate) use object::rfc3339;
pub use pushed::PushedRef;
pub use range::{RangeError, RangeSpec};
pub use repo::{OpenError, OpenOptions, Repo};
pub use sift::{Look, SiftError, SiftOptions};
pub use sifted::Sifted;
pub use staged::{IndexError, Staged, StagedError, StagedFile, Tracked};
pub use version::Version;
