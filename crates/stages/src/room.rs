//! Room on the disks that a server writes to: from 90 % on it warns, from 97 % on it takes no new work, and what runs goes on to its end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipeline::Engine;
use serde::Serialize;

/// From so many percent on it is told.
pub const WARN: u64 = 90;
/// From so many percent on nothing new begins.
pub const REFUSE: u64 = 97;
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);

/// A disk, by a folder on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// The folder.
    pub place: PathBuf,
    /// Its bytes.
    pub total: u64,
    /// Those that we may still write.
    pub free: u64,
    /// How full it is for us, in percent: what is kept for root counts as neither.
    pub used_percent: u64,
}

impl Disk {
    /// The disk of a folder, or of the nearest one above that is there.
    pub fn of(place: &Path) -> Option<Disk> {
        let there = place.ancestors().find(|folder| folder.is_dir())?;
        Some(Disk { place: place.to_owned(), ..Disk::at(there)? })
    }

    /// The disk of a folder that must be there.
    pub fn at(folder: &Path) -> Option<Disk> {
        let found = rustix::fs::statvfs(folder).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        let (free, used) = (bytes(found.f_bavail), bytes(found.f_blocks.saturating_sub(found.f_bfree)));
        Some(Disk { place: folder.to_owned(), total: bytes(found.f_blocks), free, used_percent: percent(used, free) })
    }

    /// How much room there is, for people.
    pub fn room(&self) -> String {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        format!("{:.1} GiB of {:.1} GiB are free", gib(self.free), gib(self.total))
    }

    /// Why nothing new begins, if it is that full.
    pub fn refusal(&self) -> Option<String> {
        (self.used_percent >= REFUSE).then(|| {
            format!(
                "the disk of {} is {} % full: nothing new begins before there is room; `gennaker df` shows what takes it, `gennaker gc` and \
                 `aptly db cleanup` make some",
                self.place.display(),
                self.used_percent
            )
        })
    }
}

/// So many percent of what we can use are used, rounded up as `df` does.
fn percent(used: u64, free: u64) -> u64 {
    (used.saturating_mul(100)).div_ceil((used + free).max(1))
}

/// What was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Told {
    #[default]
    Room,
    Little,
    None,
}

/// The disks that a server writes to. Cheap to clone.
#[derive(Clone, Default)]
pub struct Room(Arc<Inner>);

#[derive(Default)]
struct Inner {
    places: Vec<PathBuf>,
    told: Mutex<Told>,
}

impl Room {
    /// Of these folders.
    pub fn of(places: Vec<PathBuf>) -> Room {
        Room(Arc::new(Inner { places, told: Mutex::default() }))
    }

    /// The fullest of the disks.
    pub fn fullest(&self) -> Option<Disk> {
        self.0.places.iter().filter_map(|place| Disk::of(place)).max_by_key(|disk| disk.used_percent)
    }

    /// Why nothing new begins, if a disk is that full just now.
    pub fn refusal(&self) -> Option<String> {
        self.fullest().and_then(|disk| disk.refusal())
    }

    /// Looks for as long as the server runs; tells the engine and the log.
    pub async fn watch(self, engine: Engine) {
        loop {
            self.look(&engine);
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Looks once.
    pub fn look(&self, engine: &Engine) {
        let Some(disk) = self.fullest() else { return };
        let refusal = disk.refusal();
        let now = match disk.used_percent {
            _ if refusal.is_some() => Told::None,
            WARN.. => Told::Little,
            _ => Told::Room,
        };
        engine.refuse_new(refusal.clone());
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == now {
            return;
        }
        *told = now;
        let (place, percent) = (disk.place.display(), disk.used_percent);
        match now {
            Told::None => tracing::error!("{}", refusal.unwrap_or_default()),
            Told::Little => tracing::warn!(
                "the disk of {place} is {percent} % full; from {REFUSE} % on nothing new begins: `gennaker df` shows what takes it"
            ),
            Told::Room => tracing::info!("the disk of {place} has room again: it is {percent} % full"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_as_full_as_df_says() {
        for (used, free, expected) in
            [(0, 100, 0), (1, 999, 1), (50, 50, 50), (969, 31, 97), (960, 40, 96), (10, 0, 100), (0, 0, 0)]
        {
            assert_eq!(percent(used, free), expected, "{used} used, {free} free");
        }
    }

    #[test]
    fn nothing_new_begins_from_97_percent_on() {
        let disk = |used_percent| Disk { place: "/data".into(), total: 100, free: 100 - used_percent, used_percent };
        assert_eq!(disk(96).refusal(), None);
        let why = disk(97).refusal().expect("refused");
        assert!(why.starts_with("the disk of /data is 97 % full: nothing new begins before there is room"), "{why}");
    }
}
