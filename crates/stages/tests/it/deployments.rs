//! Deployments as the engine runs them, on a simulated cloud: what is planned, what is asked of the cloud, what a run says.

use std::sync::Arc;
use std::time::Duration;

use cloud::simulated::{Behaviour, Fault, Simulated, World as Cloud};
use cloud::{CloudError, Clouds, Query};
use jiff::SignedDuration;
use pipeline::engine::FetchNothing;
use pipeline::model::{Kind, Status};
use pipeline::{Engine, Execution, Map, Registry, StartRequest};
use serde_json::{Value, json};
use store::clock::SystemClock;
use store::{Location, Store, StoreError};

struct Play {
    _folder: tempfile::TempDir,
    store: Store,
    engine: Engine,
    clouds: Clouds,
    cloud: Arc<Cloud>,
}

async fn play() -> Play {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let place = Location::Sqlite(folder.path().join("gennaker.db"));
    let store = Store::open(place, &[pipeline::schema::MIGRATIONS], clock.clone()).unwrap();
    let behaviour = Behaviour { takes: SignedDuration::ZERO, boots: SignedDuration::ZERO };
    let cloud = Cloud::new(clock, behaviour);
    let clouds = Clouds::new(vec![Arc::new(Simulated::open("cloudy", cloud.clone()))]).unwrap();
    let engine = Engine::new(store.clone());
    let registry = Registry::new().stage(&stages::check_preconditions::CheckPreconditionsStage);
    let registry = stages::infrastructure::register(registry, &clouds, &engine);
    engine.start(registry, Arc::new(FetchNothing)).await.unwrap();
    let waker = engine.clone();
    stages::infrastructure::wake_on_changes(&clouds, move |topic| waker.wake(topic));
    Play { _folder: folder, store, engine, clouds, cloud }
}

impl Play {
    async fn run(&self, stages: Value) -> Execution {
        let mut config = Map::new();
        config.insert("application".into(), json!("shop"));
        config.insert("stages".into(), stages);
        let request = StartRequest { config, trigger: Map::new(), kind: Kind::Orchestration, key: None };
        let id = self.engine.begin(request).await.unwrap();
        self.engine.ended(&id, Duration::from_secs(20)).await.unwrap();
        let read = id.clone();
        self.store.read::<_, StoreError, _>(move |tx| pipeline::records::get(tx, &read)).await.unwrap().unwrap()
    }

    async fn succeeds(&self, stages: Value) -> Execution {
        let run = self.run(stages).await;
        assert_eq!(run.status, Status::Succeeded, "{}", serde_json::to_string_pretty(&run).unwrap());
        run
    }

    /// Makes the load balancer `front`.
    async fn front(&self) {
        let balancer = json!({"type": "upsertLoadBalancer", "credentials": "cloudy", "region": "here", "loadBalancerName": "front", "portRange": "80"});
        self.succeeds(json!([balancer])).await;
    }

    /// The groups in region `here`: name, whether it gets traffic, instances.
    async fn groups(&self) -> Vec<(String, bool, usize)> {
        let all = self.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
        let here = all.iter().filter(|group| group.region == "here");
        here.map(|group| (group.name.to_string(), !group.disabled, group.instances.len())).collect()
    }
}

fn deploy(more: Value) -> Value {
    let mut cluster = json!({"account": "cloudy", "region": "here", "image": "image-1", "capacity": {"min": 2, "max": 2, "desired": "2"}});
    cluster.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"type": "deploy", "name": "Deploy", "clusters": [cluster]})
}

fn group(name: &str, traffic: bool, count: usize) -> (String, bool, usize) {
    (name.to_owned(), traffic, count)
}

fn names(run: &Execution) -> Vec<String> {
    run.stages.iter().map(|stage| stage.name.clone()).collect()
}

fn why(run: &Execution) -> String {
    run.stages.iter().filter_map(|stage| stage.context.get("exception")).map(Value::to_string).collect()
}

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
    play.succeeds(json!([deploy(json!({"stack": "main", "image": "image-3"}))])).await;
    let source = json!({"account": "cloudy", "region": "here", "serverGroupName": "shop-main-v000"});
    play.succeeds(
        json!([{"type": "cloneServerGroup", "credentials": "cloudy", "source": source, "strategy": "redblack"}]),
    )
    .await;
    assert_eq!(play.groups().await, [group("shop-main-v000", false, 2), group("shop-main-v001", true, 2)]);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    assert!(all.iter().all(|group| group.image == "image-3"));
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
    let said = "hello-2.0 is held back from cluster shop: [anonymous] rolled it back (orders fail); deploy a newer version, or lift it with \
                `gennaker release shop 2.0`";
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

/// The instances of a group that get traffic.
async fn in_traffic(play: &Play, name: &str) -> usize {
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    let group = all.iter().find(|group| group.name.to_string() == name).unwrap();
    group.up(None) as usize
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
    assert_eq!(in_traffic(&play, "shop-v000").await, 4);
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    assert_eq!((all[0].capacity.min, all[0].capacity.max), (4, 4));
    // Nobody has judged the release: it may come again.
    play.run(json!([deploy(json!({"image": "bad-2.0", "strategy": "none", "stageTimeoutMs": 1000}))])).await;
    assert_eq!(play.groups().await.len(), 2);
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
    assert_eq!((in_traffic(&play, "shop-v000").await, play.groups().await), (1, vec![group("shop-v000", true, 2)]));
    play.succeeds(job("registerInstancesWithLoadBalancer", &id)).await;
    assert_eq!(in_traffic(&play, "shop-v000").await, 2);
    let run = play.run(job("registerInstancesWithLoadBalancer", "nobody")).await;
    assert!(why(&run).replace("\\\"", "\"").contains("instance \"nobody\" does not exist"), "{}", why(&run));
}
