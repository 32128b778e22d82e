//! The installer of a mirror: per architecture its images, as a `SHA256SUMS` beside them lists them.

use debian::package::{Package, PackageFile};
use debian::release::Listing;
use debian::source::{Listed, UNKNOWN_SIZE};
use debian::sums::Sums;
use jiff::Timestamp;

use super::offers::{Offered, OfferedFile};
use super::update::UpdateMirror;
use super::{Fetch, FetchError, Mirror};
use crate::error::{Error, Result};

/// The longest `SHA256SUMS`, and the longest signature of it, in bytes.
const LONGEST: u64 = 16 << 20;

/// Where the installer's images are, below a distribution.
pub fn folder(distribution: &str, component: &str, architecture: &str) -> String {
    // Ubuntu moved the old installer aside before it took it away.
    let images = if distribution == "focal" { "legacy-images" } else { "images" };
    format!("{component}/installer-{architecture}/current/{images}")
}

/// The installers that the mirror's components have; one that is not there is passed over.
pub fn offers(
    mirror: &Mirror,
    listing: &Listing,
    how: &UpdateMirror,
    fetch: &dyn Fetch,
    now: Timestamp,
) -> Result<Vec<Offered>> {
    let mut offered = Vec::new();
    for component in &mirror.components {
        for architecture in mirror.architectures.iter().filter(|one| *one != "source") {
            let folder = folder(&mirror.distribution, component, architecture);
            if let Some(sums) = sums(mirror, listing, &folder, how, fetch, now)? {
                offered.push(of(mirror, &folder, architecture, &sums)?);
            }
        }
    }
    Ok(offered)
}

/// The text of `SHA256SUMS`: listed in `Release`, or signed by itself.
fn sums(
    mirror: &Mirror,
    listing: &Listing,
    folder: &str,
    how: &UpdateMirror,
    fetch: &dyn Fetch,
    now: Timestamp,
) -> Result<Option<String>> {
    let path = format!("{folder}/SHA256SUMS");
    let bytes = match fetch.get(&mirror.beside_release(&path), LONGEST) {
        Err(FetchError::Missing(_)) => return Ok(None),
        bytes => bytes?,
    };
    match listing.files.get(&path) {
        _ if how.ignore_checksums => {}
        Some(listed) => crate::add::check(listed, &Sums::of(&bytes))?,
        None if how.trust.unchecked => {}
        None => {
            let signature = fetch.get(&mirror.beside_release(&format!("{path}.gpg")), LONGEST)?;
            how.trust.detached(&bytes, &signature, now)?;
        }
    }
    String::from_utf8(bytes).map(Some).map_err(|_| Error::Invalid(format!("{path} is not valid UTF-8")))
}

/// `1a2b…  ./netboot/mini.iso`, one line a file.
fn of(mirror: &Mirror, folder: &str, architecture: &str, text: &str) -> Result<Offered> {
    let (mut kept, mut files) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let odd = || Error::Invalid(format!("{folder}/SHA256SUMS, line {}: {line:?} is no sum and path", number + 1));
        let (sum, path) = line.split_once(char::is_whitespace).ok_or_else(odd)?;
        let path = path.trim().trim_start_matches('*').trim_start_matches("./");
        debian::names::path(path).map_err(|_| odd())?;
        if !store::id::is_sha256(sum) {
            return Err(odd());
        }
        let sha256 = sum.to_ascii_lowercase();
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let listed = Listed { name, size: UNKNOWN_SIZE, sha256: sha256.clone(), ..Listed::default() };
        let url = mirror.beside_release(&format!("{folder}/{path}"));
        kept.push(PackageFile { name: path.to_owned(), sums: Sums { sha256, ..Sums::default() } });
        files.push(OfferedFile { url, name: path.to_owned(), listed });
    }
    Ok(Offered { package: Package::installer(architecture, kept)?, files })
}
