//! How a script is kept in: what the machine allows is found out once, by trying. A process namespace ends every process of the script with the script,
//! those too that left its group; a control group bounds how many there are and how much memory they take; resource limits hold for each process. They
//! are set by `unshare` and `prlimit` before the script's first instruction, so that nothing is forked in between.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use super::config::Limits;

/// The variable by which the processes of a script are found again where there is no namespace.
pub(super) const MARK: &str = "GENNAKER_SCRIPT";
/// The words that put a script into a process namespace of its own, the strongest first.
const NAMESPACES: [&[&str]; 2] = [
    &["--fork", "--pid", "--kill-child=KILL", "--mount-proc", "--"],
    &["--user", "--map-current-user", "--fork", "--pid", "--kill-child=KILL", "--mount-proc", "--"],
];
/// Joins the control group and hands over; the namespace's first process waits for the script, so that the script is an ordinary process.
const ENTER: &str = "if [ -n \"$1\" ]; then echo $$ > \"$1/cgroup.procs\" || exit 126; fi; shift; exec \"$@\"";
const FIRST: &str = "\"$@\"; exit $?";

/// Processes that are not the script's: those that hold its namespace.
const OWN: u64 = 2;

/// What this machine allows.
#[derive(Debug, Default)]
pub(super) struct Means {
    unshare: Option<(PathBuf, &'static [&'static str])>,
    prlimit: Option<PathBuf>,
    shell: Option<PathBuf>,
    root: bool,
}

impl Means {
    /// Finds out by trying.
    pub async fn of(path: &str) -> Means {
        let mut means = Means {
            unshare: None,
            prlimit: find("prlimit", path),
            shell: find("sh", path),
            root: rustix::process::geteuid().is_root(),
        };
        let Some(unshare) = find("unshare", path) else { return means };
        for words in NAMESPACES {
            let mut command = Command::new(&unshare);
            command.args(words).arg("true").env_clear().env("PATH", path).kill_on_drop(true);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let tried = tokio::time::timeout(Duration::from_secs(5), command.status()).await;
            if matches!(tried, Ok(Ok(status)) if status.success()) {
                means.unshare = Some((unshare, words));
                break;
            }
        }
        means
    }

    /// What is missing here, for the log of a script.
    pub fn missing(&self, group: Option<&Group>) -> Option<String> {
        let mut missing = Vec::new();
        if !self.ends_all() {
            missing.push("process namespace");
        }
        if group.is_none() {
            missing.push("control group");
        }
        if !self.limits_from_the_start() {
            missing.push("limits from the start");
        }
        (!missing.is_empty()).then(|| format!("this machine gives the script no {}", missing.join(", no ")))
    }

    /// Whether nothing of a script can outlive it.
    pub fn ends_all(&self) -> bool {
        self.unshare.is_some() && self.shell.is_some()
    }

    /// Whether limits hold before a script's first instruction.
    pub fn limits_from_the_start(&self) -> bool {
        self.prlimit.is_some() && self.shell.is_some()
    }

    /// The words that start `program` kept in.
    pub fn words(&self, program: &Path, args: &[String], limits: &Limits, group: Option<&Group>) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut words = Vec::new();
        if let Some(shell) = &self.shell {
            let group = group.map(|group| text(&group.folder)).unwrap_or_default();
            words.extend([text(shell), "-c".into(), ENTER.into(), "sh".into(), group]);
        }
        if let Some((unshare, more)) = self.unshare.as_ref().filter(|_| self.shell.is_some()) {
            words.push(text(unshare));
            words.extend(more.iter().map(|word| (*word).to_owned()));
            words.extend([
                text(self.shell.as_deref().unwrap_or(Path::new("sh"))),
                "-c".into(),
                FIRST.into(),
                "sh".into(),
            ]);
        }
        if let (Some(prlimit), true) = (&self.prlimit, self.shell.is_some()) {
            words.push(text(prlimit));
            words.extend(limits.of_a_process());
            if !self.root && group.is_none() {
                // It counts all processes of this user; root is exempt from it.
                words.push(format!("--nproc={}", limits.processes.unwrap_or(4096)));
            }
            words.push("--".into());
        }
        words.push(text(program));
        words.extend(args.iter().cloned());
        words
    }
}

/// The file of a program: as it stands when it is a path, else the first in the search path.
pub(super) fn find(program: &str, path: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |file: &Path| file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|file| runs(file));
    }
    path.split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(folder).join(program))
        .find(|file| runs(file))
}

/// A control group for one script. What is in it ends when it goes.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
}

impl Group {
    /// A new group with limits, where this process may make one.
    pub fn new(name: &str, limits: &Limits) -> Option<Group> {
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let folder = places(&own).into_iter().map(|place| place.join(format!("gennaker-{name}"))).find(|folder| {
            std::fs::create_dir(folder).is_ok() && {
                let bounded = set(folder, "pids.max", limits.processes() + OWN);
                if !bounded {
                    let _ = std::fs::remove_dir(folder);
                }
                bounded
            }
        })?;
        if let Some(size) = limits.memory_mb {
            // Where this group has no memory controller the limit of each process holds.
            let _ = set(&folder, "memory.max", size.max(16) << 20);
        }
        Some(Group { folder })
    }

    fn processes(&self) -> Vec<Pid> {
        let text = std::fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A fork bomb may win a round, not all of them: it cannot have more processes than the limit.
        for _ in 0..200 {
            let left = self.processes();
            for pid in &left {
                let _ = kill_process(*pid, Signal::KILL);
            }
            if std::fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        tracing::warn!(folder = %self.folder.display(), "a script's control group does not go");
    }
}

/// Sets a limit of a group. The kernel makes its files: a folder without them bounds nothing, whatever is written into it.
fn set(folder: &Path, limit: &str, value: u64) -> bool {
    let file = std::fs::OpenOptions::new().write(true).open(folder.join(limit));
    file.and_then(|mut file| std::io::Write::write_all(&mut file, value.to_string().as_bytes())).is_ok()
}

/// Where a group that bounds processes may be made: the newer hierarchy, then the older one.
fn places(own: &str) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let path = path.trim_start_matches('/');
        if controllers.is_empty() {
            places.insert(0, Path::new("/sys/fs/cgroup").join(path));
        } else if controllers.split(',').any(|c| c == "pids") {
            places.push(Path::new("/sys/fs/cgroup").join(controllers).join(path));
        }
    }
    places
}

/// Ends every process that has a script's mark in its environment: those that left its group where there is no namespace.
pub(super) fn end_marked(mark: &str) {
    let wanted = format!("{MARK}={mark}");
    for _ in 0..50 {
        let mut found = false;
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?)) else {
                continue;
            };
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|b| *b == 0).any(|variable| variable == wanted.as_bytes()) {
                found |= kill_process(pid, Signal::KILL).is_ok();
            }
        }
        if !found {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_made_where_processes_are_bounded() {
        assert_eq!(places("0::/user.slice\n"), [Path::new("/sys/fs/cgroup/user.slice")]);
        let older = "8:pids:/a\n4:memory:/b\n0::/\n";
        assert_eq!(places(older), [Path::new("/sys/fs/cgroup/"), Path::new("/sys/fs/cgroup/pids/a")]);
    }

    #[test]
    fn a_program_is_found_in_the_search_path_and_nowhere_else() {
        assert_eq!(find("sh", "/nowhere:/bin"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("sh", ""), None);
        assert_eq!(find("/bin/sh", ""), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("/etc/hostname-that-is-none", "/bin"), None);
    }

    #[test]
    fn without_means_the_program_starts_as_it_is() {
        let words = Means::default().words(Path::new("/bin/echo"), &["a b".into()], &Limits::default(), None);
        assert_eq!(words, ["/bin/echo", "a b"]);
    }
}
