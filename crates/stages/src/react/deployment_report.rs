//! An execution that moved traffic has ended: what its users had of it is written down, second by second, from the load balancers' own
//! counters, with the moments of its steps. What is kept is in `pipeline::reports`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cloud::traffic::{GroupSeries, Second, Series, typical};
use cloud::{Clouds, Query};
use jiff::{SignedDuration, Timestamp};
use pipeline::model::Stage;
use pipeline::{Execution, records, reports};
use serde_json::{Value, json};
use store::{Store, StoreError};

use crate::infrastructure::{Target, canary_role, made_by, targets_of};

/// So long after the end the last second is measured.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);
/// What users had so long before the first step is shown, too.
const BEFORE: SignedDuration = SignedDuration::from_secs(5);
/// Changes of this time are looked through at once; what has ended is looked for at least so often.
const GATHER: Duration = Duration::from_secs(1);

/// Writes reports.
pub struct Reporter {
    /// The control store.
    pub store: Store,
    /// Whose load balancers measure.
    pub clouds: Clouds,
}

impl Reporter {
    /// Writes until the task is dropped.
    pub async fn run(self) {
        let mut changes = self.store.changes();
        loop {
            changes.mark_unchanged();
            match self.step().await {
                Ok(true) => {}
                // Nothing is due: what ends writes to the store, and its last second is over a moment later.
                Ok(false) => {
                    if tokio::time::timeout(Duration::from_secs(60), changes.changed())
                        .await
                        .is_ok_and(|gone| gone.is_err())
                    {
                        return;
                    }
                }
                Err(error) => tracing::warn!(%error, "a deployment's report cannot be written; trying again"),
            }
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Writes what is due; whether anything is still to come soon.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let now = self.store.clock().now();
        let settled = now.checked_sub(SETTLED).unwrap_or(now).as_millisecond();
        let ended = self.store.read(reports::ended).await?;
        for (id, _) in ended.iter().filter(|(_, at)| *at < settled) {
            let read = id.clone();
            let Some(run) = self.store.read(move |tx| records::get(tx, &read)).await? else { continue };
            let mut report = compile(&self.clouds, &run, now).await;
            report["final"] = json!(true);
            let id = id.clone();
            self.store.write(move |tx| reports::keep(tx, &id, &report)).await?;
        }
        Ok(!ended.is_empty())
    }
}

/// What an execution did to its users until now. The last word on it, which is kept, is `final`.
pub async fn compile(clouds: &Clouds, run: &Execution, now: Timestamp) -> Value {
    let start = run.start_time.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now);
    let since = start.checked_sub(BEFORE).unwrap_or(start);
    let until = run.end_time.map(|end| end + SETTLED.as_millis() as i64);
    let roles = Roles::of(run);
    let mut notes = BTreeSet::new();
    let mut balancers = Vec::new();
    for (account, regions) in places(run) {
        let provider = match clouds.account(&account) {
            Ok(provider) => provider,
            Err(error) => {
                notes.insert(error.to_string());
                continue;
            }
        };
        let query = Query { application: None, without_images: true };
        let known = match provider.list(&query).await {
            Ok(inventory) => inventory.load_balancers,
            Err(error) => {
                notes.insert(error.to_string());
                continue;
            }
        };
        for balancer in known.iter().filter(|balancer| regions.contains(&balancer.region)) {
            match provider.traffic(&balancer.region, &balancer.name, since).await {
                Ok(Some(series)) => {
                    let series = within(series, until);
                    // A load balancer of somebody else saw none of these groups.
                    let place = (&account[..], &balancer.region[..]);
                    if balancer.application.eq_ignore_ascii_case(&run.application) || roles.concern(place, &series) {
                        balancers.extend(measured(place, &balancer.name, &series, &roles));
                    }
                }
                Ok(None) => drop(notes.insert(format!("account {account} does not measure what users see"))),
                Err(error) => drop(notes.insert(error.to_string())),
            }
        }
    }
    json!({
        "execution": run.id, "application": run.application, "name": run.name.as_ref().or(run.description.as_ref()), "status": run.status,
        "startTime": run.start_time, "endTime": run.end_time, "final": false,
        "steps": steps(run), "loadBalancers": balancers, "total": total(&balancers), "notes": notes,
    })
}

/// What each server group was in the deployment.
struct Roles(BTreeMap<Target, &'static str>);

impl Roles {
    fn of(run: &Execution) -> Roles {
        let mut roles = BTreeMap::new();
        for stage in &run.stages {
            let source = stage.context.get("source").and_then(|source| serde_json::from_value(source.clone()).ok());
            for target in targets_of(&stage.context).into_iter().chain(source) {
                roles.entry(target).or_insert("old");
            }
        }
        // What was made here is new, whatever was done with it later.
        // A `deploy` stage gathers what the stages inside it made.
        let makes = |stage: &Stage| stage.kind != "deploy" && stage.context.contains_key("deploy.server.groups");
        for stage in run.stages.iter().filter(|stage| makes(stage)) {
            for target in made_by(&stage.context) {
                roles.insert(target, canary_role(&stage.context).unwrap_or("new"));
            }
        }
        Roles(roles)
    }

    fn get(&self, (account, region): (&str, &str), group: &str) -> Option<&'static str> {
        let (account, region) = (account.to_owned(), region.to_owned());
        self.0.get(&Target { account, region, server_group_name: group.to_owned() }).copied()
    }

    fn concern(&self, place: (&str, &str), series: &Series) -> bool {
        series.groups.iter().any(|group| self.get(place, &group.group).is_some() && !group.seconds.is_empty())
    }
}

/// The accounts and regions in which an execution worked.
fn places(run: &Execution) -> BTreeMap<String, BTreeSet<String>> {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for target in run.stages.iter().flat_map(|stage| targets_of(&stage.context)) {
        places.entry(target.account).or_default().insert(target.region);
    }
    places
}

fn within(mut series: Series, until: Option<i64>) -> Series {
    let in_time = |at: i64| until.is_none_or(|until| at <= until);
    for group in &mut series.groups {
        group.seconds.retain(|second| in_time(second.at));
    }
    series.groups.retain(|group| !group.seconds.is_empty());
    series.unserved.retain(|unserved| in_time(unserved.at));
    series
}

/// One load balancer's part; nothing when nobody came.
fn measured(place: (&str, &str), name: &str, series: &Series, roles: &Roles) -> Option<Value> {
    let unserved: u64 = series.unserved.iter().map(|one| one.requests).sum();
    if series.groups.is_empty() && unserved == 0 {
        return None;
    }
    let group = |one: &GroupSeries| {
        let role = roles.get(place, &one.group).unwrap_or("other");
        json!({"serverGroup": one.group, "role": role, "total": sum(&one.seconds), "seconds": one.seconds})
    };
    let groups: Vec<Value> = series.groups.iter().map(group).collect();
    let (account, region) = place;
    Some(json!({"account": account, "region": region, "name": name, "groups": groups, "unserved": series.unserved}))
}

fn sum(seconds: &[Second]) -> Value {
    let count = |get: fn(&Second) -> u64| seconds.iter().map(get).sum::<u64>();
    json!({
        "requests": count(|s| s.requests), "failures": count(|s| s.failures), "retries": count(|s| s.retries),
        "p50Us": typical(seconds, |s| s.p50_us), "p99Us": typical(seconds, |s| s.p99_us),
        "maxUs": seconds.iter().map(|s| s.max_us).max().unwrap_or(0),
    })
}

/// What users had of all load balancers together.
fn total(balancers: &[Value]) -> Value {
    let groups = || balancers.iter().filter_map(|one| one["groups"].as_array()).flatten();
    let count = |key: &str| groups().filter_map(|group| group["total"][key].as_u64()).sum::<u64>();
    let nobody = balancers.iter().filter_map(|one| one["unserved"].as_array()).flatten();
    let unserved: u64 = nobody.filter_map(|second| second["requests"].as_u64()).sum();
    json!({
        "requests": count("requests") + unserved, "failures": count("failures") + unserved,
        "retries": count("retries"), "unserved": unserved,
    })
}

/// The stages that have started, in the order in which they did.
fn steps(run: &Execution) -> Vec<Value> {
    let mut started: Vec<_> = run.stages.iter().filter(|stage| stage.start_time.is_some()).collect();
    started.sort_by_key(|stage| (stage.start_time, run.around(&stage.id).count()));
    let step = |stage: &Arc<Stage>| {
        json!({
            "name": stage.name, "type": stage.kind, "status": stage.status, "startTime": stage.start_time, "endTime": stage.end_time,
            "inside": stage.parent_stage_id.is_some(),
        })
    };
    started.into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: i64, requests: u64, failures: u64) -> Second {
        let (p50_us, p90_us, p99_us, max_us) = (500, 800, 900, 1_000);
        Second { at, requests, failures, retries: 0, answers: requests - failures, p50_us, p90_us, p99_us, max_us }
    }

    fn run() -> Execution {
        let targets = |name: &str| json!([{"account": "local", "region": "local", "serverGroupName": name}]);
        let deployed = json!({
            "targetServerGroups": targets("shop-v002"), "source": targets("shop-v001")[0],
            "deploy.server.groups": {"local": ["shop-v002"]}, "deployedServerGroups": targets("shop-v002"),
        });
        let run = json!({
            "id": "R", "type": "PIPELINE", "application": "shop", "name": "ship", "status": "SUCCEEDED", "startTime": 10_000, "endTime": 14_000,
            "stages": [
                {"id": "2", "refId": "1>1", "type": "disableCluster", "name": "disableCluster", "startTime": 12_000, "endTime": 13_000,
                 "status": "SUCCEEDED", "parentStageId": "1", "context": {"targetServerGroups": targets("shop-v001")}},
                {"id": "1", "refId": "1", "type": "createServerGroup", "name": "Deploy", "startTime": 10_000, "endTime": 14_000,
                 "status": "SUCCEEDED", "context": deployed},
                {"id": "3", "refId": "3", "type": "wait", "name": "later", "status": "NOT_STARTED", "context": {}},
            ],
        });
        serde_json::from_value(run).unwrap()
    }

    #[tokio::test]
    async fn old_and_new_stand_side_by_side_with_the_steps() {
        let group = |name: &str, seconds| GroupSeries { group: name.into(), seconds };
        let series = Series {
            at: 20_000,
            balancer: "front".into(),
            groups: vec![
                group("shop-v001", vec![second(9_000, 100, 0), second(12_000, 40, 1)]),
                group("shop-v002", vec![second(12_000, 60, 0), second(17_000, 900, 0)]),
                group("blog-v004", vec![second(19_000, 5, 0)]),
            ],
            unserved: Vec::new(),
        };
        let run = run();
        let roles = Roles::of(&run);
        let here = ("local", "local");
        assert!(roles.concern(here, &series) && !roles.concern(("prod", "local"), &series));
        let part = measured(here, "front", &within(series, Some(16_000)), &roles).unwrap();
        let shown: Vec<_> = part["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|g| (g["serverGroup"].clone(), g["role"].clone(), g["total"]["requests"].clone()))
            .collect();
        assert_eq!(
            shown,
            [(json!("shop-v001"), json!("old"), json!(140)), (json!("shop-v002"), json!("new"), json!(60))]
        );
        assert_eq!(total(&[part]), json!({"requests": 200, "failures": 1, "retries": 0, "unserved": 0}));
        let names: Vec<_> = steps(&run).into_iter().map(|step| step["name"].clone()).collect();
        assert_eq!(names, [json!("Deploy"), json!("disableCluster")], "what never started is no step");
    }

    #[tokio::test]
    async fn an_account_that_is_gone_is_a_note() {
        let report = compile(&Clouds::new(Vec::new()).unwrap(), &run(), Timestamp::UNIX_EPOCH).await;
        assert_eq!(report["loadBalancers"], json!([]));
        assert!(report["notes"][0].as_str().unwrap().contains("no account \"local\""), "{}", report["notes"]);
    }
}
