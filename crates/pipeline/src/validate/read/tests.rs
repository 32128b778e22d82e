use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> (Value, Vec<String>) {
    let mut findings = Findings::default();
    let document = document(text, &mut findings);
    let show = |f: super::super::Finding| format!("{:?} {}: {}", f.severity, f.path, f.message);
    (document.value, findings.done().into_iter().map(show).collect())
}

#[track_caller]
fn check(text: &str, value: Value, findings: &[&str]) {
    assert_eq!(read(text), (value, findings.iter().map(|f| (*f).to_owned()).collect()), "{text}");
}

#[test]
fn good_json_is_read_as_it_is() {
    let text = r#"{"b": [1, -2.5e3, true, null, "x\u00e9\n\"\ud83d\ude00"], "a": {}, "c": []}"#;
    check(text, serde_json::from_str(text).expect("good"), &[]);
}

#[test]
fn habits_of_people_are_hints() {
    check(
        "// a pipeline\n{\"a\": 1, # one\n \"b\": [1, 2,], /* two */}",
        json!({"a": 1, "b": [1, 2]}),
        &["Hint $: there are comments (line 2)", "Hint $.b: there is a comma before a closing bracket (line 3)"],
    );
    check(
        "{\"stages\": [{{ module \"wait.stage\" \"waitTime\" 4 }}, {\"a\": \"{{ var \"x\" }}-1\"}]}",
        json!({"stages": ["{{ module \"wait.stage\" \"waitTime\" 4 }}", {"a": "{{ var \"x\" }}-1"}]}),
        &["Hint $.stages[0]: there is a call of a template ({{ … }}) (line 1)"],
    );
    check("a: 1\nb: [x, y]\n", json!({"a": 1, "b": ["x", "y"]}), &[]);
}

#[test]
fn reading_goes_on_behind_what_is_broken() {
    check(
        "{\"a\": 1 \"b\": 2, \"a\": 3, c: nope, 'd': 007, \"e\": [1, 2}",
        json!({"a": 3, "b": 2, "c": "nope", "d": 7.0, "e": [1, 2]}),
        &[
            "Error $: line 1, column 9: a comma is missing",
            "Error $.a: line 1, column 17: the key \"a\" stands twice in this object",
            "Error $: line 1, column 25: the key c has no quotes",
            "Error $.c: line 1, column 28: nope is no JSON value",
            "Error $: line 1, column 34: a text stands in single quotes",
            "Error $.d: line 1, column 39: 007 is not how JSON writes a number",
            "Error $.e: line 1, column 54: '}' stands where ']' should",
        ],
    );
    check("{\"a\": [1, ", json!({"a": [1]}), &["Error $.a[1]: line 1, column 11: the file ends inside a list"]);
    check(
        "{\"a\"",
        json!({}),
        &[
            "Error $: line 1, column 5: there is no ':' behind the key",
            "Error $.a: line 1, column 5: the file ends inside an object",
        ],
    );
    check("", Value::Null, &["Error $: the file is empty"]);
}

#[test]
fn what_is_too_big_is_named() {
    let (value, said) = read(&format!("{{\"n\": 1{}}}", "0".repeat(400)));
    assert_eq!((value, said.len()), (json!({"n": i64::MAX}), 1));
    assert!(said[0].starts_with("Error $.n: line 1, column") && said[0].ends_with("is out of range"), "{said:?}");

    let deep = format!("{{\"a\": {}1{}, \"b\": 2}}", "[".repeat(10_000), "]".repeat(10_000));
    let (value, said) = read(&deep);
    assert_eq!(value["b"], json!(2), "reading goes on behind it");
    assert!(said.len() == 1 && said[0].contains("nested more than 128 levels deep"), "{said:?}");
    let (_, said) = read(&"[".repeat(100_000));
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn a_path_leads_to_its_line() {
    let text = "{\n  \"stages\": [\n    {\"a.b\": 1,\n     \"x\": {}}\n  ]\n}";
    let document = document(text, &mut Findings::default());
    let place = |path: &str| document.line_and_column(text, path);
    assert_eq!(place("$"), Some((1, 1)));
    assert_eq!(place("$.stages[0]"), Some((3, 5)));
    assert_eq!(place("$.stages[0]['a.b']"), Some((3, 6)));
    assert_eq!(place("$.stages[0].x.missing.deeper"), Some((4, 6)), "the nearest thing that is there");
}
