use serde_json::{Value, json};

use super::*;
use crate::{Plan, PlanError, Stage, StageView};

struct Wait;
impl Stage for Wait {
    fn kind(&self) -> &'static str {
        "wait"
    }
    fn schema(&self) -> Option<schemars::Schema> {
        Some(crate::fields::written("waitTime!: count"))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::default())
    }
}

struct Judgment;
impl Stage for Judgment {
    fn kind(&self) -> &'static str {
        "manualJudgment"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::default())
    }
}

fn registry() -> Registry {
    Registry::new().stage(&Wait).stage(&Judgment).elsewhere("jenkins", "Jenkins", "master!: text, job!: text")
}

fn said(value: &Value, saved: Option<&Saved>) -> Vec<String> {
    let show = |f: Finding| format!("{:?} {}: {}", f.severity, f.path, f.message);
    super::value(value, &registry(), saved).into_iter().map(show).collect()
}

/// A pipeline with these keys besides a name and an application.
#[track_caller]
fn check(keys: Value, expect: &[&str]) {
    let mut pipeline =
        json!({"name": "p", "application": "a", "stages": [{"type": "wait", "waitTime": 1, "name": "First"}]});
    pipeline.as_object_mut().expect("an object").extend(keys.as_object().expect("an object").clone());
    assert_eq!(said(&pipeline, None), expect, "{pipeline}");
}

#[track_caller]
fn stages(stages: Value, expect: &[&str]) {
    check(json!({ "stages": stages }), expect);
}

#[test]
fn a_good_pipeline_is_not_complained_about() {
    check(
        json!({
            "parameterConfig": [{"name": "region", "default": "eu", "hasOptions": true, "options": [{"value": "eu"}]}],
            "triggers": [{"type": "webhook", "enabled": true, "source": "x", "payloadConstraints": {"a": "^ok$"}}],
            "stages": [
                {"refId": "1", "type": "wait", "waitTime": "30", "name": "Wait"},
                {"refId": 2, "type": "wait", "waitTime": "${ parameters.region.length() }", "requisiteStageRefIds": ["1"],
                 "stageEnabled": {"type": "expression", "expression": "#stage('Wait').status == 'SUCCEEDED' && trigger.x"}},
            ],
        }),
        &[],
    );
}

#[test]
fn without_name_and_application_it_is_still_a_pipeline() {
    let hints = ["Hint $.name: name is not set", "Hint $.application: application is not set"];
    assert_eq!(said(&json!({"stages": [{"type": "wait", "waitTime": 1}]}), None), hints);
}

#[test]
fn fields_of_stages_are_checked_by_their_type() {
    stages(json!([{"type": "wait"}]), &["Error $.stages[0].waitTime: waitTime is missing"]);
    stages(
        json!([{"type": "wait", "waitTime": -5}]),
        &["Error $.stages[0].waitTime: must not be less than 0, and is -5"],
    );
    stages(
        json!([{"type": "wait", "waitTime": "soon", "requisiteStageRefId": []}]),
        &[
            "Error $.stages[0].waitTime: must be a whole number, not the text \"soon\"",
            "Hint $.stages[0].requisiteStageRefId: requisiteStageRefId is no field that is read",
        ],
    );
    stages(
        json!([7, {"name": "x"}, {"type": ["wait"]}]),
        &[
            "Error $.stages[0]: a stage must be an object, not 7",
            "Error $.stages[1].type: a stage needs a type",
            "Error $.stages[2].type: must be a text, not a list",
        ],
    );
    check(json!({"stages": {}}), &["Error $.stages: must be a list of stages, not an object"]);
}

#[test]
fn a_type_that_is_not_there_is_told_apart_from_a_slip() {
    stages(json!([{"type": "wiat", "waitTime": 1}]), &["Error $.stages[0].type: there is no stage type wiat"]);
    stages(
        json!([{"type": "jenkins", "master": "m"}]),
        &[
            "Warning $.stages[0].type: this version does not run jenkins (Jenkins)",
            "Warning $.stages[0].job: job is missing",
        ],
    );
    stages(
        json!([{"type": "ourOwnThing"}]),
        &["Warning $.stages[0].type: the stage type ourOwnThing is not known here"],
    );
}

#[test]
fn references_are_followed() {
    let wait = |reference: Value, requires: Value| json!({"refId": reference, "type": "wait", "waitTime": 1, "requisiteStageRefIds": requires});
    stages(
        json!([wait(json!("1"), json!(["1", "ghost"])), wait(json!("1"), json!([])), {"type": "wait", "waitTime": 1}]),
        &[
            "Error $.stages[1].refId: \"1\" is the refId of stages[0], too",
            "Error $.stages[2].refId: refId is missing, though other stages have one",
            "Error $.stages[0].requisiteStageRefIds[0]: a stage cannot wait for itself",
            "Error $.stages[0].requisiteStageRefIds[1]: there is no stage with the refId \"ghost\"",
        ],
    );
    stages(
        json!([wait(json!("r"), json!([])), wait(json!("a"), json!(["r", "b"])), wait(json!("b"), json!(["a"]))]),
        &["Error $.stages[1].requisiteStageRefIds: these stages wait for each other in a circle: a → b → a"],
    );
}

#[test]
fn a_truth_value_in_quotes_is_told_with_how_it_is_read() {
    stages(
        json!([{"type": "wait", "waitTime": 1, "failPipeline": "false"}]),
        &[
            "Warning $.stages[0].failPipeline: failPipeline is a text, with which Spinnaker waits for ever; here \"false\" is read as false: a failure ends this branch only",
        ],
    );
}

#[test]
fn expressions_are_parsed_and_what_they_name_is_looked_for() {
    let with = |text: &str| json!([{"type": "wait", "waitTime": 1, "name": "First", "x": text}]);
    let one = |text: &str, expect: &str| stages(with(text), &[expect]);
    one(
        "${ 1 + }",
        "Error $.stages[0].x: the expression cannot be read: column 7: the expression ends where a value should stand",
    );
    one("${#foo(1)}", "Error $.stages[0].x: column 3: there is no function #foo");
    one("${#stage('Second').x}", "Error $.stages[0].x: column 3: there is no stage 'Second' in this pipeline");
    one(
        "${#stage('Bake in eu').x}",
        "Warning $.stages[0].x: column 3: there is no stage 'Bake in eu' in this pipeline",
    );
    one(
        "${T(java.lang.System).exit(1)}",
        "Error $.stages[0].x: column 3: expressions may not use the type java.lang.System",
    );
    one("${parameters.region}", "Warning $.stages[0].x: column 3: the parameter region is not declared");
    one("${#judgment('First')}", "Warning $.stages[0].x: column 3: the stage 'First' is no manual judgment");
    stages(with("${T(java.time.Instant).now()} ${new java.util.Date()}"), &[]);
    stages(with("${trigger.x.y} ${foo.bar} ${#stage('First').context} ${parameters.size()}"), &[]);
    let shell = said(&json!({"name": "p", "application": "a", "stages": with("${HOME:-/root}")}), None);
    assert!(shell.len() == 1 && shell[0].starts_with("Warning"), "{shell:?}");
    check(
        json!({"stages": [{"type": "wait", "waitTime": 1, "stageEnabled": {"type": "expression", "expression": "a == "}}]}),
        &[
            "Error $.stages[0].stageEnabled.expression: the expression cannot be read: column 5: the expression ends where a value should stand",
        ],
    );
}

#[test]
fn triggers_are_checked_by_their_type() {
    let one = |trigger: Value, expect: &[&str]| check(json!({"triggers": [trigger]}), expect);
    one(json!({"type": "webhook", "enabled": true}), &["Error $.triggers[0].source: source is missing"]);
    one(json!({"type": "webhook", "enabled": false}), &["Warning $.triggers[0].source: source is missing"]);
    one(
        json!({"type": "webhook", "source": "x", "payloadConstraints": {"a": "(", "b": "^ok$"}}),
        &["Error $.triggers[0].payloadConstraints.a: \"(\" is no regular expression: unclosed group"],
    );
    one(
        json!({"type": "pipeline", "pipeline": "x", "status": ["succesful"]}),
        &["Error $.triggers[0].status[0]: \"succesful\" is not one of its values"],
    );
    one(
        json!({"type": "webhok", "source": "x"}),
        &["Error $.triggers[0].type: there is no type of trigger called webhok"],
    );
    one(
        json!({"type": "apt", "version": ">= 1.0, => 2"}),
        &["Error $.triggers[0].version: \"=> 2\" is no constraint on a version"],
    );
    one(
        json!({"type": "webhook", "source": "x", "expectedArtifactIds": ["nope"]}),
        &["Error $.triggers[0].expectedArtifactIds[0]: the pipeline expects no artifact with the id nope"],
    );
    let own = json!({"id": "me", "triggers": [{"type": "pipeline", "pipeline": "me", "status": ["failed"]}]});
    check(own, &["Error $.triggers[0].pipeline: the pipeline starts itself when it ends: it would run for ever"]);
}

#[test]
fn parameters_and_artifacts_are_checked() {
    check(
        json!({"parameterConfig": [
            {"name": "a", "hasOptions": true, "options": [{"value": "x"}], "default": "y"},
            {"name": "a", "condition": {"parameter": "b", "comparator": "~", "comparatorValue": 1}},
            {"label": "no name"},
        ]}),
        &[
            "Warning $.parameterConfig[0].default: \"y\" is not among the options",
            "Error $.parameterConfig[1].condition.comparator: \"~\" is not one of its values",
            "Error $.parameterConfig[1].name: parameterConfig[0] is called a, too",
            "Error $.parameterConfig[1].condition.parameter: there is no parameter b",
            "Error $.parameterConfig[2].name: name is missing",
        ],
    );
    check(
        json!({"expectedArtifacts": [{"id": "a", "useDefaultArtifact": true}, {"id": "a"}]}),
        &[
            "Error $.expectedArtifacts[0].defaultArtifact: useDefaultArtifact is true and there is no defaultArtifact",
            "Error $.expectedArtifacts[1].id: expectedArtifacts[0] has the id a, too",
        ],
    );
}

#[test]
fn a_time_that_quartz_does_not_know_is_named() {
    let said = |expression: &str| {
        let trigger = json!({"type": "cron", "enabled": true, "cronExpression": expression});
        let all = said(
            &json!({"name": "p", "application": "a", "stages": [{"type": "wait", "waitTime": 1}], "triggers": [trigger]}),
            None,
        );
        all.into_iter().any(|one| one.contains("$.triggers[0].cronExpression"))
    };
    for good in ["0 30 8 ? * MON-FRI", "* 0/30 * * * ? *", "0 0/5 * * * ?", "0 15 10 ? * 6L 2027", "${ trigger.when }"]
    {
        assert!(!said(good), "{good}");
    }
    for bad in ["30 8 * * *", "0 30 8 * * *", "0 30 8 ? * ?", "0 61 8 ? * 2", "0 30 8 ? 13 2"] {
        assert!(said(bad), "{bad}");
    }
}

#[test]
fn a_window_that_fails_its_stage_is_named() {
    let window = json!({"days": [2, 8], "whitelist": [{"startHour": 9, "startMin": 0, "endHour": 24, "endMin": 0}]});
    stages(
        json!([{"type": "wait", "waitTime": 1, "restrictExecutionDuringTimeWindow": true, "restrictedExecutionWindow": window}]),
        &[
            "Error $.stages[0].restrictedExecutionWindow.days[1]: 8 is no day",
            "Error $.stages[0].restrictedExecutionWindow.whitelist[0].endHour: 24 is no hour: the stage would fail",
        ],
    );
}

#[test]
fn what_a_file_is_is_seen() {
    let check = |value: Value, expect: Form| assert_eq!(form(&value), expect, "{value}");
    check(json!([]), Form::Pipelines);
    check(json!({"application": "a", "pipelines": []}), Form::Dinghyfile);
    check(json!({"schema": "v2", "id": "t", "pipeline": {}}), Form::Template);
    check(json!({"schema": "v2", "template": {"reference": "spinnaker://t"}}), Form::Templated);
    check(json!({"schema": "1", "id": "t", "metadata": {}, "stages": []}), Form::OldTemplate);
    check(json!({"schema": "1", "pipeline": {"application": "a", "template": {"source": "x"}}}), Form::OldTemplate);
    check(json!({"schema": "1", "stages": [{"type": "wait"}]}), Form::Pipeline);
    check(json!({"pipeline": {"stages": []}, "trigger": {}}), Form::Wrapped);
    check(json!({"metrics": []}), Form::Unknown);
    assert_eq!(
        said(&json!({"metrics": []}), None),
        ["Error $: this is no pipeline: it has neither stages nor a template"]
    );
    assert_eq!(said(&json!("x"), None), ["Error $: this is no pipeline: it is the text \"x\""]);
}

#[test]
fn templates_are_checked_with_their_variables() {
    let template = json!({
        "schema": "v2", "id": "t", "metadata": {"name": "T"},
        "variables": [{"name": "time", "type": "int", "defaultValue": "long"}, {"name": "time", "type": "number"}],
        "pipeline": {"stages": [{"type": "wait", "waitTime": "${ templateVariables.tiem }", "refId": "1"}]},
    });
    assert_eq!(
        said(&template, None),
        [
            "Error $.variables[0].defaultValue: must be a whole number, not the text \"long\"",
            "Error $.variables[1].type: \"number\" is not one of its values",
            "Error $.variables[1].name: another variable is called time, too",
            "Warning $.pipeline.stages[0].waitTime: column 4: the variable tiem is not declared",
        ]
    );
}

#[test]
fn a_server_is_asked_when_there_is_one() {
    let map = |value: Value| value.as_object().cloned().expect("an object");
    let saved = Saved {
        pipelines: vec![map(json!({"id": "p-1", "name": "Other", "application": "a"}))],
        applications: vec!["a".into()],
        accounts: vec!["local".into()],
    };
    let pipeline = json!({"name": "p", "application": "b", "stages": [{"type": "wait", "waitTime": 1}],
        "triggers": [{"type": "pipeline", "application": "a", "pipeline": "Other", "status": ["failed"]}]});
    assert_eq!(
        said(&pipeline, Some(&saved)),
        [
            "Warning $.application: the server has no application b",
            "Error $.triggers[0].pipeline: the server has no pipeline with the id Other",
        ]
    );
}

#[test]
fn too_many_stages_are_named_and_still_looked_at() {
    let list: Vec<Value> =
        (0..100_000).map(|i| json!({"refId": i.to_string(), "type": "wait", "waitTime": "x"})).collect();
    let all = said(&json!({"name": "p", "application": "a", "stages": list}), None);
    assert_eq!(all[0], "Error $.stages: has 100000 stages; 2000 are the most");
    assert_eq!(all.len(), 1001);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = super::text(&text, &registry(), None);
    }

    #[test]
    fn no_json_like_text_makes_it_panic(text in "[\\[\\]{}:,\"'a1.\\-\\\\ /#$*\n]{0,80}") {
        let _ = super::text(&text, &registry(), None);
    }
}
