//! Accounts have groups of the same names: what is done in one is done there alone.

use cloud::Query;
use serde_json::{Value, json};

use crate::cloud_play::{Play, deploy, group, play};

fn in_stormy(more: Value) -> Value {
    let mut all = json!({"account": "stormy", "loadBalancers": ["front"]});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    deploy(all)
}

/// `stormy` is one version ahead: `shop-v001` has its traffic.
async fn one_ahead() -> Play {
    let play = play().await;
    play.front().await;
    play.front_of("stormy").await;
    play.succeeds(json!([deploy(json!({"loadBalancers": ["front"]}))])).await;
    for image in ["image-1", "image-2"] {
        play.succeeds(json!([in_stormy(json!({"strategy": "redblack", "image": image}))])).await;
    }
    assert_eq!(play.groups_of("stormy").await, [group("shop-v000", false, 2), group("shop-v001", true, 2)]);
    play
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_through_two_accounts_takes_the_traffic_of_each_ones_own_group() {
    let play = one_ahead().await;
    let mut second = in_stormy(json!({"strategy": "redblack", "image": "image-3"}));
    (second["refId"], second["requisiteStageRefIds"]) = (json!("2"), json!(["1"]));
    let mut first = deploy(json!({"strategy": "redblack", "image": "image-3"}));
    first["refId"] = json!("1");
    // The first makes `shop-v001`: so is called what must lose its traffic in the second.
    play.succeeds(json!([first, second])).await;
    assert_eq!(play.groups().await, [group("shop-v000", false, 2), group("shop-v001", true, 2)]);
    let expected = [group("shop-v000", false, 2), group("shop-v001", false, 2), group("shop-v002", true, 2)];
    assert_eq!(play.groups_of("stormy").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_from_another_account_takes_the_place_of_what_serves_in_its_own() {
    for strategy in ["rollingredblack", "rolling", "redblack"] {
        let play = one_ahead().await;
        let source = json!({"account": "cloudy", "region": "here", "serverGroupName": "shop-v000"});
        let copy = json!({
            "type": "cloneServerGroup", "credentials": "stormy", "region": "here", "source": source, "strategy": strategy,
            "targetPercentages": [50], "batchSize": 1,
        });
        let run = play.succeeds(json!([copy])).await;
        assert_eq!(play.groups().await, [group("shop-v000", true, 2)], "{strategy}: what is copied keeps its traffic");
        let there = play.groups_of("stormy").await;
        assert_eq!((&there[0], &there[2]), (&group("shop-v000", false, 2), &group("shop-v002", true, 2)), "{strategy}");
        assert!(!there[1].1, "{strategy}: {there:?}");
        let made = run.stages.iter().find(|stage| stage.kind == "cloneServerGroup").unwrap();
        assert_eq!(made.context["image"], "image-1", "{strategy}: its settings are those of the copied group");
        assert_eq!(made.context["source"]["serverGroupName"], "shop-v001", "{strategy}");
        assert_eq!(made.context["copyOf"]["account"], "cloudy", "{strategy}");
    }
}

/// Zones of one region mean nothing in another, and what is copied says how large a copy becomes that follows nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_into_another_region_spreads_over_the_zones_there() {
    let play = play().await;
    play.front_of("stormy").await;
    play.succeeds(json!([deploy(json!({"region": "there"}))])).await;
    let source = json!({"account": "cloudy", "region": "there", "serverGroupName": "shop-v000"});
    for strategy in ["none", "rollingredblack", "rolling"] {
        let copy = json!({
            "type": "cloneServerGroup", "credentials": "stormy", "region": "here", "stack": strategy, "source": source,
            "strategy": strategy, "useSourceCapacity": strategy != "none", "loadBalancers": ["front"],
        });
        play.succeeds(json!([copy])).await;
    }
    let all = play.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
    let made: Vec<_> = all.iter().filter(|group| group.account == "stormy").collect();
    assert_eq!(made.len(), 3);
    for group in made {
        assert_eq!((group.zones.join(" ").as_str(), group.instances.len()), ("here-a here-b", 2), "{}", group.name);
    }
}
