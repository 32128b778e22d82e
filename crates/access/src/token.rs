//! Tokens: how one is hashed for the configuration file, and who presents one.
//!
//! At rest a token is an Argon2id hash (PHC text). Checking that costs tens of milliseconds on purpose, so a token that was found right is
//! remembered by its SHA-256 for the life of the process, and wrong ones are counted: past [`WRONG_PER_SECOND`] further unknown tokens are
//! refused without looking, which bounds both guessing and the work that guessing causes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Role, Secret};

/// How many wrong tokens are looked at in one second.
pub const WRONG_PER_SECOND: u32 = 10;

/// A `[[token]]` of the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The name that stands in executions and logs as the user.
    pub name: String,
    /// What `gennaker token hash` printed.
    pub hash: Secret,
    /// What its bearer may do.
    pub role: Role,
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's name; `anonymous` on a server without tokens.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

impl Caller {
    /// Whoever reaches a server without tokens, which listens on loopback only.
    pub fn anonymous() -> Self {
        Self { name: "anonymous".into(), role: Role::Admin }
    }
}

/// Why a token does not open the door.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// No configured token is this one.
    #[error("unknown token")]
    Unknown,
    /// Too many wrong tokens in this second.
    #[error("too many wrong tokens; try again in a second")]
    TooMany,
}

/// What is wrong with a configured token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The text is not a hash that `gennaker token hash` prints.
    #[error("[[token]] {name}: the hash is not one that `gennaker token hash` prints")]
    BadHash {
        /// The token's name.
        name: String,
    },
    /// Two tokens of one name could not be told apart in the audit.
    #[error("[[token]] {name}: the name is there twice")]
    Twice {
        /// The token's name.
        name: String,
    },
    /// Hashing failed, for want of memory or randomness.
    #[error("could not hash the token: {0}")]
    Hash(String),
}

/// The configured tokens.
pub struct Tokens {
    tokens: Vec<(Caller, String)>,
    known: Mutex<HashMap<[u8; 32], usize>>,
    wrong: Mutex<Wrong>,
}

/// Wrong tokens in the running second.
#[derive(Default)]
struct Wrong {
    second: i64,
    count: u32,
}

impl Tokens {
    /// Takes the configured tokens; refuses a hash that could never match and doubled names.
    pub fn new(configured: &[TokenConfig]) -> Result<Self, TokenError> {
        let mut tokens: Vec<(Caller, String)> = Vec::new();
        for token in configured {
            if PasswordHash::new(token.hash.reveal()).is_err() {
                return Err(TokenError::BadHash { name: token.name.clone() });
            }
            if tokens.iter().any(|(caller, _)| caller.name == token.name) {
                return Err(TokenError::Twice { name: token.name.clone() });
            }
            tokens.push((Caller { name: token.name.clone(), role: token.role }, token.hash.reveal().into()));
        }
        Ok(Self { tokens, known: Mutex::default(), wrong: Mutex::default() })
    }

    /// True when no token is configured: everybody on loopback is let in.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whom the tokens name, in the order of the configuration.
    pub fn bearers(&self) -> Vec<Caller> {
        self.tokens.iter().map(|(caller, _)| caller.clone()).collect()
    }

    /// Who bears this token. `second` is the time in whole seconds, for the limit on wrong ones. Costs tens of milliseconds of CPU for a token
    /// that was not seen before: call it where blocking is allowed.
    pub fn check(&self, presented: &str, second: i64) -> Result<Caller, Refusal> {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        // Looking up a digest leaks nothing about the token: its bytes cannot be chosen bit by bit.
        if let Some(&index) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(self.tokens[index].0.clone());
        }
        self.take_a_try(second)?;
        let found = self.tokens.iter().position(|(_, hash)| {
            PasswordHash::new(hash)
                .is_ok_and(|hash| Argon2::default().verify_password(presented.as_bytes(), &hash).is_ok())
        });
        let index = found.ok_or(Refusal::Unknown)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, index);
        Ok(self.tokens[index].0.clone())
    }

    fn take_a_try(&self, second: i64) -> Result<(), Refusal> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.second != second {
            *wrong = Wrong { second, count: 0 };
        }
        wrong.count += 1;
        if wrong.count > WRONG_PER_SECOND { Err(Refusal::TooMany) } else { Ok(()) }
    }
}

/// The hash of a token, as the configuration file wants it.
pub fn hash(token: &Secret) -> Result<String, TokenError> {
    let hash = Argon2::default().hash_password(token.reveal().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| TokenError::Hash(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let config = |name: &str, role| TokenConfig {
            name: name.into(),
            hash: Secret::new(hash(&Secret::new(format!("token of {name}"))).expect("hashes")),
            role,
        };
        Tokens::new(&[config("ci", Role::Operator), config("kim", Role::Admin)]).expect("good hashes")
    }

    #[test]
    fn a_token_names_its_bearer_and_role() {
        let tokens = tokens();
        for second in [1, 1, 1] {
            assert_eq!(tokens.check("token of ci", second), Ok(Caller { name: "ci".into(), role: Role::Operator }));
        }
        assert_eq!(tokens.check("token of kim", 1), Ok(Caller { name: "kim".into(), role: Role::Admin }));
        assert_eq!(tokens.check("token of nobody", 1), Err(Refusal::Unknown));
    }

    #[test]
    fn guessing_is_bounded_and_does_not_lock_out_who_was_let_in_before() {
        let tokens = tokens();
        assert!(tokens.check("token of ci", 1).is_ok());
        let refused = (0..WRONG_PER_SECOND + 5)
            .map(|n| tokens.check(&format!("guess {n}"), 2))
            .filter(|r| *r == Err(Refusal::TooMany));
        assert_eq!(refused.count(), 5);
        assert!(tokens.check("token of ci", 2).is_ok(), "known tokens are not looked up anew");
        assert_eq!(tokens.check("guess", 3), Err(Refusal::Unknown), "the next second begins anew");
    }

    #[test]
    fn a_hash_that_cannot_match_is_refused_at_the_start() {
        let config = TokenConfig { name: "ci".into(), hash: Secret::new("plain text"), role: Role::Viewer };
        let error = Tokens::new(std::slice::from_ref(&config)).err().expect("refused");
        assert_eq!(error.to_string(), "[[token]] ci: the hash is not one that `gennaker token hash` prints");
    }

    #[test]
    fn the_same_token_hashes_differently_each_time() {
        let token = Secret::new("abc");
        assert_ne!(hash(&token).expect("hashes"), hash(&token).expect("hashes"));
    }
}
