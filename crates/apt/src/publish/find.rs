//! Reading a publication's generation from outside: what bakes and plans need.

use std::collections::BTreeMap;
use std::path::PathBuf;

use debian::package::{Kind, Package};
use store::params;

use super::{Publication, get};
use crate::error::{Error, Result};
use crate::outbox::NewPackage;
use crate::packages::{self, from_json};
use crate::pool;
use crate::root::Root;

/// One generation of a publication that is still kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The prefix with its storage, as in events.
    pub prefix: String,
    /// The distribution.
    pub distribution: String,
    /// Its number.
    pub number: i64,
    /// The architectures that the publication shows.
    pub architectures: Vec<String>,
    /// Component to list.
    components: BTreeMap<String, String>,
}

/// A package of a generation with the path of its file in the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPackage {
    /// The component.
    pub component: String,
    /// The package: its stanza has the dependencies.
    pub package: Package,
    /// Where the (first) file is on disk.
    pub path: PathBuf,
}

impl PublishedPackage {
    /// The SHA-256 of its file.
    pub fn sha256(&self) -> &str {
        self.package.files.first().map_or("", |file| &file.sums.sha256)
    }
}

impl Root {
    /// A generation of a publication: that number, or the one that is shown. `prefix` is as in events (`.`, `ppa`, `fs:ppa`).
    pub fn generation(&self, prefix: &str, distribution: &str, number: Option<i64>) -> Result<Generation> {
        let (storage, below) = prefix.rsplit_once(':').unwrap_or(("", prefix));
        self.store().read(|tx| {
            let publication =
                get(tx, storage, below, distribution)?.ok_or_else(|| super::not_found(storage, below, distribution))?;
            let number = number.unwrap_or(publication.generation);
            let sql = "select components from generation where publication = ?1 and number = ?2";
            let gone =
                || Error::NotFound(format!("generation {number} of {} is not kept any more", publication.path()));
            let row = tx.query_opt(sql, params![&publication.uuid, number])?.ok_or_else(gone)?;
            let components = from_json("a generation", &row.text(0)?)?;
            Ok(Generation {
                prefix: publication.place(),
                distribution: distribution.into(),
                number,
                architectures: publication.architectures,
                components,
            })
        })
    }

    /// All binary packages that a generation shows.
    pub fn generation_packages(&self, generation: &Generation) -> Result<Vec<PublishedPackage>> {
        let mut found = Vec::new();
        for (component, list) in &generation.components {
            for package in packages::of_list(self, list)? {
                let shown = generation
                    .architectures
                    .iter()
                    .any(|architecture| architecture != "source" && package.is_for(architecture));
                let Some(file) = package.files.first().filter(|_| shown) else { continue };
                let path = pool::located(self, file)?;
                found.push(PublishedPackage { component: component.clone(), package, path });
            }
        }
        Ok(found)
    }

    /// The package of exactly this name, version and SHA-256 in a generation.
    pub fn generation_package(
        &self,
        generation: &Generation,
        name: &str,
        version: &str,
        sha256: &str,
    ) -> Result<PublishedPackage> {
        for (component, list) in &generation.components {
            let packages = packages::named(self, list, name, |key| key.version == version)?;
            for package in packages {
                let Some(file) = package.files.first().filter(|file| sha256.is_empty() || file.sums.sha256 == sha256)
                else {
                    continue;
                };
                let path = pool::located(self, file)?;
                return Ok(PublishedPackage { component: component.clone(), package, path });
            }
        }
        Err(Error::NotFound(format!(
            "package {name} {version} with SHA-256 {sha256} is not in generation {} of {}/{}",
            generation.number, generation.prefix, generation.distribution
        )))
    }

    /// Whether clients can check who made a publication, as far as that can be seen on this machine.
    pub fn is_signed(&self, publication: &Publication) -> bool {
        let Publication { storage, prefix, distribution, .. } = publication;
        storage.is_empty() && self.public().join(prefix).join("dists").join(distribution).join("InRelease").exists()
    }

    /// The binary packages of this name (of every name, where none is given) that a publication shows now, as its events told of them.
    pub fn visible(&self, publication: &Publication, name: Option<&str>) -> Result<Vec<NewPackage>> {
        let mut found = Vec::new();
        let now = self.generation(&publication.place(), &publication.distribution, None)?;
        for (component, list) in &now.components {
            let packages = match name {
                None => packages::of_list(self, list)?,
                Some(name) => packages::named(self, list, name, |_| true)?,
            };
            let pool = publication.pool_of(component);
            for package in packages.iter().filter(|package| matches!(package.kind, Kind::Deb | Kind::Udeb)) {
                let Some(below) = package.pool_folder().filter(|_| publication.shows(&package.key.architecture)) else {
                    continue;
                };
                found.extend(NewPackage::of(package, component, &format!("{pool}/{below}")));
            }
        }
        Ok(found)
    }
}
