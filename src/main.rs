//! The command line of signleak.

fn main() {}
