//! What fuzzing starts from and what it found, replayed: `fuzz/` has the fuzzers, `make fuzz` runs them.

use std::path::Path;

#[path = "../../../../fuzz/cases/control.rs"]
mod control;
#[path = "../../../../fuzz/cases/deb.rs"]
mod deb;
#[path = "../../../../fuzz/cases/query.rs"]
mod query;
#[path = "../../../../fuzz/cases/release.rs"]
mod release;

/// Runs `case` on every file of a corpus; each is named first, so that the one that breaks is known.
fn replay(corpus: &str, case: fn(&[u8])) -> usize {
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

#[test]
fn control_files_of_the_corpus_are_refused_or_rendered_as_they_are() {
    assert!(replay("control", control::one) >= 4);
}

#[test]
fn queries_of_the_corpus_mean_nothing_without_the_names_that_they_tell() {
    assert!(replay("query", query::one) >= 8);
}

#[test]
fn signed_texts_of_the_corpus_are_refused_or_read() {
    assert!(replay("release", release::one) >= 4);
}

#[test]
fn packages_of_the_corpus_are_refused_or_read() {
    assert!(replay("deb", deb::one) >= 3);
}
