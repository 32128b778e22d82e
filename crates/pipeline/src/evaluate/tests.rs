//! Spinnaker's rules, a story a test. The recorded evaluations are run with the binary.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::{Given, Level, Need, SUMMARY, pipeline, precondition, process, stage_context, stage_enabled, variables};

fn execution() -> Value {
    json!({
        "id": "1", "application": "shop", "spelEvaluator": "v3", "trigger": {"type": "manual", "parameters": {"region": "eu"}},
        "stages": [
            {"id": "a", "refId": "1", "type": "bake", "name": "Bake", "status": "SUCCEEDED", "requisiteStageRefIds": [],
             "context": {"package": "shop"}, "outputs": {"image": "img-1"}},
            {"id": "b", "refId": "2", "type": "wait", "name": "Wait", "status": "RUNNING", "requisiteStageRefIds": ["1"],
             "context": {"text": "${parameters.region}"}, "outputs": {}},
        ],
    })
}

#[test]
fn a_stage_sees_its_context_and_the_outputs_before_it() {
    let context = json!({"text": "${image} in ${parameters.region}", "${image}": ["${1 + 1}"]});
    let done = stage_context(&execution(), "2", &context, &Given::default());
    assert_eq!(done.value, json!({"text": "img-1 in eu", "img-1": [2]}));
    assert!(done.failed.is_empty() && done.needs.is_empty());
}

#[test]
fn the_naming_of_a_secret_stays_as_it_is_written() {
    let context = json!({"a": "${secret('db')}", "b": "${image} ${ #secret(\"db\") }", "c": "${secret(image)}"});
    let done = stage_context(&execution(), "2", &context, &Given::default());
    assert_eq!(done.value["a"], "${secret('db')}");
    assert_eq!(done.value["b"], "img-1 ${ #secret(\"db\") }");
    let failed: Vec<_> = done.failed.iter().map(|one| one.expression.as_str()).collect();
    assert_eq!(failed, ["secret(image)"], "which one is not up to an expression");
}

#[test]
fn what_came_out_of_notifications_at_the_start_is_data_when_they_are_sent() {
    let trigger = json!({"type": "manual", "user": "kim", "to": "${evil}"});
    let text = "${trigger.user} ${execution.name}";
    let told = json!([{"type": "email", "message": {"pipeline.failed": {"text": text}}, "address": "${trigger.to}"}]);
    let config =
        json!({"name": "p", "description": "${trigger.to}", "trigger": trigger, "notifications": told, "stages": []});
    let started = pipeline(&config, &Given::default()).value;
    assert_eq!(started["notifications"][0]["address"], "${evil}");
    assert_eq!(started["notifications"][0]["message"]["pipeline.failed"]["text"], text, "still the author's");
    assert_eq!(started[super::INERT], json!(["${evil}"]), "the description is evaluated once");
    let mut execution = execution();
    execution["name"] = json!("ship");
    execution["trigger"]["user"] = json!("kim");
    execution[super::INERT] = started[super::INERT].clone();
    let sent = process(&execution, None, &started["notifications"], false, &Given::default()).value;
    assert_eq!(sent[0]["address"], "${evil}");
    assert_eq!(sent[0]["message"]["pipeline.failed"]["text"], "kim ship");
    let clean =
        pipeline(&json!({"name": "p", "trigger": {"user": "kim"}, "notifications": told}), &Given::default()).value;
    assert_eq!(clean.get(super::INERT), None, "what could not be evaluated is no data");
}

#[test]
fn what_fails_stays_as_it_was_and_is_named_in_the_summary() {
    let mut context = json!({"a": "${nope}", "b": "x ${nope.x}", SUMMARY: {"old": []}});
    let done = stage_context(&execution(), "2", &context, &Given::default());
    assert_eq!(done.value, json!({"a": "${nope}", "b": "x ${nope.x}"}));
    assert!(done.has_errors());
    let levels: Vec<_> = done.failed.iter().map(|one| (one.expression.as_str(), one.level)).collect();
    assert_eq!(levels, [("nope", Level::Info), ("x nope.x", Level::Error)]);
    done.write_summary(&mut context);
    let names: Vec<_> = context[SUMMARY].as_object().expect("a summary").keys().collect();
    assert_eq!(names, ["nope", "x nope.x"]);
    // Healed: the key goes.
    stage_context(&execution(), "2", &json!({"a": 1}), &Given::default()).write_summary(&mut context);
    assert_eq!(context.get(SUMMARY), None);
}

#[test]
fn text_from_outside_is_data() {
    let mut execution = execution();
    execution["trigger"]["parameters"]["region"] = json!("${T(java.lang.System).exit(1)} ${image}");
    execution["stages"][0]["outputs"]["image"] = json!("${parameters.region}");
    let done =
        stage_context(&execution, "2", &json!({"a": "${parameters.region}", "b": "b ${image}"}), &Given::default());
    assert_eq!(done.value["a"], "${T(java.lang.System).exit(1)} ${image}");
    assert_eq!(done.value["b"], "b ${parameters.region}");
}

#[test]
fn data_that_looks_like_an_expression_is_never_evaluated_later() {
    let mut config = json!({
        "trigger": {"type": "manual", "parameters": {"who": "${#stage('Bake').name}"}},
        "stages": [{"refId": "1", "type": "wait", "text": "for ${parameters.who}", "list": "${ {parameters.who} }"}, {"refId": "2", "type": "wait"}],
    });
    config = pipeline(&config, &Given::default()).value;
    let evaluated = json!({"text": "for ${#stage('Bake').name}", "list": ["${#stage('Bake').name}"]});
    let stage = config["stages"][0].clone();
    assert_eq!((&stage["text"], &stage["list"]), (&evaluated["text"], &evaluated["list"]));
    assert_eq!(config["stages"][1], json!({"refId": "2", "type": "wait"}));

    // When the stage starts, and before each of its tasks, and in a stage that it plans.
    let mut execution = execution();
    execution["stages"][1]["context"] = stage.clone();
    let mut context = stage;
    for _ in 0..3 {
        context = stage_context(&execution, "2", &context, &Given::default()).value;
        assert_eq!((&context["text"], &context["list"]), (&evaluated["text"], &evaluated["list"]));
    }
    let child = json!({"id": "c", "refId": "2<1", "type": "wait", "parentStageId": "b", "context": {"copied": context["text"]}, "outputs": {}});
    execution["stages"].as_array_mut().expect("stages").push(child);
    let copied = json!({"copied": context["text"], "own": "${#stage('Bake').context.package}"});
    let done = stage_context(&execution, "2<1", &copied, &Given::default());
    assert_eq!(done.value, json!({"copied": "for ${#stage('Bake').name}", "own": "shop"}));
}

#[test]
fn what_came_from_outside_can_be_kept_as_data() {
    let mut context = json!({"own": "${image}!"});
    let answer = json!({"body": {"say": "${image}"}, "echo": "${image}!"});
    let members = context.as_object_mut().expect("an object");
    super::keep_as_data(members, answer.as_object().expect("an object"));
    members.extend(answer.as_object().expect("an object").clone());
    let done = stage_context(&execution(), "2", &context, &Given::default());
    assert_eq!((&done.value["body"], &done.value["own"]), (&answer["body"], &json!("img-1!")));
}

#[test]
fn what_is_missing_from_outside_is_asked_for_and_then_used() {
    let context = json!({"id": "${#pipelineId('Promote')}", "body": "${#jsonFromUrl('https://example.com/x').v}"});
    let first = stage_context(&execution(), "2", &context, &Given::default());
    assert_eq!(first.needs, [Need::Pipelines, Need::Url("https://example.com/x".to_owned())]);
    let given = Given {
        pipelines: Some(vec![json!({"id": "p", "name": "Promote", "application": "shop"})]),
        fetched: HashMap::from([("https://example.com/x".to_owned(), Ok(r#"{"v": 1}"#.to_owned()))]),
        ..Given::default()
    };
    let second = stage_context(&execution(), "2", &context, &given);
    assert_eq!((second.value, second.needs), (json!({"id": "p", "body": 1}), vec![]));
}

#[test]
fn urls_to_this_machine_and_its_network_are_never_asked_for() {
    for url in [
        "http://localhost/x",
        "http://LOCALHOST./x",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://user@example.com/",
        "http://example.com@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://metadata.google.internal/",
        "http://intranet/",
        "http:/example.com",
        "http://",
        "http://127.0.0.1:80\\@example.com/",
    ] {
        let done = process(&execution(), Some("2"), &json!(format!("${{#fromUrl('{url}')}}")), true, &Given::default());
        assert_eq!((done.needs.as_slice(), done.failed.len()), ([].as_slice(), 1), "{url}");
    }
}

#[test]
fn variables_see_earlier_ones_only_under_v4() {
    let context = json!({"variables": [{"key": "a", "value": "${1 + 1}"}, {"key": "b", "value": "${a}2"}]});
    let run = |version: &str| {
        let mut execution = execution();
        execution["spelEvaluator"] = json!(version);
        execution["stages"][1]["type"] = json!("evaluateVariables");
        variables(&execution, "2", &context, &Given::default())
    };
    assert_eq!(Value::Object(run("v4").outputs), json!({"a": 2, "b": "22"}));
    assert_eq!(Value::Object(run("v3").outputs), json!({"a": 2, "b": "${a}2"}));
    assert_eq!(run("v4").evaluated.value["variables"][1]["sourceValue"], "{a}2");
}

#[test]
fn conditions_hold_only_for_true() {
    let holds = |expression: Value| {
        let enabled = stage_enabled(&execution(), "2", &json!({"expression": expression}), &Given::default()).holds;
        (precondition(&execution(), "2", &json!({"expression": expression}), &Given::default()).holds, enabled)
    };
    assert_eq!(holds(json!("image == 'img-1'")), (true, true));
    assert_eq!(holds(json!(true)), (true, true));
    assert_eq!(holds(json!("'yes'")), (false, false));
    assert_eq!(holds(json!("nope.x")), (false, false));
    // Nothing asked: the stage runs, the precondition does not hold.
    assert_eq!(holds(json!("")), (false, true));
}

#[test]
fn a_pipeline_at_its_start_knows_its_trigger_and_nothing_else() {
    let config = json!({"name": "P ${trigger.user}", "trigger": {"user": "ada", "parameters": {}}, "stages": [{"a": "${execution.id}"}]});
    let done = pipeline(&config, &Given::default());
    assert_eq!(done.value["name"], "P ada");
    assert_eq!(done.value["stages"], json!([{"a": "${execution.id}"}]));
    assert_eq!(done.failed.len(), 1);
}

#[test]
fn cycles_of_stages_end() {
    let mut execution = execution();
    execution["stages"][0]["requisiteStageRefIds"] = json!(["2"]);
    execution["stages"][0]["parentStageId"] = json!("a");
    let done = stage_context(
        &execution,
        "2",
        &json!({"a": "${nope ?: #stage('Bake').topLevelStage.name}"}),
        &Given::default(),
    );
    assert_eq!(done.value, json!({"a": "Bake"}));
}

#[test]
fn random_values_follow_from_the_seed() {
    let uuid = |seed| {
        let given = Given { seed, ..Given::default() };
        process(&execution(), None, &json!("${T(java.util.UUID).randomUUID()}"), true, &given).value
    };
    assert_eq!(uuid(1), uuid(1));
    assert_ne!(uuid(1), uuid(2));
}

#[test]
fn two_hundred_expressions_over_a_hundred_stages_are_quick() {
    let stage = |at: usize| {
        json!({"id": format!("s{at}"), "refId": at.to_string(), "type": "wait", "name": format!("Stage {at}"), "status": "SUCCEEDED",
            "requisiteStageRefIds": if at > 0 { vec![(at - 1).to_string()] } else { vec![] },
            "context": {"text": "x".repeat(2_000), "own": at}, "outputs": {format!("out{at}"): at}})
    };
    let execution =
        json!({"id": "1", "trigger": {"type": "manual"}, "stages": (0..100).map(stage).collect::<Vec<_>>()});
    let texts = (0..200).map(|at| match at % 4 {
        0 => "${out0}".to_owned(),
        1 => format!("${{#stage('Stage {}').context.own + 1}} and ${{out{}}}", at % 100, at % 100),
        2 => "${execution.stages.?[name == 'Stage 50'].![context.own]}".to_owned(),
        _ => "${#stage('Stage 3').status == 'SUCCEEDED' ? own : nope}".to_owned(),
    });
    let context: Value = texts.collect();
    let begin = Instant::now();
    let done = stage_context(&execution, "99", &context, &Given::default());
    assert!(done.failed.is_empty(), "{:?}", done.failed.first());
    // Without optimisation; optimised it is about ten times as quick.
    assert!(begin.elapsed().as_millis() < 1_000, "{:?}", begin.elapsed());
    eprintln!("200 expressions: {:?}", begin.elapsed());
}
