//! Dependencies within lists: what is missing, and what closes the gap.

use std::collections::{BTreeSet, HashMap};

use debian::package::{Kind, Package};
use debian::query::provided_versions;
use debian::relation::{self, Dependency};
use debian::version::Relation;

use crate::error::{Error, Result};

/// Which dependencies are followed.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Follow {
    /// Architectures to resolve for; those of the lists when empty.
    pub architectures: Vec<String>,
    /// `Suggests`.
    pub suggests: bool,
    /// `Recommends`.
    pub recommends: bool,
    /// From a binary package to its source package.
    pub source: bool,
    /// All alternatives, not the first that helps.
    pub all_variants: bool,
    /// Say what happens.
    pub verbose: bool,
}

/// A list of packages that can be asked who satisfies a dependency.
pub struct Candidates<'a> {
    packages: Vec<&'a Package>,
    by_name: HashMap<&'a str, Vec<usize>>,
    providers: HashMap<String, Vec<usize>>,
}

impl<'a> Candidates<'a> {
    /// An index over `packages`, which come in index order.
    pub fn new(packages: impl IntoIterator<Item = &'a Package>) -> Self {
        let mut found = Candidates { packages: Vec::new(), by_name: HashMap::new(), providers: HashMap::new() };
        for package in packages {
            found.add(package);
        }
        found
    }

    /// One more package.
    pub fn add(&mut self, package: &'a Package) {
        let at = self.packages.len();
        self.packages.push(package);
        self.by_name.entry(&package.key.name).or_default().push(at);
        for part in relation::list(package.stanza.get("Provides")) {
            if let Some((name, _)) = relation::provided(part) {
                self.providers.entry(name).or_default().push(at);
            }
        }
    }

    /// Who satisfies `dependency`: packages of that name first, then those that provide it.
    pub fn satisfying(&self, dependency: &Dependency) -> Vec<&'a Package> {
        let holds =
            |version: &str| dependency.version.as_ref().is_none_or(|(relation, bound)| relation.holds(version, bound));
        let mut found: Vec<&Package> = Vec::new();
        for at in self.by_name.get(dependency.name.as_str()).into_iter().flatten() {
            let package = self.packages[*at];
            if package.is_for(&dependency.architecture) && holds(&package.key.version) {
                found.push(package);
            }
        }
        for at in self.providers.get(&dependency.name).into_iter().flatten() {
            let package = self.packages[*at];
            if package.is_for(&dependency.architecture)
                && provided_versions(package, &dependency.name).iter().any(|version| holds(version))
            {
                found.push(package);
            }
        }
        found
    }

    fn has(&self, dependency: &Dependency) -> bool {
        !self.satisfying(dependency).is_empty()
    }
}

/// The dependencies of `package` for `architecture`: a list of alternatives for each.
fn dependencies(package: &Package, architecture: &str, follow: &Follow) -> Vec<Vec<Dependency>> {
    let mut fields = vec!["Depends", "Pre-Depends"];
    fields.extend(follow.recommends.then_some("Recommends"));
    fields.extend(follow.suggests.then_some("Suggests"));
    let mut found = Vec::new();
    for part in fields.iter().flat_map(|field| relation::list(package.stanza.get(field))) {
        let Ok(mut alternatives) = relation::alternatives(part) else { continue };
        for alternative in &mut alternatives {
            if matches!(alternative.architecture.as_str(), "" | "any") {
                alternative.architecture = architecture.to_owned();
            }
        }
        found.push(alternatives);
    }
    if follow.source && package.kind != Kind::Source {
        found.push(vec![Dependency {
            name: package.source_name().to_owned(),
            version: Some((Relation::Equal, package.source_version().to_owned())),
            architecture: "source".into(),
        }]);
    }
    found
}

/// The architectures to resolve for: those given, or those of the packages without `all`.
pub fn architectures<'a>(
    follow: &Follow,
    packages: impl IntoIterator<Item = &'a Package>,
    with_source: bool,
) -> Result<Vec<String>> {
    if !follow.architectures.is_empty() {
        return Ok(follow.architectures.clone());
    }
    let mut found: BTreeSet<&str> = packages.into_iter().map(|package| package.key.architecture.as_str()).collect();
    found.remove("all");
    if !with_source {
        found.remove("source");
    }
    if found.is_empty() {
        return Err(Error::Invalid("unable to determine list of architectures, please specify explicitly".into()));
    }
    Ok(found.into_iter().map(str::to_owned).collect())
}

/// What of the dependencies of `packages` nobody in `sources` satisfies.
pub fn missing<'a>(
    packages: impl IntoIterator<Item = &'a Package> + Clone,
    sources: &Candidates<'_>,
    architectures: &[String],
    follow: &Follow,
) -> Vec<Dependency> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for architecture in architectures {
        for package in packages.clone().into_iter().filter(|package| package.is_for(architecture)) {
            for alternatives in dependencies(package, architecture, follow) {
                let unsatisfied: Vec<Dependency> =
                    alternatives.iter().filter(|one| !sources.has(one)).cloned().collect();
                if unsatisfied.len() < alternatives.len() && !follow.all_variants {
                    continue;
                }
                found.extend(unsatisfied.into_iter().filter(|one| seen.insert(one.shown())));
            }
        }
    }
    found
}

/// `chosen` with what it needs from `pool`; what `beside` has is not needed. In the order in which things were found.
pub fn close<'a>(
    chosen: Vec<&'a Package>,
    pool: &Candidates<'a>,
    beside: &[&'a Package],
    architectures: &[String],
    follow: &Follow,
    note: &mut dyn FnMut(String),
) -> Vec<&'a Package> {
    let mut result = chosen;
    let mut have: BTreeSet<_> = result.iter().map(|package| package.key.clone()).collect();
    let mut satisfied = Candidates::new(beside.iter().copied().chain(result.iter().copied()));
    let mut fresh = 0;
    while fresh < result.len() || fresh == 0 {
        let open = missing(result[fresh..].to_vec(), &satisfied, architectures, follow);
        fresh = result.len();
        let mut added = false;
        for dependency in open {
            if !follow.all_variants && satisfied.has(&dependency) {
                if follow.verbose {
                    note(format!("Already satisfied dependency: {}", dependency.shown()));
                }
                continue;
            }
            let found = pool.satisfying(&dependency);
            if found.is_empty() && follow.verbose {
                note(format!("Unsatisfied dependency: {}", dependency.shown()));
            }
            let most = if follow.all_variants { usize::MAX } else { 1 };
            for package in
                found.into_iter().filter(|package| !have.contains(&package.key)).take(most).collect::<Vec<_>>()
            {
                if follow.verbose {
                    note(format!("Injecting package: {}", package.key));
                }
                have.insert(package.key.clone());
                satisfied.add(package);
                result.push(package);
                added = true;
            }
        }
        if !added {
            break;
        }
    }
    result
}
