//! `gennaker down`: lists, then ends instances and balancers, of one application or all. Destroying a server group for
//! good is the server's work (a pipeline, or `POST /tasks`); this frees the machine, also when no server runs.

use std::process::ExitCode;

use anyhow::bail;
use dataplane::wanted::Wanted;

use crate::machine::{Machine, Place, application};

/// What may be said.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["app", "all"])))]
pub struct Args {
    /// The application whose instances and balancers end
    app: Option<String>,
    /// End everything: the server, all instances and balancers, the data plane
    #[arg(long)]
    all: bool,
    /// Only list what would end
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Ends it. Exit code 1 when something did not end in time.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let machine = args.place.machine()?;
    let wanted = machine.wanted()?;
    let chosen = |name: &str| args.app.as_deref().is_none_or(|app| application(name) == app);
    let (ending, staying) = split(&wanted, chosen);
    list(&machine, &ending, args.all)?;
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if args.all {
        return everything(&machine, &staying);
    }
    if ending.instances.is_empty() && ending.balancers.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if machine.server().is_some() {
        // The server would want them again at once.
        bail!(
            "a server runs and keeps these: destroy the server groups through it (page, pipeline or POST /tasks), or run `gennaker stop` first"
        );
    }
    machine.want(&staying)?;
    println!("ended; the next `gennaker serve` starts them again unless their server groups are destroyed");
    Ok(ExitCode::SUCCESS)
}

fn everything(machine: &Machine, staying: &Wanted) -> anyhow::Result<ExitCode> {
    if machine.stop_server()? {
        println!("the server has ended");
    }
    let left = machine.status()?.is_some() || !machine.instances().is_empty();
    if left {
        machine.want(staying)?;
        machine.stop_dataplane()?;
        println!("instances, balancers and the data plane have ended");
    }
    Ok(ExitCode::SUCCESS)
}

/// What ends, and the wanted state without it.
fn split(wanted: &Wanted, chosen: impl Fn(&str) -> bool) -> (Wanted, Wanted) {
    let (mut ending, mut staying) =
        (Wanted::default(), Wanted { generation: wanted.generation + 1, ..Wanted::default() });
    for instance in &wanted.instances {
        let side = if chosen(&instance.group) { &mut ending } else { &mut staying };
        side.instances.push(instance.clone());
    }
    for balancer in &wanted.balancers {
        // Whose instances stand behind it; with none, what it is called, in other accounts than `local` after the account's name.
        let own = |id: &str| {
            let id = id.strip_prefix("preview.").unwrap_or(id);
            chosen(id) || id.split_once('.').is_some_and(|(_, name)| chosen(name))
        };
        let is_chosen = balancer.members.first().map_or_else(|| own(&balancer.id), |member| chosen(&member.group));
        let side = if is_chosen { &mut ending } else { &mut staying };
        side.balancers.push(balancer.clone());
    }
    (ending, staying)
}

fn list(machine: &Machine, ending: &Wanted, all: bool) -> anyhow::Result<()> {
    if all && machine.server().is_some() {
        println!("server       for {}", machine.data.display());
    }
    if all && let Some(status) = machine.status()? {
        println!("data plane   process {}", status.pid);
    }
    ending.balancers.iter().for_each(|balancer| println!("balancer     {}", balancer.id));
    ending.instances.iter().for_each(|instance| println!("instance     {} of {}", instance.id, instance.group));
    if ending.balancers.is_empty() && ending.instances.is_empty() {
        println!("no instance and no balancer is wanted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dataplane::wanted::{Balancer, Instance, Root};

    use super::*;

    fn instance(group: &str) -> Instance {
        let root = Root::Folder { dir: "/tmp".into() };
        Instance::new(format!("{group}-x1"), group, root, vec!["true".into()])
    }

    fn balancer(id: &str) -> Balancer {
        Balancer { id: id.into(), ..Balancer::default() }
    }

    #[test]
    fn one_application_ends_and_the_others_stay_under_a_newer_generation() {
        let wanted = Wanted {
            generation: 7,
            instances: vec![instance("shop-v000"), instance("shopping-v000"), instance("shop-test-v001")],
            balancers: ["shop", "other-v001", "prod.shop", "preview.prod.shop-v000"].map(balancer).to_vec(),
            ..Wanted::default()
        };
        let (ending, staying) = split(&wanted, |name| application(name) == "shop");
        let groups = |wanted: &Wanted| wanted.instances.iter().map(|i| i.group.clone()).collect::<Vec<_>>();
        assert_eq!(groups(&ending), ["shop-v000", "shop-test-v001"]);
        assert_eq!(groups(&staying), ["shopping-v000"]);
        let ids = |wanted: &Wanted| wanted.balancers.iter().map(|b| b.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&ending), ["shop", "prod.shop", "preview.prod.shop-v000"]);
        assert_eq!(ids(&staying), ["other-v001"]);
        assert_eq!(staying.generation, 8);
    }
}
