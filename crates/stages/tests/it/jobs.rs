//! Jobs that save pipelines, alone, many at once, and from an artifact.

use pipeline::Status;
use serde_json::json;

use crate::answers::{Play, stage};

async fn names(play: &Play, application: &'static str) -> Vec<String> {
    let read = play.store.read(move |tx| pipeline::pipelines::of_application(tx, application, None));
    read.await.unwrap().iter().map(|p| format!("{} {}", p["name"], p["id"])).collect()
}

#[tokio::test]
async fn many_pipelines_are_saved_each_for_itself() {
    let play = Play::new("").await;
    let good = json!({"application": "shop", "name": "good", "stages": []});
    // [{"application":"shop","name":"good"},{"application":"shop"}]
    let text = "W3siYXBwbGljYXRpb24iOiJzaG9wIiwibmFtZSI6Imdvb2QifSx7ImFwcGxpY2F0aW9uIjoic2hvcCJ9XQ==";
    for list in [json!([good, {"application": "shop"}]), json!(text)] {
        let job = json!({"pipelines": list, "isBulkSavingPipelines": true});
        let run = play.run(json!([stage("savePipeline", job)])).await;
        assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
        let told = run.stages[0].context["bulksave"].clone();
        let failed =
            told["failed_pipelines_count"].as_u64().unwrap() + told["successful_pipelines_count"].as_u64().unwrap();
        assert_eq!(failed, 2, "{told}");
        assert!(told["failed_pipelines"].to_string().contains("a pipeline needs a name"), "{told}");
    }
    assert_eq!(names(&play, "shop").await.len(), 1);
}

#[tokio::test]
async fn a_pipeline_is_saved_as_written_even_from_a_pipeline() {
    let play = Play::new("").await;
    let inner = stage("wait", json!({"waitTime": "${1 + 1}"}));
    let inner = json!({"application": "shop", "name": "inner", "stages": [inner]});
    let save = stage("savePipeline", json!({"pipeline": inner, "note": "${1 + 1}"}));
    let outer = json!({"application": "shop", "name": "outer", "spelEvaluator": "v4", "stages": [save]});
    let id = play.start(outer, json!({})).await;
    let run = play.ended(&id).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    assert_eq!(run.stages[0].context["note"], 2);
    let read = play.store.read(|tx| pipeline::pipelines::by_name_or_id(tx, "shop", "inner")).await.unwrap().unwrap();
    assert_eq!(read["stages"][0]["waitTime"], "${1 + 1}");
}

#[tokio::test]
async fn pipelines_of_an_artifact_are_saved_and_those_that_are_there_keep_their_ids() {
    let play = Play::new("").await;
    let id = play.save(json!({"application": "shop", "name": "old", "stages": []})).await;
    let text = json!({"shop": [{"name": "old", "description": "changed"}, {"name": "new"}]}).to_string();
    let make = stage(
        "evaluateArtifacts",
        json!({
            "artifactContents": [{"name": "all.json", "contents": text}],
            "expectedArtifacts": [{"id": "all", "matchArtifact": {"name": "all.json"}}],
        }),
    );
    let mut save = stage("savePipelinesFromArtifact", json!({"pipelinesArtifactId": "all"}));
    save["refId"] = json!("2");
    save["requisiteStageRefIds"] = json!(["1"]);
    let run = play.run(json!([make, save])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[1].context);
    let names = names(&play, "shop").await;
    assert_eq!(names.len(), 2);
    assert!(names.contains(&format!("\"old\" \"{id}\"")), "{names:?}");
}
