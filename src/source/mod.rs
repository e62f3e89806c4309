//! Where blobs come from. Knows nothing of rules.

pub mod git;
mod ignored;
mod open;
mod pieces;
mod reading;
pub mod worktree;

pub use pieces::{Piece, pieces};
