//! Two Unix users on one root: `jenkins` adds and publishes, the server of `gennaker` starts the pipeline, and each can go on where the other
//! stopped. What they share is a group and its folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::package::package;
use testkit::probe;

use crate::apt_crash_story::consistent;
use crate::server::{ask, run};

const GROUP: u32 = 61_000;
const JENKINS: u32 = 61_001;
const GENNAKER: u32 = 61_002;

/// Homes of both, the root that they share, and the program where both may run it.
struct Shared {
    folder: tempfile::TempDir,
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let shared = Shared { folder };
        let open = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
        open(shared.folder.path(), 0o755);
        fs::copy(env!("CARGO_BIN_EXE_gennaker"), shared.path("gennaker")).expect("copied");
        for (name, user, mode) in [("jenkins", JENKINS, 0o750), ("server", GENNAKER, 0o750), ("apt", 0, 0o2775)] {
            let path = shared.path(name);
            fs::create_dir(&path).expect("made");
            chown(&path, Some(user), Some(GROUP)).expect("given");
            open(&path, mode);
        }
        let config = json!({"rootDir": shared.path("apt")}).to_string();
        for home in ["jenkins", "server"] {
            fs::write(shared.path(home).join(".aptly.conf"), &config).expect("written");
        }
        shared
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A command of a user, in his home, with the umask of people who share.
    fn command(&self, user: u32, words: &[&str]) -> Command {
        let home = self.path(if user == JENKINS { "jenkins" } else { "server" });
        let mut command = Command::new("setpriv");
        let (user, group) = (format!("--reuid={user}"), format!("--regid={GROUP}"));
        command.args([&user, &group, "--clear-groups", "sh", "-c", "umask 002 && exec \"$@\"", "sh"]);
        command.arg(self.path("gennaker")).args(words);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &home).current_dir(&home).stdin(Stdio::null());
        command
    }

    fn run(&self, user: u32, line: &str) -> String {
        let (code, said, why) = run(&mut self.command(user, &line.split(' ').collect::<Vec<_>>()));
        assert_eq!(code, 0, "{user}: {line}: {said}{why}");
        said
    }
}

/// The server of `gennaker`, ended with the test.
struct Serving<'a> {
    shared: &'a Shared,
    process: Child,
    address: String,
}

impl<'a> Serving<'a> {
    fn start(shared: &'a Shared) -> Self {
        let config = format!("[[apt.root]]\npath = {:?}\n", shared.path("apt"));
        fs::write(shared.path("server/gennaker.toml"), config).expect("written");
        let words = ["serve", "--listen", "127.0.0.1:0", "--gate-listen", "127.0.0.1:0", "--data", "data"];
        let mut command = shared.command(GENNAKER, &words);
        command.args(["--config", "gennaker.toml"]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("starts");
        let deadline = Instant::now() + crate::server::PATIENCE;
        let file = shared.path("server/data/server.json");
        let address = loop {
            let said: Option<Value> = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
            if let Some(address) = said.and_then(|said| Some(said["listen"].as_str()?.to_owned())) {
                break address;
            }
            assert!(Instant::now() < deadline, "the server does not serve");
            std::thread::sleep(Duration::from_millis(5));
        };
        Serving { shared, process, address }
    }

    fn runs(&self) -> Vec<Value> {
        let (status, text) = ask(&self.address, "GET", "/executions?pipelineConfigIds=fresh&limit=10", "");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("a list")
    }

    fn wait_for(&self, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + crate::server::PATIENCE;
        loop {
            let runs = self.runs();
            if runs.len() >= count {
                return runs;
            }
            assert!(Instant::now() < deadline, "{} runs of {count}", runs.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        // Also what outlives the server on purpose: the data plane.
        let _ = run(&mut self.shared.command(GENNAKER, &["down", "--all", "--data", "data"]));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_one_user_publishes_another_users_server_sees_within_a_second() {
    if !rustix::process::geteuid().is_root() {
        return probe::not_run("only root can be two other users");
    }
    let shared = Shared::new();
    for version in ["1.0", "2.0", "3.0", "4.0", "5.0"] {
        package("helloterry", version).write_to(&shared.path("jenkins"));
    }
    shared.run(JENKINS, "apt repo create -distribution=stable -component=main shop");
    let serving = Serving::start(&shared);
    let pipeline = json!({"application": "shop", "name": "fresh", "id": "fresh", "stages": [],
        "triggers": [{"type": "apt", "enabled": true, "package": "helloterry"}]});
    let saved = ask(&serving.address, "POST", "/pipelines", &pipeline.to_string());
    assert_eq!(saved.0, 200, "{}", saved.1);
    shared.run(JENKINS, "apt repo add shop helloterry_1.0_all.deb");
    shared.run(JENKINS, "apt publish repo -skip-signing -architectures=amd64 shop");
    serving.wait_for(1);
    // Three times, because the machine may be busy with something else at any one.
    let mut fastest = Duration::MAX;
    for (before, version) in ["2.0", "3.0", "4.0"].into_iter().enumerate() {
        shared.run(JENKINS, &format!("apt repo add shop helloterry_{version}_all.deb"));
        shared.run(JENKINS, "apt publish update -skip-signing stable");
        let published = Instant::now();
        let runs = serving.wait_for(before + 2);
        fastest = fastest.min(published.elapsed());
        assert_eq!(runs[0]["trigger"]["version"], version);
    }
    assert!(fastest < Duration::from_secs(1), "it started after {fastest:?}");

    // The other user goes on where the first one stopped: his are the next publication, and taking things away.
    shared.run(JENKINS, "apt repo add shop helloterry_5.0_all.deb");
    shared.run(GENNAKER, "apt publish update -skip-signing stable");
    assert_eq!(serving.wait_for(5)[0]["trigger"]["version"], "5.0");
    shared.run(GENNAKER, "apt repo remove shop helloterry_1.0_all");
    shared.run(JENKINS, "apt publish update -skip-signing stable");
    shared.run(GENNAKER, "apt snapshot create kept from repo shop");
    shared.run(GENNAKER, "apt db cleanup");
    let shown = consistent(&shared.path("apt/public"), "stable");
    let versions: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("Version: ")).collect();
    assert_eq!(versions, ["5.0", "4.0", "3.0", "2.0"]);
    let log = shared.run(JENKINS, "op log");
    assert!(log.contains("apt snapshot create kept"), "{log}");
    shared.run(JENKINS, "apt publish drop stable");
    assert!(!shared.path("apt/public/dists").exists());
}
