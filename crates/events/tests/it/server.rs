//! A server that answers each connection with prepared bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on a free port of loopback and the requests that it saw.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The heads of the requests, one a connection.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers every connection by what `answer` writes after the request's head was read.
    pub fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (heads, answer) = (seen.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heads, answer) = (heads.clone(), answer.clone());
                thread::spawn(move || serve(stream, &heads, &*answer));
            }
        });
        Self { address, seen }
    }

    /// Answers every connection with this text and closes it.
    pub fn text(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::start(move |stream| {
            let _ = stream.write_all(answer.as_bytes());
        })
    }
}

fn serve(mut stream: TcpStream, heads: &Mutex<Vec<String>>, answer: &dyn Fn(&mut TcpStream)) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    heads.lock().expect("no panic").push(String::from_utf8_lossy(&head).into_owned());
    answer(&mut stream);
}
