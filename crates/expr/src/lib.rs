//! The expression language of pipelines. Pure: no clock, no network, no store.
#![forbid(unsafe_code)]
