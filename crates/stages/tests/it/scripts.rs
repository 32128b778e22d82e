//! Script stages as the engine runs them: output, exit code, clean environment, and the end of everything with the stage.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloud::Clouds;
use events::outgoing::{Outgoing, OutgoingConfig};
use pipeline::decide::Message;
use pipeline::engine::FetchNothing;
use pipeline::model::{Kind, Status};
use pipeline::{Engine, Execution, Map, Registry, StartRequest};
use serde_json::{Value, json};
use stages::script::{Scripts, register};
use store::clock::SystemClock;
use store::{Location, Store, StoreError};

use crate::answers::running;

struct Play {
    folder: tempfile::TempDir,
    store: Store,
    engine: Engine,
}

async fn play() -> Play {
    let folder = tempfile::tempdir().unwrap();
    let place = Location::Sqlite(folder.path().join("gennaker.db"));
    let store = Store::open(place, &[pipeline::schema::MIGRATIONS], Arc::new(SystemClock)).unwrap();
    let engine = Engine::new(store.clone());
    let scripts = Scripts {
        clouds: Arc::new(Clouds::new(vec![]).unwrap()),
        folder: folder.path().join("scripts"),
        path: "/usr/bin:/bin".into(),
        outgoing: Arc::new(Outgoing::new(OutgoingConfig::default())),
        allowed: vec![folder.path().join("allowed")],
    };
    engine.start(register(Registry::new(), scripts), Arc::new(FetchNothing)).await.unwrap();
    Play { folder, store, engine }
}

impl Play {
    async fn begin(&self, stage: Value) -> String {
        let mut config = Map::new();
        config.insert("application".into(), json!("shop"));
        config.insert("stages".into(), json!([stage]));
        let request = StartRequest { config, trigger: Map::new(), kind: Kind::Pipeline, key: None };
        self.engine.begin(request).await.unwrap()
    }

    async fn ended(&self, id: &str) -> Execution {
        self.engine.ended(id, Duration::from_secs(20)).await.unwrap();
        let read = id.to_owned();
        self.store.read::<_, StoreError, _>(move |tx| pipeline::records::get(tx, &read)).await.unwrap().unwrap()
    }
}

fn script(command: Value) -> Value {
    json!({"type": "script", "name": "Script", "refId": "1", "requisiteStageRefIds": [], "command": command})
}

#[tokio::test]
async fn a_script_says_how_it_ended_and_sees_nothing_of_the_server() {
    let play = play().await;
    let id = play.begin(script(json!(["sh", "-c", "echo for $GENNAKER_APPLICATION; env | grep -c CARGO"]))).await;
    let run = play.ended(&id).await;
    // grep -c says 0 and ends with 1 when it finds nothing.
    assert_eq!(run.status, Status::Terminal);
    let details = &run.stages[0].context["exception"]["details"];
    assert_eq!(details["errors"], json!(["sh ended with exit code 1; its last line: 0"]));
    assert_eq!(details["output"], "for shop\n0");
    let run = play.ended(&play.begin(script(json!("true"))).await).await;
    assert_eq!(run.status, Status::Succeeded);
}

#[tokio::test]
async fn a_command_without_a_program_is_refused_when_the_stage_starts() {
    let play = play().await;
    let run = play.ended(&play.begin(script(json!([]))).await).await;
    assert_eq!(run.status, Status::Terminal);
    let error = run.stages[0].context["exception"]["details"]["errors"][0].as_str().unwrap().to_owned();
    assert!(error.contains("\"command\" is empty"), "{error}");
}

#[tokio::test]
async fn cancelling_ends_every_process_of_a_script() {
    let play = play().await;
    let id = play.begin(script(json!(["sh", "-c", "(setsid sleep 86401 &); sleep 86402"]))).await;
    let until = Instant::now() + Duration::from_secs(20);
    while running("sleep 86401") + running("sleep 86402") < 2 {
        assert!(Instant::now() < until, "the script never began");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    play.engine.tell(&id, Message::CancelExecution { user: "terry".into(), reason: None }).await.unwrap();
    assert_eq!(play.ended(&id).await.status, Status::Canceled);
    while running("sleep 86401") + running("sleep 86402") > 0 {
        assert!(Instant::now() < until, "a process of the script lives on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_a_script_leaves_in_its_property_file_is_in_context_and_outputs() {
    let play = play().await;
    let text = "printf '{\"image\": \"img-1\", \"command\": \"evil\", \"text\": \"\\044{1 + 1}\"}' > out.json";
    let mut stage = script(json!(["sh", "-c", text]));
    stage["propertyFile"] = json!("out.json");
    let run = play.ended(&play.begin(stage).await).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let (context, outputs) = (&run.stages[0].context, &run.stages[0].outputs);
    assert_eq!((&outputs["image"], &context["image"]), (&json!("img-1"), &json!("img-1")));
    assert_eq!(outputs["propertyFileContents"]["command"], "evil");
    assert_eq!(context["command"][0], "sh");
    assert_eq!((&outputs["text"], &outputs["exitCode"]), (&json!("${1 + 1}"), &json!(0)));
}

#[tokio::test]
async fn a_script_file_is_an_artifact_or_stands_where_the_configuration_allows() {
    let play = play().await;
    let allowed = play.folder.path().join("allowed");
    std::fs::create_dir(&allowed).unwrap();
    let path = |folder: &Path| {
        let file = folder.join("say.sh");
        std::fs::write(&file, "#!/bin/sh\necho said $1 in $PWD\n").unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        file.display().to_string()
    };
    let with = |more: Value| {
        let mut stage = script(Value::Null);
        stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage
    };
    let good = with(json!({"scriptPath": path(&allowed), "args": ["x"], "workingDirectory": allowed}));
    let run = play.ended(&play.begin(good).await).await;
    let said = format!("said x in {}", allowed.display());
    assert_eq!(run.stages[0].context["scriptOutput"], said, "{:?}", run.stages[0].context);
    let outside = with(json!({"scriptPath": path(play.folder.path())}));
    let run = play.ended(&play.begin(outside).await).await;
    let error = run.stages[0].context["exception"]["details"]["errors"][0].as_str().unwrap().to_owned();
    assert!(
        error.ends_with("may not be used: add its folder to `allow` under [script] in the configuration"),
        "{error}"
    );
    std::os::unix::fs::symlink("/usr/bin", allowed.join("link")).unwrap();
    let link = with(json!({"scriptPath": allowed.join("link/env")}));
    assert_eq!(play.ended(&play.begin(link).await).await.status, Status::Terminal);
    let mut config = Map::new();
    config.insert("application".into(), json!("shop"));
    config.insert("stages".into(), json!([with(json!({"scriptPath": "hello.sh", "args": ["you"]}))]));
    // echo hello $1
    let artifact = json!([{"type": "embedded/base64", "name": "hello.sh", "reference": "ZWNobyBoZWxsbyAkMQ=="}]);
    let trigger = json!({"artifacts": artifact}).as_object().unwrap().clone();
    let request = StartRequest { config, trigger, kind: Kind::Pipeline, key: None };
    let run = play.ended(&play.engine.begin(request).await.unwrap()).await;
    assert_eq!(run.stages[0].context["scriptOutput"], "hello you", "{:?}", run.stages[0].context);
}
