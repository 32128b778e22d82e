//! What stands between operators: literals, names, calls, brackets, and the steps after them.

use super::{Parser, describe};
use crate::ast::{ArrayOf, Expr, MapKey, Node, Step, Which};
use crate::failure::Failure;
use crate::lexer::{Kind, Token};

impl Parser {
    /// A beginning and its steps.
    pub(super) fn operand(&mut self) -> Result<Expr, Failure> {
        let first = self.beginning()?;
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            steps.push(step);
        }
        if steps.is_empty() {
            return Ok(first);
        }
        Ok(Expr { column: first.column, node: Node::Compound(Box::new(first), steps) })
    }

    fn beginning(&mut self) -> Result<Expr, Failure> {
        let column = self.column();
        let node = match self.tokens.get(self.at).map(|token| token.kind.clone()) {
            None => return Err(Failure::parse(column, "the expression ends where a value should stand")),
            Some(Kind::Number(number)) => self.taken(Node::Number(number)),
            Some(Kind::Text(text)) => self.taken(Node::Text(text)),
            Some(Kind::Word(word)) => self.word(&word)?,
            Some(Kind::Sign("(")) => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                // Brackets leave no trace: `o[(name)]` is `o[name]`.
                return Ok(inner);
            }
            Some(Kind::Sign("{")) => self.list_or_map()?,
            Some(Kind::Sign("@")) => return Err(Failure::parse(column, "there are no beans to name with @")),
            Some(kind) => match self.bare_step()? {
                Some(step) => Node::Start(step),
                None => {
                    return Err(Failure::parse(
                        column,
                        format!("a value should stand where {} stands", describe(&kind)),
                    ));
                }
            },
        };
        Ok(Expr { column, node })
    }

    fn taken(&mut self, node: Node) -> Node {
        self.at += 1;
        node
    }

    fn sign_after(&self) -> &'static str {
        match self.tokens.get(self.at + 1) {
            Some(Token { kind: Kind::Sign(sign), .. }) => sign,
            _ => "",
        }
    }

    fn word(&mut self, word: &str) -> Result<Node, Failure> {
        match word.to_ascii_lowercase().as_str() {
            "true" => return Ok(self.taken(Node::Bool(true))),
            "false" => return Ok(self.taken(Node::Bool(false))),
            "null" => return Ok(self.taken(Node::Null)),
            "new" if self.sign_after() != "]" => return self.construction(),
            _ => {}
        }
        if word == "T" && self.sign_after() == "(" {
            self.at += 2;
            let name = self.qualified()?;
            self.expect(")")?;
            return Ok(Node::Type(name));
        }
        Ok(Node::Start(self.named(false)?))
    }

    fn construction(&mut self) -> Result<Node, Failure> {
        self.at += 1;
        let name = self.qualified()?;
        if let Some(of) = name.strip_suffix("[]") {
            self.expect("{")?;
            let Node::List(items) = self.list_or_map_after_brace()? else {
                return Err(Failure::parse(self.column(), "an array is made of a list: new String[]{'a', 'b'}"));
            };
            return Ok(Node::Array(of.to_owned(), ArrayOf::Items(items)));
        }
        if self.takes("[") {
            let length = Box::new(self.expression()?);
            self.expect("]")?;
            return Ok(Node::Array(name, ArrayOf::Length(length)));
        }
        match self.arguments()? {
            Some(args) => Ok(Node::New(name, args)),
            None => Err(Failure::parse(self.column(), format!("expected '(' after new {name}"))),
        }
    }

    /// `java.lang.Math`, or `String[]`.
    fn qualified(&mut self) -> Result<String, Failure> {
        let mut name = String::new();
        loop {
            match self.tokens.get(self.at).map(|token| &token.kind) {
                Some(Kind::Word(word)) => name += word,
                _ => return Err(Failure::parse(self.column(), "expected the name of a type")),
            }
            self.at += 1;
            if !self.takes(".") {
                break;
            }
            name.push('.');
        }
        while self.peek_sign() == "[" && self.sign_after() == "]" {
            self.at += 2;
            name += "[]";
        }
        Ok(name)
    }

    /// A property or a method: the word is next.
    fn named(&mut self, safe: bool) -> Result<Step, Failure> {
        let name = self.peek_word().to_owned();
        self.at += 1;
        Ok(match self.arguments()? {
            Some(args) => Step::Method { name, args, safe },
            None => Step::Property { name, safe },
        })
    }

    /// `( a, b )`, if it is next. One comma too many at the end is allowed.
    fn arguments(&mut self) -> Result<Option<Vec<Expr>>, Failure> {
        if !self.takes("(") {
            return Ok(None);
        }
        let mut args = Vec::new();
        loop {
            if self.takes(")") {
                return Ok(Some(args));
            }
            args.push(self.expression()?);
            if !self.takes(",") {
                self.expect(")")?;
                return Ok(Some(args));
            }
        }
    }

    /// `.x`, `?.x()`, `[0]`, `.?[…]` after something.
    fn step(&mut self) -> Result<Option<(Step, usize)>, Failure> {
        let column = self.column();
        let safe = match self.peek_sign() {
            "." => false,
            "?." => true,
            "[" => return Ok(Some((self.index()?, column))),
            _ => return Ok(None),
        };
        self.at += 1;
        let column = self.column();
        if !self.peek_word().is_empty() {
            return Ok(Some((self.named(safe)?, column)));
        }
        if self.peek_sign() == "[" {
            return Err(Failure::parse(column, "write a[b] without a dot"));
        }
        match self.bare_step()? {
            Some(step) => Ok(Some((made_safe(step, safe), column))),
            None => Err(Failure::parse(column, "a name should stand after the dot")),
        }
    }

    /// A selection, projection, index, variable or function, if it is next.
    fn bare_step(&mut self) -> Result<Option<Step>, Failure> {
        let which = match self.peek_sign() {
            "?[" => Which::All,
            "^[" => Which::First,
            "$[" => Which::Last,
            "![" => {
                self.at += 1;
                let what = Box::new(self.expression()?);
                self.expect("]")?;
                return Ok(Some(Step::Project { what, safe: false }));
            }
            "[" => return self.index().map(Some),
            "#" => return self.variable().map(Some),
            _ => return Ok(None),
        };
        self.at += 1;
        let condition = Box::new(self.expression()?);
        self.expect("]")?;
        Ok(Some(Step::Select { which, condition, safe: false }))
    }

    fn index(&mut self) -> Result<Step, Failure> {
        self.expect("[")?;
        let inner = self.expression()?;
        self.expect("]")?;
        Ok(Step::Index(Box::new(inner)))
    }

    fn variable(&mut self) -> Result<Step, Failure> {
        self.expect("#")?;
        let name = self.peek_word().to_owned();
        if name.is_empty() {
            return Err(Failure::parse(self.column(), "a name should stand after #"));
        }
        self.at += 1;
        Ok(match self.arguments()? {
            Some(args) => Step::Function { name, args },
            None => Step::Variable(name),
        })
    }

    fn list_or_map(&mut self) -> Result<Node, Failure> {
        self.expect("{")?;
        self.list_or_map_after_brace()
    }

    fn list_or_map_after_brace(&mut self) -> Result<Node, Failure> {
        if self.takes("}") {
            return Ok(Node::List(Vec::new()));
        }
        if self.takes(":") {
            self.expect("}")?;
            return Ok(Node::Map(Vec::new()));
        }
        let first = self.expression()?;
        if !self.takes(":") {
            let mut all = vec![first];
            while self.takes(",") {
                all.push(self.expression()?);
            }
            self.expect("}")?;
            return Ok(Node::List(all));
        }
        let mut all = vec![(key(first), self.expression()?)];
        while self.takes(",") {
            let next = self.expression()?;
            self.expect(":")?;
            all.push((key(next), self.expression()?));
        }
        self.expect("}")?;
        Ok(Node::Map(all))
    }
}

fn key(expression: Expr) -> MapKey {
    match expression.node {
        Node::Start(Step::Property { name, .. }) => MapKey::Name(name),
        node => MapKey::Computed(Expr { node, column: expression.column }),
    }
}

fn made_safe(step: Step, safe: bool) -> Step {
    match step {
        Step::Select { which, condition, .. } => Step::Select { which, condition, safe },
        Step::Project { what, .. } => Step::Project { what, safe },
        other => other,
    }
}
