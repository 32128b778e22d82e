//! A client that costs little: one connection that stays, one request after the other.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// One kept connection.
pub struct Client {
    address: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn new(address: &str) -> Client {
        let stream = TcpStream::connect(address).expect("the server takes connections");
        stream.set_nodelay(true).expect("a socket option");
        Client { address: address.to_owned(), stream, buffer: Vec::with_capacity(1 << 16) }
    }

    /// One request; the status and the body.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).expect("the server reads");
        self.buffer.clear();
        let mut piece = [0u8; 1 << 16];
        let (mut head, mut length) = (None, 0);
        loop {
            let count = self.stream.read(&mut piece).expect("the server answers");
            assert!(count > 0, "the server closed the connection: {}", String::from_utf8_lossy(&self.buffer));
            self.buffer.extend_from_slice(&piece[..count]);
            if head.is_none()
                && let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n")
            {
                head = Some(end + 4);
                length = content_length(&self.buffer[..end]);
            }
            if head.is_some_and(|head| self.buffer.len() >= head + length) {
                break;
            }
        }
        let status = std::str::from_utf8(&self.buffer[9..12]).ok().and_then(|s| s.parse().ok()).unwrap_or(0);
        (status, self.buffer[head.unwrap_or(0)..].to_vec())
    }

    /// One request that must be answered well with JSON.
    pub fn json(&mut self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap_or(Value::Null)
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let line = head.lines().find_map(|line| line.strip_prefix("content-length:").map(str::to_owned));
    line.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
}
