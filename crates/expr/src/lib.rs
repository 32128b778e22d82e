//! The expression language of pipelines: texts with `${…}`, its parser, its evaluator.
//!
//! Pure: the time and a source of random numbers come from the caller's [`Scope`], which also offers names and functions. Only data and
//! the listed functions, methods and types can be reached; every evaluation has a budget of steps and characters, regular expressions take
//! linear time. Which names a pipeline offers and what becomes of failures is not decided here but in `pipeline::evaluate`.
#![forbid(unsafe_code)]

mod ast;
mod budget;
mod convert;
mod dates;
mod eval;
mod failure;
mod format;
mod functions;
mod lexer;
mod mentions;
mod methods;
mod number;
mod operators;
mod parser;
mod patterns;
mod print;
mod scope;
mod statics;
mod template;
mod types;
mod value;
mod yaml;

pub use ast::Expr;
pub use budget::Budget;
pub use convert::to_bool;
pub use dates::{Pattern, Unit};
pub use eval::Evaluation;
pub use failure::{Cause, Failure};
pub use functions::names as functions;
pub use mentions::Mention;
pub use number::Number;
pub use parser::{MAX_LENGTH, parse};
pub use print::{Reader, print, to_json, to_text};
pub use scope::{Scope, Thing};
pub use template::{Filled, Template};
pub use types::Type;
pub use value::{Further, Key, List, Map, Members, Text, Value};
pub use yaml::{print as print_yaml, read as read_yaml};
