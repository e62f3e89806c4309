//! Where blobs come from. Knows nothing of rules.

pub mod git;
pub mod worktree;
