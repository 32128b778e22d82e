use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{Plan, PlanError, Stage, StageSpec, TaskInput, TaskResult, TaskSpec};

/// Waits for a person, as far as anybody can tell beforehand.
struct Question;
impl Stage for Question {
    fn kind(&self) -> &'static str {
        "ask"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("ask", "ask").timeout(jiff::SignedDuration::from_hours(72))]))
    }
}
fn ask(_: &TaskInput, _: Timestamp) -> TaskResult {
    TaskResult::again(Timestamp::MAX, "a person has to answer")
}

/// Gives its `gives` as outputs.
struct Give;
impl Stage for Give {
    fn kind(&self) -> &'static str {
        "give"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("give", "give")]))
    }
}
fn give(input: &TaskInput, _: Timestamp) -> TaskResult {
    let gives = input.get("gives").unwrap_or_default();
    let gives = gives.as_object().cloned().unwrap_or_default();
    gives.into_iter().fold(TaskResult::succeeded(), |done, (key, value)| done.output(&key, value))
}

/// Does something that nobody can foresee, with a stage before and one after.
struct Build;
impl Stage for Build {
    fn kind(&self) -> &'static str {
        "build"
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        if stage.context().get("refuses").is_some() {
            return Err(PlanError::Refused("it is refused".into()));
        }
        let plan = Plan::tasks([TaskSpec::new("build", "buildIt")]);
        Ok(if stage.stage().is_synthetic() {
            plan
        } else {
            plan.before(StageSpec::new("give", "Prepare").with("x", "${1 + 1}"))
        })
    }
    fn after(&self, stage: &StageView) -> Result<Vec<StageSpec>, PlanError> {
        Ok(if stage.stage().is_synthetic() { Vec::new() } else { vec![StageSpec::new("build", "Tidy up")] })
    }
}

fn registry() -> Registry {
    let registry = Registry::new().stage(&Question).pure("ask", ask).stage(&Give).pure("give", give).stage(&Build);
    registry.elsewhere("jenkins", "Jenkins", "")
}

fn plan(config: Value, trigger: Value) -> Value {
    let map = |value: Value| value.as_object().cloned().expect("an object");
    let given = Given { now: "2026-11-28T12:00:00Z".parse().expect("a time"), ..Given::default() };
    let (config, trigger, registry) = (map(config), map(trigger), registry());
    let ask = Ask { config: &config, trigger: &trigger, registry: &registry, given, outlook: None };
    json!(forecast(&ask).expect("it can be told"))
}

fn stages(stages: Value) -> Value {
    plan(json!({"name": "p", "application": "a", "stages": stages}), json!({}))
}

#[test]
fn values_are_filled_in_as_far_as_they_are_known() {
    let plan = plan(
        json!({"name": "p", "application": "a", "parameterConfig": [{"name": "region", "default": "eu"}, {"name": "version", "required": true}],
            "stages": [{"refId": "1", "type": "give", "name": "Give", "to": "${parameters.region}-${trigger.n + 1}", "v": "${parameters.version}"}]}),
        json!({"type": "webhook", "n": 2}),
    );
    let first = &plan["stages"][0];
    assert_eq!((&first["context"]["to"], &first["context"]["v"]), (&json!("eu-3"), &json!("${parameters.version}")));
    assert_eq!(
        first["unknown"],
        json!([{"path": "$.v", "expression": "${parameters.version}", "reason": "the parameter version is given when it is started"}])
    );
    assert_eq!(plan["notes"][0], "the parameter version must be given when it is started");
}

#[test]
fn what_a_stage_gives_is_known_behind_it_and_what_only_a_run_gives_is_not() {
    let plan = stages(json!([
        {"refId": "1", "type": "give", "name": "Give", "gives": {"version": "1.2"}},
        {"refId": "2", "type": "build", "name": "Build", "requisiteStageRefIds": ["1"], "for": "${version}"},
        {"refId": "3", "type": "ask", "name": "Sure?", "requisiteStageRefIds": ["2"]},
        {"refId": "4", "type": "give", "name": "End", "requisiteStageRefIds": ["3"],
         "a": "${#stage('Build').outputs.image}", "b": "${#stage('Build').status}", "c": "${#judgment('Sure?') ?: 'none'}",
         "d": "${image ?: 'default'}", "e": "${#stage('Build').context.for}"},
    ]));
    assert_eq!(plan["stages"][1]["context"]["for"], "1.2");
    let last = &plan["stages"][3];
    assert_eq!((&last["context"]["b"], &last["context"]["e"]), (&json!("SUCCEEDED"), &json!("1.2")));
    let reasons: Vec<&str> =
        last["unknown"].as_array().expect("a list").iter().filter_map(|u| u["reason"].as_str()).collect();
    assert_eq!(
        reasons,
        [
            "known when stage 'Build' has run",
            "known when a person has answered 'Sure?'",
            "image may come from a stage before it, when that has run: 'Sure?', 'Build', 'Tidy up'",
        ]
    );
    assert_eq!(plan["stages"][2]["notes"], json!(["a person has to answer", "a task may take 3 days at most"]));
}

#[test]
fn the_stages_that_a_stage_plans_are_told_with_their_tasks() {
    let plan = stages(json!([{"type": "build", "name": "Build"}]));
    let build = &plan["stages"][0];
    assert_eq!((&build["before"][0]["name"], &build["before"][0]["context"]["x"]), (&json!("Prepare"), &json!(2)));
    assert_eq!((&build["before"][0]["refId"], &build["after"][0]["refId"]), (&json!("0<1"), &json!("0>1")));
    assert_eq!(build["tasks"], json!([{"name": "build", "implementingClass": "buildIt"}]));
    assert_eq!(build["after"][0]["name"], "Tidy up");
}

#[test]
fn it_is_told_which_stages_are_skipped_fail_or_are_undecided() {
    let plan = stages(json!([
        {"refId": "1", "type": "build", "name": "Build"},
        {"refId": "2", "type": "give", "name": "Never", "stageEnabled": {"type": "expression", "expression": "1 == 2"}},
        {"refId": "3", "type": "give", "name": "Perhaps", "requisiteStageRefIds": ["1"],
         "stageEnabled": {"type": "expression", "expression": "#stage('Build').outputs.ok"}},
        {"refId": "4", "type": "jenkins", "name": "Elsewhere"},
        {"refId": "5", "type": "build", "name": "Refused", "refuses": true},
        {"refId": "6", "type": "give", "name": "Lost", "requisiteStageRefIds": ["nowhere"]},
    ]));
    let fates: Vec<(&str, &str, &str)> = plan["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .map(|s| (s["name"].as_str().unwrap_or(""), s["fate"].as_str().unwrap_or(""), s["why"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        fates,
        [
            ("Build", "runs", ""),
            ("Never", "skipped", "it is skipped: 1 == 2 does not hold"),
            ("Elsewhere", "fails", "this version does not run jenkins (Jenkins)"),
            ("Refused", "fails", "it is refused"),
            ("Perhaps", "undecided", "it runs if #stage('Build').outputs.ok: known when stage 'Build' has run"),
            ("Lost", "fails", "it waits for a stage that never ends"),
        ]
    );
}

#[test]
fn a_window_and_what_a_failure_means_are_told() {
    let plan = stages(
        json!([{"type": "give", "name": "Give", "restrictExecutionDuringTimeWindow": true, "continuePipeline": true,
        "restrictedExecutionWindow": {"days": [2, 3], "whitelist": [{"startHour": 9, "startMin": 0, "endHour": 17, "endMin": 30}]}}]),
    );
    let give = &plan["stages"][0];
    assert_eq!(
        give["notes"],
        json!(["it starts only Mon, Tue 09:00–17:30 (America/Los_Angeles)", "if it fails, the pipeline goes on"])
    );
    assert_eq!(give["before"][0]["type"], crate::window::KIND);
}

#[test]
fn a_disabled_pipeline_and_a_missing_artifact_are_notes() {
    let plan = plan(
        json!({"name": "p", "application": "a", "disabled": true, "stages": [{"type": "give"}],
               "expectedArtifacts": [{"id": "x", "displayName": "image", "usePriorArtifact": true}]}),
        json!({}),
    );
    assert_eq!(
        plan["notes"],
        json!([
            "the pipeline is disabled: it must be enabled before it can be started",
            "Unmatched expected artifact image could not be resolved.",
            "the clouds were not asked: what they are asked to do is left out",
        ])
    );
    assert_eq!(plan["stages"].as_array().map(Vec::len), Some(1));
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|f| json!(f)),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "give",
            "build",
            "ask",
            "${1}",
            "${#stage('x').y}",
            "${parameters.x",
            "v2",
            "1",
            "true",
            "webhook"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let key = prop_oneof![
            prop::sample::select(vec![
                "stages",
                "type",
                "refId",
                "requisiteStageRefIds",
                "name",
                "stageEnabled",
                "expression",
                "triggers",
                "pipeline",
                "schema",
                "template",
                "variables",
                "parameterConfig",
                "default",
                "options",
                "hasOptions",
                "expectedArtifacts",
                "id",
                "gives",
                "restrictedExecutionWindow",
                "restrictExecutionDuringTimeWindow",
                "whitelist",
                "days",
                "context",
                "alias",
                "trigger",
            ])
            .prop_map(str::to_owned),
            "\\PC{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn no_json_makes_validator_or_planner_panic(value in any_json(), trigger in any_json()) {
        let registry = registry();
        let _ = crate::validate::value(&value, &registry, None);
        let whole = json!({"name": "p", "application": "a", "stages": value});
        let _ = crate::validate::value(&whole, &registry, None);
        let trigger = trigger.as_object().cloned().unwrap_or_default();
        for config in [value.as_object().cloned().unwrap_or_default(), whole.as_object().cloned().unwrap_or_default()] {
            let ask = Ask { config: &config, trigger: &trigger, registry: &registry, given: Given::default(), outlook: None };
            let _ = forecast(&ask);
        }
    }
}
