//! The part of Go's text/template that `-format` and `-repo` are used with: `{{.Field}}`, `{{index . "Field"}}`,
//! `{{if .Field}}…{{else}}…{{end}}`, `{{printf "%s" .Field}}`.

/// Fills in the fields; `None` when the template cannot be read. An absent field is `<no value>`, as in Go.
pub fn fill(template: &str, field: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    // One entry a nested `if`: whether its present branch is taken.
    let mut branches: Vec<bool> = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, behind) = after.split_once("}}")?;
        let on = branches.iter().all(|taken| *taken);
        let before = if action.starts_with("- ") { before.trim_end() } else { before };
        if on {
            out.push_str(before);
        }
        rest = if action.ends_with(" -") { behind.trim_start() } else { behind };
        let action = action.strip_prefix('-').unwrap_or(action);
        let action = action.strip_suffix('-').unwrap_or(action).trim();
        if let Some(condition) = action.strip_prefix("if ") {
            branches.push(value(condition.trim(), field)?.is_some_and(|text| !text.is_empty()));
        } else if action == "else" {
            let last = branches.last_mut()?;
            *last = !*last;
        } else if action == "end" {
            branches.pop()?;
        } else {
            let text = value(action, field)?;
            if on {
                out.push_str(text.as_deref().unwrap_or("<no value>"));
            }
        }
    }
    if !branches.is_empty() {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// What an action stands for; the outer `None` when it cannot be read.
fn value(action: &str, field: &dyn Fn(&str) -> Option<String>) -> Option<Option<String>> {
    if let Some(name) = action.strip_prefix('.') {
        let known = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        return known.then(|| field(name));
    }
    if let Some(name) = action.strip_prefix("index . ") {
        let name = name.trim().strip_prefix('"')?.strip_suffix('"')?;
        return Some(Some(field(name).unwrap_or_default()));
    }
    if let Some(rest) = action.strip_prefix("printf ") {
        let (format, rest) = rest.trim().strip_prefix('"')?.split_once('"')?;
        let mut text = String::new();
        let mut values = rest.split_whitespace();
        let mut parts = format.split("%s");
        text.push_str(parts.next()?);
        for part in parts {
            text.push_str(&value(values.next()?, field)?.unwrap_or_default());
            text.push_str(part);
        }
        return Some(Some(text.replace("\\n", "\n").replace("\\t", "\t")));
    }
    let quoted = action.strip_prefix('"')?.strip_suffix('"')?;
    Some(Some(quoted.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn templates() {
        let field = |name: &str| (name == "Package").then(|| "app".to_owned());
        let check =
            |template: &str, want: Option<&str>| assert_eq!(fill(template, &field).as_deref(), want, "{template}");
        check("{{.Package}}_{{.Nothing}}", Some("app_<no value>"));
        check("{{index . \"Package\"}} x", Some("app x"));
        check("{{if .Nothing}}a{{else}}b{{end}}", Some("b"));
        check("{{printf \"<%s>\" .Package}}", Some("<app>"));
        check("{{ .Package ", None);
        check("{{.Package | html}}", None);
    }
}
