//! How long images are kept: one that nothing has used for a while goes, and comes again by its recipe when it is wanted. What uses an image
//! the caller knows. Also here: the unpacked files of an image, made again from its layout (a backup holds the layout alone).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use debian::tar::{self, Specials};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::{StoreError, Tx, params};

use crate::bakery::Bakery;
use crate::image::Image;
use crate::import::ROOT_FS;
use crate::{BakeError, index, oci};

/// So many images are noted as used in one transaction.
const PIECE: usize = 500;
/// A use is noted at most so often.
const NOTED: SignedDuration = SignedDuration::from_hours(1);
/// A folder that no row names is left alone for so long: its row may be on the way.
const YOUNG: SignedDuration = SignedDuration::from_hours(1);

/// An image that goes, or would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spare {
    /// Its id.
    pub id: String,
    /// Its name; empty for a folder that no image knows any more.
    pub name: String,
    /// Bytes of its files.
    pub bytes: u64,
}

/// What images there are and when they were used last.
struct Seen {
    images: Vec<Image>,
    used: BTreeSet<String>,
    last: BTreeMap<String, i64>,
}

impl Bakery {
    /// Removes the images that `in_use` did not name for so long, and folders that a crash left; with `dry_run` only tells which. Those of root
    /// file systems that people brought stay: nothing could make them again.
    pub async fn sweep(
        &self,
        keep: SignedDuration,
        dry_run: bool,
        in_use: impl Fn(&mut Tx<'_>, &[Image]) -> Result<BTreeSet<String>, StoreError> + Clone + Send + 'static,
    ) -> Result<Vec<Spare>, BakeError> {
        let now = self.store().clock().now();
        let ago = |time: SignedDuration| now.checked_sub(time).unwrap_or(Timestamp::MIN).as_millisecond();
        let (noted, before) = (ago(NOTED), ago(keep));
        let ask = in_use.clone();
        let seen = self.store().read(move |tx| {
            let (images, last) = (index::all(tx)?, last_uses(tx)?);
            // Of those that were used lately nothing more is asked.
            let is_young = |image: &&Image| last.get(&image.id).is_some_and(|at| *at >= noted);
            let asked: Vec<Image> = images.iter().filter(|image| !is_young(image)).cloned().collect();
            let used = if asked.is_empty() { BTreeSet::new() } else { ask(tx, &asked)? };
            Ok::<_, BakeError>(Seen { images, used, last })
        });
        let seen = seen.await?;
        let last = |image: &Image| seen.last.get(&image.id).copied();
        let is_used = |image: &Image| seen.used.contains(&image.id);
        // One that was never noted counts from now on: it may be older than the notes.
        let note = seen.images.iter().filter(|image| last(image).is_none_or(|at| is_used(image) && at < noted));
        let note: Vec<String> = note.map(|image| image.id.clone()).collect();
        let spare =
            |image: &&Image| image.base != ROOT_FS && !is_used(image) && last(image).is_some_and(|at| at < before);
        let spare: Vec<Image> = seen.images.iter().filter(spare).cloned().collect();
        let mut gone = Vec::new();
        if !dry_run {
            for ids in note.chunks(PIECE) {
                let ids = ids.to_vec();
                self.store().write(move |tx| ids.iter().try_for_each(|id| note_use(tx, id))).await?;
            }
        }
        for image in spare {
            let (id, name) = (image.id.clone(), image.name.clone());
            if dry_run || self.remove(image, before, in_use.clone()).await? {
                gone.push(self.clear(id, name, dry_run).await?);
            }
        }
        for id in self.strays(&seen.images, ago(YOUNG)) {
            gone.push(self.clear(id, String::new(), dry_run).await?);
        }
        Ok(gone)
    }

    /// Takes the files of an image away, or only weighs them.
    async fn clear(&self, id: String, name: String, dry_run: bool) -> Result<Spare, BakeError> {
        let bakery = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let bytes = bakery.weight(&id);
            if !dry_run {
                bakery.remove_folder(&id)?;
            }
            Ok(Spare { id, name, bytes })
        });
        work.await.map_err(|error| BakeError::Died(error.to_string()))?
    }

    /// Takes an image out of the index if still nothing uses it.
    async fn remove(
        &self,
        image: Image,
        before: i64,
        in_use: impl Fn(&mut Tx<'_>, &[Image]) -> Result<BTreeSet<String>, StoreError> + Send + 'static,
    ) -> Result<bool, BakeError> {
        let taken = self.store().write(move |tx| {
            let young = "select 1 from image_use where id = ?1 and at >= ?2";
            let is_young = tx.query_opt(young, params![image.id.as_str(), before])?.is_some();
            if is_young || !in_use(tx, std::slice::from_ref(&image))?.is_empty() {
                return Ok(false);
            }
            tx.execute("delete from image where id = ?1", params![image.id.as_str()])?;
            tx.execute("delete from image_use where id = ?1", params![image.id.as_str()])?;
            tx.change("images", &image.id)?;
            Ok::<_, StoreError>(true)
        });
        Ok(taken.await?)
    }

    /// Bytes of the files of an image.
    fn weight(&self, id: &str) -> u64 {
        let folder = self.layout_folder(id);
        let size = |path: PathBuf| {
            std::fs::symlink_metadata(folder.join(path)).map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 })
        };
        oci::walk(&folder).map_or(0, |paths| paths.into_iter().map(size).sum())
    }

    /// Folders of images that no row names, and that are no longer new.
    fn strays(&self, images: &[Image], before: i64) -> Vec<String> {
        let known: BTreeSet<&str> = images.iter().map(|image| image.id.trim_start_matches("sha256:")).collect();
        let Ok(entries) = std::fs::read_dir(self.folder()) else { return Vec::new() };
        let is_old = |entry: &std::fs::DirEntry| {
            let at = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| Timestamp::try_from(at).ok());
            at.is_some_and(|at| at.as_millisecond() < before)
        };
        let names = entries.flatten().filter(is_old).filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| store::id::is_sha256(name) && !known.contains(name.as_str())).collect()
    }

    /// Takes the files of an image out of sight at once, then away.
    fn remove_folder(&self, id: &str) -> Result<(), BakeError> {
        let (folder, aside) = (self.layout_folder(id), self.staging());
        match std::fs::rename(&folder, &aside) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            moved => moved.map_err(BakeError::io("cannot remove", &folder))?,
        }
        std::fs::remove_dir_all(&aside).map_err(BakeError::io("cannot remove", &aside))
    }
}

/// Notes that an image is used now.
pub(crate) fn note_use(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    let sql = "insert into image_use (id, at) values (?1, ?2) on conflict (id) do update set at = excluded.at";
    let now = tx.now();
    tx.execute(sql, params![id, now]).map(drop)
}

fn last_uses(tx: &mut Tx<'_>) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows = tx.query("select id, at from image_use", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// The ids of the images that the copy of a control store names.
pub fn images_of(copy: &Path) -> Result<Vec<String>, StoreError> {
    store::copy::column(copy, "select id from image order by id")
}

/// Unpacks the layer of the image layout in `folder` into `folder/layer`, as it was when the image was made.
pub fn unpack_layer(folder: &Path) -> Result<(), BakeError> {
    let blob = |digest: Option<&str>| {
        let hex = digest
            .and_then(|digest| digest.strip_prefix("sha256:"))
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        hex.map(|hex| folder.join("blobs/sha256").join(hex))
    };
    let wrong = |file: &Path, why: String| BakeError::Unpack { file: file.to_owned(), why };
    let read = |file: &Path| -> Result<Value, BakeError> {
        let text = std::fs::read(file).map_err(BakeError::io("cannot read", file))?;
        serde_json::from_slice(&text).map_err(|error| wrong(file, error.to_string()))
    };
    let index = folder.join("index.json");
    let manifest = blob(read(&index)?["manifests"][0]["digest"].as_str());
    let manifest = manifest.ok_or_else(|| wrong(&index, "it names no manifest".into()))?;
    let layer = blob(read(&manifest)?["layers"][0]["digest"].as_str());
    let layer = layer.ok_or_else(|| wrong(&manifest, "it names no layer".into()))?;
    let into = folder.join("layer");
    std::fs::create_dir(&into).map_err(BakeError::io("cannot make", &into))?;
    let archive = std::fs::File::open(&layer).map_err(BakeError::io("cannot open", &layer))?;
    tar::unpack(archive, &into, Specials::LeftOut, |_| Ok(())).map_err(|error| wrong(&layer, error.to_string()))?;
    Ok(())
}
