//! `gennaker rollback`: the way back, in one command; what was left is held back. `gennaker release`: lets it come again.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, Gate, done};
use crate::progress::text;

/// What is rolled back, to what, and why.
#[derive(clap::Args)]
pub struct Args {
    /// The application
    #[arg(value_name = "APP")]
    application: String,
    /// The cluster, where the application has several
    #[arg(long)]
    cluster: Option<String>,
    /// The account, where the cluster is in several
    #[arg(long)]
    account: Option<String>,
    /// A region, where not all are meant; may be given several times
    #[arg(long)]
    region: Vec<String>,
    /// The server group to return to: its version (v003) or its name [default: the one before]
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Why; shown to whoever wants to deploy the version that is left
    #[arg(long, short = 'm', value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// Where a rollback happens.
#[derive(Debug, PartialEq)]
struct Place {
    account: String,
    provider: String,
    cluster: String,
    regions: Vec<String>,
}

/// Runs `gennaker rollback`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let groups = client.get(&["applications", &args.application, "serverGroups"], &[("expand", "false".into())])?;
    let groups = groups.as_array().cloned().unwrap_or_default();
    let place = place(&args, &groups)?;
    let mut jobs = Vec::new();
    if let Some(to) = &args.to {
        for region in &place.regions {
            jobs.push(explicit(&groups, &place, region, to)?);
        }
    } else {
        jobs.push(json!({"type": "rollbackCluster", "regions": place.regions}));
    }
    for job in &mut jobs {
        job["cluster"] = json!(place.cluster);
        job["credentials"] = json!(place.account);
        job["cloudProvider"] = json!(place.provider);
        if let Some(reason) = &args.reason {
            job["reason"] = json!(reason);
        }
    }
    let body =
        json!({"application": args.application, "description": format!("Roll back {}", place.cluster), "job": jobs});
    let since = Instant::now();
    let task = client.task(&body)?;
    let took = since.elapsed();
    if output.is_for_people() {
        output.lines(&told(&client, &args.application, &place.account, &task, took.as_secs_f64())?)?;
    } else {
        output.print(&task)?;
    }
    done()
}

/// Pure: the one cluster that is meant.
fn place(args: &Args, groups: &[Value]) -> anyhow::Result<Place> {
    let mut found: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
    let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(own));
    for group in groups {
        let (cluster, account, region) = (text(group, "cluster"), text(group, "account"), text(group, "region"));
        let meant = args.region.is_empty() || args.region.iter().any(|wanted| wanted == region);
        if is(&args.cluster, cluster) && is(&args.account, account) && meant {
            let provider = group["cloudProvider"].as_str().unwrap_or(text(group, "type"));
            let key = (cluster.to_owned(), account.to_owned(), provider.to_owned());
            found.entry(key).or_default().insert(region.to_owned());
        }
    }
    if found.len() > 1 {
        let names: Vec<String> = found.keys().map(|(cluster, account, _)| format!("{cluster} in {account}")).collect();
        bail!(
            "{} has several clusters: {}; say which with --cluster and --account",
            args.application,
            names.join(", ")
        );
    }
    let Some(((cluster, account, provider), regions)) = found.into_iter().next() else {
        bail!(
            "{} has no server group that is meant; `gennaker application get {}` shows what it has",
            args.application,
            args.application
        );
    };
    Ok(Place { account, provider, cluster, regions: regions.into_iter().collect() })
}

/// Pure: the job that returns to a group that is named.
fn explicit(groups: &[Value], place: &Place, region: &str, to: &str) -> anyhow::Result<Value> {
    let mut here: Vec<&Value> = groups.iter().collect();
    here.retain(|group| text(group, "cluster") == place.cluster && text(group, "region") == region);
    here.retain(|group| text(group, "account") == place.account);
    here.sort_by_key(|group| std::cmp::Reverse(group["createdTime"].as_i64()));
    let wanted = here.iter().find(|group| {
        let name = text(group, "name");
        name == to || name.rsplit('-').next() == Some(to)
    });
    let Some(wanted) = wanted else {
        let names: Vec<&str> = here.iter().map(|group| text(group, "name")).collect();
        bail!("{} has no server group {to} in {region}; it has {}", place.cluster, names.join(", "));
    };
    let left =
        here.iter().find(|group| group["isDisabled"] != json!(true) && text(group, "name") != text(wanted, "name"));
    let Some(left) = left else {
        bail!("nothing but {} has traffic in {region}: there is nothing to leave", text(wanted, "name"));
    };
    let names = json!({"rollbackServerGroupName": left["name"], "restoreServerGroupName": wanted["name"]});
    Ok(json!({"type": "rollbackServerGroup", "rollbackType": "EXPLICIT", "region": region, "rollbackContext": names}))
}

/// What was done, for people.
fn told(client: &Client, application: &str, account: &str, task: &Value, seconds: f64) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut held = BTreeSet::new();
    for stage in task["execution"]["stages"].as_array().into_iter().flatten() {
        if text(stage, "type") != "rollbackServerGroup" {
            continue;
        }
        let names = &stage["context"]["rollbackContext"];
        let (left, kept) = (text(names, "rollbackServerGroupName"), text(names, "restoreServerGroupName"));
        lines.push(format!("{left} gave its traffic to {kept}, {seconds:.1} s"));
        held.extend(stage["context"]["heldBack"].as_str().map(str::to_owned));
    }
    let all = client.get(&["applications", application, "heldBack"], &[])?;
    let all: Vec<&Value> =
        all.as_array().into_iter().flatten().filter(|one| held.contains(text(one, "release"))).collect();
    for one in all.iter().filter(|one| text(one, "account") == account) {
        let (release, cluster) = (text(one, "release"), text(one, "cluster"));
        // Where it is held back elsewhere, too, that is another decision.
        let only = if all.iter().all(|other| text(other, "account") == account) {
            String::new()
        } else {
            format!(" --account {account}")
        };
        lines.push(format!(
            "{release} is held back from {cluster}; `gennaker release {application} {release}{only}` lifts that"
        ));
    }
    Ok(lines)
}

/// Which version may come again.
#[derive(clap::Args)]
pub struct Release {
    /// The application
    #[arg(value_name = "APP")]
    application: String,
    /// The version that was rolled back, as 3.0 or helloterry-3.0; without one, those that are held back are listed
    version: Option<String>,
    /// In this cluster only
    #[arg(long)]
    cluster: Option<String>,
    /// In this account only
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// Runs `gennaker release`.
pub fn release(args: Release) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let only = [("cluster", &args.cluster), ("account", &args.account)];
    let query: Vec<(&str, String)> = only.into_iter().filter_map(|(key, only)| Some((key, only.clone()?))).collect();
    let Some(version) = &args.version else {
        output.print(&client.get(&["applications", &args.application, "heldBack"], &query)?)?;
        return done();
    };
    let path = ["applications", &args.application, "heldBack", version];
    let lifted = client.send(Method::DELETE, &path, &query, None)?;
    for one in lifted.as_array().into_iter().flatten() {
        output.say(format!("{} may come to {} again", text(one, "release"), text(one, "cluster")));
    }
    done()
}
