//! Who may do what, and who did: tokens, roles, secrets, the audit log.
//!
//! Not here: reading the configuration file (the binary) and finding the token in a request (`api`).
#![forbid(unsafe_code)]

pub mod audit;
pub mod kept;
pub mod role;
pub mod secret;
pub mod secrets;
pub mod token;

pub use kept::{Kept, KeptError};
pub use role::{Action, Role};
pub use secret::Secret;
pub use secrets::{SecretConfig, SecretError, Secrets};
pub use token::{Caller, Refusal, Scope, TokenConfig, TokenError, Tokens};
