//! Published repositories as the bakery's source of packages: where `apt` and `bakery` meet.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use apt::Root;
use bakery::{Candidate, PackageSource, SourceError};
use debian::relation;

use crate::bake::{Publication, Publications};

/// The publications of the server's apt roots.
pub struct AptPublications {
    roots: Vec<Root>,
}

impl AptPublications {
    /// Of these roots.
    pub fn new(roots: Vec<Root>) -> AptPublications {
        AptPublications { roots }
    }

    fn roots(&self, wanted: &Publication) -> Result<Vec<&Root>, SourceError> {
        let Some(path) = &wanted.root else {
            return Ok(self.roots.iter().collect());
        };
        let is = |root: &&Root| {
            root.path() == Path::new(path) || Path::new(path).canonicalize().is_ok_and(|p| p == root.path())
        };
        let found: Vec<&Root> = self.roots.iter().filter(is).collect();
        if found.is_empty() {
            let known: Vec<_> = self.roots.iter().map(|r| r.path().display().to_string()).collect();
            return Err(SourceError(format!(
                "the apt root {path} is not one of this server's ({}): add it under [[apt.root]]",
                known.join(", ")
            )));
        }
        Ok(found)
    }
}

impl Publications for AptPublications {
    fn open(&self, wanted: &Publication, package: &str) -> Result<Arc<dyn PackageSource>, SourceError> {
        let mut places = Vec::new();
        for root in self.roots(wanted)? {
            for publication in root.publications().map_err(failed)? {
                let place = publication.place();
                let meant = wanted.prefix.as_ref().is_none_or(|p| *p == place)
                    && wanted.distribution.as_ref().is_none_or(|d| *d == publication.distribution);
                if meant {
                    places.push((root, place, publication.distribution));
                }
            }
        }
        let mut open = Vec::new();
        for (root, prefix, distribution) in places {
            open.push(Published::read(root, &prefix, &distribution, wanted.generation)?);
        }
        if open.len() > 1 {
            open.retain(|published| published.packages.contains_key(package));
        }
        match open.len() {
            1 => Ok(Arc::new(open.remove(0))),
            0 => Err(SourceError(format!(
                "no publication {} of this server's apt roots holds {package}: run aptly publish repo first",
                shown(wanted)
            ))),
            _ => {
                let names: Vec<_> = open.iter().map(|p| p.name.clone()).collect();
                Err(SourceError(format!(
                    "{} all hold {package}: say which one with \"repository\": {{\"root\": …, \"prefix\": …, \"distribution\": …}}",
                    names.join(", ")
                )))
            }
        }
    }
}

fn shown(wanted: &Publication) -> String {
    let part = |value: &Option<String>| value.clone().unwrap_or_else(|| "*".into());
    format!("{}/{}", part(&wanted.prefix), part(&wanted.distribution))
}

fn failed(error: apt::Error) -> SourceError {
    SourceError(error.to_string())
}

/// One generation, by what its packages are and provide.
struct Published {
    name: String,
    packages: HashMap<String, Vec<Candidate>>,
}

impl Published {
    fn read(root: &Root, prefix: &str, distribution: &str, number: Option<i64>) -> Result<Published, SourceError> {
        // A generation that is not kept any more is no reason to stop: the exact bytes may still be published.
        let generation = match root.generation(prefix, distribution, number) {
            Ok(generation) => generation,
            Err(_) if number.is_some() => root.generation(prefix, distribution, None).map_err(failed)?,
            Err(error) => return Err(failed(error)),
        };
        let mut packages: HashMap<String, Vec<Candidate>> = HashMap::new();
        for published in root.generation_packages(&generation).map_err(failed)? {
            let stanza = &published.package.stanza;
            let depends = [stanza.get("Pre-Depends"), stanza.get("Depends")];
            let candidate = Candidate {
                name: published.package.key.name.clone(),
                version: published.package.key.version.clone(),
                architecture: published.package.key.architecture.clone(),
                sha256: published.sha256().to_owned(),
                depends: depends.into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join(", "),
                provides: stanza.get("Provides").to_owned(),
                file: published.path,
            };
            for part in relation::list(&candidate.provides) {
                if let Some((name, _)) = relation::provided(part).filter(|(name, _)| *name != candidate.name) {
                    packages.entry(name).or_default().push(candidate.clone());
                }
            }
            packages.entry(candidate.name.clone()).or_default().push(candidate);
        }
        let place = if prefix == "." { distribution.to_owned() } else { format!("{prefix}/{distribution}") };
        Ok(Published {
            name: format!("publication {place} (generation {}) of {}", generation.number, root.path().display()),
            packages,
        })
    }
}

impl PackageSource for Published {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, SourceError> {
        Ok(self.packages.get(name).cloned().unwrap_or_default())
    }
}
