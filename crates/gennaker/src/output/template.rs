//! Templates of `-o jsonpath=…`: text, `{.path}`, `{"text"}`, `{range .list[*]}…{end}`, as `kubectl` and `spin` have them.

use anyhow::{Context, bail};
use serde_json::Value;

/// A piece of a template.
enum Piece {
    Text(String),
    Path(String),
    Range(String, Vec<Piece>),
}

/// Fills a template; one without braces is one path.
pub fn fill(template: &str, value: &Value) -> anyhow::Result<String> {
    let whole = if template.contains('{') { template.to_owned() } else { format!("{{{template}}}") };
    let mut rest = whole.as_str();
    let pieces = parse(&mut rest, false)?;
    let mut out = String::new();
    print(&pieces, value, value, &mut out)?;
    Ok(out)
}

fn parse(rest: &mut &str, inside: bool) -> anyhow::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    loop {
        let Some(open) = rest.find('{') else {
            if inside {
                bail!("a {{range …}} of the jsonpath template has no {{end}}");
            }
            pieces.push(Piece::Text((*rest).to_owned()));
            return Ok(pieces);
        };
        pieces.push(Piece::Text(rest[..open].to_owned()));
        let close =
            end_of(&rest[open..]).with_context(|| format!("no }} closes \"{}\" in the jsonpath", &rest[open..]))?;
        let inner = rest[open + 1..open + close].trim();
        *rest = &rest[open + close + 1..];
        if inner == "end" {
            if inside {
                return Ok(pieces);
            }
            bail!("an {{end}} of the jsonpath template ends no range");
        }
        if let Some(path) = inner.strip_prefix("range ") {
            let body = parse(rest, true)?;
            pieces.push(Piece::Range(path.trim().to_owned(), body));
        } else if inner.starts_with('"') {
            let text: String = serde_json::from_str(inner).with_context(|| format!("{inner} is no text in quotes"))?;
            pieces.push(Piece::Text(text));
        } else {
            pieces.push(Piece::Path(inner.to_owned()));
        }
    }
}

/// Where the brace closes that the text begins with; braces in quotes do not count.
fn end_of(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn print(pieces: &[Piece], root: &Value, here: &Value, out: &mut String) -> anyhow::Result<()> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Path(path) => {
                let shown: Vec<String> = found(path, root, here)?.iter().map(shown).collect();
                out.push_str(&shown.join(" "));
            }
            Piece::Range(path, body) => {
                for one in found(path, root, here)? {
                    print(body, root, &one, out)?;
                }
            }
        }
    }
    Ok(())
}

fn found(path: &str, root: &Value, here: &Value) -> anyhow::Result<Vec<Value>> {
    let (of, rest) = match path.strip_prefix('$') {
        Some(rest) => (root, rest),
        None => (here, path.strip_prefix('@').unwrap_or(path)),
    };
    let dot = if rest.is_empty() || rest.starts_with(['.', '[']) { "" } else { "." };
    let full = format!("${dot}{rest}");
    let full = if full == "$." { "$".to_owned() } else { full };
    pipeline::json_path::find(of, &full).with_context(|| format!("the jsonpath {{{path}}} finds nothing"))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_pick_out_what_they_name() {
        let value =
            json!({"name": "a", "list": [{"n": 1, "on": true, "t": "x}"}, {"n": 2, "on": false}], "o": {"k": [1]}});
        for (template, expected) in [
            ("{.name}", "a"),
            (".name", "a"),
            ("name", "a"),
            ("{$.name}-{.list[0].n}", "a-1"),
            ("{.list[*].n}", "1 2"),
            ("{range .list[*]}{.n}:{.on}{\"\\n\"}{end}", "1:true\n2:false\n"),
            ("{.list[?(@.n==2)].on}", "false"),
            ("{.list[?(@.t==\"x}\")].n}", "1"),
            ("{.o}", "{\"k\":[1]}"),
            ("{..n}", "1 2"),
        ] {
            assert_eq!(fill(template, &value).expect(template), expected, "{template}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_read_is_refused() {
        for template in ["{.a", "{end}", "{range .a}", "{.a[}", "{\"}"] {
            assert!(fill(template, &json!({})).is_err(), "{template}");
        }
    }
}
