//! How traffic moves to a new server group, strategy by strategy, on a simulated cloud.

use cloud::Query;
use pipeline::model::Status;
use serde_json::json;

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
