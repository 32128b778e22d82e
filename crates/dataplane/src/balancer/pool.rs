//! A worker's open connections to members. They are never shared with another thread, and kept for less time than servers keep theirs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Idle connections by address, the youngest last.
#[derive(Default)]
pub struct Pool {
    idle: RefCell<HashMap<SocketAddr, Vec<(TcpStream, Instant)>>>,
}

impl Pool {
    /// An idle connection that is still open, the youngest.
    pub fn take(&self, address: SocketAddr, now: Instant, oldest: Duration) -> Option<TcpStream> {
        let mut idle = self.idle.borrow_mut();
        let idle = idle.get_mut(&address)?;
        while let Some((stream, since)) = idle.pop() {
            if now.duration_since(since) < oldest && is_quiet(&stream) {
                return Some(stream);
            }
        }
        None
    }

    /// Keeps a connection for the next request.
    pub fn put(&self, address: SocketAddr, stream: TcpStream, used: Instant) {
        self.idle.borrow_mut().entry(address).or_default().push((stream, used));
    }

    /// Closes what is idle for too long, and all to addresses that are not `wanted`.
    pub fn sweep(&self, oldest: Duration, wanted: impl Fn(&SocketAddr) -> bool) {
        self.idle.borrow_mut().retain(|address, idle| {
            idle.retain(|(stream, since)| since.elapsed() < oldest && is_quiet(stream));
            !idle.is_empty() && wanted(address)
        });
    }
}

/// Whether nothing came: a member that closes, or speaks unasked, cannot be asked. Costs no call of the system while nothing happened.
fn is_quiet(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
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
