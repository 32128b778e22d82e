//! Control files: paragraphs of `Name: value` fields, as slices over one buffer, in the order in which they stand.
//!
//! Not here: what the fields mean (`stanza`, `package`). Input is hostile until it has passed through this file: a
//! value that gets out of here holds no NUL, no carriage return, no other control character and no blank line, so
//! that nothing rendered from it can gain a field or a paragraph.

use thiserror::Error;

/// The longest line that is read, as aptly's limit.
pub const LONGEST_LINE: usize = 2 * 1024 * 1024;

/// Why a control file is refused, and in which line (the first is 1).
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct ControlError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: ControlProblem,
}

/// What can be wrong with a line of a control file.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ControlProblem {
    /// The bytes are not UTF-8.
    #[error("not valid UTF-8")]
    Encoding,
    /// A NUL, a carriage return or another control character.
    #[error("control character {0:#04x} is not allowed")]
    ControlCharacter(u32),
    /// More than [`LONGEST_LINE`] bytes.
    #[error("longer than 2 MiB")]
    TooLong,
    /// A continuation line with no field before it.
    #[error("a continuation line without a field before it")]
    StrayContinuation,
    /// No colon in a line that should begin a field.
    #[error("no colon after the field's name")]
    NoColon,
    /// The name is empty or has characters that field names may not have.
    #[error("{0:?} is not a field name")]
    FieldName(String),
    /// The same field twice in one paragraph.
    #[error("field {0} stands twice")]
    Doubled(String),
    /// There is no paragraph at all.
    #[error("nothing but blank lines")]
    Empty,
    /// A second paragraph where one is allowed.
    #[error("a second paragraph where only one is allowed")]
    SecondParagraph,
}

/// One field: its name as written, and its value without the blanks around the first line. Continuation lines
/// follow with their line break and their leading blank, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name before the colon, as written.
    pub name: &'a str,
    /// The value; further lines begin with `\n` and their own blank.
    pub value: &'a str,
}

/// One paragraph (also called stanza), its fields in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paragraph<'a> {
    /// The fields in the order of the file.
    pub fields: Vec<Field<'a>>,
    /// The line of the first field, counted from 1.
    pub line: usize,
}

impl<'a> Paragraph<'a> {
    /// The value of `name`, whatever its case.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }
}

/// All paragraphs of `bytes`.
pub fn parse(bytes: &[u8]) -> Result<Vec<Paragraph<'_>>, ControlError> {
    paragraphs(text(bytes)?).collect()
}

/// The only paragraph of `bytes`; a second one is refused, and so is none.
pub fn parse_one(bytes: &[u8]) -> Result<Paragraph<'_>, ControlError> {
    let mut all = paragraphs(text(bytes)?);
    let first = all.next().ok_or(ControlError { line: 1, problem: ControlProblem::Empty })??;
    match all.next() {
        None => Ok(first),
        Some(second) => Err(ControlError { line: second?.line, problem: ControlProblem::SecondParagraph }),
    }
}

fn text(bytes: &[u8]) -> Result<&str, ControlError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        ControlError { line, problem: ControlProblem::Encoding }
    })
}

/// The paragraphs of `text`, one after the other, so that an index of any size is read in one pass.
pub fn paragraphs(text: &str) -> Paragraphs<'_> {
    Paragraphs { text, at: 0, line: 0 }
}

/// `text` in at most so many pieces, cut between paragraphs, each with the number of lines before it: an index that is read on several cores.
pub fn pieces(text: &str, most: usize) -> Vec<(usize, &str)> {
    let wanted = text.len().div_ceil(most.max(1)).max(1);
    let (mut pieces, mut rest, mut lines) = (Vec::new(), text, 0);
    while !rest.is_empty() {
        let after = rest.as_bytes().iter().skip(wanted).position(|byte| *byte == b'\n').map(|at| wanted + at);
        let end = after.and_then(|at| rest[at..].find("\n\n").map(|blank| at + blank + 2)).unwrap_or(rest.len());
        let (piece, next) = rest.split_at(end);
        pieces.push((lines, piece));
        lines += piece.bytes().filter(|byte| *byte == b'\n').count();
        rest = next;
    }
    pieces
}

/// The iterator of [`paragraphs`].
pub struct Paragraphs<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Paragraphs<'a> {
    /// The next line with its start, without its line break.
    fn next_line(&mut self) -> Option<(usize, &'a str)> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find('\n').unwrap_or(rest.len());
        self.at = start + length + 1;
        self.line += 1;
        Some((start, &rest[..length]))
    }

    fn problem<T>(&mut self, problem: ControlProblem) -> Result<T, ControlError> {
        // Nothing after a broken line is trustworthy: the iterator ends here.
        self.at = self.text.len();
        Err(ControlError { line: self.line, problem })
    }

    fn paragraph(&mut self) -> Result<Option<Paragraph<'a>>, ControlError> {
        let mut found = Paragraph::default();
        let mut value_start = 0;
        while let Some((start, line)) = self.next_line() {
            if line.len() > LONGEST_LINE {
                return self.problem(ControlProblem::TooLong);
            }
            if let Some(bad) = line.chars().find(|c| c.is_control() && *c != '\t') {
                return self.problem(ControlProblem::ControlCharacter(bad as u32));
            }
            if line.trim_matches([' ', '\t']).is_empty() {
                if found.fields.is_empty() {
                    continue;
                }
                return Ok(Some(found));
            }
            if line.starts_with([' ', '\t']) {
                let Some(field) = found.fields.last_mut() else {
                    return self.problem(ControlProblem::StrayContinuation);
                };
                field.value = &self.text[value_start..start + line.trim_end_matches([' ', '\t']).len()];
                continue;
            }
            if line.starts_with('#') {
                continue;
            }
            let Some(colon) = line.find(':') else {
                return self.problem(ControlProblem::NoColon);
            };
            let name = &line[..colon];
            if !is_field_name(name) {
                return self.problem(ControlProblem::FieldName(name.chars().take(80).collect()));
            }
            if found.get(name).is_some() {
                return self.problem(ControlProblem::Doubled(name.to_owned()));
            }
            if found.fields.is_empty() {
                found.line = self.line;
            }
            let raw = &line[colon + 1..];
            value_start = start + colon + 1 + (raw.len() - raw.trim_start_matches([' ', '\t']).len());
            found.fields.push(Field { name, value: raw.trim_matches([' ', '\t']) });
        }
        Ok(if found.fields.is_empty() { None } else { Some(found) })
    }
}

impl<'a> Iterator for Paragraphs<'a> {
    type Item = Result<Paragraph<'a>, ControlError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.paragraph().transpose()
    }
}

fn is_field_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 256
        && bytes.iter().all(|byte| (33..=126).contains(byte) && *byte != b':')
        && !matches!(bytes[0], b'#' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(&str, &str)> {
        parse_one(text.as_bytes()).unwrap().fields.iter().map(|f| (f.name, f.value)).collect()
    }

    #[test]
    fn fields_keep_their_order_and_their_further_lines() {
        let text = "Package: hello\nDescription:  greets\n first line\n .\n second\t\nArchitecture: all\n";
        assert_eq!(
            fields(text),
            [("Package", "hello"), ("Description", "greets\n first line\n .\n second"), ("Architecture", "all")]
        );
    }

    #[test]
    fn a_field_whose_value_begins_on_the_next_line_keeps_the_line_break() {
        assert_eq!(fields("Files:\n aa 1 x\n bb 2 y\n"), [("Files", "\n aa 1 x\n bb 2 y")]);
    }

    #[test]
    fn pieces_hold_whole_paragraphs_and_know_their_lines() {
        let text = "A: ä\n b\n\nA: 2\n\n\nA: 3\n \nA: 4\n\nA: 5";
        for most in 0..text.len() + 2 {
            let pieces = pieces(text, most);
            assert!(pieces.len() <= most.max(1), "{most}: {pieces:?}");
            let all = pieces.iter().flat_map(|(before, piece)| {
                paragraphs(piece).map(move |found| found.map(|one| (one.fields[0].value, before + one.line)).unwrap())
            });
            assert_eq!(all.collect::<Vec<_>>(), [("ä\n b", 1), ("2", 4), ("3", 7), ("4", 9), ("5", 11)], "{most}");
        }
        assert_eq!(super::pieces(text, 2).len(), 2);
        assert_eq!(super::pieces("", 4), []);
    }

    #[test]
    fn paragraphs_are_parted_by_blank_lines() {
        let all = parse(b"\n\nA: 1\n \t\nA: 2\nB: 3\n\n").unwrap();
        assert_eq!(all.iter().map(|p| (p.line, p.fields.len())).collect::<Vec<_>>(), [(3, 1), (5, 2)]);
    }

    #[test]
    fn refusals_name_the_line() {
        let check = |text: &[u8], want: &str| assert_eq!(parse_one(text).unwrap_err().to_string(), want);
        check(b"A: 1\nB: \0\n", "line 2: control character 0x00 is not allowed");
        check(b"A: 1\r\nB: 2\n", "line 1: control character 0x0d is not allowed");
        check(b"A: 1\nB: \xff\n", "line 2: not valid UTF-8");
        check(b" x\n", "line 1: a continuation line without a field before it");
        check(b"A 1\n", "line 1: no colon after the field's name");
        check(b"A: 1\na: 2\n", "line 2: field a stands twice");
        check(b"A: 1\n\nB: 2\n", "line 3: a second paragraph where only one is allowed");
        check(b"\n\n", "line 1: nothing but blank lines");
        check(b"-A: 1\n", "line 1: \"-A\" is not a field name");
    }
}
