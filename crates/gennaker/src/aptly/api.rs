//! `aptly api serve`: aptly's API over HTTP, on an address or a Unix socket. The API itself is in the `api` crate.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;

use api::Router;
use api::aptly::{Aptly, Settings};
use tokio::sync::watch;

use super::config::Config;
use super::download::{Download, Rules};
use super::flags::Parsed;
use super::package::follow;
use super::serve::bind;
use super::{APTLY_VERSION, Context, Failure, say};
use crate::environment::Environment;

/// What a configuration says that the API heeds.
fn settings(config: &Config) -> Settings {
    Settings {
        version: APTLY_VERSION.into(),
        architectures: config.list("architectures"),
        follow: follow(config),
        skip_contents: config.on("skipContentsPublishing"),
        skip_bz2: config.on("skipBz2Publishing"),
        asynchronous: config.on("AsyncAPI"),
        downloads: downloads(config),
        signing: super::root::signing(config),
        checks_in: super::key::checks_in(config),
        metrics: config.on("enableMetricsEndpoint"),
        serve_files: config.on("serveInAPIMode"),
    }
}

/// Downloads by what a configuration says.
fn downloads(config: &Config) -> Option<api::aptly::Downloads> {
    let tries = u32::try_from(config.number("downloadRetries").saturating_add(1)).unwrap_or(u32::MAX);
    Some(std::sync::Arc::new(Download::new(Rules { tries, ..Rules::of(config) })))
}

/// What the user's own configuration says; without one, or with one that cannot be read, what is usual.
pub fn of_user(environment: &Environment) -> Settings {
    let file = super::root::file_of_user(environment).map(|file| file.to_string_lossy().into_owned());
    let config = file.and_then(|file| Config::load(&file, environment).ok());
    settings(&config.unwrap_or_else(|| Config::usual(environment)))
}

pub fn serve(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    root.recover_publications()?;
    let aptly = Aptly::new(Some(root), settings(&context.config));
    let service = aptly.clone().service();
    let listen = parsed.text("listen");
    let runtime = tokio::runtime::Runtime::new()?;
    let (end, ending) = watch::channel(false);
    runtime.spawn(async move {
        told_to_end().await;
        end.send_replace(true);
    });
    match inherited()? {
        Some(Inherited::Unix(listener)) => {
            announce("the socket of systemd");
            listener.set_nonblocking(true)?;
            runtime.block_on(async { api::server::serve_unix(listener.try_into()?, service, ending).await })?;
        }
        Some(Inherited::Tcp(listener)) => runtime.block_on(serve_tcp(listener, service, ending))?,
        None => match listen.strip_prefix("unix://") {
            Some(path) => runtime.block_on(serve_unix(Path::new(path), service, ending))?,
            None => runtime.block_on(serve_tcp(bind(&listen)?, service, ending))?,
        },
    }
    // What clients were promised is done before the end.
    runtime.block_on(aptly.tasks_over());
    Ok(())
}

/// An open socket that whoever started us hands over, as systemd does (`sd_listen_fds`).
enum Inherited {
    Tcp(TcpListener),
    Unix(UnixListener),
}

fn inherited() -> Result<Option<Inherited>, Failure> {
    let mut given = listenfd::ListenFd::from_env();
    let unable = |error: std::io::Error| Failure::Run(format!("unable to serve on the inherited socket: {error}"));
    match given.len() {
        0 => Ok(None),
        1 => match given.take_tcp_listener(0) {
            Ok(listener) => Ok(listener.map(Inherited::Tcp)),
            Err(_) => Ok(given.take_unix_listener(0).map_err(unable)?.map(Inherited::Unix)),
        },
        many => Err(Failure::Run(format!("unable to serve: {many} sockets are inherited, and one is expected"))),
    }
}

fn announce(place: impl std::fmt::Display) {
    say!("Starting web server at: {place} (press Ctrl+C to quit)...");
    let _ = std::io::stdout().flush();
}

async fn serve_tcp(listener: TcpListener, service: Router, ending: watch::Receiver<bool>) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    if !address.ip().to_canonical().is_loopback() {
        let _ = writeln!(
            std::io::stderr(),
            "warning: whoever reaches {address} may change these repositories: nobody is asked for a token"
        );
    }
    announce(address);
    listener.set_nonblocking(true)?;
    api::server::serve(vec![tokio::net::TcpListener::from_std(listener)?.into()], service, ending).await?;
    Ok(())
}

/// Serves on a socket that is only its owner's and group's; one that nobody serves any more is replaced.
async fn serve_unix(path: &Path, service: Router, ending: watch::Receiver<bool>) -> Result<(), Failure> {
    let unable = |error: std::io::Error| Failure::Run(format!("unable to listen on {}: {error}", path.display()));
    if std::os::unix::net::UnixStream::connect(path).is_err() {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unable(error)),
            _ => {}
        }
    }
    let listener = tokio::net::UnixListener::bind(path).map_err(unable)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o660);
    std::fs::set_permissions(path, mode).map_err(unable)?;
    announce(format_args!("unix://{}", path.display()));
    let served = api::server::serve_unix(listener, service, ending).await;
    let _ = std::fs::remove_file(path);
    served.map_err(unable)
}

async fn told_to_end() {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let term = async {
        match &mut term {
            Some(term) => term.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term => {}
    }
}
