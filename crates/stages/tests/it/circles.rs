//! Pipelines that would start each other without end are refused when the last of them is saved.

use serde_json::{Value, json};
use stages::circles;

use crate::world::World;

/// Saves them in order; what the last one's save said.
async fn saved(all: Vec<Value>) -> String {
    let world = World::new();
    let mut said = String::new();
    for mut one in all {
        one["application"] = json!("shop");
        one["name"] = one["id"].clone();
        let config = one.as_object().unwrap().clone();
        let done = world.store.write(move |tx| circles::save(tx, &config, false, "test").map(drop)).await;
        said = done.err().map(|e| e.to_string()).unwrap_or_default();
    }
    said
}

fn after(id: &str, before: &str, status: Value) -> Value {
    json!({"id": id, "stages": [], "triggers": [{"type": "pipeline", "enabled": true, "pipeline": before, "status": status}]})
}

fn starting(id: &str, child: &str, more: Value) -> Value {
    let mut stage = json!({"type": "pipeline", "refId": "2", "requisiteStageRefIds": ["1"], "pipeline": child});
    stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"id": id, "stages": [{"type": "wait", "refId": "1", "requisiteStageRefIds": []}, stage]})
}

const WHAT: &str = "pipelines would start each other without end: ";
const DO: &str = "; take away or switch off one of the triggers or stages that lead from one to the next";

#[tokio::test]
async fn a_circle_is_refused_with_its_members() {
    let ok = || json!(["successful"]);
    let mut both = starting("a", "b", json!({}));
    both["triggers"] = after("a", "b", ok())["triggers"].clone();
    for (all, path, members) in [
        (vec![after("a", "a", ok())], "$.triggers[0]", "'a' starts 'a'"),
        (vec![after("a", "b", ok()), after("b", "a", ok())], "$.triggers[0]", "'b' starts 'a' starts 'b'"),
        (
            vec![after("a", "b", ok()), after("b", "c", json!(["failed", "successful"])), after("c", "a", ok())],
            "$.triggers[0]",
            "'c' starts 'b' starts 'a' starts 'c'",
        ),
        (vec![starting("a", "a", json!({}))], "$.stages", "'a' starts 'a'"),
        // By their names, which here are the ids in capitals.
        (
            vec![starting("a", "B", json!({})), starting("b", "A", json!({"application": "shop"}))],
            "$.stages",
            "'b' starts 'a' starts 'b'",
        ),
        (
            vec![starting("a", "b", json!({})), starting("b", "a", json!({"waitForCompletion": false}))],
            "$.stages",
            "'b' starts 'a' starts 'b'",
        ),
        (vec![json!({"id": "b", "stages": []}), both], "$.triggers[0]", "'a' starts 'b' starts 'a'"),
    ] {
        assert_eq!(saved(all).await, format!("{path}: {WHAT}{members}{DO}"));
    }
}

#[tokio::test]
async fn what_may_end_is_kept() {
    let ok = || json!(["successful"]);
    let mut disabled = after("b", "a", ok());
    disabled["disabled"] = json!(true);
    let mut off = after("b", "a", ok());
    off["triggers"][0]["enabled"] = json!(false);
    let mut asked = starting("a", "a", json!({}));
    asked["stages"][0]["type"] = json!("manualJudgment");
    for all in [
        vec![after("a", "b", ok())],
        vec![after("a", "b", ok()), after("b", "a", json!(["failed"]))],
        vec![after("a", "b", ok()), disabled],
        vec![after("a", "b", ok()), off],
        vec![starting("a", "a", json!({"stageEnabled": {"type": "expression", "expression": "n < 3"}}))],
        vec![starting("a", "${parameters.next}", json!({}))],
        vec![asked],
        vec![after("a", "b", ok()), starting("b", "a", json!({}))],
        vec![after("a", "x", ok()), after("b", "a", ok()), after("c", "a", ok())],
    ] {
        assert_eq!(saved(all.clone()).await, "", "{all:?}");
    }
}
