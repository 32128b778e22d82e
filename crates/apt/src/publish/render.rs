//! The files of a generation: indexes in all their forms, Contents, Release files, by-hash links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use debian::compress::pack;
use debian::decompress::Compression;
use debian::package::{Kind, Package};
use debian::release::Release;
use debian::sums::Sums;

use super::Publication;
use crate::error::{At, Result};
use crate::report::Sink;
use crate::root::{Root, make_folder};

/// A rendered file: its path below the distribution, its sums, and whether it is stored (aptly lists the plain form of
/// Contents without storing it).
pub(super) struct Index {
    pub path: String,
    pub sums: Sums,
    pub stored: bool,
}

/// Renders everything but the top Release.
pub(super) struct Renderer<'a> {
    root: &'a Root,
    publication: &'a Publication,
    folder: &'a Path,
    release: Release,
    indexes: Vec<Index>,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(root: &'a Root, publication: &'a Publication, folder: &'a Path) -> Self {
        Renderer { root, publication, folder, release: release(publication), indexes: Vec::new() }
    }

    /// Renders all components; each comes with its packages in index order.
    pub(super) fn render(mut self, components: &BTreeMap<String, Vec<Package>>, sink: Sink<'_>) -> Result<Vec<Index>> {
        let mut whole: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (component, packages) in components {
            self.component(component, packages)?;
            if !self.publication.settings.skip_contents {
                for (name, lines) in self.contents_of(packages, sink)? {
                    self.contents(&format!("{component}/{name}"), &lines)?;
                    let all = whole.entry(name).or_default();
                    for (path, owners) in lines {
                        all.entry(path).or_default().extend(owners);
                    }
                }
            }
            self.skeleton(component)?;
        }
        for (name, lines) in whole {
            self.contents(&name, &lines)?;
        }
        Ok(self.indexes)
    }

    fn component(&mut self, component: &str, packages: &[Package]) -> Result<()> {
        let udebs = packages.iter().any(|package| package.kind == Kind::Udeb);
        for architecture in &self.publication.architectures {
            if architecture == "source" {
                self.index(component, "source", "Sources", architecture, packages, Kind::Source)?;
                continue;
            }
            let folder = format!("binary-{architecture}");
            self.index(component, &folder, "Packages", architecture, packages, Kind::Deb)?;
            if udebs {
                let folder = format!("debian-installer/binary-{architecture}");
                self.index(component, &folder, "Packages", architecture, packages, Kind::Udeb)?;
            }
        }
        Ok(())
    }

    fn index(
        &mut self,
        component: &str,
        folder: &str,
        name: &str,
        architecture: &str,
        packages: &[Package],
        kind: Kind,
    ) -> Result<()> {
        let pool = self.publication.pool_of(component);
        let mut text = String::new();
        for package in packages.iter().filter(|package| package.kind == kind && package.is_for(architecture)) {
            let below = package.pool_folder().unwrap_or_default();
            package.render(&format!("{pool}/{below}"), &mut text);
            text.push('\n');
        }
        let base = format!("{component}/{folder}");
        let forms: &[Compression] = if self.publication.settings.skip_bz2 {
            &[Compression::None, Compression::Gz]
        } else {
            &[Compression::None, Compression::Gz, Compression::Bz2]
        };
        for form in forms {
            let path = format!("{base}/{name}{}", form.suffix());
            let bytes = pack(*form, text.as_bytes()).at("pack", Path::new(&path))?;
            self.store(&path, &bytes)?;
        }
        let release = self.release.render_component(&self.publication.distribution, architecture, component);
        self.store(&format!("{base}/Release"), release.as_bytes())
    }

    /// Contents files of a component: name to path to the packages that have it.
    fn contents_of(
        &self,
        packages: &[Package],
        sink: Sink<'_>,
    ) -> Result<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>> {
        let mut files: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.kind != Kind::Source) {
            let paths = crate::contents::of(self.root, package, sink)?;
            let section = package.stanza.get("Section");
            let owner =
                if section.is_empty() { package.key.name.clone() } else { format!("{section}/{}", package.key.name) };
            for architecture in
                self.publication.architectures.iter().filter(|architecture| package.is_for(architecture))
            {
                let udeb = if package.kind == Kind::Udeb { "udeb-" } else { "" };
                let lines = files.entry(format!("Contents-{udeb}{architecture}")).or_default();
                for path in &paths {
                    lines.entry(path.clone()).or_default().insert(owner.clone());
                }
            }
        }
        files.retain(|_, lines| !lines.is_empty());
        Ok(files)
    }

    /// Writes a Contents file, packed only; the plain form is listed without being stored.
    fn contents(&mut self, path: &str, lines: &BTreeMap<String, BTreeSet<String>>) -> Result<()> {
        let mut text = String::from("FILE LOCATION\n");
        for (file, owners) in lines {
            text.push_str(file);
            text.push(' ');
            text.push_str(&owners.iter().map(String::as_str).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        self.indexes.push(Index { path: path.to_owned(), sums: Sums::of(text.as_bytes()), stored: false });
        let packed = pack(Compression::Gz, text.as_bytes()).at("pack", Path::new(path))?;
        self.store(&format!("{path}.gz"), &packed)
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
            if self.indexes.iter().any(|index| index.path == path) {
                continue;
            }
            let bytes = fs::read(&file).at("read", &file)?;
            write(&self.folder.join(&path), &bytes)?;
            self.indexes.push(Index { path, sums: Sums::of(&bytes), stored: false });
        }
        Ok(())
    }

    /// Writes an index and its by-hash links.
    fn store(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let sums = Sums::of(bytes);
        let target = self.folder.join(path);
        write(&target, bytes)?;
        let by_hash = target.parent().unwrap_or(self.folder).join("by-hash");
        for (name, sum) in
            [("MD5Sum", &sums.md5), ("SHA1", &sums.sha1), ("SHA256", &sums.sha256), ("SHA512", &sums.sha512)]
        {
            let folder = by_hash.join(name);
            make_folder(&folder)?;
            link(&target, &folder.join(sum))?;
        }
        self.indexes.push(Index { path: path.to_owned(), sums, stored: true });
        Ok(())
    }
}

/// Writes a new file that everybody may read.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, bytes).at("write", path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).at("write", path)
}

/// A second name for a file; one that is there already has the same content.
pub(super) fn link(from: &Path, to: &Path) -> Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).at("link", to),
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
