//! Regular expressions as Java reads them, run by an engine that takes linear time. What needs backtracking (looking ahead or behind,
//! references back, possessive repetition) is refused.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use crate::budget::Budget;
use crate::failure::Failure;

/// Patterns that were compiled for this evaluation.
#[derive(Default)]
pub(crate) struct Patterns(RefCell<HashMap<(String, bool), Rc<Regex>>>);

impl Patterns {
    /// The pattern; `whole`: it must match the whole text.
    pub(crate) fn get(&self, pattern: &str, whole: bool, cost: &Budget) -> Result<Rc<Regex>, Failure> {
        let key = (pattern.to_owned(), whole);
        if let Some(found) = self.0.borrow().get(&key) {
            return Ok(found.clone());
        }
        cost.steps(100 + pattern.len() * 10)?;
        let translated = translate(pattern)?;
        let text = if whole { format!("^(?:{translated})$") } else { translated };
        let compiled = RegexBuilder::new(&text).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(100).build();
        let compiled = compiled
            .map_err(|_| Failure::new(format!("'{pattern}' is no regular expression that can be used here")))?;
        let compiled = Rc::new(compiled);
        self.0.borrow_mut().insert(key, compiled.clone());
        Ok(compiled)
    }
}

/// Java's meaning of a pattern in the engine's syntax.
fn translate(pattern: &str) -> Result<String, Failure> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    // How many `[` are open.
    let mut class = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match c {
            '\\' => at += escape(&mut out, &chars, at, class > 0)?,
            '[' => {
                class += 1;
                out.push(c);
                at += 1;
                if chars.get(at) == Some(&'^') {
                    out.push('^');
                    at += 1;
                }
            }
            ']' if class > 0 => {
                class -= 1;
                out.push(c);
                at += 1;
            }
            '&' if class > 0 && next == Some('&') => {
                out.push_str("&&");
                at += 2;
            }
            // Only `&&` is special in Java; these would be to the engine.
            '&' | '~' | '-' if class > 0 && next == Some(c) => {
                out.push('\\');
                out.push(c);
                at += 1;
            }
            '(' if class == 0 && next == Some('?') => at += group(&mut out, &chars, at)?,
            '*' | '+' | '?' | '}' if class == 0 => {
                out.push(c);
                if next == Some('+') && (c != '}' || closes_repetition(&chars, at)) {
                    return Err(refused("repetition that never gives back (like a++)"));
                }
                at += 1;
            }
            '.' if class == 0 => {
                out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]");
                at += 1;
            }
            '$' if class == 0 => {
                // Also before the last line end; without looking ahead this is the end.
                out.push('$');
                at += 1;
            }
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    Ok(out)
}

fn closes_repetition(chars: &[char], at: usize) -> bool {
    let inside: Vec<char> = chars[..at].iter().rev().take_while(|c| **c != '{').copied().collect();
    !inside.is_empty() && inside.len() < at && inside.iter().all(|c| c.is_ascii_digit() || *c == ',')
}

fn refused(what: &str) -> Failure {
    Failure::refused(format!("the regular expression uses {what}: it could take endless time"))
}

/// `(?:`, `(?i)`, `(?<name>` pass; the rest of `(?…` is refused.
fn group(out: &mut String, chars: &[char], at: usize) -> Result<usize, Failure> {
    match (chars.get(at + 2), chars.get(at + 3)) {
        (Some('=' | '!'), _) => Err(refused("looking ahead")),
        (Some('<'), Some('=' | '!')) => Err(refused("looking behind")),
        (Some('>'), _) => Err(refused("groups that never give back")),
        (Some('<'), _) => {
            out.push_str("(?P<");
            Ok(3)
        }
        _ => {
            // Flags: `d` and `u` change nothing here.
            let mut length = 2;
            out.push_str("(?");
            while let Some(&c) = chars.get(at + length).filter(|c| c.is_ascii_alphabetic() || **c == '-') {
                if !matches!(c, 'd' | 'u' | 'U') {
                    out.push(c);
                }
                length += 1;
            }
            Ok(length)
        }
    }
}

/// What follows a backslash; gives how many characters were read.
fn escape(out: &mut String, chars: &[char], at: usize, in_class: bool) -> Result<usize, Failure> {
    let Some(&c) = chars.get(at + 1) else { return Err(Failure::new("the regular expression ends with a backslash")) };
    let brackets = |set: &str| if in_class { set.to_owned() } else { format!("[{set}]") };
    match c {
        'd' => out.push_str(&brackets("0-9")),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str(&brackets("a-zA-Z_0-9")),
        'W' => out.push_str("[^a-zA-Z_0-9]"),
        's' => out.push_str(&brackets(r" \t\n\x0B\f\r")),
        'S' => out.push_str(r"[^ \t\n\x0B\f\r]"),
        'h' => out.push_str(&brackets(r" \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}")),
        'Z' => out.push_str(r"\z"),
        'R' if !in_class => out.push_str(r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])"),
        'e' => out.push_str(r"\x1B"),
        'k' | '1'..='9' => return Err(refused("references back to a group")),
        'Q' => {
            let rest: String = chars[at + 2..].iter().collect();
            let end = rest.find("\\E");
            let quoted = end.map_or(rest.as_str(), |end| &rest[..end]);
            out.push_str(&regex::escape(quoted));
            return Ok(2 + quoted.chars().count() + if end.is_some() { 2 } else { 0 });
        }
        'u' => {
            let digits: String = chars[at + 2..].iter().take(4).collect();
            out.push_str(&format!(r"\x{{{digits}}}"));
            return Ok(2 + digits.chars().count());
        }
        'p' | 'P' => return Ok(property(out, chars, at)),
        'b' | 'B' | 'A' | 'z' | 't' | 'n' | 'r' | 'f' | 'a' | 'x' => {
            out.push('\\');
            out.push(c);
        }
        '0' => return Err(Failure::new("octal escapes in regular expressions are not supported: write \\x")),
        c if c.is_ascii_alphabetic() => {
            return Err(Failure::new(format!("\\{c} means nothing in a regular expression")));
        }
        // Java allows a backslash before any sign, the engine only before those that mean something.
        c => out.push_str(&regex::escape(&c.to_string())),
    }
    Ok(2)
}

/// `\p{Alpha}` and `\p{IsAlphabetic}`: Java's names for what the engine calls otherwise.
fn property(out: &mut String, chars: &[char], at: usize) -> usize {
    let negated = chars[at + 1] == 'P';
    let rest: String = chars[at + 2..].iter().collect();
    let (name, length) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        Some((name, _)) => (name.to_owned(), 4 + name.chars().count()),
        None => (rest.chars().take(1).collect(), 3),
    };
    let ascii = match name.as_str() {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"!-/:-@\[-`{-~",
        "Space" => r" \t\n\x0B\f\r",
        "XDigit" => "0-9a-fA-F",
        "ASCII" => r"\x00-\x7F",
        "Blank" => r" \t",
        _ => "",
    };
    if ascii.is_empty() {
        let name = name.strip_prefix("Is").unwrap_or(&name);
        out.push_str(&format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }));
    } else {
        out.push_str(&format!("[{}{ascii}]", if negated { "^" } else { "" }));
    }
    length
}

/// What replaces a match: `$1` and `${name}` are groups, a backslash takes a sign as it is.
pub(crate) fn replacement(found: &regex::Captures, with: &str, out: &mut String) -> Result<(), Failure> {
    let wrong = |what: String| Failure::new(format!("the replacement '{with}' {what}"));
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next().ok_or_else(|| wrong("ends with a backslash".to_owned()))?),
            '$' if chars.peek() == Some(&'{') => {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                out.push_str(found.name(&name).ok_or_else(|| wrong(format!("names no group {name}")))?.as_str());
            }
            '$' => {
                let mut group = chars
                    .next()
                    .and_then(|c| c.to_digit(10))
                    .ok_or_else(|| wrong("has a $ without a group".to_owned()))?
                    as usize;
                if group >= found.len() {
                    return Err(wrong(format!("names no group {group}")));
                }
                // As many digits as still name a group.
                while let Some(longer) = chars
                    .peek()
                    .and_then(|c| c.to_digit(10))
                    .map(|digit| group * 10 + digit as usize)
                    .filter(|n| *n < found.len())
                {
                    group = longer;
                    chars.next();
                }
                out.push_str(found.get(group).map_or("", |part| part.as_str()));
            }
            c => out.push(c),
        }
    }
    Ok(())
}
