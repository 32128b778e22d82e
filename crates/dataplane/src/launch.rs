//! `gennaker launch`: the processes of one instance. Each [`Role`] is a run of the same program, so that namespaces are entered and
//! rights dropped by a process with one thread and without any code between fork and exec.
//!
//! `start` leaves the machine's PID namespace and starts `shim`, which supervises ([`shim`]) and starts `program`, which makes the
//! instance's root ([`root`]), drops its rights and becomes the program.

mod cgroup;
mod log;
mod root;
mod shim;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::thread::UnshareFlags;

use crate::clock::Clock;
use crate::folder::Folder;
use crate::status::{Isolation, IsolationKind};
use crate::sys;

/// This program, also after its file was replaced.
const SELF: &str = "/proc/self/exe";

/// What to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Starts the shim of an instance and ends.
    Start,
    /// Supervises an instance.
    Shim,
    /// Becomes an instance's program.
    Program,
    /// Tries an isolation.
    Probe,
    /// Is the program of that trial.
    ProbeProgram,
}

/// How to launch.
#[derive(Debug, Clone)]
pub struct Options {
    /// The instance's folder; for probes the data folder.
    pub dir: PathBuf,
    /// What to be.
    pub role: Role,
    /// What the instance is kept apart by.
    pub isolation: IsolationKind,
    /// The time.
    pub clock: Clock,
}

/// Why nothing was launched.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct LaunchError {
    /// What was tried.
    what: String,
    /// The cause.
    cause: io::Error,
}

/// Adds what was tried to an I/O error.
trait Tried<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, LaunchError>;
}

impl<T, E: Into<io::Error>> Tried<T> for Result<T, E> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, LaunchError> {
        self.map_err(|cause| LaunchError { what: what(), cause: cause.into() })
    }
}

/// Runs one role. `Program` does not return when it succeeds. Call it from a process that has one thread.
pub fn main(options: Options) -> Result<(), LaunchError> {
    match options.role {
        Role::Start => start(&options),
        Role::Shim => shim::run(Folder::at(options.dir), options.isolation, options.clock),
        Role::Program => root::become_program(&Folder::at(options.dir), options.isolation),
        Role::Probe => try_isolation(&options),
        Role::ProbeProgram => root::try_root(&options.dir, options.isolation),
    }
}

impl Role {
    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shim => "shim",
            Self::Program => "program",
            Self::Probe => "probe",
            Self::ProbeProgram => "probe-program",
        }
    }
}

/// Removes what the machine keeps of an instance that is gone.
pub(crate) fn forget(folder: &Folder) {
    cgroup::leave(Path::new(cgroup::MOUNT), folder.path());
}

/// As the command line names an isolation.
pub fn isolation_name(kind: IsolationKind) -> &'static str {
    match kind {
        IsolationKind::Namespaces => "namespaces",
        IsolationKind::UserNamespace => "user-namespace",
        IsolationKind::None => "none",
    }
}

/// A run of `exe` in another role, with an empty environment.
fn command(exe: &Path, role: Role, dir: &Path, isolation: IsolationKind) -> Command {
    let mut command = Command::new(exe);
    command
        .arg0("gennaker")
        .args(["launch", "--role", role.name(), "--isolation", isolation_name(isolation), "--dir"])
        .arg(dir);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Starts the shim of the instance in `folder`; returns when it has been started, not when it is ready.
pub(crate) fn instance(exe: &Path, folder: &Folder, isolation: IsolationKind) -> io::Result<()> {
    // The file may have been replaced or removed since this process was started from it.
    let exe = if exe.exists() { exe } else { Path::new(SELF) };
    let started = command(exe, Role::Start, folder.path(), isolation).stderr(Stdio::piped()).output()?;
    if started.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&started.stderr);
    Err(io::Error::other(format!("{} ended with {}: {}", exe.display(), started.status, why.trim())))
}

fn start(options: &Options) -> Result<(), LaunchError> {
    leave(options.isolation)?;
    let folder = Folder::at(&options.dir);
    let complaints = folder.complaints();
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&complaints);
    let log = log.tried(|| format!("cannot open {}", complaints.display()))?;
    // Not waited for: it outlives this process, and belongs to nobody then.
    command(Path::new(SELF), Role::Shim, &options.dir, options.isolation)
        .stderr(log)
        .current_dir("/")
        .spawn()
        .map(drop)
        .tried(|| "cannot start the shim".into())
}

/// Leaves the machine's PID namespace (the next child is the first process of a new one), as an ordinary user inside a user namespace.
fn leave(isolation: IsolationKind) -> Result<(), LaunchError> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    match isolation {
        IsolationKind::None => Ok(()),
        IsolationKind::Namespaces => sys::unshare(UnshareFlags::NEWPID).tried(|| "cannot make a PID namespace".into()),
        IsolationKind::UserNamespace => {
            sys::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWPID)
                .tried(|| "cannot make a user and a PID namespace".into())?;
            let write = |file: &str, text: String| {
                std::fs::write(format!("/proc/self/{file}"), text).tried(|| format!("cannot write {file}"))
            };
            write("setgroups", "deny".into())?;
            write("uid_map", format!("0 {uid} 1"))?;
            write("gid_map", format!("0 {gid} 1"))
        }
    }
}

/// The best isolation that can be had here, each tried in a child process.
pub fn probe(exe: &Path, data: &Path) -> Isolation {
    let first = match rustix::process::geteuid().is_root() {
        true => IsolationKind::Namespaces,
        false => IsolationKind::UserNamespace,
    };
    let tried = command(exe, Role::Probe, data, first).stderr(Stdio::piped()).output();
    let why = match tried {
        Ok(output) if output.status.success() => {
            let what = match first {
                IsolationKind::Namespaces => "mount and PID namespaces, own root, unprivileged user",
                _ => "user, mount and PID namespaces, own root",
            };
            return Isolation { kind: first, why: what.into() };
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("cannot run {}: {error}", exe.display()),
    };
    Isolation { kind: IsolationKind::None, why: format!("instances run without isolation: {why}") }
}

fn try_isolation(options: &Options) -> Result<(), LaunchError> {
    leave(options.isolation)?;
    let tried =
        command(Path::new(SELF), Role::ProbeProgram, &options.dir, options.isolation).stderr(Stdio::piped()).output();
    let output = tried.tried(|| "cannot start the trial".into())?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(why)).tried(|| "no own root".into())
}
