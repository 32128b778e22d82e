//! A publication as it was: what the log of operations asks for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::generation::{Making, make, recover};
use super::{Publication, Settings, Signing, Source, clean, get, replicate, save, sweep};
use crate::error::{Error, Result};
use crate::packages::from_json;
use crate::report::Sink;
use crate::root::Root;
use crate::snapshot::SourceKind;

/// A row of the table of publications with the lists that were shown, as the log keeps it: what is JSON in the table is text.
#[derive(Deserialize)]
struct Image {
    uuid: String,
    storage: String,
    prefix: String,
    distribution: String,
    kind: String,
    architectures: String,
    settings: String,
    sources: String,
    pending: Option<String>,
    generation: i64,
    lists: Option<String>,
}

impl Image {
    fn read(row: &Json) -> Result<Image> {
        Image::deserialize(row).map_err(|error| Error::Damaged(format!("an entry of the log is damaged: {error}")))
    }

    fn publication(&self) -> Result<Publication> {
        let settings: Settings = from_json("a publication's settings", &self.settings)?;
        let sources: BTreeMap<String, Source> = from_json("a publication's sources", &self.sources)?;
        let pending = self.pending.as_ref().map(|text| from_json("pending changes", text)).transpose()?;
        Ok(Publication {
            uuid: self.uuid.clone(),
            storage: self.storage.clone(),
            prefix: self.prefix.clone(),
            distribution: self.distribution.clone(),
            kind: SourceKind::of(&self.kind)?,
            architectures: from_json("a list of architectures", &self.architectures)?,
            settings,
            sources,
            pending,
            generation: self.generation,
            shown: BTreeMap::new(),
        })
    }
}

/// Makes a publication what it was `before`, given what it is (or was last) `after`; one that was not there before goes.
pub(crate) fn restore(
    root: &Root,
    after: Option<&Json>,
    before: Option<&Json>,
    signing: &Signing,
    sink: Sink<'_>,
) -> Result<()> {
    let after = after.map(Image::read).transpose()?;
    let Some(before) = before.map(Image::read).transpose()? else {
        return match after {
            Some(one) => root.drop_publication(&one.storage, &one.prefix, &one.distribution, false, sink),
            None => Ok(()),
        };
    };
    let mut publication = before.publication()?;
    let Publication { storage, prefix, distribution, .. } = publication.clone();
    let _lock = root.lock_prefix(&storage, &prefix)?;
    recover(root, &storage, &prefix)?;
    let there = root.store().read(|tx| get(tx, &storage, &prefix, &distribution))?;
    match (&after, &there) {
        (None, Some(_)) => {
            return Err(Error::Conflict(format!(
                "{} is published again meanwhile; drop that first",
                publication.path()
            )));
        }
        (Some(after), Some(_)) if after.generation == before.generation => {
            // Only what the next update takes was changed.
            return root.change(|tx| save(tx, &publication));
        }
        _ => {}
    }
    let lists: BTreeMap<String, String> =
        before.lists.as_ref().map_or(Ok(BTreeMap::new()), |text| from_json("a generation", text))?;
    // Clients know the numbers and dates of what came after, so this is a new generation.
    publication.generation = there.as_ref().map_or(before.generation, |there| there.generation);
    let making = Making { force_overwrite: false, signing, date: None };
    let made = make(root, publication, &lists, &making, sink)?;
    clean::old_generations(root, &made)?;
    sweep::sweep(root, &made, &made.sources.keys().cloned().collect::<Vec<_>>(), sink)?;
    replicate::forget_old(root, &made)
}
