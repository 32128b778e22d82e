//! What a server has saved, for checks that ask it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use pipeline::validate::Saved;
use serde_json::Value;

/// How to reach the server; without an address nothing is asked.
#[derive(clap::Args)]
pub struct Server {
    /// Check against what this server has saved, too
    #[arg(long, value_name = "URL", env = "GENNAKER_SERVER")]
    server: Option<String>,
    /// The token that the server wants, when it is not on this machine
    #[arg(long, value_name = "TOKEN", env = "GENNAKER_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Server {
    /// The server's address, when one is given.
    pub fn address(&self) -> Option<&str> {
        self.server.as_deref().filter(|address| !address.is_empty()).map(|address| address.trim_end_matches('/'))
    }

    /// Sends a request and gives the JSON of its answer.
    pub fn ask(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let Some(address) = self.address() else { bail!("no server is named: give --server URL") };
        let url = if address.contains("://") { format!("{address}{path}") } else { format!("http://{address}{path}") };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let http = events::http::client(|with| with.timeout(Duration::from_secs(30)))?;
            let mut request = http.request(method, &url);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.with_context(|| format!("cannot reach {url}"))?;
            let status = answer.status();
            let body = answer.text().await.with_context(|| format!("{url} broke off"))?;
            if !status.is_success() {
                let said = serde_json::from_str::<Value>(&body).ok();
                let said = said.and_then(|s| s.get("message")?.as_str().map(str::to_owned)).unwrap_or(body);
                bail!("{url} answered {status}: {said}");
            }
            serde_json::from_str(&body).with_context(|| format!("{url} answered no JSON"))
        })
    }

    /// What it has saved; nothing when no server is named.
    pub fn saved(&self) -> anyhow::Result<Option<Saved>> {
        if self.address().is_none() {
            return Ok(None);
        }
        let get = |path: &str| self.ask(reqwest::Method::GET, path, None);
        let names = |list: Value| -> Vec<String> {
            let list = list.as_array().cloned().unwrap_or_default();
            list.iter().filter_map(|one| one.get("name")?.as_str().map(str::to_owned)).collect()
        };
        let pipelines = get("/pipelineConfigs")?.as_array().cloned().unwrap_or_default();
        Ok(Some(Saved {
            pipelines: pipelines.into_iter().filter_map(|p| p.as_object().cloned()).collect(),
            applications: names(get("/applications")?),
            accounts: names(get("/credentials")?),
        }))
    }
}
