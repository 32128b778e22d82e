//! `gennaker serve` as a process of its own, and its API as the demo uses it.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::place::{Place, free_port};
use super::progress::Said;

/// A running server.
pub struct Server {
    child: Child,
    /// Where page and API are.
    pub port: u16,
    /// Where Gate's clients find the same.
    pub gate: u16,
    http: reqwest::Client,
}

impl Server {
    /// Starts it on free ports, with the demo's aptly root and only loopback addresses to call.
    pub async fn start(place: &Place) -> anyhow::Result<Said<Server>> {
        let (port, gate) = (free_port()?, free_port()?);
        let root = place.home().join(".aptly");
        let config = format!(
            "[server]\ndata = {:?}\nlisten = \"127.0.0.1:{port}\"\ngate_listen = \"127.0.0.1:{gate}\"\n\n\
             # Smoke tests call preview addresses; nothing is allowed unless it stands here.\n[outgoing]\nallow = [\"127.0.0.0/8\"]\n\n\
             [[apt.root]]\npath = {root:?}\n",
            place.at("server")
        );
        std::fs::write(place.at("gennaker.toml"), config)?;
        let http = events::http::client(|with| with.no_proxy().timeout(Duration::from_secs(30)))?;
        let child = spawn(place)?;
        let mut server = Server { child, port, gate, http };
        let took = server.wait(place).await?;
        let said = format!(
            "http://127.0.0.1:{port}/ui/ answers after {} ms; the same for Gate's clients on port {gate}",
            took.as_millis()
        );
        Ok(Said(server, said))
    }

    /// Waits until it answers `GET /health`.
    async fn wait(&mut self, place: &Place) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        loop {
            if self.get("/health").await.is_ok() {
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("gennaker serve ended with {status}:\n{}", place.tail("server"));
            }
            ensure!(
                begun.elapsed() < Duration::from_secs(20),
                "gennaker serve does not answer:\n{}",
                place.tail("server")
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("cannot kill the server")?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again after it was killed.
    pub async fn restart(&mut self, place: &Place) -> anyhow::Result<Duration> {
        self.child = spawn(place)?;
        self.wait(place).await
    }

    /// An address of its API.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.gate)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.http.get(self.url(path)), "GET", path).await
    }

    /// `POST`.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.post(self.url(path)).json(body), "POST", path).await
    }

    /// `PATCH`.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.patch(self.url(path)).json(body), "PATCH", path).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, method: &str, path: &str) -> anyhow::Result<Value> {
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{method} {path}"))?;
        ensure!(status.is_success(), "{method} {path} answers {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// `POST /tasks`, and waits until it has ended well.
    pub async fn task(&self, body: &Value) -> anyhow::Result<Value> {
        let answer = self.post("/tasks", body).await?;
        let reference = answer["ref"].as_str().context("POST /tasks answers no ref")?.to_owned();
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let task = self.get(&reference).await?;
            match task["status"].as_str().unwrap_or_default() {
                "SUCCEEDED" => return Ok(task),
                "TERMINAL" | "CANCELED" | "STOPPED" => {
                    bail!("{} has failed: {}", task["name"], why(&task["execution"]))
                }
                status => ensure!(Instant::now() < until, "{} is still {status}", task["name"]),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn spawn(place: &Place) -> anyhow::Result<Child> {
    let mut command = place.command("gennaker");
    command.arg("serve").arg("--config").arg(place.at("gennaker.toml"));
    place.spawn("server", command)
}

/// Why an execution failed: each failed stage's name and sentence.
pub fn why(execution: &Value) -> String {
    let stages = execution["stages"].as_array().cloned().unwrap_or_default();
    let failed = stages.iter().filter_map(|stage| {
        let errors = stage.pointer("/context/exception/details/errors")?.as_array()?;
        let text: Vec<_> = errors.iter().filter_map(Value::as_str).collect();
        Some(format!("{}: {}", stage["name"].as_str().unwrap_or_default(), text.join("; ")))
    });
    let all: Vec<_> = failed.collect();
    if all.is_empty() { format!("status {}", execution["status"]) } else { all.join("\n") }
}
