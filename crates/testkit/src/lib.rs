//! For tests only: package builder, fake clock, conformance suites.
#![forbid(unsafe_code)]

pub mod bucket;
pub mod certificate;
pub mod disk;
pub mod package;
pub mod postgres;
pub mod probe;
#[cfg(feature = "provider")]
pub mod provider_suite;
pub mod store_suite;
