//! What the indexes of a mirror list: packages, and where their files are.

use debian::control;
use debian::decompress::Compression;
use debian::package::{Kind, Package, PackageFile};
use debian::source::{self, Listed};
use debian::stanza::Stanza;
use debian::sums::Sums;

use super::update::UpdateMirror;
use super::{Fetch, Mirror, release};
use crate::cores;
use crate::error::{Error, Result};
use crate::report::{Line, Sink};

/// A package of an index, with where its files are.
pub struct Offered {
    pub package: Package,
    pub files: Vec<OfferedFile>,
}

/// A file of a package.
pub struct OfferedFile {
    /// Its address.
    pub url: String,
    /// What it is called in the package.
    pub name: String,
    /// What is listed of it.
    pub listed: Listed,
}

/// An index of a mirror.
pub struct Index {
    /// Its path beside the `Release`, not compressed.
    pub path: String,
    kind: Kind,
}

impl Index {
    /// The forms that a `Release` may list, in the order in which they are liked.
    pub fn forms(&self) -> impl Iterator<Item = String> + '_ {
        release::FORMS.iter().map(|form: &Compression| format!("{}{}", self.path, form.suffix()))
    }
}

/// The indexes that a mirror reads.
pub fn indexes(mirror: &Mirror) -> Vec<Index> {
    let mut indexes = Vec::new();
    let mut index = |path: String, kind: Kind| indexes.push(Index { path, kind });
    if mirror.is_flat() {
        index("Packages".into(), Kind::Deb);
        if mirror.sources {
            index("Sources".into(), Kind::Source);
        }
    }
    for component in &mirror.components {
        for architecture in mirror.architectures.iter().filter(|one| *one != "source") {
            index(format!("{component}/binary-{architecture}/Packages"), Kind::Deb);
            if mirror.udebs {
                index(format!("{component}/debian-installer/binary-{architecture}/Packages"), Kind::Udeb);
            }
        }
        if mirror.sources {
            index(format!("{component}/source/Sources"), Kind::Source);
        }
    }
    indexes
}

/// Everything that these indexes of a mirror list, in the order of an index.
pub fn offers(
    mirror: &Mirror,
    indexes: &[Index],
    listing: &debian::release::Listing,
    how: &UpdateMirror,
    fetch: &dyn Fetch,
    sink: Sink<'_>,
) -> Result<Vec<Offered>> {
    let texts = cores::on_some(fetch.at_once(), indexes, |index| {
        let path = &index.path;
        let Some(bytes) = release::index(mirror, listing, path, how.ignore_checksums, fetch)? else {
            return Err(Error::NotFound(format!("no candidates for {} found", mirror.beside_release(path))));
        };
        String::from_utf8(bytes).map_err(|_| Error::Invalid(format!("{path} is not valid UTF-8")))
    })?;
    let mut pieces = Vec::new();
    for (index, text) in indexes.iter().zip(&texts) {
        pieces.extend(
            control::pieces(text, cores::count() * 4).into_iter().map(|(before, piece)| (index, before, piece)),
        );
    }
    let read = cores::on_all(&pieces, |(index, before, piece)| read(mirror, index, *before, piece))?;
    let mut offered = Vec::new();
    for (some, odd) in read {
        offered.extend(some);
        odd.into_iter().for_each(|warning| sink(Line::Warning(warning)));
    }
    // A package for all architectures stands in every index.
    offered.sort_by(|a, b| a.package.key.cmp(&b.package.key));
    offered.dedup_by(|a, b| a.package.key == b.package.key);
    Ok(offered)
}

/// What a piece of an index lists, and warnings of packages that nobody can have: they do not keep the others away.
fn read(mirror: &Mirror, index: &Index, before: usize, piece: &str) -> Result<(Vec<Offered>, Vec<String>)> {
    let (mut offered, mut odd) = (Vec::new(), Vec::new());
    let path = &index.path;
    for paragraph in control::paragraphs(piece) {
        let paragraph = paragraph.map_err(|mut error| {
            error.line += before;
            Error::Invalid(format!("{path}: {error}"))
        })?;
        let stanza = Stanza::from_paragraph(&paragraph);
        let one = match index.kind {
            Kind::Source => offered_source(mirror, stanza),
            kind => offered_binary(mirror, stanza, kind),
        };
        match one {
            Ok(one) if mirror.is_flat() && !wanted(mirror, &one.package) => {}
            Ok(one) => offered.push(one),
            Err(error) => odd.push(format!("skipping a package of {path}, line {}: {error}", before + paragraph.line)),
        }
    }
    Ok((offered, odd))
}

/// A flat mirror has one index for all architectures.
fn wanted(mirror: &Mirror, package: &Package) -> bool {
    let own = &package.key.architecture;
    own == "all" || package.kind == Kind::Source || mirror.architectures.contains(own)
}

fn offered_binary(mirror: &Mirror, stanza: Stanza, kind: Kind) -> Result<Offered> {
    let path = stanza.get("Filename").trim_start_matches("./").to_owned();
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let size = stanza.get("Size").parse().map_err(|_| Error::Invalid("its size is not a number".into()))?;
    let sum = |field: &str| stanza.get(field).to_ascii_lowercase();
    let listed = Listed {
        name: name.clone(),
        size,
        md5: sum("MD5sum"),
        sha1: sum("SHA1"),
        sha256: sum("SHA256"),
        sha512: sum("SHA512"),
    };
    let url = address(mirror, &path)?;
    let sums = sums(&listed);
    Ok(Offered {
        package: Package::binary(stanza, kind, PackageFile { name, sums })?,
        files: vec![OfferedFile { url, name: listed.name.clone(), listed }],
    })
}

fn offered_source(mirror: &Mirror, stanza: Stanza) -> Result<Offered> {
    let files = source::listed(&stanza).map_err(|error| Error::Invalid(error.to_string()))?;
    let folder = stanza.get("Directory").trim_start_matches("./").trim_end_matches('/').to_owned();
    let mut found = Vec::new();
    let mut kept = Vec::new();
    for listed in files {
        let path =
            if folder.is_empty() || folder == "." { listed.name.clone() } else { format!("{folder}/{}", listed.name) };
        kept.push(PackageFile { name: listed.name.clone(), sums: sums(&listed) });
        found.push(OfferedFile { url: address(mirror, &path)?, name: listed.name.clone(), listed });
    }
    Ok(Offered { package: Package::source(stanza, kept)?, files: found })
}

fn sums(listed: &Listed) -> Sums {
    let Listed { size, md5, sha1, sha256, sha512, .. } = listed.clone();
    Sums { size, md5, sha1, sha256, sha512 }
}

/// The address of a package's file: paths in an index stay below the archive.
fn address(mirror: &Mirror, path: &str) -> Result<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let odd = parts.iter().any(|part| matches!(*part, "" | "." | ".."));
    if odd || path.chars().any(|c| c.is_control() || matches!(c, '?' | '#' | '\\')) {
        return Err(Error::Invalid(format!("{path:?} is no path of a file in an archive")));
    }
    let flat = mirror.distribution.trim_start_matches("./");
    let base = if mirror.is_flat() { format!("{}{flat}", mirror.archive) } else { mirror.archive.clone() };
    // In an address a plus and a tilde may stand as they are; a percent sign may not.
    Ok(format!("{base}{}", path.replace('%', "%25").replace(' ', "%20")))
}
