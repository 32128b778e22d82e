//! What fuzzing starts from and what it found, replayed: `fuzz/` has the fuzzers, `make fuzz` runs them.

#[path = "../../../../fuzz/cases/expression.rs"]
mod expression;
#[path = "../../../../fuzz/cases/pipeline.rs"]
mod pipeline_json;
#[path = "../../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn no_expression_of_the_corpus_breaks_the_evaluator() {
    assert!(replay("expression", expression::one) >= 28);
}

#[test]
fn every_pipeline_of_the_corpus_is_refused_or_ends() {
    assert!(replay("pipeline", pipeline_json::one) >= 6);
}
