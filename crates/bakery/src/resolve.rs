//! From wanted packages to the closure: what is not on the base already comes from the publication.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};

use debian::relation::{self, Dependency};
use debian::version;

use crate::BakeError;
use crate::host::Host;
use crate::recipe::{Request, WantedPackage};
use crate::source::{Candidate, PackageSource};

/// More packages than this in one image are refused.
const MOST_PACKAGES: usize = 500;

/// The closure of a request: wanted packages first, then what they need, each once; and what the base satisfies.
pub(crate) struct Closure {
    pub packages: Vec<Candidate>,
    pub from_base: Vec<String>,
}

/// Resolves a request against the machine, then the publication.
pub(crate) fn closure(request: &Request, host: &Host, source: &dyn PackageSource) -> Result<Closure, BakeError> {
    if request.packages.is_empty() {
        return Err(BakeError::NoPackage);
    }
    let mut chosen: Vec<Candidate> = Vec::new();
    for wanted in &request.packages {
        let package = pick_wanted(wanted, host, source)?;
        if !chosen.contains(&package) {
            chosen.push(package);
        }
    }
    let mut from_base = Vec::new();
    let mut seen = HashSet::new();
    let mut open: VecDeque<usize> = (0..chosen.len()).collect();
    while let Some(at) = open.pop_front() {
        let package = chosen[at].clone();
        for part in relation::list(&package.depends) {
            if !seen.insert(part.to_owned()) {
                continue;
            }
            let alternatives = relation::alternatives(part)
                .map_err(|error| BakeError::Relation { package: package.label(), why: error.to_string() })?;
            if chosen.iter().any(|c| alternatives.iter().any(|a| satisfies(c, a))) {
                continue;
            }
            if let Some(what) = alternatives.iter().find_map(|a| host.satisfies(a)) {
                from_base.push(what);
                continue;
            }
            let found = pick_alternative(&alternatives, host, source)?.ok_or_else(|| BakeError::Unsatisfied {
                package: package.label(),
                dependency: part.to_owned(),
                first: alternatives.first().map(|a| a.name.clone()).unwrap_or_default(),
                source_name: source.name(),
            })?;
            if chosen.len() >= MOST_PACKAGES {
                return Err(BakeError::TooManyPackages(chosen[0].label(), MOST_PACKAGES));
            }
            chosen.push(found);
            open.push_back(chosen.len() - 1);
        }
    }
    Ok(Closure { packages: chosen, from_base })
}

fn pick_wanted(wanted: &WantedPackage, host: &Host, source: &dyn PackageSource) -> Result<Candidate, BakeError> {
    let all: Vec<_> = source.candidates(&wanted.name)?.into_iter().filter(|c| c.name == wanted.name).collect();
    let fits = |c: &&Candidate| {
        wanted.version.as_ref().is_none_or(|v| version::compare(&c.version, v) == Ordering::Equal)
            && wanted.sha256.as_ref().is_none_or(|s| c.sha256.eq_ignore_ascii_case(s))
            && match &wanted.architecture {
                Some(architecture) => c.architecture == *architecture,
                None => runs_here(c, host),
            }
    };
    highest(all.iter().filter(fits)).ok_or_else(|| BakeError::NotPublished {
        source_name: source.name(),
        wanted: match &wanted.sha256 {
            Some(sum) => format!("{} with SHA-256 {sum}", wanted.shown()),
            None => wanted.shown(),
        },
        known: known(&wanted.name, &all),
    })
}

fn known(name: &str, all: &[Candidate]) -> String {
    if all.is_empty() {
        return format!("it holds no {name} at all; is it added to the repository and is the repository published?");
    }
    let mut labels: Vec<_> = all.iter().map(Candidate::label).collect();
    labels.sort();
    format!("it holds {}", labels.join(", "))
}

fn pick_alternative(
    alternatives: &[Dependency],
    host: &Host,
    source: &dyn PackageSource,
) -> Result<Option<Candidate>, BakeError> {
    for wanted in alternatives {
        let all = source.candidates(&wanted.name)?;
        let usable: Vec<_> = all.iter().filter(|c| runs_here(c, host) && satisfies(c, wanted)).collect();
        // A package of that name goes before one that merely provides it.
        let named = highest(usable.iter().copied().filter(|c| c.name == wanted.name));
        if let Some(found) = named.or_else(|| highest(usable.into_iter())) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn runs_here(package: &Candidate, host: &Host) -> bool {
    package.architecture == "all" || package.architecture == host.architecture()
}

fn highest<'a>(of: impl Iterator<Item = &'a Candidate>) -> Option<Candidate> {
    // Equal versions: the order of the sums decides, so that the same publication always gives the same image.
    of.max_by(|a, b| version::compare(&a.version, &b.version).then_with(|| a.sha256.cmp(&b.sha256))).cloned()
}

fn satisfies(package: &Candidate, wanted: &Dependency) -> bool {
    let version_fits = |version: Option<&str>| match (&wanted.version, version) {
        (None, _) => true,
        (Some((relation, bound)), Some(version)) => relation.holds(version, bound),
        (Some(_), None) => false,
    };
    if package.name == wanted.name {
        return version_fits(Some(&package.version));
    }
    relation::list(&package.provides)
        .into_iter()
        .filter_map(relation::provided)
        .any(|(name, version)| name == wanted.name && version_fits(version.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceError;

    struct Shelf(Vec<Candidate>);

    impl PackageSource for Shelf {
        fn name(&self) -> String {
            "publication stretch".into()
        }
        fn candidates(&self, name: &str) -> Result<Vec<Candidate>, SourceError> {
            let provides = |c: &&Candidate| c.name == name || c.provides.split(", ").any(|p| p.starts_with(name));
            Ok(self.0.iter().filter(provides).cloned().collect())
        }
    }

    fn package(name: &str, version: &str, depends: &str) -> Candidate {
        Candidate {
            name: name.into(),
            version: version.into(),
            architecture: "all".into(),
            sha256: format!("{name}-{version}"),
            depends: depends.into(),
            provides: String::new(),
            file: format!("/pool/{name}.deb").into(),
        }
    }

    fn resolved(want: &str, shelf: Vec<Candidate>) -> Result<Vec<String>, String> {
        let request = Request::of(WantedPackage::list(want).unwrap());
        closure(&request, &Host::default(), &Shelf(shelf))
            .map(|c| c.packages.iter().map(Candidate::label).collect())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn the_highest_version_and_what_it_needs() {
        let shelf = vec![
            package("hello", "1.0", ""),
            package("hello", "1.10", "lib (>= 2) | other, tool"),
            package("lib", "1.9", ""),
            package("other", "5", ""),
            package("tool", "1", "hello"),
        ];
        assert_eq!(
            resolved("hello", shelf.clone()),
            Ok(vec!["hello_1.10_all".into(), "other_5_all".into(), "tool_1_all".into()])
        );
        assert_eq!(resolved("hello=1.0", shelf), Ok(vec!["hello_1.0_all".into()]));
    }

    #[test]
    fn a_virtual_package_is_found_by_who_provides_it() {
        let mut mta = package("exim", "4", "");
        mta.provides = "mail-agent".into();
        let shelf = vec![package("hello", "1", "mail-agent"), mta];
        assert_eq!(resolved("hello", shelf), Ok(vec!["hello_1_all".into(), "exim_4_all".into()]));
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let error = resolved("hello=3", vec![package("hello", "1", "")]).unwrap_err();
        assert_eq!(error, "publication stretch holds no package hello=3; it holds hello_1_all");
        let error = resolved("hello", vec![package("hello", "1", "libfoo (>= 2)")]).unwrap_err();
        assert!(error.contains("hello_1_all depends on libfoo (>= 2)"), "{error}");
        assert!(error.contains("apt-get install libfoo"), "{error}");
    }
}
