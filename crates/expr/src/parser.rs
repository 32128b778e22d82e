//! From tokens to the tree: operators here, what stands between them in `operand`.
//!
//! Each level of brackets costs a handful of stack frames, so depth is bounded; chains cost none.

use crate::ast::{Comparison, Expr, Node, Operator, Prefix};
use crate::failure::Failure;
use crate::lexer::{Kind, Token, tokens};

mod operand;

/// The longest expression, in UTF-16 units.
pub const MAX_LENGTH: usize = 10_000;

/// How deep brackets, choices and signs may nest.
const MAX_DEPTH: usize = 100;

/// Parses the inside of one `${…}`.
pub fn parse(text: &str) -> Result<Expr, Failure> {
    if text.encode_utf16().count() > MAX_LENGTH {
        return Err(Failure::parse(0, format!("the expression is longer than {MAX_LENGTH} characters")));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, end: text.chars().count() };
    let expression = parser.expression()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(token) => {
            Err(Failure::parse(token.column, format!("the expression ends before {}", describe(&token.kind))))
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    /// The column of the next token, or the end.
    fn column(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |token| token.column)
    }

    fn peek_sign(&self) -> &'static str {
        match self.tokens.get(self.at) {
            Some(Token { kind: Kind::Sign(sign), .. }) => sign,
            _ => "",
        }
    }

    fn peek_word(&self) -> &str {
        match self.tokens.get(self.at) {
            Some(Token { kind: Kind::Word(word), .. }) => word,
            _ => "",
        }
    }

    /// Takes the next token if it is this sign.
    fn takes(&mut self, sign: &str) -> bool {
        let is = self.peek_sign() == sign;
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), Failure> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(match self.tokens.get(self.at) {
            None => Failure::parse(self.end, format!("the expression ends where '{sign}' should stand")),
            Some(token) => Failure::parse(token.column, format!("expected '{sign}', found {}", describe(&token.kind))),
        })
    }

    /// An expression of any precedence.
    fn expression(&mut self) -> Result<Expr, Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::parse(self.column(), format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let first = self.or()?;
        let column = self.column();
        let whole = match self.peek_sign() {
            "=" => return Err(Failure::parse(column, "assignments are refused; to compare, write ==")),
            "?:" => {
                self.at += 1;
                let other = self.expression()?;
                Expr { column, node: Node::Default(Box::new(first), Box::new(other)) }
            }
            "?" => {
                self.at += 1;
                let yes = self.expression()?;
                self.expect(":")?;
                let no = self.expression()?;
                Expr { column, node: Node::Choice(Box::new(first), Box::new(yes), Box::new(no)) }
            }
            _ => first,
        };
        self.depth -= 1;
        Ok(whole)
    }

    fn or(&mut self) -> Result<Expr, Failure> {
        let first = self.and()?;
        let column = first.column;
        let mut all = vec![first];
        while self.takes("||") || self.takes_word("or") {
            all.push(self.and()?);
        }
        Ok(single(all, column, Node::Or))
    }

    fn and(&mut self) -> Result<Expr, Failure> {
        let first = self.comparison()?;
        let column = first.column;
        let mut all = vec![first];
        while self.takes("&&") || self.takes_word("and") {
            all.push(self.comparison()?);
        }
        Ok(single(all, column, Node::And))
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is = self.peek_word().eq_ignore_ascii_case(word);
        self.at += usize::from(is);
        is
    }

    /// At most one comparison: they don't chain.
    fn comparison(&mut self) -> Result<Expr, Failure> {
        let left = self.chain(0)?;
        let column = self.column();
        let by = match self.peek_sign() {
            "==" => Comparison::Equal,
            "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => match self.peek_word().to_ascii_lowercase().as_str() {
                "instanceof" => Comparison::InstanceOf,
                "matches" => Comparison::Matches,
                "between" => Comparison::Between,
                _ => return Ok(left),
            },
        };
        self.at += 1;
        let right = self.chain(0)?;
        Ok(Expr { column, node: Node::Compare(Box::new(left), by, Box::new(right)) })
    }

    /// `level` 0: plus and minus, 1: times, divide, rest, 2: power.
    fn chain(&mut self, level: usize) -> Result<Expr, Failure> {
        if level == 3 {
            return self.prefixed();
        }
        let first = self.chain(level + 1)?;
        let column = self.column();
        let mut rest = Vec::new();
        loop {
            let operator = match (level, self.peek_sign()) {
                (0, "+") => Operator::Plus,
                (0, "-") => Operator::Minus,
                (1, "*") => Operator::Times,
                (1, "/") => Operator::Divide,
                (1, "%") => Operator::Rest,
                // One power only: `2 ^ 3 ^ 2` is no expression.
                (2, "^") if rest.is_empty() => Operator::Power,
                (2, "++" | "--") => {
                    return Err(Failure::parse(
                        self.column(),
                        "++ and -- are refused: they would change shared values",
                    ));
                }
                _ => break,
            };
            self.at += 1;
            rest.push((operator, self.chain(level + 1)?));
        }
        Ok(if rest.is_empty() { first } else { Expr { column, node: Node::Chain(Box::new(first), rest) } })
    }

    fn prefixed(&mut self) -> Result<Expr, Failure> {
        let column = self.column();
        let prefix = match self.peek_sign() {
            "+" => Prefix::Plus,
            "-" => Prefix::Minus,
            "!" => Prefix::Not,
            "++" | "--" => {
                return Err(Failure::parse(column, "++ and -- are refused: they would change shared values"));
            }
            _ => return self.operand(),
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::parse(column, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let of = self.prefixed()?;
        self.depth -= 1;
        Ok(Expr { column, node: Node::Prefix(prefix, Box::new(of)) })
    }
}

/// The only one, or all of them in a node.
fn single(mut all: Vec<Expr>, column: usize, node: fn(Vec<Expr>) -> Node) -> Expr {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        last => {
            all.extend(last);
            Expr { column, node: node(all) }
        }
    }
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Word(word) => format!("'{word}'"),
        Kind::Text(_) => "a text".to_owned(),
        Kind::Number(_) => "a number".to_owned(),
        Kind::Sign(sign) => format!("'{sign}'"),
    }
}
