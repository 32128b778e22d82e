//! Who may reach a handler at all: the rules for `Host`, for requests from foreign pages, and for tokens.
//!
//! A server on loopback without a login is reachable by every page that its user's browser shows, and by names that an attacker lets point to
//! loopback. So a loopback listener answers to loopback names only, and what changes something is refused when it comes from elsewhere. Tokens
//! arrive as `Authorization: Bearer`, as the password of `Authorization: Basic` (a browser asks for it by itself), or as `X-Spinnaker-Token`.
//! `X-Spinnaker-User` and `X-Forwarded-*` of strangers mean nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use access::token::Refusal;
use access::{Action, Caller, Tokens};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use events::outgoing::Allow;
use store::clock::Clock;

use crate::Problem;
use crate::audit::Who;

/// What Deck sends, and what it may read.
const CORS: [(header::HeaderName, &str); 5] = [
    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS, DELETE, PUT, PATCH"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "content-type, x-ratelimit-app, x-spinnaker-priority, x-spinnaker-token, authorization, x-requested-with, last-event-id",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "X-AUTH-REDIRECT-URL, X-Request-Id"),
];

/// What the configuration says about callers.
#[derive(Clone, Debug, Default)]
pub struct GuardConfig {
    /// Further names under which a loopback listener may be called.
    pub hosts: Vec<String>,
    /// Origins (`https://deck.example.org`) whose pages may use the API.
    pub origins: Vec<String>,
    /// The proxies that speak TLS for this server: on a listener beyond loopback that does not, requests come from them alone.
    pub proxies: Allow,
}

/// The guard before every route.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    config: GuardConfig,
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
}

/// On what kind of address the request's listener is bound; put into each request by the server.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// Reachable from this machine only.
    pub loopback: bool,
    /// TLS is spoken on it.
    pub tls: bool,
    /// Who is connected.
    pub peer: SocketAddr,
}

impl Guard {
    /// A guard with these rules. Without tokens everybody who gets through is `anonymous` and may do everything.
    pub fn new(config: GuardConfig, tokens: Arc<Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { config, tokens, clock }))
    }

    /// The middleware.
    pub async fn watch(State(guard): State<Self>, mut request: Request, next: Next) -> Response {
        let origin = guard.origin(&request);
        let done = async {
            guard.way(&request)?;
            guard.host(&request)?;
            guard.cross_site(&request, &origin)?;
            if request.method() == Method::OPTIONS {
                return Ok(StatusCode::OK.into_response());
            }
            let asked = Asked::of(&request);
            let action = asked.action;
            let (caller, bounded) = guard.caller(asked).await?;
            // The audit log names them also when they may not do it.
            Who::tell(&request, &caller);
            if bounded && !caller.role.may(action) {
                return Err(Problem::forbidden(format!("{} is a {} and may not do this", caller.name, caller.role)));
            }
            request.extensions_mut().insert(caller);
            Ok(next.run(request).await)
        };
        let mut response = done.await.unwrap_or_else(Problem::into_response);
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"gennaker\", charset=\"UTF-8\""),
            );
        }
        decorate(&mut response, origin);
        response
    }

    /// Tokens travel where nobody reads along: by TLS, from a proxy that has it, or within this machine.
    fn way(&self, request: &Request) -> Result<(), Problem> {
        match request.extensions().get::<Listener>() {
            Some(Listener { loopback: false, tls: false, peer }) if !self.0.config.proxies.permits("", *peer) => {
                Err(Problem::forbidden(
                    "this server takes requests from its proxy only: call it by https, through the proxy",
                ))
            }
            _ => Ok(()),
        }
    }

    fn host(&self, request: &Request) -> Result<(), Problem> {
        let loopback = request.extensions().get::<Listener>().is_none_or(|listener| listener.loopback);
        let host = host(request.headers(), request.uri());
        let name = host.as_deref().map(name_of).unwrap_or_default();
        let known =
            !loopback || is_loopback(name) || self.0.config.hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
        if known {
            return Ok(());
        }
        let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
        Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!(
                "this server does not answer to the name \"{shown}\": call it as localhost, or add the name to `hosts` under [server]"
            ),
        ))
    }

    fn origin(&self, request: &Request) -> Origin {
        let headers = request.headers();
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Origin::None;
        };
        let text = origin.to_str().unwrap_or_default();
        let name = text.split_once("://").map(|(_, rest)| name_of(rest)).unwrap_or_default();
        let own = host(headers, request.uri())
            .is_some_and(|host| text == format!("http://{host}") || text == format!("https://{host}"));
        let listed = self.0.config.origins.iter().any(|known| known.trim_end_matches('/') == text);
        match (own || is_loopback(name), listed) {
            (_, true) => Origin::Listed(origin.clone()),
            (true, false) => Origin::Own(origin.clone()),
            (false, false) => Origin::Foreign,
        }
    }

    fn cross_site(&self, request: &Request, origin: &Origin) -> Result<(), Problem> {
        if request.method().is_safe() && request.method() != Method::OPTIONS {
            return Ok(());
        }
        let cross = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let refused = match origin {
            Origin::Foreign => true,
            Origin::Listed(_) => false,
            Origin::Own(_) | Origin::None => cross,
        };
        if refused {
            return Err(Problem::forbidden(
                "a page of another site may not do this: add its origin to `allowed_origins` under [server] if it should",
            ));
        }
        Ok(())
    }

    /// Who it is, and whether their role bounds what they may do here.
    async fn caller(&self, asked: Asked) -> Result<(Caller, bool), Problem> {
        if self.0.tokens.is_empty() {
            return Ok((Caller::anonymous(), true));
        }
        if asked.open || (asked.webhook && asked.token.is_none()) {
            return Ok((Caller::new("anonymous", access::Role::Viewer), false));
        }
        let token = asked
            .token
            .ok_or_else(|| Problem::unauthenticated("a token is needed: send it as Authorization: Bearer"))?;
        let guard = self.clone();
        let second = self.0.clock.now().as_second();
        // Argon2 takes its time on purpose: not on a thread that serves others.
        let checked = tokio::task::spawn_blocking(move || guard.0.tokens.check(&token, second)).await;
        match checked {
            Ok(Ok(caller)) => Ok((caller, true)),
            Ok(Err(Refusal::Unknown)) => Err(Problem::unauthenticated("unknown token")),
            Ok(Err(refusal @ Refusal::TooMany)) => {
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, refusal.to_string()))
            }
            Err(_) => Err(Problem::internal("checking the token was interrupted")),
        }
    }
}

/// What the answer to "may they?" depends on.
struct Asked {
    open: bool,
    /// An event that comes in. Git hosts have no token; without one only triggers with a secret listen.
    webhook: bool,
    token: Option<String>,
    action: Action,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let webhook = request.method() == Method::POST && path.starts_with("/webhooks/");
        Self { open: is_open(path), webhook, token: presented(request.headers()), action: action(request) }
    }
}

/// Where the page that makes a request comes from.
enum Origin {
    None,
    Own(HeaderValue),
    Listed(HeaderValue),
    Foreign,
}

fn decorate(response: &mut Response, origin: Origin) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Origin::Own(origin) | Origin::Listed(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in CORS {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// What anybody may read: that the server is well, and the page's files, which hold no data.
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/health" | "/health/ready" | "/version" | "/ui") || path.starts_with("/ui/")
}

/// What the paths begin with under which only an admin changes anything.
const ADMINS: [&str; 3] = ["/admin", "/ui-api/tokens", "/ui-api/gc"];

fn action(request: &Request) -> Action {
    if request.method().is_safe() {
        Action::Read
    } else if ADMINS.iter().any(|route| request.uri().path().starts_with(route)) {
        Action::Administer
    } else {
        Action::Write
    }
}

fn presented(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = headers.get("x-spinnaker-token") {
        return token.to_str().ok().map(Into::into);
    }
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().into());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
        return Some(String::from_utf8(pair).ok()?.split_once(':')?.1.into());
    }
    None
}

fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.map(Into::into).or_else(|| uri.authority().map(ToString::to_string))
}

/// The name in `name:port`, `[::1]:port` or `name`.
fn name_of(host: &str) -> &str {
    let host = host.split('/').next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_are_told_from_names_that_look_like_them() {
        for name in ["localhost", "LOCALHOST", "deck.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in [
            "",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evillocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "2130706433",
        ] {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[test]
    fn a_host_is_split_from_its_port() {
        for (host, name) in [("a:80", "a"), ("a", "a"), ("[::1]:9000", "::1"), ("[::1]", "::1"), ("", "")] {
            assert_eq!(name_of(host), name, "{host}");
        }
    }
}
