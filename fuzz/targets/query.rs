//! Hands what the fuzzer makes up to `cases/query.rs`.
#![no_main]

#[path = "../cases/query.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|data: &[u8]| case::one(data));
