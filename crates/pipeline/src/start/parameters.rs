//! The parameters that a pipeline declares: their defaults, which of them are asked, and what may be given.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::StartError;
use crate::Map;

/// Who gives the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giver {
    /// Somebody who chooses: options and constraints hold.
    Person,
    /// An event, which cannot choose again: only what must be there is looked for.
    Event,
}

fn declared(config: &Map) -> impl Iterator<Item = (&str, &Value)> {
    let list = config.get("parameterConfig").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|one| Some((one.get("name")?.as_str()?, one)))
}

/// Gives each parameter that is missing its default.
pub(super) fn fill(parameters: &mut Map, config: &Map) {
    for (name, one) in declared(config) {
        if !parameters.contains_key(name) {
            parameters.insert(name.to_owned(), one.get("default").cloned().unwrap_or(Value::Null));
        }
    }
}

/// Refuses a start whose trigger leaves out a parameter that must be given and has no default; a person's also when a value is none of the
/// parameter's options, or no date where one is asked for. A value with an expression in it is judged by nobody before it runs.
pub fn check(config: &Map, trigger: &Map, giver: Giver) -> Result<(), StartError> {
    let none = Map::new();
    let given = trigger.get("parameters").and_then(Value::as_object).unwrap_or(&none);
    for (name, one) in declared(config) {
        if !is_asked(one, config, given) {
            continue;
        }
        let value = given.get(name).filter(|value| !value.is_null());
        let default = one.get("default").filter(|default| !default.is_null());
        let required = one.get("required") == Some(&Value::Bool(true));
        match value {
            None if required && default.is_none() => return Err(StartError::MissingParameter(name.to_owned())),
            Some(value) if giver == Giver::Person && Some(value) != default => fits(name, one, value)?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether a parameter's condition on another one holds; without a condition it does.
fn is_asked(one: &Value, config: &Map, given: &Map) -> bool {
    let Some(condition) = one.get("condition").filter(|c| c.is_object()) else { return true };
    let Some(name) = condition.get("parameter").and_then(Value::as_str).filter(|n| !n.is_empty()) else { return true };
    let default = || declared(config).find(|(n, _)| *n == name).and_then(|(_, other)| other.get("default"));
    let have = given.get(name).filter(|v| !v.is_null()).or_else(default).map(shown).unwrap_or_default();
    let want = condition.get("comparatorValue").map(shown).unwrap_or_default();
    if have.contains("${") {
        return true;
    }
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let compare = |holds: fn(f64, f64) -> bool| match (number(&have), number(&want)) {
        (Some(have), Some(want)) => holds(have, want),
        _ => false,
    };
    match condition.get("comparator").and_then(Value::as_str).unwrap_or("=") {
        "=" | "==" => have == want,
        "!=" => have != want,
        "<" => compare(|a, b| a < b),
        "<=" => compare(|a, b| a <= b),
        ">" => compare(|a, b| a > b),
        ">=" => compare(|a, b| a >= b),
        _ => true,
    }
}

fn fits(name: &str, one: &Value, value: &Value) -> Result<(), StartError> {
    let text = shown(value);
    if text.contains("${") {
        return Ok(());
    }
    if one.get("hasOptions") == Some(&Value::Bool(true)) {
        let options = one.get("options").and_then(Value::as_array);
        let options: Vec<String> = options.into_iter().flatten().filter_map(|o| o.get("value")).map(shown).collect();
        let open = options.is_empty() || options.iter().any(|option| option.contains("${"));
        if !open && !options.contains(&text) {
            return Err(StartError::NotAnOption { name: name.to_owned(), value: short(&text), options });
        }
    }
    let date = one.get("constraint").and_then(Value::as_str) == Some("date");
    if date && !text.is_empty() && text.parse::<Date>().is_err() && text.parse::<Timestamp>().is_err() {
        return Err(StartError::NotADate { name: name.to_owned(), value: short(&text) });
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn refused(declared: Value, given: Value, giver: Giver, expect: &str) {
        let (config, trigger) = (json!({"parameterConfig": declared}), json!({"parameters": given}));
        let done = check(config.as_object().expect("an object"), trigger.as_object().expect("an object"), giver);
        let said = done.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(said, expect, "{declared} {given}");
    }

    #[test]
    fn what_is_required_must_be_given_or_have_a_default() {
        let missing = "Required parameter version is missing";
        for giver in [Giver::Person, Giver::Event] {
            let declared = |more: Value| {
                let mut one = json!({"name": "version", "required": true});
                one.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
                json!([one])
            };
            refused(declared(json!({})), json!({}), giver, missing);
            refused(declared(json!({})), json!(null), giver, missing);
            refused(declared(json!({})), json!({"version": null}), giver, missing);
            refused(declared(json!({})), json!({"version": ""}), giver, "");
            refused(declared(json!({})), json!({"version": 0}), giver, "");
            refused(declared(json!({"default": "1.0"})), json!({}), giver, "");
            refused(declared(json!({"default": ""})), json!({}), giver, "");
            refused(declared(json!({"default": null})), json!({}), giver, missing);
            refused(declared(json!({"required": false})), json!({}), giver, "");
            refused(json!([{"required": true}, "nonsense"]), json!({}), giver, "");
        }
    }

    #[test]
    fn a_person_chooses_one_of_the_options_or_writes_an_expression() {
        let declared = json!([{"name": "where", "hasOptions": true, "default": "laptop", "options": [{"value": "test"}, {"value": "prod"}, {"value": 7}]}]);
        let check = |given: Value, expect: &str| {
            refused(declared.clone(), json!({ "where": given }), Giver::Person, expect);
            refused(declared.clone(), json!({ "where": given }), Giver::Event, "");
        };
        check(json!("test"), "");
        check(json!(7), "");
        check(json!("7"), "");
        check(json!("laptop"), "");
        check(json!("${trigger.x}"), "");
        check(json!("mars"), "the parameter where cannot be 'mars'; it is one of: test, prod, 7");
        check(json!("Test"), "the parameter where cannot be 'Test'; it is one of: test, prod, 7");
        let open = json!([{"name": "where", "hasOptions": true, "options": [{"value": "${x}"}]}]);
        refused(open, json!({"where": "mars"}), Giver::Person, "");
        let off = json!([{"name": "where", "hasOptions": false, "options": [{"value": ""}]}]);
        refused(off, json!({"where": "mars"}), Giver::Person, "");
    }

    #[test]
    fn a_parameter_whose_condition_does_not_hold_is_not_asked() {
        let check = |comparator: &str, want: Value, given: Value, asked: bool| {
            let declared = json!([
                {"name": "replicas", "default": "3"},
                {"name": "reason", "required": true,
                    "condition": {"parameter": "replicas", "comparator": comparator, "comparatorValue": want}},
            ]);
            let expect = if asked { "Required parameter reason is missing" } else { "" };
            refused(declared, given, Giver::Person, expect);
        };
        check("=", json!("3"), json!({}), true);
        check("==", json!(3), json!({}), true);
        check("=", json!("3"), json!({"replicas": "4"}), false);
        check("!=", json!("3"), json!({"replicas": "4"}), true);
        check(">", json!("5"), json!({"replicas": "10"}), true);
        check(">", json!("5"), json!({"replicas": 5}), false);
        check(">=", json!("5"), json!({"replicas": 5}), true);
        check("<", json!("5"), json!({"replicas": "many"}), false);
        check("<=", json!("5"), json!({"replicas": "5.0"}), true);
        check("=", json!("3"), json!({"replicas": "${x}"}), true);
        check("~", json!("3"), json!({"replicas": "4"}), true);
    }

    #[test]
    fn a_date_is_a_date() {
        let declared = json!([{"name": "day", "constraint": "date"}]);
        for good in ["2027-03-01", "2027-03-01T12:00:00Z", "", "${#now()}"] {
            refused(declared.clone(), json!({ "day": good }), Giver::Person, "");
        }
        let expect = "the parameter day cannot be '2027-02-30'; it is a date, as 2027-03-01";
        refused(declared.clone(), json!({"day": "2027-02-30"}), Giver::Person, expect);
        refused(declared, json!({"day": "2027-02-30"}), Giver::Event, "");
    }
}
