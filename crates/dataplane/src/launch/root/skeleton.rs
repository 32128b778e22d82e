//! The parts of an instance's root: `/usr` from host and image, a small `/etc`, private `/var` and `/tmp`, minimal `/dev`, new `/proc`.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive, mount_remount};

use super::super::{LaunchError, Tried};
use super::identity::Identity;
use super::overlay;
use crate::folder::Folder;
use crate::wanted::Instance;

/// Files of the host's `/etc` that an instance may see: names, libraries, certificates. Never accounts, keys or configuration of services.
const SHARED_FILES: [&str; 6] = ["resolv.conf", "hosts", "ld.so.cache", "localtime", "ssl/openssl.cnf", "mime.types"];
const SHARED_FOLDERS: [&str; 2] = ["alternatives", "ssl/certs"];
/// Folders of the root that are made here, so a layer's are not simply shown.
const MADE: [&str; 9] = ["usr", "etc", "var", "tmp", "run", "dev", "proc", "sys", "root"];
/// Files of a layer's `/etc` that never reach an instance.
const SECRET: [&str; 6] = ["shadow", "gshadow", "shadow-", "gshadow-", "passwd", "group"];

/// A root over the host's `/usr`.
pub fn host(
    root: &Path,
    layers: &[PathBuf],
    spec: &Instance,
    folder: &Folder,
    who: &Identity,
) -> Result<(), LaunchError> {
    memory(root, c"mode=0755,size=32m", MountFlags::NODEV | MountFlags::NOSUID)?;
    usr(root, layers)?;
    links(root)?;
    others(root, layers)?;
    etc(root, layers, who).tried(|| "cannot make /etc".into())?;
    writable(root, layers, folder, who)?;
    devices(root)?;
    processes(root)?;
    for bind in &spec.extra_binds {
        let target = root.join(bind.strip_prefix("/").unwrap_or(bind));
        fs::create_dir_all(&target).tried(|| format!("cannot make {}", target.display()))?;
        shown(bind, &target)?;
    }
    let flags = MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOSUID;
    mount_remount(root, flags, "").tried(|| "cannot make the root read-only".into())
}

/// A whole root file system with a private layer on top.
pub fn whole(
    root: &Path,
    layers: &[PathBuf],
    spec: &Instance,
    folder: &Folder,
    who: &Identity,
) -> Result<(), LaunchError> {
    let (upper, work) = (folder.private("upper"), folder.private("work"));
    for path in [&upper, &work] {
        fs::create_dir_all(path).tried(|| format!("cannot make {}", path.display()))?;
    }
    overlay(root, layers, Some((&upper, &work)))?;
    for name in ["dev", "proc", "tmp", "run", "var/lib/app", "etc"] {
        let path = root.join(name);
        fs::create_dir_all(&path).tried(|| format!("cannot make {}", path.display()))?;
    }
    let _ = fs::remove_file(root.join("etc/resolv.conf"));
    let _ = fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"));
    let _ = chown(root.join("var/lib/app"), Some(who.uid), Some(who.gid));
    let _ = fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777));
    devices(root)?;
    processes(root)?;
    for bind in &spec.extra_binds {
        let target = root.join(bind.strip_prefix("/").unwrap_or(bind));
        fs::create_dir_all(&target).tried(|| format!("cannot make {}", target.display()))?;
        shown(bind, &target)?;
    }
    Ok(())
}

fn memory(target: &Path, options: &std::ffi::CStr, flags: MountFlags) -> Result<(), LaunchError> {
    mount("tmpfs", target, "tmpfs", flags, options)
        .tried(|| format!("cannot make a file system in memory at {}", target.display()))
}

/// Shows a folder or file of the machine, read-only.
fn shown(source: &Path, target: &Path) -> Result<(), LaunchError> {
    let what = || format!("cannot show {}", source.display());
    mount_bind_recursive(source, target).tried(what)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount(target, flags, "").tried(what)
}

fn usr(root: &Path, layers: &[PathBuf]) -> Result<(), LaunchError> {
    let target = root.join("usr");
    fs::create_dir(&target).tried(|| "cannot make /usr".into())?;
    let mut folders: Vec<PathBuf> = layers.iter().map(|l| l.join("usr")).filter(|p| p.is_dir()).collect();
    if folders.is_empty() {
        return shown(Path::new("/usr"), &target);
    }
    folders.push("/usr".into());
    overlay(&target, &folders, None)
}

/// `/bin`, `/lib` and so on, as the host has them: links into `/usr` today.
fn links(root: &Path) -> Result<(), LaunchError> {
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let (host, here) = (Path::new("/").join(name), root.join(name));
        let what = || format!("cannot make /{name}");
        match fs::symlink_metadata(&host) {
            Ok(meta) if meta.is_symlink() => fs::read_link(&host).and_then(|to| symlink(to, &here)).tried(what)?,
            Ok(meta) if meta.is_dir() => {
                fs::create_dir(&here).tried(what)?;
                shown(&host, &here)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Other folders of the image: `/opt`, `/srv`, and `/lib` of packages that do not know of the merged `/usr`.
fn others(root: &Path, layers: &[PathBuf]) -> Result<(), LaunchError> {
    let mut names: Vec<String> = Vec::new();
    for layer in layers {
        let entries = fs::read_dir(layer).tried(|| format!("cannot read the image {}", layer.display()))?;
        let found = entries.flatten().filter(|e| e.path().is_dir()).filter_map(|e| e.file_name().into_string().ok());
        names.extend(found.filter(|n| !MADE.contains(&n.as_str())));
    }
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mut folders: Vec<PathBuf> = below(layers, &name);
        let link = root.join(&name);
        let target = match fs::read_link(&link) {
            // `/lib` is `/usr/lib`: everything that belongs there goes into one overlay, not one over another, which has a limit.
            Ok(to) => {
                let merged = to.strip_prefix("/").unwrap_or(&to).to_string_lossy().into_owned();
                folders.extend(below(layers, &merged));
                folders.push(Path::new("/").join(&merged));
                root.join(merged)
            }
            Err(_) if link.is_dir() => {
                folders.push(Path::new("/").join(&name));
                link
            }
            Err(_) => {
                fs::create_dir(&link).tried(|| format!("cannot make /{name}"))?;
                link
            }
        };
        match folders.as_slice() {
            [] => {}
            [one] => shown(one, &target)?,
            several => overlay(&target, several, None)?,
        }
    }
    Ok(())
}

/// The folders of this name in the layers.
fn below(layers: &[PathBuf], name: &str) -> Vec<PathBuf> {
    layers.iter().map(|l| l.join(name)).filter(|p| p.is_dir() && !p.is_symlink()).collect()
}

fn etc(root: &Path, layers: &[PathBuf], who: &Identity) -> io::Result<()> {
    let etc = root.join("etc");
    fs::create_dir(&etc)?;
    let host = Path::new("/etc");
    for name in SHARED_FILES {
        let target = etc.join(name);
        fs::create_dir_all(target.parent().unwrap_or(&etc))?;
        // What the host lacks, the instance lacks too. Links (localtime, a managed resolv.conf) are followed.
        let _ = fs::copy(host.join(name), target);
    }
    for name in SHARED_FOLDERS.iter().filter(|n| host.join(n).is_dir()) {
        let target = etc.join(name);
        fs::create_dir_all(&target)?;
        shown(&host.join(name), &target).map_err(io::Error::other)?;
    }
    for layer in layers.iter().rev() {
        copy(&layer.join("etc"), &etc, &|name| SECRET.contains(&name))?;
    }
    let account = match who.uid {
        0 => String::new(),
        uid => format!("{}:x:{uid}:{}::/var/lib/app:/usr/sbin/nologin\n", who.name, who.gid),
    };
    let nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
    fs::write(etc.join("passwd"), format!("root:x:0:0:root:/root:/usr/sbin/nologin\n{account}{nobody}"))?;
    let group = if who.gid == 0 { String::new() } else { format!("{}:x:{}:\n", who.name, who.gid) };
    fs::write(etc.join("group"), format!("root:x:0:\n{group}nogroup:x:65534:\n"))?;
    fs::write(
        etc.join("nsswitch.conf"),
        "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    )?;
    if !etc.join("hosts").exists() {
        fs::write(etc.join("hosts"), "127.0.0.1 localhost\n::1 localhost\n")?;
    }
    Ok(())
}

/// Copies a folder's files and links. Devices and the like are left out.
fn copy(from: &Path, to: &Path, skip: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if entry.file_name().to_str().is_none_or(skip) {
            continue;
        }
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target, &|_| false)?;
        } else {
            let _ = fs::remove_file(&target);
            if kind.is_symlink() {
                symlink(fs::read_link(entry.path())?, &target)?;
            } else if kind.is_file() {
                fs::copy(entry.path(), &target)?;
            }
        }
    }
    Ok(())
}

/// `/var` and `/tmp` live in the instance's folder, `/run` and `/root` in memory.
fn writable(root: &Path, layers: &[PathBuf], folder: &Folder, who: &Identity) -> Result<(), LaunchError> {
    let private = folder.private("");
    let what = || format!("cannot make {}", private.display());
    let (var, tmp) = (folder.private("var"), folder.private("tmp"));
    if !var.is_dir() {
        for name in ["lib/app", "log", "cache", "tmp", "spool"] {
            fs::create_dir_all(var.join(name)).tried(what)?;
        }
        for layer in layers.iter().rev() {
            copy(&layer.join("var"), &var, &|name| matches!(name, "run" | "lock")).tried(what)?;
        }
        symlink("/run", var.join("run")).tried(what)?;
        own(&var, who).tried(what)?;
    }
    fs::create_dir_all(&tmp).tried(what)?;
    for path in [&tmp, &var.join("tmp")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o1777)).tried(what)?;
    }
    for (name, source) in [("var", &var), ("tmp", &tmp)] {
        let target = root.join(name);
        fs::create_dir(&target).tried(what)?;
        mount_bind(source, &target).tried(|| format!("cannot show /{name}"))?;
        let flags = MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
        mount_remount(&target, flags, "").tried(|| format!("cannot show /{name}"))?;
    }
    for (name, mode) in [("run", 0o755), ("root", 0o700)] {
        let target = root.join(name);
        fs::create_dir(&target).tried(what)?;
        if name == "run" {
            memory(&target, c"mode=0755,size=16m", MountFlags::NODEV | MountFlags::NOSUID)?;
            let _ = chown(&target, Some(who.uid), Some(who.gid));
        }
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).tried(what)?;
    }
    Ok(())
}

fn own(path: &Path, who: &Identity) -> io::Result<()> {
    std::os::unix::fs::lchown(path, Some(who.uid), Some(who.gid))?;
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path)? {
            own(&entry?.path(), who)?;
        }
    }
    Ok(())
}

fn devices(root: &Path) -> Result<(), LaunchError> {
    let dev = root.join("dev");
    let what = || "cannot make /dev".to_owned();
    fs::create_dir_all(&dev).tried(what)?;
    memory(&dev, c"mode=0755,size=1m", MountFlags::NOSUID)?;
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
        let (host, here) = (Path::new("/dev").join(name), dev.join(name));
        fs::write(&here, "").tried(what)?;
        mount_bind(&host, &here).tried(|| format!("cannot show /dev/{name}"))?;
    }
    for (name, to) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(to, dev.join(name)).tried(what)?;
    }
    let shared = dev.join("shm");
    fs::create_dir(&shared).tried(what)?;
    memory(&shared, c"mode=1777,size=64m", MountFlags::NODEV | MountFlags::NOSUID)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID;
    mount_remount(&dev, flags, "").tried(what)
}

fn processes(root: &Path) -> Result<(), LaunchError> {
    let target = root.join("proc");
    fs::create_dir_all(&target).tried(|| "cannot make /proc".into())?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", &target, "proc", flags, None).tried(|| "cannot mount /proc".into())
}
