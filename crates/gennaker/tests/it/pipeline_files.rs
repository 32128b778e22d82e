//! Files of pipelines: those that people wrote are kept without loss and validate; broken ones are found; `plan` tells what would run.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{Server, ask};

#[allow(clippy::disallowed_methods, reason = "where the definitions lie is told to tests by the environment")]
fn definitions() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let folder = std::env::var_os("GENNAKER_CONFORMANCE").map_or_else(beside, PathBuf::from);
    let found = Some(folder.join("pipelines")).filter(|folder| folder.join("pipelines").exists());
    if found.is_none() {
        eprintln!("not run: no definitions beside the checkout (GENNAKER_CONFORMANCE names their folder)");
    }
    found
}

/// The JSON files of a folder, by name.
fn files(folder: PathBuf) -> Vec<(String, Value)> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    all.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a text");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("JSON"))
    };
    all.into_iter().map(read).collect()
}

/// Runs a command of `gennaker pipeline` with this on its standard input; gives the exit code and what it says.
fn gennaker(args: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gennaker"))
        .arg("pipeline")
        .args(args)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let done = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.code().unwrap_or(-1), said)
}

fn findings(input: &str) -> (i32, Vec<Value>) {
    let (code, said) = gennaker(&["validate", "--json", "-"], input);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (code, report["findings"].as_array().expect("findings").clone())
}

#[test]
fn what_people_wrote_validates_without_errors() {
    let Some(folder) = definitions() else { return };
    let mut wrong = Vec::new();
    let mut seen = 0;
    for part in ["pipelines", "templates-v2", "templates-v1", "executions"] {
        for (name, value) in files(folder.join(part)) {
            seen += 1;
            let (code, all) = findings(&value.to_string());
            let errors: Vec<&Value> = all.iter().filter(|f| f["severity"] == "error").collect();
            if code != 0 || !errors.is_empty() {
                wrong.push(format!("{part}/{name}: {errors:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "{seen} files are there");
}

#[test]
fn what_people_wrote_can_be_planned() {
    let Some(folder) = definitions() else { return };
    for (name, value) in files(folder.join("pipelines")) {
        let (code, said) = gennaker(&["plan", "--json", "-"], &value.to_string());
        let plan: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{name}: {error}: {said}"));
        let stages = value["stages"].as_array().map_or(0, Vec::len);
        assert_eq!((code, plan["stages"].as_array().map(Vec::len)), (0, Some(stages)), "{name}: {said}");
    }
}

/// What the server sets itself.
const OWN: [&str; 6] = ["id", "name", "application", "createTs", "updateTs", "lastModifiedBy"];

#[test]
fn what_people_wrote_is_kept_without_loss() {
    let Some(folder) = definitions() else { return };
    let server = Server::start("");
    let address = server.address();
    let bare = |value: &Value| {
        let mut map = value.as_object().expect("an object").clone();
        OWN.iter().for_each(|key| drop(map.shift_remove(*key)));
        // A cron trigger of a new pipeline gets an id of its own.
        for trigger in map.get_mut("triggers").and_then(Value::as_array_mut).into_iter().flatten() {
            if trigger["type"] == "cron" {
                trigger.as_object_mut().map(|t| t.shift_remove("id"));
            }
        }
        Value::Object(map)
    };
    let all = files(folder.join("pipelines"));
    for (name, value) in &all {
        let mut saved = value.clone();
        // Several come from the same place.
        (saved["name"], saved["application"]) = (json!(name), json!("corpus"));
        saved.as_object_mut().expect("an object").shift_remove("id");
        let (status, said) = ask(&address, "POST", "/pipelines", &saved.to_string());
        assert_eq!((status, said.as_str()), (200, ""), "{name}");
    }
    let (_, kept) = ask(&address, "GET", "/applications/corpus/pipelineConfigs", "");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    for (name, value) in &all {
        let one = kept.as_array().expect("a list").iter().find(|one| one["name"] == **name);
        let one = one.unwrap_or_else(|| panic!("{name} is gone"));
        assert_eq!(bare(one), bare(value), "{name}");
    }
}

#[test]
fn runs_and_events_that_people_kept_are_read() {
    let Some(folder) = definitions() else { return };
    for (name, value) in files(folder.join("executions")) {
        let (code, all) = findings(&value.to_string());
        let stages = value["stages"].as_array().map_or(0, Vec::len);
        let said = all.first().and_then(|f| f["message"].as_str()).unwrap_or_default();
        // One that is written down without a status is a pipeline with a few keys too many.
        let is_run = said.starts_with(&format!("this is a run of a pipeline ({stages} stages, "));
        assert!(code == 0 && (is_run || value.get("status").is_none()), "{name}: {all:?}");
    }
    let server = Server::start("");
    for (name, value) in files(folder.join("webhooks")) {
        let (status, said) = ask(&server.address(), "POST", "/webhooks/webhook/corpus", &value.to_string());
        assert_eq!(status, 200, "{name}: {said}");
    }
}

/// A pipeline with a bit of everything and nothing wrong with it.
fn good() -> Value {
    json!({
        "name": "checkout", "application": "shop", "id": "own-id",
        "parameterConfig": [{"name": "region", "default": "eu", "hasOptions": true, "options": [{"value": "eu"}, {"value": "us"}]}],
        "expectedArtifacts": [{"id": "art", "displayName": "image", "matchArtifact": {"type": "docker/image"}}],
        "triggers": [
            {"type": "webhook", "enabled": true, "source": "build", "payloadConstraints": {"branch": "^main$"}, "expectedArtifactIds": ["art"]},
            {"type": "pipeline", "enabled": true, "application": "shop", "pipeline": "other-id", "status": ["successful"]},
        ],
        "notifications": [{"type": "email", "address": "a@b.c", "when": ["pipeline.failed"]}],
        "stages": [
            {"refId": "1", "type": "wait", "name": "Wait", "waitTime": 30, "requisiteStageRefIds": []},
            {"refId": "2", "type": "manualJudgment", "name": "Sure?", "requisiteStageRefIds": ["1"], "judgmentInputs": [{"value": "yes"}]},
            {"refId": "3", "type": "checkPreconditions", "name": "Check", "requisiteStageRefIds": ["2"],
             "preconditions": [{"type": "expression", "context": {"expression": "#judgment('Sure?') == 'yes'"}}]},
            {"refId": "4", "type": "webhook", "name": "Tell", "requisiteStageRefIds": ["3"], "url": "https://chat.example/hook", "method": "POST",
             "payload": {"region": "${parameters.region}"}},
            {"refId": "5", "type": "deploy", "name": "Deploy", "requisiteStageRefIds": ["3"],
             "clusters": [{"account": "local", "region": "local", "strategy": "redblack", "capacity": {"min": 1, "desired": 1, "max": 1}}]},
            {"refId": "6", "type": "pipeline", "name": "Follow", "requisiteStageRefIds": ["4", "5"], "pipeline": "third-id", "application": "shop"},
        ],
    })
}

#[test]
fn a_pipeline_that_is_broken_in_one_way_is_found_out_at_the_right_place() {
    assert_eq!(findings(&good().to_string()), (0, vec![]));
    // Where it is broken, with what (null: taken away), and what is found where.
    let gone = Value::Null;
    let ways: Vec<(&str, Value, &str, &str)> = vec![
        ("/stages/0/type", json!("wiat"), "error", "$.stages[0].type"),
        ("/stages/0/type", json!("kayentaCanary"), "warning", "$.stages[0].type"),
        ("/stages/0/type", json!("ourOwnStage"), "warning", "$.stages[0].type"),
        ("/stages/0/type", gone.clone(), "error", "$.stages[0].type"),
        ("/stages/0/waitTime", json!(-1), "error", "$.stages[0].waitTime"),
        ("/stages/0/waitTime", json!("soon"), "error", "$.stages[0].waitTime"),
        ("/stages/0/waitTime", gone.clone(), "warning", "$.stages[0].waitTime"),
        ("/stages/0/failPipeline", json!("false"), "warning", "$.stages[0].failPipeline"),
        ("/stages/0/waittime", json!(3), "hint", "$.stages[0].waittime"),
        ("/stages/1/requisiteStageRefIds", json!(["9"]), "error", "$.stages[1].requisiteStageRefIds[0]"),
        ("/stages/1/requisiteStageRefIds", json!(["3"]), "error", "$.stages[1].requisiteStageRefIds"),
        ("/stages/1/requisiteStageRefIds", json!(["2"]), "error", "$.stages[1].requisiteStageRefIds[0]"),
        ("/stages/1/requisiteStageRefIds", json!("1"), "error", "$.stages[1].requisiteStageRefIds"),
        ("/stages/1/refId", json!("1"), "error", "$.stages[1].refId"),
        ("/stages/1/refId", gone.clone(), "error", "$.stages[1].refId"),
        ("/stages/1/judgmentInputs", json!("yes"), "error", "$.stages[1].judgmentInputs"),
        (
            "/stages/2/preconditions/0/context/expression",
            json!("1 +"),
            "error",
            "$.stages[2].preconditions[0].context.expression",
        ),
        (
            "/stages/2/preconditions/0/context/expression",
            gone.clone(),
            "error",
            "$.stages[2].preconditions[0].context.expression",
        ),
        ("/stages/2/preconditions/0/type", json!("expresion"), "error", "$.stages[2].preconditions[0].type"),
        ("/stages/3/url", gone.clone(), "error", "$.stages[3].url"),
        ("/stages/3/method", json!("PSOT"), "error", "$.stages[3].method"),
        ("/stages/3/payload/region", json!("${ parameters.regoin }"), "warning", "$.stages[3].payload.region"),
        ("/stages/3/payload/region", json!("${ #stage('Nope').status }"), "error", "$.stages[3].payload.region"),
        ("/stages/3/payload/region", json!("${ #toJsn(1) }"), "error", "$.stages[3].payload.region"),
        ("/stages/3/payload/region", json!("${ parameters.region "), "error", "$.stages[3].payload.region"),
        ("/stages/4/clusters", gone.clone(), "error", "$.stages[4].clusters"),
        ("/stages/4/clusters/0/account", gone.clone(), "error", "$.stages[4].clusters[0].account"),
        ("/stages/4/clusters/0/capacity/min", json!("one"), "error", "$.stages[4].clusters[0].capacity.min"),
        ("/stages/4/clusters/0/strategy", json!("redblakc"), "warning", "$.stages[4].clusters[0].strategy"),
        ("/stages/5/pipeline", gone.clone(), "error", "$.stages[5].pipeline"),
        ("/stages/5/pipeline", json!("own-id"), "error", "$.stages[5].pipeline"),
        ("/stages/5", json!("text"), "error", "$.stages[5]"),
        ("/triggers/0/source", gone.clone(), "error", "$.triggers[0].source"),
        ("/triggers/0/type", json!("webhok"), "error", "$.triggers[0].type"),
        ("/triggers/0/payloadConstraints/branch", json!("(main"), "error", "$.triggers[0].payloadConstraints.branch"),
        ("/triggers/0/expectedArtifactIds", json!(["tra"]), "error", "$.triggers[0].expectedArtifactIds[0]"),
        ("/triggers/1/status", json!(["success"]), "error", "$.triggers[1].status[0]"),
        ("/triggers/1/pipeline", json!("own-id"), "error", "$.triggers[1].pipeline"),
        ("/parameterConfig/0/default", json!("asia"), "warning", "$.parameterConfig[0].default"),
        ("/parameterConfig/0/name", gone.clone(), "error", "$.parameterConfig[0].name"),
        ("/notifications/0/when", json!(["pipeline.faild"]), "warning", "$.notifications[0].when[0]"),
        ("/limitConcurrent", json!("maybe"), "error", "$.limitConcurrent"),
        ("/stages", json!({}), "error", "$.stages"),
    ];
    for (place, with, severity, path) in ways {
        let mut broken = good();
        let (around, key) = place.rsplit_once('/').expect("a place");
        let around = broken.pointer_mut(around).expect("it is there");
        match (around, key.parse::<usize>()) {
            (Value::Array(list), Ok(at)) => list[at] = with.clone(),
            (Value::Object(map), _) if with.is_null() => drop(map.shift_remove(key)),
            (Value::Object(map), _) => drop(map.insert(key.to_owned(), with.clone())),
            _ => panic!("{place}"),
        }
        let (code, all) = findings(&broken.to_string());
        let found = all.iter().any(|f| f["severity"] == severity && f["path"] == path);
        assert!(found, "{place} with {with}: {severity} at {path} is not among {all:#?}");
        assert_eq!(code, i32::from(all.iter().any(|f| f["severity"] == "error")), "{place}");
    }
}

#[test]
fn what_attackers_send_is_named_and_ends_soon() {
    let many: Vec<Value> =
        (0..100_000).map(|i| json!({"refId": i.to_string(), "type": "wait", "waitTime": 1})).collect();
    let hostile = [
        (json!({"stages": many}).to_string(), "$.stages"),
        (
            format!("{{\"stages\": [{{\"type\": \"wait\", \"waitTime\": 1{}}}]}}", "0".repeat(400)),
            "$.stages[0].waitTime",
        ),
        (format!("{{\"stages\": [{}1{}]}}", "[".repeat(10_000), "]".repeat(10_000)), "$.stages"),
        ("{\"stages\": [], \"stages\": []}".to_owned(), "$.stages"),
        ("\u{0}\u{1}".to_owned(), "$"),
        (String::new(), "$"),
        ("{\"stages\": [{\"type\": \"wait\", \"waitTime\": 1".to_owned(), "$.stages[0]"),
    ];
    for (text, path) in hostile {
        let (code, all) = findings(&text);
        let found =
            all.iter().any(|f| f["severity"] == "error" && f["path"].as_str().is_some_and(|p| p.starts_with(path)));
        let shown: String = text.chars().take(60).collect();
        assert!(code == 1 && found, "{shown}: {:?}", all.first());
    }
}

#[test]
fn people_see_line_column_and_what_to_do() {
    let text = "{\n  // what it waits for\n  \"name\": \"p\", \"application\": \"a\",\n  \"stages\": [\n    {\"type\": \"wiat\", \"waitTime\": 5},\n  ]\n}\n";
    let (code, said) = gennaker(&["validate", "-"], text);
    let expected = "standard input:1:1: hint: there are comments (line 3)\n    at $\n    JSON has none: they are left out when the pipeline is saved
standard input:4:3: hint: there is a comma before a closing bracket (line 6)\n    at $.stages\n    JSON has none there: it is left out when the pipeline is saved
standard input:5:6: error: there is no stage type wiat\n    at $.stages[0].type\n    did you mean wait?
standard input: 1 error, 2 hints\n";
    assert_eq!((code, said.as_str()), (1, expected));
    assert_eq!(gennaker(&["validate"], "").0, 2, "no file is named");
    assert_eq!(gennaker(&["validate", "/nowhere/p.json"], "").0, 2, "it cannot be read");
}

#[test]
fn a_server_checks_against_what_it_has_and_plans_with_what_exists() {
    let server = Server::start("");
    let address = format!("http://{}", server.address());
    let (code, said) = gennaker(&["validate", "--json", "--server", &address, "-"], &good().to_string());
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let paths: Vec<&str> =
        report["findings"].as_array().expect("a list").iter().filter_map(|f| f["path"].as_str()).collect();
    assert_eq!(
        (code, paths.contains(&"$.triggers[1].pipeline"), paths.contains(&"$.stages[5].pipeline")),
        (1, true, true),
        "{said}"
    );

    let one = json!({"name": "p", "application": "shop", "parameterConfig": [{"name": "n", "required": true}], "stages": [
        {"type": "wait", "waitTime": "${parameters.n}"},
        {"type": "deploy", "clusters": [{"account": "local", "region": "local", "image": "x", "strategy": "redblack"}]}]});
    let (code, said) = gennaker(&["plan", "--server", &address, "-p", "n=7", "-"], &one.to_string());
    for line in [
        "it waits 7 s, as its waitTime says",
        "shop has no server group in local/local yet",
        "it becomes shop-v000",
        "⇒ createServerGroup",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(code, 0, "{said}");
    let body = json!({"pipeline": one, "trigger": {"parameters": {"n": 8}}}).to_string();
    let (status, said) = ask(&server.address(), "POST", "/pipelines/plan", &body);
    let plan: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((status, &plan["stages"][0]["context"]["waitTime"]), (200, &json!(8)), "{said}");
    let (_, runs) = ask(&server.address(), "GET", "/applications/shop/pipelines", "");
    assert_eq!(runs, "[]", "nothing was started");
}

#[test]
fn in_our_own_examples_nothing_is_found() {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for name in ["hellospinnaker/pipeline.json", "hellospinnaker/short.json", "rebake/pipeline.json"] {
        let text = std::fs::read_to_string(examples.join(name)).expect("read");
        assert_eq!(findings(&text), (0, Vec::new()), "{name}");
    }
    // What a stage plans inside itself is known by its configuration, and only that.
    let deploy = json!({"refId": "1", "type": "deploy", "name": "Deploy", "clusters": [
        {"application": "shop", "account": "local", "availabilityZones": {"seoul": []}, "capacity": {"desired": 1}}]});
    let look = |region: &str| {
        let expression = format!("#stage('Deploy in {region}')['status'] == 'SUCCEEDED'");
        let enabled = json!({"type": "expression", "expression": expression});
        let wait = json!({"refId": "2", "requisiteStageRefIds": ["1"], "type": "wait", "name": "w", "waitTime": 1, "stageEnabled": enabled});
        let pipeline = json!({"application": "shop", "name": "p", "triggers": [], "stages": [deploy, wait]});
        let (_, findings) = findings(&pipeline.to_string());
        findings
            .iter()
            .filter(|one| one["message"].as_str().is_some_and(|text| text.contains("there is no stage")))
            .count()
    };
    assert_eq!((look("seoul"), look("busan")), (0, 1));
}
