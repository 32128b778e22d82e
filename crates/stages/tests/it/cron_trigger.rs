//! Cron triggers fire once at each of their times, whatever happens to the server, to the clock and to the pipeline.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use pipeline::{Execution, pipelines};
use serde_json::{Value, json};
use stages::react::cron::{Clockwork, Plan, WINDOW};

use crate::world::World;

impl World {
    /// Saves a pipeline with these cron triggers; the clock shows 2027-03-01T12:00:00Z at first.
    async fn clocked(&self, name: &'static str, triggers: Value) {
        let config = json!({"application": "shop", "id": name, "name": name, "triggers": triggers,
            "stages": [{"type": "wait", "waitTime": 1}]});
        let config = config.as_object().unwrap().clone();
        self.store.write(move |tx| pipelines::save(tx, &config, false, "test").map(drop)).await.unwrap();
    }

    fn clockwork(&self) -> Clockwork {
        Clockwork { engine: self.engine.clone(), zone: TimeZone::UTC, window: WINDOW }
    }

    /// What a server that was just started does first.
    async fn tick_after_a_restart(&self) -> Plan {
        self.clockwork().step(None).await.unwrap()
    }

    async fn tick(&self, plan: Plan) -> Plan {
        self.clockwork().step(Some(plan)).await.unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// When each execution was to start, as minutes and seconds after noon.
    async fn fired(&self) -> Vec<String> {
        let noon: jiff::Timestamp = "2027-03-01T12:00:00Z".parse().unwrap();
        let of = |run: &Execution| {
            let time = run.trigger.get("scheduledTime").unwrap().as_i64().unwrap() - noon.as_millisecond();
            format!("{}:{:02}", time / 60_000, time / 1000 % 60)
        };
        self.runs().await.iter().map(of).collect()
    }
}

fn cron(id: &str, expression: &str) -> Value {
    json!({"type": "cron", "enabled": true, "id": id, "cronExpression": expression})
}

#[tokio::test]
async fn each_time_fires_once_and_the_trigger_keeps_its_keys() {
    let world = World::new();
    let mut trigger = cron("five", "0 0/5 * * * ?");
    trigger["description"] = json!("often");
    trigger["runAsUser"] = json!("robot");
    world.clocked("clocked", json!([trigger])).await;
    let mut plan = world.tick_after_a_restart().await;
    for _ in 0..130 {
        world.pass(5);
        plan = world.tick(plan).await;
        plan = world.tick(plan).await;
    }
    assert_eq!(world.fired().await, ["5:00", "10:00"]);
    let run = &world.runs().await[0];
    let shown = |key: &str| run.trigger.get(key).cloned().unwrap_or_default();
    assert_eq!(
        (shown("type"), shown("cronExpression"), shown("description"), shown("parameters"), shown("user")),
        (json!("cron"), json!("0 0/5 * * * ?"), json!("often"), json!({}), json!("robot"))
    );
    assert_eq!(shown("eventId"), "cron:five:1803902700000");
    assert_eq!(run.authentication["user"], "robot");
}

#[tokio::test]
async fn a_server_that_was_killed_after_the_start_does_not_start_it_again() {
    let world = World::new();
    world.clocked("clocked", json!([cron("five", "0 0/5 * * * ?")])).await;
    world.pass(301);
    for _ in 0..3 {
        world.tick_after_a_restart().await;
    }
    // Even when what it noted was lost: the event's name is the same.
    world.store.write(|tx| tx.execute("delete from cron_fired", &[])).await.unwrap();
    world.tick_after_a_restart().await;
    assert_eq!(world.fired().await, ["5:00"]);
}

#[tokio::test]
async fn of_what_was_missed_the_newest_fires_if_it_is_young() {
    let world = World::new();
    world.clocked("often", json!([cron("five", "0 0/5 * * * ?")])).await;
    world.clocked("hourly", json!([cron("hour", "0 10 * * * ?")])).await;
    let plan = world.tick_after_a_restart().await;
    drop(plan);
    world.pass(42 * 60);
    world.tick_after_a_restart().await;
    assert_eq!(world.fired().await, ["40:00"], "12:40 of the five-minute one; 12:10 is 32 minutes old");
}

#[tokio::test]
async fn an_edit_is_in_force_when_it_is_saved() {
    let world = World::new();
    world.clocked("clocked", json!([cron("it", "0 0/5 * * * ?")])).await;
    let plan = world.tick_after_a_restart().await;
    world.pass(299);
    world.clocked("clocked", json!([cron("it", "0 7 * * * ?")])).await;
    world.pass(2);
    let plan = world.tick(plan).await;
    assert_eq!(world.fired().await, [""; 0], "12:05 is no longer one of its times");
    world.pass(120);
    let plan = world.tick(plan).await;
    assert_eq!(world.fired().await, ["7:00"]);
    // What passed before it was saved does not count, however young it is.
    world.clocked("clocked", json!([cron("it", "0 6 * * * ?")])).await;
    let plan = world.tick(plan).await;
    assert_eq!(world.fired().await, ["7:00"]);
    world
        .clocked("clocked", json!([{"type": "cron", "enabled": false, "id": "it", "cronExpression": "* * * * * ?"}]))
        .await;
    world.pass(60);
    let plan = world.tick(plan).await;
    assert_eq!(plan.next(), None, "it is switched off");
    world.clocked("clocked", json!([cron("it", "* * * * * ?")])).await;
    let plan = world.tick(plan).await;
    assert_eq!(world.fired().await, ["7:00"], "nor does what passed while it was off");
    world.pass(1);
    world.tick(plan).await;
    assert_eq!(world.fired().await, ["7:00", "8:02"]);
}

#[tokio::test]
async fn a_clock_that_jumps_neither_repeats_nor_stops_it() {
    let world = World::new();
    world.clocked("clocked", json!([cron("five", "0 0/5 * * * ?")])).await;
    let mut plan = world.tick_after_a_restart().await;
    world.pass(310);
    plan = world.tick(plan).await;
    world.pass(-120);
    plan = world.tick(plan).await;
    world.pass(130);
    plan = world.tick(plan).await;
    assert_eq!(world.fired().await, ["5:00"], "12:05 comes a second time and does not count");
    // Far ahead by mistake, and set right again.
    world.pass(3600 * 24 * 365);
    plan = world.tick(plan).await;
    world.pass(-3600 * 24 * 365);
    plan = world.tick(plan).await;
    world.pass(290);
    world.tick(plan).await;
    assert_eq!(world.fired().await.last().map(String::as_str), Some("10:00"));
    assert_eq!(world.runs().await.len(), 3);
}

#[tokio::test]
async fn the_zone_is_the_triggers_own_or_the_configured_one() {
    let world = World::new();
    let mut own = cron("own", "0 1 13 * * ?");
    own["timeZone"] = json!("Europe/Berlin");
    world.clocked("own", json!([own, cron("default", "0 2 12 * * ?")])).await;
    world.pass(150);
    world.tick_after_a_restart().await;
    assert_eq!(world.fired().await, ["1:00", "2:00"]);
}

#[tokio::test]
async fn a_disabled_pipeline_does_not_start() {
    let world = World::new();
    let config = json!({"application": "shop", "name": "off", "disabled": true, "stages": [],
        "triggers": [cron("off", "* * * * * ?")]});
    let config = config.as_object().unwrap().clone();
    world.store.write(move |tx| pipelines::save(tx, &config, false, "test").map(drop)).await.unwrap();
    world.pass(5);
    assert_eq!(world.tick_after_a_restart().await.next(), None);
    assert_eq!(world.runs().await.len(), 0);
}

#[tokio::test]
async fn a_storm_of_triggers_is_cut_off_for_the_application_and_says_so_once() {
    let world = World::new();
    world.engine.limit_triggers(10);
    world.clocked("storm", json!([cron("each", "* * * * * ?")])).await;
    world.pass(30);
    let plan = world.tick_after_a_restart().await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 11, "ten, and one that says why there are no more");
    let reason = runs[10].cancellation_reason.clone().unwrap();
    assert!(
        reason.contains("triggers started more than 10 pipelines of application 'shop' within a minute"),
        "{reason}"
    );
    world.pass(30);
    world.tick(plan).await;
    assert_eq!(world.runs().await.len(), 22, "the next minute has its own count");
}
