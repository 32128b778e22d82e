//! What an instance sees: builds its root in a mount namespace of its own, drops all rights, and becomes the program.
//!
//! `Host` roots are a fresh skeleton: nothing of the host is in it but `/usr` (read-only, the image's layers on top) and a few named files
//! of `/etc`. The parts of the skeleton are in [`skeleton`], who the program runs as in [`identity`].

mod identity;
mod skeleton;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use rustix::thread::UnshareFlags;

use super::{LaunchError, Tried};
use crate::folder::Folder;
use crate::status::IsolationKind;
use crate::sys;
use crate::wanted::{Instance, Root};
use identity::Identity;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Becomes the program of the instance in `folder`. Returns only when that failed; the reason is the last line of the instance's log.
pub fn become_program(folder: &Folder, isolation: IsolationKind) -> Result<(), LaunchError> {
    let spec = folder.spec().tried(|| "cannot read spec.json".into())?;
    let parent = rustix::process::getppid();
    let who = Identity::of(&spec, isolation);
    let mut command = spec.command.clone();
    let mut directory = spec.directory.clone().unwrap_or_else(|| "/".into());
    match (&spec.root, isolation) {
        (Root::Folder { dir }, _) => plain(dir, &mut command, &mut directory),
        (Root::Host { layers } | Root::RootFs { layers }, IsolationKind::None) => {
            let Some(layer) = layers.first() else {
                return Err(io::Error::other("its image has no folder"))
                    .tried(|| "cannot run without isolation".into());
            };
            plain(layer, &mut command, &mut directory);
        }
        (Root::Host { layers }, _) => enter(folder, |root| skeleton::host(root, layers, &spec, folder, &who))?,
        (Root::RootFs { layers }, _) => enter(folder, |root| skeleton::whole(root, layers, &spec, folder, &who))?,
    }
    if isolation != IsolationKind::None {
        let _ = rustix::system::sethostname(spec.id.as_bytes());
    }
    limit(&spec, isolation)?;
    who.drop_rights(isolation)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .tried(|| "cannot bind its life to the shim's".into())?;
    if rustix::process::getppid() != parent {
        return Err(io::Error::other("the shim is gone")).tried(|| "not started".into());
    }
    std::env::set_current_dir(&directory).tried(|| format!("cannot enter {}", directory.display()))?;
    let error = Command::new(&command[0])
        .args(&command[1..])
        .env_clear()
        .envs(environment(&spec, &who, folder, isolation))
        .exec();
    Err(error).tried(|| format!("cannot run {}", command[0]))
}

/// Tries to make a root, with nothing in it.
pub fn try_root(data: &Path, isolation: IsolationKind) -> Result<(), LaunchError> {
    let trial = data.join(format!(".probe-{}", std::process::id()));
    let layer = trial.join("layer");
    let made = fs::create_dir_all(layer.join("usr/share")).tried(|| format!("cannot make {}", trial.display()));
    let mut spec = Instance::new("probe", "probe", Root::Host { layers: vec![layer.clone()] }, vec!["true".into()]);
    spec.user = None;
    let who = Identity::of(&spec, isolation);
    let folder = Folder::at(&trial);
    // Afterwards this process sees the new root only, so the folder is removed through a handle.
    let handle = fs::File::open(data).tried(|| format!("cannot open {}", data.display()))?;
    let entered = made.and_then(|()| enter(&folder, |root| skeleton::host(root, &[layer], &spec, &folder, &who)));
    let seen = entered.and_then(|()| fs::metadata("/usr/bin").map(drop).tried(|| "the new root has no /usr".into()));
    let _ = remove(&handle, &trial);
    seen
}

fn remove(data: &fs::File, trial: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let name = trial.file_name().unwrap_or_default();
    // `/proc` of the new root is that of the new PID namespace, where this process is known as well.
    fs::remove_dir_all(PathBuf::from(format!("/proc/self/fd/{}", data.as_raw_fd())).join(name))
}

/// Without isolation: the folder stands for the root. Absolute paths that exist in it are meant there.
fn plain(dir: &Path, command: &mut [String], directory: &mut PathBuf) {
    for word in command.iter_mut().filter(|w| w.starts_with('/')) {
        let inside = dir.join(&word[1..]);
        if inside.exists() {
            *word = inside.to_string_lossy().into_owned();
        }
    }
    let inside = dir.join(directory.strip_prefix("/").unwrap_or(directory));
    *directory = if inside.is_dir() { inside } else { dir.to_owned() };
}

/// Makes a root with `build` in a new mount namespace and changes to it. What was seen before is out of reach then.
fn enter(folder: &Folder, build: impl FnOnce(&Path) -> Result<(), LaunchError>) -> Result<(), LaunchError> {
    sys::unshare(UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS)
        .tried(|| "cannot make a mount namespace".into())?;
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
        .tried(|| "cannot make mounts private".into())?;
    let root = folder.root();
    fs::create_dir_all(&root).tried(|| format!("cannot make {}", root.display()))?;
    build(&root)?;
    std::env::set_current_dir(&root).tried(|| format!("cannot enter {}", root.display()))?;
    rustix::process::pivot_root(".", ".").tried(|| "cannot change the root".into())?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).tried(|| "cannot leave the old root".into())?;
    std::env::set_current_dir("/").tried(|| "cannot enter the new root".into())
}

/// Mounts an overlay of folders, topmost first; read-only unless `writable` gives an upper and a work folder.
fn overlay(target: &Path, folders: &[PathBuf], writable: Option<(&Path, &Path)>) -> Result<(), LaunchError> {
    let mut options = b"lowerdir=".to_vec();
    for (i, folder) in folders.iter().enumerate() {
        if i > 0 {
            options.push(b':');
        }
        escape(folder, &mut options);
    }
    if let Some((upper, work)) = writable {
        options.extend(b",upperdir=");
        escape(upper, &mut options);
        options.extend(b",workdir=");
        escape(work, &mut options);
    }
    let what = || format!("cannot lay the image over {}", target.display());
    let options = CString::new(options).map_err(io::Error::from).tried(what)?;
    let flags = if writable.is_some() { MountFlags::NODEV } else { MountFlags::NODEV | MountFlags::RDONLY };
    mount("overlay", target, "overlay", flags, options.as_c_str()).tried(what)
}

/// `:`, `,` and `\` divide overlay's options.
fn escape(path: &Path, into: &mut Vec<u8>) {
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b':' | b',' | b'\\') {
            into.push(b'\\');
        }
        into.push(*byte);
    }
}

fn limit(spec: &Instance, isolation: IsolationKind) -> Result<(), LaunchError> {
    let set = |resource, value: Option<u64>, what: &str| match value {
        Some(n) => setrlimit(resource, Rlimit { current: Some(n), maximum: Some(n) })
            .tried(|| format!("cannot limit {what} to {n}")),
        None => Ok(()),
    };
    set(Resource::Nofile, spec.limits.open_files, "open files")?;
    // The kernel counts a user's processes all over the machine, so this is a limit only for a user of its own.
    if rustix::process::geteuid().is_root() && isolation == IsolationKind::Namespaces {
        set(Resource::Nproc, spec.limits.processes, "processes")?;
    }
    // A crash must not fill the disk.
    set(Resource::Core, Some(0), "core dumps")
}

fn environment(spec: &Instance, who: &Identity, folder: &Folder, isolation: IsolationKind) -> BTreeMap<String, String> {
    let path: Vec<String> = spec.path.iter().map(|p| p.display().to_string()).chain([PATH.to_owned()]).collect();
    let mut env: BTreeMap<String, String> = [
        ("PATH", path.join(":")),
        ("HOME", who.home(isolation)),
        ("USER", who.name.clone()),
        ("LOGNAME", who.name.clone()),
        ("LANG", "C.UTF-8".into()),
        ("HOST", "127.0.0.1".into()),
        ("GENNAKER_INSTANCE", spec.id.clone()),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v))
    .collect();
    if isolation == IsolationKind::None {
        // By this the data plane finds what escaped a dead shim.
        env.insert("GENNAKER_FOLDER".into(), folder.path().display().to_string());
    }
    env.extend(spec.port.map(|port| ("PORT".to_owned(), port.to_string())));
    env.extend(spec.env.clone());
    env
}
