//! Webhooks as the engine runs them, against a server on loopback.

use std::time::{Duration, Instant};

use pipeline::Status;
use pipeline::decide::Message;
use serde_json::{Value, json};

use crate::answers::{Play, Server, says, stage};

#[tokio::test]
async fn a_call_keeps_its_answer_and_binds_the_artifacts_in_it() {
    let server = Server::start(|_, _| {
        let artifacts = json!([{"type": "deb", "name": "hello", "version": "2"}, {"type": "deb", "name": "other"}]);
        says("201 Created", "X-Build: 7\r\nSet-Cookie: a=b\r\n", &json!({"id": 7, "artifacts": artifacts}))
    });
    let play = Play::new("").await;
    let run = play
        .run(json!([stage(
            "webhook",
            json!({
                "url": server.url("/build?x=1"), "method": "put", "payload": {"tag": "${execution.application}"},
                "customHeaders": {"X-One": "1", "X-Many": ["a", "b"]},
                "expectedArtifacts": [{"id": "deb", "matchArtifact": {"type": "deb", "name": "hello"}}],
            })
        )]))
        .await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let seen = server.seen.lock().unwrap()[0].clone();
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("PUT /build?x=1", r#"{"tag":"shop"}"#));
    for header in ["x-one: 1", "x-many: a", "x-many: b", "content-type: application/json"] {
        assert!(seen.headers.iter().any(|h| h == header), "{header}: {:?}", seen.headers);
    }
    let key = format!("idempotency-key: {}/{}/1", run.id, run.stages[0].id);
    assert!(seen.headers.contains(&key), "{:?}", seen.headers);
    let stage = &run.stages[0];
    let webhook = &stage.context["webhook"];
    assert_eq!((&webhook["statusCode"], &webhook["statusCodeValue"]), (&json!("CREATED"), &json!(201)));
    assert_eq!((&webhook["headers"]["x-build"], &webhook["headers"].get("set-cookie")), (&json!("7"), &None));
    assert_eq!(webhook["body"]["id"], 7);
    let tasks: Vec<&str> = stage.tasks.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(tasks, ["createWebhook", "bindProducedArtifacts"]);
    assert_eq!(stage.outputs["artifacts"], json!([{"type": "deb", "name": "hello", "version": "2"}]));
    assert_eq!(stage.outputs["resolvedExpectedArtifacts"][0]["boundArtifact"]["version"], "2");
}

#[tokio::test]
async fn a_status_is_asked_for_until_it_is_an_end() {
    let server = Server::start(|seen, number| match (seen.line.as_str(), number) {
        ("POST /start", _) => says("202 Accepted", "Location: /jobs/1\r\n", &json!({})),
        (_, 1) => says("200 OK", "", &json!({"state": "working", "percent": "10 %"})),
        (_, 2) => says("503 Service Unavailable", "", &json!({})),
        _ => says("200 OK", "", &json!({"state": "done", "percent": "all"})),
    });
    let play = Play::new("").await;
    let run = play
        .run(json!([stage(
            "webhook",
            json!({
                "url": server.url("/start"), "waitForCompletion": "true", "statusUrlResolution": "locationHeader",
                "statusJsonPath": "$.state", "progressJsonPath": "$.percent", "successStatuses": "DONE",
            })
        )]))
        .await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    assert_eq!(server.lines(), ["POST /start", "GET /jobs/1", "GET /jobs/1", "GET /jobs/1"]);
    let webhook = &run.stages[0].context["webhook"];
    assert_eq!(webhook["statusEndpoint"], server.url("/jobs/1"));
    assert_eq!(webhook["monitor"]["pastStatusCodes"], json!([200, 503, 200]));
    assert_eq!(webhook["monitor"]["resolvedValue"], "done");
    assert_eq!(webhook["monitor"]["progressMessage"], "all");
}

#[tokio::test]
async fn a_call_is_made_again_as_often_as_retries_says() {
    let server = Server::start(|_, _| says("404 Not Found", "", &json!({"why": "not yet"})));
    let play = Play::new("").await;
    let retries = json!({"404": {"maxAttempts": 2}});
    let run = play.run(json!([stage("webhook", json!({"url": server.url("/"), "retries": retries}))])).await;
    assert_eq!((run.status, server.lines().len()), (Status::Terminal, 2));
    let context = &run.stages[0].context;
    assert_eq!(context["webhook"]["attempts"], json!({"404": 2}));
    assert_eq!(context["webhook"]["body"]["why"], "not yet");
    let error = format!("POST {} answered 404", server.url("/"));
    assert_eq!(context["exception"]["details"]["errors"], json!([error]));
}

#[tokio::test]
async fn a_stage_that_only_monitors_asks_its_own_address_and_not_that_of_a_webhook_before_it() {
    let server = Server::start(|seen, _| match seen.line.as_str() {
        "POST /first" => says("200 OK", "Location: /first-status\r\n", &json!({"state": 100})),
        _ => says("200 OK", "", &json!({"state": 100})),
    });
    let play = Play::new("").await;
    let mut second = stage(
        "webhook",
        json!({
            "url": server.url("/second"), "monitorOnly": true, "statusJsonPath": "$.state", "refId": "2",
        }),
    );
    second["requisiteStageRefIds"] = json!(["1"]);
    let first = stage(
        "webhook",
        json!({
            "url": server.url("/first"), "waitForCompletion": true, "statusUrlResolution": "locationHeader",
            "statusJsonPath": "$.state",
        }),
    );
    let run = play.run(json!([first, second])).await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages);
    assert_eq!(server.lines(), ["POST /first", "GET /first-status", "GET /second"]);
}

#[tokio::test]
async fn a_cancelled_stage_calls_its_cancel_endpoint_once() {
    let server = Server::start(|_, _| says("200 OK", "", &json!({"state": "working"})));
    let play = Play::new("").await;
    let id = play
        .begin(json!([stage(
            "webhook",
            json!({
                "url": server.url("/start"), "waitForCompletion": true, "statusJsonPath": "$.state",
                "cancelEndpoint": server.url("/stop"), "cancelMethod": "DELETE", "signalCancellation": true,
            })
        )]))
        .await;
    play.until(&id, |run| run.stages[0].context.get("webhook").is_some_and(|w| w.get("monitor").is_some())).await;
    let cancel = Message::CancelExecution { user: "ann".into(), reason: None };
    play.engine.tell(&id, cancel).await.unwrap();
    assert_eq!(play.ended(&id).await.status, Status::Canceled);
    let limit = Instant::now() + Duration::from_secs(10);
    let stops = || server.lines().iter().filter(|line| *line == "DELETE /stop").count();
    while stops() == 0 && Instant::now() < limit {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stops(), 1);
}

fn prepared(server: &Server) -> String {
    format!(
        r#"
        [[preconfigured]]
        type = "deployShop"
        url = "http://{}/rooms/${{parameterValues['room']}}"
        payload = '{{"text": "${{parameterValues.text}}", "list": ["${{parameterValues.room}}"]}}'
        sensitiveHeaders = ["X-Mine"]
        [preconfigured.customHeaders]
        Authorization = "Bearer operator-token"
        X-Mine = "very-special"
        [[preconfigured.parameters]]
        name = "room"
        [[preconfigured.parameters]]
        name = "text"
        defaultValue = "hello"
        "#,
        server.address
    )
}

#[tokio::test]
async fn a_preconfigured_webhook_takes_parameters_and_nothing_else_from_the_pipeline() {
    let server = Server::start(|seen, _| says("200 OK", "", &json!({"you": seen.headers})));
    let play = Play::new(&prepared(&server)).await;
    let run = play
        .run(json!([stage("deployShop", json!({
            "url": "http://127.0.0.1:1/evil", "method": "DELETE", "customHeaders": {"X-Evil": "1"}, "payload": {"evil": 1},
            "parameterValues": {"room": "a b/c?d=e", "text": "say \"${trigger.user}\", \"x\": 1"},
        }))]))
        .await;
    assert_eq!(run.status, Status::Succeeded, "{:?}", run.stages[0].context);
    let seen = server.seen.lock().unwrap()[0].clone();
    assert_eq!(seen.line, "POST /rooms/a%20b/c%3Fd%3De");
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({"text": "say \"ann\", \"x\": 1", "list": ["a b/c?d=e"]}));
    assert!(seen.headers.contains(&"authorization: Bearer operator-token".to_owned()), "{:?}", seen.headers);
    assert!(!seen.headers.iter().any(|h| h.starts_with("x-evil")), "{:?}", seen.headers);
    let record = serde_json::to_string(&run).unwrap();
    assert!(!record.contains("operator-token") && !record.contains("very-special"), "{record}");
    assert!(record.contains("authorization: [hidden]"), "{record}");
}

#[tokio::test]
async fn a_parameter_cannot_climb_out_of_a_preconfigured_address() {
    let server = Server::start(|_, _| says("200 OK", "", &json!({})));
    let play = Play::new(&prepared(&server)).await;
    let run = play.run(json!([stage("deployShop", json!({"parameterValues": {"room": "../../admin"}}))])).await;
    assert_eq!((run.status, server.lines().len()), (Status::Terminal, 0));
    let errors = &run.stages[0].context["exception"]["details"]["errors"];
    assert_eq!(*errors, json!(["parameterValues.room may not hold '.' or '..' as a part of a path"]));
}

#[tokio::test]
async fn an_error_of_a_preconfigured_webhook_does_not_tell_its_address() {
    let server = Server::start(|_, _| says("403 Forbidden", "", &json!({})));
    let play = Play::new(&prepared(&server)).await;
    let run = play.run(json!([stage("deployShop", json!({"parameterValues": {"room": "ops"}}))])).await;
    let details = &run.stages[0].context["exception"]["details"];
    assert_eq!(details["errors"], json!(["POST the address of 'deployShop' answered 403"]));
    assert!(!serde_json::to_string(&run).unwrap().contains("/rooms/"));
}
