//! The bakery: a request becomes a recipe, a recipe an image. The same recipe is found, not made again; two that want it at once wait for
//! one bake; a crash leaves nothing half visible.
//!
//! On the disk: `FOLDER/HEX/` per image (its OCI image layout, and its layer unpacked in `layer/`), named by one rename after everything
//! in it is on the disk; `FOLDER/staging/` for what is being made, emptied when the bakery opens.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use store::Store;
use tokio::sync::Semaphore;

use crate::builder::{Builder, Built, Work};
use crate::check::Report;
use crate::image::Image;
use crate::import::{Import, ROOT_FS};
use crate::recipe::{Recipe, Request};
use crate::source::PackageSource;
use crate::{BakeError, index, keep, oci};

/// So many images are made at a time; others wait.
const AT_ONCE: usize = 2;

/// Makes images and finds them. Cheap to clone.
#[derive(Clone)]
pub struct Bakery(Arc<Inner>);

struct Inner {
    store: Store,
    folder: PathBuf,
    builders: Vec<Arc<dyn Builder>>,
    slots: Arc<Semaphore>,
    /// One lock a recipe that is being made.
    making: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// The answer to a bake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baked {
    /// The image.
    pub image: Image,
    /// Whether it was there already.
    pub previously_baked: bool,
}

/// Sets its flag when it goes: a bake whose caller is gone stops.
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Bakery {
    /// Opens the bakery in `folder`, which is made when missing; leftovers of a crash are removed. The store has its tables
    /// ([`crate::MIGRATIONS`]). Blocks for a moment.
    pub fn open(store: Store, folder: PathBuf, builders: Vec<Arc<dyn Builder>>) -> Result<Bakery, BakeError> {
        let staging = folder.join("staging");
        match std::fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(BakeError::io("cannot remove", &staging)(error));
            }
            _ => {}
        }
        std::fs::create_dir_all(&staging).map_err(BakeError::io("cannot make", &staging))?;
        Ok(Bakery(Arc::new(Inner {
            store,
            folder,
            builders,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            making: Mutex::default(),
        })))
    }

    /// The builders, for the options that people can choose from.
    pub fn builders(&self) -> &[Arc<dyn Builder>] {
        &self.0.builders
    }

    /// Finds out exactly what would go into the image.
    pub async fn resolve(&self, request: Request, source: Arc<dyn PackageSource>) -> Result<Recipe, BakeError> {
        let builder = self.builder(&request.builder)?;
        let work = tokio::task::spawn_blocking(move || builder.resolve(&request, source.as_ref()));
        work.await.map_err(|e| BakeError::Died(e.to_string()))?
    }

    /// Looks at a package file: what an image of it would be, and why there could be none.
    pub async fn check(&self, file: PathBuf) -> Result<Report, BakeError> {
        let builder = self.0.builders.first().map_or_else(|| self.builder(""), |first| Ok(first.clone()))?;
        let scratch = Staged(self.0.staging());
        let work = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&scratch.0).map_err(BakeError::io("cannot make", &scratch.0))?;
            builder.check(&file, &scratch.0)
        });
        work.await.map_err(|e| BakeError::Died(e.to_string()))?
    }

    /// The image of this recipe, if it was made and is still there.
    pub async fn find(&self, recipe: &Recipe) -> Result<Option<Image>, BakeError> {
        let key = recipe.key();
        let found = self.0.store.read(move |tx| index::by_recipe(tx, &key)).await?;
        Ok(found.filter(|image| self.layer_folder(&image.id).is_dir()))
    }

    /// Makes the image of a recipe, or finds it; `anew` makes it in any case. When the caller goes away, the work stops and nothing of
    /// it is left. `log` takes lines for people.
    pub async fn make(
        &self,
        recipe: Recipe,
        anew: bool,
        log: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Baked, BakeError> {
        let builder = self.builder(&recipe.request.builder)?;
        self.make_by(recipe, anew, move |recipe, layer, work| builder.build(recipe, layer, work), log).await
    }

    /// Makes an image of a root file system, or finds the one that was made of the same bytes to run the same.
    pub async fn import(&self, import: Import, log: impl Fn(&str) + Send + Sync + 'static) -> Result<Baked, BakeError> {
        let read = import.clone();
        let recipe = tokio::task::spawn_blocking(move || read.recipe()).await;
        let recipe = recipe.map_err(|e| BakeError::Died(e.to_string()))??;
        self.make_by(recipe, false, move |_, layer, work| import.fill(layer, work), log).await
    }

    /// A place for a file that is on its way into the bakery; it goes with what is returned, at the latest when the bakery opens.
    pub fn receive(&self) -> Received {
        Received(self.0.staging())
    }

    async fn make_by(
        &self,
        recipe: Recipe,
        anew: bool,
        fill: impl FnOnce(&Recipe, &Path, &Work) -> Result<Built, BakeError> + Send + 'static,
        log: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Baked, BakeError> {
        let key = recipe.key();
        let lock = self.lock_of(&key);
        let done = {
            let _one_at_a_time = lock.lock().await;
            match self.find(&recipe).await? {
                Some(image) if !anew => {
                    log(&format!("found: {} was made by the same recipe", image.name));
                    let id = image.id.clone();
                    // Before anything deploys it: it must not go meanwhile.
                    self.0.store.write(move |tx| keep::note_use(tx, &id)).await?;
                    Ok(Baked { image, previously_baked: true })
                }
                _ => self.make_now(recipe, fill, log).await,
            }
        };
        drop(lock);
        let mut making = self.0.making.lock().unwrap_or_else(PoisonError::into_inner);
        if making.get(&key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            making.remove(&key);
        }
        done
    }

    fn lock_of(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut making = self.0.making.lock().unwrap_or_else(PoisonError::into_inner);
        making.entry(key.to_owned()).or_default().clone()
    }

    async fn make_now(
        &self,
        recipe: Recipe,
        fill: impl FnOnce(&Recipe, &Path, &Work) -> Result<Built, BakeError> + Send + 'static,
        log: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Baked, BakeError> {
        let slots = self.0.slots.clone();
        let _slot = slots.acquire_owned().await.map_err(|e| BakeError::Died(e.to_string()))?;
        let stop = Arc::new(AtomicBool::new(false));
        let _stop = StopWhenDropped(stop.clone());
        let inner = self.0.clone();
        let work = tokio::task::spawn_blocking(move || {
            let work = Work { log: &log, stop: &stop };
            inner.build(&recipe, fill, &work)
        });
        let image = work.await.map_err(|e| BakeError::Died(e.to_string()))??;
        // Made anew with the same digest, it keeps the name under which it is known.
        let kept = self.0.store.write(move |tx| index::put(tx, &image)).await?;
        Ok(Baked { image: kept, previously_baked: false })
    }

    /// The image of this id or name.
    pub async fn image(&self, reference: &str) -> Result<Image, BakeError> {
        let wanted = reference.to_owned();
        let found = self.0.store.read(move |tx| index::by_reference(tx, &wanted)).await?;
        found.ok_or_else(|| BakeError::NoImage(reference.to_owned()))
    }

    /// [`Bakery::image`] for a thread of its own.
    pub fn image_blocking(&self, reference: &str) -> Result<Image, BakeError> {
        let wanted = reference.to_owned();
        let found = self.0.store.read_blocking(move |tx| index::by_reference(tx, &wanted))?;
        found.ok_or_else(|| BakeError::NoImage(reference.to_owned()))
    }

    /// All images, the newest first.
    pub async fn images(&self) -> Result<Vec<Image>, BakeError> {
        self.0.store.read(index::all).await
    }

    /// The folder with the unpacked layer of an image.
    pub fn layer_folder(&self, id: &str) -> PathBuf {
        self.layout_folder(id).join("layer")
    }

    /// The folder with the OCI image layout of an image.
    pub fn layout_folder(&self, id: &str) -> PathBuf {
        self.0.folder.join(id.strip_prefix("sha256:").unwrap_or(id))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.0.staging()
    }

    fn builder(&self, kind: &str) -> Result<Arc<dyn Builder>, BakeError> {
        let found = self.0.builders.iter().find(|b| b.kind() == kind);
        found.cloned().ok_or_else(|| BakeError::Unknown {
            what: "builder",
            name: kind.to_owned(),
            known: self.0.builders.iter().map(|b| b.kind()).collect::<Vec<_>>().join(", "),
        })
    }
}

impl Inner {
    /// A place of its own for what is in the making; the next start removes what is left there.
    fn staging(&self) -> PathBuf {
        self.folder.join("staging").join(self.store.ids().ulid(self.store.clock().now()))
    }

    fn build(
        &self,
        recipe: &Recipe,
        fill: impl FnOnce(&Recipe, &Path, &Work) -> Result<Built, BakeError>,
        work: &Work,
    ) -> Result<Image, BakeError> {
        let now = self.store.clock().now();
        let staged = Staged(self.staging());
        let layer = staged.0.join("layer");
        std::fs::create_dir_all(&layer).map_err(BakeError::io("cannot make", &layer))?;
        let built = fill(recipe, &layer, work)?;
        sync_files(&layer)?;
        let written = oci::write(&staged.0, &layer, recipe, &built, work)?;
        work.go_on()?;
        let hex = written.digest.trim_start_matches("sha256:").to_owned();
        self.publish(&staged.0, &hex)?;
        work.say(&format!("image {}, {} bytes in its layer", written.digest, written.layer_size));
        Ok(Image {
            name: image_name(recipe, now),
            recipe: recipe.key(),
            made: now.as_millisecond(),
            base: recipe.request.base.clone(),
            base_digest: recipe.base_digest.clone(),
            builder: recipe.request.builder.clone(),
            packages: recipe.packages.clone(),
            from_base: recipe.from_base.clone(),
            config: built.config,
            size: written.layer_size,
            notes: built.notes,
            provenance: recipe.request.provenance.clone(),
            id: written.digest,
        })
    }

    /// Gives the finished folder its name. The same digest may be there already (made anew): the same bytes, so that one stays.
    fn publish(&self, staged: &Path, hex: &str) -> Result<(), BakeError> {
        let place = self.folder.join(hex);
        if place.is_dir() {
            return Ok(());
        }
        if let Err(error) = std::fs::rename(staged, &place)
            && !place.is_dir()
        {
            return Err(BakeError::io("cannot name", &place)(error));
        }
        oci::sync_folder(&self.folder)
    }
}

/// A file that goes when nobody needs it any more.
pub struct Received(PathBuf);

impl Received {
    /// Where it is, or will be.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A folder that goes when the work on it ends early.
struct Staged(PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.0.display(), %error, "cannot remove what an ended bake left; the next start does");
        }
    }
}

/// Puts the layer's files on the disk before anything names them: one call for the file system instead of one a file.
fn sync_files(layer: &Path) -> Result<(), BakeError> {
    let wrong = |error| BakeError::io("cannot sync", layer)(error);
    let folder = std::fs::File::open(layer).map_err(wrong)?;
    rustix::fs::syncfs(&folder).map_err(|error| BakeError::io("cannot sync", layer)(error.into()))
}

/// `NAME-ARCHITECTURE-SUFFIX-BASE`, the suffix being the time in UTC unless the request says otherwise.
fn image_name(recipe: &Recipe, now: jiff::Timestamp) -> String {
    // What was imported has the name that it was given.
    if let (ROOT_FS, Some(name)) = (recipe.request.base.as_str(), &recipe.request.image_name) {
        return name.clone();
    }
    let main = recipe.packages.first();
    let name = recipe.request.image_name.as_deref().or(main.map(|p| p.name.as_str())).unwrap_or("image");
    let architecture = main.map_or("all", |p| p.architecture.as_str());
    let suffix = match &recipe.request.suffix {
        Some(suffix) => suffix.clone(),
        None => now.strftime("%Y%m%d%H%M%S").to_string(),
    };
    format!("{name}-{architecture}-{suffix}-{}", recipe.request.base)
}
