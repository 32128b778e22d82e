//! `gennaker serve`: the control plane. Listeners open first, so that it answers within a moment of its start.

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use api::server::Listening;
use api::server_log::ServerLog;
use serde::{Deserialize, Serialize};
use store::clock::{Clock, SystemClock};
use store::lock::FolderLock;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::backup::restore;
use crate::config::{Config, LogFormat};
use crate::environment::Environment;
use crate::{door, folder, wiring};

/// What may be said on the command line; everything else stands in the file.
#[derive(clap::Args)]
pub struct Args {
    /// The configuration file [default: /etc/gennaker/gennaker.toml as root, else ~/.config/gennaker/gennaker.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder [default: /var/lib/gennaker as root, else ~/.local/share/gennaker]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the page and the API are served [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where the same is served for clients of Spinnaker's Gate, or none [default: 127.0.0.1:8084]
    #[arg(long, value_name = "ADDRESS")]
    gate_listen: Option<String>,
    /// On which address of this machine load balancers listen [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    traffic_address: Option<IpAddr>,
    /// Leave the session of whoever starts it: no terminal ends it
    #[arg(long, hide = true)]
    own_session: bool,
}

/// What `DATA/server.json` says while a server runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerFile {
    /// Its process.
    pub pid: u32,
    /// Where the page and the API are.
    pub listen: SocketAddr,
    /// Whether TLS is spoken there.
    #[serde(default)]
    pub tls: bool,
    /// Where Gate's clients find it.
    pub gate_listen: Option<SocketAddr>,
    /// When it began to serve, in milliseconds since 1970.
    pub started_at: i64,
    /// Its version.
    pub version: String,
}

impl ServerFile {
    /// Where it lies in a data folder.
    pub fn path(data: &Path) -> PathBuf {
        data.join("server.json")
    }

    /// What the folder says; none when no server runs there.
    pub fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read(Self::path(data)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// The address for callers on this machine: one that needs no certificate for the name `localhost`, where there is one.
    pub fn nearest(&self) -> String {
        match self.gate_listen.filter(|gate| self.tls && gate.ip().to_canonical().is_loopback()) {
            Some(gate) => format!("http://{gate}"),
            None if self.tls => format!("https://{}", self.listen),
            None => format!("http://{}", self.listen),
        }
    }

    /// Appears whole or not at all.
    fn write(&self, data: &Path) -> anyhow::Result<()> {
        let path = Self::path(data);
        let new = path.with_extension("json.new");
        std::fs::write(&new, serde_json::to_vec_pretty(self)?)
            .and_then(|()| std::fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Serves until it is told to end.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.own_session {
        // It fails only for one that leads its session already.
        let _ = rustix::process::setsid();
    }
    let environment = Environment::read();
    let flags = [
        ("server", "data", args.data.map(|data| data.to_string_lossy().into_owned())),
        ("server", "listen", args.listen),
        ("server", "gate_listen", args.gate_listen),
        ("local", "listen", args.traffic_address.map(|address| address.to_string())),
    ];
    let flags = flags.into_iter().filter_map(|(section, key, value)| Some((section, key, value?))).collect();
    let config = Config::load(args.config.as_deref(), &environment, flags)?;
    let kept = log(&config, &environment);
    // Another provider that was installed before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Before anything is made: a refusal leaves no trace.
    let data = config.data(&environment);
    door::check_before(&config, &data)?;
    folder::ensure(&data)?;
    let data = std::path::absolute(&data)?;
    let _lock = FolderLock::take(&data)?;
    if data.join(restore::MARK).exists() {
        bail!("a restore into {} did not end: remove what is in it and restore again", data.display());
    }
    // What one that was killed said of itself is not true of this one.
    let _ = std::fs::remove_file(ServerFile::path(&data));
    if let Err(error) = kept.open(&data) {
        tracing::warn!(%error, "the server's log is not kept in {}", data.join("logs").display());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(&config, &environment, &data))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: &Config, environment: &Environment, data: &Path) -> anyhow::Result<()> {
    let kept = wiring::open(config, data)?;
    door::check(config, !kept.tokens.is_empty())?;
    let tls = door::tls(config)?;
    let mut listeners = Vec::new();
    for address in config.listeners() {
        let hint = || {
            format!(
                "cannot listen on {address}: end what listens there, or choose another address with --listen and --gate-listen"
            )
        };
        let listener = TcpListener::bind(address).await.with_context(hint)?;
        listeners.push(Listening { listener, tls: tls.clone().filter(|_| door::speaks_tls(&address)) });
    }
    let addresses: Vec<_> = listeners.iter().map(|one| one.listener.local_addr()).collect::<Result<_, _>>()?;
    let scheme = if listeners[0].tls.is_some() { "https" } else { "http" };
    let own = format!("{scheme}://{}", addresses[0]);
    let public_url = config.server.public_url.as_ref().map_or(&own, |url| &url.0);
    let parts = wiring::build(config, environment, data, kept, public_url)?;
    let (end, ending) = watch::channel(false);
    let serving = tokio::spawn(api::server::serve(
        listeners,
        api::server::service(parts.house.clone(), parts.guard.clone(), api::server::Limits::default()),
        ending,
    ));
    let file = ServerFile {
        pid: std::process::id(),
        listen: addresses[0],
        tls: scheme == "https",
        gate_listen: addresses.get(1).copied(),
        started_at: SystemClock.now().as_millisecond(),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    file.write(data)?;
    tracing::info!(version = file.version, listen = %file.listen, pid = file.pid, "the server begins");
    println!("gennaker {} serves {own}/ui/ (data in {})", file.version, data.display());
    if let Some(gate) = file.gate_listen {
        println!("Gate's clients reach it at http://{gate}");
    }
    parts.start().await?;
    told_to_end().await?;
    tracing::info!("ending: running requests finish, instances and balancer go on");
    let _ = end.send(true);
    let finished = async {
        parts.stop().await;
        serving.await
    };
    tokio::select! {
        done = finished => done??,
        _ = told_to_end() => tracing::warn!("told twice: ending at once"),
        () = tokio::time::sleep(Duration::from_secs(10)) => {}
    }
    let _ = std::fs::remove_file(ServerFile::path(data));
    Ok(())
}

/// Waits for TERM or INT.
async fn told_to_end() -> anyhow::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Lines go to standard error, and, once its folder is known to be ours, to the log that `gennaker logs --server` reads.
fn log(config: &Config, environment: &Environment) -> ServerLog {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    use tracing_subscriber::{EnvFilter, Layer, fmt};
    let filter = EnvFilter::new(environment.log.as_deref().unwrap_or("info"));
    // A log that cannot be written is no reason to stop: complaining about it to the same place would panic.
    let lines =
        fmt::layer().log_internal_errors(false).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match config.server.log {
        LogFormat::Plain => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let kept = ServerLog::default();
    let writer = kept.clone();
    let file = fmt::layer().json().log_internal_errors(false).with_writer(move || writer.clone());
    // Only the first subscriber of a process counts.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(file).try_init();
    kept
}
