//! `gennaker doctor`: what of this machine the product needs, and how it is. What a bug report asks for.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use apt::openpgp;
use dataplane::launch;
use dataplane::status::IsolationKind;
use jiff::Timestamp;
use serde::Serialize;
use stages::room;
use store::clock::{Clock, SystemClock};

use crate::client::of_the_machine;
use crate::config::Config;
use crate::environment::Environment;
use crate::machine::Place;
use crate::output::inert;

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Print a JSON list, an object a check
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    /// As it should be.
    Good,
    /// It works, and something is worth knowing.
    Note,
    /// Something will not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// What.
    what: &'static str,
    /// How it is.
    mark: Mark,
    /// In a sentence, with what to do where something is not good.
    says: String,
}

fn good(what: &'static str, says: impl Into<String>) -> Check {
    Check { what, mark: Mark::Good, says: says.into() }
}

fn note(what: &'static str, says: impl Into<String>) -> Check {
    Check { what, mark: Mark::Note, says: says.into() }
}

fn bad(what: &'static str, says: impl Into<String>) -> Check {
    Check { what, mark: Mark::Bad, says: says.into() }
}

/// Looks at everything. Exit code 1 when something will not work.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let checks = look(&args.place);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        checks.iter().for_each(|check| println!("{}", inert(&line(check))));
    }
    Ok(ExitCode::from(u8::from(checks.iter().any(|check| check.mark == Mark::Bad))))
}

fn line(Check { what, mark, says }: &Check) -> String {
    let word = match mark {
        Mark::Good => "good",
        Mark::Note => "NOTE",
        Mark::Bad => "BAD",
    };
    format!("{word:<5} {what:<14} {says}")
}

fn look(place: &Place) -> Vec<Check> {
    let environment = Environment::read();
    let mut checks = vec![program(), system()];
    let (machine, config) = match (place.machine(), place.config(&environment)) {
        (Ok(machine), Ok(config)) => (machine, config),
        (Err(error), _) | (_, Err(error)) => {
            checks.push(bad("configuration", format!("{error:#}")));
            return checks;
        }
    };
    checks.push(good("configuration", "it can be read"));
    let data = &machine.data;
    let server = machine.server();
    let other = if server.is_none() { of_the_machine(place) } else { None };
    checks.push(match &server {
        None if let Some(address) = other => good(
            "server",
            format!("none runs for this data folder; another answers at {address}, and commands ask that"),
        ),
        Some(Some(file)) => good("server", format!("process {} serves http://{}/ui/", file.pid, file.listen)),
        Some(None) => note("server", "it is just starting or ending"),
        None => note("server", "none runs for this data folder; `gennaker serve` or `gennaker up FILE.deb` starts one"),
    });
    checks.push(folder(data));
    checks.extend(disk(data));
    checks.push(isolation(data));
    checks.push(limits(Path::new("/sys/fs/cgroup/cgroup.controllers")));
    let addresses = [Some(config.server.listen), config.server.gate_listen.0];
    checks.extend(addresses.into_iter().flatten().map(|address| port(address, server.is_some() || other.is_some())));
    checks.push(clock(SystemClock.now()));
    checks.extend(["gpg", "gpgv", "apt-get", "node"].into_iter().map(|name| tool(name, &environment)));
    checks.extend(signatures(&config));
    checks
}

fn program() -> Check {
    let exe = std::env::current_exe().map(|exe| exe.display().to_string()).unwrap_or_default();
    good("program", format!("gennaker {}, {exe}", env!("CARGO_PKG_VERSION")))
}

fn system() -> Check {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name =
        release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown").trim_matches('"');
    let kernel = rustix::system::uname();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let gib = kib.unwrap_or(0) as f64 / f64::from(1 << 20);
    good(
        "system",
        format!("{name}, Linux {}, {cores} cores, {gib:.1} GiB of memory", kernel.release().to_string_lossy()),
    )
}

fn folder(data: &Path) -> Check {
    use std::os::unix::fs::MetadataExt as _;
    match fs::metadata(data) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            note("data folder", format!("{} is made by the first server", data.display()))
        }
        Err(error) => bad("data folder", format!("{}: {error}", data.display())),
        Ok(found) if found.mode() & 0o077 != 0 => {
            bad("data folder", format!("{} is open to others: `chmod 700 {0}`", data.display()))
        }
        Ok(_) => good("data folder", format!("{}, for its owner alone", data.display())),
    }
}

/// The disk of the data folder, or of the nearest folder above that is there.
fn disk(data: &Path) -> Option<Check> {
    room::Disk::of(data).map(|disk| free_space(&disk))
}

/// Pure: whether that is enough.
fn free_space(disk: &room::Disk) -> Check {
    let used = disk.used_percent;
    let says = format!("{} ({used} % used)", disk.room());
    match used {
        0..room::WARN => good("disk", says),
        room::WARN..room::REFUSE => note("disk", format!("{says}: `gennaker df` shows what takes it")),
        _ => bad("disk", format!("{says}: nothing new begins before there is room; `gennaker df` shows what takes it")),
    }
}

fn isolation(data: &Path) -> Check {
    let Ok(exe) = std::env::current_exe() else { return bad("isolation", "this program's own file is not found") };
    // Nothing is made that is not there.
    let found = match data.is_dir() {
        true => launch::probe(&exe, data),
        false => match tempfile::tempdir() {
            Ok(folder) => launch::probe(&exe, folder.path()),
            Err(error) => return bad("isolation", format!("cannot make a temporary folder: {error}")),
        },
    };
    match found.kind {
        IsolationKind::None => note("isolation", found.why),
        _ => good("isolation", found.why),
    }
}

fn limits(controllers: &Path) -> Check {
    match fs::read_to_string(controllers) {
        Ok(all) if ["cpu", "memory"].iter().all(|one| all.split_whitespace().any(|own| own == *one)) => {
            good("limits", "cgroup v2 limits memory and CPU of instances")
        }
        Ok(_) => note("limits", "cgroup v2 is there without its controllers cpu and memory: instances are not limited"),
        Err(_) => note("limits", "there is no cgroup v2: memory and CPU of instances are not limited"),
    }
}

fn port(address: SocketAddr, is_ours: bool) -> Check {
    match TcpListener::bind(address) {
        Ok(_) => good("port", format!("{address} is free")),
        Err(_) if is_ours => good("port", format!("{address} is in use, perhaps by the server that runs")),
        Err(error) => bad("port", format!("{address}: {error}; choose another with --listen and --gate-listen")),
    }
}

fn clock(now: Timestamp) -> Check {
    // This version was made after that day.
    let made = Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH);
    match now < made {
        true => bad("clock", format!("it says {now}, which is over: set it, for signatures and triggers go by it")),
        false => good("clock", format!("{now}")),
    }
}

fn tool(name: &'static str, environment: &Environment) -> Check {
    let mut folders = std::env::split_paths(&environment.path);
    let Some(path) = folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file())) else {
        return note("tools", format!("{name} is not installed: {}", wanted_for(name)));
    };
    let said = Command::new(&path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let first = said.ok().and_then(|said| String::from_utf8_lossy(&said.stdout).lines().next().map(str::to_owned));
    good("tools", format!("{}: {}", path.display(), first.unwrap_or_default()))
}

fn wanted_for(name: &str) -> &'static str {
    match name {
        "gpg" => "signing with keys in an agent needs it; `gennaker apt key generate` does not",
        "gpgv" => "mirrors are checked without it",
        "apt-get" => "only `gennaker demo` calls it",
        _ => "only the sample service needs it",
    }
}

/// What apt will say of what the archives publish.
fn signatures(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    for root in &config.apt.root {
        let dists = root.path.join("public");
        for file in signed(&dists) {
            let says = |text: &str| format!("{}: {text}", file.display());
            match openpgp::look(&file, SystemClock.now()) {
                Err(error) => checks.push(note("signature", says(&error.to_string()))),
                Ok(looked) => {
                    let findings: Vec<_> = looked.iter().flat_map(|one| &one.findings).collect();
                    match findings.iter().min_by_key(|finding| finding.refused) {
                        None => checks.push(good("signature", says("apt takes it"))),
                        Some(first) if first.now => checks.push(bad("signature", says(&first.problem))),
                        Some(first) => {
                            let day = first.refused.strftime("%Y-%m-%d").to_string();
                            checks.push(note("signature", says(&format!("refused from {day}: {}", first.problem))));
                        }
                    }
                }
            }
        }
    }
    checks
}

/// `InRelease` files beneath a published folder, a few levels deep.
fn signed(public: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![(public.to_owned(), 0)]);
    while let Some((folder, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name();
            if name == "InRelease" {
                found.push(entry.path());
            } else if depth < 5 && name != "pool" && entry.path().is_dir() {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_is_told_before_it_is_full() {
        for (free, expected) in
            [(50, Mark::Good), (11, Mark::Good), (10, Mark::Note), (4, Mark::Note), (3, Mark::Bad), (0, Mark::Bad)]
        {
            let disk = room::Disk { place: "/".into(), total: 100 << 30, free: free << 30, used_percent: 100 - free };
            assert_eq!(free_space(&disk).mark, expected, "{free} % are free");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_what_it_is_for() {
        let nowhere = Environment { path: "/nowhere".into(), ..Environment::default() };
        let Check { mark, says, .. } = tool("gpg", &nowhere);
        assert_eq!(
            (mark, says.as_str()),
            (
                Mark::Note,
                "gpg is not installed: signing with keys in an agent needs it; `gennaker apt key generate` does not"
            )
        );
        assert_eq!(limits(Path::new("/nowhere")).mark, Mark::Note);
        assert_eq!(clock(Timestamp::UNIX_EPOCH).mark, Mark::Bad);
    }
}
