//! Making publications and moving them on: which sources, components, architectures and settings they get.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use store::Tx;

use super::generation::{Making, make, recover};
use super::{Publication, Settings, Signing, Source, clean, get, not_found, replicate, sweep};
use crate::error::{Error, Result};
use crate::mirror;
use crate::repo;
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::set;
use crate::snapshot::{self, SourceKind};

/// A new publication as asked for.
#[derive(Debug, Clone)]
pub struct PublishRequest {
    /// Repositories or snapshots.
    pub kind: SourceKind,
    /// Their names.
    pub names: Vec<String>,
    /// A component for each; an empty one is guessed.
    pub components: Vec<String>,
    /// Storage; empty for the root's own `public`.
    pub storage: String,
    /// Prefix; `.` for none.
    pub prefix: String,
    /// Distribution; guessed when empty.
    pub distribution: String,
    /// Architectures; all that are there when empty.
    pub architectures: Vec<String>,
    /// How it is rendered.
    pub settings: Settings,
    /// Files with other content in the way are replaced.
    pub force_overwrite: bool,
    /// Signing.
    pub signing: Signing,
    /// The date that it carries, if not now.
    pub date: Option<Timestamp>,
}

/// A publication that takes what its sources hold now, or other snapshots.
#[derive(Debug, Clone, Default)]
pub struct UpdateRequest {
    /// Storage.
    pub storage: String,
    /// Prefix.
    pub prefix: String,
    /// Distribution.
    pub distribution: String,
    /// For a switch: component (empty: the only one) and snapshot.
    pub switch: Option<Vec<(String, String)>>,
    /// New settings where given.
    pub skip_contents: Option<bool>,
    /// New setting where given.
    pub skip_bz2: Option<bool>,
    /// New setting where given.
    pub acquire_by_hash: Option<bool>,
    /// New setting where given.
    pub multi_dist: Option<bool>,
    /// New text where given.
    pub origin: Option<String>,
    /// New text where given.
    pub label: Option<String>,
    /// New text where given.
    pub version: Option<String>,
    /// New text where given.
    pub signed_by: Option<String>,
    /// Files with other content in the way are replaced.
    pub force_overwrite: bool,
    /// Package files that nothing shows any more stay.
    pub skip_cleanup: bool,
    /// Signing.
    pub signing: Signing,
    /// The date that it carries, if not now.
    pub date: Option<Timestamp>,
}

/// A source with what publishing needs of it.
struct Chosen {
    source: Source,
    root: String,
    distributions: BTreeSet<String>,
    components: BTreeSet<String>,
    /// Origin, NotAutomatic, ButAutomaticUpgrades of a mirror.
    inherited: [String; 3],
}

/// Looks a source up by name, or by id when it is known.
fn choose(tx: &mut Tx<'_>, kind: SourceKind, name: &str, uuid: Option<&str>) -> Result<Chosen> {
    if kind == SourceKind::Local {
        let found = match uuid {
            Some(uuid) => repo::by_uuid(tx, uuid)?
                .ok_or_else(|| Error::NotFound(format!("local repo with name {name} not found")))?,
            None => repo::by_name(tx, name)?,
        };
        return Ok(Chosen {
            source: Source { uuid: found.uuid, name: found.name },
            root: found.root,
            distributions: BTreeSet::from([found.distribution]),
            components: BTreeSet::from([found.component]),
            inherited: Default::default(),
        });
    }
    let found = match uuid {
        Some(uuid) => snapshot::by_uuid(tx, uuid)?
            .ok_or_else(|| Error::NotFound(format!("snapshot with name {name} not found")))?,
        None => snapshot::by_name(tx, name)?,
    };
    let (mut distributions, mut components, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut open = vec![found.clone()];
    while let Some(next) = open.pop() {
        for uuid in next.sources.iter().filter(|uuid| seen.insert((*uuid).clone())) {
            match next.kind {
                SourceKind::Local => {
                    if let Some(repo) = repo::by_uuid(tx, uuid)? {
                        distributions.insert(repo.distribution);
                        components.insert(repo.component);
                    }
                }
                SourceKind::Snapshot => open.extend(snapshot::by_uuid(tx, uuid)?),
                SourceKind::Mirror => {
                    if let Some(mirror) = mirror::by_uuid(tx, uuid)? {
                        distributions.insert(mirror.distribution);
                        components.extend(mirror.components);
                    }
                }
            }
        }
    }
    Ok(Chosen {
        source: Source { uuid: found.uuid, name: found.name },
        root: found.root,
        distributions,
        components,
        inherited: [found.origin, found.not_automatic, found.but_automatic_upgrades],
    })
}

/// One component name for each source; empty ones are guessed.
fn name_components(given: &[String], chosen: &[Chosen]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for (given, source) in given.iter().zip(chosen) {
        let mut name = given.clone();
        if name.is_empty() {
            let known: Vec<&String> = source.components.iter().filter(|component| !component.is_empty()).collect();
            name = match known[..] {
                [only] => only.clone(),
                _ if chosen.len() == 1 => "main".into(),
                _ => {
                    return Err(Error::Invalid(format!(
                        "unable to figure out component name for {}",
                        source.source.name
                    )));
                }
            };
        }
        debian::names::component(&name)?;
        if names.contains(&name) {
            return Err(Error::Invalid(format!("duplicate component name: {name}")));
        }
        names.push(name);
    }
    Ok(names)
}

fn guess_distribution(chosen: &[Chosen]) -> Result<String> {
    let all: BTreeSet<&String> = chosen.iter().flat_map(|source| &source.distributions).collect();
    match all.into_iter().collect::<Vec<_>>()[..] {
        [only] if !only.is_empty() => Ok(only.clone()),
        _ => Err(Error::Invalid("unable to guess distribution name, please specify explicitly".into())),
    }
}

/// The one value that all sources agree on.
fn agreed(chosen: &[Chosen], at: usize) -> String {
    let values: BTreeSet<&String> = chosen.iter().map(|source| &source.inherited[at]).collect();
    if values.len() == 1 { values.into_iter().next().cloned().unwrap_or_default() } else { String::new() }
}

impl Root {
    /// Publishes repositories or snapshots for the first time.
    pub fn publish(&self, request: &PublishRequest, sink: Sink<'_>) -> Result<Publication> {
        self.endpoint(&request.storage)?;
        debian::names::prefix(&request.prefix)
            .map_err(|_| Error::Invalid(format!("invalid prefix {}", request.prefix)))?;
        request.signing.check()?;
        let chosen: Vec<Chosen> = self
            .store()
            .read(|tx| request.names.iter().map(|name| choose(tx, request.kind, name, None)).collect::<Result<_>>())?;
        let components = name_components(&request.components, &chosen)?;
        let distribution =
            if request.distribution.is_empty() { guess_distribution(&chosen)? } else { request.distribution.clone() };
        debian::names::distribution(&distribution)?;
        let mut settings = request.settings.clone();
        for (at, slot) in [&mut settings.origin, &mut settings.not_automatic, &mut settings.but_automatic_upgrades]
            .into_iter()
            .enumerate()
        {
            if slot.is_empty() {
                *slot = agreed(&chosen, at);
            }
        }
        check_settings(&settings)?;
        let _lock = self.lock_prefix(&request.storage, &request.prefix)?;
        recover(self, &request.storage, &request.prefix)?;
        let there = self.store().read(|tx| get(tx, &request.storage, &request.prefix, &distribution))?;
        if let Some(there) = there {
            let place = format!("{}/{distribution}", request.prefix);
            return Err(Error::Conflict(format!(
                "{place} already used by another published repo: {there}; use publish update, or publish drop first"
            )));
        }
        let roots: BTreeMap<String, String> =
            components.iter().cloned().zip(chosen.iter().map(|source| source.root.clone())).collect();
        if roots.values().all(String::is_empty) {
            sink(Line::Note("Warning: publishing from empty source, architectures list should be complete, it can't be changed after publishing (use -architectures flag)".into()));
        }
        let architectures = self.architectures(&request.architectures, &roots)?;
        let publication = Publication {
            uuid: self.new_uuid(),
            storage: request.storage.clone(),
            prefix: request.prefix.clone(),
            distribution,
            kind: request.kind,
            architectures,
            settings,
            sources: components.into_iter().zip(chosen.into_iter().map(|source| source.source)).collect(),
            pending: None,
            generation: 0,
            shown: BTreeMap::new(),
        };
        let making = Making { force_overwrite: request.force_overwrite, signing: &request.signing, date: request.date };
        let made = make(self, publication, &roots, &making, sink)?;
        self.publication(&made.storage, &made.prefix, &made.distribution)
    }

    /// Brings a publication to what its sources hold now, or switches it to other snapshots.
    pub fn update_publication(&self, request: &UpdateRequest, sink: Sink<'_>) -> Result<Publication> {
        request.signing.check()?;
        let _lock = self.lock_prefix(&request.storage, &request.prefix)?;
        recover(self, &request.storage, &request.prefix)?;
        let (mut publication, roots) = self.store().read(|tx| next_sources(tx, request))?;
        let before: Vec<String> = publication.sources.keys().cloned().collect();
        let old_pools = publication.clone();
        apply_settings(&mut publication.settings, request);
        check_settings(&publication.settings)?;
        self.replace_sources(&mut publication, &roots)?;
        let lists = roots.iter().map(|(component, chosen)| (component.clone(), chosen.root.clone())).collect();
        let making = Making { force_overwrite: request.force_overwrite, signing: &request.signing, date: request.date };
        let made = make(self, publication, &lists, &making, sink)?;
        clean::old_generations(self, &made)?;
        if !request.skip_cleanup {
            let mut components: BTreeSet<String> = before.into_iter().collect();
            components.extend(made.sources.keys().cloned());
            let components: Vec<String> = components.into_iter().collect();
            sweep::sweep(self, &made, &components, sink)?;
            if made.settings.multi_dist != old_pools.settings.multi_dist {
                clean::pools(self, &old_pools, &old_pools.pools(&components), sink)?;
            }
        }
        replicate::forget_old(self, &made)?;
        self.publication(&made.storage, &made.prefix, &made.distribution)
    }

    fn replace_sources(&self, publication: &mut Publication, roots: &BTreeMap<String, Chosen>) -> Result<()> {
        publication.sources =
            roots.iter().map(|(component, chosen)| (component.clone(), chosen.source.clone())).collect();
        publication.pending = None;
        for component in publication.sources.keys() {
            debian::names::component(component)?;
        }
        Ok(())
    }

    /// The architectures given, or all that the lists have.
    fn architectures(&self, given: &[String], roots: &BTreeMap<String, String>) -> Result<Vec<String>> {
        let mut found: BTreeSet<String> = given.iter().cloned().collect();
        if found.is_empty() {
            self.store().read(|tx| {
                for list in roots.values() {
                    found.extend(set::load(tx, list)?.into_iter().map(|key| key.architecture));
                }
                Ok::<(), Error>(())
            })?;
            found.remove("all");
        }
        if found.is_empty() {
            return Err(Error::Invalid(
                "unable to figure out list of architectures, please supply explicit list".into(),
            ));
        }
        for architecture in &found {
            debian::names::architecture(architecture)?;
        }
        Ok(found.into_iter().collect())
    }
}

/// The publication with the sources that it takes next.
fn next_sources(tx: &mut Tx<'_>, request: &UpdateRequest) -> Result<(Publication, BTreeMap<String, Chosen>)> {
    let (storage, prefix, distribution) = (&request.storage, &request.prefix, &request.distribution);
    let publication =
        get(tx, storage, prefix, distribution)?.ok_or_else(|| not_found(storage, prefix, distribution))?;
    let kind = publication.kind;
    let mut next = BTreeMap::new();
    if let Some(switch) = &request.switch {
        if kind != SourceKind::Snapshot {
            return Err(Error::Invalid("not a published snapshot repository".into()));
        }
        for (component, source) in &publication.sources {
            next.insert(component.clone(), choose(tx, kind, &source.name, Some(&source.uuid))?);
        }
        for (component, name) in switch {
            let component = match (component.is_empty(), publication.sources.len()) {
                (true, 1) => publication.sources.keys().next().cloned().unwrap_or_default(),
                _ => component.clone(),
            };
            if !publication.sources.contains_key(&component) {
                return Err(Error::Invalid(format!("component {component} does not exist in published repository")));
            }
            next.insert(component, choose(tx, kind, name, None)?);
        }
    } else if let Some(pending) = &publication.pending {
        for (component, name) in pending {
            next.insert(component.clone(), choose(tx, kind, name, None)?);
        }
    } else {
        for (component, source) in &publication.sources {
            next.insert(component.clone(), choose(tx, kind, &source.name, Some(&source.uuid))?);
        }
    }
    Ok((publication, next))
}

fn apply_settings(settings: &mut Settings, request: &UpdateRequest) {
    let flags = [
        (&mut settings.skip_contents, request.skip_contents),
        (&mut settings.skip_bz2, request.skip_bz2),
        (&mut settings.acquire_by_hash, request.acquire_by_hash),
        (&mut settings.multi_dist, request.multi_dist),
    ];
    for (slot, value) in flags {
        *slot = value.unwrap_or(*slot);
    }
    let texts = [
        (&mut settings.origin, &request.origin),
        (&mut settings.label, &request.label),
        (&mut settings.version, &request.version),
        (&mut settings.signed_by, &request.signed_by),
    ];
    for (slot, value) in texts {
        if let Some(value) = value {
            slot.clone_from(value);
        }
    }
}

/// What goes into a Release file is one line each.
fn check_settings(settings: &Settings) -> Result<()> {
    for (name, value) in [
        ("origin", &settings.origin),
        ("label", &settings.label),
        ("suite", &settings.suite),
        ("codename", &settings.codename),
        ("version", &settings.version),
        ("NotAutomatic", &settings.not_automatic),
        ("ButAutomaticUpgrades", &settings.but_automatic_upgrades),
        ("Signed-By", &settings.signed_by),
    ] {
        debian::names::one_line(name, value)?;
    }
    Ok(())
}
