//! The grammar: `|` binds least, then `,`, then `!`, then parentheses.

use regex::RegexBuilder;

use super::lexer::{Token, tokens};
use super::{Query, QueryError, Test};
use crate::version::Relation;

/// A query may have so many words and be nested so deep; both are far past what a person writes.
const MOST_TOKENS: usize = 20_000;
const DEEPEST: usize = 200;

/// Reads a query.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let tokens = tokens(text)?;
    if tokens.len() > MOST_TOKENS {
        return Err(QueryError(format!("more than {MOST_TOKENS} words")));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let query = parser.or()?;
    match parser.peek() {
        Token::End => Ok(query),
        other => Err(unexpected(other, "end of query")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn unexpected(token: &Token, wanted: &str) -> QueryError {
    QueryError(format!("unexpected token {token}: expecting {wanted}"))
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn expect(&mut self, token: &Token, wanted: &str) -> Result<(), QueryError> {
        if self.peek() == token {
            self.at += 1;
            return Ok(());
        }
        Err(unexpected(self.peek(), wanted))
    }

    /// A list of operands, joined in a balanced tree so that a long list does not become a deep one.
    fn list(
        &mut self,
        sign: &Token,
        operand: fn(&mut Self) -> Result<Query, QueryError>,
        join: fn(Box<Query>, Box<Query>) -> Query,
    ) -> Result<Query, QueryError> {
        let first = operand(self)?;
        if self.peek() != sign {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.peek() == sign {
            self.at += 1;
            all.push(operand(self)?);
            if all.len() > MOST_TOKENS / 4 {
                return Err(QueryError("too many alternatives".into()));
            }
        }
        while all.len() > 1 {
            let mut pairs = Vec::with_capacity(all.len().div_ceil(2));
            let mut rest = all.into_iter();
            while let Some(a) = rest.next() {
                pairs.push(match rest.next() {
                    Some(b) => join(Box::new(a), Box::new(b)),
                    None => a,
                });
            }
            all = pairs;
        }
        all.pop().ok_or_else(|| unexpected(&Token::End, "field or package name"))
    }

    fn or(&mut self) -> Result<Query, QueryError> {
        self.list(&Token::Or, Self::and, Query::Or)
    }

    fn and(&mut self) -> Result<Query, QueryError> {
        self.list(&Token::And, Self::not, Query::And)
    }

    fn not(&mut self) -> Result<Query, QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(QueryError(format!("nested deeper than {DEEPEST}")));
        }
        let query = match self.peek() {
            Token::Not => {
                self.at += 1;
                Query::Not(Box::new(self.not()?))
            }
            Token::Open => {
                self.at += 1;
                let inside = self.or()?;
                self.expect(&Token::Close, "')'")?;
                inside
            }
            _ => self.operand()?,
        };
        self.depth -= 1;
        Ok(query)
    }

    fn operand(&mut self) -> Result<Query, QueryError> {
        let word = match self.next() {
            Token::Word(word) => word,
            other => return Err(unexpected(&other, "field or package name")),
        };
        if word.starts_with('$') || (word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.contains('_')) {
            let test = self.test()?;
            return Ok(Query::Field { field: word, test });
        }
        if !matches!(self.peek(), Token::Open | Token::OpenBrace)
            && let (Some(first), Some(last)) = (word.find('_'), word.rfind('_'))
            && first != last
        {
            let (name, version, architecture) = (&word[..first], &word[first + 1..last], &word[last + 1..]);
            return Ok(Query::Exact { name: name.into(), version: version.into(), architecture: architecture.into() });
        }
        let test = self.test()?;
        let mut architecture = String::new();
        if *self.peek() == Token::OpenBrace {
            self.at += 1;
            match self.next() {
                Token::Word(word) => architecture = word,
                other => return Err(unexpected(&other, "architecture")),
            }
            self.expect(&Token::CloseBrace, "'}'")?;
        }
        Ok(Query::Dependency { name: word, test, architecture })
    }

    /// The condition in parentheses, if there is one.
    fn test(&mut self) -> Result<Test, QueryError> {
        if *self.peek() != Token::Open {
            return Ok(Test::Present);
        }
        self.at += 1;
        let sign = match self.peek() {
            Token::Sign(sign) => {
                let sign = *sign;
                self.at += 1;
                sign
            }
            _ => "=",
        };
        let value = match self.next() {
            Token::Word(word) => word,
            other => return Err(unexpected(&other, "value")),
        };
        let test = match sign {
            "%" => Test::Glob(value),
            "~" => {
                let built = RegexBuilder::new(&value).size_limit(1 << 20).build();
                Test::Regex(built.map_err(|_| QueryError(format!("regular expression {value:?} cannot be read")))?)
            }
            sign => Test::Compare(Relation::of(sign).unwrap_or(Relation::Equal), value),
        };
        self.expect(&Token::Close, "')'")?;
        Ok(test)
    }
}
