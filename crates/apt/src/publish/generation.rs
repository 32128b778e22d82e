//! From a list of packages to a shown generation: folder rendered and files linked, record and event committed, link moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use debian::package::Key;
use debian::sums::Sums;
use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use store::{Tx, params};

use super::by_hash::{self, Listed};
use super::files::{remove_folder, write};
use super::render::{Rendered, Renderer, Shown, release};
use super::sign::Signer;
use super::{Publication, Signing, leave, lists_of, of_place, replicate, save, sweep};
use crate::error::{At, Error, Result};
use crate::outbox::{self, PUBLISHED, Published};
use crate::packages::json;
use crate::pool;
use crate::report::{Line, Sink};
use crate::root::{Root, make_folder};
use crate::set::{self, Diff};

/// How this one generation is made.
pub(super) struct Making<'a> {
    pub force_overwrite: bool,
    pub signing: &'a Signing,
    /// The date that it carries; the clock's when none is given.
    pub date: Option<Timestamp>,
}

/// The folder of a prefix.
pub(super) fn prefix_folder(root: &Root, publication: &Publication) -> Result<PathBuf> {
    let base = root.endpoint(&publication.storage)?.folder;
    Ok(if publication.prefix == "." { base } else { base.join(&publication.prefix) })
}

/// The folder of one generation.
pub(super) fn folder(root: &Root, publication: &Publication, number: i64) -> Result<PathBuf> {
    Ok(generations(root, publication)?.join(number.to_string()))
}

/// The folder of all generations of a publication.
pub(super) fn generations(root: &Root, publication: &Publication) -> Result<PathBuf> {
    let name = publication.distribution.replace('/', "%2f");
    Ok(prefix_folder(root, publication)?.join("dists/.generations").join(name))
}

/// The link that clients read through.
pub(super) fn shown_link(root: &Root, publication: &Publication) -> Result<PathBuf> {
    Ok(prefix_folder(root, publication)?.join("dists").join(&publication.distribution))
}

/// Publishes `roots` (component to list) as the next generation of `publication`.
pub(super) fn make(
    root: &Root,
    mut publication: Publication,
    roots: &BTreeMap<String, String>,
    making: &Making<'_>,
    sink: Sink<'_>,
) -> Result<Publication> {
    sink(Line::Step("Loading packages...".into()));
    pin(root, &publication, roots)?;
    let before = publication.generation;
    publication.generation += 1;
    let Change { shown: components, removed } = root.store().read(|tx| {
        let old = lists_of(tx, &publication, before)?;
        compare(tx, roots, &old)
    })?;
    sink(Line::Step("Generating metadata files and linking package files...".into()));
    let folder = folder(root, &publication, publication.generation)?;
    remove_folder(&folder)?;
    let rendered = render(root, &publication, &folder, &components, making, before, sink);
    let rendered = match rendered {
        Ok(rendered) => rendered,
        Err(error) => {
            // Nobody has seen it; leaving it would only take room.
            let _ = remove_folder(&folder);
            return Err(error);
        }
    };
    pool::sync(&folder)?;
    let replica = replicate::of(root, &publication.storage, &publication.prefix)?;
    if let Some(replica) = &replica {
        replica.before_shown(&publication, &folder, sink)?;
    }
    let link = prepare_link(root, &publication)?;
    sweep::note(root, &publication, &removed)?;
    commit(root, &publication, roots, rendered)?;
    flip(root, &publication, &link)?;
    if let Some(replica) = &replica {
        replica.after_shown(&publication, sink)?;
    }
    root.touch_wake();
    Ok(publication)
}

/// Holds the lists until the generation names them: whoever cleans up meanwhile leaves them, though their repository may have moved on.
fn pin(root: &Root, publication: &Publication, roots: &BTreeMap<String, String>) -> Result<()> {
    root.store().write(|tx| {
        unpin(tx, publication)?;
        for (component, list) in roots.iter().filter(|(_, list)| !list.is_empty()) {
            if tx.query_opt("select 1 from root where hash = ?1", params![list])?.is_none() {
                let what = format!("the packages of {component} were changed and cleaned up meanwhile; publish again");
                return Err(Error::Conflict(what));
            }
            let sql = "insert into pin (publication, list, at) values (?1, ?2, ?3) on conflict do nothing";
            tx.execute(sql, params![&publication.uuid, list, tx.now()])?;
        }
        Ok(())
    })
}

fn unpin(tx: &mut Tx<'_>, publication: &Publication) -> Result<()> {
    tx.execute("delete from pin where publication = ?1", params![&publication.uuid])?;
    Ok(())
}

/// What a generation changes, by component.
#[derive(Default)]
struct Change {
    shown: BTreeMap<String, Shown>,
    /// What was shown, also by components that are no more.
    removed: BTreeMap<String, Vec<Key>>,
}

/// What each component shows from now on, and what of it is new.
fn compare(tx: &mut Tx<'_>, roots: &BTreeMap<String, String>, before: &BTreeMap<String, String>) -> Result<Change> {
    let mut change = Change::default();
    for component in roots.keys().chain(before.keys()) {
        let list = |lists: &BTreeMap<String, String>| lists.get(component).cloned().unwrap_or_default();
        let (old, new) = (list(before), list(roots));
        let Diff { added, removed: gone } = set::diff(tx, &old, &new)?;
        if roots.contains_key(component) {
            let place = |key: &Key| (key.name.clone(), key.version.clone(), key.architecture.clone());
            let before: BTreeSet<_> = set::around(tx, &old, &added)?.iter().map(place).collect();
            let replaced = added.iter().filter(|key| before.contains(&place(key))).cloned().collect();
            let added = added.into_iter().collect();
            change.shown.insert(component.clone(), Shown { list: new, added, replaced });
        }
        change.removed.insert(component.clone(), gone);
    }
    Ok(change)
}

/// Renders the folder and signs it.
fn render(
    root: &Root,
    publication: &Publication,
    folder: &Path,
    components: &BTreeMap<String, Shown>,
    making: &Making<'_>,
    before: i64,
    sink: Sink<'_>,
) -> Result<Rendered> {
    make_folder(folder)?;
    if let Ok(shown) = fs::canonicalize(shown_link(root, publication)?) {
        by_hash::adopt(&generations(root, publication)?, &shown)?;
    }
    let renderer = Renderer::new(root, publication, folder, before, making.force_overwrite)?;
    let rendered = renderer.render(components, sink)?;
    sink(Line::Step("Finalizing metadata files...".into()));
    let now = making.date.unwrap_or_else(|| root.store().clock().now());
    let valid_until =
        if publication.settings.signed_by.is_empty() { String::new() } else { date(hundred_years_after(now)) };
    let listed: Vec<(String, Sums)> =
        rendered.indexes.iter().map(|index| (index.path.clone(), index.sums.clone())).collect();
    let names: Vec<String> = components.keys().cloned().collect();
    let text = release(publication).render(&date(now), &valid_until, &publication.architectures, &names, &listed);
    let path = folder.join("Release");
    write(&path, text.as_bytes())?;
    let signer = Signer::new(making.signing, making.date, now)?;
    signer.sign(folder, &text, sink)?;
    for (path, text) in &rendered.signed {
        signer.sign_beside(&folder.join(path), text)?;
    }
    date_after(folder, &self::folder(root, publication, before)?)?;
    Ok(rendered)
}

/// Dates the files of a generation at least a second after those of the one before. Clients ask with whole seconds whether
/// something is newer, so of two generations within one second they would keep the first.
fn date_after(folder: &Path, before: &Path) -> Result<()> {
    let time = |folder: &Path| fs::metadata(folder.join("Release")).and_then(|meta| meta.modified());
    let Ok(old) = time(before) else { return Ok(()) };
    let new = time(folder).at("read", folder)?;
    let seconds =
        |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if seconds(new) > seconds(old) {
        return Ok(());
    }
    let next = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds(old) + 1);
    let mut files = Vec::new();
    crate::add::walk(folder, 0, &mut |file| {
        // The by-hash names are links to the same files, or belong to older generations.
        if !file.components().any(|part| part.as_os_str() == "by-hash") {
            files.push(file.to_owned());
        }
    });
    for file in files {
        let opened = fs::OpenOptions::new().write(true).open(&file);
        opened.and_then(|opened| opened.set_modified(next)).at("write", &file)?;
    }
    Ok(())
}

fn hundred_years_after(now: Timestamp) -> Timestamp {
    // A century without its leap days' exactness matters to nobody here.
    now.checked_add(jiff::SignedDuration::from_hours(24 * 36_525)).unwrap_or(Timestamp::MAX)
}

/// `Mon, 2 Jan 2006 15:04:05 UTC`: the day without a zero before it.
fn date(at: Timestamp) -> String {
    at.strftime("%a, %-d %b %Y %H:%M:%S UTC").to_string()
}

/// Record, generation, layouts and event in one transaction.
fn commit(root: &Root, publication: &Publication, roots: &BTreeMap<String, String>, rendered: Rendered) -> Result<()> {
    let Rendered { indexes, layouts, news, .. } = rendered;
    let listed: Vec<Listed> =
        indexes.into_iter().filter(|index| index.stored).map(|index| Listed::new(index.path, index.sums)).collect();
    let (listed, lists) = (json(&listed)?, json(roots)?);
    let layouts: Vec<(String, String)> =
        layouts.into_iter().map(|(path, layout)| Ok((path, json(&layout)?))).collect::<Result<_>>()?;
    let event = Published::of(root, publication, news);
    root.change(|tx| {
        tx.execute(
            "insert into generation (publication, number, at, components, indexes, by_hash) values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (publication, number) do update set at = excluded.at, components = excluded.components,
             indexes = excluded.indexes, by_hash = excluded.by_hash",
            params![&publication.uuid, publication.generation, tx.now(), &lists, &listed, publication.settings.acquire_by_hash],
        )?;
        // After the generation: the log reads what it shows.
        save(tx, publication)?;
        unpin(tx, publication)?;
        tx.execute("delete from layout where publication = ?1", params![&publication.uuid])?;
        for (path, body) in &layouts {
            tx.execute(
                "insert into layout (publication, path, generation, body) values (?1, ?2, ?3, ?4)",
                params![&publication.uuid, path, publication.generation, body],
            )?;
        }
        outbox::write(tx, PUBLISHED, &event)
    })
}

/// Makes the new link beside the shown one, so that after the commit only a rename is left to do.
fn prepare_link(root: &Root, publication: &Publication) -> Result<PathBuf> {
    let shown = shown_link(root, publication)?;
    let parent = shown.parent().unwrap_or(&shown).to_owned();
    make_folder(&parent)?;
    let name = publication.distribution.replace('/', "%2f");
    let up = "../".repeat(publication.distribution.matches('/').count());
    let target = format!("{up}.generations/{name}/{}", publication.generation);
    let beside = parent.join(format!(".{}.new", shown.file_name().unwrap_or_default().to_string_lossy()));
    let _ = fs::remove_file(&beside);
    std::os::unix::fs::symlink(target, &beside).at("link", &beside)?;
    Ok(beside)
}

/// Moves the link. A folder in its place (as aptly leaves one) is swapped with it and removed.
fn flip(root: &Root, publication: &Publication, beside: &Path) -> Result<()> {
    let shown = shown_link(root, publication)?;
    let is_folder = fs::symlink_metadata(&shown).is_ok_and(|meta| meta.is_dir());
    if is_folder {
        renameat_with(CWD, beside, CWD, &shown, RenameFlags::EXCHANGE).at("write", &shown)?;
        remove_folder(beside)?;
    } else {
        fs::rename(beside, &shown).at("write", &shown)?;
    }
    let parent = shown.parent().unwrap_or(&shown);
    fs::File::open(parent).and_then(|folder| folder.sync_all()).at("sync", parent)
}

/// Finishes what a crash left between the commit and the rename, or of a removal, for all publications of a prefix.
pub(super) fn recover(root: &Root, storage: &str, prefix: &str) -> Result<()> {
    leave::finish(root, storage, prefix, &mut |_| {})?;
    let replica = replicate::of(root, storage, prefix)?;
    for publication in &root.store().read(|tx| of_place(tx, storage, prefix))? {
        let wanted = folder(root, publication, publication.generation)?;
        let shown = shown_link(root, publication)?;
        let right = fs::canonicalize(&shown).ok() == fs::canonicalize(&wanted).ok();
        if !right && wanted.is_dir() {
            let link = prepare_link(root, publication)?;
            flip(root, publication, &link)?;
            root.touch_wake();
        }
        if let Some(replica) = &replica {
            replica.recover(publication)?;
        }
    }
    Ok(())
}
