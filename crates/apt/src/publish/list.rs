//! Reading and removing publications, and the changes that wait for the next update.

use std::collections::BTreeMap;

use jiff::Timestamp;
use store::params;

use super::generation::recover;
use super::{Publication, all, get, leave, not_found, of_place, save, shown_lists};
use crate::error::{Error, Result};
use crate::outbox::{self, DROPPED};
use crate::report::Sink;
use crate::root::Root;
use crate::set;

impl Root {
    /// All publications by path.
    pub fn publications(&self) -> Result<Vec<Publication>> {
        self.store().read(all)
    }

    /// One publication.
    pub fn publication(&self, storage: &str, prefix: &str, distribution: &str) -> Result<Publication> {
        self.store()
            .read(|tx| get(tx, storage, prefix, distribution)?.ok_or_else(|| not_found(storage, prefix, distribution)))
    }

    /// How many publications there are, and when the newest generation of any was made.
    pub fn publishing(&self) -> Result<(u64, Option<Timestamp>)> {
        self.store().read(|tx| {
            // The generation that is shown is found by its key, however many before it are kept.
            let sql = "select count(*), max(generation.at) from publication left join generation
                       on generation.publication = publication.uuid and generation.number = publication.generation";
            let Some(row) = tx.query_opt(sql, &[])? else { return Ok((0, None)) };
            Ok((u64::try_from(row.int(0)?).unwrap_or(0), row.opt_time(1)?))
        })
    }

    /// How many packages each component of a publication shows.
    pub fn published_counts(&self, publication: &Publication) -> Result<BTreeMap<String, u64>> {
        self.store().read(|tx| {
            let lists = shown_lists(tx, publication)?;
            lists.into_iter().map(|(component, list)| Ok((component, set::count(tx, &list)?))).collect()
        })
    }

    /// Finishes what a crash left half done, for all prefixes. Servers call it when they start.
    pub fn recover_publications(&self) -> Result<()> {
        let mut places = self.store().read(leave::places)?;
        places.extend(self.publications()?.into_iter().map(|one| (one.storage, one.prefix)));
        places.sort();
        places.dedup();
        // What is published to a place that is not known here is left to whoever knows it.
        for (storage, prefix) in places.into_iter().filter(|(storage, _)| self.endpoint(storage).is_ok()) {
            let _lock = self.lock_prefix(&storage, &prefix)?;
            recover(self, &storage, &prefix)?;
        }
        Ok(())
    }

    /// Takes a publication away.
    pub fn drop_publication(
        &self,
        storage: &str,
        prefix: &str,
        distribution: &str,
        skip_cleanup: bool,
        sink: Sink<'_>,
    ) -> Result<()> {
        let _lock = self.lock_prefix(storage, prefix)?;
        recover(self, storage, prefix)?;
        let publication = self.publication(storage, prefix, distribution)?;
        let others = self.store().read(|tx| of_place(tx, storage, prefix))?.len() - 1;
        let swept = publication.sources.keys().filter(|_| !skip_cleanup);
        let pools = publication.pools(swept);
        let body =
            BTreeMap::from([("prefix", publication.place()), ("distribution", publication.distribution.clone())]);
        self.change(|tx| {
            tx.execute("delete from layout where publication = ?1", params![&publication.uuid])?;
            // The log reads what it showed.
            tx.execute("delete from publication where uuid = ?1", params![&publication.uuid])?;
            tx.execute("delete from generation where publication = ?1", params![&publication.uuid])?;
            tx.execute("delete from replica where publication = ?1", params![&publication.uuid])?;
            if others == 0 {
                tx.execute("delete from unswept where storage = ?1 and prefix = ?2", params![storage, prefix])?;
            }
            leave::note(tx, &publication, &pools)?;
            outbox::write(tx, DROPPED, &body)
        })?;
        self.touch_wake();
        leave::finish(self, storage, prefix, sink)
    }

    /// Changes the sources that the next update takes: `edit` is given the pending ones (those in force when there are none).
    pub fn edit_sources(
        &self,
        storage: &str,
        prefix: &str,
        distribution: &str,
        mut edit: impl FnMut(&mut BTreeMap<String, String>) -> Result<()>,
    ) -> Result<Publication> {
        self.change(|tx| {
            let mut publication =
                get(tx, storage, prefix, distribution)?.ok_or_else(|| not_found(storage, prefix, distribution))?;
            let in_force = || {
                publication.sources.iter().map(|(component, source)| (component.clone(), source.name.clone())).collect()
            };
            let mut pending = publication.pending.clone().unwrap_or_else(in_force);
            edit(&mut pending)?;
            publication.pending = Some(pending);
            save(tx, &publication)?;
            Ok(publication)
        })
    }

    /// Forgets pending changes.
    pub fn forget_source_changes(&self, storage: &str, prefix: &str, distribution: &str) -> Result<()> {
        self.change(|tx| {
            let mut publication =
                get(tx, storage, prefix, distribution)?.ok_or_else(|| not_found(storage, prefix, distribution))?;
            publication.pending = None;
            save(tx, &publication)?;
            Ok::<(), Error>(())
        })
    }
}
