use cloud::health::Capacity;
use pipeline::evaluate::Given;
use pipeline::forecast::{Ask, forecast};

use super::*;

fn group(name: &str, created: i64, disabled: bool) -> ServerGroup {
    ServerGroup {
        name: name.parse().unwrap(),
        account: "local".into(),
        provider: "local".into(),
        region: "local".into(),
        zones: vec![],
        created: Timestamp::from_second(created).unwrap(),
        capacity: Capacity::exactly(4),
        disabled,
        leaving: false,
        image: "image-1".into(),
        instance_type: None,
        load_balancers: vec![],
        firewalls: vec![],
        preview_address: None,
        labels: Default::default(),
        env: Default::default(),
        health_check: None,
        share: None,
        instances: vec![],
    }
}

fn plan(stages: Value, groups: Vec<ServerGroup>) -> Value {
    plan_of(stages, Inventory { server_groups: groups, ..Inventory::default() }, Vec::new())
}

fn plan_of(stages: Value, inventory: Inventory, held: Vec<HeldBack>) -> Value {
    let now: Timestamp = "2027-03-01T12:00:00Z".parse().unwrap();
    let outlook = CloudOutlook::new(inventory, held, now);
    let config = json!({"name": "p", "application": "shop", "stages": stages});
    let registry = crate::types();
    let ask = Ask {
        config: config.as_object().unwrap(),
        trigger: &Map::new(),
        registry: &registry,
        given: Given { now, ..Given::default() },
        outlook: Some(&outlook),
    };
    json!(forecast(&ask).unwrap())
}

#[test]
fn a_red_black_deployment_is_told_with_the_groups_that_it_finds() {
    let cluster = json!({"account": "local", "region": "local", "stack": "prod", "strategy": "redblack", "image": "image-2",
        "capacity": {"min": 2, "max": 2, "desired": 2}, "maxRemainingAsgs": 2});
    let there = vec![group("shop-prod-v006", 1, true), group("shop-prod-v007", 2, false)];
    let plan = plan(json!([{"type": "deploy", "name": "Deploy", "clusters": [cluster]}]), there);
    let create = &plan["stages"][0]["before"][0];
    assert_eq!(create["name"], "Deploy in local");
    assert_eq!(
        create["notes"],
        json!([
            "it follows shop-prod-v007 (0 of 4 instances, with traffic)",
            "it becomes shop-prod-v008",
            "a task may take 30 min at most"
        ])
    );
    let operation = &create["operations"][0];
    assert_eq!(
        (&operation["type"], &operation["account"], &operation["image"]),
        (&json!("createServerGroup"), &json!("local"), &json!("image-2"))
    );
    assert_eq!(operation["capacity"], json!({"min": 2, "max": 2, "desired": 2}));
    let after = create["after"].as_array().unwrap();
    let shown: Vec<(&Value, &Value)> = after.iter().map(|s| (&s["name"], &s["operations"][0]["group"])).collect();
    assert_eq!(
        shown,
        [(&json!("shrinkCluster"), &json!("shop-prod-v006")), (&json!("disableCluster"), &json!("shop-prod-v007"))]
    );
}

#[test]
fn a_release_that_is_held_back_is_told_to_be_refused() {
    let held = HeldBack {
        application: "shop".into(),
        account: "local".into(),
        cluster: "shop".into(),
        release: "shop-2.0".into(),
        image: "sha256:2".into(),
        who: "mina".into(),
        reason: "it loses orders".into(),
        at: Timestamp::UNIX_EPOCH,
    };
    let image = cloud::inventory::Image {
        id: "sha256:2".into(),
        name: "shop-all-2".into(),
        account: "local".into(),
        regions: vec!["local".into()],
        created: None,
        tags: [("appversion".to_owned(), "shop-2.0".to_owned())].into(),
    };
    let planned = |image_or_package: &str| {
        let cluster =
            json!({"account": "local", "region": "local", "image": image_or_package, "capacity": {"desired": 1}});
        let inventory = Inventory { images: vec![image.clone()], ..Inventory::default() };
        let plan = plan_of(
            json!([{"type": "deploy", "name": "Deploy", "clusters": [cluster]}]),
            inventory,
            vec![held.clone()],
        );
        let create = &plan["stages"][0]["before"][0];
        let refused =
            create["notes"].as_array().unwrap().iter().filter_map(Value::as_str).find(|n| n.contains("refused"));
        (refused.map(str::to_owned), create["operations"].as_array().map_or(0, Vec::len))
    };
    let sentence = format!("it would be refused: {}", held.sentence());
    for of_the_release in ["sha256:2", "shop-all-2", "shop=2.0"] {
        assert_eq!(planned(of_the_release), (Some(sentence.clone()), 0), "{of_the_release}");
    }
    assert_eq!(planned("shop=2.1"), (None, 1));
}

#[test]
fn an_image_that_is_not_baked_yet_is_named_as_unknown() {
    let cluster = json!({"account": "local", "region": "local", "capacity": {"desired": 1}});
    let plan = plan(json!([{"type": "deploy", "name": "Deploy", "clusters": [cluster]}]), vec![]);
    let create = &plan["stages"][0]["before"][0];
    assert_eq!(create["operations"][0]["image"], "${image}");
    let notes: Vec<&str> = create["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(notes.contains(&"its image is known when the stage that makes or finds it has run"), "{notes:?}");
    assert_eq!(create["after"], Value::Null);
}

#[test]
fn a_stage_on_one_group_names_it_and_the_next_sees_what_it_changed() {
    let on = json!({"account": "local", "region": "local", "cluster": "shop", "target": "current_asg_dynamic"});
    let stage = |kind: &str, more: Value| {
        let mut stage = on.clone();
        stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage["type"] = json!(kind);
        stage
    };
    let stages = json!([
        stage("resizeServerGroup", json!({"action": "scale_up", "scaleNum": 2})),
        stage("destroyServerGroup", json!({})),
        stage("enableServerGroup", json!({})),
        stage("disableServerGroup", json!({"target": "oldest_asg_dynamic"})),
    ]);
    let plan = plan(stages, vec![group("shop-v001", 1, true), group("shop-v002", 2, false)]);
    let shown: Vec<Value> = (0..4).map(|i| plan["stages"][i]["operations"][0].clone()).collect();
    assert_eq!(shown[0]["capacity"]["desired"], 6);
    assert_eq!((&shown[1]["type"], &shown[1]["group"]), (&json!("destroyServerGroup"), &json!("shop-v002")));
    assert_eq!((&shown[2]["type"], &shown[2]["group"]), (&json!("enableServerGroup"), &json!("shop-v001")));
    assert_eq!(shown[3], Value::Null, "one group is not the oldest of several");
}
