use pipeline::Execution;
use serde_json::{Value, json};

use super::*;

fn run() -> Execution {
    let failed = json!({"exception": {"details": {"errors": ["no image is baked for shop 1.2"]}}});
    serde_json::from_value(json!({
        "id": "01RUN", "type": "PIPELINE", "application": "shop", "name": "ship", "status": "TERMINAL", "startTime": 1_000, "endTime": 64_000,
        "trigger": {"type": "apt", "user": "kim"},
        "stages": [
            {"id": "s1", "refId": "1", "type": "deploy", "name": "Deploy", "status": "TERMINAL", "startTime": 2_000, "endTime": 63_000, "context": {}},
            {"id": "s2", "refId": "1<1", "type": "createServerGroup", "name": "Create", "status": "TERMINAL", "parentStageId": "s1",
             "syntheticStageOwner": "STAGE_BEFORE", "context": failed},
        ],
    }))
    .unwrap()
}

fn notice(stage: &str, event: &str, config: Value) -> Notice {
    let config = config.as_object().unwrap().clone();
    let (execution, kind) = ("01RUN".into(), "email".into());
    let (stage, event) = (stage.into(), event.into());
    Notice {
        id: "01N".into(),
        execution,
        stage,
        event,
        kind,
        config,
        at: 64_000,
        due: None,
        attempts: 1,
        error: String::new(),
    }
}

fn said(notice: &Notice) -> events::notify::Message {
    let words = Words { public_url: "https://deploy.example.org".into() };
    words.message(notice, &run(), jiff::Timestamp::UNIX_EPOCH)
}

#[test]
fn a_failure_says_where_why_and_where_to_look() {
    let message = said(&notice("", "pipeline.failed", json!({"address": "a@x"})));
    assert_eq!(message.subject, "shop: ship failed");
    let expected = "ship (shop) failed: Create: no image is baked for shop 1.2\n\nStarted by kim (apt), took 1 min 3 s.\n\n\
                    https://deploy.example.org/ui/applications/shop/runs/01RUN";
    assert_eq!(message.text, expected);
    assert_eq!(message.facts["reason"], "Create: no image is baked for shop 1.2");
    let of_stage = said(&notice("s1", "stage.failed", json!({"address": "a@x"})));
    assert_eq!(of_stage.subject, "shop: Deploy of ship failed");
    assert!(of_stage.text.starts_with("Deploy of ship (shop) failed: Create: no image"), "{}", of_stage.text);
}

#[test]
fn the_authors_words_and_expressions_are_used() {
    let config =
        json!({"address": "${execution.name}@x", "message": {"pipeline.failed": {"text": "ask ${trigger.user}"}}});
    let message = said(&notice("", "pipeline.failed", config));
    assert_eq!(message.to, "ship@x");
    assert!(message.text.contains("\n\nask kim\n\n"), "{}", message.text);
    let own = json!({"address": ["a@x", "b@x"], "customSubject": "S ${execution.status}", "customBody": "B"});
    let message = said(&notice("", "pipeline.failed", own));
    assert_eq!((message.to.as_str(), message.subject.as_str(), message.text.as_str()), ("a@x, b@x", "S TERMINAL", "B"));
}

#[test]
fn what_came_from_outside_is_not_evaluated() {
    let mut run = run();
    run.other.insert(pipeline::evaluate::INERT.into(), json!(["${execution.id}"]));
    let notice = notice("", "pipeline.failed", json!({"address": "a@x", "customBody": "${execution.id}"}));
    let words = Words { public_url: String::new() };
    assert_eq!(words.message(&notice, &run, jiff::Timestamp::UNIX_EPOCH).text, "${execution.id}");
    let of_stage = Notice { stage: "s1".into(), ..notice };
    assert_eq!(words.message(&of_stage, &self::run(), jiff::Timestamp::UNIX_EPOCH).text, "${execution.id}");
}

#[test]
fn what_may_help_later_is_tried_again_and_given_up_in_the_end() {
    let later = NotifyError::Later("no answer from mail:25".into());
    let tried = |attempts| after(&Notice { attempts, ..notice("", "pipeline.failed", json!({})) }, Some(&later), 1_000);
    assert_eq!(tried(1), ("no answer from mail:25".into(), Some(11_000)));
    assert_eq!(tried(5).1, Some(7_201_000));
    assert_eq!(tried(6), ("no answer from mail:25; given up after 6 tries".into(), None));
    let never = NotifyError::Never("it names no address".into());
    assert_eq!(after(&notice("", "x", json!({})), Some(&never), 1_000), ("it names no address".into(), None));
    assert_eq!(after(&notice("", "x", json!({})), None, 1_000), (String::new(), None));
}
