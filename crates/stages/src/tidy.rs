//! What a server forgets by itself, in small transactions, so that nobody waits for it: old executions and what they wrote, events, images that
//! nothing uses. What there is and how much of the disk it takes is in `usage`.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use apt::Root;
use bakery::{BakeError, Bakery, Image};
use jiff::{SignedDuration, Timestamp};
use pipeline::{records, retention};
use serde::Serialize;
use store::{Store, StoreError, Tx, change};

use crate::react::apt_published;

/// A reader of the live stream that was away for longer reads everything anew.
const CHANGES: SignedDuration = SignedDuration::from_hours(24);
/// Longer than any execution is kept: nobody asks for the key of an older operation again.
const OPERATIONS: SignedDuration = SignedDuration::from_hours(24 * 120);
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(600);
/// How long others get between two transactions of many.
const PAUSE: Duration = Duration::from_millis(100);
/// Rows in one transaction.
const PIECE: u32 = 500;

/// Counts the rows from before a moment that would go.
type Count = fn(&mut Tx<'_>, Timestamp) -> Result<u64, StoreError>;
/// Removes at most so many of them; tells how many.
type Remove = fn(&mut Tx<'_>, Timestamp, u32) -> Result<u64, StoreError>;

/// How long things are kept, in days.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Executions, their journals and their live logs.
    pub pipeline: retention::Keep,
    /// Entries of the audit log.
    pub audit: u32,
    /// Events of apt roots.
    pub events: u32,
    /// Logs of instances that are gone.
    pub logs: u32,
    /// Images that nothing uses.
    pub images: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Keep { pipeline: retention::Keep::default(), audit: 400, events: 30, logs: 30, images: 7 }
    }
}

/// What is tidied.
#[derive(Clone)]
pub struct Tidy {
    /// The control store.
    pub store: Store,
    /// The images.
    pub bakery: Bakery,
    /// The apt roots.
    pub roots: Vec<Root>,
    /// The data folder.
    pub data: PathBuf,
    /// For how long.
    pub keep: Keep,
}

/// Things of a kind that went, or would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// What they are.
    pub what: &'static str,
    /// How many.
    pub count: u64,
    /// Bytes of files; of rows nobody knows, their room is used again by others.
    pub bytes: u64,
    /// Their names, where they have some.
    pub names: Vec<String>,
}

impl Swept {
    fn rows(what: &'static str, count: u64) -> Swept {
        Swept { what, count, bytes: 0, names: Vec::new() }
    }
}

/// Why something could not be forgotten.
#[derive(Debug, thiserror::Error)]
pub enum TidyError {
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The images.
    #[error(transparent)]
    Images(#[from] BakeError),
    /// An apt root.
    #[error(transparent)]
    Apt(#[from] apt::Error),
    /// The work ended early.
    #[error("the work ended early: {0}")]
    Died(String),
}

impl Tidy {
    /// Sweeps for as long as the server runs.
    pub async fn forever(self) {
        loop {
            match self.sweep(false).await {
                Ok(swept) => swept.iter().filter(|one| one.count > 0).for_each(|one| {
                    tracing::info!(what = one.what, count = one.count, bytes = one.bytes, "forgotten");
                }),
                // A full disk, mostly: the next round tries again.
                Err(error) => tracing::warn!(%error, "could not forget what is old"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Forgets what is past its time; with `dry_run` only tells what would go. Everything that is looked at is in the answer.
    pub async fn sweep(&self, dry_run: bool) -> Result<Vec<Swept>, TidyError> {
        let gone = self.executions(dry_run).await?;
        let mut swept = vec![
            Swept::rows("executions", gone.executions),
            Swept::rows("journals of executions", gone.journals),
            Swept::rows("live logs of executions", gone.logs),
            Swept::rows("keys of starts", gone.start_keys),
        ];
        let audit = days(self.keep.audit);
        for (what, kept, count, remove) in [
            ("changes of the live stream", CHANGES, change::sweepable as Count, change::sweep as Remove),
            ("cloud operations", OPERATIONS, cloud::local::forgettable, cloud::local::forget),
            ("entries of the audit log", audit, access::audit::sweepable, access::audit::sweep),
        ] {
            swept.push(Swept::rows(what, self.rows(dry_run, self.ago(kept), count, remove).await?));
        }
        swept.push(Swept::rows("events of apt roots", self.events(dry_run).await?));
        swept.push(self.images(dry_run).await?);
        swept.push(self.logs(dry_run).await?);
        Ok(swept)
    }

    fn ago(&self, time: SignedDuration) -> Timestamp {
        self.store.clock().now().checked_sub(time).unwrap_or(Timestamp::MIN)
    }

    async fn executions(&self, dry_run: bool) -> Result<retention::Forgotten, StoreError> {
        let keep = self.keep.pipeline;
        if dry_run {
            return self.store.read(move |tx| retention::due(tx, &keep)).await;
        }
        let mut gone = retention::Forgotten::default();
        loop {
            let more = self.store.write(move |tx| retention::sweep(tx, &keep)).await?;
            gone.add(&more);
            if !more.is_full() {
                return Ok(gone);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Counts rows from before a moment, or removes them piece by piece.
    async fn rows(&self, dry_run: bool, before: Timestamp, count: Count, remove: Remove) -> Result<u64, StoreError> {
        if dry_run {
            return self.store.read(move |tx| count(tx, before)).await;
        }
        let mut gone = 0;
        loop {
            let more = self.store.write(move |tx| remove(tx, before, PIECE)).await?;
            gone += more;
            if more < u64::from(PIECE) {
                return Ok(gone);
            }
        }
    }

    async fn events(&self, dry_run: bool) -> Result<u64, TidyError> {
        let before = self.ago(days(self.keep.events));
        let missed = move |tx: &mut Tx<'_>| apt_published::forget_missed(tx, before, dry_run);
        let mut gone = if dry_run { self.store.read(missed).await? } else { self.store.write(missed).await? };
        for root in self.roots.clone() {
            let work = move || if dry_run { root.outbox_before(before) } else { root.sweep_outbox(before) };
            gone += blocking(work).await??;
        }
        Ok(gone)
    }

    /// Images that nothing uses.
    pub(crate) async fn images(&self, dry_run: bool) -> Result<Swept, TidyError> {
        let spare = self.bakery.sweep(days(self.keep.images), dry_run, in_use).await?;
        let name = |one: &bakery::Spare| if one.name.is_empty() { one.id.clone() } else { one.name.clone() };
        Ok(Swept {
            what: "images",
            count: spare.len() as u64,
            bytes: spare.iter().map(|one| one.bytes).sum(),
            names: spare.iter().map(name).collect(),
        })
    }

    /// Logs of instances that are gone.
    pub(crate) async fn logs(&self, dry_run: bool) -> Result<Swept, TidyError> {
        let now = SystemTime::from(self.store.clock().now());
        let (data, kept) = (self.data.clone(), Duration::from_secs(u64::from(self.keep.logs) * 86_400));
        blocking(move || {
            let mut swept = Swept::rows("logs of instances that are gone", 0);
            for folder in dataplane::logs::older(&data, now, kept) {
                let bytes = crate::usage::weigh(&folder).bytes;
                if !dry_run && let Err(error) = std::fs::remove_dir_all(&folder) {
                    tracing::warn!(%error, folder = %folder.display(), "old logs cannot be removed");
                    continue;
                }
                swept.count += 1;
                swept.bytes += bytes;
            }
            swept
        })
        .await
    }
}

/// Waits for work on the disk, which gets a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, TidyError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| TidyError::Died(error.to_string()))
}

fn days(number: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(number) * 24)
}

/// Which of these images something uses: a server group, an operation that has not ended, an execution that has not ended.
fn in_use(tx: &mut Tx<'_>, images: &[Image]) -> Result<BTreeSet<String>, StoreError> {
    // Folders of images are named by the number alone.
    fn names(image: &Image) -> [&str; 2] {
        [image.id.trim_start_matches("sha256:"), image.name.as_str()]
    }
    let mut texts = cloud::local::image_references(tx)?;
    // One is asked about before it goes, while others wait to write: the database looks for it, and nothing is read here.
    if let [image] = images
        && records::is_named_by_running(tx, &names(image))?
    {
        return Ok([image.id.clone()].into());
    } else if images.len() > 1 {
        texts.extend(records::texts_of_running(tx)?);
    }
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '~');
    let words: HashSet<&str> = texts.iter().flat_map(|text| text.split(|c| !is_of_a_name(c))).collect();
    let used = images.iter().filter(|image| names(image).iter().any(|name| words.contains(name)));
    Ok(used.map(|image| image.id.clone()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Location;
    use store::clock::{Clock, FakeClock};

    use super::*;

    fn tidy(folder: &std::path::Path, clock: &Arc<FakeClock>) -> Tidy {
        let place = Location::Sqlite(folder.join("gennaker.db"));
        let lists = [
            access::audit::MIGRATIONS,
            pipeline::schema::MIGRATIONS,
            bakery::MIGRATIONS,
            cloud::local::MIGRATIONS,
            crate::react::MIGRATIONS,
        ];
        let store = Store::open(place, &lists, clock.clone() as Arc<dyn Clock>).expect("opens");
        let bakery = Bakery::open(store.clone(), folder.join("images"), Vec::new()).expect("opens");
        Tidy { store, bakery, roots: Vec::new(), data: folder.to_owned(), keep: Keep::default() }
    }

    fn counts(swept: &[Swept]) -> Vec<(&'static str, u64)> {
        swept.iter().filter(|one| one.count > 0).map(|one| (one.what, one.count)).collect()
    }

    #[tokio::test]
    async fn changes_of_the_last_day_stay_and_a_dry_run_says_the_same_as_the_sweep() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let tidy = tidy(folder.path(), &clock);
        let write = |count: i64| {
            let many = move |tx: &mut Tx<'_>| (0..count).try_for_each(|n| tx.change("a", &n.to_string()));
            tidy.store.write(many)
        };
        write(1_200).await.expect("writes");
        clock.advance(SignedDuration::from_hours(25));
        write(3).await.expect("writes");
        // The audit log is kept for longer.
        let deed = access::audit::Deed {
            who: "kim".into(),
            role: "admin".into(),
            method: "POST".into(),
            path: "/pipelines".into(),
            status: 200,
            request: "r1".into(),
        };
        tidy.store.write(move |tx| access::audit::append(tx, &deed)).await.expect("writes");
        let expected = [("changes of the live stream", 1_200)];
        assert_eq!(counts(&tidy.sweep(true).await.expect("looks")), expected);
        assert_eq!(counts(&tidy.sweep(false).await.expect("sweeps")), expected);
        assert_eq!(counts(&tidy.sweep(true).await.expect("looks")), []);
        assert_eq!(tidy.store.read(change::oldest).await.expect("reads"), 1_201);
    }

    #[tokio::test]
    async fn an_image_goes_a_week_after_its_last_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let tidy = tidy(folder.path(), &clock);
        for (id, name) in [("aa", "shop-1"), ("bb", "shop-2"), ("cc", "shop-3")] {
            let id = format!("sha256:{}", id.repeat(32));
            std::fs::create_dir_all(tidy.bakery.layer_folder(&id)).expect("made");
            std::fs::write(tidy.bakery.layer_folder(&id).join("file"), "12345").expect("written");
            put(&tidy.store, &id, name).await;
        }
        let named = |id: &str| format!("sha256:{}", id.repeat(32));
        // One is deployed, one is on its way, one is nobody's.
        let group = format!("{{\"image\": \"{}\"}}", named("aa"));
        let run = format!("{{\"image\": \"{}\"}}", named("bb"));
        let add = move |tx: &mut Tx<'_>| {
            tx.execute("insert into local_thing values ('local', 'group', 'shop-v001', ?1)", store::params![&group])?;
            tx.execute(
                "insert into execution (id, kind, application, status, built, body, stages) values ('r', 'pipeline', 'shop', 'RUNNING', 0, ?1, '[]')",
                store::params![&run],
            )
        };
        tidy.store.write(add).await.expect("writes");
        assert_eq!(counts(&tidy.sweep(false).await.expect("sweeps")), [], "the first look only notes them");
        clock.advance(SignedDuration::from_hours(7 * 24 - 1));
        assert_eq!(counts(&tidy.sweep(false).await.expect("sweeps")), []);
        clock.advance(SignedDuration::from_hours(2));
        let dry = tidy.sweep(true).await.expect("looks");
        let images = dry.iter().find(|one| one.what == "images").expect("looked at");
        assert_eq!((images.count, images.bytes, images.names.as_slice()), (1, 5, ["shop-3".to_owned()].as_slice()));
        assert!(tidy.bakery.layer_folder(&named("cc")).exists());
        assert_eq!(counts(&tidy.sweep(false).await.expect("sweeps")), [("images", 1)]);
        let left =
            tidy.bakery.images().await.expect("reads").into_iter().map(|image| image.name).collect::<BTreeSet<_>>();
        assert_eq!(left, ["shop-1".to_owned(), "shop-2".to_owned()].into());
        assert!(!tidy.bakery.layout_folder(&named("cc")).exists() && tidy.bakery.layer_folder(&named("aa")).exists());
    }

    /// Writes an image into the index, as the bakery does.
    async fn put(store: &Store, id: &str, name: &str) {
        let document = serde_json::json!({
            "id": id, "name": name, "recipe": id, "made": 0, "base": "host", "baseDigest": "", "builder": "", "packages": [],
            "fromBase": [], "config": {"command": ["/bin/true"]}, "size": 5, "notes": [],
        });
        let (id, name, document) = (id.to_owned(), name.to_owned(), document.to_string());
        let insert = move |tx: &mut Tx<'_>| {
            let sql = "insert into image (id, recipe, name, made, document) values (?1, ?1, ?2, 0, ?3)";
            tx.execute(sql, store::params![&id, &name, &document])
        };
        store.write(insert).await.expect("writes");
    }
}
