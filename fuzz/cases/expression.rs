//! One case of the expression fuzzer: any text is evaluated, with and without a stage, and comes back as text or JSON.

use jiff::Timestamp;
use pipeline::evaluate::{Given, process};
use serde_json::{Value, json};

/// Evaluates `data`. It may fail in any way but by a panic or by not ending.
pub fn one(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let given = Given { now: Timestamp::UNIX_EPOCH, seed: 7, ..Given::default() };
    let input = json!({"whole": format!("${{{text}}}"), "mixed": format!("a {text} b"), text: 1});
    for (stage, lenient) in [(Some("2"), true), (None, false)] {
        let evaluated = process(&execution(), stage, &input, lenient, &given);
        assert!(evaluated.value.is_object(), "an object stays one");
        assert!(evaluated.summary().values().all(Value::is_array), "each failure is listed");
    }
}

fn execution() -> Value {
    json!({
        "type": "PIPELINE", "id": "01HF7YAT00AAAAAAAAAAAAAAAA", "application": "shop", "name": "p", "status": "RUNNING",
        "authentication": {"user": "ann", "allowedAccounts": ["local"]},
        "trigger": {"type": "manual", "user": "ann", "parameters": {"region": "eu", "n": 3, "list": [1, "b", {"c": null}]}},
        "stages": [
            {"id": "s1", "refId": "1", "type": "bake", "name": "Bake", "status": "SUCCEEDED", "context": {"package": "a-1.2"},
             "outputs": {"image": "img", "numbers": [1, 2.5, -3]}, "tasks": [], "requisiteStageRefIds": []},
            {"id": "s2", "refId": "2", "type": "wait", "name": "Wait", "status": "NOT_STARTED", "outputs": {}, "tasks": [],
             "context": {"text": "Hello", "map": {"a": 1, "b": {"c": [true, null]}}}, "requisiteStageRefIds": ["1"]},
        ],
    })
}
