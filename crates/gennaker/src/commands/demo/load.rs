//! The load generator: clients that keep their connection and clients that open one a request, all asking the load balancer until told to
//! stop. It counts honestly: whatever is not a whole answer with status 200 is a failure, and nothing is asked twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Clients that keep their connection.
pub const KEEPING: usize = 8;
/// Clients that open a connection a request.
pub const CLOSING: usize = 4;
/// Each client rests so long between two requests: we share the machine with what we ask.
const REST: Duration = Duration::from_millis(4);
/// An answer that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests that were sent, or could not be.
    pub requests: u64,
    /// Those without a whole 200.
    pub failures: u64,
    /// The first few reasons.
    pub reasons: Vec<String>,
    /// By answer: how many, the first and the last time.
    pub answers: BTreeMap<String, (u64, Instant, Instant)>,
    /// The slowest answer.
    pub slowest: Duration,
}

/// Clients at work.
pub struct Load {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Load {
    /// Starts all clients against `127.0.0.1:port`.
    pub fn start(port: u16) -> Load {
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for number in 0..KEEPING + CLOSING {
            let (seen, stop, keep) = (seen.clone(), stop.clone(), number < KEEPING);
            clients.spawn(async move {
                let mut client = Client { port, keep, open: None };
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let answer = tokio::time::timeout(PATIENCE, client.ask()).await;
                    let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
                    if answer.is_err() {
                        client.open = None;
                    }
                    note(&seen, begun, answer);
                    tokio::time::sleep(REST).await;
                }
            });
        }
        Load { seen, stop, clients }
    }

    /// Looks at what was seen so far.
    pub fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the clients after their running requests.
    pub async fn stop(mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        while self.clients.join_next().await.is_some() {}
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn note(seen: &Mutex<Seen>, begun: Instant, answer: Result<(u16, String), String>) {
    let now = Instant::now();
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.requests += 1;
    seen.slowest = seen.slowest.max(now - begun);
    let failure = match answer {
        Ok((status, text)) => {
            let shown = if status == 200 { text } else { format!("{status} {text}") };
            let entry = seen.answers.entry(shown.clone()).or_insert((0, now, now));
            entry.0 += 1;
            entry.2 = now;
            (status != 200).then_some(shown)
        }
        Err(error) => Some(error),
    };
    if let Some(reason) = failure {
        seen.failures += 1;
        if seen.reasons.len() < 5 {
            seen.reasons.push(reason);
        }
    }
}

struct Client {
    port: u16,
    keep: bool,
    open: Option<TcpStream>,
}

impl Client {
    /// One request and its whole answer: status and text.
    async fn ask(&mut self) -> Result<(u16, String), String> {
        let mut stream = match self.open.take().filter(still_open) {
            Some(stream) => stream,
            None => {
                let stream =
                    TcpStream::connect(("127.0.0.1", self.port)).await.map_err(|e| format!("connecting: {e}"))?;
                stream.set_nodelay(true).map_err(|e| e.to_string())?;
                stream
            }
        };
        let connection = if self.keep { "keep-alive" } else { "close" };
        let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: {connection}\r\n\r\n", self.port);
        stream.write_all(request.as_bytes()).await.map_err(|e| format!("sending: {e}"))?;
        let mut bytes = Vec::with_capacity(512);
        let answer = loop {
            if let Some(answer) = whole(&bytes)? {
                break answer;
            }
            let n = stream.read_buf(&mut bytes).await.map_err(|e| format!("reading: {e}"))?;
            if n == 0 {
                return Err(format!("the connection ended after {} bytes of the answer", bytes.len()));
            }
        };
        if self.keep && !answer.closes {
            self.open = Some(stream);
        }
        Ok((answer.status, answer.text))
    }
}

/// Whether the other side has kept an idle connection. One that it closed between two requests is no failure.
fn still_open(stream: &TcpStream) -> bool {
    let mut byte = [0];
    matches!(stream.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

struct Answer {
    status: u16,
    text: String,
    closes: bool,
}

/// The answer, once all of it is there. Lengths are given, or the body comes in chunks.
fn whole(bytes: &[u8]) -> Result<Option<Answer>, String> {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let body = &bytes[end + 4..];
    let status =
        head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| format!("no HTTP answer: {head}"))?;
    let header = |name: &str| {
        head.lines()
            .skip(1)
            .filter_map(|l| l.split_once(':'))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
    };
    let text = if let Some(length) = header("content-length") {
        let length: usize = length.parse().map_err(|_| format!("Content-Length: {length}"))?;
        if body.len() < length {
            return Ok(None);
        }
        String::from_utf8_lossy(&body[..length]).into_owned()
    } else if header("transfer-encoding").is_some() {
        if !body.ends_with(b"0\r\n\r\n") {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(body).into_owned();
        text.split("\r\n").nth(1).unwrap_or_default().to_owned()
    } else {
        return Err("an answer without a length".into());
    };
    let closes = header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
    Ok(Some(Answer { status, text: text.trim().to_owned(), closes }))
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn an_answer_is_taken_when_all_of_it_is_there() {
        let check = |bytes: &str| whole(bytes.as_bytes()).unwrap().map(|a| (a.status, a.text, a.closes));
        assert_eq!(check("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nThis"), None);
        assert_eq!(check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nThis\n"), Some((200, "This".into(), false)));
        assert_eq!(
            check("HTTP/1.1 500 No\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"),
            Some((500, "no".into(), true))
        );
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
