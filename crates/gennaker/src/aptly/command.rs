//! What a command and its flags are. Which there are is in `table`; how words become them is in `flags`.

use super::flags::Parsed;
use super::{Context, Failure};

/// How a flag takes its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None, or after `=`.
    Bool,
    /// One text.
    Text,
    /// A text each time it is given.
    List,
    /// A whole number.
    Int,
}

/// One flag.
#[derive(Debug)]
pub struct Flag {
    /// Without the hyphen.
    pub name: &'static str,
    /// How it takes its value.
    pub kind: Kind,
    /// What it is when it is not given.
    pub default: &'static str,
    /// One line.
    pub help: &'static str,
}

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its words.
    pub path: &'static [&'static str],
    /// The words that it takes, for usage.
    pub takes: &'static str,
    /// Its flags, in groups that several commands share.
    pub flags: &'static [&'static [Flag]],
    /// The least number of words.
    pub least: usize,
    /// The most.
    pub most: usize,
    /// Its words may look like flags (`task run`).
    pub keeps_words: bool,
    /// One line.
    pub help: &'static str,
    /// What it does.
    pub run: fn(&mut Context, &Parsed) -> Result<(), Failure>,
}

/// As many words as one likes.
pub const ANY: usize = usize::MAX;

/// A switch that is off.
pub const fn yes(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Bool, default: "false", help }
}

/// A text.
pub const fn text(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Text, default, help }
}

/// A text each time it is given.
pub const fn list(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::List, default: "", help }
}
