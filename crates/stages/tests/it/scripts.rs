//! Script stages as the engine runs them: output, exit code, clean environment, and the end of everything with the stage.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloud::Clouds;
use pipeline::decide::Message;
use pipeline::engine::FetchNothing;
use pipeline::model::{Kind, Status};
use pipeline::{Engine, Execution, Map, Registry, StartRequest};
use serde_json::{Value, json};
use stages::script::{Scripts, register};
use store::clock::SystemClock;
use store::{Location, Store, StoreError};

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

fn runs(pid: &str) -> bool {
    // One that has ended and waits for its parent counts as ended.
    std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
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
async fn cancelling_ends_the_whole_process_group() {
    let play = play().await;
    let file = play.folder.path().join("pids");
    let text = format!("sleep 300 & echo $! >{0}.new; echo $$ >>{0}.new; mv {0}.new {0}; wait", file.display());
    let id = play.begin(script(json!(["sh", "-c", text]))).await;
    let until = Instant::now() + Duration::from_secs(20);
    while !file.exists() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let pids: Vec<String> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    assert!(pids.iter().all(|pid| runs(pid)));
    play.engine.tell(&id, Message::CancelExecution { user: "terry".into(), reason: None }).await.unwrap();
    assert_eq!(play.ended(&id).await.status, Status::Canceled);
    while pids.iter().any(|pid| runs(pid)) {
        assert!(Instant::now() < until, "a process of the script lives on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
