//! Integration tests: the modules are named after what they prove.

#[test]
fn placeholder() {}
