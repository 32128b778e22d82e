//! What fuzzing starts from and what it found, replayed: `fuzz/` has the fuzzers, `make fuzz` runs them.

#[path = "../../../../fuzz/cases/control.rs"]
mod control;
#[path = "../../../../fuzz/cases/deb.rs"]
mod deb;
#[path = "../../../../fuzz/cases/query.rs"]
mod query;
#[path = "../../../../fuzz/cases/release.rs"]
mod release;
#[path = "../../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

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
