//! Tokens: those of the configuration file, those that the server made and keeps, and who presents one.
//!
//! In the configuration file a token is an Argon2id hash (PHC text), for it may be one that a person thought of. Checking that costs tens of
//! milliseconds on purpose, so a token that was found right is remembered by its SHA-256 for the life of the process. Tokens that the server made
//! are random, so their SHA-256 is enough, and a revoked one is refused from the next request on. Wrong ones are counted: past
//! [`WRONG_PER_SECOND`] further unknown tokens are refused without looking, which bounds both guessing and the work that guessing causes.
//! How those that the server made are kept is in `kept`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::id::hex;

use crate::kept::Kept;
use crate::{Role, Secret};

/// How many wrong tokens are looked at in one second.
pub const WRONG_PER_SECOND: u32 = 10;

/// A `[[token]]` of the configuration file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The name that stands in executions and logs as the user.
    pub name: String,
    /// What `gennaker token hash` printed.
    #[serde(serialize_with = "crate::secret::dots")]
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
    /// With what.
    pub scope: Scope,
}

/// With what a caller may do something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// With everything.
    #[default]
    Server,
    /// With what belongs to this application.
    Application(String),
    /// With the files of this publication, `[storage:]prefix`, which apt reads.
    Publication(String),
    /// With uploads, and this local repository that takes them.
    Repository(String),
}

impl Scope {
    /// The one of an application, a publication and a repository that is named; none where more than one is.
    pub fn of(application: Option<String>, publication: Option<String>, repository: Option<String>) -> Option<Scope> {
        match (application, publication, repository) {
            (None, None, None) => Some(Scope::Server),
            (Some(name), None, None) => Some(Scope::Application(name)),
            (None, Some(prefix), None) => Some(Scope::Publication(prefix)),
            (None, None, Some(name)) => Some(Scope::Repository(name)),
            _ => None,
        }
    }

    /// The application, the publication and the repository, of which at most one is there.
    pub fn parts(&self) -> [Option<String>; 3] {
        match self {
            Scope::Server => [None, None, None],
            Scope::Application(name) => [Some(name.clone()), None, None],
            Scope::Publication(prefix) => [None, Some(prefix.clone()), None],
            Scope::Repository(name) => [None, None, Some(name.clone())],
        }
    }
}

impl Caller {
    /// Somebody whom nothing but the role bounds.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, scope: Scope::Server }
    }

    /// Whoever reaches a server without tokens, which listens on loopback only.
    pub fn anonymous() -> Self {
        Self::new("anonymous", Role::Admin)
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

/// The tokens that open the door.
pub struct Tokens {
    configured: Vec<(Caller, String)>,
    /// Those that the server made, by their digest.
    kept: RwLock<HashMap<String, Caller>>,
    known: Mutex<HashMap<String, usize>>,
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
            tokens.push((Caller::new(&token.name, token.role), token.hash.reveal().into()));
        }
        Ok(Self { configured: tokens, kept: RwLock::default(), known: Mutex::default(), wrong: Mutex::default() })
    }

    /// Takes what the server keeps by now in the place of what it kept: what is not among it any more opens nothing from here on.
    pub fn keep(&self, kept: &[Kept]) {
        let by_digest = kept.iter().map(|one| (one.digest().to_owned(), one.caller())).collect();
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = by_digest;
    }

    /// True when there is no token at all: everybody on loopback is let in.
    pub fn is_empty(&self) -> bool {
        self.configured.is_empty() && self.kept.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whom the tokens of the configuration name, in its order.
    pub fn configured(&self) -> Vec<Caller> {
        self.configured.iter().map(|(caller, _)| caller.clone()).collect()
    }

    /// Whether this caller's token still opens the door.
    pub fn know(&self, caller: &Caller) -> bool {
        self.is_empty()
            || self.configured.iter().any(|(known, _)| known == caller)
            || self.kept.read().unwrap_or_else(PoisonError::into_inner).values().any(|known| known == caller)
    }

    /// Who bears this token. `second` is the time in whole seconds, for the limit on wrong ones. Costs tens of milliseconds of CPU for a token
    /// that was not seen before: call it where blocking is allowed.
    pub fn check(&self, presented: &str, second: i64) -> Result<Caller, Refusal> {
        let digest = digest(presented);
        // Looking up a digest leaks nothing about the token: its bytes cannot be chosen bit by bit.
        if let Some(caller) = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(caller.clone());
        }
        if let Some(&index) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(self.configured[index].0.clone());
        }
        self.take_a_try(second)?;
        let found = self.configured.iter().position(|(_, hash)| {
            PasswordHash::new(hash)
                .is_ok_and(|hash| Argon2::default().verify_password(presented.as_bytes(), &hash).is_ok())
        });
        let index = found.ok_or(Refusal::Unknown)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, index);
        Ok(self.configured[index].0.clone())
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

/// The SHA-256 of a token, in hexadecimal digits: what the server keeps of one that it made.
pub(crate) fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
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
            assert_eq!(tokens.check("token of ci", second), Ok(Caller::new("ci", Role::Operator)));
        }
        assert_eq!(tokens.check("token of kim", 1), Ok(Caller::new("kim", Role::Admin)));
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
    fn a_token_that_the_server_made_opens_until_it_is_revoked() {
        let tokens = tokens();
        let scope = Scope::Application("shop".into());
        let (made, text) = Kept::make("deploys", Role::Operator, scope.clone(), "kim", [7; 24]);
        tokens.keep(std::slice::from_ref(&made));
        let bearer = Caller { scope, ..Caller::new("deploys", Role::Operator) };
        assert_eq!(tokens.check(text.reveal(), 1), Ok(bearer.clone()));
        assert!(tokens.know(&bearer));
        tokens.keep(&[]);
        assert_eq!(tokens.check(text.reveal(), 1), Err(Refusal::Unknown));
        assert!(!tokens.know(&bearer));
    }

    #[test]
    fn the_same_token_hashes_differently_each_time() {
        let token = Secret::new("abc");
        assert_ne!(hash(&token).expect("hashes"), hash(&token).expect("hashes"));
    }
}
