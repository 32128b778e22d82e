//! Packages: what a `.deb`, `.udeb`, `.ddeb` or `.dsc` is to a repository — identity, files, stanza.

use std::cmp::Ordering;
use std::fmt;

use crate::names::{self, NameError};
use crate::relation;
use crate::stanza::{BINARY_ORDER, SOURCE_ORDER, Stanza};
use crate::sums::{Fnv, Sums};
use crate::version;

/// What sort of package it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A binary package (`.deb`, `.ddeb`).
    Deb,
    /// A package of the installer (`.udeb`).
    Udeb,
    /// A source package (`.dsc` and its files).
    Source,
    /// The installer itself of an architecture: its images, as `SHA256SUMS` lists them.
    Installer,
}

impl Kind {
    /// The word that queries and records use.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Deb => "deb",
            Kind::Udeb => "udeb",
            Kind::Source => "source",
            Kind::Installer => "installer",
        }
    }

    /// The kind of that word.
    pub fn of(word: &str) -> Option<Kind> {
        Some(match word {
            "deb" => Kind::Deb,
            "udeb" => Kind::Udeb,
            "source" => Kind::Source,
            "installer" => Kind::Installer,
            _ => return None,
        })
    }
}

/// One file of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PackageFile {
    /// Its base name; of an installer's file the path below its `SHA256SUMS`.
    pub name: String,
    /// Its size and sums.
    pub sums: Sums,
}

/// What tells packages apart. The order is that of an index: name, then version from the latest to the earliest,
/// then architecture, then the files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Architecture; `source` for a source package.
    pub architecture: String,
    /// The hash over all files.
    pub files: u64,
}

impl Key {
    /// aptly's full key: `Pamd64 name 1.0 1a2b3c4d`.
    pub fn full(&self) -> String {
        format!("P{} {} {} {:08x}", self.architecture, self.name, self.version, self.files)
    }

    /// The key without the hash.
    pub fn short(&self) -> String {
        format!("P{} {} {}", self.architecture, self.name, self.version)
    }

    /// Reads a full key.
    pub fn parse(text: &str) -> Option<Key> {
        let mut words = text.strip_prefix('P')?.split(' ');
        let (architecture, name, version, files) = (words.next()?, words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || name.is_empty() {
            return None;
        }
        let files = u64::from_str_radix(files, 16).ok()?;
        Some(Key { name: name.into(), version: version.into(), architecture: architecture.into(), files })
    }

    /// Same name, version and architecture, whatever the files.
    pub fn same_place(&self, other: &Key) -> bool {
        self.name == other.name && self.architecture == other.architecture && self.version == other.version
    }
}

/// `name_version_arch`, as people read it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.name, self.version, self.architecture)
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        self.name
            .cmp(&other.name)
            .then_with(|| version::compare(&other.version, &self.version))
            // 1.0 and 0:1.0 are equal as versions, but not one package.
            .then_with(|| other.version.cmp(&self.version))
            .then_with(|| self.architecture.cmp(&other.architecture))
            .then_with(|| self.files.cmp(&other.files))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A package as a repository keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What tells it apart.
    pub key: Key,
    /// Its kind.
    pub kind: Kind,
    /// Its fields without those that say where its files are and what their sums are.
    pub stanza: Stanza,
    /// Its files by name.
    pub files: Vec<PackageFile>,
}

/// The name of installers.
pub const INSTALLER: &str = "installer";

/// Fields that are made anew for each index, so they are not kept.
const MADE_ANEW: [&str; 13] = [
    "Filename",
    "Size",
    "MD5Sum",
    "MD5sum",
    "Md5sum",
    "SHA1",
    "SHA256",
    "SHA512",
    "Directory",
    "Files",
    "Checksums-Sha1",
    "Checksums-Sha256",
    "Checksums-Sha512",
];

/// Lists that are split at commas and joined again.
const LISTS: [&str; 7] =
    ["Depends", "Pre-Depends", "Recommends", "Suggests", "Provides", "Build-Depends", "Build-Depends-Indep"];

impl Package {
    /// A binary package from the stanza of its control file and its one file.
    pub fn binary(mut stanza: Stanza, kind: Kind, file: PackageFile) -> Result<Package, NameError> {
        let (name, version) = (stanza.get("Package").to_owned(), stanza.get("Version").to_owned());
        let architecture = stanza.get("Architecture").to_owned();
        names::package(&name)?;
        names::version(&version)?;
        names::architecture(&architecture)?;
        names::file(&file.name)?;
        clean(&mut stanza);
        if !stanza.get("Source").is_empty() {
            names::package(source_word(stanza.get("Source")))?;
        }
        let files = vec![file];
        let key = Key { name, version, architecture, files: files_hash(&files) };
        Ok(Package { key, kind, stanza, files })
    }

    /// A source package from the stanza of its `.dsc` and its files, the `.dsc` among them.
    pub fn source(mut stanza: Stanza, mut files: Vec<PackageFile>) -> Result<Package, NameError> {
        let name = stanza.remove("Source").or_else(|| stanza.remove("Package")).unwrap_or_default();
        let version = stanza.get("Version").to_owned();
        names::package(&name)?;
        names::version(&version)?;
        for file in &files {
            names::file(&file.name)?;
        }
        clean(&mut stanza);
        stanza.set("Package", name.clone());
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let key = Key { name, version, architecture: "source".into(), files: files_hash(&files) };
        Ok(Package { key, kind: Kind::Source, stanza, files })
    }

    /// The installer of an architecture: aptly calls it `installer`, without a version.
    pub fn installer(architecture: &str, mut files: Vec<PackageFile>) -> Result<Package, NameError> {
        names::architecture(architecture)?;
        for file in &files {
            names::path(&file.name)?;
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut stanza = Stanza::default();
        stanza.set("Package", INSTALLER);
        stanza.set("Architecture", architecture);
        let (name, architecture) = (INSTALLER.to_owned(), architecture.to_owned());
        let key = Key { name, version: String::new(), architecture, files: files_hash(&files) };
        Ok(Package { key, kind: Kind::Installer, stanza, files })
    }

    /// The name of the source package it was built from; its own name if none is given.
    pub fn source_name(&self) -> &str {
        let source = source_word(self.stanza.get("Source"));
        if source.is_empty() { &self.key.name } else { source }
    }

    /// The version of the source package: the one in the parentheses of `Source`, else its own.
    pub fn source_version(&self) -> &str {
        let source = self.stanza.get("Source");
        source
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map_or(&self.key.version, |(version, _)| version.trim())
    }

    /// Whether it belongs into the index of `architecture`: `all` packages belong into each but `source`.
    pub fn is_for(&self, architecture: &str) -> bool {
        is_for(&self.key.architecture, architecture)
    }

    /// The folder below a component's pool: `h/hello`, `libf/libfoo`. Sources with one letter have none, as in aptly.
    pub fn pool_folder(&self) -> Option<String> {
        let source = self.source_name();
        if source.len() < 2 {
            return None;
        }
        let start = if source.starts_with("lib") { 4.min(source.len()) } else { 1 };
        Some(format!("{}/{source}", &source[..start]))
    }

    /// Writes its stanza for an index; `folder` is where its files are published (`pool/main/h/hello`).
    pub fn render(&self, folder: &str, into: &mut String) {
        let mut stanza = self.stanza.clone();
        match self.kind {
            Kind::Source => {
                stanza.set("Directory", folder);
                set_source_sums(&mut stanza, &self.files);
                stanza.render(&SOURCE_ORDER, into);
            }
            // No index has it.
            Kind::Installer => {}
            Kind::Deb | Kind::Udeb => {
                if let Some(file) = self.files.first() {
                    let path = if folder.is_empty() { file.name.clone() } else { format!("{folder}/{}", file.name) };
                    stanza.set("Filename", path);
                    stanza.set("Size", file.sums.size.to_string());
                    stanza.set("MD5sum", file.sums.md5.clone());
                    stanza.set("SHA1", file.sums.sha1.clone());
                    stanza.set("SHA256", file.sums.sha256.clone());
                    stanza.set("SHA512", file.sums.sha512.clone());
                }
                stanza.render(&BINARY_ORDER, into);
            }
        }
    }

    /// All fields that a template or a query can name, those of an index included.
    pub fn full_stanza(&self) -> Stanza {
        let mut stanza = self.stanza.clone();
        match self.kind {
            Kind::Source => set_source_sums(&mut stanza, &self.files),
            Kind::Installer => {}
            Kind::Deb | Kind::Udeb => {
                if let Some(file) = self.files.first() {
                    stanza.set("Filename", file.name.clone());
                    stanza.set("Size", file.sums.size.to_string());
                    stanza.set("MD5sum", file.sums.md5.clone());
                    stanza.set("SHA1", file.sums.sha1.clone());
                    stanza.set("SHA256", file.sums.sha256.clone());
                    stanza.set("SHA512", file.sums.sha512.clone());
                }
            }
        }
        stanza
    }
}

/// Whether a package of `architecture` belongs into the index of `index`.
pub fn is_for(architecture: &str, index: &str) -> bool {
    architecture == index || (architecture == "all" && index != "source")
}

fn source_word(source: &str) -> &str {
    source.split('(').next().unwrap_or("").trim()
}

fn clean(stanza: &mut Stanza) {
    for name in MADE_ANEW {
        stanza.remove(name);
    }
    for name in LISTS {
        let joined = relation::list(stanza.get(name)).join(", ");
        stanza.set(name, joined);
    }
}

fn set_source_sums(stanza: &mut Stanza, files: &[PackageFile]) {
    let list = |sum: fn(&Sums) -> &str| {
        let lines = files.iter().filter(|file| !sum(&file.sums).is_empty());
        lines.map(|file| format!("\n {} {} {}", sum(&file.sums), file.sums.size, file.name)).collect::<String>()
    };
    stanza.set("Files", list(|sums| &sums.md5));
    stanza.set("Checksums-Sha1", list(|sums| &sums.sha1));
    stanza.set("Checksums-Sha256", list(|sums| &sums.sha256));
    stanza.set("Checksums-Sha512", list(|sums| &sums.sha512));
}

/// aptly's hash over the files: name, size and sums of each, in the order of the names.
pub fn files_hash(files: &[PackageFile]) -> u64 {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut fnv = Fnv::default();
    for file in sorted {
        fnv.update(file.name.as_bytes());
        fnv.update(&file.sums.size.to_be_bytes());
        fnv.update(file.sums.md5.as_bytes());
        fnv.update(file.sums.sha1.as_bytes());
        fnv.update(file.sums.sha256.as_bytes());
    }
    fnv.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::parse_one;

    fn hello(version: &str, extra: &str) -> Package {
        let text = format!("Package: hello\nVersion: {version}\nArchitecture: amd64\n{extra}");
        let stanza = Stanza::from_paragraph(&parse_one(text.as_bytes()).unwrap());
        let file = PackageFile { name: format!("hello_{version}_amd64.deb"), sums: Sums::of(b"x") };
        Package::binary(stanza, Kind::Deb, file).unwrap()
    }

    #[test]
    fn the_index_order_is_name_then_latest_version_then_architecture() {
        let key = |text: &str| Key::parse(text).unwrap();
        let mut keys = [
            key("Pi386 b 1.0 1"),
            key("Pamd64 b 1.10 1"),
            key("Pamd64 b 1.0 1"),
            key("Pall a 1 ff"),
            key("Pamd64 b 1.9 1"),
        ];
        keys.sort();
        let shown: Vec<_> = keys.iter().map(Key::to_string).collect();
        assert_eq!(shown, ["a_1_all", "b_1.10_amd64", "b_1.9_amd64", "b_1.0_amd64", "b_1.0_i386"]);
    }

    #[test]
    fn a_key_survives_the_round_trip_and_keeps_at_least_eight_digits() {
        let key = Key { name: "hello".into(), version: "1:2-3".into(), architecture: "all".into(), files: 0xabc };
        assert_eq!(key.full(), "Pall hello 1:2-3 00000abc");
        assert_eq!(Key::parse(&key.full()), Some(key));
        assert_eq!(Key::parse("all hello 1 2"), None);
    }

    #[test]
    fn sources_name_the_pool_folder() {
        assert_eq!(hello("1", "").pool_folder().as_deref(), Some("h/hello"));
        assert_eq!(hello("1", "Source: libfoo (2.0)\n").pool_folder().as_deref(), Some("libf/libfoo"));
        assert_eq!(hello("1", "Source: libfoo (2.0)\n").source_version(), "2.0");
        assert_eq!(hello("1", "Source: r\n").pool_folder(), None);
    }

    #[test]
    fn a_source_that_would_be_a_path_is_refused() {
        let text = b"Package: x\nVersion: 1\nArchitecture: all\nSource: ../../etc (1)\n";
        let stanza = Stanza::from_paragraph(&parse_one(text).unwrap());
        let file = PackageFile { name: "x.deb".into(), sums: Sums::of(b"") };
        assert!(Package::binary(stanza, Kind::Deb, file).is_err());
    }

    #[test]
    fn values_from_the_package_cannot_say_where_its_file_is() {
        let mut text = String::new();
        hello("1", "Filename: /etc/passwd\nSize: 0\nSHA256: 00\nDepends: a,b ,\n")
            .render("pool/main/h/hello", &mut text);
        let sums = Sums::of(b"x");
        assert_eq!(
            text,
            format!(
                "Package: hello\nArchitecture: amd64\nVersion: 1\nDepends: a, b\nFilename: pool/main/h/hello/hello_1_amd64.deb\nSize: 1\n\
                 MD5sum: {}\nSHA1: {}\nSHA256: {}\nSHA512: {}\n",
                sums.md5, sums.sha1, sums.sha256, sums.sha512
            )
        );
    }
}
