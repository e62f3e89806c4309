//! Integration tests: the modules are named after what they prove.

mod labelled;
