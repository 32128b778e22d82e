//! Who a program runs as, and how it loses every right beyond that.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::super::{LaunchError, Tried};
use crate::status::IsolationKind;
use crate::wanted::{Instance, Root};

/// Numbers that no package and no person uses (systemd keeps them for services without an account).
const FIRST: u32 = 61_184;
const COUNT: u32 = 4_000;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Identity {
    /// Who the program of `spec` runs as.
    pub fn of(spec: &Instance, isolation: IsolationKind) -> Self {
        let name = spec.user.clone().unwrap_or_else(|| "app".into());
        let own = |name: String| Self {
            name,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        };
        if !rustix::process::geteuid().is_root() || isolation == IsolationKind::UserNamespace {
            return own(name);
        }
        if name == "root" {
            return Self { name, uid: 0, gid: 0 };
        }
        if let Root::RootFs { layers } = &spec.root
            && let Some(found) = layers.iter().find_map(|layer| account(layer, &name))
        {
            return found;
        }
        if let Some(number) = name.parse().ok().filter(|n| *n > 0) {
            return Self { name, uid: number, gid: number };
        }
        if let Root::Folder { dir } = &spec.root
            && spec.user.is_none()
        {
            // No root of its own: whoever owns the folder can run what is in it.
            return fs::metadata(dir)
                .map(|m| Self { name: name.clone(), uid: m.uid(), gid: m.gid() })
                .unwrap_or_else(|_| own(name));
        }
        if isolation == IsolationKind::None
            && let Some(found) = account(&PathBuf::from("/"), &name)
        {
            return found;
        }
        let number = FIRST + hash(&spec.id) % COUNT;
        Self { name, uid: number, gid: number }
    }

    /// Where it keeps what is its own.
    pub fn home(&self, isolation: IsolationKind) -> String {
        if isolation == IsolationKind::None { "/tmp".into() } else { "/var/lib/app".into() }
    }

    /// Gives up every group, capability and way to get them back.
    pub fn drop_rights(&self, isolation: IsolationKind) -> Result<(), LaunchError> {
        let root = rustix::process::geteuid().is_root();
        if root {
            for bit in 0..64 {
                let one = CapabilitySet::from_bits_retain(1 << bit);
                // Numbers that this kernel does not know end the list.
                if rustix::thread::remove_capability_from_bounding_set(one).is_err() {
                    break;
                }
            }
        }
        if root && isolation != IsolationKind::UserNamespace {
            let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
            let what = || format!("cannot become user {} ({})", self.name, self.uid);
            rustix::thread::set_thread_groups(&[]).tried(what)?;
            rustix::thread::set_thread_res_gid(gid, gid, gid).tried(what)?;
            rustix::thread::set_thread_res_uid(uid, uid, uid).tried(what)?;
        }
        let nothing = CapabilitySet::empty();
        let sets = CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing };
        rustix::thread::set_capabilities(None, sets).tried(|| "cannot drop capabilities".into())?;
        rustix::thread::set_no_new_privs(true).tried(|| "cannot give up new privileges".into())
    }
}

/// An account of a root file system.
fn account(root: &std::path::Path, name: &str) -> Option<Identity> {
    let passwd = fs::read_to_string(root.join("etc/passwd")).ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Identity { name: name.to_owned(), uid, gid })
    })
}

/// FNV-1a: the same instance gets the same number again.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
