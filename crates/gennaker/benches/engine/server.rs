//! The server under measurement, in a folder of its own, and what stands outside for its webhooks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

/// A running `gennaker serve`.
pub struct Server {
    folder: TempDir,
    process: Child,
    /// Where it listens.
    pub address: String,
}

impl Server {
    /// Starts one on an empty folder.
    pub fn start() -> Server {
        Server::start_in(tempfile::tempdir().expect("a folder")).0
    }

    /// Starts one in this folder; how long it took until it served.
    pub fn start_in(folder: TempDir) -> (Server, Duration) {
        let config = folder.path().join("gennaker.toml");
        std::fs::write(&config, "[outgoing]\nallow = [\"127.0.0.0/8\"]\n").expect("written");
        let log = std::fs::File::create(folder.path().join("server.log")).expect("a log");
        let data = folder.path().join("data");
        let told = data.join("server.json");
        let _ = std::fs::remove_file(&told);
        let since = Instant::now();
        let process = Command::new(env!("CARGO_BIN_EXE_gennaker"))
            .args(["serve", "--listen", "127.0.0.1:0", "--gate-listen", "none"])
            .arg("--data")
            .arg(&data)
            .arg("--config")
            .arg(&config)
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let address = loop {
            assert!(since.elapsed() < Duration::from_secs(60), "the server does not serve within a minute");
            let said = std::fs::read(&told).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            if let Some(address) = said.and_then(|said| said["listen"].as_str().map(str::to_owned)) {
                break address;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        (Server { folder, process, address }, since.elapsed())
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// Saves a pipeline under this id and name.
    pub fn save(&self, id: &str, stages: Value) {
        let pipeline = json!({"application": "bench", "id": id, "name": id, "stages": stages});
        self.client().json("POST", "/pipelines", &pipeline.to_string());
    }

    /// Kills it with SIGKILL; its folder for the next one.
    pub fn kill(mut self) -> TempDir {
        let _ = self.process.kill();
        let _ = self.process.wait();
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }

    /// The processor time that it has used, in seconds.
    pub fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("it runs");
        let after = stat.rsplit(')').next().unwrap_or_default().to_owned();
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().filter_map(|n| n.parse::<f64>().ok()).sum();
        ticks / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        end_dataplane(&self.folder.path().join("data"));
    }
}

/// The data plane outlives its server on purpose; not here.
fn end_dataplane(data: &Path) {
    let _ = Command::new(env!("CARGO_BIN_EXE_gennaker"))
        .args(["down", "--all", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Answers every request with `{}` and counts them; its address.
pub fn responder() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = counted.clone();
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                while let Some(length) = head(&mut reader, &mut line) {
                    let mut body = vec![0; length];
                    if reader.read_exact(&mut body).is_err() {
                        return;
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    if reader.get_mut().write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, count)
}

/// Reads a request's head; the length of its body. None: the connection has ended.
fn head(reader: &mut impl BufRead, line: &mut String) -> Option<usize> {
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(line).ok()? == 0 {
            return None;
        }
        let lower = line.trim().to_lowercase();
        if lower.is_empty() {
            return Some(length);
        }
        if let Some(n) = lower.strip_prefix("content-length:") {
            length = n.trim().parse().ok()?;
        }
    }
}
