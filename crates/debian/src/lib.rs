//! Debian's formats: control files, versions, packages, indexes. Pure: no clock, no network, no store.
//!
//! Everything that is read here comes from strangers: parsers stream, are bounded, and refuse with the place and the
//! reason. What leaves this crate may be rendered into an index or become a path.
#![forbid(unsafe_code)]

pub mod ar;
pub mod compress;
pub mod control;
pub mod deb;
pub mod decompress;
pub mod names;
pub mod package;
pub mod query;
pub mod relation;
pub mod release;
pub mod signed;
pub mod source;
pub mod stanza;
pub mod sums;
pub mod tar;
pub mod version;
