//! Reads the notation of fields into a JSON schema.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// Where a notation cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {what}")]
pub struct NotationError {
    /// Counted from 0.
    pub at: usize,
    /// What is expected there.
    pub what: &'static str,
}

/// Nested deeper than this it is no field list that a person wrote.
const DEEPEST: usize = 16;

/// The schema of an object with these fields.
pub fn read(notation: &str) -> Result<Schema, NotationError> {
    let mut reader = Reader { text: notation, at: 0 };
    let fields = reader.fields(0)?;
    if !reader.rest().is_empty() {
        return Err(reader.error("the next field, after a comma"));
    }
    Ok(match fields {
        Value::Object(map) => Schema::from(map),
        _ => Schema::default(),
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn error(&self, what: &'static str) -> NotationError {
        NotationError { at: self.at, what }
    }

    fn takes(&mut self, sign: char) -> bool {
        let is = self.rest().starts_with(sign);
        self.at += if is { sign.len_utf8() } else { 0 };
        is
    }

    fn word(&mut self) -> Result<&'a str, NotationError> {
        let rest = self.rest();
        if rest.starts_with("!=") {
            self.at += 2;
            return Ok("!=");
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.$@<>=".contains(c))).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error("a word"));
        }
        self.at += end;
        Ok(&rest[..end])
    }

    /// `name/other!: kind, …`
    fn fields(&mut self, depth: usize) -> Result<Value, NotationError> {
        let (mut properties, mut required, mut either) = (Map::new(), Vec::new(), Vec::new());
        while !self.rest().is_empty() && !self.rest().starts_with('}') {
            let mut names = vec![self.word()?];
            while self.takes('/') {
                names.push(self.word()?);
            }
            let must = self.takes('!');
            if !self.takes(':') {
                return Err(self.error("a colon and the field's kind"));
            }
            let kind = self.kind(depth + 1)?;
            match names.as_slice() {
                [one] if must => required.push(json!(one)),
                several if must => either.push(json!({
                    "anyOf": several.iter().map(|name| json!({"required": [name]})).collect::<Vec<_>>()
                })),
                _ => {}
            }
            for name in names {
                properties.insert(name.to_owned(), kind.clone());
            }
            if !self.takes(',') {
                break;
            }
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = Value::Array(required);
        }
        if !either.is_empty() {
            schema["allOf"] = Value::Array(either);
        }
        Ok(schema)
    }

    /// Kinds with `|` between them.
    fn kind(&mut self, depth: usize) -> Result<Value, NotationError> {
        if depth > DEEPEST {
            return Err(self.error("less nesting"));
        }
        let (mut kinds, mut words) = (Vec::new(), Vec::new());
        loop {
            if self.takes('[') {
                let items = self.kind(depth + 1)?;
                if !self.takes(']') {
                    return Err(self.error("a closing ]"));
                }
                kinds.push(json!({"type": "array", "items": items}));
            } else if self.takes('{') {
                let inner = self.fields(depth)?;
                if !self.takes('}') {
                    return Err(self.error("a closing }"));
                }
                kinds.push(inner);
            } else {
                let word = self.word()?;
                match plain(word) {
                    Some(kind) => kinds.push(kind),
                    None => words.push(json!(word)),
                }
            }
            if !self.takes('|') {
                break;
            }
        }
        if !words.is_empty() {
            kinds.push(json!({"type": "string", "enum": words}));
        }
        Ok(if kinds.len() == 1 { kinds.remove(0) } else { json!({"anyOf": kinds}) })
    }
}

fn plain(word: &str) -> Option<Value> {
    Some(match word {
        "text" => json!({"type": "string"}),
        "number" => json!({"type": "number"}),
        "whole" => json!({"type": "integer"}),
        "count" => json!({"type": "integer", "minimum": 0}),
        "flag" => json!({"type": "boolean"}),
        "object" => json!({"type": "object"}),
        "list" => json!({"type": "array"}),
        "any" => json!(true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notation_says_kinds_what_must_be_there_and_which_values_there_are() {
        let schema =
            read("waitTime!: count, mode: static|dynamic, a/b!: text, in: {x: [number|text]}").expect("it is good");
        let expected = json!({
            "type": "object",
            "properties": {
                "waitTime": {"type": "integer", "minimum": 0},
                "mode": {"type": "string", "enum": ["static", "dynamic"]},
                "a": {"type": "string"}, "b": {"type": "string"},
                "in": {"type": "object", "properties": {
                    "x": {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string"}]}}}},
            },
            "required": ["waitTime"],
            "allOf": [{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}],
        });
        assert_eq!(Value::from(schema), expected);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        let check = |text: &str, at: usize, what: &'static str| {
            assert_eq!(read(text).map(drop), Err(NotationError { at, what }), "{text}");
        };
        check("a text", 2, "a colon and the field's kind");
        check("a: [text", 8, "a closing ]");
        check("a: {b: text", 11, "a closing }");
        check("a: text b: text", 8, "the next field, after a comma");
        check("a: text, !", 9, "a word");
        assert!(read(&"a: {".repeat(1000)).is_err(), "nesting is bounded");
    }

    #[test]
    fn the_fields_of_every_stage_can_be_read() {
        assert_eq!(read(super::super::COMMON).map(drop), Ok(()));
    }
}
