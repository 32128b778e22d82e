//! Hands what the fuzzer makes up to `cases/deb.rs`.
#![no_main]

#[path = "../cases/deb.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|data: &[u8]| case::one(data));
