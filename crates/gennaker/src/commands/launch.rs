//! `gennaker launch`: the processes of one instance (see `dataplane::launch`). Never called by people.

use std::path::PathBuf;
use std::process::ExitCode;

use dataplane::launch::{self, Options, Role, isolation_name};
use dataplane::status::IsolationKind;

const ROLES: [Role; 5] = [Role::Start, Role::Shim, Role::Program, Role::Probe, Role::ProbeProgram];
const KINDS: [IsolationKind; 3] = [IsolationKind::Namespaces, IsolationKind::UserNamespace, IsolationKind::None];

/// Which instance, and which of its processes.
#[derive(clap::Args)]
pub struct Args {
    /// The instance's folder
    #[arg(long)]
    dir: PathBuf,
    /// What to be
    #[arg(long, value_parser = role, default_value = "start")]
    role: Role,
    /// What the instance is kept apart by
    #[arg(long, value_parser = isolation, default_value = "none")]
    isolation: IsolationKind,
}

fn role(name: &str) -> Result<Role, String> {
    ROLES.into_iter().find(|r| r.name() == name).ok_or_else(|| "no such role".into())
}

fn isolation(name: &str) -> Result<IsolationKind, String> {
    KINDS.into_iter().find(|k| isolation_name(*k) == name).ok_or_else(|| "no such isolation".into())
}

/// Runs one role.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    launch::main(Options {
        dir: args.dir,
        role: args.role,
        isolation: args.isolation,
        clock: super::dataplane::clock(),
    })?;
    Ok(ExitCode::SUCCESS)
}
