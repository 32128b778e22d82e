//! Pipelines that start, watch and search other pipelines, and judgments that hand on who answered them.

use pipeline::Status;
use pipeline::decide::Message;
use serde_json::{Value, json};

use crate::answers::{Play, stage};

fn numbered(number: &str, requires: &[&str], kind: &str, more: Value) -> Value {
    let mut stage = stage(kind, more);
    stage["refId"] = json!(number);
    stage["requisiteStageRefIds"] = json!(requires);
    stage
}

fn variable(key: &str, value: &str) -> Value {
    stage("evaluateVariables", json!({"variables": [{"key": key, "value": value}]}))
}

fn quick() -> Value {
    stage("wait", json!({"waitTime": 0}))
}

#[tokio::test]
async fn a_child_is_found_by_its_name_and_may_keep_its_outputs_to_itself() {
    let play = Play::new("").await;
    play.save(json!({"application": "other", "name": "Child", "stages": [variable("color", "${parameters.wanted}")]}))
        .await;
    let child = json!({"pipeline": "child", "pipelineApplication": "other", "pipelineParameters": {"wanted": "red"}});
    let run = play.run(json!([stage("pipeline", child.clone())])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    assert_eq!(run.stages[0].outputs["color"], "red");
    let mut quiet = child;
    quiet["skipDownstreamOutput"] = json!("true");
    let run = play.run(json!([stage("pipeline", quiet)])).await;
    assert_eq!((run.status, run.stages[0].outputs.get("color")), (Status::Succeeded, None));
    let unknown = play.run(json!([stage("pipeline", json!({"pipeline": "nobody"}))])).await;
    assert_eq!(unknown.status, Status::Terminal);
}

#[tokio::test]
async fn a_child_receives_what_the_stages_before_it_made() {
    let play = Play::new("").await;
    let expects = json!([{"id": "a", "matchArtifact": {"name": "a.txt"}, "usePriorArtifact": true}]);
    let id = play
        .save(json!({"application": "shop", "name": "child", "expectedArtifacts": expects, "stages": [quick()]}))
        .await;
    let make =
        numbered("1", &[], "evaluateArtifacts", json!({"artifactContents": [{"name": "a.txt", "contents": "hello"}]}));
    let run = play.run(json!([make, numbered("2", &["1"], "pipeline", json!({"pipeline": id}))])).await;
    let child = run.stages[1].context["executionId"].as_str().unwrap().to_owned();
    let child = play.now(&child).await;
    let bound = &child.trigger.0["resolvedExpectedArtifacts"][0]["boundArtifact"];
    assert_eq!((&bound["name"], &bound["reference"]), (&json!("a.txt"), &json!("aGVsbG8=")), "{:?}", child.trigger);
}

#[tokio::test]
async fn artifacts_of_an_earlier_execution_are_found_and_bound() {
    let play = Play::new("").await;
    let make = stage(
        "evaluateArtifacts",
        json!({
            "artifactContents": [{"id": "1", "name": "a.txt", "contents": "one"}],
            "expectedArtifacts": [{"id": "own", "matchArtifact": {"name": "a.*"}}],
        }),
    );
    let id = play.save(json!({"application": "shop", "name": "maker", "stages": [make.clone()]})).await;
    let trigger = json!({"type": "manual"});
    let made = play.start(json!({"application": "shop", "name": "maker", "id": id, "stages": [make]}), trigger).await;
    assert_eq!(play.ended(&made).await.status, Status::Succeeded);
    let find = |name: &str| {
        stage(
            "findArtifactFromExecution",
            json!({
                "application": "shop", "pipeline": "maker", "executionOptions": {"successful": true},
                "expectedArtifacts": [{"id": "x", "displayName": "the x", "matchArtifact": {"name": name}}],
            }),
        )
    };
    let run = play.run(json!([find("a.txt")])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    assert_eq!(run.stages[0].outputs["resolvedExpectedArtifacts"][0]["boundArtifact"]["reference"], "b25l");
    let run = play.run(json!([find("b.txt")])).await;
    let error = run.stages[0].context["exception"]["details"]["errors"][0].as_str().unwrap().to_owned();
    assert!(error.starts_with("Unmatched expected artifact the x could not be resolved."), "{error}");
}

#[tokio::test]
async fn several_pipelines_run_in_the_order_of_their_dependencies() {
    let play = Play::new("").await;
    play.save(json!({"application": "shop", "name": "one", "stages": [variable("first", "${parameters.tag}")]})).await;
    play.save(json!({"application": "shop", "name": "two", "stages": [variable("second", "2")]})).await;
    let yaml = "bundle:\n  b:\n    child_pipeline: two\n    depends_on: [a]\n  a:\n    child_pipeline: one\n    arguments: {tag: v1}\n";
    let run = play.run(json!([stage("runMultiplePipelines", json!({"yamlConfig": yaml}))])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages);
    let parent = run.top_stages().next().unwrap();
    let told = &parent.outputs["executions"];
    assert_eq!((&told["a"]["status"], &told["b"]["status"]), (&json!("SUCCEEDED"), &json!("SUCCEEDED")));
    let by = |name: &str| run.stages.iter().find(|s| s.name == name).unwrap();
    assert_eq!(by("Run a").outputs["first"], "v1");
    assert!(by("Run a").end_time <= by("Run b").start_time);
}

#[tokio::test]
async fn the_end_of_other_executions_is_waited_for() {
    let play = Play::new("").await;
    let good = play.begin(json!([stage("wait", json!({"waitTime": 1}))])).await;
    let bad = play.begin(json!([stage("noSuchType", json!({}))])).await;
    let all = json!({"executionIds": [good, bad], "monitorBehavior": "WaitForAllToComplete"});
    let run = play.run(json!([stage("monitorPipeline", all)])).await;
    assert_eq!(run.status, Status::Terminal);
    let statuses = &run.stages[0].context["executionStatuses"];
    assert_eq!((&statuses[&good]["status"], &statuses[&bad]["status"]), (&json!("SUCCEEDED"), &json!("TERMINAL")));
    let run = play.run(json!([stage("dependsOnExecution", json!({"executionId": good}))])).await;
    assert_eq!(run.status, Status::Succeeded);
    let run = play.run(json!([stage("dependsOnExecution", json!({"executionId": bad}))])).await;
    assert_eq!(run.status, Status::Terminal);
}

#[tokio::test]
async fn a_judge_hands_their_authentication_on_and_their_comment_stays() {
    let play = Play::new("").await;
    play.save(json!({"application": "shop", "name": "child", "stages": [quick()]})).await;
    let judge = numbered(
        "1",
        &[],
        "manualJudgment",
        json!({"propagateAuthenticationContext": true, "stageTimeoutMs": 3_600_000}),
    );
    let id = play.begin(json!([judge, numbered("2", &["1"], "pipeline", json!({"pipeline": "child"}))])).await;
    let run = play.until(&id, |run| run.stages[0].context.contains_key("judgment")).await;
    let task = &run.stages[0].tasks[0];
    assert_eq!(task.waiting.clone().unwrap().until, Some(run.stages[0].start_time.unwrap() + 3_600_000));
    assert_eq!(run.stages[0].context["judgment"]["startedBy"], "ann");
    let answer = json!({"judgmentStatus": "continue", "comment": "looks good"}).as_object().unwrap().clone();
    let patch = Message::PatchStage { stage: run.stages[0].id.clone(), user: "judith".into(), context: answer };
    play.engine.tell(&id, patch).await.unwrap();
    let run = play.ended(&id).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages);
    let context = &run.stages[0].context;
    assert_eq!((&context["lastModifiedBy"], &context["comment"]), (&json!("judith"), &json!("looks good")));
    let child = play.now(run.stages[1].context["executionId"].as_str().unwrap()).await;
    assert_eq!(child.trigger.user(), "judith");
}

#[tokio::test]
async fn a_time_that_has_come_is_not_waited_for() {
    let play = Play::new("").await;
    let run = play.run(json!([stage("waitUntil", json!({"startTime": "2001-01-01T00:00:00Z"}))])).await;
    assert_eq!(run.status, Status::Succeeded);
    let run = play.run(json!([stage("waitUntil", json!({"startTime": "soon"}))])).await;
    assert_eq!(run.status, Status::Terminal);
}

#[tokio::test]
async fn two_hundred_children_leave_small_records() {
    let play = Play::new("").await;
    let id = play.save(json!({"application": "shop", "name": "child", "stages": [quick()]})).await;
    let stages: Vec<Value> = (0..200)
        .map(|i| numbered(&i.to_string(), &[], "pipeline", json!({"pipeline": id, "pipelineParameters": {"n": i}})))
        .collect();
    let run = play.run(json!(stages)).await;
    assert_eq!(run.status, Status::Succeeded);
    let size = serde_json::to_string(&run).unwrap().len();
    assert!(size < 400_000, "the parent takes {size} bytes");
    let child = play.now(run.stages[199].context["executionId"].as_str().unwrap()).await;
    let size = serde_json::to_string(&child).unwrap().len();
    assert!(size < 5_000, "a child takes {size} bytes");
}
