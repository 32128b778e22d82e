//! `gennaker application|pipeline|project|pipeline-template …`: the words of `spin`, against a running server.

use serde_json::{Value, json};

use crate::api::Api;
use crate::server::{Server, gennaker, run};

/// A command line against this server; exit code, standard output, standard error.
fn cli(server: &Server, args: &[&str]) -> (i32, String, String) {
    let mut command = gennaker(server.folder.path());
    command.env("GENNAKER_SERVER", format!("http://{}", server.address())).current_dir(server.folder.path());
    run(command.args(args))
}

#[track_caller]
fn good(server: &Server, args: &[&str]) -> String {
    let (code, out, complaint) = cli(server, args);
    assert_eq!(code, 0, "{args:?}: {out}{complaint}");
    out
}

#[track_caller]
fn value(server: &Server, args: &[&str]) -> Value {
    serde_json::from_str(&good(server, args)).expect("JSON")
}

fn file(server: &Server, name: &str, value: &Value) {
    std::fs::write(server.folder.path().join(name), value.to_string()).expect("written");
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, out, complaint) = run(gennaker(folder.path()).args(["application", "list", "--server", "127.0.0.1:1"]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        complaint.contains("no server answers at http://127.0.0.1:1/: start one with `gennaker serve`"),
        "{complaint}"
    );
    let (code, _, complaint) = run(gennaker(folder.path()).args(["pipeline", "list"]));
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("--application"), "{complaint}");
}

#[test]
fn the_server_of_the_data_folder_is_found_by_itself() {
    let server = Server::start("");
    let (code, out, complaint) = server.also(&["whoami"]);
    assert_eq!(code, 0, "{complaint}");
    assert!(out.contains("\"username\": \"anonymous\""), "{out}");
}

#[test]
fn applications_and_projects_are_kept_and_had_back() {
    let server = Server::start("");
    assert_eq!(good(&server, &["application", "list"]), "[]\n");
    good(
        &server,
        &[
            "application",
            "save",
            "--application-name",
            "shop",
            "--owner-email",
            "ann@example.org",
            "--cloud-providers",
            "local,gce",
        ],
    );
    let shop = value(&server, &["application", "get", "shop"]);
    assert_eq!((&shop["name"], &shop["cloudProviders"]), (&json!("shop"), &json!("local,gce")));
    assert_eq!(value(&server, &["application", "get", "shop", "--expand"])["attributes"], shop);
    assert_eq!(good(&server, &["application", "list", "-o", "jsonpath={[0].name}"]), "shop\n");
    assert_eq!(
        good(&server, &["application", "list", "-o", "jsonpath={range [*]}{.name} of {.email}{end}"]),
        "shop of ann@example.org\n"
    );
    assert!(good(&server, &["-o", "yaml", "application", "get", "shop"]).contains("email: ann@example.org\n"));
    assert_eq!(cli(&server, &["application", "get", "none"]).0, 1);
    assert!(cli(&server, &["application", "delete", "none"]).2.contains("there is no application 'none'"));

    file(&server, "p.json", &json!({"application": "shop", "name": "p", "stages": []}));
    good(&server, &["pipeline", "save", "--file", "p.json"]);
    good(&server, &["application", "delete", "shop"]);
    assert_eq!(good(&server, &["pipeline", "list", "-a", "shop"]), "[]\n");
    let history = good(&server, &["application", "history", "shop", "-o", "text"]);
    assert!(
        history.starts_with("   2  ")
            && history.lines().next().is_some_and(|line| line.ends_with("anonymous  deleted")),
        "{history}"
    );
    good(&server, &["application", "restore", "shop", "--revision", "1"]);
    assert_eq!(good(&server, &["pipeline", "list", "--application", "shop", "-o", "jsonpath={[*].name}"]), "p\n");

    good(&server, &["project", "save", "--name", "Web", "--email", "ann@example.org"]);
    assert_eq!(value(&server, &["project", "get", "Web"])["config"]["clusters"], json!([]));
    assert_eq!(good(&server, &["project", "get-pipelines", "Web"]), "[]\n");
    good(&server, &["project", "delete", "--name", "Web"]);
    assert_eq!(good(&server, &["project", "list"]), "[]\n");
    good(&server, &["project", "restore", "Web", "--revision", "1"]);
    assert_eq!(value(&server, &["project", "history", "Web", "-o", "json"]).as_array().map(Vec::len), Some(3));
    assert_eq!(good(&server, &["account", "list", "-o", "jsonpath={[0].name}"]), "local\n");
    assert_eq!(value(&server, &["account", "get", "local"])["type"], "local");
}

#[test]
fn a_pipeline_is_saved_started_and_followed_to_its_end() {
    let server = Server::start("");
    let stages = json!([{"refId": "1", "type": "wait", "name": "Rest", "waitTime": 0, "requisiteStageRefIds": []},
        {"refId": "2", "type": "evaluateVariables", "name": "v", "requisiteStageRefIds": ["1"],
            "variables": [{"key": "said", "value": "${parameters.a}${parameters.b}${trigger.artifacts[0].name}"}]}]);
    file(&server, "p.json", &json!({"application": "shop", "name": "Ship it", "stages": stages}));
    file(&server, "parameters.json", &json!({"a": "1", "b": "x"}));
    file(&server, "artifacts.json", &json!({"artifacts": [{"type": "deb", "name": "nginx"}]}));
    good(&server, &["pipeline", "save", "-f", "p.json"]);
    let saved = value(&server, &["pipeline", "get", "-a", "shop", "-n", "Ship it"]);
    let execute = [
        "pipeline",
        "execute",
        "-a",
        "shop",
        "-n",
        "Ship it",
        "-f",
        "parameters.json",
        "-p",
        "b=2",
        "-t",
        "artifacts.json",
    ];
    let (code, out, said) = cli(&server, &[&execute[..], &["--wait", "--timeout", "20s", "--json"]].concat());
    assert_eq!(code, 0, "{said}");
    let done: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(done["stages"][1]["outputs"]["said"], "12nginx");
    assert!(said.contains("SUCCEEDED      Rest") && said.ends_with("done\n"), "{said}");
    let id = good(&server, &execute);
    assert_eq!(id.trim().len(), 26, "{id}");

    let pipeline = saved["id"].as_str().expect("an id");
    let listed = value(&server, &["pipeline", "execution", "list", "-i", pipeline, "-l", "5", "--succeeded"]);
    assert!(listed.as_array().is_some_and(|runs| !runs.is_empty()));
    let run = done["id"].as_str().expect("an id");
    assert_eq!(value(&server, &["pipeline", "execution", "get", run])[0]["id"], run);
    let lines = good(&server, &["pipeline", "execution", "get", run, "-o", "text"]);
    assert!(lines.starts_with(&format!("{run}  Ship it of shop  SUCCEEDED\n")), "{lines}");

    good(&server, &["pipeline", "update", "-a", "shop", "-n", "Ship it", "--disabled"]);
    let (code, _, complaint) = cli(&server, &execute);
    assert_eq!(code, 1);
    assert!(complaint.contains("the pipeline 'Ship it' is disabled"), "{complaint}");
    let diff = good(&server, &["pipeline", "history", "-a", "shop", "-n", "Ship it", "--diff", "2"]);
    assert!(diff.contains("\n+  \"disabled\": true,\n"), "{diff}");
    good(&server, &["pipeline", "delete", "-a", "shop", "-n", "Ship it"]);
    assert_eq!(cli(&server, &["pipeline", "get", "-a", "shop", "-n", "Ship it"]).0, 1);
    good(&server, &["pipeline", "restore", "-a", "shop", "-n", "Ship it", "--revision", "1"]);
    assert_eq!(value(&server, &["pipeline", "get", "-a", "shop", "-n", "Ship it"])["disabled"], Value::Null);
}

#[test]
fn an_exit_code_tells_a_script_what_holds_a_pipeline() {
    let server = Server::start("");
    let save = |name: &str, stage: Value| {
        Api(&server).save(&json!({"application": "shop", "name": name, "id": name, "stages": [stage]}));
    };
    save("ask", json!({"refId": "1", "type": "manualJudgment", "name": "May it?"}));
    save("fail", json!({"refId": "1", "type": "makeCoffee", "name": "coffee"}));
    save("slow", json!({"refId": "1", "type": "wait", "name": "Long", "waitTime": 600}));
    let never = json!({"refId": "1", "type": "wait", "name": "Later", "waitTime": 0, "restrictExecutionDuringTimeWindow": true,
        "restrictedExecutionWindow": {"days": [], "whitelist": [{"startHour": 0, "startMin": 0, "endHour": 0, "endMin": 0}]}});
    save("window", never);
    let wait = |name: &str, more: &[&str]| {
        cli(&server, &[&["pipeline", "execute", "-a", "shop", "-n", name, "--wait"][..], more].concat())
    };

    let (code, id, said) = wait("ask", &[]);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("waits for") && said.contains("a person has to answer whether to continue or to stop"),
        "{said}"
    );
    let id = id.trim();
    let lines = good(&server, &["pipeline", "execution", "get", id, "-o", "text"]);
    assert!(lines.contains("RUNNING        May it?") && lines.contains("waits for "), "{lines}");
    assert_eq!(cli(&server, &["pipeline", "execution", "judge", id]).0, 2, "yes or no");
    let (code, _, said) = cli(&server, &["pipeline", "execution", "judge", id, "--continue", "--wait"]);
    assert_eq!(code, 0, "{said}");
    let (code, _, complaint) = cli(&server, &["pipeline", "execution", "judge", id, "--stop"]);
    assert_eq!(code, 1);
    assert!(complaint.contains("has no stage that asks for a judgment"), "{complaint}");

    let (code, _, complaint) = wait("fail", &["-q"]);
    assert_eq!(code, 1);
    assert!(complaint.contains("coffee: there is no stage type 'makeCoffee'"), "{complaint}");

    let (code, id, complaint) = wait("slow", &["--timeout", "1"]);
    assert_eq!(code, 1);
    assert!(complaint.contains("is not over in the time given"), "{complaint}");
    let id = id.trim();
    good(&server, &["pipeline", "execution", "pause", id]);
    assert_eq!(value(&server, &["pipeline", "execution", "get", id])[0]["status"], "PAUSED");
    good(&server, &["pipeline", "execution", "resume", id]);
    let (code, _, said) = cli(&server, &["pipeline", "execution", "skip", id, "--wait"]);
    assert_eq!(code, 0, "{said}");

    let (code, id, said) = wait("slow", &["--timeout", "0"]);
    assert_eq!(code, 1, "{said}");
    good(&server, &["application", "pipelines", "cancel", "-i", id.trim(), "-r", "enough"]);
    assert_eq!(value(&server, &["pipeline", "execution", "get", id.trim()])[0]["cancellationReason"], "enough");
    good(&server, &["pipeline", "execution", "restart", id.trim()]);
    assert_eq!(
        value(&server, &["application", "pipelines", "cancel-all", "-a", "shop"]).as_array().map(Vec::len),
        Some(1)
    );

    let (code, _, said) = wait("window", &["--timeout", "20s"]);
    assert_eq!(code, 4, "{said}");
}

#[test]
fn a_template_is_kept_used_and_planned() {
    let server = Server::start("");
    let template = json!({"schema": "v2", "id": "waits", "metadata": {"name": "Waits", "scopes": ["global"]},
        "variables": [{"name": "waitTime", "type": "int"}],
        "pipeline": {"stages": [{"refId": "1", "type": "wait", "waitTime": "${ templateVariables.waitTime }", "requisiteStageRefIds": []}]}});
    file(&server, "t.json", &template);
    for _ in 0..2 {
        good(&server, &["pipeline-template", "save", "--file", "t.json", "--tag", "stable"]);
    }
    assert_eq!(
        good(&server, &["pipeline-template", "list", "--scopes", "global", "-o", "jsonpath={[*].id}"]),
        "waits\n"
    );
    assert_eq!(
        value(&server, &["pipeline-template", "get", "waits", "--tag", "stable"])["pipeline"],
        template["pipeline"]
    );
    let config = good(
        &server,
        &["pipeline-template", "use", "waits", "--tag", "stable", "-a", "shop", "-n", "Mine", "--set", "waitTime=0"],
    );
    let parsed: Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(parsed["template"]["reference"], "spinnaker://waits:stable");
    std::fs::write(server.folder.path().join("c.json"), config).expect("written");
    let planned = value(&server, &["pipeline-template", "plan", "-f", "c.json"]);
    assert_eq!((&planned["stages"][0]["waitTime"], &planned["name"]), (&json!(0), &json!("Mine")));
    let plan = |code: i32| {
        let (ended, out, said) = cli(&server, &["pipeline", "plan", "c.json", "--json"]);
        assert_eq!(ended, code, "{said}");
        serde_json::from_str::<Value>(&out).expect("JSON")
    };
    let foreseen = plan(0);
    assert_eq!(
        (&foreseen["stages"][0]["type"], &foreseen["stages"][0]["context"]["waitTime"]),
        (&json!("wait"), &json!(0))
    );
    good(&server, &["pipeline", "save", "-f", "c.json"]);
    assert_eq!(cli(&server, &["pipeline", "execute", "-a", "shop", "-n", "Mine", "--wait"]).0, 0);
    good(&server, &["pipeline-template", "delete", "waits", "--tag", "stable"]);
    assert_eq!(cli(&server, &["pipeline-template", "get", "waits", "--tag", "stable"]).0, 1);
    let nothing = plan(1);
    let fault = &nothing["findings"].as_array().expect("findings").last().expect("one")["message"];
    assert_eq!(*fault, json!("there is no pipeline template waits:stable"));
    good(&server, &["pipeline-template", "restore", "waits", "--tag", "stable", "--revision", "1"]);
    good(&server, &["pipeline-template", "get", "--id", "waits", "--tag", "stable"]);
}

#[test]
fn what_belongs_to_no_application_is_found_and_ended() {
    let server = Server::start("");
    let folder = server.folder.path().join("image");
    crate::redblack_story::image(&folder, "HTTP/1.1 200 OK", "hello");
    let (_, _, nothing) = server.also(&["orphans", "-o", "text"]);
    assert_eq!(nothing, "nothing is left over\n");
    let group = json!({"type": "createServerGroup", "account": "local", "region": "local", "application": "stray",
                       "image": folder, "capacity": {"min": 1, "max": 1, "desired": 1}});
    crate::redblack_story::succeeds(&server, &crate::redblack_story::post(&server, group));
    let (code, listed, why) = server.also(&["orphans", "-o", "text"]);
    assert_eq!(code, 0, "{why}");
    let expected = "serverGroup stray-v000 in local/local\n  there is no application stray; `gennaker application save stray` makes it\n";
    assert_eq!(listed, expected);
    let (code, _, said) = server.also(&["orphans", "--remove", "-o", "text"]);
    assert_eq!((code, said.as_str()), (0, "removed serverGroup stray-v000 in local/local\n"));
    let (_, _, nothing) = server.also(&["orphans", "-o", "text"]);
    assert_eq!(nothing, "nothing is left over\n");
}
