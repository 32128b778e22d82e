//! Cuts the inside of `${…}` into tokens. Columns count characters from 0; the caller shifts them to where the expression stands.
//!
//! No meaning here but for the words that are operators wherever they stand (`eq`, `not`, …) and the form of numbers.

use crate::failure::Failure;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A word, also `true`, `null`, `T`, `new`, `and`, `matches`: these are told apart by where they stand.
    Word(String),
    /// A quoted text, quotes taken off.
    Text(String),
    /// A number as it will be evaluated.
    Number(crate::number::Number),
    /// A sign or an operator word, by its canonical sign (`eq` is `==`).
    Sign(&'static str),
}

/// A token and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) column: usize,
}

/// Words that are operators everywhere, even after a dot.
const OPERATOR_WORDS: [(&str, &str); 9] = [
    ("div", "/"),
    ("eq", "=="),
    ("ge", ">="),
    ("gt", ">"),
    ("le", "<="),
    ("lt", "<"),
    ("mod", "%"),
    ("ne", "!="),
    ("not", "!"),
];

/// Signs, longest first.
const SIGNS: [&str; 39] = [
    "==", "!=", "![", "<=", ">=", "&&", "||", "?[", "?:", "?.", "^[", "$[", "++", "--", "+", "-", "*", "/", "%", "^",
    "!", "<", ">", "=", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}", "#", "@", "&", "\\", "|",
];

/// All tokens of `text`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, at: 0 };
    let mut found = Vec::new();
    while let Some(token) = lexer.next()? {
        found.push(token);
    }
    Ok(found)
}

struct Lexer<'c> {
    chars: &'c [char],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn next(&mut self) -> Result<Option<Token>, Failure> {
        while matches!(self.peek(0), ' ' | '\t' | '\r' | '\n') {
            self.at += 1;
        }
        let column = self.at;
        if column == self.chars.len() {
            return Ok(None);
        }
        let kind = match self.peek(0) {
            c if c.is_ascii_digit() => self.number()?,
            '$' if self.peek(1) == '[' => self.sign()?,
            c if is_word(c) => self.word(),
            quote @ ('\'' | '"') => self.text(quote)?,
            _ => self.sign()?,
        };
        Ok(Some(Token { kind, column }))
    }

    fn word(&mut self) -> Kind {
        let word: String = self.chars[self.at..].iter().take_while(|c| is_word(**c)).collect();
        self.at += word.len();
        match OPERATOR_WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) {
            Some((_, sign)) => Kind::Sign(sign),
            None => Kind::Word(word),
        }
    }

    /// A quote inside is doubled; a backslash is only itself.
    fn text(&mut self, quote: char) -> Result<Kind, Failure> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            match self.chars.get(self.at) {
                None => return Err(Failure::parse(start, "this text has no closing quote")),
                Some(c) if *c == quote && self.peek(1) == quote => {
                    text.push(quote);
                    self.at += 2;
                }
                Some(c) if *c == quote => {
                    self.at += 1;
                    return Ok(Kind::Text(text));
                }
                Some(c) => {
                    text.push(*c);
                    self.at += 1;
                }
            }
        }
    }

    fn sign(&mut self) -> Result<Kind, Failure> {
        let matching = |sign: &&&str| sign.chars().enumerate().all(|(i, c)| self.peek(i) == c);
        let sign = *SIGNS.iter().find(matching).ok_or_else(|| self.unexpected())?;
        if matches!(sign, "\\" | "|") {
            return Err(self.unexpected());
        }
        self.at += sign.len();
        Ok(Kind::Sign(sign))
    }

    fn unexpected(&self) -> Failure {
        Failure::parse(self.at, format!("'{}' has no meaning here", self.peek(0)))
    }

    fn number(&mut self) -> Result<Kind, Failure> {
        use crate::number::Number;
        let start = self.at;
        if self.peek(0) == '0' && matches!(self.peek(1), 'x' | 'X') {
            self.at += 2;
            let digits = self.take(|c| c.is_ascii_hexdigit());
            return self.whole(start, &digits, 16);
        }
        let mut digits = self.take(|c| c.is_ascii_digit());
        let mut fraction = false;
        if self.peek(0) == '.' && self.peek(1).is_ascii_digit() {
            fraction = true;
            digits.push('.');
            self.at += 1;
            digits += &self.take(|c| c.is_ascii_digit());
        } else if self.peek(0) == '.' {
            // `3.` is a whole number and a dot, as in `3.toString()`.
            return self.whole(start, &digits, 10);
        }
        if fraction && matches!(self.peek(0), 'l' | 'L') {
            return Err(Failure::parse(start, "a number with a fraction cannot be long: leave out the L"));
        }
        if matches!(self.peek(0), 'e' | 'E') {
            fraction = true;
            digits.push('e');
            self.at += 1;
            if matches!(self.peek(0), '+' | '-') {
                digits.push(self.peek(0));
                self.at += 1;
            }
            digits += &self.take(|c| c.is_ascii_digit());
        }
        let wrong = |_| Failure::parse(start, format!("'{digits}' is no number"));
        match self.peek(0) {
            'f' | 'F' => {
                self.at += 1;
                digits.parse().map(|n| Kind::Number(Number::Float(n))).map_err(wrong)
            }
            'd' | 'D' => {
                self.at += 1;
                digits.parse().map(|n| Kind::Number(Number::Double(n))).map_err(wrong)
            }
            _ if fraction => digits.parse().map(|n| Kind::Number(Number::Double(n))).map_err(wrong),
            _ => self.whole(start, &digits, 10),
        }
    }

    fn whole(&mut self, start: usize, digits: &str, radix: u32) -> Result<Kind, Failure> {
        use crate::number::Number;
        if matches!(self.peek(0), 'l' | 'L') {
            self.at += 1;
            let n = i64::from_str_radix(digits, radix)
                .map_err(|_| Failure::parse(start, format!("{digits} does not fit a long number")))?;
            return Ok(Kind::Number(Number::Long(n)));
        }
        let n = i32::from_str_radix(digits, radix).map_err(|_| {
            Failure::parse(start, format!("{digits} does not fit a whole number: add L to make it long"))
        })?;
        Ok(Kind::Number(Number::Int(n)))
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let found: String = self.chars[self.at..].iter().take_while(|c| wanted(**c)).collect();
        self.at += found.len();
        found
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}
