//! One health check: what it asks, and one sentence on what it got.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::wanted::{Probe, StatusRange};

/// Asks once. Both answers are a sentence.
pub async fn ask(member: SocketAddr, probe: &Probe, limit: Duration) -> Result<String, String> {
    let (Probe::Http { port, .. } | Probe::Tcp { port }) = probe;
    let address = SocketAddr::new(member.ip(), port.unwrap_or(member.port()));
    let what = match probe {
        Probe::Http { path, .. } => format!("GET http://{address}{path}"),
        Probe::Tcp { .. } => format!("TCP connection to {address}"),
    };
    let got = tokio::time::timeout(limit, async {
        let stream = TcpStream::connect(address).await.map_err(|error| refused(&error))?;
        match probe {
            Probe::Tcp { .. } => Ok("was accepted".to_owned()),
            Probe::Http { path, expect, .. } => get(stream, address, path, expect).await,
        }
    });
    match got.await {
        Ok(Ok(got)) => Ok(format!("{what} {got}")),
        Ok(Err(got)) => Err(format!("{what} {got}")),
        Err(_) => Err(format!("{what} got no answer within {} ms", limit.as_millis())),
    }
}

async fn get(stream: TcpStream, address: SocketAddr, path: &str, expect: &[StatusRange]) -> Result<String, String> {
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(|error| format!("was accepted, then failed: {error}"))?;
    let request = Request::get(path)
        .header("host", address.to_string())
        .header("user-agent", "gennaker-health")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("cannot be asked: {error}"))?;
    // The connection is driven here, so that it ends with this check; it may end in the moment in which the answer is there.
    let mut answer = std::pin::pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = answer.as_mut() => answer,
        _ = connection => answer.await,
    };
    let status = match answer {
        Ok(answer) => answer.status().as_u16(),
        Err(error) if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => {
            return Err("was accepted, then closed without an answer".into());
        }
        Err(error) if error.is_parse() => return Err("was answered with something that is not HTTP/1.1".into()),
        Err(error) => return Err(format!("was accepted, then failed: {error}")),
    };
    if expect.iter().any(|range| (range.from..=range.to).contains(&status)) {
        return Ok(format!("answered {status}"));
    }
    let ranges: Vec<String> = expect
        .iter()
        .map(|r| if r.from == r.to { r.from.to_string() } else { format!("{}-{}", r.from, r.to) })
        .collect();
    Err(format!("answered {status}, expected {}", ranges.join(" or ")))
}

fn refused(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "was refused: nothing listens there".into(),
        _ => format!("failed: {error}"),
    }
}
