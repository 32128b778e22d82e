//! What the story needs on this machine, and how to get what is missing.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use stages::room::Disk;

use super::place::Place;
use super::progress::Said;
use crate::environment::Environment;

/// The oldest Node that we test with.
const NODE: u32 = 20;
/// Bytes that a whole demo may use.
const DISK: u64 = 512 << 20;

/// Looks at everything first, so that the answer names all that is missing.
pub async fn machine(place: &Place, environment: &Environment) -> anyhow::Result<Said<()>> {
    let mut missing = Vec::new();
    let mut said = Vec::new();
    match output(Command::new("node").arg("--version")) {
        Some(version) => {
            let major: u32 =
                version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            if major < NODE {
                missing.push(format!("Node.js {NODE} or later (found {version}): https://nodejs.org/en/download, or apt-get install nodejs on Debian 13"));
            }
            said.push(format!("node {version}"));
        }
        None => missing.push(format!(
            "Node.js {NODE} or later: https://nodejs.org/en/download, or apt-get install nodejs on Debian 13"
        )),
    }
    for (program, package) in [("apt-get", "apt"), ("dpkg-deb", "dpkg")] {
        if output(Command::new(program).arg("--version")).is_none() {
            missing.push(format!("{program} (package {package}); the demo's apt client is Debian's own"));
        }
    }
    let folder = place.folder();
    let free = Disk::of(folder).with_context(|| format!("cannot look at the disk of {}", folder.display()))?.free;
    said.push(format!("{} MB free", free >> 20));
    if free < DISK {
        missing.push(format!(
            "{} MB of disk below {} (there are {} MB): free some, or name another folder with --data",
            DISK >> 20,
            folder.display(),
            free >> 20
        ));
    }
    if environment.root
        && let Some(closed) = folder.ancestors().find(|folder| !others_may_enter(folder))
    {
        missing.push(format!(
            "a folder that nginx's user www-data may enter: {} is closed to others; name another one with --data",
            closed.display()
        ));
    }
    if !missing.is_empty() {
        bail!("this machine lacks:\n  - {}", missing.join("\n  - "));
    }
    said.push(place.folder().display().to_string());
    Ok(Said((), said.join(", ")))
}

fn others_may_enter(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|m| m.permissions().mode() & 0o001 != 0)
}

/// The first line of what a command prints; `None` when it cannot be run.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned())
}
