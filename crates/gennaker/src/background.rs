//! Starts the server as a process of its own, for commands that need one: in a session of its own, so that it outlives the terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::folder;
use crate::machine::Place;

/// Its log in the data folder.
pub const LOG: &str = "server.log";
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts `gennaker serve` for a data folder, with load balancers on `traffic`; gives its address once it serves.
pub fn start(place: &Place, traffic: Option<IpAddr>) -> anyhow::Result<String> {
    let machine = place.machine()?;
    folder::ensure(&machine.data)?;
    let path = machine.data.join(LOG);
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let log = log.with_context(|| format!("cannot write {}", path.display()))?;
    let before = log.metadata().map_or(0, |meta| meta.len());
    let exe = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(exe);
    command.args(["serve", "--own-session", "--data"]).arg(&machine.data).args(place.config_flag());
    if let Some(address) = traffic {
        command.arg("--traffic-address").arg(address.to_string());
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut child = command.spawn().context("cannot start the server")?;
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(Some(file)) = machine.server() {
            return Ok(format!("http://{}/ui/", file.listen));
        }
        if let Some(status) = child.try_wait()? {
            let why = last_words(&path, before).unwrap_or_else(|| status.to_string());
            bail!("the server could not start: {why} (all that it said: {})", path.display());
        }
        if Instant::now() > until {
            bail!("the server does not answer after {} s: see {}", PATIENCE.as_secs(), path.display());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The last line that was written to a log since it had this length, without the program's name before it.
fn last_words(log: &Path, since: u64) -> Option<String> {
    let mut file = File::open(log).ok()?;
    file.seek(SeekFrom::Start(since)).ok()?;
    let mut said = Vec::new();
    // A server that cannot start says little.
    file.take(64 << 10).read_to_end(&mut said).ok()?;
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(last.strip_prefix("gennaker: ").unwrap_or(last).to_owned())
}
