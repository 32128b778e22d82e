//! A worker's open connections to members. They are never shared with another thread, and kept for less time than servers keep theirs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::body::RequestBody;

/// An open connection on which a request can be sent.
pub type Sender = SendRequest<RequestBody>;

/// Idle connections by address, the youngest last.
#[derive(Default)]
pub struct Pool {
    idle: RefCell<HashMap<SocketAddr, Vec<(Sender, Instant)>>>,
}

impl Pool {
    /// An idle connection that is still open, the youngest.
    pub async fn take(&self, address: SocketAddr, oldest: Duration) -> Option<Sender> {
        loop {
            let (mut sender, since) = self.idle.borrow_mut().get_mut(&address)?.pop()?;
            if sender.is_closed() || since.elapsed() >= oldest {
                continue;
            }
            // Normally ready at once; it is not while the last answer's end is still being read.
            if sender.is_ready() || sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub fn put(&self, address: SocketAddr, sender: Sender) {
        if !sender.is_closed() {
            self.idle.borrow_mut().entry(address).or_default().push((sender, Instant::now()));
        }
    }

    /// Closes what is idle for too long, and all to addresses that are not `wanted`.
    pub fn sweep(&self, oldest: Duration, wanted: impl Fn(&SocketAddr) -> bool) {
        self.idle.borrow_mut().retain(|address, idle| {
            idle.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < oldest);
            !idle.is_empty() && wanted(address)
        });
    }
}

/// Opens a new connection for HTTP.
pub async fn open(address: SocketAddr, limit: Duration, longest_head: usize) -> io::Result<Sender> {
    let stream = connect(address, limit).await?;
    let handshake = http1::Builder::new().max_buf_size(longest_head.max(8192)).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(io::Error::other)?;
    // Its errors reach the request that runs on it.
    tokio::task::spawn_local(async move { drop(connection.with_upgrades().await) });
    Ok(sender)
}

/// Opens a new connection.
pub async fn connect(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let connected = tokio::time::timeout(limit, TcpStream::connect(address)).await;
    let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    prepare(&stream);
    Ok(stream)
}

/// Sets what every connection has: no delay of small writes, and an end when the other machine is gone or reads nothing.
pub fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10)),
    );
    let _ = socket.set_tcp_user_timeout(Some(Duration::from_secs(60)));
}
