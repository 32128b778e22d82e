//! HTTP/1.1 listeners: one client connection, balanced request by request. Framing is hyper's: a request is parsed, checked, and written
//! anew for the member, so nothing that two parsers could read differently gets through. Rules of headers are in [`super::headers`].

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::body::{AnswerBody, BodyError, RequestBody, Turn};
use super::framing::Strict;
use super::headers::{self, Client};
use super::meter::Meter;
use super::meter::{Shard, bump};
use super::pick::Key;
use super::pool::{self, Sender};
use super::sticky::Sticky;
use super::table::{Backend, MemberRuntime, Target};
use super::worker::{Closing, Guard, Worker};
use crate::wanted::Ejection;

/// How long an idle client may take to ask again before a listener that ends closes its connection.
const LINGER: Duration = Duration::from_secs(3);
/// How often a request that is held looks for a member.
const LOOK: Duration = Duration::from_millis(20);
/// How many members are tried when connections are refused.
const TRIES: usize = 3;

/// Serves one client connection until it ends.
pub async fn serve(
    worker: Rc<Worker>,
    slot: u64,
    client: Client,
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut closing: watch::Receiver<Closing>,
) {
    let tunnel = Arc::new(AtomicBool::new(false));
    let client = Rc::new(client);
    let service = service_fn({
        let (worker, closing, tunnel) = (worker.clone(), closing.clone(), tunnel.clone());
        move |request| {
            let (worker, closing, tunnel, client) = (worker.clone(), closing.clone(), tunnel.clone(), client.clone());
            async move {
                // Boxed: hyper keeps room for it in every connection, also in those that are idle.
                let answer = Box::pin(answer(worker, slot, &client, request)).await;
                if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                    // Before the client can know of it.
                    tunnel.store(true, Relaxed);
                    return Ok(answer);
                }
                let leave = *closing.borrow() != Closing::No;
                Ok::<_, Infallible>(if leave { close(answer) } else { answer })
            }
        }
    });
    let limits = &worker.shared.limits;
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes.max(8192))
        .max_headers(limits.headers)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(Strict::new(io, tunnel)), service)
        .with_upgrades();
    let mut connection = Box::pin(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = closing.wait_for(|c| *c != Closing::No) => {
            // An idle connection is not closed at once: its client may be sending. It is told to leave with its next answer.
            tokio::select! {
                ended = connection.as_mut() => ended,
                _ = tokio::time::sleep(LINGER) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(error) = ended
        && (error.is_parse() || error.is_timeout())
        && let Some(route) = worker.table().routes.get(&slot)
    {
        bump(&route.backend.counts.refused_requests);
    }
}

/// One request: checked, given to a member, and answered.
async fn answer(
    worker: Rc<Worker>,
    slot: u64,
    client: &Client,
    mut request: Request<Incoming>,
) -> Response<AnswerBody> {
    let table = worker.table();
    let Some(route) = table.routes.get(&slot) else {
        return own(StatusCode::SERVICE_UNAVAILABLE, "this load balancer is gone\n");
    };
    let backend = &route.backend;
    if !route.allows(client.ip) {
        // It came in before it was shut out.
        bump(&backend.counts.turned_away);
        return close(own(StatusCode::FORBIDDEN, "a firewall does not let you in\n"));
    }
    if let Err(why) = headers::check(&request) {
        bump(&backend.counts.refused_requests);
        return close(own(StatusCode::BAD_REQUEST, why));
    }
    let upgrade = headers::upgrade(&request).map(|protocol| (protocol, hyper::upgrade::on(&mut request)));
    let sticky = Sticky::of(backend.stickiness.as_ref(), request.headers(), client.secure);
    let (mut parts, body) = request.into_parts();
    headers::for_member(&mut parts, client, &backend.trusted_proxies);
    let body = RequestBody::stream(body, worker.shared.limits.silence);
    if let Some((protocol, _)) = &upgrade {
        headers::ask_upgrade(&mut parts, protocol.clone());
    }
    let mut answer = match send(&worker, slot, backend, sticky.key, parts, body).await {
        Ok(answer) => answer,
        Err(failure) => return failure.map(Into::into),
    };
    sticky.give(answer.headers_mut());
    let Some((protocol, upgraded)) = upgrade.filter(|_| answer.status() == StatusCode::SWITCHING_PROTOCOLS) else {
        return answer.map(Into::into);
    };
    let member = hyper::upgrade::on(&mut answer);
    headers::ask_upgrade_in_answer(answer.headers_mut(), protocol);
    let (head, body) = answer.into_parts();
    let Sent::Member(_, ticket) = body else { return own(StatusCode::BAD_GATEWAY, "") };
    // The HTTP connection ends with this answer; its bytes go on.
    let guard = Guard::new(&worker);
    tokio::task::spawn_local(async move {
        tunnel(upgraded, member, ticket).await;
        drop(guard);
    });
    Response::from_parts(head, AnswerBody::own(""))
}

/// What came back.
enum Sent {
    Own(AnswerBody),
    Member(Incoming, Ticket),
}

impl From<Sent> for AnswerBody {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Own(body) => body,
            Sent::Member(body, ticket) => {
                let limit = ticket.worker.shared.limits.silence;
                Self::member(body, limit, ticket)
            }
        }
    }
}

type Outcome = Result<Response<Sent>, Response<Sent>>;

/// Finds a member that takes the request. A refused connection means that nothing was sent, so another member is asked; a request that
/// went out on a kept connection which closes before any answer is sent once more if that cannot do harm (decision 26).
async fn send(
    worker: &Rc<Worker>,
    slot: u64,
    backend: &Arc<Backend>,
    key: Option<Key>,
    parts: Parts,
    body: RequestBody,
) -> Outcome {
    let repeatable = headers::idempotent(&parts.method) && body.is_end_stream();
    let mut request = Some(Request::from_parts(parts, body));
    let mut tried = Vec::new();
    // Who refused it, however often: a request that is held asks many times.
    let mut refusers: Vec<SocketAddr> = Vec::new();
    let mut repeated = false;
    let mut backend = backend.clone();
    let arrived = Instant::now();
    while let Some(mut now) = request.take() {
        let chosen = worker.pick(&backend, &tried, key);
        let held = arrived.elapsed() < backend.hold;
        if held && chosen.is_none_or(|chosen| !backend.targets[chosen].is_fit()) {
            tokio::time::sleep(LOOK).await;
            tried.clear();
            // Whoever takes the place of the member that is missing is in a newer table.
            if let Some(route) = worker.table().routes.get(&slot) {
                backend = route.backend.clone();
            }
            request = Some(now);
            continue;
        }
        let Some(chosen) = chosen else {
            bump(&backend.counts.no_member);
            if tried.is_empty() {
                return Err(failure(StatusCode::SERVICE_UNAVAILABLE, "no instance takes traffic here\n"));
            }
            return Err(failure(StatusCode::BAD_GATEWAY, "no instance accepted the connection\n"));
        };
        let target = &backend.targets[chosen];
        let ticket = Ticket::open(worker, target);
        let kept = match repeated {
            false => worker.pool.take(target.address, worker.shared.limits.upstream_idle).await,
            true => None,
        };
        let reused = kept.is_some();
        let sender = match kept {
            Some(sender) => Ok(sender),
            None => {
                let limits = &worker.shared.limits;
                Box::pin(pool::open(target.address, limits.connect_time, limits.head_bytes)).await
            }
        };
        let Ok(mut sender) = sender else {
            tried.push(chosen);
            let nobody = || backend.targets.iter().enumerate().all(|(i, t)| t.fitness() == 0 || tried.contains(&i));
            let last = !held && (tried.len() >= TRIES || nobody());
            let anew = !refusers.contains(&target.address);
            refusers.push(target.address);
            if last && !repeated {
                ticket.reached();
            }
            ticket.refused(anew, last);
            if last {
                return Err(failure(StatusCode::BAD_GATEWAY, "no instance accepted the connection\n"));
            }
            request = Some(now);
            continue;
        };
        if !repeated {
            ticket.reached();
        }
        let again = (reused && repeatable && !repeated).then(|| copy(&now));
        headers::finish(now.headers_mut());
        let turn = now.body().turn();
        match ticket.exchange(turn, sender.try_send_request(now)).await {
            Exchange::Answer(answer) => return Ok(pass(answer, ticket, sender)),
            Exchange::Slow => {
                // The client's fault, not the member's.
                bump(&backend.counts.refused_requests);
                return Err(failure(StatusCode::REQUEST_TIMEOUT, "the request's body did not come in time\n"));
            }
            Exchange::Late => {
                ticket.late();
                return Err(failure(StatusCode::GATEWAY_TIMEOUT, "the instance did not answer in time\n"));
            }
            Exchange::Broke(unsent) => {
                // A kept connection that was closed under our hands: what was not sent may go again, what can do no harm too.
                request = if reused { unsent.or(again) } else { None };
                if request.is_none() {
                    ticket.broke();
                    return Err(failure(StatusCode::BAD_GATEWAY, "the instance broke off before it answered\n"));
                }
                repeated = true;
                ticket.retried();
            }
        }
    }
    Err(failure(StatusCode::BAD_GATEWAY, "no instance answered\n"))
}

/// Returns when the member has let us wait for so long; while the client's body is awaited, it is not the member's fault.
async fn late(turn: Option<Turn>, limit: Duration) {
    tokio::time::sleep(limit).await;
    while let Some(turn) = &turn {
        match turn.get() {
            None => tokio::time::sleep(limit).await,
            Some(since) if since.elapsed() >= limit => return,
            Some(since) => tokio::time::sleep_until(since + limit).await,
        }
    }
}

/// Whether it is the client's body that did not go on.
fn is_slow(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(BodyError::Silent(_) | BodyError::Slow))
}

fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = Request::new(RequestBody::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn pass(mut answer: Response<Incoming>, mut ticket: Ticket, sender: Sender) -> Response<Sent> {
    ticket.answered(answer.status());
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        ticket.sender = Some(sender);
    }
    headers::for_client(answer.headers_mut());
    *answer.version_mut() = http::Version::HTTP_11;
    answer.map(|body| Sent::Member(body, ticket))
}

async fn tunnel(client: hyper::upgrade::OnUpgrade, member: hyper::upgrade::OnUpgrade, ticket: Ticket) {
    let mut cut = ticket.member.cut.subscribe();
    let moved = async {
        let (client, member) = tokio::try_join!(client, member)?;
        // However it ended: a tunnel has no good or bad end that we could tell.
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(member)).await;
        Ok::<_, hyper::Error>(())
    };
    tokio::select! {
        _ = moved => ticket.done(),
        _ = cut.wait_for(|cut| *cut) => ticket.broke(),
    }
}

fn own(status: StatusCode, text: &'static str) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::own(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    answer
}

fn failure(status: StatusCode, text: &'static str) -> Response<Sent> {
    own(status, text).map(Sent::Own)
}

fn close(mut answer: Response<AnswerBody>) -> Response<AnswerBody> {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

enum Exchange {
    Answer(Response<Incoming>),
    Broke(Option<Request<RequestBody>>),
    /// The client's body stopped.
    Slow,
    Late,
}

/// A request at a member: counted as open until it is done. Dropped before: the client gave up.
pub struct Ticket {
    worker: Rc<Worker>,
    member: Arc<MemberRuntime>,
    group: Arc<Meter>,
    address: SocketAddr,
    ejection: Option<Ejection>,
    sender: Option<Sender>,
    since: Instant,
    closed: bool,
}

impl Ticket {
    fn open(worker: &Rc<Worker>, target: &Target) -> Self {
        let ticket = Self {
            worker: worker.clone(),
            member: target.member.clone(),
            group: target.group.clone(),
            address: target.address,
            ejection: target.ejection,
            sender: None,
            since: Instant::now(),
            closed: false,
        };
        ticket.each(|s| {
            s.open.fetch_add(1, Relaxed);
        });
        ticket
    }

    /// This member is the one that the request is told of: counted once, however many were asked before.
    fn reached(&self) {
        let now = self.worker.shared.clock.now();
        self.each(|s| {
            bump(&s.requests);
            s.last_request.store(now, Relaxed);
        });
    }

    fn each(&self, act: impl Fn(&Shard)) {
        act(self.member.meter.shard(self.worker.index));
        act(self.group.shard(self.worker.index));
    }

    /// Whether the member was taken out.
    pub fn is_cut(&self) -> bool {
        *self.member.cut.borrow()
    }

    async fn exchange(
        &self,
        turn: Option<Turn>,
        sent: impl Future<Output = Result<Response<Incoming>, hyper::client::conn::TrySendError<Request<RequestBody>>>>,
    ) -> Exchange {
        let mut cut = self.member.cut.subscribe();
        tokio::select! {
            answer = sent => match answer {
                Ok(answer) => Exchange::Answer(answer),
                Err(error) if is_slow(error.error()) => Exchange::Slow,
                Err(mut error) => Exchange::Broke(error.take_message()),
            },
            _ = late(turn, self.worker.shared.limits.answer_time) => Exchange::Late,
            _ = cut.wait_for(|cut| *cut) => Exchange::Broke(None),
        }
    }

    fn answered(&self, status: StatusCode) {
        self.each(|s| s.answered(self.since.elapsed()));
        self.member.answered();
        if status.is_server_error() {
            self.each(|s| bump(&s.status_5xx));
        }
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.each(|s| {
                s.open.fetch_sub(1, Relaxed);
            });
        }
    }

    /// The answer is complete; the connection can take the next request.
    pub fn done(mut self) {
        self.close();
        if let Some(sender) = self.sender.take() {
            self.worker.pool.put(self.address, sender);
        }
    }

    /// The member broke off.
    pub fn broke(mut self) {
        self.close();
        self.member.failed(self.ejection);
        self.each(|s| {
            bump(&s.reset);
            bump(&s.failed);
        });
    }

    /// The member took too long.
    pub fn late(mut self) {
        self.close();
        self.member.failed(self.ejection);
        self.each(|s| {
            bump(&s.timed_out);
            bump(&s.failed);
        });
    }

    /// The member took no connection. `anew`: it had not refused this request before; `last`: nobody else is asked.
    fn refused(mut self, anew: bool, last: bool) {
        self.close();
        self.member.failed(self.ejection);
        self.each(|s| {
            if anew {
                bump(&s.refused);
            }
            if last {
                bump(&s.failed);
            } else if anew {
                bump(&s.retried);
            }
        });
    }

    fn retried(mut self) {
        self.close();
        self.each(|s| bump(&s.retried));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.closed {
            self.close();
            self.each(|s| bump(&s.abandoned));
        }
    }
}
