//! A client for a test's server: JSON in, JSON out.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Server, ask, exchange};

/// The server's API.
pub struct Api<'a>(pub &'a Server);

impl Api<'_> {
    /// A request; the status and the answer, null when it is empty or no JSON.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = ask(&self.0.address(), method, path, &body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The same with the answer's head in small letters.
    pub fn raw(&self, method: &str, path: &str, body: &Value) -> (u16, String, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, head, text) = exchange(&self.0.address(), method, path, &[], &body);
        (status, head.to_lowercase(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The status of a request without a body.
    pub fn status(&self, method: &str, path: &str) -> u16 {
        self.call(method, path, &Value::Null).0
    }

    /// What stands there.
    pub fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, &Value::Null);
        assert_eq!(status, 200, "GET {path}: {answer}");
        answer
    }

    /// Saves a pipeline.
    pub fn save(&self, pipeline: &Value) {
        assert_eq!(self.call("POST", "/pipelines", pipeline), (200, Value::Null));
    }

    /// Starts a pipeline and gives the execution's id.
    pub fn start(&self, path: &str, trigger: &Value) -> String {
        let (status, answer) = self.call("POST", path, trigger);
        assert_eq!(status, 202, "POST {path}: {answer}");
        answer["ref"].as_str().and_then(|r| r.rsplit('/').next()).expect("a ref").to_owned()
    }

    /// Starts jobs; they are over at the first look, as `spin` needs it.
    pub fn task(&self, body: &Value) -> Value {
        let (status, answer) = self.call("POST", "/tasks", body);
        assert_eq!(status, 200, "POST /tasks: {answer}");
        let task = self.get(answer["ref"].as_str().expect("a ref"));
        assert_eq!(task["status"], "SUCCEEDED", "{task}");
        task
    }

    /// The execution, when `until` holds of it.
    pub fn wait(&self, id: &str, until: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + crate::server::PATIENCE;
        loop {
            let run = self.get(&format!("/pipelines/{id}"));
            if until(&run) {
                return run;
            }
            assert!(Instant::now() < deadline, "it never comes to that: {run}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The execution, when it has ended.
    pub fn ended(&self, id: &str) -> Value {
        self.wait(id, |run| !matches!(run["status"].as_str(), Some("RUNNING" | "NOT_STARTED" | "PAUSED") | None))
    }
}
