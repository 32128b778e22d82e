//! `gennaker stop`: ends the server, and says what goes on running.

use std::process::ExitCode;

use crate::machine::Place;

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

/// Ends it and waits until it is gone. Exit code 0 also when none ran: what was asked for is so.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let machine = args.place.machine()?;
    if machine.stop_server()? {
        println!("the server has ended");
    } else {
        println!("no server runs for {}", machine.data.display());
    }
    if let Some(status) = machine.status()? {
        let (balancers, instances) = (status.balancers.len(), status.instances.len());
        println!(
            "still running: the data plane (process {}) with {balancers} balancers and {instances} instances; `gennaker down --all` ends them",
            status.pid
        );
    }
    Ok(ExitCode::SUCCESS)
}
