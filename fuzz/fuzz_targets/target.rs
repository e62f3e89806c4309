//! Hands the fuzzer's bytes to the target that this program is named after.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signleak::fuzzing::run(env!("CARGO_BIN_NAME"), data));
