//! `aptly api serve`: aptly's API over HTTP, on an address or a Unix socket. The API itself is in the `api` crate.

use std::io::Write as _;
use std::path::Path;

use api::Router;
use api::aptly::{Aptly, Settings};
use tokio::sync::watch;

use super::config::Config;
use super::download::{Download, Rules};
use super::flags::Parsed;
use super::package::follow;
use super::serve::{addresses, bind};
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
        downloads: downloads(config.number("downloadRetries"), config.number("downloadSpeedLimit")),
    }
}

/// Downloads by what a configuration says.
fn downloads(retries: u64, limit: u64) -> Option<api::aptly::Downloads> {
    let tries = u32::try_from(retries.saturating_add(1)).unwrap_or(u32::MAX);
    Some(std::sync::Arc::new(Download::new(Rules { tries, limit: limit.saturating_mul(1024) })))
}

/// What the user's own configuration says; without one, or with one that cannot be read, what is usual.
pub fn of_user(environment: &Environment) -> Settings {
    let file = super::root::file_of_user(environment).map(|file| file.to_string_lossy().into_owned());
    let config = file.and_then(|file| Config::load(&file, environment).ok());
    config.map_or_else(
        || Settings { version: APTLY_VERSION.into(), downloads: downloads(0, 0), ..Settings::default() },
        |config| settings(&config),
    )
}

pub fn serve(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    root.recover_publications()?;
    let service = Aptly::new(Some(root), settings(&context.config)).service();
    let listen = parsed.text("listen");
    let runtime = tokio::runtime::Runtime::new()?;
    let (end, ending) = watch::channel(false);
    runtime.spawn(async move {
        told_to_end().await;
        end.send_replace(true);
    });
    match listen.strip_prefix("unix://") {
        Some(path) => runtime.block_on(serve_unix(Path::new(path), service, ending)),
        None => {
            let listener = bind(&listen)?;
            let address = listener.local_addr()?;
            if addresses(&listen)?.iter().any(|address| !address.ip().to_canonical().is_loopback()) {
                let _ = writeln!(
                    std::io::stderr(),
                    "warning: whoever reaches {address} may change these repositories: nobody is asked for a token"
                );
            }
            say!("Starting web server at: {address} (press Ctrl+C to quit)...");
            let _ = std::io::stdout().flush();
            listener.set_nonblocking(true)?;
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                api::server::serve(vec![listener], service, ending).await
            })?;
            Ok(())
        }
    }
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
    say!("Starting web server at: unix://{} (press Ctrl+C to quit)...", path.display());
    let _ = std::io::stdout().flush();
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
