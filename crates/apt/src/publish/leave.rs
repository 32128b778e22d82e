//! A publication that goes. Its record goes first, in one transaction with a note of what is left to be removed; then its files go, and the note
//! last. Whoever next works on the prefix finishes what a crash left of that.

use std::collections::BTreeMap;
use std::fs;

use store::{Row, Tx, params};

use super::files::remove_folder;
use super::generation::{generations, prefix_folder, shown_link};
use super::{Publication, Settings, clean, of_place, replicate};
use crate::error::{At, Result};
use crate::packages::{from_json, json};
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::snapshot::SourceKind;

/// Notes what is to be removed: `pools` names those to be swept, by component.
pub(super) fn note(tx: &mut Tx<'_>, publication: &Publication, pools: &BTreeMap<String, String>) -> Result<()> {
    let Publication { storage, prefix, distribution, .. } = publication;
    let sql =
        "insert into leaving (storage, prefix, distribution, pools) values (?1, ?2, ?3, ?4) on conflict do nothing";
    tx.execute(sql, params![storage, prefix, distribution, json(pools)?])?;
    Ok(())
}

/// The prefixes from which something is going, by storage.
pub(super) fn places(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>> {
    let rows = tx.query("select distinct storage, prefix from leaving", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Removes what was noted for a prefix, which the caller has locked.
pub(super) fn finish(root: &Root, storage: &str, prefix: &str, sink: Sink<'_>) -> Result<()> {
    let read = |row: &Row| -> Result<(String, BTreeMap<String, String>)> {
        Ok((row.text(0)?, from_json("what a publication leaves", &row.text(1)?)?))
    };
    let leaving = root.store().read(|tx| {
        let sql = "select distribution, pools from leaving where storage = ?1 and prefix = ?2";
        tx.query(sql, params![storage, prefix])?.iter().map(read).collect::<Result<Vec<_>>>()
    })?;
    for (distribution, pools) in leaving {
        remove(root, &at(storage, prefix, &distribution), &pools, sink)?;
        root.store().write(|tx| {
            let sql = "delete from leaving where storage = ?1 and prefix = ?2 and distribution = ?3";
            tx.execute(sql, params![storage, prefix, &distribution])
        })?;
    }
    Ok(())
}

fn remove(root: &Root, gone: &Publication, pools: &BTreeMap<String, String>, sink: Sink<'_>) -> Result<()> {
    let others = root.store().read(|tx| of_place(tx, &gone.storage, &gone.prefix))?;
    let folder = prefix_folder(root, gone)?;
    let shown = shown_link(root, gone)?;
    sink(Line::Step(format!("Removing {}...", shown.display())));
    if fs::symlink_metadata(&shown).is_ok_and(|meta| !meta.is_dir()) {
        fs::remove_file(&shown).at("remove", &shown)?;
    } else {
        remove_folder(&shown)?;
    }
    remove_folder(&generations(root, gone)?)?;
    if others.is_empty() {
        for name in ["dists", "pool"] {
            sink(Line::Step(format!("Removing {}...", folder.join(name).display())));
            remove_folder(&folder.join(name))?;
        }
    } else if !pools.is_empty() {
        clean::pools(root, gone, pools, sink)?;
    }
    if let Some(replica) = replicate::of(root, &gone.storage, &gone.prefix)? {
        replica.forget(&others)?;
    }
    Ok(())
}

/// A publication as far as its place goes.
fn at(storage: &str, prefix: &str, distribution: &str) -> Publication {
    Publication {
        uuid: String::new(),
        storage: storage.to_owned(),
        prefix: prefix.to_owned(),
        distribution: distribution.to_owned(),
        kind: SourceKind::Local,
        architectures: Vec::new(),
        settings: Settings::default(),
        sources: BTreeMap::new(),
        pending: None,
        generation: 0,
        shown: BTreeMap::new(),
    }
}
