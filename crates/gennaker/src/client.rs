//! The server as the command line sees it: where it is, one request at a time, and what went wrong in words.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use access::Secret;
use anyhow::Context;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::alone::Alone;
use crate::environment::Environment;
use crate::machine::Place;
use crate::output::{Format, Output};

/// Which server is meant, and how answers are printed.
#[derive(clap::Args)]
pub struct Gate {
    /// The server's address [default: $GENNAKER_SERVER, else the one that runs for the data folder, else http://127.0.0.1:9000]
    #[arg(long, visible_alias = "gate-endpoint", value_name = "URL")]
    server: Option<String>,
    /// Print answers as json, yaml, text or jsonpath=PATH [default: json]
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
    /// Say nothing but answers and errors
    #[arg(short, long)]
    quiet: bool,
    /// Accepted for scripts written for spin; there are no colours
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide = true)]
    no_color: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Gate {
    /// The client and the printer.
    pub fn open(&self) -> anyhow::Result<(Client, Output)> {
        let environment = Environment::read();
        let address = match self.server.clone().or_else(|| environment.server.clone()) {
            Some(address) => address,
            None => self.found()?.unwrap_or_else(|| USUAL.into()),
        };
        let client = Client::new(&address, environment.token)?;
        Ok((client, self.output()))
    }

    /// The same; where no server is named and none runs for the data folder, one is started, with load balancers on `traffic`.
    pub fn open_or_start(&self, traffic: Option<IpAddr>) -> anyhow::Result<(Client, Output)> {
        let environment = Environment::read();
        let named = self.server.is_some() || environment.server.is_some();
        if !named && self.found()?.is_none() && of_the_machine(&self.place).is_none() {
            let started = crate::background::start(&self.place, traffic)?;
            self.output().say(format!("started a server: {started}"));
        }
        self.open()
    }

    /// The data folder's own stores, where no server is named and none runs for it.
    pub fn alone(&self) -> anyhow::Result<Option<Alone>> {
        match self.server.is_some() || Environment::read().server.is_some() {
            true => Ok(None),
            false => Alone::take(&self.place),
        }
    }

    /// The printer alone.
    pub fn output(&self) -> Output {
        Output { format: self.output.clone(), quiet: self.quiet }
    }

    /// The address of the server that runs for the data folder.
    fn found(&self) -> anyhow::Result<Option<String>> {
        let running = self.place.machine()?.server().flatten();
        Ok(running.map(|file| file.nearest()))
    }
}

/// Why the server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens there.
    #[error(
        "no server answers at {0}: start one with `gennaker serve`, or name another with --server or GENNAKER_SERVER"
    )]
    NoServer(String),
    /// It answered with an error.
    #[error("{message}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// What the server says, in one sentence.
        message: String,
    },
}

impl CallError {
    /// What the server's answer of this status says.
    fn refused(status: StatusCode, answer: &Value) -> Self {
        let said = answer["message"].as_str().or(answer["error"].as_str()).map(str::to_owned);
        let message = said.unwrap_or_else(|| format!("the server answers {status} to this request"));
        let message = match answer["requestId"].as_str().filter(|_| status.is_server_error()) {
            Some(id) => {
                format!("{message} (request {id}: `gennaker logs --server --request {id}` shows what was logged)")
            }
            None => message,
        };
        Self::Refused { status, message }
    }

    /// Whether the thing is not there.
    pub fn is_missing(error: &anyhow::Error) -> bool {
        let refused = error.downcast_ref::<CallError>();
        matches!(refused, Some(CallError::Refused { status, .. }) if *status == StatusCode::NOT_FOUND)
    }
}

/// Where a server listens when nobody says otherwise.
const USUAL: &str = "http://127.0.0.1:9000";

/// The address of a server of another user, a service of the machine mostly, which serves as well where none runs for the data folder. Who names a
/// data folder means that one's.
pub fn of_the_machine(place: &Place) -> Option<&'static str> {
    let answers = || Client::new(USUAL, None).is_ok_and(|client| client.is_a_server());
    (!place.names_data() && answers()).then_some(USUAL)
}

/// A server that can be asked.
pub struct Client {
    base: Url,
    token: Option<Secret>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nor for the end of an upload.
const UPLOAD: Duration = Duration::from_secs(6 * 3600);

impl Client {
    /// The server at an address.
    pub fn new(address: &str, token: Option<Secret>) -> anyhow::Result<Self> {
        // Another provider that was installed before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let whole = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let base = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let base = base.with_context(|| format!("{address} is no address of a server; write http://HOST:PORT"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let http = events::http::client(|with| with.timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()))?;
        Ok(Client { base, token, http, runtime })
    }

    /// Whether one of ours answers there.
    fn is_a_server(&self) -> bool {
        self.get(&["version"], &[]).is_ok_and(|said| said.get("version").is_some_and(Value::is_string))
    }

    /// A client of the server that the environment names.
    pub fn of(environment: &Environment) -> anyhow::Result<Self> {
        Client::new(environment.server.as_deref().unwrap_or(USUAL), environment.token.clone())
    }

    /// Posts, and hands on the JSON of each line of the answer as it comes, for as long as that takes.
    pub fn lines(&self, path: &[&str], body: &Value, each: &mut dyn FnMut(Value)) -> anyhow::Result<()> {
        let request = self.request(Method::POST, path, &[]).timeout(UPLOAD).json(body);
        let mut answer =
            self.runtime.block_on(async { request.send().await }).map_err(|error| self.unreachable(error))?;
        if !answer.status().is_success() {
            let (status, text) =
                (answer.status(), self.runtime.block_on(async { answer.text().await }).unwrap_or_default());
            return Err(CallError::refused(status, &serde_json::from_str(&text).unwrap_or(Value::String(text))).into());
        }
        let mut waiting = Vec::new();
        while let Some(piece) =
            self.runtime.block_on(async { answer.chunk().await }).map_err(|error| self.unreachable(error))?
        {
            waiting.extend_from_slice(&piece);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                each(serde_json::from_slice(&line).context("the server sent a line that is no JSON")?);
            }
        }
        Ok(())
    }

    /// The address of a page of the browser.
    pub fn page(&self, path: &str) -> String {
        format!("{}/ui{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// `GET`; the path is given in parts, each of which may hold anything.
    pub fn get(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.send(Method::GET, path, query, None)
    }

    /// The same, `None` when it is not there.
    pub fn find(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Option<Value>> {
        match self.get(path, query) {
            Ok(value) => Ok(Some(value)),
            Err(error) if CallError::is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A request with a body.
    pub fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.request(method, path, query);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answered(request)
    }

    /// A file's bytes as a body, for as long as they take.
    pub fn upload(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        file: &Path,
    ) -> anyhow::Result<Value> {
        let opened = self.runtime.block_on(tokio::fs::File::open(file));
        let opened = opened.with_context(|| format!("cannot open {}", file.display()))?;
        let request = self.request(method, path, query).timeout(UPLOAD).body(opened);
        self.answered(request.header(reqwest::header::CONTENT_TYPE, "application/octet-stream"))
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, String)]) -> reqwest::RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    fn answered(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answered = self.runtime.block_on(async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
        });
        let (status, text) = answered.map_err(|error| self.unreachable(error))?;
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() {
            return Ok(value);
        }
        Err(CallError::refused(status, &value).into())
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        if error.is_connect() {
            return CallError::NoServer(self.base.to_string()).into();
        }
        anyhow::Error::new(error.without_url()).context(format!("no answer from {}", self.base))
    }

    /// Starts jobs and waits until they have ended well.
    pub fn task(&self, body: &Value) -> anyhow::Result<Value> {
        let started = self.send(Method::POST, &["tasks"], &[], Some(body))?;
        let id = started["ref"].as_str().and_then(|r| r.rsplit('/').next()).unwrap_or_default().to_owned();
        let mut pause = Duration::from_millis(20);
        loop {
            let task = self.get(&["tasks", &id], &[])?;
            match task["status"].as_str().unwrap_or_default() {
                "SUCCEEDED" | "SKIPPED" | "STOPPED" | "FAILED_CONTINUE" => return Ok(task),
                "TERMINAL" | "CANCELED" => {
                    let why = crate::progress::reasons(&task["execution"]);
                    anyhow::bail!("{}: {}", task["name"].as_str().unwrap_or("the task"), why.join("; "));
                }
                _ => {}
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// Reads JSON from a file, or from standard input as `-`.
pub fn read_json(file: &Path) -> anyhow::Result<Value> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    serde_json::from_str(&text).with_context(|| format!("{} is not good JSON", file.display()))
}

/// A file's JSON that must be an object.
pub fn read_object(file: &Path) -> anyhow::Result<pipeline::Map> {
    match read_json(file)? {
        Value::Object(map) => Ok(map),
        _ => anyhow::bail!("{} must hold one JSON object", file.display()),
    }
}

/// Done well.
pub fn done() -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
