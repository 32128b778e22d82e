//! What an unmodified Deck asks, screen by screen, and the fields without which a screen breaks or lacks something. Deck's own words and paths.

use serde_json::{Value, json};

use crate::api::Api;
use crate::server::{Server, exchange};

/// Each of these keys (`a.b` is a key of a key) is there.
#[track_caller]
fn has(value: &Value, keys: &str) {
    for key in keys.split(' ') {
        let pointer = format!("/{}", key.replace('.', "/"));
        assert!(value.pointer(&pointer).is_some(), "{key} is missing: {value}");
    }
}

fn wait_pipeline() -> Value {
    json!({"name": "Walk and ask", "stages": [
            {"refId": "1", "type": "wait", "name": "Wait", "waitTime": 0, "group": "first", "requisiteStageRefIds": []},
            {"refId": "2", "type": "manualJudgment", "name": "Ask", "judgmentInputs": [], "requisiteStageRefIds": ["1"]}],
        "triggers": [], "application": "shop", "limitConcurrent": true, "keepWaitingPipelines": false, "spelEvaluator": "v4", "index": 0})
}

fn with_application(server: &Server) -> Api<'_> {
    let api = Api(server);
    let application = json!({"name": "shop", "email": "ann@example.org", "cloudProviders": "", "permissions": {"READ": [], "EXECUTE": [], "WRITE": []},
        "dataSources": {"enabled": [], "disabled": []}});
    let body = json!({"job": [{"type": "createApplication", "application": application, "user": "[anonymous]"}],
        "application": "shop", "description": "Create Application: shop"});
    let task = api.task(&body);
    has(&task, "id name status steps variables execution.stages buildTime startTime endTime");
    api
}

#[test]
fn every_answer_may_be_read_by_a_page_of_another_origin_on_this_machine() {
    let server = Server::start("");
    let lines = [
        "Origin: http://localhost:9009",
        "Access-Control-Request-Headers: x-ratelimit-app",
        "Access-Control-Request-Method: GET",
    ]
    .map(str::to_owned);
    for (method, path, status) in [
        ("OPTIONS", "/applications", 200),
        ("GET", "/applications", 200),
        ("GET", "/applications/none", 404),
        ("GET", "/none", 404),
    ] {
        let (found, head, body) = exchange(&server.address(), method, path, &lines, "");
        assert_eq!(found, status, "{method} {path}");
        let head = head.to_lowercase();
        for line in [
            "access-control-allow-origin: http://localhost:9009",
            "access-control-allow-credentials: true",
            "access-control-allow-methods: post, get, options, delete, put, patch",
            "access-control-max-age: 3600",
            "access-control-expose-headers: x-auth-redirect-url",
        ] {
            assert!(head.contains(line), "{method} {path}: {line}\n{head}");
        }
        for name in ["content-type", "x-ratelimit-app", "x-spinnaker-priority", "authorization", "x-requested-with"] {
            assert!(head.contains(name), "{name} is not allowed");
        }
        if status == 404 {
            has(&serde_json::from_str(&body).expect("errors are JSON"), "timestamp status error message");
        }
    }
}

#[test]
fn what_it_asks_at_every_load() {
    let server = Server::start("");
    let api = Api(&server);
    for path in [
        "/plugins/deck/plugin-manifest.json",
        "/notifications/metadata",
        "/jobs/preconfigured",
        "/webhooks/preconfigured",
        "/banners",
        "/applications",
        "/projects",
        "/pipelineTemplates?scope=global",
        "/v2/pipelineTemplates",
    ] {
        assert_eq!(api.get(path), json!([]), "{path}");
    }
    let accounts = api.get("/credentials?expand=true");
    has(
        &accounts[0],
        "name type cloudProvider accountId authorized environment accountType challengeDestructiveActions primaryAccount requiredGroupMembership permissions",
    );
    assert!(api.get("/securityGroups")["local"]["local"]["local"].is_array());
}

#[test]
fn what_every_screen_of_an_application_asks() {
    let server = Server::start("");
    let api = with_application(&server);
    has(&api.get("/applications/shop?expand=false"), "name attributes clusters");
    assert_eq!(api.status("GET", "/applications/none?expand=false"), 404);
    for path in [
        "/applications/shop/serverGroupManagers",
        "/applications/shop/serverGroups",
        "/applications/shop/loadBalancers",
        "/applications/shop/pipelines?limit=30&statuses=RUNNING%2CSUSPENDED%2CPAUSED%2CNOT_STARTED&expand=true",
        "/applications/shop/tasks?statuses=RUNNING%2CSUSPENDED%2CNOT_STARTED",
        "/tags?maxResults=5000&application=shop",
    ] {
        assert_eq!(api.get(path), json!([]), "{path}");
    }
    assert_eq!(api.get("/applications/shop/clusters"), json!({}));
    let found = api.get("/search?q=shop&type=securityGroups&pageSize=500");
    has(&found[0], "pageNumber pageSize platform query totalMatches results");
    assert_eq!(found[0]["pageSize"], 500);
}

#[test]
fn the_editor_saves_and_reads_back_what_it_wrote() {
    let server = Server::start("");
    let api = with_application(&server);
    let created = wait_pipeline();
    assert_eq!(api.call("POST", "/pipelines?staleCheck=true", &created), (200, Value::Null));
    let configs = api.get("/applications/shop/pipelineConfigs");
    let mut read = configs[0].clone();
    for (key, value) in created.as_object().expect("an object") {
        assert_eq!(&read[key], value, "{key}");
    }
    let stale = read.clone();
    read["description"] = json!("better");
    assert_eq!(api.call("POST", "/pipelines?staleCheck=true", &read).0, 200);
    std::thread::sleep(std::time::Duration::from_millis(2));
    let (status, problem) = api.call("POST", "/pipelines?staleCheck=true", &stale);
    if stale["updateTs"] != api.get("/applications/shop/pipelineConfigs")[0]["updateTs"] {
        assert_eq!(status, 400, "{problem}");
        has(&problem, "timestamp status error message");
    }
    assert_eq!(api.get("/applications/shop/strategyConfigs"), json!([]));
    let id = read["id"].as_str().expect("an id");
    let history = api.get(&format!("/pipelineConfigs/{id}/history?limit=20"));
    has(&history[0], "updateTs lastModifiedBy name stages");
    assert!(history.as_array().is_some_and(|states| states.len() >= 2));
    // A new name, by the dialog and by the list.
    let renamed = api.call(
        "PUT",
        &format!("/pipelines/{id}"),
        &json!({"id": id, "name": "Walk", "application": "shop", "stages": []}),
    );
    assert_eq!((renamed.0, &renamed.1["name"]), (200, &json!("Walk")));
    assert_eq!(
        api.call("PUT", &format!("/pipelines/{id}"), &json!({"id": "other", "name": "W", "application": "shop"})).0,
        400
    );
    assert_eq!(
        api.call("POST", "/pipelines", &json!({"id": id, "name": "Mine now", "application": "thief", "stages": []})).0,
        400
    );
    assert_eq!(
        api.call("POST", "/pipelines/move", &json!({"application": "shop", "from": "Walk", "to": "Run"})).0,
        200
    );
    assert_eq!(
        api.call("POST", "/actions/pipelines/reorder", &json!({"application": "shop", "idsToIndices": {id: 3}})).0,
        200
    );
    assert_eq!(api.get("/applications/shop/pipelineConfigs/Run")["index"], 3);
    let many =
        json!([{"name": "a", "application": "shop", "stages": []}, {"name": "a", "application": "shop", "stages": []}]);
    let (_, saved) = api.call("POST", "/pipelines/bulksave?application=shop", &many);
    assert_eq!((&saved["successful_pipelines_count"], &saved["failed_pipelines_count"]), (&json!(1), &json!(1)));
    assert_eq!(api.status("GET", &format!("/pipelineConfigs/{id}/convertToTemplate")), 200);
}

#[test]
fn a_person_starts_an_execution_judges_it_and_sees_it_in_lists() {
    let server = Server::start("");
    let api = with_application(&server);
    api.save(&wait_pipeline());
    let trigger =
        json!({"buildNumber": "", "type": "manual", "dryRun": false, "parameters": {}, "user": "[anonymous]"});
    let (status, started) = api.call("POST", "/pipelines/v2/shop/Walk%20and%20ask", &trigger);
    assert_eq!(status, 202, "{started}");
    has(&started, "eventId ref");
    let id = started["ref"].as_str().expect("a ref").trim_start_matches("/pipelines/").to_owned();
    let run = api.wait(&id, |run| run["stages"][1]["status"] == "RUNNING");
    has(&run, "id name status stages trigger.resolvedExpectedArtifacts authentication");
    for stage in run["stages"].as_array().expect("stages") {
        has(stage, "type status context name startTime");
        for task in stage["tasks"].as_array().expect("tasks") {
            has(task, "id name status startTime");
        }
    }
    has(&run["stages"][1]["tasks"][0]["waiting"], "reason since");

    let brief = api.get("/applications/shop/pipelines?limit=2&expand=false");
    let brief = &brief[0];
    has(brief, "id name status trigger.resolvedExpectedArtifacts authentication");
    assert_eq!(
        (&brief["stages"][0]["context"], &brief["stages"][0]["tasks"]),
        (&json!({"group": "first"}), &json!([]))
    );
    assert_eq!(brief["stages"][1]["context"], json!({}), "a context is never absent");
    let running = api
        .get("/applications/shop/pipelines?limit=30&statuses=RUNNING%2CSUSPENDED%2CPAUSED%2CNOT_STARTED&expand=true");
    assert_eq!(running[0]["id"], id.as_str());

    assert_eq!(api.status("PUT", &format!("/pipelines/{id}/pause")), 200);
    assert_eq!(api.get(&format!("/pipelines/{id}"))["status"], "PAUSED");
    assert_eq!(api.status("PUT", &format!("/pipelines/{id}/resume")), 200);
    let stage = run["stages"][1]["id"].as_str().expect("an id");
    let (status, patched) =
        api.call("PATCH", &format!("/pipelines/{id}/stages/{stage}"), &json!({"judgmentStatus": "stop"}));
    assert_eq!((status, &patched["id"]), (200, &json!(id)));
    assert_eq!(api.ended(&id)["status"], "TERMINAL");
    let failed = api.get(&format!("/executions/failedStages?executionId={id}&deckOrigin=http://deck"));
    has(&failed[0], "application executionId stageId stageName errors url");
    assert_eq!(failed[0]["stageName"], "Ask");

    assert_eq!(api.call("PUT", &format!("/pipelines/{id}/stages/{stage}/restart"), &json!({})).0, 200);
    api.wait(&id, |run| run["status"] == "RUNNING");
    assert_eq!(api.status("DELETE", &format!("/pipelines/{id}")), 400, "it runs");
    assert_eq!(api.status("PUT", &format!("/pipelines/{id}/cancel?reason=enough&force=true")), 200);
    let run = api.ended(&id);
    assert_eq!((&run["status"], &run["cancellationReason"]), (&json!("CANCELED"), &json!("enough")));
    let evaluated = api.get(&format!("/pipelines/{id}/evaluateExpression?expression=$%7B1%20%2B%201%7D"));
    assert_eq!(evaluated["result"], 2);
    let (_, evaluated) =
        api.call("POST", &format!("/pipelines/{id}/evaluateExpression"), &json!({"expression": "${execution.name}"}));
    assert_eq!(evaluated["result"], "Walk and ask");
    let variables = json!([{"key": "a", "value": "${execution.name}"}, {"key": "b", "value": "${a}!"}]);
    let path = format!("/pipelines/{id}/evaluateVariables?requisiteStageRefIds=1%2C2&spelVersion=v4");
    assert_eq!(api.call("POST", &path, &variables).1["result"][1]["value"], "Walk and ask!");
    assert_eq!(api.status("DELETE", &format!("/pipelines/{id}")), 200);
    assert_eq!(api.status("GET", &format!("/pipelines/{id}")), 404);
}

#[test]
fn what_the_screens_of_tasks_and_configuration_ask() {
    let server = Server::start("");
    let api = with_application(&server);
    let tasks = api.get("/applications/shop/tasks?statuses=");
    has(&tasks[0], "id name status steps variables execution.stages");
    let job = json!({"type": "updateApplication", "application": {"name": "shop", "email": "ben@example.org", "createTs": "1", "lastModifiedBy": "mallory"}});
    api.task(&json!({"job": [job], "application": "shop", "description": "Update Application: shop"}));
    let shop = api.get("/applications/shop");
    assert_eq!(shop["attributes"]["email"], "ben@example.org");
    assert_ne!(shop["attributes"]["createTs"], "1", "what is the server's stays the server's");
    assert_eq!(shop["attributes"]["lastModifiedBy"], "anonymous");
    let second = api.get("/applications/shop/tasks?limit=1&page=2&statuses=");
    assert_eq!(second[0]["id"], tasks[0]["id"], "the newest come first");
    assert_eq!(api.status("PUT", "/tasks/cancel?ids=none,neither"), 200);
    assert_eq!(api.status("GET", &format!("/tasks/{}/details/1", tasks[0]["id"].as_str().expect("an id"))), 404);

    assert_eq!(api.get("/notifications/application/shop"), json!({"application": "shop"}));
    let told = json!({"application": "shop", "email": [{"address": "ann@example.org", "when": ["pipeline.failed"]}]});
    assert_eq!(api.call("POST", "/notifications/application/shop", &told), (200, Value::Null));
    assert_eq!(api.get("/notifications/application/shop")["email"], told["email"]);
    assert_eq!(api.status("DELETE", "/notifications/application/shop"), 200);
    assert_eq!(api.get("/notifications/application/shop"), json!({"application": "shop"}));

    let history = api.get("/applications/shop/history?limit=20");
    assert_eq!((&history[0]["email"], &history[1]["email"]), (&json!("ben@example.org"), &json!("ann@example.org")));
    assert_eq!(api.call("POST", "/applications/shop/history/1/restore", &Value::Null).0, 200);
    assert_eq!(api.get("/applications/shop")["attributes"]["email"], "ann@example.org");
}

#[test]
fn what_the_screens_of_projects_and_search_ask() {
    let server = Server::start("");
    let api = with_application(&server);
    let config = json!({"applications": ["shop"], "clusters": [{"account": "local", "stack": "*", "detail": "*"}]});
    let job =
        json!({"type": "upsertProject", "project": {"name": "Web shop", "email": "ann@example.org", "config": config}});
    api.task(
        &json!({"job": [job], "application": "spinnaker", "project": "Web shop", "description": "Create project"}),
    );
    has(&api.get("/projects")[0], "id name config.clusters config.pipelineConfigs config.applications");
    has(&api.get("/projects/Web%20shop"), "name config.clusters config.pipelineConfigs");
    let clusters = api.get("/projects/Web%20shop/clusters");
    has(&clusters[0], "account applications.0.application applications.0.clusters instanceCounts.total");
    assert_eq!(api.get("/projects/Web%20shop/pipelines?limit=1"), json!([]));
    for (kind, found) in [
        ("projects", 1),
        ("applications", 1),
        ("serverGroups", 0),
        ("instances", 0),
        ("loadBalancers", 0),
        ("securityGroups", 0),
    ] {
        let answer = api.get(&format!("/search?q=shop&type={kind}&pageSize=500"));
        has(&answer[0], "pageNumber pageSize platform query totalMatches results");
        assert_eq!(answer[0]["totalMatches"], found, "{kind}");
    }
    has(&api.get("/search?q=sho&type=applications&pageSize=500")[0]["results"][0], "application type url");
}

#[test]
fn what_the_forms_of_the_editor_ask() {
    let server = Server::start("");
    let api = Api(&server);
    for path in [
        "/artifacts/credentials",
        "/v2/builds?type=jenkins",
        "/v2/builds?type=travis",
        "/v2/builds?type=concourse",
        "/v3/builds/jenkins/jobs",
        "/concourse/ci/teams",
        "/concourse/ci/teams/main/pipelines",
        "/concourse/ci/teams/main/pipelines/p/jobs",
        "/gcb/accounts",
        "/gcb/triggers/one",
        "/codebuild/accounts",
        "/codebuild/projects/one",
        "/executions?limit=100&pipelineConfigIds=none",
        "/images/find?provider=dockerRegistry&account=one",
        "/artifactory/names",
        "/nexus/names",
        "/pubsub/subscriptions",
        "/capabilities/deploymentMonitors",
    ] {
        assert_eq!(api.get(path), json!([]), "{path}");
    }
    has(&api.get("/capabilities/quietPeriod"), "startTime endTime enabled inQuietPeriod");
    let known = api.get("/capabilities/expressions");
    assert!(known["functions"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "stage")), "{known}");
    has(&api.get("/cron/validate?expression=0+0+3+*+*+%3F"), "valid");
    has(&api.get("/auth/user"), "username email firstName lastName roles allowedAccounts authorities enabled");
}
