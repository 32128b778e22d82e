//! Talks to a running data plane over its Unix socket. Starting one is in [`crate::spawn`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

use crate::status::{Accepted, Events, Series, Status};
use crate::unix;
use crate::wanted::{Wanted, valid_id};

/// The socket's name in the data folder.
pub const SOCKET: &str = "dataplane.sock";

/// An answer larger than this is not read.
const LARGEST: usize = 64 << 20;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no data plane answers at {}: {cause}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// It listens, but does not speak.
    #[error("the data plane at {} broke off: {why}", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// It refused, and says why.
    #[error("the data plane refused: {message}")]
    Refused {
        /// HTTP status: 409 for an older generation, 400 for a wanted state that is wrong, 404 for a balancer that is not there, 403 for another user.
        status: u16,
        /// Its reason.
        message: String,
    },
}

/// A handle; each call opens a connection of its own, so a clone costs nothing and a restart of the data plane goes unnoticed.
#[derive(Debug, Clone)]
pub struct Client {
    dir: PathBuf,
}

impl Client {
    /// The data plane of the data folder `dir`. Does not connect.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Sets the whole wanted state; returns when it is in force in every thread.
    pub async fn put_wanted(&self, wanted: &Wanted) -> Result<Accepted, ClientError> {
        let body = serde_json::to_vec(wanted).map_err(|error| self.broken(error))?;
        self.call(Method::PUT, "/wanted", body, Duration::from_secs(30)).await
    }

    /// The wanted state in force, if there is one.
    pub async fn wanted(&self) -> Result<Option<Wanted>, ClientError> {
        self.call(Method::GET, "/wanted", Vec::new(), Duration::from_secs(10)).await
    }

    /// Everything at this moment.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.call(Method::GET, "/status", Vec::new(), Duration::from_secs(10)).await
    }

    /// What happened after event `after`; waits up to `wait` when there is nothing yet.
    pub async fn events(&self, after: u64, wait: Duration) -> Result<Events, ClientError> {
        let wait = wait.min(Duration::from_secs(60));
        let path = format!("/events?after={after}&wait={}", wait.as_millis());
        self.call(Method::GET, &path, Vec::new(), wait + Duration::from_secs(10)).await
    }

    /// What a balancer did second by second since `since` (UTC ms), at most for the last hour; refused with 404 when there is none such.
    pub async fn series(&self, balancer: &str, since: i64) -> Result<Series, ClientError> {
        if !valid_id(balancer) {
            return Err(ClientError::Refused { status: 404, message: "there is no such balancer".into() });
        }
        let path = format!("/series?balancer={balancer}&since={since}");
        self.call(Method::GET, &path, Vec::new(), Duration::from_secs(10)).await
    }

    /// Makes it wait for a successor who takes its listening sockets and its lock.
    pub(crate) async fn hand_over(&self) -> Result<(), ClientError> {
        self.call::<serde_json::Value>(Method::POST, "/handover?lock=1", Vec::new(), Duration::from_secs(30))
            .await
            .map(drop)
    }

    /// Ends the data plane. Instances go on running, but nothing balances traffic to them any more.
    pub async fn stop(&self) -> Result<(), ClientError> {
        self.call::<serde_json::Value>(Method::POST, "/stop", Vec::new(), Duration::from_secs(10)).await.map(drop)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(limit, self.exchange(method, path, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.broken(format!("no answer within {} s", limit.as_secs()))),
        }
    }

    async fn exchange<T: DeserializeOwned>(&self, method: Method, path: &str, body: Vec<u8>) -> Result<T, ClientError> {
        let stream = unix::connect(&self.dir, SOCKET)
            .await
            .map_err(|cause| ClientError::Connect { path: self.dir.join(SOCKET), cause })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(error))?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "dataplane")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.broken(error))?;
        let answer = sender.send_request(request).await.map_err(|error| self.broken(error))?;
        let status = answer.status();
        let body =
            Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|error| self.broken(error))?.to_bytes();
        driver.abort();
        if status != StatusCode::OK {
            return Err(ClientError::Refused {
                status: status.as_u16(),
                message: String::from_utf8_lossy(&body).trim().to_owned(),
            });
        }
        serde_json::from_slice(&body).map_err(|error| self.broken(error))
    }

    fn broken(&self, why: impl std::fmt::Display) -> ClientError {
        ClientError::Broken { path: self.dir.join(SOCKET), why: why.to_string() }
    }
}
