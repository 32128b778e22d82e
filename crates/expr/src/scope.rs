//! What the surroundings of an expression offer: names, functions, things with properties. The caller implements it.

use serde_json::Value as Json;

use crate::budget::Budget;
use crate::failure::Failure;
use crate::value::Value;

/// The surroundings of an expression.
pub trait Scope<'a> {
    /// The value of a bare name (`#root.name`). `Ok(None)` = there is no such name: null where `lenient`, else a failure.
    fn name(&self, name: &str) -> Result<Option<Value<'a>>, Failure>;

    /// The value of `#root['name']`, which may reach further than a bare name.
    fn member(&self, name: &str) -> Result<Option<Value<'a>>, Failure> {
        self.name(name)
    }

    /// Whether unknown names and members of objects are null.
    fn lenient(&self) -> bool;

    /// Calls `#function(args)` if the surroundings have it; the language's own functions are asked first.
    fn call(&self, function: &str, args: &[Value<'a>], cost: &Budget) -> Option<Result<Value<'a>, Failure>>;

    /// A property of a symbol, such as `successful` of a status.
    fn symbol(&self, symbol: &str, property: &str) -> Option<Value<'a>> {
        let _ = (symbol, property);
        None
    }

    /// The present.
    fn now(&self) -> jiff::Timestamp;

    /// The next pseudo-random number.
    fn random(&self) -> u64;
}

/// Something with properties of its own, of which only these can be reached: an execution, a stage, an artifact.
pub trait Thing<'a> {
    /// What it is, for messages: `a stage`.
    fn what(&self) -> String;

    /// A property; `None` = there is none.
    fn property(&self, name: &str) -> Option<Result<Value<'a>, Failure>>;

    /// A method other than a property's getter; `None` = there is none.
    fn method(&self, name: &str, args: &[Value<'a>]) -> Option<Result<Value<'a>, Failure>> {
        let _ = (name, args);
        None
    }

    /// As JSON, when it is a result.
    fn json(&self) -> Result<Json, Failure>;

    /// Which thing it is: two things with the same identity are equal.
    fn identity(&self) -> usize;
}
