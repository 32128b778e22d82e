//! Words of a query. An unquoted word ends at a blank or one of `) | , ! { }`, not at `(` and not at operators in it.

use std::fmt;

use super::QueryError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Open,
    Close,
    OpenBrace,
    CloseBrace,
    Or,
    And,
    Not,
    /// `<<`, `<=`, `<`, `>`, `>=`, `>>`, `=`, `%`, `~`
    Sign(&'static str),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => write!(f, "{word:?}"),
            Token::Open => f.write_str("("),
            Token::Close => f.write_str(")"),
            Token::OpenBrace => f.write_str("{"),
            Token::CloseBrace => f.write_str("}"),
            Token::Or => f.write_str("|"),
            Token::And => f.write_str(","),
            Token::Not => f.write_str("!"),
            Token::Sign(sign) => f.write_str(sign),
            Token::End => f.write_str("<EOL>"),
        }
    }
}

const SIGNS: [&str; 9] = ["<<", "<=", ">=", ">>", "<", ">", "=", "%", "~"];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let single = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '{' => Some(Token::OpenBrace),
            '}' => Some(Token::CloseBrace),
            '|' => Some(Token::Or),
            ',' => Some(Token::And),
            '!' => Some(Token::Not),
            _ => None,
        };
        if let Some(token) = single {
            found.push(token);
            rest = &rest[1..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if matches!(first, '\'' | '"') {
            let (word, after) = quoted(&rest[1..], first)?;
            found.push(Token::Word(word));
            rest = after;
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || matches!(c, ')' | '|' | ',' | '!' | '{' | '}'))
                .unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    found.push(Token::End);
    Ok(found)
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), QueryError> {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next().map(|(_, escaped)| escaped)),
            letter if letter == quote => return Ok((word, &text[at + quote.len_utf8()..])),
            letter => word.push(letter),
        }
    }
    Err(QueryError(format!("unexpected token <EOL>: expecting {quote}")))
}
