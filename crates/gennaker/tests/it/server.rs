//! A real `gennaker serve` in a folder of its own, ended with the test, and a client for it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take that must happen. Nothing here is slow but a disk that many tests write to at once.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The binary under test, with an environment that holds nothing of the machine's user.
pub fn gennaker(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gennaker"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    command.stdin(Stdio::null());
    command
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// A running server.
pub struct Server {
    /// Where it keeps everything, HOME included.
    pub folder: TempDir,
    process: Child,
}

impl Server {
    /// Starts one on free ports, with this configuration file.
    pub fn start(config: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), config)
    }

    /// Starts one in a folder that may hold an earlier one's data.
    pub fn start_in(folder: TempDir, config: &str) -> Self {
        Self::start_with(folder, config, |_| {})
    }

    /// The same with a change to its command: a variable of its environment, mostly.
    pub fn start_with(folder: TempDir, config: &str, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Self::command(folder.path());
        change(&mut command);
        Self::begin(folder, config, command)
    }

    /// The same with a command of the caller's own.
    pub fn begin(folder: TempDir, config: &str, mut command: Command) -> Self {
        std::fs::write(folder.path().join("gennaker.toml"), config).expect("written");
        // A file, not a pipe: a server that says much must not wait for a reader.
        let log = std::fs::File::options().create(true).append(true).open(folder.path().join("server.log"));
        let process = command.stdout(Stdio::null()).stderr(log.expect("a log")).spawn().expect("starts");
        let mut server = Server { folder, process };
        server.wait_until_it_serves();
        server
    }

    /// The command that starts a server in `folder`.
    pub fn command(folder: &Path) -> Command {
        let mut command = gennaker(folder);
        command.args(["serve", "--listen", "127.0.0.1:0", "--gate-listen", "127.0.0.1:0"]);
        command.arg("--data").arg(folder.join("data")).arg("--config").arg(folder.join("gennaker.toml"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn wait_until_it_serves(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.file().is_none_or(|file| file["pid"] != self.process.id()) {
            assert!(self.process.try_wait().expect("asked").is_none(), "the server ended: {}", self.complaints());
            assert!(Instant::now() < deadline, "the server does not serve");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it wrote to standard error, over all starts in this folder.
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it says of itself.
    pub fn file(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.data().join("server.json")).ok()?).ok()
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.file().expect("it serves")["listen"].as_str().expect("an address").to_owned()
    }

    /// Its process.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.process)
    }

    /// Runs another command of the binary on the same data folder.
    pub fn also(&self, args: &[&str]) -> (i32, String, String) {
        run(gennaker(self.folder.path()).args(args).arg("--data").arg(self.data()))
    }

    /// Kills it with SIGKILL and gives its folder for the next one.
    pub fn kill(mut self) -> TempDir {
        let _ = self.process.kill();
        let _ = self.process.wait();
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }

    /// Waits until it has ended; gives its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("asked") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Also what outlives the server on purpose: the data plane and its instances.
        let _ = self.also(&["down", "--all"]);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One HTTP request; gives the status and the body.
pub fn ask(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    ask_with(address, method, path, &[], body)
}

/// The same with further header lines.
pub fn ask_with(address: &str, method: &str, path: &str, lines: &[String], body: &str) -> (u16, String) {
    let (status, _, body) = exchange(address, method, path, lines, body);
    (status, body)
}

/// The same; gives the answer's head, too.
pub fn exchange(address: &str, method: &str, path: &str, lines: &[String], body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let length = body.len();
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_owned(), body.to_owned())
}
