//! How a JSONPath is read: by descent, with a bound on its length and its nesting; an error names the column.

use regex::RegexBuilder;
use serde_json::{Number, Value};

use super::{Filter, JsonPathError, Operand, Operator, Query, Segment, Selector, Summary, shown};

/// How long a path may be, in bytes.
const LONGEST: usize = 4096;
/// How deep filters and brackets may be nested.
const DEEPEST: usize = 24;

/// Reads a whole path.
pub(super) fn parse(path: &str) -> Result<Query, JsonPathError> {
    let mut reader = Reader { path, at: 0, depth: 0 };
    if path.len() > LONGEST {
        return reader.wrong(format!("it is longer than {LONGEST} bytes"));
    }
    reader.blanks();
    let mut bare = false;
    if !reader.take("$") {
        // `a.b` is how many people write `$.a.b`.
        bare = reader.peek().is_some_and(|c| c != '.' && c != '[');
    }
    let query = reader.query(false, bare)?;
    reader.blanks();
    match reader.peek() {
        None => Ok(query),
        Some(c) => reader.wrong(format!("'{}' does not belong here", c.escape_debug())),
    }
}

struct Reader<'a> {
    path: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, JsonPathError> {
        let column = self.path.get(..self.at).unwrap_or(self.path).chars().count() + 1;
        Err(JsonPathError::Malformed { path: shown(self.path), column, what: what.into() })
    }

    fn rest(&self) -> &str {
        self.path.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn must(&mut self, what: &str) -> Result<(), JsonPathError> {
        if self.take(what) { Ok(()) } else { self.wrong(format!("'{what}' is missing")) }
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, JsonPathError>) -> Result<T, JsonPathError> {
        if self.depth >= DEEPEST {
            return self.wrong(format!("it is nested more than {DEEPEST} levels deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// The steps behind `$` or `@`. `bare`: the first name stands without its dot.
    fn query(&mut self, relative: bool, mut bare: bool) -> Result<Query, JsonPathError> {
        let mut query = Query { relative, segments: Vec::new(), summary: None };
        loop {
            let deep = !bare && self.take("..");
            let dot = !deep && !bare && self.take(".");
            if self.rest().starts_with('[') {
                let selectors = self.deeper(Self::bracket)?;
                query.segments.push(Segment { deep, selectors });
            } else if !deep && !dot && !bare {
                return Ok(query);
            } else if self.take("*") {
                query.segments.push(Segment { deep, selectors: vec![Selector::Any] });
            } else {
                let name = self.name()?;
                if self.rest().starts_with('(') {
                    query.summary = Some(self.summary(&name)?);
                    return Ok(query);
                }
                query.segments.push(Segment { deep, selectors: vec![Selector::Name(name)] });
            }
            bare = false;
        }
    }

    fn name(&mut self) -> Result<String, JsonPathError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || "_-:/@#$".contains(c) || !c.is_ascii()) {
            self.next();
        }
        match self.path.get(start..self.at) {
            Some(name) if !name.is_empty() => Ok(name.to_owned()),
            _ => self.wrong("the name of a key is missing; one with other signs is written ['…']"),
        }
    }

    fn summary(&mut self, name: &str) -> Result<Summary, JsonPathError> {
        let summary = match name {
            "length" | "size" => Summary::Length,
            "keys" => Summary::Keys,
            "first" => Summary::First,
            "last" => Summary::Last,
            "min" => Summary::Min,
            "max" => Summary::Max,
            "sum" => Summary::Sum,
            "avg" => Summary::Average,
            _ => {
                return self.wrong(format!(
                    "there is no function '{name}()'; there are length, size, keys, first, last, min, max, sum, avg"
                ));
            }
        };
        self.must("(")?;
        self.blanks();
        self.must(")")?;
        Ok(summary)
    }

    fn bracket(&mut self) -> Result<Vec<Selector>, JsonPathError> {
        self.must("[")?;
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.selector()?);
            self.blanks();
            if self.take("]") {
                return Ok(selectors);
            }
            self.must(",")?;
        }
    }

    fn selector(&mut self) -> Result<Selector, JsonPathError> {
        match self.peek() {
            Some('\'' | '"') => Ok(Selector::Name(self.quoted()?)),
            Some('*') => {
                self.next();
                Ok(Selector::Any)
            }
            Some('?') => {
                self.next();
                self.blanks();
                Ok(Selector::Filter(self.deeper(Self::any)?))
            }
            Some(c) if c == '-' || c == ':' || c.is_ascii_digit() => self.index(),
            _ => self.wrong("an index, a slice, '*', a filter '?' or a key in quotes is missing"),
        }
    }

    fn index(&mut self) -> Result<Selector, JsonPathError> {
        let start = self.whole()?;
        self.blanks();
        if !self.take(":") {
            return match start {
                Some(index) => Ok(Selector::Index(index)),
                None => self.wrong("a number is missing"),
            };
        }
        self.blanks();
        let end = self.whole()?;
        self.blanks();
        let mut step = 1;
        if self.take(":") {
            self.blanks();
            step = self.whole()?.unwrap_or(1);
        }
        Ok(Selector::Slice { start, end, step })
    }

    fn whole(&mut self) -> Result<Option<i64>, JsonPathError> {
        let start = self.at;
        self.take("-");
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.next();
        }
        match self.path.get(start..self.at) {
            None | Some("") => Ok(None),
            Some(digits) => match digits.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => self.wrong(format!("'{digits}' is no whole number")),
            },
        }
    }

    fn quoted(&mut self) -> Result<String, JsonPathError> {
        let Some(quote) = self.next() else { return self.wrong("a text is missing") };
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('u') => text.push(self.code_point()?),
                    Some(c) => text.push(c),
                    None => return self.wrong("the text has no end"),
                },
                Some(c) if c == quote => return Ok(text),
                Some(c) => text.push(c),
                None => return self.wrong("the text has no end"),
            }
        }
    }

    fn code_point(&mut self) -> Result<char, JsonPathError> {
        let digits = self.rest().get(..4).unwrap_or("").to_owned();
        match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
            Some(c) => {
                self.at += 4;
                Ok(c)
            }
            None => self.wrong("four hexadecimal digits are missing"),
        }
    }

    fn any(&mut self) -> Result<Filter, JsonPathError> {
        let mut list = vec![self.all()?];
        while self.operator("||") {
            list.push(self.all()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Filter::Any(list) })
    }

    fn all(&mut self) -> Result<Filter, JsonPathError> {
        let mut list = vec![self.one()?];
        while self.operator("&&") {
            list.push(self.one()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Filter::All(list) })
    }

    fn operator(&mut self, what: &str) -> bool {
        self.blanks();
        self.take(what)
    }

    fn one(&mut self) -> Result<Filter, JsonPathError> {
        self.blanks();
        if self.take("!") {
            return Ok(Filter::Not(Box::new(self.deeper(Self::one)?)));
        }
        if self.take("(") {
            let inner = self.deeper(Self::any)?;
            self.blanks();
            self.must(")")?;
            return Ok(inner);
        }
        for (function, whole) in [("match", true), ("search", false)] {
            if self.rest().starts_with(&format!("{function}(")) {
                self.at += function.len();
                return self.matches(whole);
            }
        }
        let left = self.operand()?;
        self.blanks();
        let operators = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("in ", Operator::In),
            ("nin ", Operator::NotIn),
        ];
        if self.take("=~") {
            self.blanks();
            let regex = self.pattern()?;
            return Ok(Filter::Matches(left, regex));
        }
        for (text, operator) in operators {
            if self.take(text) {
                self.blanks();
                let right = self.operand()?;
                return Ok(Filter::Compare(left, operator, right));
            }
        }
        match left {
            Operand::Query(query) => Ok(Filter::Exists(query)),
            _ => self.wrong("a comparison is missing"),
        }
    }

    /// The arguments of `match` and `search`: what is looked at, and a pattern in quotes.
    fn matches(&mut self, whole: bool) -> Result<Filter, JsonPathError> {
        self.must("(")?;
        self.blanks();
        let operand = self.operand()?;
        self.blanks();
        self.must(",")?;
        self.blanks();
        if !matches!(self.peek(), Some('\'' | '"')) {
            return self.wrong("the pattern must be a text in quotes");
        }
        let pattern = self.quoted()?;
        let regex = self.regex(&pattern, "", whole)?;
        self.blanks();
        self.must(")")?;
        Ok(Filter::Matches(operand, regex))
    }

    /// `/…/flags`, or a text in quotes; it matches as a whole.
    fn pattern(&mut self) -> Result<regex::Regex, JsonPathError> {
        if matches!(self.peek(), Some('\'' | '"')) {
            let pattern = self.quoted()?;
            return self.regex(&pattern, "", true);
        }
        self.must("/")?;
        let mut pattern = String::new();
        loop {
            match self.next() {
                Some('\\') if self.take("/") => pattern.push('/'),
                Some('\\') => {
                    pattern.push('\\');
                    pattern.extend(self.next());
                }
                Some('/') => break,
                Some(c) => pattern.push(c),
                None => return self.wrong("the pattern has no end: it is written /…/"),
            }
        }
        let start = self.at;
        while self.peek().is_some_and(|c| "imsxuUd".contains(c)) {
            self.next();
        }
        let flags = self.path.get(start..self.at).unwrap_or("").to_owned();
        self.regex(&pattern, &flags, true)
    }

    fn regex(&mut self, pattern: &str, flags: &str, whole: bool) -> Result<regex::Regex, JsonPathError> {
        let pattern = if whole { format!("^(?:{pattern})$") } else { pattern.to_owned() };
        let on = |flag: char| flags.contains(flag);
        let built = RegexBuilder::new(&pattern)
            .case_insensitive(on('i'))
            .multi_line(on('m'))
            .dot_matches_new_line(on('s'))
            .ignore_whitespace(on('x'))
            .size_limit(1 << 20)
            .build();
        match built {
            Ok(regex) => Ok(regex),
            Err(error) => {
                let text = error.to_string();
                self.wrong(format!("the pattern cannot be used: {}", text.lines().last().unwrap_or("").trim()))
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, JsonPathError> {
        self.blanks();
        match self.peek() {
            Some('@') => {
                self.next();
                Ok(Operand::Query(self.query(true, false)?))
            }
            Some('$') => {
                self.next();
                Ok(Operand::Query(self.query(false, false)?))
            }
            Some('\'' | '"') => Ok(Operand::Literal(Value::String(self.quoted()?))),
            Some('[') => self.deeper(Self::list),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number(),
            _ => self.word(),
        }
    }

    /// A list of literals, `['a', 1]`.
    fn list(&mut self) -> Result<Operand, JsonPathError> {
        self.must("[")?;
        let mut list = Vec::new();
        self.blanks();
        if self.take("]") {
            return Ok(Operand::Literal(Value::Array(list)));
        }
        loop {
            match self.operand()? {
                Operand::Literal(value) => list.push(value),
                _ => return self.wrong("a list holds texts, numbers, true, false and null only"),
            }
            self.blanks();
            if self.take("]") {
                return Ok(Operand::Literal(Value::Array(list)));
            }
            self.must(",")?;
        }
    }

    fn number(&mut self) -> Result<Operand, JsonPathError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || "+-.eE".contains(c)) {
            self.next();
        }
        let text = self.path.get(start..self.at).unwrap_or("");
        match serde_json::from_str::<Number>(text) {
            Ok(number) => Ok(Operand::Literal(Value::Number(number))),
            Err(_) => self.wrong(format!("'{text}' is no number")),
        }
    }

    fn word(&mut self) -> Result<Operand, JsonPathError> {
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.take(word) {
                return Ok(Operand::Literal(value));
            }
        }
        for function in ["length(", "count(", "value("] {
            if self.take(function) {
                let inner = self.deeper(Self::operand)?;
                self.blanks();
                self.must(")")?;
                return match (function, inner) {
                    ("length(", inner) => Ok(Operand::Length(Box::new(inner))),
                    ("count(", Operand::Query(query)) => Ok(Operand::Count(query)),
                    ("value(", Operand::Query(query)) => Ok(Operand::Query(query)),
                    _ => self.wrong("this function takes a path, '@…' or '$…'"),
                };
            }
        }
        self.wrong("'@…', '$…', a text in quotes, a number, true, false, null or a function is missing")
    }
}
