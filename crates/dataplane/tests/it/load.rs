//! Clients that keep a balancer busy and count what goes wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// What all clients saw.
#[derive(Default)]
pub struct Seen {
    pub requests: AtomicU64,
    pub failures: std::sync::Mutex<Vec<String>>,
    stop: AtomicBool,
}

pub struct Load {
    pub seen: Arc<Seen>,
    clients: Vec<JoinHandle<String>>,
}

impl Load {
    /// So many clients that keep their connection, and so many that don't.
    pub fn start(address: SocketAddr, keeping: usize, closing: usize) -> Self {
        let seen = Arc::new(Seen::default());
        let keeps = (0..keeping).map(|_| true).chain((0..closing).map(|_| false));
        let clients = keeps.map(|keep| tokio::spawn(client(address, keep, seen.clone()))).collect();
        Self { seen, clients }
    }

    /// Ends all; what each got last.
    pub async fn end(self) -> Vec<String> {
        self.seen.stop.store(true, SeqCst);
        let mut last = Vec::new();
        for client in self.clients {
            last.push(client.await.unwrap());
        }
        last
    }
}

async fn client(address: SocketAddr, keep: bool, seen: Arc<Seen>) -> String {
    let mut connection: Option<SendRequest<Empty<Bytes>>> = None;
    let mut last = String::new();
    while !seen.stop.load(SeqCst) {
        seen.requests.fetch_add(1, SeqCst);
        match one(&mut connection, address, keep).await {
            Ok(answer) => last = answer,
            Err(why) => {
                connection = None;
                seen.failures.lock().unwrap().push(why);
            }
        }
    }
    last
}

async fn one(
    connection: &mut Option<SendRequest<Empty<Bytes>>>,
    address: SocketAddr,
    keep: bool,
) -> Result<String, String> {
    let mut sender = match connection.take().filter(|c| !c.is_closed()) {
        Some(sender) => sender,
        None => {
            let stream = TcpStream::connect(address).await.map_err(|e| format!("connect: {e}"))?;
            let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
            tokio::spawn(driver);
            sender
        }
    };
    sender.ready().await.map_err(|e| format!("ready: {e}"))?;
    let request =
        Request::get("/").header("host", "web").header("connection", if keep { "keep-alive" } else { "close" });
    let answer = sender.send_request(request.body(Empty::new()).unwrap()).await.map_err(|e| format!("send: {e}"))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|e| format!("body: {e}"))?.to_bytes();
    if !status.is_success() {
        return Err(format!("{status} {}", String::from_utf8_lossy(&body)));
    }
    if keep {
        *connection = Some(sender);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}
