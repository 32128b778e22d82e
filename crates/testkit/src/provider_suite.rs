//! What every cloud provider must do, whatever cloud it drives. A new provider is right when it passes this.
//!
//! The suite makes what it needs in a cluster of its own for each story, waits by [`Ground::pass`], and leaves nothing behind that another
//! story could trip over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cloud::health::Capacity;
use cloud::inventory::{Protocol, ServerGroup};
use cloud::operation::{
    Allowed, CreateServerGroup, GroupAt, NamedAt, ResizeServerGroup, ShareTraffic, Terminate, Traffic, UpsertFirewall,
    UpsertLoadBalancer, WantedListener,
};
use cloud::traffic::{Affinity, Share};
use cloud::{CloudError, Handle, Key, Operation, Outcome, Progress, Provider, Query, Resource, ResourceId};

/// Where the suite is played: a cloud, a way to restart this program, and time that passes.
#[async_trait]
pub trait Ground: Send + Sync {
    /// The provider that is open now.
    fn provider(&self) -> Arc<dyn Provider>;

    /// Ends the provider and opens another over the same cloud, as a restart of the server does.
    async fn restart(&self);

    /// Lets a moment pass, in which the cloud may get on.
    async fn pass(&self);

    /// An image whose instances come up.
    fn image(&self) -> String;
}

/// Plays every story.
pub async fn run(ground: &dyn Ground) {
    a_key_that_is_started_twice_makes_one_group(ground).await;
    a_key_means_the_same_after_a_restart(ground).await;
    a_key_is_good_for_one_operation_only(ground).await;
    versions_count_on_and_instances_spread_over_zones(ground).await;
    a_load_balancer_shows_who_stands_behind_it(ground).await;
    a_group_without_traffic_is_disabled_until_it_is_enabled(ground).await;
    a_share_of_a_group_leaves_traffic_and_comes_back(ground).await;
    a_group_is_resized_and_an_ended_instance_is_replaced(ground).await;
    a_firewall_is_kept_while_something_is_behind_it(ground).await;
    a_destroyed_group_is_gone(ground).await;
    a_cancelled_operation_is_over_and_a_done_one_stays_done(ground).await;
    what_is_wrong_is_refused_by_name(ground).await;
}

fn region(ground: &dyn Ground) -> String {
    ground.provider().describe().regions[0].name.clone()
}

fn create(ground: &dyn Ground, cluster: &str, count: u32) -> CreateServerGroup {
    let cluster = cluster.parse().expect("a cluster's name");
    CreateServerGroup::new(cluster, region(ground), ground.image(), Capacity::exactly(count))
}

async fn start(ground: &dyn Ground, operation: &Operation, key: &str) -> Handle {
    ground.provider().start(operation, &Key::new(key)).await.unwrap_or_else(|error| panic!("{key}: {error}"))
}

/// Follows an operation to its end.
async fn finish(ground: &dyn Ground, handle: &Handle) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        match ground.provider().poll(handle).await.expect("it can be polled") {
            Progress::Done { result } => return result,
            Progress::Running { reason } => {
                assert!(!reason.is_empty(), "what runs says what it waits for");
                assert!(Instant::now() < deadline, "{} did not end: {reason}", handle.id);
            }
            other => panic!("{} ended as {other:?}", handle.id),
        }
        ground.pass().await;
    }
}

async fn done(ground: &dyn Ground, operation: Operation, key: &str) -> Outcome {
    let handle = start(ground, &operation, key).await;
    finish(ground, &handle).await
}

async fn group(ground: &dyn Ground, name: &str) -> Option<ServerGroup> {
    let id = ResourceId::ServerGroup { region: region(ground), name: name.parse().expect("a group's name") };
    ground.provider().get(&id).await.expect("it can be read").and_then(Resource::server_group)
}

/// Waits until the group is as wished.
async fn until(ground: &dyn Ground, name: &str, what: &str, holds: impl Fn(&ServerGroup) -> bool) -> ServerGroup {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let seen = group(ground, name).await.unwrap_or_else(|| panic!("{name} exists"));
        if holds(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "{name} never had {what}: {seen:?}");
        ground.pass().await;
    }
}

async fn destroy(ground: &dyn Ground, name: &str) {
    let op = GroupAt { group: name.parse().expect("a group's name"), region: region(ground) };
    done(ground, Operation::DestroyServerGroup(op), &format!("end of {name}")).await;
}

async fn names(ground: &dyn Ground, application: &str) -> Vec<String> {
    let all = ground.provider().list(&Query::of(application)).await.expect("a list");
    all.server_groups.iter().map(|group| group.name.to_string()).collect()
}

async fn a_key_that_is_started_twice_makes_one_group(ground: &dyn Ground) {
    let operation = Operation::CreateServerGroup(create(ground, "twice", 1));
    let first = start(ground, &operation, "twice-1").await;
    let second = start(ground, &operation, "twice-1").await;
    assert_eq!(first, second);
    let outcome = finish(ground, &first).await;
    assert_eq!(outcome.server_groups, ["twice-v000"]);
    assert_eq!(start(ground, &operation, "twice-1").await, first, "also when it is done");
    assert_eq!(names(ground, "twice").await, ["twice-v000"]);
    destroy(ground, "twice-v000").await;
}

async fn a_key_means_the_same_after_a_restart(ground: &dyn Ground) {
    let operation = Operation::CreateServerGroup(create(ground, "again", 1));
    let before = start(ground, &operation, "again-1").await;
    ground.restart().await;
    let after = start(ground, &operation, "again-1").await;
    assert_eq!(before, after);
    assert_eq!(finish(ground, &before).await.server_groups, ["again-v000"]);
    assert_eq!(names(ground, "again").await, ["again-v000"]);
    until(ground, "again-v000", "an instance up", |group| group.up(None) == 1).await;
    destroy(ground, "again-v000").await;
}

async fn a_key_is_good_for_one_operation_only(ground: &dyn Ground) {
    let handle = start(ground, &Operation::CreateServerGroup(create(ground, "keys", 1)), "keys-1").await;
    let other = Operation::CreateServerGroup(create(ground, "keys", 2));
    let error = ground.provider().start(&other, &Key::new("keys-1")).await.expect_err("another operation");
    assert_eq!(error, CloudError::KeyReused("keys-1".into()));
    finish(ground, &handle).await;
    destroy(ground, "keys-v000").await;
}

async fn versions_count_on_and_instances_spread_over_zones(ground: &dyn Ground) {
    for (key, expected) in [("count-1", "count-web-v000"), ("count-2", "count-web-v001")] {
        let outcome = done(ground, Operation::CreateServerGroup(create(ground, "count-web", 4)), key).await;
        assert_eq!(outcome.server_groups, [expected]);
    }
    let made = until(ground, "count-web-v001", "four instances up", |group| group.up(None) == 4).await;
    let mut zones: Vec<&str> = made.instances.iter().map(|instance| instance.zone.as_str()).collect();
    zones.sort_unstable();
    let all = ground.provider().describe().regions[0].zones.clone();
    assert_eq!(zones, [&all[0], &all[0], &all[1], &all[1]], "two in each zone");
    assert!(made.preview_address.is_some(), "every group has an address of its own");
    destroy(ground, "count-web-v000").await;
    destroy(ground, "count-web-v001").await;
}

fn balancer(ground: &dyn Ground, name: &str) -> UpsertLoadBalancer {
    UpsertLoadBalancer::new(name, region(ground), "front", vec![WantedListener::new(Protocol::Tcp, 0)])
}

async fn a_load_balancer_shows_who_stands_behind_it(ground: &dyn Ground) {
    let operation = Operation::UpsertLoadBalancer(balancer(ground, "front"));
    let outcome = done(ground, operation.clone(), "front-1").await;
    assert_eq!(outcome.load_balancers, ["front"]);
    let before = read_balancer(ground).await.expect("it exists").listeners;
    done(ground, operation, "front-2").await;
    assert_eq!(read_balancer(ground).await.expect("it exists").listeners, before, "made again, it stays as it is");
    let group = CreateServerGroup { load_balancers: vec!["front".into()], ..create(ground, "front", 2) };
    done(ground, Operation::CreateServerGroup(group), "front-3").await;
    until(ground, "front-v000", "two instances up", |group| group.up(None) == 2).await;
    let seen = read_balancer(ground).await.expect("it exists");
    assert_eq!(seen.groups.len(), 1);
    assert_eq!((seen.groups[0].group.to_string(), seen.groups[0].instances.len()), ("front-v000".into(), 2));
    destroy(ground, "front-v000").await;
    let gone = NamedAt { name: "front".into(), region: region(ground) };
    done(ground, Operation::DeleteLoadBalancer(gone), "front-4").await;
    assert_eq!(read_balancer(ground).await, None);
}

async fn read_balancer(ground: &dyn Ground) -> Option<cloud::inventory::LoadBalancer> {
    let id = ResourceId::LoadBalancer { region: region(ground), name: "front".into() };
    ground.provider().get(&id).await.expect("it can be read").and_then(Resource::load_balancer)
}

async fn a_group_without_traffic_is_disabled_until_it_is_enabled(ground: &dyn Ground) {
    done(ground, Operation::UpsertLoadBalancer(balancer(ground, "dark")), "dark-1").await;
    let dark = CreateServerGroup { traffic: false, load_balancers: vec!["dark".into()], ..create(ground, "dark", 1) };
    done(ground, Operation::CreateServerGroup(dark), "dark-2").await;
    let platform = [ground.provider().describe().platform_health];
    let seen = until(ground, "dark-v000", "an instance up", |group| group.up(Some(&platform)) == 1).await;
    assert!(seen.disabled);
    assert_eq!(seen.up(None), 0, "nobody's requests reach it");
    let traffic = Traffic { group: seen.name.clone(), region: region(ground), percentage: None };
    done(ground, Operation::EnableServerGroup(traffic.clone()), "dark-3").await;
    let seen = until(ground, "dark-v000", "traffic", |group| group.up(None) == 1).await;
    assert!(!seen.disabled);
    done(ground, Operation::DisableServerGroup(traffic), "dark-4").await;
    let seen = until(ground, "dark-v000", "no traffic", |group| group.down(None) == 1).await;
    assert!(seen.disabled);
    destroy(ground, "dark-v000").await;
    let gone = NamedAt { name: "dark".into(), region: region(ground) };
    done(ground, Operation::DeleteLoadBalancer(gone), "dark-5").await;
}

async fn a_share_of_a_group_leaves_traffic_and_comes_back(ground: &dyn Ground) {
    done(ground, Operation::UpsertLoadBalancer(balancer(ground, "part")), "part-1").await;
    // Where a group may grow, a share is one of the instances that there are.
    let wide = Capacity { min: 1, max: 8, desired: 4 };
    let part = CreateServerGroup { capacity: wide, load_balancers: vec!["part".into()], ..create(ground, "part", 4) };
    done(ground, Operation::CreateServerGroup(part), "part-2").await;
    let seen = until(ground, "part-v000", "four instances up", |group| group.up(None) == 4).await;
    let share = |percentage| Traffic { group: seen.name.clone(), region: region(ground), percentage: Some(percentage) };
    let steps = [
        ("part-3", Operation::DisableServerGroup(share(25)), 3),
        ("part-4", Operation::DisableServerGroup(share(50)), 2),
        // The same once more takes nothing more.
        ("part-5", Operation::DisableServerGroup(share(50)), 2),
        ("part-6", Operation::EnableServerGroup(share(75)), 3),
        ("part-7", Operation::DisableServerGroup(share(100)), 0),
        ("part-8", Operation::EnableServerGroup(share(100)), 4),
    ];
    for (key, operation, expected) in steps {
        done(ground, operation, key).await;
        let seen =
            until(ground, "part-v000", key, |group| (group.up(None), group.down(None)) == (expected, 4 - expected));
        let seen = seen.await;
        assert_eq!(seen.disabled, expected == 0, "{key}: only the whole is disabled");
        assert_eq!(seen.capacity, wide);
    }
    let wanted = Share { percentage: 5, clients: Some(Affinity::Header { name: "x-user".into() }) };
    for (key, share) in [("part-9", Some(wanted)), ("part-10", None)] {
        let operation = ShareTraffic { group: seen.name.clone(), region: region(ground), share: share.clone() };
        done(ground, Operation::ShareTraffic(operation), key).await;
        assert_eq!(group(ground, "part-v000").await.expect("it exists").share, share);
    }
    destroy(ground, "part-v000").await;
    let gone = NamedAt { name: "part".into(), region: region(ground) };
    done(ground, Operation::DeleteLoadBalancer(gone), "part-11").await;
}

async fn a_group_is_resized_and_an_ended_instance_is_replaced(ground: &dyn Ground) {
    done(ground, Operation::CreateServerGroup(create(ground, "size", 1)), "size-1").await;
    let name: cloud::names::GroupName = "size-v000".parse().expect("a name");
    for (key, count) in [("size-2", 3), ("size-3", 2)] {
        let resize =
            ResizeServerGroup { group: name.clone(), region: region(ground), capacity: Capacity::exactly(count) };
        done(ground, Operation::ResizeServerGroup(resize), key).await;
        until(ground, "size-v000", "its new size", |group| {
            group.up(None) == count && group.instances.len() == count as usize
        })
        .await;
    }
    let victim = group(ground, "size-v000").await.expect("it exists").instances[0].id.clone();
    let terminate = Terminate { instances: vec![victim.clone()], region: region(ground), shrink: false };
    done(ground, Operation::TerminateInstances(terminate), "size-4").await;
    let seen = until(ground, "size-v000", "two again", |group| group.up(None) == 2).await;
    assert!(seen.instances.iter().all(|instance| instance.id != victim));
    destroy(ground, "size-v000").await;
}

async fn a_firewall_is_kept_while_something_is_behind_it(ground: &dyn Ground) {
    let rule = Allowed { protocol: Protocol::Tcp, ports: (80, 443), from: vec!["10.0.0.0/8".into()] };
    let wall = UpsertFirewall {
        name: "wall".into(),
        region: region(ground),
        application: "wall".into(),
        description: "offices".into(),
        allowed: vec![rule.clone()],
    };
    done(ground, Operation::UpsertFirewall(wall), "wall-1").await;
    let id = ResourceId::Firewall { region: region(ground), name: "wall".into() };
    let seen =
        ground.provider().get(&id).await.expect("it can be read").and_then(Resource::firewall).expect("it exists");
    assert_eq!((seen.description.as_str(), seen.allowed), ("offices", vec![rule]));
    let behind = UpsertLoadBalancer { firewalls: vec!["wall".into()], ..balancer(ground, "wall") };
    done(ground, Operation::UpsertLoadBalancer(behind), "wall-2").await;
    let gone = NamedAt { name: "wall".into(), region: region(ground) };
    let delete = Operation::DeleteFirewall(gone.clone());
    let error = ground.provider().start(&delete, &Key::new("wall-3")).await.expect_err("something is behind it");
    assert!(error.to_string().contains("load balancer wall is behind"), "{error}");
    done(ground, Operation::DeleteLoadBalancer(gone), "wall-4").await;
    done(ground, delete, "wall-5").await;
    assert_eq!(ground.provider().get(&id).await.expect("it can be read"), None);
    let nowhere = UpsertLoadBalancer { firewalls: vec!["nobody".into()], ..balancer(ground, "wall") };
    let error = ground.provider().start(&Operation::UpsertLoadBalancer(nowhere), &Key::new("wall-6")).await;
    assert!(error.expect_err("there is none").to_string().contains("nobody"));
}

async fn a_destroyed_group_is_gone(ground: &dyn Ground) {
    done(ground, Operation::CreateServerGroup(create(ground, "gone", 1)), "gone-1").await;
    destroy(ground, "gone-v000").await;
    assert_eq!(group(ground, "gone-v000").await, None);
    assert_eq!(names(ground, "gone").await, Vec::<String>::new());
    let op = GroupAt { group: "gone-v000".parse().expect("a name"), region: region(ground) };
    let error = ground.provider().start(&Operation::DestroyServerGroup(op), &Key::new("gone-2")).await;
    let error = error.expect_err("there is nothing to destroy").to_string();
    assert!(error.contains("gone-v000"), "{error}");
}

async fn a_cancelled_operation_is_over_and_a_done_one_stays_done(ground: &dyn Ground) {
    let handle = start(ground, &Operation::CreateServerGroup(create(ground, "stop", 1)), "stop-1").await;
    finish(ground, &handle).await;
    ground.provider().cancel(&handle).await.expect("it can be asked");
    assert!(matches!(ground.provider().poll(&handle).await, Ok(Progress::Done { .. })), "what is done stays done");
    let op = GroupAt { group: "stop-v000".parse().expect("a name"), region: region(ground) };
    let handle = start(ground, &Operation::DestroyServerGroup(op), "stop-2").await;
    ground.provider().cancel(&handle).await.expect("it can be asked");
    let over = ground.provider().poll(&handle).await.expect("it can be polled");
    assert!(matches!(over, Progress::Cancelled | Progress::Done { .. }), "{over:?}");
    if group(ground, "stop-v000").await.is_some() {
        destroy(ground, "stop-v000").await;
    }
}

async fn what_is_wrong_is_refused_by_name(ground: &dyn Ground) {
    let refused = |operation: Operation, key: &'static str, words: &'static [&'static str]| async move {
        let error = ground.provider().start(&operation, &Key::new(key)).await.expect_err(key);
        assert!(!error.may_retry(), "trying again does not help: {error}");
        let error = error.to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{key}: {error}");
    };
    let good = create(ground, "wrong", 1);
    let no_region = CreateServerGroup { region: "atlantis".into(), ..good.clone() };
    refused(Operation::CreateServerGroup(no_region), "wrong-1", &["atlantis"]).await;
    let no_balancer = CreateServerGroup { load_balancers: vec!["nobody".into()], ..good.clone() };
    refused(Operation::CreateServerGroup(no_balancer), "wrong-2", &["nobody"]).await;
    let capacity = Capacity { min: 3, max: 1, desired: 2 };
    refused(Operation::CreateServerGroup(CreateServerGroup { capacity, ..good }), "wrong-3", &["min 3", "max 1"]).await;
    let group = "wrong-v123".parse().expect("a name");
    let traffic = Traffic { group, region: region(ground), percentage: None };
    refused(Operation::EnableServerGroup(traffic), "wrong-4", &["wrong-v123"]).await;
    assert_eq!(names(ground, "wrong").await, Vec::<String>::new(), "nothing was made");
}
