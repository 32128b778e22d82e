//! What a request is answered with, before a byte of it is written.

use std::io;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::conditions::{self, Wanted};
use super::folder::{Folder, Found, OpenFile};
use super::{listing, path};

/// What follows the head.
pub enum Content {
    /// Nothing.
    Empty,
    /// This text.
    Text(Bytes),
    /// So many bytes of a file.
    Part {
        /// The file.
        file: OpenFile,
        /// The first byte.
        from: u64,
        /// How many.
        length: u64,
    },
}

/// Answers one request.
pub fn answer(folder: &Folder, method: &Method, raw: &str, headers: &HeaderMap) -> Response<Content> {
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
        *answer.body_mut() = Content::Empty;
    }
    answer
}

fn file_answer(file: OpenFile, path: &str, headers: &HeaderMap) -> Response<Content> {
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
    let content = if length == 0 { Content::Empty } else { Content::Part { file, from, length } };
    answer.body(content).unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be made\n"))
}

fn moved(raw: &str) -> Response<Content> {
    let mut answer = text(StatusCode::MOVED_PERMANENTLY, "");
    // Relative to the last part, so that no host of the request and no second slash at the front can lead elsewhere.
    let last = raw.rsplit('/').next().unwrap_or_default();
    if let Ok(place) = HeaderValue::from_str(&format!("{last}/")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

fn not_found() -> Response<Content> {
    text(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// An answer of a few words.
pub fn text(status: StatusCode, text: &'static str) -> Response<Content> {
    let mut answer = Response::new(Content::Text(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    answer
}

fn html(page: String) -> Response<Content> {
    let length = page.len();
    let mut answer = Response::new(Content::Text(page.into()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    answer
}
