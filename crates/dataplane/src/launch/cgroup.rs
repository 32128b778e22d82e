//! Limits of memory, CPU and processes by cgroup v2, where this machine has it with these controllers and we may use it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::wanted::Limits;

/// Where cgroup v2 is mounted.
pub const MOUNT: &str = "/sys/fs/cgroup";
/// The time in which a share of CPU is counted, in microseconds.
const PERIOD: u64 = 100_000;

/// What a limit needs: the controller, its file and what is written there.
fn settings(limits: &Limits) -> Vec<(&'static str, &'static str, String)> {
    let mut settings = Vec::new();
    settings.extend(limits.memory_bytes.map(|bytes| ("memory", "memory.max", bytes.to_string())));
    settings.extend(
        limits.cpu_milli.map(|milli| ("cpu", "cpu.max", format!("{} {PERIOD}", u64::from(milli) * PERIOD / 1000))),
    );
    settings.extend(limits.processes.map(|number| ("pids", "pids.max", number.to_string())));
    settings
}

/// The group of the instance in `folder`: two data folders may have instances of one name.
pub fn group(mount: &Path, folder: &Path) -> PathBuf {
    let text = folder.to_string_lossy();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    mount.join("gennaker").join(format!("{name}-{hash:016x}"))
}

/// Puts this process, and so all it starts, into a group with these limits. What cannot be had comes back as a warning.
pub fn enter(mount: &Path, folder: &Path, limits: &Limits) -> Option<String> {
    let settings = settings(limits);
    let names: Vec<&str> = settings.iter().map(|(controller, ..)| *controller).collect();
    if settings.is_empty() {
        return None;
    }
    let entered =
        usable(mount, &names).and_then(|()| make(mount, &group(mount, folder), &settings).map_err(|e| e.to_string()));
    entered.err().map(|why| format!("limits of {} are not enforced: {why}", names.join(", ")))
}

/// Removes the group of an instance that is gone.
pub fn leave(mount: &Path, folder: &Path) {
    let _ = fs::remove_dir(group(mount, folder));
}

fn usable(mount: &Path, names: &[&str]) -> Result<(), String> {
    let controllers = fs::read_to_string(mount.join("cgroup.controllers"));
    let controllers = controllers.map_err(|_| format!("there is no cgroup v2 at {}", mount.display()))?;
    let missing: Vec<&str> =
        names.iter().filter(|n| !controllers.split_whitespace().any(|c| c == **n)).copied().collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("cgroup v2 has no controller {} here", missing.join(", "))) }
}

fn make(mount: &Path, group: &Path, settings: &[(&str, &str, String)]) -> io::Result<()> {
    fs::create_dir_all(group)?;
    for level in [mount, &mount.join("gennaker")] {
        for (controller, ..) in settings {
            fs::write(level.join("cgroup.subtree_control"), format!("+{controller}"))?;
        }
    }
    for (_, file, value) in settings {
        fs::write(group.join(file), value)?;
    }
    // 0 is the process that writes.
    fs::write(group.join("cgroup.procs"), "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { memory_bytes: Some(64 << 20), cpu_milli: Some(1500), processes: Some(100), ..Limits::default() }
    }

    #[test]
    fn limits_are_written_where_cgroup_v2_has_the_controllers() {
        let mount = tempfile::tempdir().unwrap();
        fs::write(mount.path().join("cgroup.controllers"), "cpuset cpu io memory pids\n").unwrap();
        let folder = Path::new("/data/instances/web-v000-1");
        assert_eq!(enter(mount.path(), folder, &limits()), None);
        let group = group(mount.path(), folder);
        let read = |file: &str| fs::read_to_string(group.join(file)).unwrap();
        assert_eq!(
            (read("memory.max"), read("cpu.max"), read("pids.max")),
            ("67108864".into(), "150000 100000".into(), "100".into())
        );
        assert_eq!(read("cgroup.procs"), "0");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mount = tempfile::tempdir().unwrap();
        let folder = Path::new("/data/instances/web-v000-1");
        let why = enter(mount.path(), folder, &limits()).unwrap();
        assert_eq!(
            why,
            format!(
                "limits of memory, cpu, pids are not enforced: there is no cgroup v2 at {}",
                mount.path().display()
            )
        );
        fs::write(mount.path().join("cgroup.controllers"), "cpu\n").unwrap();
        let why = enter(mount.path(), folder, &limits()).unwrap();
        assert_eq!(why, "limits of memory, cpu, pids are not enforced: cgroup v2 has no controller memory, pids here");
        assert_eq!(enter(mount.path(), folder, &Limits::default()), None);
    }
}
