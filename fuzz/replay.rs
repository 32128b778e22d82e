//! Running a case on what lies in its corpus, for the tests of the crates that the cases are about.

use std::path::Path;

/// Runs `case` on every file of a corpus; each is named first, so that the one that breaks is known.
pub fn replay(corpus: &str, case: fn(&[u8])) -> usize {
    // Of the crate whose test this is.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(corpus);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    for file in &files {
        println!("{}", file.display());
        case(&std::fs::read(file).expect("it can be read"));
    }
    files.len()
}
