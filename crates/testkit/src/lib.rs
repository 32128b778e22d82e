//! For tests only: package builder, fake clock, conformance suites.
#![forbid(unsafe_code)]

pub mod package;
pub mod probe;
pub mod store_suite;
