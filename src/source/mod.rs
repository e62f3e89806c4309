//! Where blobs come from. A source knows places and bytes; it knows nothing of rules.

pub mod git;
