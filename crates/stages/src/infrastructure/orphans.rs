//! What nobody answers for any more: things of applications that are not known, and canaries that no deployment compares.
//!
//! Nothing here ends them: a person looks, and starts the job that stands beside each.

use std::collections::BTreeSet;

use cloud::inventory::{Inventory, ServerGroup};
use pipeline::Map;
use pipeline::model::Execution;
use serde::Serialize;
use serde_json::{Value, json};

use super::canary::{CANARY_OF, stands_in_for};
use super::wishes;

/// Something that is left over.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Orphan {
    /// `serverGroup`, `loadBalancer` or `firewall`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Account that holds it.
    pub account: String,
    /// Where it is.
    pub region: String,
    /// The application that it says it belongs to.
    pub application: String,
    /// Why nobody answers for it: one sentence.
    pub why: String,
    /// The job of `POST /tasks` that ends it.
    pub job: Value,
}

/// Pure: what is left over of everything that exists, by the applications that are known and the executions that have not ended.
pub fn orphans(inventory: &Inventory, applications: &[String], running: &[Execution]) -> Vec<Orphan> {
    let known: BTreeSet<String> = applications.iter().map(|name| name.to_lowercase()).collect();
    let stranger = |application: &str| {
        let why =
            || format!("there is no application {application}; `gennaker application save {application}` makes it");
        (!known.contains(&application.to_lowercase())).then(why)
    };
    let compared = compared(running);
    let groups = inventory.server_groups.iter().filter(|group| !group.leaving).filter_map(|group| {
        let application = group.name.cluster().app();
        let why = stranger(application).or_else(|| uncompared(group, &inventory.server_groups, &compared))?;
        let job = json!({"type": "destroyServerGroup", "serverGroupName": group.name.to_string()});
        Some(orphan("serverGroup", &group.name.to_string(), &group.account, &group.region, application, why, job))
    });
    let balancers = inventory.load_balancers.iter().filter_map(|one| {
        let job = json!({"type": "deleteLoadBalancer", "loadBalancerName": one.name});
        let why = stranger(&one.application)?;
        Some(orphan("loadBalancer", &one.name, &one.account, &one.region, &one.application, why, job))
    });
    let firewalls = inventory.firewalls.iter().filter_map(|one| {
        let job = json!({"type": "deleteSecurityGroup", "securityGroupName": one.name});
        let why = stranger(&one.application)?;
        Some(orphan("firewall", &one.name, &one.account, &one.region, &one.application, why, job))
    });
    groups.chain(balancers).chain(firewalls).collect()
}

fn orphan(
    kind: &'static str,
    name: &str,
    account: &str,
    region: &str,
    application: &str,
    why: String,
    mut job: Value,
) -> Orphan {
    let (name, account, region) = (name.to_owned(), account.to_owned(), region.to_owned());
    job["credentials"] = json!(account);
    job["regions"] = json!([region]);
    job["region"] = json!(region);
    Orphan { kind, name, account, region, application: application.to_owned(), why, job }
}

/// The clusters of canaries and baselines of deployments that go on: account and name.
fn compared(running: &[Execution]) -> BTreeSet<(String, String)> {
    let of = |run: &Execution| -> Vec<(String, String)> {
        let made = run.stages.iter().filter(|stage| stage.context.contains_key(CANARY_OF));
        let named = |config: Map| {
            let cluster = wishes::cluster_of(&config, &run.application).ok()?;
            Some((wishes::account(&config).ok()?, cluster.to_string()))
        };
        made.filter_map(|stage| named(wishes::cluster_config(&stage.context))).collect()
    };
    running.iter().flat_map(of).collect()
}

/// Why a group is the canary or baseline of nobody: its name says that it is one, the cluster that it stands beside is there, and no
/// deployment that goes on has made it.
fn uncompared(group: &ServerGroup, all: &[ServerGroup], compared: &BTreeSet<(String, String)>) -> Option<String> {
    let cluster = group.name.cluster();
    let of = stands_in_for(cluster)?;
    let beside = |other: &ServerGroup| {
        other.account == group.account && other.region == group.region && *other.name.cluster() == of && !other.leaving
    };
    if compared.contains(&(group.account.clone(), cluster.to_string())) || !all.iter().any(beside) {
        return None;
    }
    Some(format!("it stands beside cluster {of} to be compared, and no deployment that compares it is going on"))
}

#[cfg(test)]
mod tests {
    use cloud::health::Capacity;
    use cloud::inventory::Firewall;
    use jiff::Timestamp;

    use super::*;

    fn group(name: &str) -> ServerGroup {
        ServerGroup {
            name: name.parse().unwrap(),
            account: "local".into(),
            provider: "local".into(),
            region: "here".into(),
            zones: vec![],
            created: Timestamp::UNIX_EPOCH,
            capacity: Capacity::exactly(1),
            disabled: false,
            leaving: false,
            image: "image".into(),
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

    #[test]
    fn what_belongs_to_nobody_is_found_with_the_job_that_ends_it() {
        let wall = Firewall {
            name: "wall".into(),
            account: "local".into(),
            region: "here".into(),
            application: "gone".into(),
            description: String::new(),
            allowed: vec![],
        };
        let mut leaving = group("gone-v001");
        leaving.leaving = true;
        let inventory = Inventory {
            server_groups: vec![
                group("shop-main-v007"),
                group("shop-main-canary-v000"),
                group("shop--baseline-v000"),
                group("gone-v000"),
                leaving,
            ],
            firewalls: vec![wall],
            ..Inventory::default()
        };
        let found = orphans(&inventory, &["Shop".into()], &[]);
        let shown: Vec<(&str, &str, &str)> = found.iter().map(|o| (o.kind, o.name.as_str(), o.why.as_str())).collect();
        let unknown = "there is no application gone; `gennaker application save gone` makes it";
        let canary =
            "it stands beside cluster shop-main to be compared, and no deployment that compares it is going on";
        assert_eq!(
            shown,
            [
                ("serverGroup", "shop-main-canary-v000", canary),
                ("serverGroup", "gone-v000", unknown),
                ("firewall", "wall", unknown),
            ],
            "shop--baseline stands beside nothing, so it is a cluster like others"
        );
        assert_eq!(
            found[0].job,
            json!({"type": "destroyServerGroup", "serverGroupName": "shop-main-canary-v000", "credentials": "local",
                   "regions": ["here"], "region": "here"})
        );
    }
}
