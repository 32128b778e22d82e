//! Every stage type; the only place where domains meet.
#![forbid(unsafe_code)]
