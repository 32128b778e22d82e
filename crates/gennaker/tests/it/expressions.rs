//! Expressions as Spinnaker's evaluator answers them: the recorded cases, where they lie beside the checkout, and the command for people.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

#[allow(clippy::disallowed_methods, reason = "where the recordings lie is told to tests by the environment")]
fn recordings() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let folder = std::env::var_os("GENNAKER_CONFORMANCE").map_or_else(beside, PathBuf::from);
    Some(folder.join("expressions/cases.json")).filter(|file| file.exists())
}

fn gennaker(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gennaker")).args(args).output().expect("the binary starts")
}

/// JSON equality; whole numbers and fractions are different kinds, null members of objects are absent.
fn same(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Number(want), Value::Number(got)) => {
            want.is_f64() == got.is_f64() && want.as_f64() == got.as_f64() && (want.is_f64() || want == got)
        }
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| same(want, got))
        }
        (Value::Object(want), Value::Object(got)) => {
            let count =
                |object: &serde_json::Map<String, Value>| object.values().filter(|value| !value.is_null()).count();
            let members = want.iter().filter(|(_, value)| !value.is_null());
            count(want) == count(got)
                && members.into_iter().all(|(name, value)| got.get(name).is_some_and(|got| same(value, got)))
        }
        _ => want == got,
    }
}

fn sorted(names: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn all_recorded_evaluations_come_out_as_recorded() {
    let Some(file) = recordings() else {
        eprintln!("not run: no recorded evaluations beside the checkout (GENNAKER_CONFORMANCE names their folder)");
        return;
    };
    let recorded: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("recordings")).expect("recordings are JSON");
    // What is expected is not shown to the command.
    let mut asked = recorded.clone();
    for case in asked["cases"].as_array_mut().expect("cases") {
        for hidden in ["expected", "failed", "levels"] {
            case.as_object_mut().expect("a case").shift_remove(hidden);
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let questions = folder.path().join("cases.json");
    std::fs::write(&questions, asked.to_string()).expect("written");
    let done = gennaker(&["expression", "evaluate", "--cases", questions.to_str().expect("a path"), "--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    let answers: Vec<Value> = String::from_utf8(done.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON a line"))
        .collect();
    let mut wrong = Vec::new();
    for case in recorded["cases"].as_array().expect("cases") {
        let answer = answers.iter().find(|answer| answer["id"] == case["id"]);
        let right = answer.is_some_and(|answer| {
            same(&case["expected"], &answer["result"]) && sorted(&case["failed"]) == sorted(&answer["failed"])
        });
        if !right {
            wrong.push(format!("{}: {} should be {} but is {answer:?}", case["id"], case["input"], case["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_failure_is_shown_at_its_column_and_the_exit_code_is_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("execution.json");
    let execution = json!({"id": "1", "trigger": {"type": "manual", "parameters": {"region": "eu"}}, "stages": []});
    std::fs::write(&file, execution.to_string()).expect("written");
    let evaluate =
        |text: &str| gennaker(&["expression", "evaluate", "--execution", file.to_str().expect("a path"), text]);

    let good = evaluate("to ${parameters.region.toUpperCase()}");
    assert_eq!((String::from_utf8_lossy(&good.stdout).as_ref(), good.status.code()), ("to EU\n", Some(0)));

    let bad = evaluate("to ${parameters.region.nope}");
    assert_eq!(
        (String::from_utf8_lossy(&bad.stdout).as_ref(), bad.status.code()),
        ("to ${parameters.region.nope}\n", Some(1))
    );
    let shown = "to ${parameters.region.nope}\n                       ^ a text has no property 'nope'\n";
    assert_eq!(String::from_utf8_lossy(&bad.stderr), shown);
}

#[test]
fn a_stage_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("execution.json");
    std::fs::write(&file, r#"{"id": "1", "stages": []}"#).expect("written");
    let done =
        gennaker(&["expression", "evaluate", "--execution", file.to_str().expect("a path"), "--stage", "7", "${1}"]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&done.stderr), "gennaker: the execution has no stage with refId '7'\n");
}
