//! Which maintainer scripts a package brings. They are only named here, never run.

use std::io::Read;

use super::{DebError, Part, walk, with_tar};
use crate::decompress::Limits;
use crate::tar::{EntryKind, TarError};

const SCRIPTS: [&str; 5] = ["config", "postinst", "postrm", "preinst", "prerm"];

/// The names of the maintainer scripts in the `.deb` in `input`, sorted.
pub fn scripts(input: impl Read) -> Result<Vec<&'static str>, DebError> {
    let mut found = Vec::new();
    walk(input, |part, member, body| {
        if part != Part::Control {
            return Ok(());
        }
        with_tar(member, body, Limits::METADATA, |archive| {
            archive.each(|entry, _| {
                if entry.kind == EntryKind::File {
                    found.extend(SCRIPTS.iter().filter(|name| **name == entry.path));
                }
                Ok::<(), TarError>(())
            })
        })
    })?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
