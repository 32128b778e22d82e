//! What `/proc` tells: whether a process still is the one that was written down, who listens where, who descends from whom.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::SocketAddr;

/// A process that cannot be taken for another one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
}

impl Process {
    /// The process of this number, if it runs. A zombie does not.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        (!matches!(stat.state, 'Z' | 'X')).then_some(Self { pid, started: stat.started })
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }
}

struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold anything.
        let rest: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
        Some(Self {
            state: rest.first()?.chars().next()?,
            parent: rest.get(1)?.parse().ok()?,
            started: rest.get(19)?.parse().ok()?,
        })
    }
}

fn all_pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok())
}

/// Who descends from whom, read once for any number of questions.
pub struct Family(HashMap<u32, Vec<u32>>);

impl Family {
    /// All processes of this moment.
    pub fn read() -> Self {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for pid in all_pids() {
            if let Some(stat) = Stat::read(pid) {
                children.entry(stat.parent).or_default().push(pid);
            }
        }
        Self(children)
    }

    /// All descendants of a process, not itself.
    pub fn descendants(&self, pid: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut next = vec![pid];
        while let Some(pid) = next.pop() {
            let children = self.0.get(&pid).map(Vec::as_slice).unwrap_or_default();
            // A process cannot be its own ancestor, but /proc is not read in one instant.
            for child in children.iter().filter(|c| !found.contains(*c)).copied().collect::<Vec<_>>() {
                found.push(child);
                next.push(child);
            }
        }
        found
    }
}

impl Family {
    /// The first child of a process.
    pub fn first_child(&self, pid: u32) -> Option<u32> {
        self.0.get(&pid)?.iter().min().copied()
    }
}

/// Processes whose environment holds this entry.
pub fn marked(entry: &[u8]) -> Vec<Process> {
    let has = |pid: &u32| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| env.split(|b| *b == 0).any(|e| e == entry))
    };
    all_pids().filter(has).filter_map(Process::of).collect()
}

/// A process's name.
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map_or_else(|_| "?".into(), |n| n.trim_end().to_owned())
}

/// Listening TCP sockets of this network: inode to port.
pub fn listening() -> HashMap<u64, u16> {
    let mut found = HashMap::new();
    for file in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (Some(local), Some(&"0A"), Some(inode)) = (fields.get(1), fields.get(3), fields.get(9)) else {
                continue;
            };
            let port = local.rsplit(':').next().and_then(|p| u16::from_str_radix(p, 16).ok());
            if let (Some(port), Ok(inode)) = (port, inode.parse()) {
                found.insert(inode, port);
            }
        }
    }
    found
}

/// The sockets that a process has open.
fn sockets(pid: u32) -> HashSet<u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let inode = |e: fs::DirEntry| {
        let link = fs::read_link(e.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    files.filter_map(inode).collect()
}

/// The ports that these processes listen on, ascending.
pub fn ports_of(pids: &[u32], listening: &HashMap<u64, u16>) -> Vec<u16> {
    let mut ports: Vec<u16> =
        pids.iter().flat_map(|pid| sockets(*pid)).filter_map(|inode| listening.get(&inode).copied()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Who listens on a port, if we may see it.
pub fn listener_of(address: SocketAddr) -> Option<(u32, String)> {
    let inodes: HashSet<u64> =
        listening().into_iter().filter(|(_, port)| *port == address.port()).map(|(inode, _)| inode).collect();
    let pid = all_pids().find(|pid| !inodes.is_disjoint(&sockets(*pid)))?;
    Some((pid, name(pid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_runs_and_a_later_process_of_its_number_would_be_another() {
        let own = Process::of(std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!Process { started: own.started + 1, ..own }.is_alive());
    }

    #[test]
    fn a_listener_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(listener_of(address).unwrap().0, std::process::id());
        assert!(ports_of(&[std::process::id()], &listening()).contains(&address.port()));
    }
}
