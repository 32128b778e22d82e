//! A real PostgreSQL server for one test: in a folder of its own, on a Unix socket only, ended with the test.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use store::Location;
use tempfile::TempDir;

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A running server; it ends with the value.
pub struct Server {
    folder: TempDir,
    process: Child,
    databases: std::cell::Cell<u32>,
}

/// Starts one, or says why it cannot.
pub fn start() -> Result<Server, String> {
    if !Path::new(PROGRAMS).join("initdb").exists() {
        return Err(format!("no PostgreSQL 15 in {PROGRAMS}: install postgresql-15"));
    }
    let folder = tempfile::Builder::new().prefix("pg").tempdir().map_err(|e| e.to_string())?;
    if let Some((user, group)) = other_user()? {
        chown(folder.path(), Some(user), Some(group)).map_err(|e| e.to_string())?;
    }
    let data = folder.path().join("data");
    let mut initdb = as_user("initdb")?;
    initdb.arg("-D").arg(&data).args([
        "--auth=trust",
        "--username=postgres",
        "--locale=C",
        "--encoding=UTF8",
        "--no-sync",
    ]);
    let made = initdb.stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    if !made.status.success() {
        return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
    }
    let mut postgres = as_user("postgres")?;
    postgres.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-h", "", "-c", "fsync=off"]);
    let process = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = process.map_err(|e| e.to_string())?;
    let server = Server { folder, process, databases: std::cell::Cell::new(0) };
    server.wait_until_it_answers()?;
    Ok(server)
}

impl Server {
    /// A new, empty database.
    pub fn fresh(&self) -> Location {
        let number = self.databases.get() + 1;
        self.databases.set(number);
        let name = format!("case{number}");
        self.psql(&format!("create database {name}")).expect("a database");
        Location::Postgres(format!("postgres://postgres@/{name}?host={}", self.folder.path().display()))
    }

    /// Runs one statement on the server's own database.
    pub fn psql(&self, sql: &str) -> Result<String, String> {
        let mut psql = Command::new(program("psql"));
        psql.arg("-h").arg(self.folder.path()).args(["-U", "postgres", "-Atc", sql]);
        let done = psql.output().map_err(|e| e.to_string())?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        }
    }

    fn wait_until_it_answers(&self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = self.psql("select 1") {
            if Instant::now() > deadline {
                return Err(format!("PostgreSQL does not answer: {error}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT: end at once, nothing of this is needed again.
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
        }
        let _ = self.process.wait();
    }
}

fn program(name: &str) -> PathBuf {
    Path::new(PROGRAMS).join(name)
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn other_user() -> Result<Option<(u32, u32)>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|e| e.to_string())?;
    let line = users.lines().find(|line| line.starts_with("postgres:")).ok_or("no user postgres, and this is root")?;
    let fields: Vec<&str> = line.split(':').collect();
    let number = |at: usize| fields.get(at).and_then(|n| n.parse().ok()).ok_or("cannot read /etc/passwd");
    Ok(Some((number(2)?, number(3)?)))
}

/// The program, as the right user, ended by the system when this thread ends.
fn as_user(name: &str) -> Result<Command, String> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((user, group)) = other_user()? {
        command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
    }
    command.arg("--").arg(program(name)).current_dir("/");
    Ok(command)
}
