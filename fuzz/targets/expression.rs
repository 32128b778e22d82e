//! Hands what the fuzzer makes up to `cases/expression.rs`.
#![no_main]

#[path = "../cases/expression.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|data: &[u8]| case::one(data));
