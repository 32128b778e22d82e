//! What a webhook stage makes of its configuration, and what it keeps of answers.

use pipeline::model::{Execution, Stage as Record};
use pipeline::{Map, Stage, StageView, Status, TaskResult};
use serde_json::{Value, json};

use super::config::{Config, Verdict};
use super::create::was_stopped;
use super::exchange::status_endpoint;
use super::monitor::Seen;
use super::secrets::{Secrets, place};
use super::{Asked, Preconfigured, WebhookStage, preconfigured};

fn config(value: Value) -> Config {
    pipeline::lenient::from_value(&value).expect("it can be read")
}

fn planned(stage: &dyn Stage, context: Value) -> Result<Vec<&'static str>, String> {
    let record =
        Record { id: "s".into(), context: context.as_object().cloned().unwrap_or_default(), ..Record::default() };
    let mut run = Execution::default();
    run.authentication.insert("user".into(), json!("ann"));
    let plan = stage.plan(&StageView::with(&run, &record)).map_err(|error| error.to_string())?;
    Ok(plan.tasks.iter().map(|task| task.name).collect())
}

#[test]
fn what_is_planned() {
    let check = |context: Value, expect: &[&str]| {
        assert_eq!(planned(&WebhookStage, context.clone()).expect("planned"), expect, "{context}");
    };
    check(json!({"url": "http://a"}), &["createWebhook"]);
    check(json!({"url": "http://a", "waitForCompletion": "true"}), &["createWebhook", "monitorWebhook"]);
    check(json!({"url": "http://a", "monitorOnly": true}), &["monitorWebhook"]);
    check(
        json!({"url": "http://a", "failFastStatusCodes": ["504", 400], "retries": {"404": {"maxAttempts": "3"}}}),
        &["createWebhook"],
    );
}

#[test]
fn what_is_refused_before_anything_is_called() {
    let check = |context: Value, expect: &str| {
        let error = planned(&WebhookStage, context).expect_err(expect);
        assert!(error.contains(expect), "{error}");
    };
    check(json!({}), "a webhook needs url");
    check(json!({"url": "http://a", "method": "GET /x HTTP/1.1\r\nX: y"}), "method must be");
    check(json!({"url": "http://a", "customHeaders": {"X-A": "b\r\nX-Evil: 1"}}), "customHeaders.X-A: its value holds");
    check(json!({"url": "http://a", "customHeaders": {"X-A\n": "b"}}), "'X-A\\n' is no name of a header");
    check(json!({"url": "http://a", "customHeaders": {"X-A": ["fine", "b\nc"]}}), "customHeaders.X-A: its value holds");
    check(json!({"url": "http://a", "statusUrlResolution": "guess"}), "statusUrlResolution is 'guess'");
    check(json!({"url": "http://a", "statusJsonPath": "$.a["}), "statusJsonPath: the JSON path");
}

#[test]
fn what_an_answer_means_for_the_call() {
    let check = |settings: Value, code: u16, attempts: u64, expect: Verdict| {
        assert_eq!(config(settings.clone()).verdict(code, attempts), expect, "{settings} {code} {attempts}");
    };
    check(json!({}), 503, 1, Verdict::Again);
    check(json!({}), 429, 1, Verdict::Again);
    check(json!({}), 504, 1, Verdict::Fails);
    check(json!({}), 400, 1, Verdict::Fails);
    check(json!({}), 500, 1, Verdict::Fails);
    check(json!({"failFastStatusCodes": [503]}), 503, 1, Verdict::Fails);
    check(json!({"failFastStatusCodes": []}), 504, 1, Verdict::Fails);
    check(json!({"webhookRetryStatusCodes": [404, 504]}), 404, 9, Verdict::Again);
    check(json!({"webhookRetryStatusCodes": [404, 504]}), 504, 9, Verdict::Again);
    check(json!({"retries": {"404": {"maxAttempts": 3}}}), 404, 2, Verdict::Again);
    check(json!({"retries": {"404": {"maxAttempts": 3}}}), 404, 3, Verdict::Fails);
    check(json!({"retries": {"503": {"maxAttempts": 1}}}), 503, 1, Verdict::Fails);
    let asked = config(json!({"retryStatusCodes": [404]}));
    let verdicts = [404, 500, 429, 403].map(|code| asked.monitor_verdict(code));
    assert_eq!(verdicts, [Verdict::Again, Verdict::Again, Verdict::Again, Verdict::Fails]);
}

fn judged(settings: Value, body: Value) -> TaskResult {
    let config = config(settings);
    let secrets = Secrets::of(&config, &[], &[]);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let asked = Asked { config, secrets, prepared: None };
    Seen { asked: &asked, url: "http://a/status?token=1", body, now }.judge(Map::new(), Map::new())
}

#[test]
fn what_a_status_means() {
    let settings = json!({
        "statusJsonPath": "$.state", "progressJsonPath": "$.done", "successStatuses": "ok, Finished",
        "canceledStatuses": "gone", "terminalStatuses": "broken"
    });
    let monitor = |body: Value| match judged(settings.clone(), body) {
        TaskResult::Done { status, context, .. } => (status.to_string(), context["webhook"]["monitor"].clone()),
        TaskResult::Again { reason, context, .. } => (reason, context["webhook"]["monitor"].clone()),
        TaskResult::Failed { error } => (error.errors[0].clone(), error.context["webhook"]["monitor"].clone()),
        TaskResult::Needs(_) => panic!("nothing is needed"),
    };
    assert_eq!(monitor(json!({"state": "FINISHED"})).0, "SUCCEEDED");
    assert_eq!(monitor(json!({"state": 100})).0, "SUCCEEDED");
    assert_eq!(monitor(json!({"state": "gone"})).0, "CANCELED");
    assert_eq!(monitor(json!({"state": "broken"})).0, "http://a/status?… says broken, which terminalStatuses lists");
    let (reason, seen) = monitor(json!({"state": "working", "done": "half"}));
    assert_eq!(reason, "http://a/status?… says working");
    assert_eq!(seen, json!({"progressMessage": "half", "resolvedValue": "working"}));
    let (reason, seen) = monitor(json!({"state": 40, "done": 41}));
    assert_eq!(reason, "http://a/status?… says 40 %");
    assert_eq!(seen, json!({"percentComplete": 40, "progressMessage": "41", "resolvedValue": 40}));
    assert_eq!(monitor(json!({})).0, "http://a/status?… says nothing at $.state");
    assert!(monitor(json!({"state": {}})).0.ends_with("is neither a text nor a number"));
}

#[test]
fn a_filter_may_find_the_status() {
    let body = json!({"jobs": [{"name": "a", "state": "failed"}, {"name": "b", "state": "done"}]});
    let settings = json!({"statusJsonPath": "$.jobs[?(@.name == 'b')].state", "successStatuses": "DONE"});
    let TaskResult::Done { context, .. } = judged(settings, body) else { panic!("it has ended") };
    assert_eq!(context["webhook"]["monitor"]["resolvedValue"], "done");
}

#[test]
fn secrets_are_hidden_by_value_wherever_they_come_back() {
    let config = config(json!({
        "url": "https://ann:pa55word@a/x",
        "customHeaders": {"Authorization": "Bearer s3cr3t-token", "X-Plain": "visible", "X-Mine": "special"}
    }));
    let secrets = Secrets::of(&config, &["x-mine".to_owned()], &[]);
    let echoed =
        json!({"saw": ["Bearer s3cr3t-token", "token=s3cr3t-token;"], "special": "visible", "login": "pa55word"});
    assert_eq!(
        secrets.hide_in(echoed),
        json!({"saw": ["[hidden]", "token=[hidden];"], "[hidden]": "visible", "login": "[hidden]"})
    );
    let basic =
        super::tests::config(json!({"url": "http://a", "customHeaders": {"authorization": "Basic YW5uOnBhNTV3b3Jk"}}));
    assert_eq!(Secrets::of(&basic, &[], &[]).hide("ann:pa55word is pa55word"), "[hidden] is [hidden]");
}

#[test]
fn an_address_is_shown_without_user_and_query() {
    assert_eq!(place("https://ann:pa55@host:1/a?key=1"), "https://host:1/a?…");
    assert_eq!(place("https://host/a"), "https://host/a");
}

#[test]
fn a_bad_end_that_the_other_side_told_is_not_called_off() {
    let stopped = |status: Status, exception: Value| {
        let mut record = Record { id: "s".into(), status, ..Record::default() };
        record.context.insert("exception".into(), exception);
        was_stopped(&StageView::with(&Execution::default(), &record))
    };
    assert!(stopped(Status::Canceled, Value::Null));
    assert!(stopped(Status::Terminal, json!({"exceptionType": "TimeoutException"})));
    assert!(!stopped(Status::Terminal, json!({"exceptionType": "WebhookFailed"})));
}

#[test]
fn where_the_status_is_asked_for() {
    let check = |settings: Value, location: Option<&str>, body: Value, expect: Result<&str, &str>| {
        let mut answer = events::outgoing::Answer {
            status: Default::default(),
            headers: Default::default(),
            body: Default::default(),
        };
        if let Some(location) = location {
            answer.headers.insert("location", location.parse().expect("a value"));
        }
        let found = status_endpoint(&config(settings), &answer, &body);
        match expect {
            Ok(url) => assert_eq!(found.as_deref(), Ok(url)),
            Err(part) => assert!(found.expect_err(part).contains(part)),
        }
    };
    let with = |more: Value| {
        let mut all = json!({"url": "http://host:1/start?x=1"});
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        all
    };
    check(with(json!({})), None, json!({}), Ok("http://host:1/start?x=1"));
    check(with(json!({"statusUrlResolution": "locationHeader"})), Some("/s/1"), json!({}), Ok("http://host:1/s/1"));
    check(with(json!({"statusUrlResolution": "locationHeader"})), None, json!({}), Err("no Location header"));
    let path = json!({"statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$.links[?(@.rel=='self')].href"});
    let body = json!({"links": [{"rel": "next", "href": "n"}, {"rel": "self", "href": "http://b/s"}]});
    check(with(path.clone()), None, body, Ok("http://b/s"));
    check(with(path), None, json!({}), Err("there is no text at"));
    let constant = json!({"statusUrlResolution": "constant", "statusUrlJsonPath": "http://c/s"});
    check(with(constant), None, json!({}), Ok("http://c/s"));
}

fn prepared() -> Preconfigured {
    toml::from_str(
        r#"
        type = "notifyChat"
        label = "Chat"
        url = "https://chat.example/hook"
        waitForCompletion = true
        retries = { 404 = { maxAttempts = 2 } }
        [customHeaders]
        Authorization = "Bearer operator"
        [[parameters]]
        name = "room"
        options = ["dev", "ops"]
        [[parameters]]
        name = "text"
        defaultValue = "hello"
        [permissions]
        WRITE = ["ann"]
        "#,
    )
    .expect("it can be read")
}

#[test]
fn a_preconfigured_webhook_is_a_stage_type_with_parameters() {
    let stage = preconfigured::stage(&prepared());
    assert_eq!(stage.kind(), "notifyChat");
    let tasks = planned(stage, json!({"parameterValues": {"room": "dev"}, "url": "http://evil"}));
    assert_eq!(tasks.expect("planned"), ["createWebhook", "monitorWebhook"]);
    let error = planned(stage, json!({})).expect_err("a parameter is missing");
    assert_eq!(error, "parameterValues.room is missing");
    let error = planned(stage, json!({"parameterValues": {"room": "all"}})).expect_err("not among the options");
    assert_eq!(error, "parameterValues.room is 'all'; it may be dev, ops");
    let mut others = prepared();
    others.permissions.insert("WRITE".into(), vec!["bob".into()]);
    let error = planned(preconfigured::stage(&others), json!({})).expect_err("not allowed");
    assert_eq!(error, "'ann' may not run the configured webhook 'notifyChat'");
    others.enabled = Some(false);
    let error = planned(preconfigured::stage(&others), json!({})).expect_err("switched off");
    assert_eq!(error, "the configured webhook 'notifyChat' is switched off");
}

#[test]
fn a_list_of_preconfigured_webhooks_shows_neither_address_nor_headers() {
    let listed = prepared().listed();
    assert_eq!(listed["type"], "notifyChat");
    assert_eq!(listed["parameters"][0]["options"], json!(["dev", "ops"]));
    let text = listed.to_string();
    assert!(!text.contains("chat.example") && !text.contains("operator"), "{text}");
    assert!(prepared().permits("READ", "anyone") && !prepared().permits("WRITE", "anyone"));
}

#[test]
fn a_preconfigured_webhook_needs_a_type_of_its_own() {
    assert_eq!(prepared().check(&["wait"]), Ok(()));
    let error = prepared().check(&["notifyChat"]).expect_err("taken").to_string();
    assert_eq!(error, "[[webhook.preconfigured]] notifyChat: there is a stage of this type already");
}
