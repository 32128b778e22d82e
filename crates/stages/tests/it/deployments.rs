//! Deployments as the engine runs them, on a simulated cloud: what is planned, what is asked of the cloud, what a run says. How traffic moves
//! is in `strategies`, what goes wrong in `faults`.

use cloud::simulated::Fault;
use cloud::{CloudError, Query};
use pipeline::Map;
use pipeline::model::Status;
use serde_json::{Value, json};

use crate::cloud_play::{deploy, group, names, play, why};

#[tokio::test(flavor = "multi_thread")]
async fn a_dark_deployment_gets_its_traffic_from_later_stages() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({}))])).await;
    let target = |kind: &str, target: &str| json!({"type": kind, "credentials": "cloudy", "region": "here", "cluster": "shop", "target": target});
    play.succeeds(json!([deploy(json!({"strategy": "redblack", "enableTraffic": false}))])).await;
    assert_eq!(play.groups().await, [group("shop-v000", true, 2), group("shop-v001", false, 2)]);
    play.succeeds(json!([target("enableServerGroup", "current_asg_dynamic")])).await;
    play.succeeds(json!([target("disableServerGroup", "ancestor_asg_dynamic")])).await;
    assert_eq!(play.groups().await, [group("shop-v000", false, 2), group("shop-v001", true, 2)]);
    play.succeeds(json!([target("destroyServerGroup", "oldest_asg_dynamic")])).await;
    assert_eq!(play.groups().await, [group("shop-v001", true, 2)]);
    let none = play.run(json!([target("destroyServerGroup", "oldest_asg_dynamic")])).await;
    assert_eq!(none.status, Status::Terminal);
    assert!(why(&none).contains("no server group is meant"), "{}", why(&none));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_takes_the_image_that_an_earlier_stage_found() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({"image": "image-7"}))])).await;
    let find =
        json!({"type": "findImage", "refId": "1", "credentials": "cloudy", "regions": ["here"], "cluster": "shop"});
    let mut second = deploy(json!({"imageSource": "priorStage"}));
    second["clusters"][0].as_object_mut().unwrap().remove("image");
    second["refId"] = json!("2");
    second["requisiteStageRefIds"] = json!(["1"]);
    play.succeeds(json!([find, second])).await;
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    assert_eq!(all.iter().map(|group| group.image.as_str()).collect::<Vec<_>>(), ["image-7", "image-7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_gets_well_says_why_and_moves_no_traffic() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({}))])).await;
    let run =
        play.run(json!([deploy(json!({"strategy": "redblack", "image": "bad-image", "stageTimeoutMs": 400}))])).await;
    assert_eq!(run.status, Status::Terminal);
    let why = why(&run);
    assert!(why.contains("0 of 2 instances of shop-v001 are up"), "{why}");
    assert!(why.contains("GET / answered 500"), "{why}");
    assert_eq!(play.groups().await[0], group("shop-v000", true, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_no_second_group_and_a_refusal_ends_the_run() {
    let play = play().await;
    play.cloud.next(Fault::LosesAnswer);
    play.succeeds(json!([deploy(json!({}))])).await;
    assert_eq!(play.groups().await, [group("shop-v000", true, 2)]);
    play.cloud.next(Fault::Refuses(CloudError::Refused("no machines of this size are left".into())));
    let run = play.run(json!([deploy(json!({}))])).await;
    assert_eq!(run.status, Status::Terminal);
    assert!(why(&run).contains("no machines of this size are left"), "{}", why(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_deployed_in_two_regions_at_once_and_resized() {
    let play = play().await;
    let mut both = deploy(json!({}));
    let mut there = both["clusters"][0].clone();
    there["region"] = json!("there");
    both["clusters"].as_array_mut().unwrap().push(there);
    let run = play.succeeds(json!([both])).await;
    let parent = run.stages.iter().find(|stage| stage.kind == "deploy").unwrap();
    assert_eq!(parent.context["deploy.server.groups"], json!({"here": ["shop-v000"], "there": ["shop-v000"]}));
    let resize = json!({"type": "resizeServerGroup", "credentials": "cloudy", "region": "here", "serverGroupName": "shop-v000",
                        "action": "scale_up", "scaleNum": 2});
    let run = play.succeeds(json!([resize])).await;
    assert_eq!(run.stages[0].outputs["originalCapacity.shop-v000"]["desired"], 2);
    assert_eq!(play.groups().await, [group("shop-v000", true, 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_a_cluster_is_a_precondition() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({}))])).await;
    let check = |comparison: &str, expected: u32| {
        let inner = json!({"credentials": "cloudy", "cluster": "shop", "regions": ["here"], "comparison": comparison, "expected": expected});
        json!([{"type": "checkPreconditions", "preconditions": [{"type": "clusterSize", "context": inner, "failPipeline": true}]}])
    };
    play.succeeds(check("==", 1)).await;
    play.succeeds(check("<=", 1)).await;
    let run = play.run(check(">", 1)).await;
    assert_eq!(run.status, Status::Terminal);
    assert!(why(&run).contains("expected > 1 server groups in shop here, found 1"), "{}", why(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_copied_with_everything_that_is_not_said_otherwise() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({"stack": "main", "image": "image-3", "instanceType": "small"}))])).await;
    let source = json!({"account": "cloudy", "region": "here", "serverGroupName": "shop-main-v000"});
    play.succeeds(
        json!([{"type": "cloneServerGroup", "credentials": "cloudy", "source": source, "strategy": "redblack"}]),
    )
    .await;
    assert_eq!(play.groups().await, [group("shop-main-v000", false, 2), group("shop-main-v001", true, 2)]);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    assert!(all.iter().all(|group| group.image == "image-3" && group.instance_type.as_deref() == Some("small")));
    let gone = json!({"account": "cloudy", "region": "here", "serverGroupName": "shop-main-v009"});
    let run = play.run(json!([{"type": "cloneServerGroup", "credentials": "cloudy", "source": gone}])).await;
    assert!(why(&run).contains("shop-main-v009 does not exist"), "{}", why(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_rolled_back_to_the_group_before() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({"strategy": "redblack"}))])).await;
    play.succeeds(json!([deploy(json!({"strategy": "redblack", "scaleDown": true, "capacity": {"desired": 3}}))]))
        .await;
    assert_eq!(play.groups().await, [group("shop-v000", false, 0), group("shop-v001", true, 3)]);
    let back = json!({"type": "rollbackCluster", "credentials": "cloudy", "cloudProvider": "simulated", "cluster": "shop", "regions": ["here"]});
    let run = play.succeeds(json!([back])).await;
    let mut seen = names(&run);
    seen.sort();
    assert_eq!(seen, ["Disable shop-v001", "Enable shop-v000", "Resize shop-v000", "Rollback here", "rollbackCluster"]);
    assert_eq!(play.groups().await, [group("shop-v000", true, 3), group("shop-v001", false, 3)]);
    let run = play
        .run(json!([{"type": "rollbackCluster", "credentials": "cloudy", "cluster": "nothing", "regions": ["here"]}]))
        .await;
    assert!(why(&run).contains("has no enabled server group"), "{}", why(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rolled_back_does_not_come_again_by_itself() {
    let play = play().await;
    let release = |image: &str| json!([deploy(json!({"strategy": "redblack", "image": image}))]);
    play.succeeds(release("hello-1.0")).await;
    play.succeeds(release("hello-2.0")).await;
    let back = json!({"type": "rollbackCluster", "credentials": "cloudy", "cluster": "shop", "regions": ["here"], "reason": "orders fail"});
    let run = play.succeeds(json!([back])).await;
    let held = run.stages.iter().find_map(|stage| stage.context.get("heldBack"));
    assert_eq!(held, Some(&json!("hello-2.0")));

    let again = why(&play.run(release("hello-2.0")).await);
    let said = "hello-2.0 is held back from cluster shop in account cloudy: [anonymous] rolled it back (orders fail); deploy a newer version, or lift it with \
                `gennaker release shop 2.0 --account cloudy`";
    assert!(again.contains(said), "{again}");
    // Another cluster is not meant, an older version may come, and a newer one is the end of it.
    play.succeeds(json!([deploy(json!({"stack": "test", "image": "hello-2.0"}))])).await;
    play.succeeds(release("hello-1.5")).await;
    assert!(why(&play.run(release("hello-2.0")).await).contains("is held back"));
    play.succeeds(release("hello-2.1")).await;
    play.succeeds(release("hello-2.0")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_between_groups_of_one_release_holds_nothing_back() {
    let play = play().await;
    for _ in 0..2 {
        play.succeeds(json!([deploy(json!({"strategy": "redblack", "image": "hello-1.0"}))])).await;
    }
    let back = json!({"type": "rollbackCluster", "credentials": "cloudy", "cluster": "shop", "regions": ["here"]});
    play.succeeds(json!([back])).await;
    play.succeeds(json!([deploy(json!({"strategy": "redblack", "image": "hello-1.0"}))])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_cluster_keeps_its_last_instance_in_traffic() {
    let play = play().await;
    let guards = json!([{"account": "cloudy", "location": "here", "stack": "*", "detail": "", "enabled": true}]);
    let shop = json!({"name": "shop", "email": "a@example.org", "trafficGuards": guards});
    let shop: Map = shop.as_object().unwrap().clone();
    play.store
        .write(move |tx| {
            pipeline::applications::save(tx, &shop, pipeline::applications::Save::Create, "test").map(drop)
        })
        .await
        .unwrap();
    play.front().await;
    for _ in 0..2 {
        play.succeeds(json!([deploy(json!({"loadBalancers": ["front"]}))])).await;
    }
    let on = |kind: &str, more: Value| {
        let mut job = json!({"type": kind, "credentials": "cloudy", "region": "here", "cluster": "shop"});
        job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([job])
    };
    // One of two may go.
    play.succeeds(on("disableServerGroup", json!({"serverGroupName": "shop-v000"}))).await;
    let last = json!({"serverGroupName": "shop-v001"});
    for (job, what) in [
        (on("disableServerGroup", last.clone()), "disableServerGroup"),
        (on("destroyServerGroup", last.clone()), "disableServerGroup"),
        (
            on("resizeServerGroup", json!({"serverGroupName": "shop-v001", "capacity": {"desired": 0}})),
            "resizeServerGroup",
        ),
        (on("disableCluster", json!({"remainingEnabledServerGroups": 0})), "disableServerGroup"),
    ] {
        let said = format!(
            "This cluster ('shop' in cloudy/here) has traffic guards enabled. {what} [shop-v001] would leave the cluster with no instances up."
        );
        let run = play.run(job).await;
        assert!(why(&run).contains(&said), "{}", why(&run));
    }
    // All its instances at once are the last ones; a single one is not. What has no traffic may go.
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    let ids: Vec<String> = all
        .iter()
        .find(|g| g.name.to_string() == "shop-v001")
        .unwrap()
        .instances
        .iter()
        .map(|i| i.id.clone())
        .collect();
    let run = play.run(on("terminateInstances", json!({"instanceIds": ids}))).await;
    assert!(why(&run).contains("terminateInstances [shop-v001] would leave"), "{}", why(&run));
    play.succeeds(on("terminateInstances", json!({"instanceIds": [ids[0]]}))).await;
    play.succeeds(on("destroyServerGroup", json!({"serverGroupName": "shop-v000"}))).await;
    assert_eq!(play.groups().await, [group("shop-v001", true, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn single_instances_leave_traffic_and_come_back() {
    let play = play().await;
    play.front().await;
    play.succeeds(json!([deploy(json!({"loadBalancers": ["front"]}))])).await;
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    let id = all[0].instances[0].id.clone();
    let job = |kind: &str, id: &str| json!([{"type": kind, "credentials": "cloudy", "region": "here", "instanceIds": [id], "loadBalancerNames": ["front"]}]);
    play.succeeds(job("deregisterInstancesFromLoadBalancer", &id)).await;
    assert_eq!((play.in_traffic("shop-v000").await, play.groups().await), (1, vec![group("shop-v000", true, 2)]));
    play.succeeds(job("registerInstancesWithLoadBalancer", &id)).await;
    assert_eq!(play.in_traffic("shop-v000").await, 2);
    let run = play.run(job("registerInstancesWithLoadBalancer", "nobody")).await;
    assert!(why(&run).replace("\\\"", "\"").contains("instance \"nobody\" does not exist"), "{}", why(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_an_image_makes_a_copy_that_runs_it() {
    let play = play().await;
    play.front().await;
    for image in ["image-1", "image-2"] {
        play.succeeds(json!([deploy(json!({"strategy": "highlander", "image": image, "loadBalancers": ["front"]}))]))
            .await;
    }
    let back = json!({"type": "rollbackServerGroup", "credentials": "cloudy", "region": "here", "rollbackType": "PREVIOUS_IMAGE",
        "rollbackContext": {"rollbackServerGroupName": "shop-v001", "imageId": "image-1"}});
    play.succeeds(json!([back])).await;
    assert_eq!(play.groups().await, [group("shop-v001", false, 2), group("shop-v002", true, 2)]);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    assert_eq!((all[1].image.as_str(), all[1].load_balancers.as_slice()), ("image-1", &["front".to_owned()][..]));
    let nothing = json!({"type": "rollbackServerGroup", "credentials": "cloudy", "region": "here", "rollbackType": "PREVIOUS_IMAGE",
        "rollbackContext": {"rollbackServerGroupName": "shop-v002"}});
    assert!(why(&play.run(json!([nothing])).await).contains("give `rollbackContext.imageId`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_was_found_good_is_tagged_and_found_by_its_tags() {
    let play = play().await;
    play.succeeds(json!([deploy(json!({"image": "hello-2.0"}))])).await;
    let find =
        json!({"type": "findImage", "refId": "1", "credentials": "cloudy", "regions": ["here"], "cluster": "shop"});
    let tag = json!({"type": "upsertImageTags", "refId": "2", "requisiteStageRefIds": ["1"], "credentials": "cloudy", "region": "here",
        "tags": {"appversion": "hello-2.0", "tested": true}});
    play.succeeds(json!([find, tag])).await;
    let by_tags =
        |tags: Value| json!([{"type": "findImageFromTags", "packageName": "hello", "tags": tags, "regions": ["here"]}]);
    let run = play.succeeds(by_tags(json!({"tested": "true"}))).await;
    assert_eq!(run.stages[0].outputs["deploymentDetails"][0]["imageId"], "hello-2.0");
    let run = play.run(by_tags(json!({"tested": "false"}))).await;
    assert!(why(&run).contains("no image of the package hello with these tags"), "{}", why(&run));
    let run = play
        .run(json!([{"type": "upsertImageTags", "credentials": "cloudy", "region": "here", "tags": {"a": "b"}}]))
        .await;
    assert!(why(&run).contains("names no image and no earlier stage made or found one"), "{}", why(&run));
}
