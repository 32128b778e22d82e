//! How traffic moves to a new server group, strategy by strategy, on a simulated cloud.

use cloud::Query;
use cloud::traffic::{GroupSeries, Second};
use pipeline::Map;
use pipeline::decide::Message;
use pipeline::model::Status;
use serde_json::{Value, json};
use store::clock::{Clock, SystemClock};

use crate::cloud_play::{deploy, group, names, play, why};

#[tokio::test(flavor = "multi_thread")]
async fn red_black_makes_the_new_group_and_takes_traffic_from_the_old() {
    let play = play().await;
    let first = play.succeeds(json!([deploy(json!({"strategy": "redblack"}))])).await;
    assert_eq!(names(&first), ["Deploy in here", "Deploy"], "nothing to take traffic from");
    let second = play.succeeds(json!([deploy(json!({"strategy": "redblack", "scaleDown": true}))])).await;
    assert_eq!(names(&second), ["Deploy in here", "disableCluster", "scaleDown", "Deploy"]);
    assert_eq!(play.groups().await, [group("shop-v000", false, 0), group("shop-v001", true, 2)]);

    let made = second.stages.iter().find(|stage| stage.kind == "createServerGroup").unwrap();
    assert_eq!(made.context["deploy.server.groups"], json!({"here": ["shop-v001"]}));
    assert_eq!(made.context["deploy.account.name"], "cloudy");
    assert_eq!(made.context["source"]["serverGroupName"], "shop-v000");
    assert_eq!(made.context["lastCapacityCheck"]["up"], 2);
    assert_eq!(
        made.context["kato.tasks"][0]["status"],
        json!({"completed": true, "failed": false, "retryable": false})
    );
    let tasks: Vec<&str> = made.tasks.iter().map(|task| task.name.as_str()).collect();
    let expected = [
        "determineSourceServerGroup",
        "determineHealthProviders",
        "createServerGroup",
        "monitorDeploy",
        "waitForUpInstances",
    ];
    assert_eq!(tasks, expected);
    let parent = second.stages.iter().find(|stage| stage.kind == "deploy").unwrap();
    assert_eq!(parent.outputs["previewAddress"], "shop-v001.preview.invalid:80");
}

#[tokio::test(flavor = "multi_thread")]
async fn highlander_leaves_one_and_none_leaves_all() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({}))])).await;
    play.succeeds(json!([deploy(json!({"strategy": "none"}))])).await;
    assert_eq!(play.groups().await, [group("shop-v000", true, 2), group("shop-v001", true, 2)]);
    play.succeeds(json!([deploy(json!({"strategy": "highlander"}))])).await;
    assert_eq!(play.groups().await, [group("shop-v002", true, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_deployment_moves_traffic_step_by_step() {
    let play = play().await;
    play.front().await;
    let wide = json!({"capacity": {"min": 1, "max": 8, "desired": 4}, "loadBalancers": ["front"]});
    play.succeeds(json!([deploy(wide)])).await;
    let step = json!({"strategy": "rollingredblack", "targetPercentages": [50], "useSourceCapacity": true, "loadBalancers": ["front"]});
    let run = play.succeeds(json!([deploy(step)])).await;
    let mut rolled: Vec<String> = names(&run);
    rolled.retain(|name| name.contains('%') || name.contains("Pin") || name.contains("Unpin"));
    assert_eq!(
        rolled,
        [
            "Pin shop-v000",
            "Grow to 50% of Desired Size",
            "Disable 50% of Traffic on shop-v000",
            "Grow to 100% of Desired Size",
            "Disable 100% of Traffic on shop-v000",
            "Unpin shop-v000"
        ]
    );
    assert_eq!(play.groups().await, [group("shop-v000", false, 4), group("shop-v001", true, 4)]);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    let capacities: Vec<_> =
        all.iter().map(|group| (group.capacity.min, group.capacity.max, group.capacity.desired)).collect();
    assert_eq!(capacities, [(1, 8, 4), (1, 8, 4)], "both have the size that they had, or were to have");

    // The first of another cluster has nobody to take over from.
    let first = json!({"strategy": "rollingredblack", "stack": "first", "targetPercentages": [50]});
    play.succeeds(json!([deploy(first)])).await;
    assert!(play.groups().await.contains(&group("shop-first-v000", true, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_deployment_that_fails_gives_the_traffic_back() {
    let play = play().await;
    play.front().await;
    play.succeeds(json!([deploy(json!({"loadBalancers": ["front"], "capacity": {"desired": 4}}))])).await;
    let bad = json!({"strategy": "rollingredblack", "targetPercentages": [50], "useSourceCapacity": true, "loadBalancers": ["front"],
        "image": "bad-2.0", "stageTimeoutMs": 1500, "rollback": {"onFailure": true, "destroyLatest": true}});
    let run = play.run(json!([deploy(bad)])).await;
    assert_eq!(run.status, Status::Terminal);
    assert!(why(&run).contains("instances of shop-v001 are up"), "{}", why(&run));
    assert_eq!(play.groups().await, [group("shop-v000", true, 4)], "the new group is gone");
    assert_eq!(play.in_traffic("shop-v000").await, 4);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    assert_eq!((all[0].capacity.min, all[0].capacity.max), (4, 4));
    // Nobody has judged the release: it may come again.
    play.run(json!([deploy(json!({"image": "bad-2.0", "strategy": "none", "stageTimeoutMs": 1000}))])).await;
    assert_eq!(play.groups().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_machines_come_in_as_old_ones_go_out() {
    let play = play().await;
    play.front().await;
    let first = json!({"loadBalancers": ["front"], "capacity": {"min": 1, "max": 8, "desired": 3}});
    play.succeeds(json!([deploy(first)])).await;
    let begun = play.cloud.steps().len();
    let next = json!({"strategy": "rolling", "loadBalancers": ["front"], "useSourceCapacity": true});
    let run = play.succeeds(json!([deploy(next)])).await;
    let mut stages: Vec<String> = names(&run);
    stages.retain(|name| name.contains("shop-v000") || name.starts_with("Grow"));
    let expected = [
        "Grow to 1 of 3",
        "Shrink shop-v000 to 2",
        "Grow to 2 of 3",
        "Shrink shop-v000 to 1",
        "Grow to 3 of 3",
        "Shrink shop-v000 to 0",
        "Disable shop-v000",
    ];
    assert_eq!(stages, expected);
    // What users had after each operation: the empty group is made, then one more, one less.
    let up: Vec<u32> = play.cloud.steps()[begun..].iter().map(|step| step.up).collect();
    assert_eq!(up, [3, 4, 3, 4, 3, 4, 3, 3]);
    assert_eq!(play.groups().await, [group("shop-v000", false, 0), group("shop-v001", true, 3)]);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    let capacity = all[1].capacity;
    assert_eq!((capacity.min, capacity.max, capacity.desired), (1, 8, 3), "it has the size of the old one");

    // The way back makes the old one as large again before it takes the traffic.
    let back = json!({"type": "rollbackCluster", "credentials": "cloudy", "cluster": "shop", "regions": ["here"]});
    play.succeeds(json!([back])).await;
    assert_eq!(play.groups().await, [group("shop-v000", true, 3), group("shop-v001", false, 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_that_is_all_traffic_is_refused_without_any() {
    let play = play().await;
    for strategy in ["rolling", "canary", "rollingredblack"] {
        let run = play.run(json!([deploy(json!({"strategy": strategy, "enableTraffic": false}))])).await;
        assert_eq!(run.status, Status::Terminal);
        assert!(why(&run).contains("deploys by moving traffic, and the stage wants none"), "{}", why(&run));
    }
    assert_eq!(play.groups().await, [], "nothing was made");
}

/// What users saw of a group: so many requests, and so many of them failed.
fn seen(group: &str, requests: u64, failures: u64) -> GroupSeries {
    let at = SystemClock.now().as_millisecond() + 3_600_000;
    let (p50_us, p90_us, p99_us, max_us) = (1_000, 2_000, 3_000, 4_000);
    let second = Second { at, requests, failures, retries: 0, answers: requests, p50_us, p90_us, p99_us, max_us };
    GroupSeries { group: group.into(), seconds: vec![second] }
}

fn canary(more: Value) -> Value {
    let mut wish = json!({"percentage": 5, "instances": 1, "clients": {"cookie": "side"}, "lifetimeMinutes": 0.01});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let cluster = json!({"strategy": "canary", "loadBalancers": ["front"], "image": "image-2", "canary": wish});
    json!([deploy(cluster)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_does_as_well_as_its_baseline_is_deployed() {
    let play = play().await;
    play.front().await;
    let first = play.succeeds(canary(json!({}))).await;
    assert!(names(&first).iter().all(|name| !name.contains("Canary")), "there is nothing to compare with");
    play.cloud.measured(vec![seen("shop--canary-v000", 500, 6), seen("shop--baseline-v000", 500, 2)]);
    let run = play.succeeds(canary(json!({}))).await;
    let compared = run.stages.iter().find(|stage| stage.kind == "compareServerGroups").unwrap();
    let told = &compared.outputs["comparison"];
    assert_eq!((&told["canary"]["errorRate"], &told["baseline"]["errorRate"]), (&json!(1.2), &json!(0.4)));
    let both: Vec<_> = run.stages.iter().filter(|stage| stage.context.contains_key("canaryOf")).collect();
    let images: Vec<_> =
        both.iter().map(|stage| (stage.context["freeFormDetails"].clone(), stage.context["image"].clone())).collect();
    assert_eq!(
        images,
        [(json!("canary"), json!("image-2")), (json!("baseline"), json!("image-2"))],
        "the first run deployed it"
    );
    assert_eq!(play.groups().await, [group("shop-v000", false, 2), group("shop-v001", true, 2)], "both are gone");
    let deployed = run.stages.iter().find(|stage| stage.kind == "deploy" && stage.parent_stage_id.is_none()).unwrap();
    assert_eq!(deployed.outputs["deploy.server.groups"], json!({"here": ["shop-v001"]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_more_often_ends_the_deployment_before_anything_else_moves() {
    let play = play().await;
    play.front().await;
    play.succeeds(json!([deploy(json!({"loadBalancers": ["front"]}))])).await;
    play.cloud.measured(vec![seen("shop--canary-v000", 400, 12), seen("shop--baseline-v000", 400, 0)]);
    // It does not wait for the end of its time.
    let run = play.run(canary(json!({"lifetimeMinutes": 600}))).await;
    assert_eq!(run.status, Status::Terminal);
    assert!(why(&run).contains("the canary fails more often, by 3.00 points where 1 are allowed"), "{}", why(&run));
    assert_eq!(play.groups().await, [group("shop-v000", true, 2)], "both are gone");
    play.cloud.measured(Vec::new());
    let run = play.run(canary(json!({}))).await;
    assert!(why(&run).contains("too few requests to judge by"), "{}", why(&run));
    // A person's word needs no measures.
    let id = play.begin(canary(json!({"judgment": true}))).await;
    let judge = loop {
        let run = play.now(&id).await;
        let asks = run.stages.iter().find(|stage| stage.name == "Judge Canary" && stage.status == Status::Running);
        if let Some(stage) = asks {
            break stage.id.clone();
        }
        assert!(!run.status.is_complete(), "{}", why(&run));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let answer = Map::from_iter([("judgmentStatus".to_owned(), json!("continue"))]);
    play.engine.tell(&id, Message::PatchStage { stage: judge, context: answer, user: "me".into() }).await.unwrap();
    assert_eq!(play.ended(&id).await.status, Status::Succeeded);
    assert_eq!(play.groups().await, [group("shop-v000", false, 2), group("shop-v001", true, 2)]);
}
