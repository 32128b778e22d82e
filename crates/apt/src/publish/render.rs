//! From package lists to the files of a generation: indexes in all their forms, Contents, Release files of components, what lies in
//! `skel`. Package files that are new are linked on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use debian::compress::{Assembler, Part};
use debian::decompress::Compression;
use debian::package::{INSTALLER, Key, Kind, Package};
use debian::release::Release;
use debian::sums::{Summing, Sums};
use store::params;

use super::index::{self, Growing, Layout, Old, Spec, Summed};
use super::{Endpoint, Publication, by_hash, files, generation};
use crate::contents::Contents;
use crate::cores;
use crate::error::{At, Error, Result};
use crate::outbox::NewPackage;
use crate::packages::{self, from_json};
use crate::pool;
use crate::report::{Line, Progress, Sink, Work};
use crate::root::{Root, make_folder};
use crate::set::{self, LeafRef};
use crate::snapshot;

/// The list of an installer's images.
const SUMS: &str = "SHA256SUMS";
/// So much text of a Contents file is compressed at once.
const CONTENTS_PIECE: usize = 512 << 10;

/// A rendered file: its path below the distribution, its sums, and whether it is offered by its hashes (aptly lists the plain form of
/// Contents without storing it).
pub(super) struct Index {
    pub path: String,
    pub sums: Sums,
    pub stored: bool,
}

/// A component as it is to be shown.
pub(super) struct Shown {
    /// The package list.
    pub list: String,
    /// What the generation before did not show.
    pub added: BTreeSet<Key>,
    /// Those that it showed with the same name, version and architecture, and other files.
    pub replaced: BTreeSet<Key>,
}

/// What came of rendering.
#[derive(Default)]
pub(super) struct Rendered {
    pub indexes: Vec<Index>,
    /// By path: where the pieces of an index lie.
    pub layouts: Vec<(String, Layout)>,
    /// What is visible now and was not before.
    pub news: Vec<NewPackage>,
    /// Files that get a signature of their own beside them: path and text.
    pub signed: Vec<(String, String)>,
}

/// Renders everything but the top Release.
pub(super) struct Renderer<'a> {
    root: &'a Root,
    publication: &'a Publication,
    folder: &'a Path,
    generations: PathBuf,
    /// The folder of the generation before.
    before: PathBuf,
    /// Where the pieces of its indexes lie.
    old: BTreeMap<String, Layout>,
    /// Package files in the way are replaced.
    force: bool,
    endpoint: Endpoint,
    release: Release,
    done: Rendered,
}

/// What a leaf makes of a component.
struct LeafPieces {
    /// For each index, in each form.
    indexes: Vec<Vec<Part>>,
    news: Vec<NewPackage>,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(
        root: &'a Root,
        publication: &'a Publication,
        folder: &'a Path,
        before: i64,
        force: bool,
    ) -> Result<Self> {
        let old = root.store().read(|tx| {
            let sql = "select path, body from layout where publication = ?1 and generation = ?2";
            let rows = tx.query(sql, params![&publication.uuid, before])?;
            let mut found = BTreeMap::new();
            for row in rows {
                // One that another version wrote otherwise is as good as none.
                if let Ok(layout) = from_json("a layout", &row.text(1)?) {
                    found.insert(row.text(0)?, layout);
                }
            }
            Ok::<_, Error>(found)
        })?;
        Ok(Renderer {
            root,
            publication,
            folder,
            generations: generation::generations(root, publication)?,
            before: generation::folder(root, publication, before)?,
            old,
            force,
            endpoint: root.endpoint(&publication.storage)?,
            release: release(publication),
            done: Rendered::default(),
        })
    }

    /// Renders all components.
    pub(super) fn render(mut self, components: &BTreeMap<String, Shown>, sink: Sink<'_>) -> Result<Rendered> {
        let mut whole = Vec::new();
        let lists = components.values().map(|shown| &shown.list);
        let total = self.root.store().read(|tx| lists.clone().map(|list| set::count(tx, list)).sum::<Result<u64>>())?;
        let mut progress = Progress { work: Work::Publish, total, remaining: total, ..Progress::default() };
        for (component, shown) in components {
            self.component(component, shown, &mut progress, sink)?;
            if !self.publication.settings.skip_contents {
                let contents = self.contents_of(&shown.list, sink)?;
                self.contents(&format!("{component}/"), &contents.iter().collect::<Vec<_>>())?;
                whole.push(contents);
            }
            self.installers(component, &shown.list)?;
            self.appstream(component)?;
            self.skeleton(component)?;
        }
        match (components.first_key_value(), &whole[..]) {
            (Some((component, _)), [_]) => self.same_contents(component)?,
            _ => self.contents("", &whole.iter().flatten().collect::<Vec<_>>())?,
        }
        Ok(self.done)
    }

    fn component(&mut self, component: &str, shown: &Shown, progress: &mut Progress, sink: Sink<'_>) -> Result<()> {
        let specs = self.specs(component);
        let pool = self.publication.pool_of(component);
        let forms = index::forms(self.publication.settings.skip_bz2);
        let leaves = self.root.store().read(|tx| set::leaves(tx, &shown.list))?;
        let old: Vec<Option<Old>> = specs
            .iter()
            .map(|spec| {
                let layout = self.old.remove(&spec.path()).filter(|_| !self.force)?;
                Old::open(&self.before, &spec.path(), layout, &pool)
            })
            .collect();
        let making = LeafMaker {
            root: self.root,
            publication: self.publication,
            component,
            shown,
            // Where nothing can be taken over nothing is known to be in place.
            link_all: old.iter().any(Option::is_none),
            endpoint: &self.endpoint,
            base: generation::prefix_folder(self.root, self.publication)?.join(&pool),
            force: self.force,
        };
        make_folder(&making.base)?;
        let mut growing = specs
            .iter()
            .map(|spec| Growing::new(self.folder, &spec.path(), &pool, forms))
            .collect::<Result<Vec<Growing>>>()?;
        for batch in leaves.chunks(index::BATCH) {
            let made = cores::on_all(batch, |leaf| making.make(leaf, &specs, &old, &pool, forms))?;
            for (number, growing) in growing.iter_mut().enumerate() {
                let pieces: Vec<(&str, &[Part])> =
                    batch.iter().zip(&made).map(|(leaf, made)| (&leaf.hash[..], &made.indexes[number][..])).collect();
                growing.push(&pieces, old[number].as_ref())?;
            }
            self.done.news.extend(made.into_iter().flat_map(|made| made.news));
            progress.remaining -= batch.iter().map(|leaf| leaf.count).sum::<u64>().min(progress.remaining);
            sink(Line::Progress(*progress));
        }
        // The installer's indexes are there when it has packages.
        let installer = specs.iter().zip(&growing).any(|(spec, index)| spec.kind == Kind::Udeb && !index.is_empty());
        for (spec, index) in specs.iter().zip(growing) {
            let (finished, layout) = index.finish()?;
            self.done.layouts.push((spec.path(), layout));
            if spec.kind == Kind::Udeb && !installer {
                continue;
            }
            for (path, sums) in finished {
                self.listed(path, sums)?;
            }
            let release = self.release.render_component(&self.publication.distribution, &spec.architecture, component);
            self.store(&format!("{}/Release", spec.folder), release.as_bytes())?;
        }
        if !installer {
            files::remove_folder(&self.folder.join(component).join("debian-installer"))?;
        }
        Ok(())
    }

    /// The installers of a component: their images, and a list of them.
    fn installers(&mut self, component: &str, list: &str) -> Result<()> {
        let packages = packages::named(self.root, list, INSTALLER, |key| self.publication.shows(&key.architecture))?;
        for package in packages.iter().filter(|package| package.kind == Kind::Installer) {
            let architecture = &package.key.architecture;
            let below = crate::mirror::installer_folder(&self.publication.distribution, component, architecture);
            let mut text = String::new();
            for file in package.files.iter().filter(|file| file.name != SUMS) {
                self.lay(&pool::located(self.root, file)?, &format!("{below}/{}", file.name))?;
                text.push_str(&format!("{}  ./{}\n", file.sums.sha256, file.name));
            }
            let path = format!("{below}/{SUMS}");
            self.store(&path, text.as_bytes())?;
            self.done.signed.push((path, text));
        }
        Ok(())
    }

    /// AppStream's files of the snapshot that a component is made of.
    fn appstream(&mut self, component: &str) -> Result<()> {
        let Some(source) = self.publication.sources.get(component) else { return Ok(()) };
        let snapshot = self.root.store().read(|tx| snapshot::by_uuid(tx, &source.uuid))?;
        let Some(snapshot) = snapshot else { return Ok(()) };
        let parts = snapshot.appstream.iter().filter_map(|(path, file)| Some((path.split_once("/dep11/")?, file)));
        let parts: Vec<((&str, &str), &String)> = parts.collect();
        let owners: BTreeSet<&str> = parts.iter().map(|((owner, _), _)| *owner).collect();
        for ((owner, below), file) in parts {
            // A component may have another name here than at the mirror.
            if owner != component && owners.len() > 1 {
                continue;
            }
            let from = self.root.pool().join(file);
            let path = format!("{component}/dep11/{below}");
            self.lay(&from, &path)?;
            // A database that was taken over does not know them all.
            let sums = match self.root.store().read(|tx| pool::recorded(tx, file))? {
                Some(sums) => sums,
                None => pool::sums(&from)?,
            };
            self.done.indexes.push(Index { path, sums, stored: false });
        }
        Ok(())
    }

    /// The indexes of a component.
    fn specs(&self, component: &str) -> Vec<Spec> {
        let mut specs = Vec::new();
        for architecture in &self.publication.architectures {
            let spec = |folder: String, name, kind| Spec { folder, name, architecture: architecture.clone(), kind };
            if architecture == "source" {
                specs.push(spec(format!("{component}/source"), "Sources", Kind::Source));
                continue;
            }
            specs.push(spec(format!("{component}/binary-{architecture}"), "Packages", Kind::Deb));
            let installer = format!("{component}/debian-installer/binary-{architecture}");
            specs.push(spec(installer, "Packages", Kind::Udeb));
        }
        specs
    }

    /// What the packages of a list install.
    fn contents_of(&self, list: &str, sink: Sink<'_>) -> Result<Vec<Contents>> {
        let mut keys = self.root.store().read(|tx| set::load(tx, list))?;
        keys.retain(|key| self.publication.shows(&key.architecture));
        crate::contents::of(self.root, &keys, sink)
    }

    /// The Contents files of these packages, below `base`.
    fn contents(&mut self, base: &str, contents: &[&Contents]) -> Result<()> {
        for udeb in [false, true] {
            for architecture in self.publication.architectures.iter().filter(|name| *name != "source") {
                let mut lines: Vec<(&str, &str)> = contents
                    .iter()
                    .filter(|one| one.is_for(architecture, udeb))
                    .flat_map(|one| one.paths.lines().map(|path| (path, one.owner.as_str())))
                    .collect();
                if lines.is_empty() {
                    continue;
                }
                // Each package's paths are in order already, which this sort makes use of.
                lines.sort();
                lines.dedup();
                let name = format!("{base}Contents-{}{architecture}", if udeb { "udeb-" } else { "" });
                self.contents_file(&name, &lines)?;
            }
        }
        Ok(())
    }

    /// Writes a Contents file, compressed only; the plain form is listed without being stored.
    fn contents_file(&mut self, path: &str, lines: &[(&str, &str)]) -> Result<()> {
        let packed = format!("{path}.gz");
        let file = self.folder.join(&packed);
        let mut plain = Summing::default();
        let mut assembler = Assembler::new(Compression::Gz, Summed::create(file.clone())?).at("write", &file)?;
        let mut pieces = vec![String::from("FILE LOCATION\n")];
        let most = cores::count() * 4;
        let mut rest = lines;
        while let Some((path, _)) = rest.first() {
            let (same, after) = rest.split_at(rest.partition_point(|line| line.0 <= *path));
            rest = after;
            if pieces.last().is_none_or(|piece| piece.len() >= CONTENTS_PIECE) {
                pieces.push(String::with_capacity(CONTENTS_PIECE + 4096));
            }
            if let Some(piece) = pieces.last_mut() {
                let owners: Vec<&str> = same.iter().map(|line| line.1).collect();
                piece.extend([path, " ", &owners.join(","), "\n"]);
            }
            let full = pieces.len() > most;
            if !full && !rest.is_empty() {
                continue;
            }
            let parts =
                cores::on_all(&pieces, |piece| Part::new(Compression::Gz, piece.as_bytes()).at("write", &file))?;
            for (piece, part) in pieces.drain(..).zip(parts) {
                plain.update(piece.as_bytes());
                assembler.push(&part).at("write", &file)?;
            }
        }
        let sums = assembler.finish().at("write", &file)?.finish()?;
        self.done.indexes.push(Index { path: path.to_owned(), sums: plain.finish(), stored: false });
        self.listed(packed, sums)
    }

    /// The Contents files of the whole distribution are those of its only component.
    fn same_contents(&mut self, component: &str) -> Result<()> {
        let prefix = format!("{component}/Contents-");
        let same: Vec<(String, Sums, bool)> = self
            .done
            .indexes
            .iter()
            .filter(|index| index.path.starts_with(&prefix))
            .map(|index| (index.path.clone(), index.sums.clone(), index.stored))
            .collect();
        for (from, sums, stored) in same {
            let path = from[component.len() + 1..].to_owned();
            if stored {
                files::link(&self.folder.join(&from), &self.folder.join(&path))?;
                self.listed(path, sums)?;
            } else {
                self.done.indexes.push(Index { path, sums, stored });
            }
        }
        Ok(())
    }

    /// Merges regular files that people put below `skel/` for this component.
    fn skeleton(&mut self, component: &str) -> Result<()> {
        let base = self
            .root
            .path()
            .join("skel")
            .join(&self.publication.prefix)
            .join("dists")
            .join(&self.publication.distribution)
            .join(component);
        let mut found: Vec<PathBuf> = Vec::new();
        crate::add::walk(&base, 0, &mut |file| {
            // A planted link would publish what it points to.
            if fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file()) {
                found.push(file.to_owned());
            }
        });
        found.sort();
        for file in found {
            let Some(below) = file.strip_prefix(&base).ok().and_then(Path::to_str) else { continue };
            if below.chars().any(char::is_whitespace) || below.chars().any(char::is_control) {
                continue;
            }
            let path = format!("{component}/{below}");
            // Names by hash are ours to give.
            let taken = below.split('/').any(|part| part == "by-hash");
            if taken || self.done.indexes.iter().any(|index| index.path == path) {
                continue;
            }
            let bytes = fs::read(&file).at("read", &file)?;
            files::write(&self.folder.join(&path), &bytes)?;
            self.done.indexes.push(Index { path, sums: Sums::of(&bytes), stored: false });
        }
        Ok(())
    }

    /// Makes a file of the pool appear in the generation.
    fn lay(&self, from: &Path, path: &str) -> Result<()> {
        let to = self.folder.join(path);
        make_folder(to.parent().unwrap_or(self.folder))?;
        self.endpoint.put(from, &to, true)
    }

    /// Writes a small file of the generation.
    fn store(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        files::write(&self.folder.join(path), bytes)?;
        self.listed(path.to_owned(), Sums::of(bytes))
    }

    /// Takes a written file into the list, and offers it by its hashes.
    fn listed(&mut self, path: String, sums: Sums) -> Result<()> {
        by_hash::offer(&self.generations, self.folder, &path, &sums)?;
        self.done.indexes.push(Index { path, sums, stored: true });
        Ok(())
    }
}

/// Makes the pieces of leaves; on all cores at once.
struct LeafMaker<'a> {
    root: &'a Root,
    publication: &'a Publication,
    component: &'a str,
    shown: &'a Shown,
    /// Whether files are linked of packages that are not new.
    link_all: bool,
    endpoint: &'a Endpoint,
    /// The component's pool.
    base: PathBuf,
    force: bool,
}

impl LeafMaker<'_> {
    fn make(
        &self,
        leaf: &LeafRef,
        specs: &[Spec],
        old: &[Option<Old>],
        pool: &str,
        forms: &[Compression],
    ) -> Result<LeafPieces> {
        let taken: Option<Vec<Vec<Part>>> =
            old.iter().map(|old| old.as_ref().and_then(|old| old.piece(&leaf.hash, forms))).collect();
        if let Some(indexes) = taken {
            return Ok(LeafPieces { indexes, news: Vec::new() });
        }
        let mut packages = self.root.store().read(|tx| {
            let mut keys = set::leaf(tx, &leaf.hash)?;
            keys.retain(|key| self.publication.shows(&key.architecture));
            packages::load(tx, &keys)
        })?;
        packages.sort_by(|a, b| a.key.cmp(&b.key));
        let mut news = Vec::new();
        // Installers are not in the pool that is published.
        for package in packages.iter().filter(|package| package.kind != Kind::Installer) {
            let below = package.pool_folder().ok_or_else(|| {
                Error::Invalid(format!("unable to publish: package source {} too short", package.source_name()))
            })?;
            let new = self.shown.added.contains(&package.key);
            if new || self.link_all {
                self.link(package, &self.base.join(&below))?;
            }
            if new {
                news.extend(self.news(package, &format!("{pool}/{below}")));
            }
        }
        let render = |spec: &Spec| spec.render(&packages, pool, forms).at("pack", &self.base);
        let indexes = specs.iter().map(render).collect::<Result<_>>()?;
        Ok(LeafPieces { indexes, news })
    }

    fn link(&self, package: &Package, folder: &Path) -> Result<()> {
        make_folder(folder)?;
        for file in &package.files {
            self.endpoint.put(&pool::located(self.root, file)?, &folder.join(&file.name), self.force)?;
        }
        Ok(())
    }

    fn news(&self, package: &Package, folder: &str) -> Option<NewPackage> {
        let new = NewPackage::of(package, self.component, folder)?;
        Some(NewPackage { replaced: self.shown.replaced.contains(&package.key), ..new })
    }
}

/// What the Release files say.
pub(super) fn release(publication: &Publication) -> Release {
    let settings = &publication.settings;
    let or = |value: &str, default: &str| if value.is_empty() { default.to_owned() } else { value.to_owned() };
    let title = format!("{} {}", publication.prefix, publication.distribution);
    Release {
        origin: or(&settings.origin, &title),
        label: or(&settings.label, &title),
        suite: or(&settings.suite, &publication.distribution),
        version: settings.version.clone(),
        codename: or(&settings.codename, &publication.distribution),
        not_automatic: settings.not_automatic.clone(),
        but_automatic_upgrades: settings.but_automatic_upgrades.clone(),
        acquire_by_hash: settings.acquire_by_hash,
        signed_by: settings.signed_by.clone(),
    }
}
