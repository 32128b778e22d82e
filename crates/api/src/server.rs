//! Listeners, connections and their bounds, and the one list of all routes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::Request;
use axum::middleware;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use utoipa::openapi::OpenApi;

use crate::guard::Listener;
use crate::{Guard, House, gate, live, openapi, page, ui};

/// A request's head must be there within this time.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes.
const HEAD_SIZE: usize = 64 << 10;
/// The largest body of a request, in bytes; a pipeline of thousands of stages is far smaller.
const BODY_SIZE: usize = 16 << 20;
/// Connections at a time, over all listeners.
const CONNECTIONS: usize = 8_192;
/// How long running requests get when the server ends; live streams never end by themselves.
const GOODBYE: Duration = Duration::from_secs(2);

/// All routes, and the document that describes them; one call makes both, so they cannot differ.
pub fn routes() -> (Router<House>, OpenApi) {
    openapi::router().merge(gate::routes()).merge(live::routes()).merge(ui::routes()).split_for_parts()
}

/// The routes behind the guard, ready to serve.
pub fn service(house: House, guard: Guard) -> Router {
    let (router, _) = routes();
    router
        .merge(page::routes())
        .with_state(house)
        .layer(DefaultBodyLimit::max(BODY_SIZE))
        .layer(middleware::from_fn_with_state(guard, Guard::watch))
}

/// Serves on open sockets until `ending` turns true; then lets running requests finish, for a short while.
pub async fn serve(listeners: Vec<TcpListener>, service: Router, ending: watch::Receiver<bool>) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut loops = tokio::task::JoinSet::new();
    for listener in listeners {
        let address = listener.local_addr()?;
        loops.spawn(accept(listener, address, service.clone(), places.clone(), ending.clone()));
    }
    while loops.join_next().await.is_some() {}
    Ok(())
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    service: Router,
    places: Arc<Semaphore>,
    mut ending: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let about = Listener { loopback: address.ip().to_canonical().is_loopback() };
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ending| *ending) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors: others are served meanwhile, and closing one makes room.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        let answer = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(about);
            let service = service.clone();
            async move {
                Ok::<_, Infallible>(
                    service.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {}),
                )
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_SIZE)
            .serve_connection(TokioIo::new(stream), answer);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away is no event.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GOODBYE, graceful.shutdown()).await;
}
