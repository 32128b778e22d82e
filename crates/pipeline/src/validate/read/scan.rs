//! Characters, blanks, texts: what the reader of JSON is made of. It never goes back and never recurses.

/// A place in a text.
pub(super) struct Scan<'t> {
    text: &'t str,
    at: usize,
}

/// A text between quotes.
pub(super) struct Quoted {
    pub(super) text: String,
    /// It goes over several lines.
    pub(super) lines: bool,
    /// It holds calls of templates.
    pub(super) templates: bool,
    /// What is wrong with it.
    pub(super) wrong: Option<&'static str>,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Scan<'t> {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Scan { text, at }
    }

    /// The first character that is neither blank nor in a comment.
    pub(super) fn first(mut self) -> Option<char> {
        self.blank();
        self.peek()
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Of a place in the text, counted from 1.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    /// Skips blanks and comments; says whether there was a comment.
    pub(super) fn blank(&mut self) -> bool {
        let mut comments = false;
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let length = if trimmed.starts_with("//") || trimmed.starts_with('#') {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return comments;
            };
            comments = true;
            self.at += length;
        }
    }

    /// Whether a call of a template begins here: `{{ … }}`, but not `{{"a": …`.
    pub(super) fn is_template(&self) -> bool {
        self.rest().strip_prefix("{{").is_some_and(|inside| {
            let line = inside.split('\n').next().unwrap_or("");
            line.contains("}}") && !inside.trim_start().starts_with(['"', '}'])
        })
    }

    /// The call of a template that begins here.
    pub(super) fn template(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find("}}").map_or(rest.len(), |end| end + 2);
        self.at += end;
        &rest[..end]
    }

    /// Everything up to the next blank, bracket, comma, colon or quote.
    pub(super) fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || "{}[],:\"'".contains(c);
        let end = rest.find(ends).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// The text that begins with this quote here.
    pub(super) fn text(&mut self, quote: char) -> Quoted {
        let mut out = Quoted { text: String::new(), lines: false, templates: false, wrong: None };
        self.next();
        loop {
            let rest = self.rest();
            let end = rest.find([quote, '\\', '\n', '{']).unwrap_or(rest.len());
            out.text.push_str(&rest[..end]);
            self.at += end;
            match self.peek() {
                None => {
                    out.wrong = Some("a text has no closing quote");
                    return out;
                }
                Some('\\') => self.escape(&mut out),
                // Inside `{{ … }}` quotes are the template's own.
                Some('{') if self.is_template() && self.rest().find("}}") > self.rest().find(quote) => {
                    out.templates = true;
                    let call = self.template();
                    out.text.push_str(call);
                }
                Some(c) if c == quote => {
                    self.next();
                    return out;
                }
                Some(c) => {
                    out.lines |= c == '\n';
                    out.text.push(c);
                    self.next();
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Quoted) {
        self.next();
        match self.next() {
            Some('n') => out.text.push('\n'),
            Some('t') => out.text.push('\t'),
            Some('r') => out.text.push('\r'),
            Some('b') => out.text.push('\u{8}'),
            Some('f') => out.text.push('\u{c}'),
            Some(c @ ('"' | '\\' | '/')) => out.text.push(c),
            Some('u') => {
                let first = self.four();
                let code = match first {
                    Some(high @ 0xD800..=0xDBFF) if self.rest().starts_with("\\u") => {
                        self.at += 2;
                        self.four()
                            .filter(|low| (0xDC00..=0xDFFF).contains(low))
                            .map(|low| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                    }
                    other => other,
                };
                match code.and_then(char::from_u32) {
                    Some(c) => out.text.push(c),
                    None => {
                        out.wrong = Some("a \\u escape in a text is no character");
                        out.text.push('\u{fffd}');
                    }
                }
            }
            other => {
                out.wrong = Some("a text has a backslash before a character that needs none");
                out.text.push('\\');
                out.text.extend(other);
            }
        }
    }

    fn four(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        Some(code)
    }

    /// Goes behind the value that begins here, whatever is in it.
    pub(super) fn skip_value(&mut self) {
        let mut depth = 0usize;
        while let Some(c) = self.peek() {
            match c {
                '"' => drop(self.text('"')),
                '{' | '[' => {
                    depth += 1;
                    self.next();
                }
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    self.next();
                }
                _ => _ = self.next(),
            }
            if depth == 0 {
                return;
            }
        }
    }
}
