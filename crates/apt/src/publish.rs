//! Publications: what a web server shows of a repository or snapshot.
//!
//! A generation is rendered into a folder of its own, `dists/.generations/DIST/N`; `dists/DIST` is a link that one rename
//! moves to it. Most of what a generation has it takes over from the one before (see `index`). The record and the event are committed just before that rename; whoever next works on the prefix
//! finishes a rename that a crash prevented. So a reader sees the old generation or the new one, never half.

mod by_hash;
mod clean;
mod create;
mod endpoint;
mod files;
mod find;
mod generation;
mod index;
mod leave;
mod list;
mod past;
mod render;
mod replicate;
mod restore;
mod sign;
mod sweep;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};

pub use create::{PublishRequest, UpdateRequest};
pub use endpoint::{Bucket, Endpoint, LinkMethod, Verify};
pub use find::{Generation, PublishedPackage};
pub use past::{Past, Rollback};
pub(crate) use restore::restore;
pub use sign::Signing;

use crate::error::{Error, Result};
use crate::packages::{from_json, json};
use crate::snapshot::SourceKind;

/// What a publication takes its packages from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Id of the repository or snapshot.
    pub uuid: String,
    /// Its name when it was chosen.
    pub name: String,
}

/// How a publication is rendered, as given when it was made or last updated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `Origin`; empty for the default.
    pub origin: String,
    /// `Label`; empty for the default.
    pub label: String,
    /// `Suite`; empty for the distribution.
    pub suite: String,
    /// `Codename`; empty for the distribution.
    pub codename: String,
    /// `Version`; empty for none.
    pub version: String,
    /// `NotAutomatic`; empty for none.
    pub not_automatic: String,
    /// `ButAutomaticUpgrades`; empty for none.
    pub but_automatic_upgrades: String,
    /// `Signed-By`; empty for none.
    pub signed_by: String,
    /// No Contents files.
    pub skip_contents: bool,
    /// No `.bz2` files.
    pub skip_bz2: bool,
    /// The field `Acquire-By-Hash: yes`.
    pub acquire_by_hash: bool,
    /// A pool for each distribution.
    pub multi_dist: bool,
}

/// A publication as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Its id.
    pub uuid: String,
    /// Where it is stored; empty for the root's own `public`.
    pub storage: String,
    /// The folder below; `.` for none.
    pub prefix: String,
    /// The distribution.
    pub distribution: String,
    /// Whether repositories or snapshots are published.
    pub kind: SourceKind,
    /// Architectures, sorted; `source` among them when sources are published.
    pub architectures: Vec<String>,
    /// How it is rendered.
    pub settings: Settings,
    /// Component to source.
    pub sources: BTreeMap<String, Source>,
    /// Changes of the sources that the next update applies: component to name.
    pub pending: Option<BTreeMap<String, String>>,
    /// The number of the generation that is shown.
    pub generation: i64,
    /// How each source is shown: `[name]: comment`.
    pub(crate) shown: BTreeMap<String, String>,
}

impl Publication {
    /// `storage:prefix`, or the prefix alone.
    pub fn place(&self) -> String {
        place(&self.storage, &self.prefix)
    }

    /// `place/distribution`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.place(), self.distribution)
    }

    /// Whether packages of that architecture are shown.
    pub(crate) fn shows(&self, architecture: &str) -> bool {
        self.architectures.iter().any(|index| debian::package::is_for(architecture, index))
    }

    /// The pool folders of components, by component.
    pub(crate) fn pools<'a>(&self, components: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, String> {
        components.into_iter().map(|component| (component.clone(), self.pool_of(component))).collect()
    }

    /// The pool folder of a component, below the prefix.
    pub(crate) fn pool_of(&self, component: &str) -> String {
        if self.settings.multi_dist {
            format!("pool/{}/{component}", self.distribution)
        } else {
            format!("pool/{component}")
        }
    }
}

/// aptly's one line: path, what differs from the defaults, architectures, sources.
impl std::fmt::Display for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path())?;
        let settings = &self.settings;
        let extras = [
            ("origin", &settings.origin),
            ("notautomatic", &settings.not_automatic),
            ("butautomaticupgrades", &settings.but_automatic_upgrades),
            ("label", &settings.label),
            ("suite", &settings.suite),
            ("codename", &settings.codename),
        ];
        let extras: Vec<_> = extras
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        if !extras.is_empty() {
            write!(f, " ({})", extras.join(", "))?;
        }
        let sources: Vec<_> = self.shown.iter().map(|(component, shown)| format!("{{{component}: {shown}}}")).collect();
        write!(f, " [{}] publishes {}", self.architectures.join(", "), sources.join(", "))
    }
}

pub(crate) fn place(storage: &str, prefix: &str) -> String {
    if storage.is_empty() { prefix.to_owned() } else { format!("{storage}:{prefix}") }
}

const COLUMNS: &str =
    "uuid, storage, prefix, distribution, kind, architectures, settings, sources, pending, generation";

fn read(tx: &mut Tx<'_>, row: &Row) -> Result<Publication> {
    let kind = SourceKind::of(&row.text(4)?)?;
    let sources: BTreeMap<String, Source> = from_json("a publication's sources", &row.text(7)?)?;
    let mut shown = BTreeMap::new();
    for (component, source) in &sources {
        let text = match kind {
            SourceKind::Local => crate::repo::by_uuid(tx, &source.uuid)?.map(|repo| repo.to_string()),
            _ => crate::snapshot::by_uuid(tx, &source.uuid)?.map(|snapshot| snapshot.to_string()),
        };
        shown.insert(component.clone(), text.unwrap_or_else(|| format!("[{}]", source.name)));
    }
    Ok(Publication {
        uuid: row.text(0)?,
        storage: row.text(1)?,
        prefix: row.text(2)?,
        distribution: row.text(3)?,
        kind,
        architectures: from_json("a list of architectures", &row.text(5)?)?,
        settings: from_json("a publication's settings", &row.text(6)?)?,
        sources,
        pending: row.opt_text(8)?.map(|text| from_json("pending changes", &text)).transpose()?,
        generation: row.int(9)?,
        shown,
    })
}

pub(crate) fn get(tx: &mut Tx<'_>, storage: &str, prefix: &str, distribution: &str) -> Result<Option<Publication>> {
    let sql = format!("select {COLUMNS} from publication where storage = ?1 and prefix = ?2 and distribution = ?3");
    let Some(row) = tx.query_opt(&sql, params![storage, prefix, distribution])? else { return Ok(None) };
    read(tx, &row).map(Some)
}

fn not_found(storage: &str, prefix: &str, distribution: &str) -> Error {
    Error::NotFound(format!(
        "published repo with storage:prefix/distribution {}/{distribution} not found",
        place(storage, prefix)
    ))
}

pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Publication>> {
    let rows = tx.query(&format!("select {COLUMNS} from publication"), &[])?;
    let mut all = rows.iter().map(|row| read(tx, row)).collect::<Result<Vec<_>>>()?;
    all.sort_by_key(Publication::path);
    Ok(all)
}

/// All publications below one prefix of a storage.
fn of_place(tx: &mut Tx<'_>, storage: &str, prefix: &str) -> Result<Vec<Publication>> {
    let mut found = all(tx)?;
    found.retain(|one| one.storage == storage && one.prefix == prefix);
    Ok(found)
}

/// The publications of this repository or snapshot.
pub(crate) fn using(tx: &mut Tx<'_>, uuid: &str) -> Result<Vec<Publication>> {
    let mut found = all(tx)?;
    found.retain(|publication| publication.sources.values().any(|source| source.uuid == uuid));
    Ok(found)
}

/// Writes down what an aptly published, as its first generation, which shows these lists: its files are shown until the next one.
pub(crate) fn take_over(tx: &mut Tx<'_>, publication: &Publication, lists: &BTreeMap<String, String>) -> Result<()> {
    save(tx, publication)?;
    let (lists, now) = (json(lists)?, tx.now());
    tx.execute(
        "insert into generation (publication, number, at, components, indexes, by_hash) values (?1, ?2, ?3, ?4, '[]', ?5)",
        params![&publication.uuid, publication.generation, now, lists, publication.settings.acquire_by_hash],
    )?;
    Ok(())
}

/// What a publication shows now: component to list.
pub(crate) fn shown_lists(tx: &mut Tx<'_>, publication: &Publication) -> Result<BTreeMap<String, String>> {
    lists_of(tx, publication, publication.generation)
}

/// What a generation of a publication shows; nothing if it is not kept.
fn lists_of(tx: &mut Tx<'_>, publication: &Publication, generation: i64) -> Result<BTreeMap<String, String>> {
    let sql = "select components from generation where publication = ?1 and number = ?2";
    let row = tx.query_opt(sql, params![&publication.uuid, generation])?;
    row.map_or(Ok(BTreeMap::new()), |row| from_json("a generation", &row.text(0)?))
}

/// Inserts or updates the record.
fn save(tx: &mut Tx<'_>, publication: &Publication) -> Result<()> {
    let (architectures, settings) = (json(&publication.architectures)?, json(&publication.settings)?);
    let (sources, pending) = (json(&publication.sources)?, publication.pending.as_ref().map(json).transpose()?);
    tx.execute(
        &format!(
            "insert into publication ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             on conflict (uuid) do update set architectures = excluded.architectures, settings = excluded.settings,
             sources = excluded.sources, pending = excluded.pending, generation = excluded.generation"
        ),
        params![
            &publication.uuid,
            &publication.storage,
            &publication.prefix,
            &publication.distribution,
            publication.kind.word(),
            architectures,
            settings,
            sources,
            pending,
            publication.generation
        ],
    )?;
    Ok(())
}
