//! Whether a value is what a schema wants, as leniently as stages read it: a text of digits is a number, `"true"` a truth value, an empty
//! text and null are nothing, and a text that holds `${…}` may become anything.

use serde_json::{Map, Value};

use super::finding::{At, Findings, Severity, shortened};
use super::words::nearest;

/// How deep schemas refer to each other.
const DEEPEST: usize = 64;

/// One schema, and how bad it is when a value does not fit.
#[derive(Clone, Copy)]
pub struct Shape<'s> {
    root: &'s Value,
    severity: Severity,
}

/// Whether it is known only when the pipeline runs (or when a template is rendered).
pub fn is_open(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.contains("{%")
}

/// A value as a message shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => shortened(&n.to_string(), 40),
        Value::String(s) => format!("the text \"{}\"", shortened(s, 40)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

impl<'s> Shape<'s> {
    /// The shape that a schema describes.
    pub fn new(schema: &'s Value, severity: Severity) -> Shape<'s> {
        Shape { root: schema, severity }
    }

    /// The fields that an object of this shape may have.
    pub fn fields(&self) -> impl Iterator<Item = &'s str> {
        self.root.get("properties").and_then(Value::as_object).into_iter().flat_map(|p| p.keys().map(String::as_str))
    }

    /// Checks a value.
    pub fn check(&self, value: &Value, at: &At, findings: &mut Findings) {
        self.value(self.root, value, at, findings, 0);
    }

    /// Checks the fields that are listed and leaves the others alone.
    pub fn members(&self, members: &Map<String, Value>, at: &At, findings: &mut Findings) {
        self.required(self.root, members, at, findings);
        self.listed(self.root, members, at, findings, 0);
    }

    fn value(&self, schema: &'s Value, value: &Value, at: &At, findings: &mut Findings, depth: usize) {
        let schema = self.followed(schema);
        if value.is_null() || depth > DEEPEST || value.as_str().is_some_and(is_open) {
            return;
        }
        for several in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(several).and_then(Value::as_array) {
                return self.one_of(branches, value, at, findings, depth);
            }
        }
        if let Some(only) = schema.get("const") {
            return self.choice(std::slice::from_ref(only), value, at, findings);
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choice(choices, value, at, findings);
        }
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).filter(|k| *k != "null").collect(),
            _ => return,
        };
        let Some(kind) = kinds.iter().find(|kind| fits(kind, value)).or(kinds.first()) else { return };
        if !fits(kind, value) {
            let wanted = wanted(kind);
            return findings.add(self.severity, at, format!("must be {wanted}, not {}", shown(value)), "");
        }
        match value {
            Value::Array(items) => {
                if let Some(of) = schema.get("items") {
                    for (i, item) in items.iter().enumerate() {
                        self.value(of, item, &at.item(i), findings, depth + 1);
                    }
                }
            }
            Value::Object(members) => {
                self.required(schema, members, at, findings);
                self.listed(schema, members, at, findings, depth);
                self.strangers(schema, members, at, findings);
            }
            _ => self.bounds(schema, value, at, findings),
        }
    }

    /// What a `$ref` leads to.
    fn followed(&self, schema: &'s Value) -> &'s Value {
        let mut at = schema;
        for _ in 0..DEEPEST {
            let name = at.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
            match name.and_then(|name| self.root.get("$defs")?.get(name)) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    fn one_of(&self, branches: &'s [Value], value: &Value, at: &At, findings: &mut Findings, depth: usize) {
        let mut best: Option<Findings> = None;
        let mut names: Vec<String> = Vec::new();
        for branch in branches {
            let branch = self.followed(branch);
            if branch.get("type").and_then(Value::as_str) == Some("null") {
                continue;
            }
            let mut tried = Findings::default();
            self.value(branch, value, at, &mut tried, depth + 1);
            if tried.is_bearable(self.severity) {
                findings.take(tried);
                return;
            }
            let kind = branch.get("type").and_then(Value::as_str);
            let same = matches!((kind, value), (Some("object"), Value::Object(_)) | (Some("array"), Value::Array(_)));
            let choices = branch.get("enum").is_some() && value.is_string();
            if same || choices {
                best = Some(tried);
            }
            names.push(kind.map_or("something else".into(), |kind| wanted(kind).to_owned()));
        }
        match best {
            Some(best) => findings.take(best),
            None if names.is_empty() => {}
            None => {
                let message = format!("must be {}, not {}", names.join(" or "), shown(value));
                findings.add(self.severity, at, message, "");
            }
        }
    }

    fn choice(&self, choices: &[Value], value: &Value, at: &At, findings: &mut Findings) {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return findings.add(self.severity, at, format!("must be a text, not {}", shown(value)), ""),
        };
        let words: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        if text.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(&text)) {
            return;
        }
        let help = match nearest(&text, words.iter().copied()) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("it is one of {}", words.join(", ")),
        };
        findings.add(self.severity, at, format!("\"{}\" is not one of its values", shortened(&text, 40)), help);
    }

    fn bounds(&self, schema: &Value, value: &Value, at: &At, findings: &mut Findings) {
        let Some(number) = number(value) else { return };
        if let Some(least) = schema.get("minimum").and_then(Value::as_f64).filter(|least| number < *least) {
            findings.add(self.severity, at, format!("must not be less than {least}, and is {}", shown(value)), "");
        }
        if let Some(most) = schema.get("maximum").and_then(Value::as_f64).filter(|most| number > *most) {
            findings.add(self.severity, at, format!("must not be more than {most}, and is {}", shown(value)), "");
        }
    }

    /// Names that must be there, alone or one of several.
    fn required(&self, schema: &'s Value, members: &Map<String, Value>, at: &At, findings: &mut Findings) {
        let names = |schema: &'s Value| -> Vec<&'s str> {
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let missing = |name: &str| members.get(name).is_none_or(Value::is_null);
        for name in names(schema) {
            let help = self.describe(schema, name);
            if missing(name) {
                findings.add(self.severity, &at.key(name), format!("{name} is missing"), help);
            } else if members.get(name).and_then(Value::as_str).is_some_and(|s| s.trim().is_empty()) {
                findings.add(Severity::Warning, &at.key(name), format!("{name} is empty"), help);
            }
        }
        for one in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let either: Vec<&str> =
                one.get("anyOf").and_then(Value::as_array).into_iter().flatten().flat_map(names).collect();
            let Some(first) = either.first().filter(|_| either.iter().all(|name| missing(name))) else { continue };
            let help = format!("give one of {}", either.join(", "));
            findings.add(self.severity, &at.key(first), format!("{first} is missing"), help);
        }
    }

    fn describe(&self, schema: &Value, name: &str) -> String {
        let field = schema.get("properties").and_then(|p| p.get(name));
        let text = field.and_then(|f| f.get("description")).and_then(Value::as_str).unwrap_or("");
        text.trim_end_matches('.').to_owned()
    }

    fn listed(&self, schema: &'s Value, members: &Map<String, Value>, at: &At, findings: &mut Findings, depth: usize) {
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else { return };
        for (name, value) in members {
            if let Some(field) = fields.get(name) {
                self.value(field, value, &at.key(name), findings, depth + 1);
            }
        }
        if let Some(other) = schema.get("additionalProperties").filter(|other| other.is_object()) {
            for (name, value) in members.iter().filter(|(name, _)| !fields.contains_key(*name)) {
                self.value(other, value, &at.key(name), findings, depth + 1);
            }
        }
    }

    /// A member that looks like a listed one that is not there.
    fn strangers(&self, schema: &'s Value, members: &Map<String, Value>, at: &At, findings: &mut Findings) {
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else { return };
        misspelt(members, &fields.keys().map(String::as_str).collect::<Vec<_>>(), at, findings);
    }
}

/// Members whose names are near that of a known field which is not there.
pub fn misspelt(members: &Map<String, Value>, known: &[&str], at: &At, findings: &mut Findings) {
    for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
        // The same word in other letters is meant even where the right one stands, too.
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        let absent = known.iter().copied().filter(|known| same(known) || !members.contains_key(*known));
        if let Some(meant) = nearest(name, absent) {
            findings.hint(
                &at.key(name),
                format!("{} is no field that is read", shortened(name, 60)),
                format!("did you mean {meant}?"),
            );
        }
    }
}

/// A number, or a text that is one.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    let empty = value.as_str().is_some_and(|s| s.trim().is_empty());
    match kind {
        "boolean" => {
            let word = |s: &str| s.trim().eq_ignore_ascii_case("true") || s.trim().eq_ignore_ascii_case("false");
            empty || value.is_boolean() || value.as_str().is_some_and(word)
        }
        "integer" => empty || number(value).is_some_and(|n| n.fract() == 0.0),
        "number" => empty || number(value).is_some(),
        "string" => matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)),
        "array" => value.is_array() || empty,
        "object" => value.is_object() || empty,
        _ => true,
    }
}

fn wanted(kind: &str) -> &'static str {
    match kind {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "an object",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields;

    #[track_caller]
    fn check(notation: &str, value: Value, expect: &[&str]) {
        let schema = Value::from(fields::read(notation).expect("a notation"));
        let mut findings = Findings::default();
        Shape::new(&schema, Severity::Error).check(&value, &At::Root, &mut findings);
        let said: Vec<String> =
            findings.done().into_iter().map(|f| format!("{}: {} [{}]", f.path, f.message, f.help)).collect();
        assert_eq!(said, expect, "{value}");
    }

    #[test]
    fn values_are_read_as_leniently_as_stages_do() {
        let notation = "n: count, t: text, f: flag, l: [text], o: {x: whole}, e: EAST|WEST, p: [whole]|text";
        check(notation, json!({"n": "30", "t": 5, "f": "True", "l": null, "o": {}, "e": "east", "p": "x"}), &[]);
        check(
            notation,
            json!({"n": "${ a }", "t": "", "f": "", "l": "${ b }", "o": "{{ c }}", "e": "", "p": [1]}),
            &[],
        );
        check(
            notation,
            json!({"n": "soon", "t": [], "f": "yes", "l": "x", "o": {"x": 1.5}, "e": "wst", "p": {}}),
            &[
                "$.n: must be a whole number, not the text \"soon\" []",
                "$.t: must be a text, not a list []",
                "$.f: must be true or false, not the text \"yes\" []",
                "$.l: must be a list, not the text \"x\" []",
                "$.o.x: must be a whole number, not 1.5 []",
                "$.e: \"wst\" is not one of its values [did you mean \"WEST\"?]",
                "$.p: must be a list or a text, not an object []",
            ],
        );
        check(notation, json!({"n": -1}), &["$.n: must not be less than 0, and is -1 []"]);
    }

    #[test]
    fn what_must_be_there_is_missed_and_a_slip_is_understood() {
        check("a!: text, b/c!: text", json!({}), &["$.a: a is missing []", "$.b: b is missing [give one of b, c]"]);
        check("a!: text, b/c!: text", json!({"a": "x", "c": "y"}), &[]);
        check(
            "o: {waitTime: count}",
            json!({"o": {"waittime": 1, "other": 2}}),
            &["$.o.waittime: waittime is no field that is read [did you mean waitTime?]"],
        );
    }
}
