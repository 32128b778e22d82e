//! One index (`Packages` or `Sources`) in all its forms, assembled from a piece for each leaf of the package list.
//!
//! Equal leaves make equal pieces. So the generation before is where most pieces come from: a layout says where each lies in
//! its files, with a check, and only the pieces of leaves that are new are rendered and compressed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use debian::compress::{Assembler, Extent, Part, first_bit};
use debian::decompress::Compression;
use debian::package::{Kind, Package};
use debian::sums::{Summing, Sums};
use serde::{Deserialize, Serialize};

use super::files;
use crate::cores;
use crate::error::{At, Result};

/// The forms of an index; the last is left out when asked for.
const FORMS: [Compression; 3] = [Compression::None, Compression::Gz, Compression::Bz2];
/// Counts how a package is rendered, and how a hash's state is written (by md-5, sha1, sha2): what another rendering left is not taken over.
const RENDERING: u32 = 1;
/// After so many leaves the states of the hashes are kept. All that is before them needs no hashing as long as it is the same.
pub(super) const BATCH: usize = 16;

/// Which packages an index is of.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    /// Its folder below the distribution: `main/binary-amd64`.
    pub folder: String,
    /// `Packages` or `Sources`.
    pub name: &'static str,
    pub architecture: String,
    pub kind: Kind,
}

impl Spec {
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    fn wants(&self, package: &Package) -> bool {
        package.kind == self.kind && package.is_for(&self.architecture)
    }

    /// The piece of these packages in all forms; `pool` is the component's.
    pub fn render(&self, packages: &[Package], pool: &str, forms: &[Compression]) -> io::Result<Vec<Part>> {
        let mut text = String::new();
        for package in packages.iter().filter(|package| self.wants(package)) {
            let below = package.pool_folder().unwrap_or_default();
            package.render(&format!("{pool}/{below}"), &mut text);
            text.push('\n');
        }
        forms.iter().map(|form| Part::new(*form, text.as_bytes())).collect()
    }
}

/// The forms to make.
pub(super) fn forms(skip_bz2: bool) -> &'static [Compression] {
    if skip_bz2 { &FORMS[..2] } else { &FORMS }
}

/// Where the pieces of an index lie.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Layout {
    rendering: u32,
    /// The pool that the pieces name.
    pool: String,
    /// In the order of the file: a leaf, and its piece in each form: bits, blocks, sum, check.
    leaves: Vec<(String, Vec<Place>)>,
    /// The states of the hashes of each form, after each batch.
    states: Vec<Vec<String>>,
}

/// A piece in one form: bits, blocks, sum, check. See [`Extent`].
type Place = (u64, u32, u32, u32);

impl Layout {
    fn bits(&self, form: usize) -> u64 {
        self.leaves.iter().filter_map(|(_, parts)| parts.get(form)).map(|part| part.0).sum()
    }
}

/// The index of the generation before.
pub(super) struct Old {
    /// A file a form; none for those that are empty.
    files: Vec<Option<File>>,
    /// Of each leaf: where its piece begins, in bits, and what it is, in each form.
    pieces: HashMap<String, Vec<(u64, Extent)>>,
    layout: Layout,
}

impl Old {
    /// The index `path` of a generation's `folder`, if its pieces can be taken over.
    pub fn open(folder: &Path, path: &str, layout: Layout, pool: &str) -> Option<Old> {
        if layout.rendering != RENDERING || layout.pool != pool {
            return None;
        }
        let mut files = Vec::new();
        let mut at: Vec<u64> = Vec::new();
        for (number, form) in FORMS.iter().enumerate() {
            let file = match layout.bits(number) {
                0 => None,
                _ => Some(File::open(folder.join(format!("{path}{}", form.suffix()))).ok()?),
            };
            files.push(file);
            at.push(first_bit(*form));
        }
        let mut pieces = HashMap::with_capacity(layout.leaves.len());
        for (leaf, parts) in &layout.leaves {
            let mut places = Vec::with_capacity(parts.len());
            for ((bits, blocks, sum, check), at) in parts.iter().zip(&mut at) {
                places.push((*at, Extent { bits: *bits, blocks: *blocks, sum: *sum, check: *check }));
                *at += bits;
            }
            pieces.insert(leaf.clone(), places);
        }
        Some(Old { files, pieces, layout })
    }

    /// The states of the hashes after `batch`, if it has the same leaves as that of `other`, which is being written.
    fn states_after(&self, other: &Layout, batch: usize) -> Option<&[String]> {
        let of = |layout: &'_ Layout| batch * BATCH..((batch + 1) * BATCH).min(layout.leaves.len());
        let (old, new) = (of(&self.layout), of(other));
        // The old batch may go on where the new one ends.
        let same = old == new && self.layout.leaves.get(old) == other.leaves.get(new);
        self.layout.states.get(batch).filter(|_| same).map(Vec::as_slice)
    }

    /// The piece of a leaf in all of `forms`; a form that it has not is made from the plain text. Nothing if the leaf is not there, or
    /// is not what it was.
    pub fn piece(&self, leaf: &str, forms: &[Compression]) -> Option<Vec<Part>> {
        let places = self.pieces.get(leaf)?;
        let mut parts: Vec<Part> = Vec::with_capacity(forms.len());
        for (number, form) in forms.iter().enumerate() {
            parts.push(match places.get(number) {
                Some((at, extent)) => self.cut(number, *at, *extent)?,
                None => Part::new(*form, &parts.first()?.bytes).ok()?,
            });
        }
        Some(parts)
    }

    fn cut(&self, form: usize, at: u64, extent: Extent) -> Option<Part> {
        if extent.bits == 0 {
            return Some(Part::default());
        }
        let shift = (at % 8) as u32;
        let length = usize::try_from((u64::from(shift) + extent.bits).div_ceil(8)).ok()?;
        let mut bytes = vec![0; length];
        self.files.get(form)?.as_ref()?.read_exact_at(&mut bytes, at / 8).ok()?;
        Part::cut(&bytes, shift, extent)
    }
}

/// A file that is summed while it is written.
pub(super) struct Summed {
    path: PathBuf,
    file: BufWriter<File>,
    summing: Summing,
    /// The state after what is written now, if it is known without summing.
    known: Option<Summing>,
}

impl Summed {
    pub fn create(path: PathBuf) -> Result<Summed> {
        let file = BufWriter::with_capacity(128 << 10, files::create(&path)?);
        Ok(Summed { path, file, summing: Summing::default(), known: None })
    }

    /// The state after what was written.
    fn state(&mut self) -> String {
        if let Some(known) = self.known.take() {
            self.summing = known;
        }
        self.summing.state()
    }

    pub fn finish(mut self) -> Result<Sums> {
        self.file.flush().at("write", &self.path)?;
        Ok(self.summing.finish())
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        if self.known.is_none() {
            self.summing.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An index that is being written.
pub(super) struct Growing {
    /// Its path below the distribution, without a form's suffix.
    path: String,
    forms: Vec<(Compression, PathBuf, Assembler<Summed>)>,
    layout: Layout,
    /// Whether all that was written so far is as in the generation before.
    same: bool,
}

impl Growing {
    /// Begins the index `path` in the generation's `folder`.
    pub fn new(folder: &Path, path: &str, pool: &str, forms: &[Compression]) -> Result<Growing> {
        let mut begun = Vec::with_capacity(forms.len());
        for form in forms {
            let file = folder.join(format!("{path}{}", form.suffix()));
            let assembler = Assembler::new(*form, Summed::create(file.clone())?).at("write", &file)?;
            begun.push((*form, file, assembler));
        }
        let layout = Layout { rendering: RENDERING, pool: pool.to_owned(), leaves: Vec::new(), states: Vec::new() };
        Ok(Growing { path: path.to_owned(), forms: begun, layout, same: true })
    }

    /// Appends the pieces of a batch of leaves, each given in each form; `old` is the index of the generation before. The forms are written
    /// and summed at once.
    pub fn push(&mut self, pieces: &[(&str, &[Part])], old: Option<&Old>) -> Result<()> {
        for (leaf, parts) in pieces {
            let places = parts.iter().map(|part| {
                let Extent { bits, blocks, sum, check } = part.extent;
                (bits, blocks, sum, check)
            });
            self.layout.leaves.push(((*leaf).to_owned(), places.collect()));
        }
        let batch = self.layout.states.len();
        let states = old.filter(|_| self.same).and_then(|old| old.states_after(&self.layout, batch));
        for (form, (_, _, assembler)) in self.forms.iter_mut().enumerate() {
            let known = states.and_then(|states| Summing::resume(states.get(form)?));
            self.same &= known.is_some();
            assembler.output().known = known;
        }
        cores::each(&mut self.forms, |number, (_, file, assembler)| {
            let mut parts = pieces.iter().filter_map(|(_, parts)| parts.get(number));
            parts.try_for_each(|part| assembler.push(part)).at("write", file)
        })?;
        let states = self.forms.iter_mut().map(|(_, _, assembler)| assembler.output().state());
        self.layout.states.push(states.collect());
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.layout.bits(0) == 0
    }

    /// Ends it: the files with their sums, by path, and where their pieces lie.
    pub fn finish(self) -> Result<(Vec<(String, Sums)>, Layout)> {
        let mut files = Vec::with_capacity(self.forms.len());
        for (form, file, assembler) in self.forms {
            let sums = assembler.finish().at("write", &file)?.finish()?;
            files.push((format!("{}{}", self.path, form.suffix()), sums));
        }
        Ok((files, self.layout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes an index of these leaves (each is its own text), taking over what it can; its layout, after all sums were checked.
    fn write(folder: &Path, leaves: &[String], old: Option<&Old>) -> Layout {
        let forms = forms(false);
        let mut growing = Growing::new(folder, "Packages", "pool/main", forms).unwrap();
        for batch in leaves.chunks(BATCH) {
            let parts = batch.iter().map(|leaf| {
                old.and_then(|old| old.piece(leaf, forms))
                    .unwrap_or_else(|| forms.iter().map(|form| Part::new(*form, leaf.as_bytes()).unwrap()).collect())
            });
            let parts: Vec<Vec<Part>> = parts.collect();
            let pieces: Vec<(&str, &[Part])> =
                batch.iter().map(String::as_str).zip(parts.iter().map(Vec::as_slice)).collect();
            growing.push(&pieces, old).unwrap();
        }
        let (files, layout) = growing.finish().unwrap();
        for (path, sums) in files {
            assert_eq!(
                sums,
                Sums::of(&std::fs::read(folder.join(&path)).unwrap()),
                "{path} of {} leaves",
                leaves.len()
            );
        }
        assert_eq!(std::fs::read_to_string(folder.join("Packages")).unwrap(), leaves.concat());
        layout
    }

    #[test]
    fn sums_are_right_wherever_the_change_is() {
        let leaves: Vec<String> = (0..70).map(|n| format!("Package: p{n}\n\n").repeat(n % 5 + 1)).collect();
        let changed = |at: usize| {
            let mut leaves = leaves.clone();
            leaves.insert(at, "Package: new\n\n".into());
            leaves
        };
        let before = tempfile::tempdir().unwrap();
        for next in [
            leaves.clone(),
            changed(0),
            changed(15),
            changed(16),
            changed(33),
            changed(70),
            leaves[..69].to_vec(),
            leaves[..64].to_vec(),
            leaves[..17].to_vec(),
            leaves[1..].to_vec(),
            [&leaves[..20], &leaves[40..]].concat(),
            Vec::new(),
        ] {
            let layout = write(before.path(), &leaves, None);
            let old = Old::open(before.path(), "Packages", layout, "pool/main").unwrap();
            let after = tempfile::tempdir().unwrap();
            let layout = write(after.path(), &next, Some(&old));
            let again = Old::open(after.path(), "Packages", layout, "pool/main").unwrap();
            write(tempfile::tempdir().unwrap().path(), &leaves, Some(&again));
        }
        let layout = write(before.path(), &leaves, None);
        assert!(Old::open(before.path(), "Packages", layout, "pool/other").is_none(), "it names another pool");
    }
}
