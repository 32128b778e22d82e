//! The demo's folder, the processes that it started, and how every trace of both goes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Says that a folder was made by the demo: nothing else is ever removed.
const MARK: &str = "made-by-gennaker-demo";

/// The demo's folder.
pub struct Place {
    folder: PathBuf,
    program: PathBuf,
}

impl Place {
    /// Makes the folder, which must be new or empty.
    pub fn make(folder: &Path) -> anyhow::Result<Place> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}; name another folder with --data", folder.display()))?;
        if std::fs::read_dir(folder)?.next().is_some() {
            bail!("{} is not empty and was not made by the demo; name another folder with --data", folder.display());
        }
        std::fs::write(folder.join(MARK), "gennaker demo --clean removes this folder\n")?;
        let program = std::env::current_exe().context("cannot find the path of this program")?;
        let place = Place { folder: folder.to_owned(), program };
        for name in ["bin", "home", "packages", "log"] {
            std::fs::create_dir(place.folder.join(name))?;
        }
        for name in ["gennaker", "aptly"] {
            std::os::unix::fs::symlink(&place.program, place.folder.join("bin").join(name))?;
        }
        Ok(place)
    }

    /// A path in the folder.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The `HOME` of every command that the demo runs.
    pub fn home(&self) -> PathBuf {
        self.at("home")
    }

    /// Where the output of processes goes.
    pub fn log(&self) -> PathBuf {
        self.at("log")
    }

    /// Our program under one of its names, with the demo's `HOME`.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.at("bin").join(name));
        command
            .env("HOME", self.home())
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(self.at("packages"));
        command
    }

    /// Starts a process that outlives us, with its output in a log file, and remembers it.
    pub fn spawn(&self, name: &str, mut command: Command) -> anyhow::Result<Child> {
        use std::os::unix::process::CommandExt;
        let log = File::options().create(true).append(true).open(self.log().join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let started = start_time(child.id()).unwrap_or_default();
        let mut list = File::options().create(true).append(true).open(self.at("processes"))?;
        writeln!(list, "{} {started} {name}", child.id())?;
        Ok(child)
    }

    /// The end of a process's log, for messages.
    pub fn tail(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.log().join(format!("{name}.log"))).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Ends everything that runs for this folder.
    pub fn end_processes(&self) -> anyhow::Result<()> {
        end_processes(&self.folder, &self.program)
    }

    /// Removes every trace of a demo: processes, mounts, the folder. `false`: there was none.
    pub fn clean(folder: &Path) -> anyhow::Result<bool> {
        if !folder.join(MARK).is_file() {
            return Ok(false);
        }
        end_processes(folder, &std::env::current_exe()?)?;
        unmount_below(folder)?;
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        Ok(true)
    }
}

fn end_processes(folder: &Path, program: &Path) -> anyhow::Result<()> {
    let server = folder.join("server");
    if server.is_dir() {
        let down = Command::new(program)
            .args(["down", "--all", "--data"])
            .arg(&server)
            .env("HOME", folder.join("home"))
            .output()?;
        if !down.status.success() {
            bail!("gennaker down --all --data {}: {}", server.display(), String::from_utf8_lossy(&down.stderr).trim());
        }
    }
    let list = std::fs::read_to_string(folder.join("processes")).unwrap_or_default();
    let ours: Vec<(Pid, String)> = list.lines().filter_map(still_ours).collect();
    for (signal, patience) in [(Signal::TERM, 5), (Signal::KILL, 5)] {
        ours.iter().filter(|(pid, _)| alive(*pid)).for_each(|(pid, _)| {
            // It may have ended this very moment.
            let _ = kill_process(*pid, signal);
        });
        let until = Instant::now() + Duration::from_secs(patience);
        while ours.iter().any(|(pid, _)| alive(*pid)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    match ours.iter().find(|(pid, _)| alive(*pid)) {
        Some((pid, name)) => bail!("{name} (process {}) does not end", pid.as_raw_nonzero()),
        None => Ok(()),
    }
}

/// The process of a line of the list, when it is still the one that was started: same number, same start time.
fn still_ours(line: &str) -> Option<(Pid, String)> {
    let mut words = line.splitn(3, ' ');
    let id: u32 = words.next()?.parse().ok()?;
    let started = words.next()?;
    let name = words.next()?.to_owned();
    (start_time(id).as_deref() == Some(started)).then_some((Pid::from_raw(i32::try_from(id).ok()?)?, name))
}

/// When a process started, as the kernel counts it.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(19).map(str::to_owned)
}

/// Whether a process runs; one that has ended and waits for its parent does not.
fn alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let zombie = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'));
    !zombie && test_kill_process(pid).is_ok()
}

/// Takes away whatever is still mounted below the folder.
fn unmount_below(folder: &Path) -> anyhow::Result<()> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut below: Vec<PathBuf> = mounts
        .lines()
        .filter_map(|l| l.split(' ').nth(4))
        .map(PathBuf::from)
        .filter(|p| p.starts_with(folder))
        .collect();
    below.sort();
    for path in below.iter().rev() {
        rustix::mount::unmount(path, rustix::mount::UnmountFlags::DETACH)
            .with_context(|| format!("cannot unmount {}", path.display()))?;
    }
    Ok(())
}

/// A port on which nobody listens now. Below the range from which Linux takes ports for outgoing connections.
pub fn free_port() -> anyhow::Result<u16> {
    use std::net::{Ipv6Addr, TcpListener};
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let first = (std::process::id() % 12_000) as u16;
    for _ in 0..12_000 {
        let step = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let port = 18_000 + (first + step) % 12_000;
        let free = TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok();
        if free
            && TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
                .map_or_else(|e| e.kind() != std::io::ErrorKind::AddrInUse, |_| true)
        {
            return Ok(port);
        }
    }
    bail!("no free port between 18000 and 30000")
}
