//! `gennaker server-group`: what an application's server groups are, and the operations on one of them.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};

use crate::client::{Client, Gate, done};
use crate::progress::text;

/// What can be done with server groups.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List those of an application
    List(List),
    /// Show one with its instances
    Get(One),
    /// Change how many instances it has
    Resize(Resize),
    /// Give it the traffic of its load balancers
    Enable(Traffic),
    /// Take its traffic away; its instances finish what they have
    Disable(Traffic),
    /// Take its traffic away and end it
    Destroy(One),
    /// Make the next version of its cluster, like it
    Clone(One),
}

/// Which application.
#[derive(clap::Args)]
pub struct List {
    /// The application
    #[arg(value_name = "APP")]
    application: String,
    #[command(flatten)]
    gate: Gate,
}

/// Which server group.
#[derive(clap::Args)]
pub struct One {
    /// Its name: shop-main-v003
    #[arg(value_name = "NAME")]
    name: String,
    /// Its account, where it is in several
    #[arg(long)]
    account: Option<String>,
    /// Its region, where it is in several
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// Which server group, and how large.
#[derive(clap::Args)]
pub struct Resize {
    #[command(flatten)]
    one: One,
    /// So many instances
    #[arg(value_name = "COUNT")]
    count: u32,
    /// At least so many [default: COUNT]
    #[arg(long)]
    min: Option<u32>,
    /// At most so many [default: COUNT]
    #[arg(long)]
    max: Option<u32>,
}

/// Which server group, and how much of it.
#[derive(clap::Args)]
pub struct Traffic {
    #[command(flatten)]
    one: One,
    /// This share of its instances only, in per cent
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100))]
    percentage: Option<u32>,
}

/// Runs `gennaker server-group`.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(args) => list(&args),
        Verb::Get(one) => {
            let (client, output) = one.gate.open()?;
            let group = find(&client, &one)?;
            let path = [
                "applications",
                application(&one.name),
                "serverGroups",
                text(&group, "account"),
                text(&group, "region"),
                &one.name,
            ];
            output.print(&client.get(&path, &[])?)?;
            done()
        }
        Verb::Resize(args) => {
            let capacity = json!({"min": args.min.unwrap_or(args.count), "max": args.max.unwrap_or(args.count), "desired": args.count});
            operate(&args.one, "resizeServerGroup", json!({"action": "scale_exact", "capacity": capacity}))
        }
        Verb::Enable(args) => operate(&args.one, "enableServerGroup", share(args.percentage)),
        Verb::Disable(args) => operate(&args.one, "disableServerGroup", share(args.percentage)),
        Verb::Destroy(one) => operate(&one, "destroyServerGroup", json!({})),
        Verb::Clone(one) => operate(&one, "cloneServerGroup", json!({})),
    }
}

fn share(percentage: Option<u32>) -> Value {
    percentage.map_or_else(|| json!({}), |percentage| json!({"desiredPercentage": percentage}))
}

fn application(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}

fn list(args: &List) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let groups = client.get(&["applications", &args.application, "serverGroups"], &[])?;
    if output.is_for_people() {
        output.lines(&table(&groups))?
    } else {
        output.print(&groups)?
    }
    done()
}

/// Pure: a line each.
fn table(groups: &Value) -> Vec<String> {
    let mut out = vec![format!(
        "{:<36} {:<12} {:<12} {:<9} {:>9}  {}",
        "name", "account", "region", "traffic", "up", "load balancers"
    )];
    for group in groups.as_array().into_iter().flatten() {
        let counts = &group["instanceCounts"];
        let traffic = if group["isDisabled"] == true { "no" } else { "yes" };
        let balancers: Vec<&str> =
            group["loadBalancers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        out.push(format!(
            "{:<36} {:<12} {:<12} {traffic:<9} {:>9}  {}",
            text(group, "name"),
            text(group, "account"),
            text(group, "region"),
            format!("{} of {}", counts["up"], counts["total"]),
            balancers.join(", "),
        ));
    }
    out
}

/// The one server group that is meant.
fn find(client: &Client, one: &One) -> anyhow::Result<Value> {
    let application = application(&one.name);
    let groups = client.get(&["applications", application, "serverGroups"], &[("expand", "false".into())])?;
    let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|wanted| wanted == own);
    let mut found: Vec<&Value> = groups.as_array().into_iter().flatten().collect();
    found.retain(|group| {
        text(group, "name") == one.name
            && is(&one.account, text(group, "account"))
            && is(&one.region, text(group, "region"))
    });
    match found.as_slice() {
        [group] => Ok((*group).clone()),
        [] => bail!(
            "there is no server group {}; `gennaker server-group list {application}` shows those that there are",
            one.name
        ),
        several => {
            let places: Vec<String> =
                several.iter().map(|group| format!("{}/{}", text(group, "account"), text(group, "region"))).collect();
            bail!("{} is in {}; say which with --account and --region", one.name, places.join(", "))
        }
    }
}

/// Does one operation on a group and waits for it.
fn operate(one: &One, kind: &str, more: Value) -> anyhow::Result<ExitCode> {
    let (client, output) = one.gate.open()?;
    let group = find(&client, one)?;
    let (account, region) = (text(&group, "account"), text(&group, "region"));
    let mut job = json!({
        "type": kind, "credentials": account, "cloudProvider": group["cloudProvider"], "region": region, "serverGroupName": one.name,
        "cluster": group["cluster"],
    });
    if kind == "cloneServerGroup" {
        job = json!({"type": kind, "credentials": account, "cloudProvider": group["cloudProvider"],
                     "source": {"account": account, "region": region, "serverGroupName": one.name}});
    }
    for (key, value) in more.as_object().into_iter().flatten() {
        job[key] = value.clone();
    }
    let body =
        json!({"application": application(&one.name), "description": format!("{kind} {}", one.name), "job": [job]});
    let task = client.task(&body)?;
    output.say(format!("{kind} {}: {}", one.name, text(&task, "status")));
    if output.format.is_some() {
        output.print(&task)?;
    }
    done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_listed_a_line_each() {
        let groups = json!([{"name": "shop-v001", "account": "local", "region": "local", "isDisabled": false, "loadBalancers": ["front"],
                             "instanceCounts": {"up": 3, "total": 4}}]);
        assert_eq!(
            table(&groups)[1],
            "shop-v001                            local        local        yes          3 of 4  front"
        );
    }
}
