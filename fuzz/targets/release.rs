//! Hands what the fuzzer makes up to `cases/release.rs`.
#![no_main]

#[path = "../cases/release.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|data: &[u8]| case::one(data));
