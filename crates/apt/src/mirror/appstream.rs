//! AppStream's files of a mirror (`COMPONENT/dep11/…`): kept as they are, shown again by publications of snapshots of it.

use std::collections::BTreeMap;

use debian::release::Listing;
use debian::source::Listed;

use super::{Fetch, Mirror};
use crate::cores;
use crate::error::{Error, Result};
use crate::pool::{self, Staged};
use crate::report::{Line, Sink};
use crate::root::Root;

/// So many files are recorded together.
const BATCH: usize = 64;

/// Brings what the pool does not have; gives path below the distribution to path in the pool. What `Release` lists and the server does not have is
/// left out: icons of sizes that nobody made.
pub fn bring(
    root: &Root,
    mirror: &Mirror,
    listing: &Listing,
    lax: bool,
    fetch: &dyn Fetch,
    sink: Sink<'_>,
) -> Result<BTreeMap<String, String>> {
    let of_mirror = |path: &str| mirror.components.iter().any(|one| path.starts_with(&format!("{one}/dep11/")));
    let (mut there, mut wanted) = (BTreeMap::new(), Vec::new());
    for (path, listed) in listing.files.iter().filter(|(path, _)| of_mirror(path)) {
        debian::names::path(path)?;
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let listed = Listed { name, ..listed.clone() };
        match pool::pool_path(&listed.sha256, &listed.name) {
            Ok(place) if root.pool().join(&place).is_file() => drop(there.insert(path.clone(), place)),
            _ => wanted.push((path, listed)),
        }
    }
    sink(Line::Step(format!("Downloading AppStream files ({})...", wanted.len())));
    for batch in wanted.chunks(BATCH) {
        let brought = cores::on_some(fetch.at_once(), batch, |(path, listed)| {
            match pool::download(root, &mirror.beside_release(path), listed, lax, fetch) {
                Err(Error::NotFound(_)) => Ok(None),
                file => file.map(Some),
            }
        })?;
        for ((path, _), file) in batch.iter().zip(&brought) {
            let Some(file) = file else { continue };
            there.insert((*path).clone(), pool::pool_path(&file.file.sums.sha256, &file.file.name)?);
        }
        let staged: Vec<Staged> = brought.into_iter().flatten().collect();
        pool::record(root, &staged)?;
    }
    Ok(there)
}
