//! What fuzzing starts from and what it found, replayed: `fuzz/` has the fuzzers, `make fuzz` runs them.

use std::path::Path;

#[path = "../../../../fuzz/cases/expression.rs"]
mod expression;
#[path = "../../../../fuzz/cases/pipeline.rs"]
mod pipeline_json;

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
fn no_expression_of_the_corpus_breaks_the_evaluator() {
    assert!(replay("expression", expression::one) >= 28);
}

#[test]
fn every_pipeline_of_the_corpus_is_refused_or_ends() {
    assert!(replay("pipeline", pipeline_json::one) >= 6);
}
