//! The pure parts together: operations, what the data plane is told, and what follows from its answers. No process, no disk.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use dataplane::status::{self, BalancerStatus, Counters, InstanceStatus, MemberStatus, Status};
use dataplane::wanted::{Limits, MemberState, Root, Stickiness, StickyKey, StickyTo, Wanted};
use jiff::{SignedDuration, Timestamp};

use super::advance::{self, Seen};
use super::apply::{Change, Others, Prepared, Rules};
use super::image::Launch;
use super::read::Reader;
use super::state::State;
use super::wanted::wanted;
use crate::health::{Capacity, HealthState};
use crate::inventory::{HealthCheck, Protocol};
use crate::operation::{
    Allowed, CreateServerGroup, GroupAt, NamedAt, Operation, ResizeServerGroup, ShareTraffic, Traffic, UpsertFirewall,
    UpsertLoadBalancer, WantedListener,
};
use crate::provider::CloudError;
use crate::traffic::{Affinity, Share};

/// One account.
struct Play {
    state: State,
    rules: Rules,
    others: Others,
    now: Timestamp,
    count: u32,
}

fn small() -> Limits {
    Limits { memory_bytes: Some(64 << 20), cpu_milli: Some(500), ..Limits::default() }
}

fn rules() -> Rules {
    Rules {
        account: "local".into(),
        region: "local".into(),
        zones: vec!["local-a".into(), "local-b".into()],
        environment: "test".into(),
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        free_listeners: false,
        instance_types: BTreeMap::from([("small".into(), small())]),
        certificates: BTreeMap::new(),
        drain: SignedDuration::from_secs(30),
    }
}

/// What a data plane is told of one account.
fn told(state: &State, rules: &Rules) -> Wanted {
    wanted(std::iter::once((state, rules)))
}

impl Play {
    fn new() -> Self {
        let mut play = Self::empty(rules(), Others::default());
        play.balances(8080).expect("made");
        play
    }

    fn empty(rules: Rules, others: Others) -> Self {
        Self { state: State::default(), rules, others, now: Timestamp::UNIX_EPOCH, count: 0 }
    }

    /// Makes the load balancer `front`.
    fn balances(&mut self, port: u16) -> Result<Vec<String>, CloudError> {
        let check = HealthCheck {
            protocol: Protocol::Http,
            port: 8080,
            path: "/".into(),
            interval_ms: 1000,
            timeout_ms: 1000,
            healthy_threshold: 1,
            unhealthy_threshold: 2,
        };
        let listeners = vec![WantedListener::new(Protocol::Tcp, port)];
        let front = UpsertLoadBalancer::new("front", "local", "shop", listeners);
        let balancer = UpsertLoadBalancer { health_check: Some(check), ..front };
        self.tries(&Operation::UpsertLoadBalancer(balancer))
    }

    fn tries(&mut self, operation: &Operation) -> Result<Vec<String>, CloudError> {
        let launch = Launch {
            root: Root::Host { layers: vec!["/image".into()] },
            command: vec!["/bin/true".into()],
            env: BTreeMap::from([("PORT".into(), "8080".into()), ("MODE".into(), "prod".into())]),
            user: None,
            directory: None,
            extra_binds: Vec::new(),
            path: Vec::new(),
        };
        let mut state = self.state.clone();
        state.generation += 1;
        let mut count = self.count;
        let applied = Change {
            state: &mut state,
            rules: &self.rules,
            others: &self.others,
            prepared: Prepared { launch: Some(launch), ports: (20_000..20_100).rev().collect() },
            now: self.now,
            random: &mut || {
                count += 1;
                format!("{count:04}")
            },
        }
        .apply(operation)?;
        (self.state, self.count) = (state, count);
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
        Ok(applied.outcome.server_groups)
    }

    fn does(&mut self, operation: Operation) -> Vec<String> {
        self.tries(&operation).unwrap_or_else(|error| panic!("{error}"))
    }

    fn creates(&mut self, count: u32, traffic: bool) -> String {
        self.does(Operation::CreateServerGroup(create(count, traffic))).remove(0)
    }

    /// The balancer's members: instance and whether it takes new requests.
    fn members(&self, balancer: &str) -> Vec<(String, bool)> {
        let told = told(&self.state, &self.rules);
        let balancer = told.balancers.into_iter().find(|told| told.id == balancer).expect("it is told");
        balancer.members.into_iter().map(|member| (member.id, member.state == MemberState::Active)).collect()
    }

    /// What a data plane says that has done what it was told, while each instance has so many requests open.
    fn seen(&self, open: u64) -> Seen {
        let told = told(&self.state, &self.rules);
        let health = status::Health { state: status::HealthState::Up, since: 0, why: "GET / answered 200".into() };
        let member = |member: &dataplane::wanted::Member| MemberStatus {
            id: member.id.clone(),
            group: member.group.clone(),
            address: member.address,
            weight: 1,
            state: member.state,
            health: health.clone(),
            ejected: false,
            counters: Counters { open, ..Counters::default() },
        };
        let balancers = told.balancers.iter().map(|told| BalancerStatus {
            id: told.id.clone(),
            listeners: Vec::new(),
            members: told.members.iter().map(member).collect(),
            groups: Vec::new(),
            total: Counters::default(),
            no_member: 0,
            refused_requests: 0,
            turned_away: 0,
            last_switch: None,
            checks: status::Checked::default(),
        });
        let instances = told.instances.iter().map(|told| running(told, health.clone()));
        let status = Status {
            schema: 1,
            version: "test".into(),
            pid: 1,
            started_at: 0,
            at: 0,
            generation: Some(told.generation),
            seq: 0,
            isolation: status::Isolation { kind: status::IsolationKind::None, why: "a test".into() },
            balancers: balancers.collect(),
            instances: instances.collect(),
        };
        Seen { confirmed: Some(told.generation), status: Some(status), trouble: None }
    }

    fn advance(&mut self, seen: &Seen) -> bool {
        advance::advance(&mut self.state, &self.rules, seen, self.now)
    }
}

fn running(told: &dataplane::wanted::Instance, health: status::Health) -> InstanceStatus {
    InstanceStatus {
        id: told.id.clone(),
        group: told.group.clone(),
        zone: told.zone.clone(),
        state: status::InstanceState::Running,
        since: 0,
        shim_pid: None,
        pid: Some(7),
        port: told.port,
        ports: told.port.into_iter().collect(),
        exit: None,
        restarts: 0,
        lines: Vec::new(),
        health,
        isolation: status::IsolationKind::None,
        warnings: Vec::new(),
    }
}

fn create(count: u32, traffic: bool) -> CreateServerGroup {
    CreateServerGroup {
        load_balancers: vec!["front".into()],
        traffic,
        ..CreateServerGroup::new("shop".parse().unwrap(), "local", "/image", Capacity::exactly(count))
    }
}

fn at(group: &str) -> GroupAt {
    GroupAt { group: group.parse().unwrap(), region: "local".into() }
}

/// Accounts of one machine are told together: what may have one name in both has two in the data plane, and what a machine has once is given
/// out once.
#[test]
fn two_accounts_of_a_machine_may_call_their_things_the_same() {
    let mut test = Play::new();
    assert_eq!(test.creates(2, true), "shop-v000");
    let others = Others::of(std::iter::once((&test.state, &test.rules)));
    let mut prod = Play::empty(Rules { account: "prod".into(), ..rules() }, others);
    let refused = prod.balances(8080).unwrap_err().to_string();
    assert_eq!(refused, "127.0.0.1:8080 belongs to load balancer front of account local");
    prod.rules.listen = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let refused = prod.balances(8080).unwrap_err().to_string();
    assert_eq!(
        refused, "127.0.0.1:8080 belongs to load balancer front of account local",
        "every address is also that one"
    );
    prod.balances(80).expect("a port of its own");
    assert_eq!(prod.creates(1, true), "shop-v000", "versions are counted in each account");

    prod.state.generation = test.state.generation + 1;
    let told = wanted([(&test.state, &test.rules), (&prod.state, &prod.rules)].into_iter());
    told.check().expect("no name twice");
    assert_eq!(told.generation, prod.state.generation, "the newest of all");
    let names: Vec<&str> = told.balancers.iter().map(|balancer| balancer.id.as_str()).collect();
    assert_eq!(names, ["front", "preview.shop-v000", "prod.front", "preview.prod.shop-v000"]);
    let instances: Vec<&str> = told.instances.iter().map(|instance| instance.id.as_str()).collect();
    assert_eq!(instances, ["shop-v000-0001", "shop-v000-0002", "shop-v000-0003"]);
    let ports: BTreeSet<u16> = told.instances.iter().filter_map(|instance| instance.port).collect();
    assert_eq!(ports.len(), 3, "each has a port of its own");
    assert_eq!(told.balancers[2].members.len(), 1, "only its own account's instances are behind it");
}

#[test]
fn the_whole_wanted_state_is_valid_and_each_instance_has_a_port_of_its_own() {
    let mut play = Play::new();
    assert_eq!(play.creates(4, true), "shop-v000");
    assert_eq!(play.creates(2, false), "shop-v001");
    let told = told(&play.state, &rules());
    told.check().unwrap();
    assert_eq!(
        told.balancers.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(),
        ["front", "preview.shop-v000", "preview.shop-v001"]
    );
    let zones: Vec<&str> = told.instances[..4].iter().map(|instance| instance.zone.as_str()).collect();
    assert_eq!(zones, ["local-a", "local-b", "local-a", "local-b"]);
    let mut ports: Vec<_> = told.instances.iter().filter_map(|instance| instance.port).collect();
    ports.dedup();
    assert_eq!(ports.len(), 6);
    assert_eq!(told.instances[0].env, BTreeMap::from([("MODE".to_owned(), "prod".to_owned())]), "PORT is the shim's");
}

#[test]
fn a_dark_group_answers_on_its_preview_address_only() {
    let mut play = Play::new();
    play.creates(1, false);
    assert_eq!(play.members("front"), [("shop-v000-0001".to_owned(), false)]);
    assert_eq!(play.members("preview.shop-v000"), [("shop-v000-0001".to_owned(), true)]);
    let traffic = Traffic { group: "shop-v000".parse().unwrap(), region: "local".into(), percentage: None };
    play.does(Operation::EnableServerGroup(traffic));
    assert_eq!(play.members("front"), [("shop-v000-0001".to_owned(), true)]);
}

#[test]
fn a_share_of_a_group_leaves_traffic() {
    let mut play = Play::new();
    play.creates(4, true);
    let traffic = |percentage| Traffic { group: "shop-v000".parse().unwrap(), region: "local".into(), percentage };
    let active = |play: &Play| play.members("front").iter().filter(|(_, active)| *active).count();
    play.does(Operation::DisableServerGroup(traffic(Some(50))));
    assert_eq!(active(&play), 2);
    assert!(!play.state.groups["shop-v000"].disabled, "half of it serves");
    play.does(Operation::DisableServerGroup(traffic(None)));
    assert_eq!(active(&play), 0);
    play.does(Operation::EnableServerGroup(traffic(Some(25))));
    assert_eq!(active(&play), 1);
}

#[test]
fn an_instance_ends_when_its_last_request_has_ended_or_its_time_is_over() {
    let mut play = Play::new();
    play.creates(1, true);
    play.does(Operation::DestroyServerGroup(at("shop-v000")));
    assert_eq!(told(&play.state, &rules()).instances.len(), 1, "it finishes what it has");
    assert!(!play.advance(&play.seen(3)), "three requests are open");
    assert!(play.advance(&play.seen(0)));
    assert_eq!(told(&play.state, &rules()).instances.len(), 0);
    assert!(play.state.groups.contains_key("shop-v000"), "it is not yet known to be gone");
    play.advance(&play.seen(0));
    assert!(play.state.groups.is_empty() && play.state.instances.is_empty());

    play.creates(1, true);
    play.does(Operation::DestroyServerGroup(at("shop-v000")));
    play.now = play.now.checked_add(SignedDuration::from_secs(31)).unwrap();
    assert!(play.advance(&play.seen(3)), "nobody may hold it for ever");
}

#[test]
fn an_older_answer_of_the_data_plane_proves_nothing() {
    let mut play = Play::new();
    play.creates(1, true);
    let before = play.seen(0);
    play.does(Operation::DestroyServerGroup(at("shop-v000")));
    assert!(!play.advance(&before), "it was given before the instance was told to drain");
}

#[test]
fn a_smaller_group_keeps_its_oldest_instances() {
    let mut play = Play::new();
    play.creates(3, true);
    let resize = |count| ResizeServerGroup {
        group: "shop-v000".parse().unwrap(),
        region: "local".into(),
        capacity: Capacity::exactly(count),
    };
    play.does(Operation::ResizeServerGroup(resize(1)));
    let expected = [("0001", true), ("0002", false), ("0003", false)].map(|(n, on)| (format!("shop-v000-{n}"), on));
    assert_eq!(play.members("front"), expected);
    play.does(Operation::ResizeServerGroup(resize(2)));
    assert_eq!(play.state.staying_of(&"shop-v000".parse().unwrap()).len(), 2, "those that leave are not called back");
}

#[test]
fn shares_of_groups_reach_the_balancer_oldest_first_and_never_more_than_there_is() {
    let mut play = Play::new();
    let share = |percentage, clients| Some(Share { percentage, clients });
    let user = Affinity::Header { name: "x-user".into() };
    for (percentage, clients) in [(70, None), (40, Some(user))] {
        let group = CreateServerGroup { share: share(percentage, clients), ..create(1, true) };
        play.does(Operation::CreateServerGroup(group));
    }
    play.creates(1, true);
    let told = |play: &Play| {
        let front = told(&play.state, &rules()).balancers.into_iter().find(|told| told.id == "front").unwrap();
        let shares: Vec<_> = front.shares.into_iter().map(|share| (share.group, share.percent)).collect();
        (shares, front.stickiness)
    };
    let (shares, stickiness) = told(&play);
    assert_eq!(shares, [("shop-v000".to_owned(), 70), ("shop-v001".to_owned(), 30)]);
    let key = StickyKey::Header { name: "x-user".into() };
    assert_eq!(stickiness, Some(Stickiness { key, to: StickyTo::Group }), "clients stay on their side");
    let all = ShareTraffic { group: "shop-v001".parse().unwrap(), region: "local".into(), share: None };
    play.does(Operation::ShareTraffic(all));
    assert_eq!(told(&play), (vec![("shop-v000".to_owned(), 70)], None));
}

#[test]
fn health_says_starting_up_out_of_service_or_draining() {
    let mut play = Play::new();
    play.creates(1, true);
    let state = |play: &Play, seen: &Seen| {
        let rules = rules();
        let reader = Reader { state: &play.state, seen, rules: &rules, now: play.now };
        reader.group(&play.state.groups["shop-v000"]).instances[0].state()
    };
    assert_eq!(state(&play, &Seen::default()), HealthState::Starting);
    assert_eq!(state(&play, &play.seen(5)), HealthState::Up);
    let traffic = Traffic { group: "shop-v000".parse().unwrap(), region: "local".into(), percentage: None };
    play.does(Operation::DisableServerGroup(traffic));
    assert_eq!(state(&play, &play.seen(5)), HealthState::Draining);
    assert_eq!(state(&play, &play.seen(0)), HealthState::OutOfService);
}

#[test]
fn datagrams_have_ports_rules_and_a_preview_of_their_own() {
    let mut play = Play::new();
    let rule = |protocol, from: &str| Allowed { protocol, ports: (1, u16::MAX), from: vec![from.into()] };
    play.does(Operation::UpsertFirewall(UpsertFirewall {
        name: "names".into(),
        region: "local".into(),
        application: "shop".into(),
        description: String::new(),
        allowed: vec![rule(Protocol::Tcp, "192.0.2.0/24"), rule(Protocol::Udp, "198.51.100.0/24")],
    }));
    let both = |name: &str| {
        let listeners = [Protocol::Tcp, Protocol::Udp].map(|protocol| WantedListener::new(protocol, 53)).to_vec();
        let plain = UpsertLoadBalancer::new(name, "local", "shop", listeners);
        UpsertLoadBalancer { firewalls: vec!["names".into()], ..plain }
    };
    play.does(Operation::UpsertLoadBalancer(both("names")));
    play.does(Operation::CreateServerGroup(CreateServerGroup {
        load_balancers: vec!["names".into()],
        ..create(1, true)
    }));
    let told = told(&play.state, &rules());
    let listens = |id: &str| -> Vec<(String, dataplane::wanted::Protocol, Option<String>)> {
        let balancer = told.balancers.iter().find(|told| told.id == id).expect("it is told");
        let allow = |l: &dataplane::wanted::Listener| {
            l.allow.as_ref().map(|nets| nets.iter().map(|net| net.to_string()).collect::<Vec<_>>().join(" "))
        };
        balancer.listeners.iter().map(|l| (l.address.to_string(), l.protocol, allow(l))).collect()
    };
    use dataplane::wanted::Protocol::{Tcp, Udp};
    let at = "127.0.0.1:53".to_owned();
    assert_eq!(
        listens("names"),
        [(at.clone(), Tcp, Some("192.0.2.0/24".into())), (at, Udp, Some("198.51.100.0/24".into()))]
    );
    let preview = listens("preview.shop-v000");
    assert_eq!(preview.iter().map(|(_, protocol, _)| *protocol).collect::<Vec<_>>(), [Tcp, Udp]);
    assert_eq!(preview[0].0, preview[1].0);

    let mut tls = both("more");
    tls.listeners =
        vec![WantedListener { certificates: vec!["shop".into()], ..WantedListener::new(Protocol::Udp, 54) }];
    let mut told_by_text = both("more");
    told_by_text.treatment.send_proxy = Some(1);
    let mut twice = both("more");
    twice.listeners = vec![WantedListener::new(Protocol::Udp, 54); 2];
    for (operation, words) in [
        (tls, "datagrams carry no TLS"),
        (told_by_text, "version 1 of the PROXY protocol knows no datagrams"),
        (twice, "two listeners of more want port 54"),
        (both("other"), "belongs to load balancer names"),
    ] {
        let error = play.tries(&Operation::UpsertLoadBalancer(operation)).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn what_would_break_is_refused_whole() {
    let mut play = Play::new();
    play.creates(1, true);
    let before = play.state.clone();
    let balancer =
        |name: &str| UpsertLoadBalancer::new(name, "local", "shop", vec![WantedListener::new(Protocol::Tcp, 8080)]);
    let zone = CreateServerGroup { zones: vec!["local-z".into()], ..create(1, true) };
    let huge = CreateServerGroup { instance_type: Some("huge".into()), ..create(1, true) };
    for (operation, words) in [
        (
            Operation::DeleteLoadBalancer(NamedAt { name: "front".into(), region: "local".into() }),
            "shop-v000 stands behind",
        ),
        (Operation::UpsertLoadBalancer(balancer("second")), "belongs to load balancer front"),
        (Operation::UpsertLoadBalancer(balancer("preview.shop-v000")), "kept for preview addresses"),
        (Operation::UpsertLoadBalancer(balancer("../../etc")), "not allowed"),
        (Operation::CreateServerGroup(zone), "its zones are local-a, local-b"),
        (Operation::CreateServerGroup(huge), "account local has no instance type \"huge\"; its types are small"),
        (Operation::CreateServerGroup(create(5000, true)), "more than"),
    ] {
        let error = play.tries(&operation).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert_eq!(play.state, before);
    }
}

#[test]
fn an_instance_may_take_what_its_groups_type_says_for_as_long_as_the_group_is_there() {
    let mut play = Play::new();
    let small_one = CreateServerGroup { instance_type: Some("small".into()), ..create(1, true) };
    play.does(Operation::CreateServerGroup(small_one));
    play.creates(1, true);
    let told = |play: &Play, rules: &Rules| -> Vec<(String, Limits)> {
        let instances = told(&play.state, rules).instances;
        instances.into_iter().map(|told| (told.group, told.limits)).collect()
    };
    let expected = [("shop-v000".to_owned(), small()), ("shop-v001".to_owned(), Limits::default())];
    assert_eq!(told(&play, &rules()), expected);
    // What is configured otherwise later is for groups that come later: nothing that runs begins anew.
    let other = Rules { instance_types: BTreeMap::new(), ..rules() };
    assert_eq!(told(&play, &other), expected);
}
