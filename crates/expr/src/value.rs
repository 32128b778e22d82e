//! What an expression can come to. JSON is looked at where it lies: only what an expression makes itself is new.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use serde_json::Value as Json;

use crate::dates::{Pattern, Unit};
use crate::number::Number;
use crate::scope::Thing;
use crate::types::Type;

/// A value; cheap to clone.
#[derive(Clone)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number of one of four kinds.
    Number(Number),
    /// One character, as `charAt` gives it; no text to `==`.
    Char(char),
    /// A text.
    Text(Text<'a>),
    /// A list.
    List(List<'a>),
    /// A list of fixed length, as `split` gives it: has `length`, but no methods of lists.
    Array(List<'a>),
    /// The keys or entries of an object.
    Set(List<'a>),
    /// An object with its members in order.
    Map(Map<'a>),
    /// A member of an object, as `entrySet` gives it.
    Entry(Rc<(Value<'a>, Value<'a>)>),
    /// A point in time.
    Instant(Timestamp),
    /// A point in time of the older kind: milliseconds since 1970.
    Date(i64),
    /// A day.
    LocalDate(Date),
    /// A day and a time of day.
    LocalDateTime(DateTime),
    /// A day of the week.
    DayOfWeek(Weekday),
    /// A unit of time.
    Unit(Unit),
    /// A UUID.
    Uuid(u128),
    /// How to write and read dates.
    DateFormat(Rc<Pattern>),
    /// A generator of pseudo-random numbers.
    Random(Rc<Cell<u64>>),
    /// A type, as in `T(Math)`.
    Type(Type),
    /// One of a fixed set of names, such as a status; equal to its name by `==`.
    Symbol(Text<'a>),
    /// Something with properties of its own.
    Thing(Rc<dyn Thing<'a> + 'a>),
    /// All names in scope: `#root`.
    Root,
    /// What `#doNotEval` wraps.
    Quoted(Rc<Value<'a>>),
}

/// A text, lent or made.
#[derive(Clone)]
pub enum Text<'a> {
    /// Lies in the execution.
    Lent(&'a str),
    /// Was made by the expression.
    Made(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Text::Lent(text) => text,
            Text::Made(text) => text,
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
impl Eq for Text<'_> {}
impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// A list, lent or made. `sparse`: members that are null do not exist in objects inside.
#[derive(Clone)]
pub enum List<'a> {
    /// Lies in the execution.
    Lent {
        /// The elements.
        items: &'a [Json],
        /// See above.
        sparse: bool,
    },
    /// Was made by the expression.
    Made(Rc<Vec<Value<'a>>>),
}

impl<'a> List<'a> {
    /// How many elements.
    pub fn len(&self) -> usize {
        match self {
            List::Lent { items, .. } => items.len(),
            List::Made(items) => items.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `at`.
    pub fn get(&self, at: usize) -> Option<Value<'a>> {
        match self {
            List::Lent { items, sparse } => items.get(at).map(|json| Value::lent(json, *sparse)),
            List::Made(items) => items.get(at).cloned(),
        }
    }

    /// All elements.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

impl<'a> FromIterator<Value<'a>> for List<'a> {
    fn from_iter<I: IntoIterator<Item = Value<'a>>>(items: I) -> Self {
        List::Made(Rc::new(items.into_iter().collect()))
    }
}

/// An object, lent or made.
#[derive(Clone)]
pub enum Map<'a> {
    /// Lies in the execution.
    Lent {
        /// The members.
        members: &'a serde_json::Map<String, Json>,
        /// Whether members that are null do not exist.
        sparse: bool,
    },
    /// Was made.
    Made(Rc<Members<'a>>),
    /// Lies in the execution, and where it has no member, another place is asked: the context of a stage.
    Reaching {
        /// Its own members: what is counted and listed.
        members: &'a serde_json::Map<String, Json>,
        /// Where else a member is looked for.
        further: Rc<dyn Further<'a> + 'a>,
    },
}

/// Another place for members.
pub trait Further<'a> {
    /// The member called `name`.
    fn member(&self, name: &str) -> Option<Value<'a>>;
}

/// The members of an object that was made.
pub type Members<'a> = IndexMap<Key<'a>, Value<'a>>;

/// A member's key: nearly always a text. Keys of different kinds are different (`1` is not `'1'`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// A text.
    Text(Text<'a>),
    /// No key.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of 32 bits.
    Int(i32),
    /// A whole number of 64 bits.
    Long(i64),
    /// Anything else, by its print.
    Other(Rc<str>),
}

impl<'a> Key<'a> {
    /// The key as a value.
    pub fn to_value(&self) -> Value<'a> {
        match self {
            Key::Text(text) => Value::Text(text.clone()),
            Key::Null => Value::Null,
            Key::Bool(b) => Value::Bool(*b),
            Key::Int(n) => Value::Number(Number::Int(*n)),
            Key::Long(n) => Value::Number(Number::Long(*n)),
            Key::Other(text) => Value::Text(Text::Made(text.clone())),
        }
    }

    /// The key as a member's name in JSON.
    pub fn name(&self) -> String {
        match self {
            Key::Text(text) => text.to_string(),
            Key::Null => "null".to_owned(),
            Key::Bool(b) => b.to_string(),
            Key::Int(n) => n.to_string(),
            Key::Long(n) => n.to_string(),
            Key::Other(text) => text.to_string(),
        }
    }
}

impl<'a> Map<'a> {
    /// An object of these members.
    pub fn made(members: Members<'a>) -> Map<'a> {
        Map::Made(Rc::new(members))
    }

    /// The member called `name`.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Map::Lent { members, sparse } => {
                members.get(name).filter(|json| !(*sparse && json.is_null())).map(|json| Value::lent(json, *sparse))
            }
            Map::Made(members) => members.get(&Key::Text(Text::Made(name.into()))).cloned(),
            Map::Reaching { members, .. } => members.get(name).map(Value::of),
        }
    }

    /// The member called `name`, here or further away.
    pub fn reach(&self, name: &str) -> Option<Value<'a>> {
        self.get(name).or_else(|| match self {
            Map::Reaching { further, .. } => further.member(name),
            _ => None,
        })
    }

    /// The member with this key, which need not be a text.
    pub fn get_key(&self, key: &Key<'a>) -> Option<Value<'a>> {
        match (self, key) {
            (_, Key::Text(name)) => self.get(name),
            (Map::Lent { .. } | Map::Reaching { .. }, _) => None,
            (Map::Made(members), key) => members.get(key).cloned(),
        }
    }

    /// How many members.
    pub fn len(&self) -> usize {
        match self {
            Map::Lent { members, sparse: false } => members.len(),
            Map::Lent { members, sparse: true } => members.values().filter(|json| !json.is_null()).count(),
            Map::Made(members) => members.len(),
            Map::Reaching { members, .. } => members.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All members in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (Key<'a>, Value<'a>)> + '_> {
        match self {
            Map::Lent { members, sparse } => {
                let sparse = *sparse;
                Box::new(
                    members
                        .iter()
                        .filter(move |(_, json)| !(sparse && json.is_null()))
                        .map(move |(name, json)| (Key::Text(Text::Lent(name)), Value::lent(json, sparse))),
                )
            }
            Map::Made(members) => Box::new(members.iter().map(|(key, value)| (key.clone(), value.clone()))),
            Map::Reaching { members, .. } => {
                Box::new(members.iter().map(|(name, json)| (Key::Text(Text::Lent(name)), Value::of(json))))
            }
        }
    }
}

impl<'a> Value<'a> {
    /// JSON as a value, looked at where it lies.
    pub fn of(json: &'a Json) -> Value<'a> {
        Value::lent(json, false)
    }

    /// JSON as a value; `sparse`: members of objects that are null do not exist.
    pub fn lent(json: &'a Json, sparse: bool) -> Value<'a> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(Number::from_json(n)),
            Json::String(text) => Value::Text(Text::Lent(text)),
            Json::Array(items) => Value::List(List::Lent { items, sparse }),
            Json::Object(members) => Value::Map(Map::Lent { members, sparse }),
        }
    }

    /// JSON that nobody keeps, as a value of its own.
    pub fn made(json: &Json) -> Value<'a> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(Number::from_json(n)),
            Json::String(text) => Value::text(text.as_str()),
            Json::Array(items) => Value::List(items.iter().map(Value::made).collect()),
            Json::Object(members) => Value::Map(Map::made(
                members
                    .iter()
                    .map(|(name, json)| (Key::Text(Text::Made(name.as_str().into())), Value::made(json)))
                    .collect(),
            )),
        }
    }

    /// A text that was made.
    pub fn text(text: impl Into<Rc<str>>) -> Value<'a> {
        Value::Text(Text::Made(text.into()))
    }

    /// A whole number of 32 bits.
    pub fn int(n: i32) -> Value<'a> {
        Value::Number(Number::Int(n))
    }

    /// A whole number of 64 bits.
    pub fn long(n: i64) -> Value<'a> {
        Value::Number(Number::Long(n))
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// What it is, for messages: `a text`, `an object`.
    pub fn what(&self) -> String {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(Number::Float(_) | Number::Double(_)) => "a fraction",
            Value::Number(_) => "a whole number",
            Value::Char(_) => "a character",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Array(_) => "an array",
            Value::Set(_) => "a set",
            Value::Map(_) => "an object",
            Value::Entry(_) => "an entry of an object",
            Value::Instant(_) => "an instant",
            Value::Date(_) => "a date",
            Value::LocalDate(_) => "a local date",
            Value::LocalDateTime(_) => "a local date and time",
            Value::DayOfWeek(_) => "a day of the week",
            Value::Unit(_) => "a unit of time",
            Value::Uuid(_) => "a UUID",
            Value::DateFormat(_) => "a date format",
            Value::Random(_) => "a random generator",
            Value::Type(_) => "a type",
            Value::Symbol(_) => "a status",
            Value::Root => "the names in scope",
            Value::Quoted(_) => "an expression that is not evaluated",
            Value::Thing(thing) => return thing.what(),
        }
        .to_owned()
    }
}
