//! Images from packages.
#![forbid(unsafe_code)]
