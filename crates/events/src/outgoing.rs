//! The one client for calls to the outside: webhooks, notifications, expressions that read a URL.
//!
//! An address is judged after its name was resolved, for every hop, and the connection goes to exactly the address that was judged, so neither a
//! redirect nor a name that changes its mind leads anywhere the configuration does not allow. Size and time are bounded; the error says which
//! bound. Not here: what to call and what an answer means (`stages`).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::redirect::Policy;
use url::Url;

mod rule;

pub use rule::{Allow, BadRule};

/// How many redirects are followed.
const HOPS: usize = 5;
/// What a redirect to another host may carry along.
static PLAIN: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")];
/// How many prepared connections are kept, one a host, port and addresses.
const CLIENTS: usize = 64;

/// Why a call was not made, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The URL cannot be called at all.
    #[error("cannot call {url}: {why}")]
    BadUrl {
        /// The URL as it was given, without user information.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The method or a header cannot be sent.
    #[error("cannot send {what}: {why}")]
    BadRequest {
        /// `method X` or `header X`.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The configuration does not allow this address.
    #[error(
        "calling {host} is not allowed ({address}): add \"{host}\" or a range to `allow` under [outgoing] in the configuration"
    )]
    NotAllowed {
        /// Host and port.
        host: String,
        /// What the host resolved to.
        address: String,
    },
    /// The name has no address.
    #[error("cannot resolve {host}")]
    NoAddress {
        /// The host's name.
        host: String,
        #[source]
        /// What the resolver said.
        source: std::io::Error,
    },
    /// The connection failed.
    #[error("no answer from {host}: {why}")]
    Network {
        /// Host and port.
        host: String,
        /// The innermost cause, without the URL.
        why: String,
    },
    /// It took longer than this.
    #[error("no whole answer from {host} within {limit:?}")]
    TooSlow {
        /// Host and port.
        host: String,
        /// The bound.
        limit: Duration,
    },
    /// The answer is larger than this.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The bound.
        limit: usize,
    },
    /// One redirect led to another for too long.
    #[error("{host} redirects more than {HOPS} times")]
    TooManyRedirects {
        /// Host and port of the last hop.
        host: String,
    },
}

impl CallError {
    /// True when the same call may well succeed later: the network, not the request, was at fault.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Network { .. } | Self::TooSlow { .. } | Self::NoAddress { .. })
    }
}

/// What may be called, and how much of an answer is taken.
#[derive(Clone, Debug)]
pub struct OutgoingConfig {
    /// What may be called; nothing else is.
    pub allow: Allow,
    /// The longest that one call may take, redirects and body included.
    pub time: Duration,
    /// The largest answer, in bytes.
    pub size: usize,
}

impl Default for OutgoingConfig {
    fn default() -> Self {
        Self { allow: Allow::default(), time: Duration::from_secs(30), size: 8 << 20 }
    }
}

/// A call to make.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `GET`, `POST` …; empty means `GET`.
    pub method: String,
    /// An `http` or `https` URL.
    pub url: String,
    /// Names and values, as a person wrote them.
    pub headers: Vec<(String, String)>,
    /// The body, when there is one.
    pub body: Option<Bytes>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status of the last hop.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
}

/// The client. Cheap to share behind an `Arc`.
pub struct Outgoing {
    config: OutgoingConfig,
    clients: Mutex<HashMap<(String, Vec<SocketAddr>), reqwest::Client>>,
}

impl Outgoing {
    /// A client with these bounds. The process must have installed rustls' crypto provider before the first `https` call.
    pub fn new(config: OutgoingConfig) -> Self {
        Self { config, clients: Mutex::default() }
    }

    /// Makes a call and gives the whole answer, whatever its status.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let url = parse(&call.url)?;
        let host = place(&url);
        let limit = self.config.time;
        match tokio::time::timeout(limit, self.hops(url, call)).await {
            Ok(done) => done,
            Err(_) => Err(CallError::TooSlow { host, limit }),
        }
    }

    async fn hops(&self, mut url: Url, call: Call) -> Result<Answer, CallError> {
        let mut method = method(&call.method)?;
        let mut headers = headers(&call.headers)?;
        let mut body = call.body;
        for _ in 0..=HOPS {
            let answer = self.hop(&url, &method, &headers, body.clone()).await?;
            let Some(next) = redirect(&url, &answer)? else {
                return Ok(answer);
            };
            if next.origin() != url.origin() {
                // What was meant for one host is not another's to read; under which names secrets are sent nobody knows.
                headers = PLAIN.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect();
            }
            let keeps_method = matches!(answer.status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            if !keeps_method && method != Method::HEAD {
                method = Method::GET;
                body = None;
            }
            url = next;
        }
        Err(CallError::TooManyRedirects { host: place(&url) })
    }

    async fn hop(
        &self,
        url: &Url,
        method: &Method,
        headers: &HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer, CallError> {
        let host = place(url);
        let addresses = self.judge(url, &host).await?;
        let client = self.client(url, addresses).map_err(|error| network(&host, &error))?;
        let mut request = client.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(|error| network(&host, &error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut whole = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| network(&host, &error))? {
            if whole.len() + piece.len() > self.config.size {
                return Err(CallError::TooLarge { host, limit: self.config.size });
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Answer { status, headers, body: whole.into() })
    }

    /// Resolves the host and gives its addresses, all of them allowed.
    async fn judge(&self, url: &Url, host: &str) -> Result<Vec<SocketAddr>, CallError> {
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let found = tokio::net::lookup_host((name.clone(), port)).await;
        let mut addresses: Vec<_> =
            found.map_err(|source| CallError::NoAddress { host: name.clone(), source })?.collect();
        addresses.sort_unstable();
        addresses.dedup();
        for address in &addresses {
            if !self.config.allow.permits(&name, *address) {
                return Err(CallError::NotAllowed { host: host.into(), address: address.ip().to_string() });
            }
        }
        if addresses.is_empty() {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
            return Err(CallError::NoAddress { host: name, source });
        }
        Ok(addresses)
    }

    /// A client whose connections go to these addresses and nowhere else.
    fn client(&self, url: &Url, addresses: Vec<SocketAddr>) -> reqwest::Result<reqwest::Client> {
        let name = url.host_str().unwrap_or_default().to_owned();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name, addresses);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = crate::http::client(|builder| {
            builder
                .redirect(Policy::none())
                .no_proxy()
                .connect_timeout(Duration::from_secs(5))
                .user_agent(concat!("gennaker/", env!("CARGO_PKG_VERSION")))
                .resolve_to_addrs(&key.0, &key.1)
        })?;
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

/// `host:port` of an address, as [`Allow`] names it.
pub fn host_of(url: &str) -> Result<String, CallError> {
    parse(url).map(|url| place(&url))
}

fn parse(text: &str) -> Result<Url, CallError> {
    let bad = |url: &str, why: String| CallError::BadUrl { url: url.into(), why };
    let url =
        Url::parse(text).map_err(|error| bad(text.split('@').next_back().unwrap_or_default(), error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(&place(&url), "user information in a URL is not sent; use a header".into()));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(text, format!("scheme {} is none of http, https", url.scheme())));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(text, "it names no host".into()));
    }
    Ok(url)
}

fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

fn method(text: &str) -> Result<Method, CallError> {
    if text.is_empty() {
        return Ok(Method::GET);
    }
    let shown: String = text.chars().take(20).flat_map(char::escape_debug).collect();
    Method::from_bytes(text.as_bytes())
        .map_err(|_| CallError::BadRequest { what: format!("method {shown}"), why: "it is not a method's name" })
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
        let bad = |why| CallError::BadRequest { what: format!("header {shown}"), why };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("it is not a header's name"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| bad("its value holds a line break or another control character"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn redirect(from: &Url, answer: &Answer) -> Result<Option<Url>, CallError> {
    if !answer.status.is_redirection() {
        return Ok(None);
    }
    let Some(to) = answer.headers.get(header::LOCATION) else {
        return Ok(None);
    };
    let to = to.to_str().map_err(|_| CallError::BadUrl {
        url: place(from),
        why: "it redirects to something that is not a text".into(),
    })?;
    let next = from.join(to).map_err(|error| CallError::BadUrl { url: to.into(), why: error.to_string() })?;
    parse(next.as_str()).map(Some)
}

/// The innermost cause: reqwest's own texts repeat the URL, whose query may hold a secret.
fn network(host: &str, error: &reqwest::Error) -> CallError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    CallError::Network { host: host.into(), why: cause.to_string() }
}
