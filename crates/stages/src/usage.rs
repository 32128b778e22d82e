//! What takes how much of the disk, and what of it could go. What goes by itself is in `tidy`.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use apt::Root;
use serde::Serialize;
use store::{StoreError, Tx};

use crate::room::Disk;
use crate::tidy::{Tidy, TidyError, blocking};

/// One thing that takes room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// What it is.
    pub what: &'static str,
    /// Where it is.
    pub place: PathBuf,
    /// How many things of its kind.
    pub count: u64,
    /// What is counted.
    pub of: &'static str,
    /// Its bytes.
    pub bytes: u64,
    /// Bytes that could go now.
    pub freeable: u64,
    /// By which command.
    pub freed_by: &'static str,
}

/// Everything.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// The disks, each once.
    pub disks: Vec<Disk>,
    /// What takes room on them.
    pub uses: Vec<Use>,
}

/// Files and bytes of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that are nowhere else: another hard link does not hold them.
    pub own_files: u64,
    /// Their bytes.
    pub own_bytes: u64,
}

/// Weighs a folder; what is not there weighs nothing. Links are not followed.
pub fn weigh(folder: &Path) -> Weight {
    let mut weight = Weight::default();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                open.push(entry.path());
            } else if meta.is_file() {
                weight.files += 1;
                weight.bytes += meta.len();
                let own = u64::from(meta.nlink() == 1);
                weight.own_files += own;
                weight.own_bytes += own * meta.len();
            }
        }
    }
    weight
}

/// Looks at everything. It reads many folders: for people, not for a clock.
pub async fn usage(tidy: &Tidy) -> Result<Usage, TidyError> {
    let (spare_images, spare_logs) = (tidy.images(true).await?.bytes, tidy.logs(true).await?.bytes);
    let data = &tidy.data;
    let rows = tidy.store.read(count_rows).await?;
    let db = data.join("gennaker.db");
    // In PostgreSQL nobody but it knows.
    let bytes = database_bytes(&db);
    let one =
        |what, place: PathBuf, (count, of), bytes| Use { what, place, count, of, bytes, freeable: 0, freed_by: "" };
    let mut uses = vec![
        one("control store", db.clone(), (rows.executions, "executions"), bytes),
        one("of it journals", db.clone(), (rows.journal, "entries"), rows.journal_bytes),
        one("of it live logs", db, (rows.lines, "lines"), rows.lines_bytes),
    ];
    let places = ["images", "instances", "logs"].map(|name| data.join(name));
    let [images, running, gone] = blocking(move || places.map(|place| weigh(&place))).await?;
    let known = tidy.bakery.images().await?.len() as u64;
    let images = one("images", data.join("images"), (known, "images"), images.bytes);
    uses.push(Use { freeable: spare_images, freed_by: "gennaker gc", ..images });
    uses.push(one("instances", data.join("instances"), (running.files, "files"), running.bytes));
    let logs = one("logs of instances that are gone", data.join("logs"), (gone.files, "files"), gone.bytes);
    uses.push(Use { freeable: spare_logs, freed_by: "gennaker gc", ..logs });
    for root in tidy.roots.clone() {
        uses.extend(blocking(move || of_root(&root)).await??);
    }
    Ok(Usage { disks: disks(tidy), uses })
}

/// Bytes of a database's file and of its log; 0 when there is none.
fn database_bytes(db: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    size(db) + size(&db.with_extension("db-wal"))
}

struct Rows {
    executions: u64,
    journal: u64,
    journal_bytes: u64,
    lines: u64,
    lines_bytes: u64,
}

fn count_rows(tx: &mut Tx<'_>) -> Result<Rows, StoreError> {
    let executions = tx.count("select count(*) from execution", &[])?;
    let mut sum = |table: &str, column: &str| -> Result<(u64, u64), StoreError> {
        let sql = format!("select count(*), cast(coalesce(sum(length({column})), 0) as bigint) from {table}");
        let row = tx.query_opt(&sql, &[])?;
        row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?.unsigned_abs(), row.int(1)?.unsigned_abs())))
    };
    let (journal, journal_bytes) = sum("journal", "body")?;
    let (lines, lines_bytes) = sum("log_line", "line")?;
    Ok(Rows { executions, journal, journal_bytes, lines, lines_bytes })
}

fn of_root(root: &Root) -> apt::Result<Vec<Use>> {
    let spare = root.cleanup(true, false, &mut |_| {})?;
    let (pool, public) = (weigh(&root.pool()), weigh(&root.public()));
    let db = root.path().join("gennaker.db");
    let publications = root.publications()?.len() as u64;
    Ok(vec![
        Use {
            what: "apt root's database",
            bytes: database_bytes(&db),
            place: db,
            count: 1,
            of: "file",
            freeable: 0,
            freed_by: "",
        },
        Use {
            what: "apt root's pool",
            place: root.pool(),
            count: pool.files,
            of: "files",
            bytes: pool.bytes,
            freeable: spare.bytes,
            freed_by: "aptly db cleanup",
        },
        // What is shared with the pool takes no room of its own.
        Use {
            what: "apt root's publications",
            place: root.public(),
            count: publications,
            of: "publications",
            bytes: public.own_bytes,
            freeable: 0,
            freed_by: "",
        },
    ])
}

/// The disks of the data folder and of the roots, each once.
fn disks(tidy: &Tidy) -> Vec<Disk> {
    let mut seen = Vec::new();
    let places = std::iter::once(tidy.data.as_path()).chain(tidy.roots.iter().map(Root::path));
    let fresh = |place: &Path| {
        let device = std::fs::metadata(place).ok()?.dev();
        if seen.contains(&device) {
            return None;
        }
        seen.push(device);
        Disk::of(place)
    };
    places.filter_map(fresh).collect()
}
