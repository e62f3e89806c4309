//! Finds at memory speed where something may stand: the keywords, tokens of a key's shape, and the spellings of known values.

pub(super) mod forms;
pub(super) mod prefilter;
mod samples;
pub(super) mod token;
mod windows;
