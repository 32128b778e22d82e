//! Listeners, connections and their bounds, and the one list of all routes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, Request, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;

use crate::guard::Listener;
use crate::requests::{self, Way};
use crate::{Guard, House, Problem, aptly, gate, live, metrics, openapi, page, ready, scope, ui};

/// A request's head must be there within this time.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes.
const HEAD_SIZE: usize = 64 << 10;
/// Connections at a time, over all listeners.
const CONNECTIONS: usize = 8_192;
/// How long running requests get when the server ends; live streams never end by themselves.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a request's body may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes; a pipeline of thousands of stages is far smaller.
    pub body_size: usize,
    /// A body must be there within this time.
    pub body_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_size: 16 << 20, body_time: Duration::from_secs(30) }
    }
}

/// All routes but aptly's, and the document that describes them; one call makes both, so they cannot differ.
fn routes() -> (Router<House>, OpenApi) {
    openapi::router()
        .merge(gate::routes())
        .merge(live::routes())
        .merge(ui::routes())
        .merge(metrics::routes())
        .merge(ready::routes())
        .split_for_parts()
}

/// The document that describes all routes.
pub(crate) fn document() -> OpenApi {
    let (_, mut document) = routes();
    let (_, aptly) = aptly::routes().split_for_parts();
    document.merge(aptly);
    document
}

/// The routes behind the guard, ready to serve.
pub fn service(house: House, guard: Guard, limits: Limits) -> Router {
    let (router, _) = routes();
    let room = house.room.clone();
    let way = Way { watched: house.watched.clone(), store: house.store.clone() };
    router
        .merge(house.aptly.clone().router())
        .merge(page::routes())
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_so)
        .with_state(house.clone())
        .layer(middleware::from_fn_with_state(house, scope::watch))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(limits, whole_body))
        .layer(middleware::from_fn_with_state(room, crate::room::watch))
        .layer(middleware::from_fn_with_state(guard, Guard::watch))
        .layer(middleware::from_fn_with_state(way, requests::watch))
}

/// An address that is none. What it says of itself is shown short and inert.
async fn nothing_there(method: Method, uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {method} {}", shown(&uri)))
}

/// An address that knows other methods only.
async fn not_so(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not know {method}", shown(&uri)))
}

fn shown(uri: &Uri) -> String {
    uri.path().chars().take(200).flat_map(char::escape_debug).collect()
}

/// What the paths of routes begin with whose bodies are files: their handlers take them piece by piece and bound the pauses.
const STREAMED: [&str; 2] = ["/images/import", "/api/files/"];

/// Takes the whole body before a handler begins, so that nobody holds one by sending slowly or without end. Who may not ask
/// at all was turned away before.
async fn whole_body(State(limits): State<Limits>, request: Request<Body>, next: Next) -> Response {
    if STREAMED.iter().any(|route| request.uri().path().starts_with(route)) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let taken = tokio::time::timeout(limits.body_time, axum::body::to_bytes(body, limits.body_size)).await;
    let refuse = |status, message: String| Problem::new(status, message).into_response();
    match taken {
        Ok(Ok(body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(error)) if too_large(&error) => {
            let message = format!("the body is larger than {} bytes", limits.body_size);
            refuse(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        Ok(Err(_)) => refuse(StatusCode::BAD_REQUEST, "the body broke off".into()),
        Err(_) => {
            let message = format!("the body was not there within {:?}", limits.body_time);
            refuse(StatusCode::REQUEST_TIMEOUT, message)
        }
    }
}

fn too_large(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}

/// An open socket, and how TLS is spoken on it.
pub struct Listening {
    /// The socket.
    pub listener: TcpListener,
    /// None: it is not.
    pub tls: Option<Arc<ServerConfig>>,
}

impl From<TcpListener> for Listening {
    fn from(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }
}

/// Serves on open sockets until `ending` turns true; then lets running requests finish, for a short while.
pub async fn serve(listeners: Vec<Listening>, service: Router, ending: watch::Receiver<bool>) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut loops = tokio::task::JoinSet::new();
    for listening in listeners {
        let address = listening.listener.local_addr()?;
        loops.spawn(accept(listening, address, service.clone(), places.clone(), ending.clone()));
    }
    while loops.join_next().await.is_some() {}
    Ok(())
}

/// The same on a Unix socket, whose file says who may come.
pub async fn serve_unix(
    listener: UnixListener,
    service: Router,
    mut ending: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let ended = async move {
        // Nobody left to say it is the end as well.
        let _ = ending.wait_for(|ending| *ending).await;
    };
    axum::serve(listener, service).with_graceful_shutdown(ended).await
}

async fn accept(
    Listening { listener, tls }: Listening,
    address: SocketAddr,
    service: Router,
    places: Arc<Semaphore>,
    mut ending: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let loopback = address.ip().to_canonical().is_loopback();
    let tls = tls.map(TlsAcceptor::from);
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ending| *ending) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors: others are served meanwhile, and closing one makes room.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let about = Listener { loopback, tls: tls.is_some(), peer };
        let (service, tls, watcher) = (service.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, about, service, watcher).await,
                Some(tls) => {
                    // Who does not shake hands in time is no client.
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_TIME, tls.accept(stream)).await {
                        connection(stream, about, service, watcher).await;
                    }
                }
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GOODBYE, graceful.shutdown()).await;
}

/// Answers the requests of one connection until it ends.
async fn connection<S>(stream: S, about: Listener, service: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(about);
        let service = service.clone();
        async move {
            Ok::<_, Infallible>(service.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {}))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(stream), answer);
    // A client that goes away is no event.
    let _ = watcher.watch(connection).await;
}
