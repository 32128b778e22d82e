//! For tests only: package builder, fake clock, conformance suites.
#![forbid(unsafe_code)]

pub mod package;
