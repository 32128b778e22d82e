//! One connection of the file server: heads come in, heads and files go out. The kernel sends the files itself (`sendfile`), so that large ones
//! do not pass through the process.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use http::{Response, StatusCode, header};
use jiff::fmt::rfc2822::DateTimePrinter;
use rustix::net::{SendFlags, send};
use store::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{Content, answer, text};
use super::folder::{Folder, OpenFile};
use super::request::{self, Head};

/// A request's head must be there within this time, and the client must take something within it; also the longest that an idle connection is kept.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest head of a request, in bytes.
const HEAD_SIZE: usize = 64 << 10;
/// Files up to this size go out together with their head, in bytes.
const SMALL: u64 = 16 << 10;
/// So much of a file is sent before others have their turn, in bytes.
const TURN: usize = 1 << 20;
/// What a client still sends when it is being sent away is read up to this size and time: a connection that is closed on unread bytes is reset,
/// and the client may never see the answer.
const LINGER: (usize, Duration) = (256 << 10, Duration::from_secs(1));

/// Serves the requests of a connection until one side ends it. A client that goes away is an error like others, and no event.
pub async fn serve(mut stream: TcpStream, folder: &Folder) -> io::Result<()> {
    let mut input: Vec<u8> = Vec::with_capacity(2 << 10);
    let mut output: Vec<u8> = Vec::with_capacity(2 << 10);
    loop {
        let head = match timeout(PATIENCE, read_head(&mut stream, &mut input)).await {
            // Nobody is waiting for an answer.
            Err(_) => return Ok(()),
            Ok(head) => head?,
        };
        let Some(head) = head else { return Ok(()) };
        let (answer, goes_on, says_so) = match head {
            Ok(Head { length, method, path, conditions, goes_on, says_so }) => {
                input.drain(..length);
                (answer(folder, &method, &path, &conditions), goes_on, says_so)
            }
            Err(status) => (text(status, "this is no request that can be answered\n"), false, false),
        };
        write_head(&answer, goes_on, says_so, &mut output);
        match answer.into_body() {
            Content::Empty => patiently(stream.write_all(&output)).await?,
            Content::Text(text) => {
                output.extend_from_slice(&text);
                patiently(stream.write_all(&output)).await?;
            }
            Content::Part { file, from, length } if length <= SMALL => {
                file.append(from, length, &mut output)?;
                patiently(stream.write_all(&output)).await?;
            }
            Content::Part { file, from, length } => {
                let sent = send_more(&stream, &output).await?;
                patiently(stream.write_all(&output[sent..])).await?;
                send_file(&stream, &file, from, length).await?;
            }
        }
        if !goes_on {
            stream.shutdown().await?;
            // Whatever comes of it, the answer is out.
            let _ = timeout(LINGER.1, drain(&mut stream)).await;
            return Ok(());
        }
        output.clear();
    }
}

async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The next head; nothing when the client has ended the connection.
async fn read_head(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<Option<Result<Head, StatusCode>>> {
    loop {
        if !input.is_empty() {
            match request::parse(input) {
                Ok(Some(head)) => return Ok(Some(Ok(head))),
                Ok(None) if input.len() >= HEAD_SIZE => {
                    return Ok(Some(Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)));
                }
                Ok(None) => {}
                Err(status) => return Ok(Some(Err(status))),
            }
        }
        if stream.read_buf(input).await? == 0 {
            return Ok(None);
        }
    }
}

fn write_head(answer: &Response<Content>, goes_on: bool, says_so: bool, output: &mut Vec<u8>) {
    let status = answer.status();
    output.extend_from_slice(b"HTTP/1.1 ");
    output.extend_from_slice(status.as_str().as_bytes());
    output.push(b' ');
    output.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    let mut line = |name: &str, value: &[u8]| {
        output.extend_from_slice(b"\r\n");
        output.extend_from_slice(name.as_bytes());
        output.extend_from_slice(b": ");
        output.extend_from_slice(value);
    };
    for (name, value) in answer.headers() {
        line(name.as_str(), value.as_bytes());
    }
    with_date(|date| line(header::DATE.as_str(), date.as_bytes()));
    if !goes_on {
        line(header::CONNECTION.as_str(), b"close");
    } else if says_so {
        line(header::CONNECTION.as_str(), b"keep-alive");
    }
    output.extend_from_slice(b"\r\n\r\n");
}

/// The time of the answer, as HTTP writes it; written once a second.
fn with_date(work: impl FnOnce(&str)) {
    thread_local! {
        static WRITTEN: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    WRITTEN.with_borrow_mut(|(second, text)| {
        let now = SystemClock.now();
        if *second != now.as_second() {
            *second = now.as_second();
            *text = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
        }
        work(text);
    });
}

/// Sends the beginning of an answer of which more follows at once, as far as there is room; gives how much.
async fn send_more(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let sent = patiently(stream.async_io(Interest::WRITABLE, || {
        send(stream, bytes, SendFlags::MORE | SendFlags::NOSIGNAL).map_err(io::Error::from)
    }));
    sent.await
}

/// Sends bytes of a file. One that became shorter meanwhile ends the connection instead of being padded.
async fn send_file(stream: &TcpStream, file: &OpenFile, mut from: u64, mut left: u64) -> io::Result<()> {
    while left > 0 {
        let turn = usize::try_from(left).unwrap_or(usize::MAX).min(TURN);
        let sent = patiently(stream.async_io(Interest::WRITABLE, || file.send(stream, from, turn))).await?;
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (from, left) = (from + sent as u64, left - sent as u64);
        if left > 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

async fn drain(stream: &mut TcpStream) -> io::Result<()> {
    let mut scrap = [0; 4096];
    let mut read = 0;
    while read < LINGER.0 {
        match stream.read(&mut scrap).await? {
            0 => break,
            more => read += more,
        }
    }
    Ok(())
}
