//! Who may do what: tokens, roles, secrets.
#![forbid(unsafe_code)]
