//! Local repositories: their records and their package lists.

use std::collections::BTreeSet;

use debian::package::Key;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};

use crate::error::{Error, Result};
use crate::outbox;
use crate::packages;
use crate::root::Root;
use crate::set;
use crate::uploaders::Uploaders;

/// A local repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repo {
    /// Its id.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// What people say about it.
    pub comment: String,
    /// The distribution that publishing it takes when none is given.
    pub distribution: String,
    /// The component that publishing it takes when none is given.
    pub component: String,
    /// Who may upload what.
    pub uploaders: Option<Uploaders>,
    /// Its list of packages.
    pub root: String,
    version: i64,
}

/// `[name]` or `[name]: comment`.
impl std::fmt::Display for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}]", self.name)?;
        if self.comment.is_empty() { Ok(()) } else { write!(f, ": {}", self.comment) }
    }
}

/// What is set when a repository is made or edited; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct RepoChange {
    /// New comment.
    pub comment: Option<String>,
    /// New default distribution.
    pub distribution: Option<String>,
    /// New default component.
    pub component: Option<String>,
    /// New uploaders; the inner `None` removes them.
    pub uploaders: Option<Option<Uploaders>>,
}

impl RepoChange {
    fn check(&self) -> Result<()> {
        for (kind, value) in
            [("comment", &self.comment), ("distribution", &self.distribution), ("component", &self.component)]
        {
            debian::names::one_line(kind, value.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn apply(&self, repo: &mut Repo) {
        let set = |slot: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                slot.clone_from(value);
            }
        };
        set(&mut repo.comment, &self.comment);
        set(&mut repo.distribution, &self.distribution);
        set(&mut repo.component, &self.component);
        if let Some(uploaders) = &self.uploaders {
            repo.uploaders.clone_from(uploaders);
        }
    }
}

const COLUMNS: &str = "uuid, name, comment, distribution, component, uploaders, root, version";

fn read(row: &Row) -> Result<Repo> {
    let uploaders = row.opt_text(5)?.map(|text| packages::from_json("an uploaders list", &text)).transpose()?;
    Ok(Repo {
        uuid: row.text(0)?,
        name: row.text(1)?,
        comment: row.text(2)?,
        distribution: row.text(3)?,
        component: row.text(4)?,
        uploaders,
        root: row.text(6)?,
        version: row.int(7)?,
    })
}

pub(crate) fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Repo> {
    let row = tx.query_opt(&format!("select {COLUMNS} from repo where name = ?1"), params![name])?;
    read(&row.ok_or_else(|| Error::NotFound(format!("local repo with name {name} not found")))?)
}

pub(crate) fn by_uuid(tx: &mut Tx<'_>, uuid: &str) -> Result<Option<Repo>> {
    tx.query_opt(&format!("select {COLUMNS} from repo where uuid = ?1"), params![uuid])?.as_ref().map(read).transpose()
}

fn taken(name: &str) -> Error {
    Error::Conflict(format!("local repo with name {name} already exists"))
}

impl Root {
    /// Makes a repository; `from` is a snapshot whose packages it begins with.
    pub fn create_repo(&self, name: &str, change: &RepoChange, from: Option<&str>) -> Result<Repo> {
        check_name("repository name", name)?;
        change.check()?;
        self.change(|tx| {
            let root = match from {
                Some(snapshot) => crate::snapshot::by_name(tx, snapshot)?.root,
                None => String::new(),
            };
            let empty = String::new;
            let mut repo = Repo {
                uuid: tx.uuid(),
                name: name.to_owned(),
                comment: empty(),
                distribution: empty(),
                component: "main".into(),
                uploaders: None,
                root,
                version: 0,
            };
            change.apply(&mut repo);
            if tx.query_opt("select 1 from repo where name = ?1", params![name])?.is_some() {
                return Err(taken(name));
            }
            let uploaders = repo.uploaders.as_ref().map(packages::json).transpose()?;
            tx.execute(
                &format!("insert into repo ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)"),
                params![
                    &repo.uuid,
                    &repo.name,
                    &repo.comment,
                    &repo.distribution,
                    &repo.component,
                    uploaders,
                    &repo.root
                ],
            )?;
            Ok(repo)
        })
    }

    /// The repository of that name.
    pub fn repo(&self, name: &str) -> Result<Repo> {
        self.store().read(|tx| by_name(tx, name))
    }

    /// All repositories by name, each with the number of its packages.
    pub fn repos(&self) -> Result<Vec<(Repo, u64)>> {
        self.store().read(|tx| {
            let rows = tx.query(&format!("select {COLUMNS} from repo order by name"), &[])?;
            rows.iter()
                .map(|row| {
                    let repo = read(row)?;
                    let count = set::count(tx, &repo.root)?;
                    Ok((repo, count))
                })
                .collect()
        })
    }

    /// Changes what is said about a repository.
    pub fn edit_repo(&self, name: &str, change: &RepoChange) -> Result<Repo> {
        change.check()?;
        self.change(|tx| {
            let mut repo = by_name(tx, name)?;
            change.apply(&mut repo);
            let uploaders = repo.uploaders.as_ref().map(packages::json).transpose()?;
            tx.execute(
                "update repo set comment = ?2, distribution = ?3, component = ?4, uploaders = ?5 where uuid = ?1",
                params![&repo.uuid, &repo.comment, &repo.distribution, &repo.component, uploaders],
            )?;
            Ok(repo)
        })
    }

    /// Gives a repository another name.
    pub fn rename_repo(&self, name: &str, new: &str) -> Result<Repo> {
        check_name("repository name", new)?;
        self.change(|tx| {
            let mut repo = by_name(tx, name)?;
            if tx.query_opt("select 1 from repo where name = ?1", params![new])?.is_some() {
                return Err(taken(new));
            }
            tx.execute("update repo set name = ?2 where uuid = ?1", params![&repo.uuid, new])?;
            repo.name = new.to_owned();
            Ok(repo)
        })
    }

    /// Removes a repository. Refused while it is published, and unless forced while snapshots were made of it; the error
    /// names them.
    pub fn drop_repo(&self, name: &str, force: bool) -> Result<Repo, DropRefused> {
        self.change(|tx| {
            let repo = by_name(tx, name)?;
            let published = crate::publish::using(tx, &repo.uuid)?;
            if !published.is_empty() {
                return Err(DropRefused::Published(published.iter().map(ToString::to_string).collect()));
            }
            let snapshots = crate::snapshot::made_of(tx, &repo.uuid)?;
            if !snapshots.is_empty() && !force {
                return Err(DropRefused::Snapshots(snapshots.iter().map(ToString::to_string).collect()));
            }
            tx.execute("delete from repo where uuid = ?1", params![&repo.uuid])?;
            Ok(repo)
        })
    }

    /// Sets a repository's list: `compute` is given the repository as it is and answers what to remove and what to add.
    /// It runs outside any write transaction, and again when somebody else was quicker.
    pub(crate) fn change_repo(
        &self,
        uuid: &str,
        compute: impl FnMut(&mut Tx<'_>, &Repo) -> Result<Change>,
    ) -> Result<Change> {
        self.change_repo_with(uuid, compute, |_| Ok(()))
    }

    /// The same, with more to write in the transaction that sets the list.
    pub(crate) fn change_repo_with(
        &self,
        uuid: &str,
        mut compute: impl FnMut(&mut Tx<'_>, &Repo) -> Result<Change>,
        mut also: impl FnMut(&mut Tx<'_>) -> Result<()>,
    ) -> Result<Change> {
        loop {
            let (repo, change, built) = self.store().read(|tx| {
                let repo =
                    by_uuid(tx, uuid)?.ok_or_else(|| Error::NotFound("the local repo was dropped meanwhile".into()))?;
                let change = compute(tx, &repo)?;
                let built = set::change(tx, &repo.root, &change.remove, &change.add)?;
                Ok::<_, Error>((repo, change, built))
            })?;
            let won = self.change(|tx| {
                let sql = "update repo set root = ?2, version = version + 1 where uuid = ?1 and version = ?3";
                if tx.execute(sql, params![uuid, &built.root, repo.version])? != 1 {
                    return Ok(false);
                }
                built.save(tx)?;
                also(tx)?;
                outbox::write_moved(tx, self, &repo.name, &repo.root, &built.root)?;
                Ok::<_, Error>(true)
            })?;
            if won {
                self.touch_wake();
                return Ok(change);
            }
        }
    }

    /// Removes packages from a repository within the transaction in which they come into another.
    pub(crate) fn take_away(&self, tx: &mut Tx<'_>, uuid: &str, keys: &BTreeSet<Key>) -> Result<()> {
        let repo = by_uuid(tx, uuid)?.ok_or_else(|| Error::NotFound("the local repo was dropped meanwhile".into()))?;
        let built = set::change(tx, &repo.root, keys, &BTreeSet::new())?;
        tx.execute("update repo set root = ?2, version = version + 1 where uuid = ?1", params![uuid, &built.root])?;
        built.save(tx)?;
        outbox::write_moved(tx, self, &repo.name, &repo.root, &built.root)
    }
}

/// What is to leave and to enter a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub remove: BTreeSet<Key>,
    pub add: BTreeSet<Key>,
}

/// Why a repository or snapshot is not removed.
#[derive(Debug, thiserror::Error)]
pub enum DropRefused {
    /// These publications show it.
    #[error("it is published")]
    Published(Vec<String>),
    /// These snapshots were made of it.
    #[error("it is the source of snapshots")]
    Snapshots(Vec<String>),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<store::StoreError> for DropRefused {
    fn from(error: store::StoreError) -> Self {
        DropRefused::Other(error.into())
    }
}

/// Names of repositories and snapshots are free text, but one line and not empty.
pub(crate) fn check_name(kind: &'static str, name: &str) -> Result<()> {
    debian::names::one_line(kind, name)?;
    if name.is_empty() {
        return Err(Error::Invalid(format!("the {kind} is empty")));
    }
    Ok(())
}
