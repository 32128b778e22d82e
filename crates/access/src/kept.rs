//! Tokens that the server made: what is kept of them, and how long they live. Not here: who presents one (`token`).

use store::id::hex;
use store::{Migration, StoreError, Tx, params};

use crate::token::digest;
use crate::{Caller, Role, Scope, Secret};

/// The table of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { domain: "access", number: 1, sql: FIRST },
    Migration { domain: "access", number: 2, sql: OF_ARCHIVES },
];

const FIRST: &str = "
create table token (
    name text primary key, role text not null, application text, digest text not null, who text not null, created bigint not null);
";

/// Tokens for a part of an archive.
const OF_ARCHIVES: &str = "
alter table token add column publication text;
alter table token add column repository text;
";

/// What every token begins with, so that scanners of sources find one that was left behind.
const PREFIX: &str = "gnk_";

/// What is kept of a token: all but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// With what.
    pub scope: Scope,
    digest: String,
    /// Who made it.
    pub who: String,
    /// When, in milliseconds since 1970.
    pub created: i64,
}

/// Why a token is not made or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name that cannot stand in a log.
    #[error("give the token a name of 1 to 64 characters: whose it is")]
    BadName,
    /// There is one already.
    #[error("there is a token {0} already: revoke it first, or choose another name")]
    Taken(String),
    /// Nobody could make another.
    #[error(
        "the first token must be an admin's for the whole server: from then on everybody needs one, and nobody else could make more"
    )]
    FirstIsNoAdmin,
    /// Nobody could make another afterwards.
    #[error("{0} is the last admin's token: make another admin's first, or revoke the others before it")]
    LastAdmin(String),
    /// Everybody would be let in.
    #[error(
        "{0} is the last token of a server that others than this machine reach: without it everybody could deploy. Make another first"
    )]
    LastLock(String),
    /// An admin of one application.
    #[error(
        "an admin's token is for the whole server: give it no application, publication or repository, or another role"
    )]
    AdminOfOne,
    /// There is none.
    #[error("there is no token {0}")]
    Unknown(String),
}

impl Kept {
    /// A new token of this randomness, and its text, which is told once.
    pub fn make(name: &str, role: Role, scope: Scope, who: &str, random: [u8; 24]) -> (Kept, Secret) {
        let text = format!("{PREFIX}{}", hex(&random));
        let digest = digest(&text);
        let (name, who) = (name.into(), who.into());
        (Kept { name, role, scope, digest, who, created: 0 }, Secret::new(text))
    }

    /// Who bears it.
    pub fn caller(&self) -> Caller {
        Caller { name: self.name.clone(), role: self.role, scope: self.scope.clone() }
    }

    /// The SHA-256 of the token, in hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// All of them, by name.
pub fn all(tx: &mut Tx) -> Result<Vec<Kept>, StoreError> {
    let rows = tx.query(
        "select name, role, application, digest, who, created, publication, repository from token order by name",
        params![],
    )?;
    let read = |row: &store::Row| {
        // A role of a newer version may look.
        let role = row.text(1)?.parse().unwrap_or(Role::Viewer);
        let scope = Scope::of(row.opt_text(2)?, row.opt_text(6)?, row.opt_text(7)?).unwrap_or_default();
        Ok(Kept { name: row.text(0)?, role, scope, digest: row.text(3)?, who: row.text(4)?, created: row.int(5)? })
    };
    rows.iter().map(read).collect()
}

/// Keeps a new one. `configured`: whom the tokens of the configuration file name.
pub fn add(tx: &mut Tx, kept: &Kept, configured: &[Caller]) -> Result<(), KeptError> {
    let length = kept.name.chars().count();
    let is_dots = matches!(kept.name.as_str(), "." | "..");
    if !(1..=64).contains(&length) || is_dots || kept.name.chars().any(|c| c.is_control() || c == '/') {
        return Err(KeptError::BadName);
    }
    if kept.is_admin() && kept.scope != Scope::Server {
        return Err(KeptError::AdminOfOne);
    }
    let others = all(tx)?;
    if others.iter().any(|one| one.name == kept.name) || configured.iter().any(|one| one.name == kept.name) {
        return Err(KeptError::Taken(kept.name.clone()));
    }
    if others.is_empty() && configured.is_empty() && !kept.is_admin() {
        return Err(KeptError::FirstIsNoAdmin);
    }
    let now = tx.now().as_millisecond();
    let (role, [application, publication, repository]) = (kept.role.to_string(), kept.scope.parts());
    tx.execute(
        "insert into token (name, role, application, digest, who, created, publication, repository)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![&kept.name, role, application, &kept.digest, &kept.who, now, publication, repository],
    )?;
    Ok(tx.change("token", &kept.name)?)
}

/// Forgets one. `open`: others than this machine reach the server, so somebody must always need a token.
pub fn revoke(tx: &mut Tx, name: &str, configured: &[Caller], open: bool) -> Result<(), KeptError> {
    let (gone, others): (Vec<_>, Vec<_>) = all(tx)?.into_iter().partition(|one| one.name == name);
    let Some(gone) = gone.first() else { return Err(KeptError::Unknown(name.into())) };
    let admins = others.iter().any(Kept::is_admin) || configured.iter().any(|one| one.role == Role::Admin);
    if gone.is_admin() && !others.is_empty() && !admins {
        return Err(KeptError::LastAdmin(name.into()));
    }
    if open && others.is_empty() && configured.is_empty() {
        return Err(KeptError::LastLock(name.into()));
    }
    tx.execute("delete from token where name = ?1", params![name])?;
    Ok(tx.change("token", name)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::clock::FakeClock;
    use store::{Location, Store};

    use super::*;

    fn token(name: &str, role: Role, application: Option<&str>) -> Kept {
        let scope = application.map_or(Scope::Server, |name| Scope::Application(name.into()));
        Kept::make(name, role, scope, "kim", [name.len() as u8; 24]).0
    }

    #[test]
    fn the_first_is_an_admins_and_so_is_the_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let store = Store::open(Location::Sqlite(folder.path().join("s.db")), &[MIGRATIONS], clock).expect("opens");
        let add =
            |kept: Kept| store.write_blocking(move |tx| super::add(tx, &kept, &[])).map_err(|error| error.to_string());
        let revoke = |name: &'static str| {
            store.write_blocking(move |tx| super::revoke(tx, name, &[], false)).map_err(|error| error.to_string())
        };
        let error = add(token("ci", Role::Operator, None)).expect_err("refused");
        assert!(error.starts_with("the first token must be an admin's"), "{error}");
        assert_eq!(add(token("kim", Role::Admin, None)), Ok(()));
        assert_eq!(add(token("ci", Role::Operator, Some("shop"))), Ok(()));
        let error = add(token("ci", Role::Viewer, None)).expect_err("refused");
        assert_eq!(error, "there is a token ci already: revoke it first, or choose another name");
        assert!(add(token("of one", Role::Admin, Some("shop"))).is_err());
        for name in ["", "a/b", ".."] {
            assert!(add(token(name, Role::Viewer, None)).is_err(), "{name}");
        }
        let kept = store.read_blocking(all).expect("reads");
        let shown: Vec<_> = kept.iter().map(|one| (one.name.as_str(), one.role, one.scope.clone())).collect();
        let shop = Scope::Application("shop".into());
        assert_eq!(shown, [("ci", Role::Operator, shop), ("kim", Role::Admin, Scope::Server)]);
        let error = revoke("kim").expect_err("refused");
        assert!(error.starts_with("kim is the last admin's token"), "{error}");
        assert_eq!(revoke("nobody"), Err("there is no token nobody".into()));
        assert_eq!(revoke("ci"), Ok(()));
        let open = store.write_blocking(|tx| super::revoke(tx, "kim", &[], true)).map_err(|error| error.to_string());
        let error = open.expect_err("refused");
        assert!(error.starts_with("kim is the last token of a server that others than this machine reach"), "{error}");
        assert_eq!(revoke("kim"), Ok(()));
    }

    #[test]
    fn a_token_is_random_and_known_by_its_beginning() {
        let (kept, text) = Kept::make("ci", Role::Viewer, Scope::Server, "kim", [0xab; 24]);
        assert_eq!(text.reveal(), format!("gnk_{}", "ab".repeat(24)));
        assert!(!format!("{kept:?}").contains("abab"));
        assert_eq!(kept.digest(), crate::token::digest(text.reveal()));
    }
}
