//! Texts with `${…}` in them: where expressions begin and end, and what the text comes to.

use crate::ast::Expr;
use crate::budget::Budget;
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::mentions::{self, Mention};
use crate::parser;
use crate::print::to_text;
use crate::value::Value;

/// A text cut into its parts.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    /// The text inside `${…}` without blanks around it, and the column where it begins.
    Expression {
        text: String,
        tree: Expr,
        column: usize,
    },
}

/// What a text came to.
pub enum Filled<'a> {
    /// It is one expression and nothing else: its value as it is.
    Value(Value<'a>),
    /// A text. `gaps`: a part was null and stands there as it was written.
    Text {
        /// The text.
        text: String,
        /// Whether a part was null.
        gaps: bool,
        /// Whether what an expression came to looks like one itself.
        carries: bool,
    },
}

impl Template {
    /// Whether a text has anything to evaluate.
    pub fn is_in(text: &str) -> bool {
        text.contains("${")
    }

    /// Cuts a text and parses its expressions.
    pub fn parse(text: &str) -> Result<Template, Failure> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut column = 0;
        while let Some(begin) = rest.find("${") {
            if begin > 0 {
                parts.push(Part::Literal(rest[..begin].to_owned()));
            }
            column += rest[..begin].chars().count() + 2;
            let inside = &rest[begin + 2..];
            let end = end_of(inside, column)?;
            let text = inside[..end].trim_matches(|c: char| c <= ' ');
            if text.is_empty() {
                return Err(Failure::parse(column, "there is no expression between the brackets"));
            }
            if names_a_secret(text) {
                parts.push(Part::Literal(rest[begin..begin + 2 + end + 1].to_owned()));
                column += inside[..end].chars().count() + 1;
                rest = &inside[end + 1..];
                continue;
            }
            let blanks = inside.chars().take_while(|c| *c <= ' ').count();
            let tree = parser::parse(text).map_err(|failure| failure.shifted(column + blanks))?;
            parts.push(Part::Expression { text: text.to_owned(), tree, column: column + blanks });
            column += inside[..end].chars().count() + 1;
            rest = &inside[end + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Template { parts })
    }

    /// The names and functions that its expressions mention, from the left.
    pub fn mentions(&self) -> Vec<Mention> {
        let mut all = Vec::new();
        for part in &self.parts {
            if let Part::Expression { tree, column, .. } = part {
                let shifted = |mention: Mention| Mention { column: mention.column + column, ..mention };
                all.extend(mentions::of(tree).into_iter().map(shifted));
            }
        }
        all
    }

    /// The text with its expressions run together without `${ }`: how Spinnaker names what failed.
    pub fn bare(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) | Part::Expression { text, .. } => text.as_str(),
            })
            .collect()
    }

    /// Evaluates the expressions and puts the text together.
    pub fn fill<'a>(&self, run: &Evaluation<'_, 'a>, cost: &Budget) -> Result<Filled<'a>, Failure> {
        if let [Part::Expression { tree, column, .. }] = self.parts.as_slice() {
            return run.evaluate(tree).map(Filled::Value).map_err(|failure| failure.shifted(*column));
        }
        let (mut out, mut gaps, mut carries) = (String::new(), false, false);
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Expression { text, tree, column } => {
                    let filled = run.evaluate(tree).map_err(|failure| failure.shifted(*column))?;
                    match to_text(&filled, cost).map_err(|failure| failure.at(*column))? {
                        Some(value) => {
                            carries |= Template::is_in(&value);
                            out.push_str(&value);
                        }
                        None => {
                            gaps = true;
                            out.push_str(&format!("${{{text}}}"));
                        }
                    }
                }
            }
        }
        cost.text(out.len())?;
        Ok(Filled::Text { text: out, gaps, carries })
    }
}

/// Whether an expression names a secret, `secret('name')`. It stays as it is written: the value is put in by what sends it, and stands nowhere.
fn names_a_secret(text: &str) -> bool {
    let inside = text.strip_prefix('#').unwrap_or(text).strip_prefix("secret(").and_then(|rest| rest.strip_suffix(')'));
    let name = inside.map(str::trim).and_then(|name| {
        name.strip_prefix('\'')
            .and_then(|name| name.strip_suffix('\''))
            .or_else(|| name.strip_prefix('"').and_then(|name| name.strip_suffix('"')))
    });
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)))
}

/// Where the `}` of an expression stands: brackets are balanced, quoted texts skipped.
fn end_of(inside: &str, column: usize) -> Result<usize, Failure> {
    let mut open: Vec<char> = Vec::new();
    let mut chars = inside.char_indices().enumerate();
    while let Some((count, (at, c))) = chars.next() {
        let here = column + count;
        match c {
            '}' if open.is_empty() => return Ok(at),
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' => match (open.pop(), c) {
                (Some('('), ')') | (Some('['), ']') | (Some('{'), '}') => {}
                (Some(other), _) => return Err(Failure::parse(here, format!("'{c}' does not close '{other}'"))),
                (None, _) => return Err(Failure::parse(here, format!("'{c}' closes nothing"))),
            },
            '\'' | '"' if !chars.any(|(_, (_, other))| other == c) => {
                return Err(Failure::parse(here, "this text has no closing quote"));
            }
            _ => {}
        }
    }
    Err(match open.last() {
        Some(bracket) => Failure::parse(column, format!("'{bracket}' is not closed")),
        None => Failure::parse(column.saturating_sub(2), "this ${ has no }"),
    })
}
