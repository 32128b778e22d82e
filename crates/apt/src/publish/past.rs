//! What a publication showed before, and the way back to it.
//!
//! The way back is a new generation with the old lists, signed now: apt takes no Release that is older than the one it has seen.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use store::params;

use super::generation::{Making, make, recover};
use super::{Publication, Signing, Source, clean, get, not_found, replicate, sweep};
use crate::error::{Error, Result};
use crate::packages::from_json;
use crate::report::Sink;
use crate::root::Root;
use crate::set;
use crate::snapshot::SourceKind;

/// A generation that is still kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub number: i64,
    /// When it was published.
    pub at: Timestamp,
    /// Whether it is the one that is shown.
    pub shown: bool,
    /// How many packages it has.
    pub packages: u64,
    /// What it had and the one before had not, sorted; of the oldest that is kept nothing is known.
    pub added: Vec<String>,
    /// What the one before had and it had not.
    pub removed: Vec<String>,
}

/// Which generation a publication goes back to.
#[derive(Debug, Clone, Default)]
pub struct Rollback {
    /// Storage.
    pub storage: String,
    /// Prefix.
    pub prefix: String,
    /// Distribution.
    pub distribution: String,
    /// Its number; the one before the one that is shown when none is given.
    pub to: Option<i64>,
    /// Package files that nothing shows any more stay.
    pub skip_cleanup: bool,
    /// Signing.
    pub signing: Signing,
    /// The date that it carries, if not now.
    pub date: Option<Timestamp>,
}

type Lists = BTreeMap<String, String>;

impl Root {
    /// The generations of a publication that are kept, the newest first.
    pub fn publication_history(&self, storage: &str, prefix: &str, distribution: &str) -> Result<Vec<Past>> {
        self.store().read(|tx| {
            let publication =
                get(tx, storage, prefix, distribution)?.ok_or_else(|| not_found(storage, prefix, distribution))?;
            let sql = "select number, at, components from generation where publication = ?1 order by number";
            let mut before: Option<Lists> = None;
            let mut found = Vec::new();
            for row in tx.query(sql, params![&publication.uuid])? {
                let lists: Lists = from_json("a generation", &row.text(2)?)?;
                let mut past = Past {
                    number: row.int(0)?,
                    at: row.time(1)?,
                    shown: row.int(0)? == publication.generation,
                    packages: 0,
                    added: Vec::new(),
                    removed: Vec::new(),
                };
                for list in lists.values() {
                    past.packages += set::count(tx, list)?;
                }
                if let Some(before) = &before {
                    let components: BTreeSet<&String> = before.keys().chain(lists.keys()).collect();
                    for component in components {
                        let list = |lists: &Lists| lists.get(component).cloned().unwrap_or_default();
                        let diff = set::diff(tx, &list(before), &list(&lists))?;
                        past.added.extend(diff.added.iter().map(ToString::to_string));
                        past.removed.extend(diff.removed.iter().map(ToString::to_string));
                    }
                    past.added.sort();
                    past.removed.sort();
                }
                before = Some(lists);
                found.push(past);
            }
            found.reverse();
            Ok(found)
        })
    }

    /// Shows again what an earlier generation showed. A local repository itself stays as it is: the next update shows it again.
    pub fn rollback_publication(&self, request: &Rollback, sink: Sink<'_>) -> Result<Publication> {
        let Rollback { storage, prefix, distribution, .. } = request;
        request.signing.check()?;
        let _lock = self.lock_prefix(storage, prefix)?;
        recover(self, storage, prefix)?;
        let (publication, lists) = self.store().read(|tx| {
            let mut publication =
                get(tx, storage, prefix, distribution)?.ok_or_else(|| not_found(storage, prefix, distribution))?;
            let lists = meant(tx, &publication, request.to)?;
            publication.sources = sources(tx, &publication, &lists)?;
            publication.pending = None;
            Ok::<_, Error>((publication, lists))
        })?;
        let making = Making { force_overwrite: false, signing: &request.signing, date: request.date };
        let made = make(self, publication, &lists, &making, sink)?;
        clean::old_generations(self, &made)?;
        if !request.skip_cleanup {
            sweep::sweep(self, &made, &made.sources.keys().cloned().collect::<Vec<_>>(), sink)?;
        }
        replicate::forget_old(self, &made)?;
        self.publication(storage, prefix, distribution)
    }
}

/// The lists of the generation that is meant.
fn meant(tx: &mut store::Tx<'_>, publication: &Publication, to: Option<i64>) -> Result<Lists> {
    let path = publication.path();
    if to == Some(publication.generation) {
        return Err(Error::Invalid(format!(
            "generation {} of {path} is the one that is shown",
            publication.generation
        )));
    }
    let (sql, number) = match to {
        Some(number) => ("select components from generation where publication = ?1 and number = ?2", number),
        None => (
            "select components from generation where publication = ?1 and number < ?2 order by number desc limit 1",
            publication.generation,
        ),
    };
    let row = tx.query_opt(sql, params![&publication.uuid, number])?;
    let gone = || match to {
        Some(number) => format!("generation {number} of {path} is not kept any more"),
        None => format!("no generation of {path} before the one that is shown is kept"),
    };
    from_json("a generation", &row.ok_or_else(|| Error::NotFound(gone()))?.text(0)?)
}

/// What the publication says that it is made of then: the snapshot that has a list, else what it says now.
fn sources(tx: &mut store::Tx<'_>, publication: &Publication, lists: &Lists) -> Result<BTreeMap<String, Source>> {
    let mut found = BTreeMap::new();
    for (component, list) in lists {
        let now = publication.sources.get(component).or_else(|| publication.sources.values().next()).cloned();
        let snapshot = match publication.kind {
            SourceKind::Local => None,
            SourceKind::Mirror | SourceKind::Snapshot => crate::snapshot::by_root(tx, list, now.as_ref())?,
        };
        let source = snapshot.map(|snapshot| Source { uuid: snapshot.uuid, name: snapshot.name }).or(now);
        found.extend(source.map(|source| (component.clone(), source)));
    }
    Ok(found)
}
