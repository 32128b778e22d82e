//! Hands what the fuzzer makes up to `cases/control.rs`.
#![no_main]

#[path = "../cases/control.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|data: &[u8]| case::one(data));
