//! What is asked for, and the recipe that it comes to: exactly which bytes go into the image and who puts them there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use debian::sums::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::BakeError;
use crate::source::Candidate;

/// What somebody wants baked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The packages; the first one gives the image its name and its command.
    pub packages: Vec<WantedPackage>,
    /// The base image; `host` is this machine's `/usr`.
    pub base: String,
    /// The builder.
    pub builder: String,
    /// Further options; each one is part of the recipe.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Instead of the first package's name in the image's name.
    #[serde(default)]
    pub image_name: Option<String>,
    /// Instead of the time in the image's name.
    #[serde(default)]
    pub suffix: Option<String>,
    /// Where it comes from, kept with the image: publication, generation, build.
    #[serde(default)]
    pub provenance: serde_json::Value,
}

impl Request {
    /// These packages on this machine's `/usr`, by the built-in builder.
    pub fn of(packages: Vec<WantedPackage>) -> Request {
        Request {
            packages,
            base: "host".into(),
            builder: "built-in".into(),
            options: BTreeMap::new(),
            image_name: None,
            suffix: None,
            provenance: serde_json::Value::Null,
        }
    }
}

/// A package that somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedPackage {
    /// Its name.
    pub name: String,
    /// Exactly this version; else the highest.
    #[serde(default)]
    pub version: Option<String>,
    /// Exactly this architecture; else whatever runs here.
    #[serde(default)]
    pub architecture: Option<String>,
    /// Exactly these bytes.
    #[serde(default)]
    pub sha256: Option<String>,
}

impl WantedPackage {
    /// Reads `name`, `name=version` or `name_version_architecture` (also with `.deb` at the end).
    pub fn parse(word: &str) -> Result<WantedPackage, BakeError> {
        let bad = || BakeError::PackageName(word.to_owned());
        let word_only = word.strip_suffix(".deb").unwrap_or(word);
        let mut wanted = WantedPackage::default();
        if let Some((name, version)) = word_only.split_once('=') {
            wanted.name = name.to_owned();
            wanted.version = Some(version.to_owned());
        } else if let Some((name, rest)) = word_only.split_once('_') {
            let (version, architecture) = match rest.rsplit_once('_') {
                Some((version, architecture)) => (version, Some(architecture.to_owned())),
                None => (rest, None),
            };
            wanted.name = name.to_owned();
            wanted.version = Some(version.to_owned());
            wanted.architecture = architecture;
        } else {
            wanted.name = word_only.to_owned();
        }
        let name = wanted.name.as_bytes();
        let good_name = name.len() >= 2
            && name[0].is_ascii_alphanumeric()
            && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
        let good_version = wanted.version.as_deref().is_none_or(debian::version::is_version);
        if good_name && good_version { Ok(wanted) } else { Err(bad()) }
    }

    /// Reads words separated by blanks.
    pub fn list(text: &str) -> Result<Vec<WantedPackage>, BakeError> {
        text.split_whitespace().map(WantedPackage::parse).collect()
    }

    /// As people write it.
    pub fn shown(&self) -> String {
        match &self.version {
            Some(version) => format!("{}={version}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Exactly what goes into an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipe {
    /// What was asked for.
    pub request: Request,
    /// Identity of the base image.
    pub base_digest: String,
    /// Every package file of the closure; the wanted ones first, in the order of the request.
    pub packages: Vec<Candidate>,
    /// Dependencies that are not in the image because the base has them, each with what satisfies it.
    pub from_base: Vec<String>,
}

impl Recipe {
    /// Base image's digest + SHA-256 of every package file + builder and its options; never names or versions alone.
    pub fn key(&self) -> String {
        let mut sums: Vec<&str> = self.packages.iter().map(|p| p.sha256.as_str()).collect();
        // Which package the image is named after decides what it runs, so the first one's place counts; the others' does not.
        let first = sums.first().copied().unwrap_or_default().to_owned();
        sums.sort_unstable();
        let mut hash = Sha256::new();
        // Each part with its length before it, so that no two lists of parts give the same bytes.
        let mut part = |kind: &str, text: &str| {
            hash.update(format!("{kind}\0{}\0", text.len()));
            hash.update(text);
        };
        part("base", &self.base_digest);
        part("first", &first);
        for sum in sums {
            part("package", sum);
        }
        part("builder", &self.request.builder);
        for (name, value) in &self.request.options {
            part("option", name);
            part("value", value);
        }
        hex(&hash.finalize())
    }
}

/// The SHA-256 of a file.
pub(crate) fn sum(path: &Path) -> Result<String, BakeError> {
    let mut file = File::open(path).map_err(BakeError::io("cannot open", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer).map_err(BakeError::io("cannot read", path))? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, sha256: &str) -> Candidate {
        Candidate {
            name: name.into(),
            version: "1.0".into(),
            architecture: "all".into(),
            sha256: sha256.into(),
            depends: String::new(),
            provides: String::new(),
            file: "/pool/x.deb".into(),
        }
    }

    fn recipe(sums: &[&str]) -> Recipe {
        Recipe {
            request: Request::of(vec![WantedPackage::parse("hello").unwrap()]),
            base_digest: "sha256:base".into(),
            packages: sums.iter().map(|s| package("hello", s)).collect(),
            from_base: vec![],
        }
    }

    #[test]
    fn the_key_is_made_of_bytes_not_of_names() {
        let first = recipe(&["aa", "bb", "cc"]);
        assert_eq!(first.key(), recipe(&["aa", "cc", "bb"]).key(), "order of dependencies");
        assert_ne!(first.key(), recipe(&["bb", "aa", "cc"]).key(), "another package is the main one");
        assert_ne!(first.key(), recipe(&["aa", "bb", "cd"]).key(), "same version, other bytes");
        let mut moved = first.clone();
        moved.packages[0].version = "2.0".into();
        moved.packages[0].file = "/elsewhere/y.deb".into();
        assert_eq!(first.key(), moved.key());
        let mut other = first.clone();
        other.base_digest = "sha256:other".into();
        assert_ne!(first.key(), other.key(), "other base");
        let mut other = first.clone();
        other.request.options.insert("command".into(), "x".into());
        assert_ne!(first.key(), other.key(), "other options");
    }

    #[test]
    fn packages_are_named_in_three_ways() {
        let shown = |word: &str| WantedPackage::parse(word).map(|w| (w.name, w.version, w.architecture)).ok();
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(shown("hello"), Some(("hello".into(), None, None)));
        assert_eq!(shown("hello=1:2.0-1"), Some(("hello".into(), some("1:2.0-1"), None)));
        assert_eq!(shown("hello_1.0_all.deb"), Some(("hello".into(), some("1.0"), some("all"))));
        for bad in ["", "-x", "../x", "Hello", "hello=", "hello=1/0", "hel;lo"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
