//! The file server of repositories: what stands beneath one folder, over HTTP, read only.
//!
//! Files are opened beneath the folder by the kernel's own rule, so neither an encoded `..` nor a link leads out of it; links that stay inside
//! work, because a publication is one. Each core has a thread with a runtime of its own, and reads go straight to the page cache.
//! Not here: who may read (aptly's `serve` lets everybody) and what the folder holds (`apt`).

mod conditions;
mod folder;
mod listing;
mod path;

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};

pub use folder::Folder;

use conditions::Wanted;
use folder::Found;

/// One read, in bytes.
const PIECE: u64 = 256 << 10;
/// A request's head must be there within this time; also the longest that an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// The largest head of a request, in bytes.
const HEAD_SIZE: usize = 64 << 10;

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves `root` on an open socket, on one thread a core, for as long as the process lives. Each look-up starts at `root` anew, so a folder that is
/// made later is served too.
pub fn serve(listener: TcpListener, root: &Path) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let folder = Arc::new(Folder::new(root));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = Vec::new();
    for number in 0..cores {
        let (listener, folder) = (listener.try_clone()?, folder.clone());
        let thread = std::thread::Builder::new().name(format!("files-{number}"));
        threads.push(thread.spawn(move || work(listener, folder))?);
    }
    for thread in threads {
        thread.join().map_err(|_| io::Error::other("a thread of the file server ended"))??;
    }
    Ok(())
}

fn work(listener: TcpListener, folder: Arc<Folder>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors: others are served meanwhile, and closing one makes room.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let folder = folder.clone();
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let answer = answer(&folder, request.method(), request.uri().path(), request.headers());
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(HEAD_SIZE)
                .serve_connection(TokioIo::new(stream), service);
            tokio::task::spawn_local(async move {
                // A client that goes away is no event.
                let _ = connection.await;
            });
        }
    })
}

/// Answers one request.
pub fn answer(folder: &Folder, method: &Method, raw: &str, headers: &HeaderMap) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "this server only reads: GET or HEAD\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let Some(path) = path::decode(raw) else { return not_found() };
    let mut answer = match folder.find(&path) {
        Ok(Found::File(file)) => file_answer(file, &path, headers),
        Ok(Found::Folder(_)) if !raw.ends_with('/') => moved(raw),
        Ok(Found::Folder(entries)) => html(listing::render(&path, &entries)),
        Err(error) => match error.kind() {
            io::ErrorKind::PermissionDenied => text(StatusCode::FORBIDDEN, "the server may not read this file\n"),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput => not_found(),
            // A link that leads out of the folder is told as EXDEV, one that leads in a circle as ELOOP.
            _ if matches!(error.raw_os_error(), Some(18 | 36 | 40)) => not_found(),
            _ => text(StatusCode::INTERNAL_SERVER_ERROR, "the file could not be read\n"),
        },
    };
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if method == Method::HEAD {
        *answer.body_mut() = Empty::new().map_err(|never| match never {}).boxed_unsync();
    }
    answer
}

fn file_answer(file: folder::OpenFile, path: &str, headers: &HeaderMap) -> Response<Body> {
    let (tag, modified) = (file.tag(), file.modified());
    let wanted = conditions::judge(headers, file.size, &tag, file.modified);
    let (status, from, length) = match wanted {
        Wanted::Nothing => (StatusCode::NOT_MODIFIED, 0, 0),
        Wanted::Unchanged => (StatusCode::PRECONDITION_FAILED, 0, 0),
        Wanted::Whole => (StatusCode::OK, 0, file.size),
        Wanted::Part { from, to } => (StatusCode::PARTIAL_CONTENT, from, to - from + 1),
        Wanted::Outside => (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0),
    };
    let mut answer = Response::builder()
        .status(status)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, tag)
        .header(header::LAST_MODIFIED, modified);
    if status != StatusCode::NOT_MODIFIED {
        answer = answer.header(header::CONTENT_LENGTH, length).header(header::CONTENT_TYPE, path::content_type(path));
    }
    answer = match wanted {
        Wanted::Part { from, to } => answer.header(header::CONTENT_RANGE, format!("bytes {from}-{to}/{}", file.size)),
        Wanted::Outside => answer.header(header::CONTENT_RANGE, format!("bytes */{}", file.size)),
        _ => answer,
    };
    let body = if length == 0 {
        Empty::new().map_err(|never| match never {}).boxed_unsync()
    } else {
        pieces(file, from, length)
    };
    answer.body(body).unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be made\n"))
}

/// The bytes from `from` on, a piece at a time. A file that became shorter meanwhile ends the connection instead of padding it.
fn pieces(file: folder::OpenFile, from: u64, length: u64) -> Body {
    let stream = stream::try_unfold((file, from, length), |(file, from, left)| async move {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let piece = file.read(from, left.min(PIECE))?;
        let read = piece.len() as u64;
        Ok(Some((Frame::data(piece), (file, from + read, left - read))))
    });
    StreamBody::new(stream).boxed_unsync()
}

fn moved(raw: &str) -> Response<Body> {
    let mut answer = text(StatusCode::MOVED_PERMANENTLY, "");
    // Relative to the last part, so that no host of the request and no second slash at the front can lead elsewhere.
    let last = raw.rsplit('/').next().unwrap_or_default();
    if let Ok(place) = HeaderValue::from_str(&format!("{last}/")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut answer = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn html(page: String) -> Response<Body> {
    let mut answer = Response::new(Full::from(page).map_err(|never| match never {}).boxed_unsync());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    answer
}
