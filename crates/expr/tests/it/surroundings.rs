//! A scope for tests: the members of a JSON object are the names.

use expr::{Budget, Evaluation, Failure, Filled, Reader, Scope, Template, Value};
use serde_json::Value as Json;

pub struct Names<'a>(pub &'a Json);

impl<'a> Scope<'a> for Names<'a> {
    fn name(&self, name: &str) -> Result<Option<Value<'a>>, Failure> {
        Ok(self.0.get(name).map(Value::of))
    }

    fn lenient(&self) -> bool {
        true
    }

    fn call(&self, _: &str, _: &[Value<'a>], _: &Budget) -> Option<Result<Value<'a>, Failure>> {
        None
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        4
    }
}

/// What a text comes to as JSON.
pub fn evaluate(text: &str, names: &Json) -> Result<Json, Failure> {
    let cost = Budget::default();
    let scope = Names(names);
    let run = Evaluation::new(&scope, &cost);
    match Template::parse(text)?.fill(&run, &cost)? {
        Filled::Value(value) => expr::to_json(&value, Reader::Result, &cost),
        Filled::Text { text, .. } => Ok(text.into()),
    }
}
