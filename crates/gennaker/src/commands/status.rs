//! `gennaker status`: what runs here, since when, which version, for which data folder.

use std::process::ExitCode;

use dataplane::status::{HealthState, InstanceStatus, Status};
use serde_json::json;
use store::clock::{Clock, SystemClock};

use crate::client::of_the_machine;
use crate::machine::{Machine, Place, age};

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Print one JSON object for machines
    #[arg(long)]
    json: bool,
}

/// Prints it. Exit code 0 when a server runs, 3 when none does.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let machine = args.place.machine()?;
    let (server, status) = (machine.server(), machine.status()?);
    let running = server.is_some();
    if args.json {
        let server = server.map(|file| file.map_or(json!({}), |file| json!(file)));
        println!("{:#}", json!({ "data": machine.data, "server": server, "dataPlane": status }));
    } else {
        let other = if running { None } else { of_the_machine(&args.place) };
        print(&machine, status.as_ref(), other);
    }
    Ok(ExitCode::from(if running { 0 } else { 3 }))
}

/// `other`: where a server of another user answers.
fn print(machine: &Machine, status: Option<&Status>, other: Option<&str>) {
    let now = SystemClock.now().as_millisecond();
    println!("data folder  {}", machine.data.display());
    match machine.server() {
        None => {
            println!("server       not running");
            if let Some(address) = other {
                println!("             another one answers at {address}, and commands ask that");
            }
        }
        Some(None) => println!("server       starting or ending"),
        Some(Some(file)) => {
            let (pid, age) = (file.pid, age(now, file.started_at));
            println!("server       process {pid}, version {}, for {age}, http://{}/ui/", file.version, file.listen);
            if let Some(gate) = file.gate_listen {
                println!("             the same for Gate's clients at http://{gate}");
            }
        }
    }
    let Some(status) = status else {
        println!("data plane   not running");
        let left = machine.instances().len();
        if left > 0 {
            println!("instances    {left} folders; `gennaker serve` or `gennaker down --all` takes them up");
        }
        return;
    };
    let generation = status.generation.map_or("nothing wanted yet".to_owned(), |g| format!("generation {g}"));
    let age_of = age(now, status.started_at);
    println!("data plane   process {}, version {}, for {age_of}, {generation}", status.pid, status.version);
    for balancer in &status.balancers {
        let addresses: Vec<String> = balancer
            .listeners
            .iter()
            .map(|l| match (&l.bound, &l.problem) {
                (Some(bound), _) => bound.to_string(),
                (None, why) => format!("{} (closed: {})", l.wanted, why.as_deref().unwrap_or("not open yet")),
            })
            .collect();
        let up = balancer.members.iter().filter(|m| m.health.state == HealthState::Up).count();
        let (id, all) = (&balancer.id, balancer.members.len());
        println!("balancer     {id} at {}, {up} of {all} members up", addresses.join(", "));
    }
    status.instances.iter().for_each(|instance| println!("{}", line(instance, now)));
}

fn line(instance: &InstanceStatus, now: i64) -> String {
    let state = format!("{:?}", instance.state).to_lowercase();
    let pid = instance.pid.map_or(String::new(), |pid| format!(", process {pid}"));
    let port = instance.port.map_or(String::new(), |port| format!(", port {port}"));
    let health = format!("{:?}", instance.health.state).to_lowercase();
    let age = age(now, instance.since);
    let why =
        if instance.health.state == HealthState::Down { format!(": {}", instance.health.why) } else { String::new() };
    format!("instance     {} in {}, {state} for {age}{pid}{port}, health {health}{why}", instance.id, instance.zone)
}
