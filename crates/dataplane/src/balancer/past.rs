//! What a data plane counted before its successor took over. It leaves a file when it stops accepting and another one when its last
//! request is over; the successor adds both to its own counters, so that whoever compares or reports sees no gap.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::status::{Counters, Second, Unserved};

/// What every balancer of one data plane did.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    pub balancers: Vec<BalancerPast>,
}

/// What one balancer did.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BalancerPast {
    pub id: String,
    pub groups: Vec<GroupPast>,
    pub unserved: Vec<Unserved>,
    pub no_member: u64,
    pub refused_requests: u64,
    pub turned_away: u64,
}

/// What one group did.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupPast {
    pub group: String,
    pub counters: Counters,
    pub last_request_at: Option<i64>,
    pub seconds: Vec<Second>,
}

/// Leaves it for the successor; lost at worst by a crash of the machine, which ends what is counted anyway.
pub fn leave(folder: &Path, part: &str, past: &Past) -> io::Result<()> {
    let path = folder.join(format!("past-{}-{part}.json", std::process::id()));
    disk::replace_unsynced(&path, &serde_json::to_vec(past)?)
}

/// Takes what predecessors left.
pub fn take(folder: &Path) -> Vec<Past> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("past-") || !name.ends_with(".json") {
            continue;
        }
        let read = fs::read(entry.path()).map_err(|error| error.to_string());
        match read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
            Ok(past) => found.push(past),
            Err(why) => tracing::warn!("what {name} counts is lost: {why}"),
        }
        let _ = fs::remove_file(entry.path());
    }
    found
}
