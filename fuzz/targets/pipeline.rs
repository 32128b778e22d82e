//! Hands what the fuzzer makes up to `cases/pipeline.rs`.
#![no_main]

#[path = "../cases/pipeline.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|data: &[u8]| case::one(data));
