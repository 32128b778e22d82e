//! Debian's formats: control files, versions, packages, indexes. Pure: no clock, no network, no store.
#![forbid(unsafe_code)]
