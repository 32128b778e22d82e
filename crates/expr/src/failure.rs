//! Why an expression has no value, and where in it.

use std::fmt;

/// A failure at a column (characters from 0) of the text that was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Which kind: could not be parsed, refused, or no value.
    pub cause: Cause,
    /// Where, in characters from the start of the whole text.
    pub column: usize,
    /// What happened and, where it helps, what to write instead.
    pub message: String,
}

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is no expression of the language.
    Parse,
    /// It is one, but has no value here.
    Evaluate,
    /// It asks for something that expressions may not do: reflection, other types, assignments.
    Refused,
    /// It costs more than the budget allows.
    Budget,
}

impl Failure {
    pub(crate) fn parse(column: usize, message: impl Into<String>) -> Failure {
        Failure { cause: Cause::Parse, column, message: message.into() }
    }

    /// A failure of evaluation; the evaluator sets the column of the innermost part that failed.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { cause: Cause::Evaluate, column: usize::MAX, message: message.into() }
    }

    /// Something that no expression may do.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure { cause: Cause::Refused, column: usize::MAX, message: message.into() }
    }

    pub(crate) fn budget(message: impl Into<String>) -> Failure {
        Failure { cause: Cause::Budget, column: usize::MAX, message: message.into() }
    }

    /// Sets the column unless a part further inside did.
    pub(crate) fn at(mut self, column: usize) -> Failure {
        if self.column == usize::MAX {
            self.column = column;
        }
        self
    }

    /// Moves the column, because the expression stands further right in a text.
    pub(crate) fn shifted(mut self, by: usize) -> Failure {
        if self.column != usize::MAX {
            self.column += by;
        }
        self
    }

    /// The message under the line of `text` that it is about, with a caret at the column.
    pub fn pointing_into(&self, text: &str) -> String {
        let (mut before, mut line) = (0, "");
        for one in text.split('\n') {
            line = one;
            let length = one.chars().count() + 1;
            if self.column == usize::MAX || self.column < before + length {
                break;
            }
            before += length;
        }
        let inside = self.column.saturating_sub(before).min(line.chars().count());
        let room: String = line.chars().take(inside).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        match self.column {
            usize::MAX => format!("{line}\n{}", self.message),
            _ => format!("{line}\n{room}^ {}", self.message),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
