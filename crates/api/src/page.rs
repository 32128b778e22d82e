//! The page's files, built into the binary, under `/ui/…` on every listener; `/` leads there.
//!
//! A path without a file of that name is an address inside the page and gets `index.html`. Files under `assets/` carry the hash of their
//! content in their name and are kept for ever; everything else is asked for anew with its `ETag`. A binary that was built without the
//! page says so.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::House;

/// What `npm run build` made; empty in a build without it.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const NOT_BUILT: &str = "The page was not built into this binary: run `npm ci && npm run build` in web/ and build the binary again.\n\
                         The API on this address works without it.\n";

/// The page's routes. They are files, not API, and so stand in no document.
pub fn routes() -> Router<House> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/ui/") }))
        .route("/ui", get(|| async { Redirect::temporary("/ui/") }))
        .route("/ui/", get(|headers: HeaderMap| async move { answer("", &headers) }))
        .route(
            "/ui/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { answer(&path, &headers) }),
        )
}

/// The answer to `path` below `/ui/`.
fn answer(path: &str, asked: &HeaderMap) -> Response {
    if let Some(file) = Files::get(path) {
        return file_answer(path, file, asked);
    }
    // What looks like a built file but is none is an old page asking for its parts: it must not get HTML for a script.
    if path.starts_with("assets/") {
        return sentence(StatusCode::NOT_FOUND, "There is no such file; load the page anew.\n");
    }
    match Files::get("index.html") {
        Some(file) => file_answer("index.html", file, asked),
        None => sentence(StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT),
    }
}

fn file_answer(path: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let tag = tag_of(&file);
    let keep = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.data.into_owned()))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    guarded(response)
}

/// A strong tag: the first half of the content's SHA-256.
fn tag_of(file: &EmbeddedFile) -> String {
    let digest = file.metadata.sha256_hash();
    format!("\"{}\"", store::id::hex(&digest[..16]))
}

/// The media type by the name's end: the few kinds that the build makes.
fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn sentence(status: StatusCode, text: &'static str) -> Response {
    guarded((status, [(header::CACHE_CONTROL, "no-store")], text).into_response())
}

fn guarded(mut response: Response) -> Response {
    let rules: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in rules {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> bool {
        Files::get("index.html").is_some()
    }

    fn header_of(response: &Response, name: HeaderName) -> String {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    #[test]
    fn an_address_inside_the_page_gets_the_page_or_the_sentence_that_it_was_not_built() {
        let response = answer("applications/hello/clusters", &HeaderMap::new());
        let expected = if built() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        assert_eq!(response.status(), expected);
        assert!(
            header_of(&response, header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'; script-src 'self'")
        );
        assert_eq!(header_of(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    }

    #[test]
    fn a_missing_asset_is_not_answered_with_html() {
        let response = answer("assets/gone-12345678.js", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn climbing_out_of_the_folder_reaches_nothing() {
        for path in ["../Cargo.toml", "..%2fCargo.toml", "/etc/passwd", "assets/../../../Cargo.toml"] {
            let response = answer(path, &HeaderMap::new());
            let kind = header_of(&response, header::CONTENT_TYPE);
            assert!(kind.starts_with("text/html") || !response.status().is_success(), "{path}: {kind}");
        }
    }

    #[test]
    fn hashed_files_are_kept_for_ever_and_known_ones_are_not_sent_again() {
        let Some(asset) = Files::iter().find(|name| name.starts_with("assets/") && name.ends_with(".js")) else {
            return;
        };
        let first = answer(&asset, &HeaderMap::new());
        assert_eq!(header_of(&first, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(header_of(&first, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(&asset, &asked).status(), StatusCode::NOT_MODIFIED);
    }
}
