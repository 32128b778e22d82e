//! Disks and the process itself, under the names that every dashboard knows.

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use stages::room::Disk;

use super::engine::gauge;
use super::seconds;
use crate::House;
use crate::exposition::{Exposition, Kind};

pub(super) fn write(house: &House, text: &mut Exposition) {
    let folders = std::iter::once(house.watched.data.as_path());
    let disks: Vec<(String, Disk)> = folders
        .chain(house.watched.followed.iter().map(|followed| followed.root.path()))
        .filter_map(|folder| Some((folder.display().to_string(), Disk::at(folder)?)))
        .collect();
    let name = "gennaker_disk_free_bytes";
    text.family(name, Kind::Gauge, "Room where the data folder and the archives lie.");
    for (folder, disk) in &disks {
        text.sample(name, &[("folder", folder)], disk.free);
    }
    let name = "gennaker_disk_size_bytes";
    text.family(name, Kind::Gauge, "Size of the file systems where they lie.");
    for (folder, disk) in &disks {
        text.sample(name, &[("folder", folder)], disk.total);
    }
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    text.family("process_cpu_seconds_total", Kind::Counter, "CPU time, of user and system.");
    text.sample("process_cpu_seconds_total", &[], cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (name, help, field) in [
        ("process_resident_memory_bytes", "Memory that is in use.", "VmRSS:"),
        ("process_virtual_memory_bytes", "Addresses that are in use.", "VmSize:"),
    ] {
        if let Some(kib) = number(&status, field) {
            gauge(text, name, help, kib * 1024);
        }
    }
    if let Some(threads) = number(&status, "Threads:") {
        gauge(text, "process_threads", "Threads.", threads);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        gauge(text, "process_open_fds", "Files and connections that are open.", open.count());
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        gauge(text, "process_max_fds", "How many may be open.", most);
    }
    let started = seconds(house.watched.started.as_millisecond());
    gauge(text, "process_start_time_seconds", "When the server began, in seconds since 1970.", started);
}

/// The number behind a name in `/proc/self/status`.
fn number(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_behind_its_name() {
        let status = "Name:\tgennaker\nVmSize:\t  123456 kB\nVmRSS:\t   789 kB\nThreads:\t9\n";
        assert_eq!(number(status, "VmRSS:"), Some(789));
        assert_eq!(number(status, "Threads:"), Some(9));
        assert_eq!(number(status, "VmLck:"), None);
    }
}
