//! HTTP/1.1 listeners: one client connection, balanced request by request. A request is read ([`super::message`]), checked, and written
//! anew ([`super::headers`]) for the member that [`super::exchange`] asks, so nothing that two parsers could read differently gets through.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::alarm::Alarm;
use super::exchange::{Asked, Delivered, Exchange, Head, Reply, Upload};
use super::headers::{self, Client, Manner};
use super::message::{HEADERS, Length, Refusal, Request, Search, Slots, TOO_LARGE};
use super::meter::bump;
use super::pick::Key;
use super::pool;
use super::side::Side;
use super::sticky::Sticky;
use super::table::{Backend, Route};
use super::ticket::Ticket;
use super::worker::{Closing, Worker};

/// How long an idle client may take to ask again before a listener that ends closes its connection.
const LINGER: Duration = Duration::from_secs(3);
/// How often a request that is held looks for a member.
const LOOK: Duration = Duration::from_millis(20);
/// How many members are tried when connections are refused.
const TRIES: usize = 3;
/// How long, and how much, is read from a client that was refused, so that it can read why.
const FAREWELL: (Duration, usize) = (Duration::from_secs(2), 1 << 20);

/// Serves one client connection until it ends; `front` was read of it already.
pub async fn serve(
    worker: Rc<Worker>,
    slot: u64,
    client: Client,
    io: impl AsyncRead + AsyncWrite + Unpin,
    front: Vec<u8>,
    closing: watch::Receiver<Closing>,
) {
    let alarm = Alarm::new(Instant::now() + worker.shared.limits.head_time);
    let mut leave = closing.clone();
    let mut leaving = std::pin::pin!(leave.wait_for(|closing| *closing != Closing::No));
    // Set once it leaves.
    let mut left: Option<Instant> = None;
    let mut conversation =
        Conversation { worker, slot, client, side: Side::new(io, front, Vec::new()), alarm, closing };
    loop {
        let mut search = Search::default();
        let mut due = None;
        let next = poll_fn(|cx| {
            if left.is_none() && leaving.as_mut().poll(cx).is_ready() {
                left = Some(Instant::now());
            }
            // An idle connection is not closed at once: its client may be sending. It is told to leave with its next answer.
            conversation.poll_next(cx, &mut search, &mut due, left.map(|left| left + LINGER))
        });
        // Boxed: an idle connection shall not keep room for it.
        let then = match next.await {
            Next::Request(head) => Box::pin(conversation.answer(head)).await,
            Next::Refused(refusal) => {
                let count = |route: Option<&Route>| route.iter().for_each(|r| bump(&r.backend.counts.refused_requests));
                conversation.worker.route(slot, count);
                conversation.fail(refusal)
            }
            Next::Gone => Then::Cut,
        };
        match then {
            Then::Next => {}
            Then::Close => return conversation.close().await,
            Then::Linger => return Box::pin(conversation.linger()).await,
            Then::Cut => return,
        }
    }
}

/// What comes from a client.
enum Next {
    /// A request with this head.
    Request(Range<usize>),
    Refused(Refusal),
    /// Nothing more.
    Gone,
}

/// What becomes of a client's connection.
enum Then {
    /// It may ask again.
    Next,
    /// It ends when all is written.
    Close,
    /// The same, though its client may still be sending.
    Linger,
    /// It ends at once.
    Cut,
}

/// A client's connection.
struct Conversation<S> {
    worker: Rc<Worker>,
    slot: u64,
    client: Client,
    side: Side<S>,
    alarm: Alarm,
    closing: watch::Receiver<Closing>,
}

/// A request as it goes to a member.
struct Outgoing {
    head: Vec<u8>,
    length: Length,
    /// It can go out twice.
    repeatable: bool,
    /// Its client waits for a word before it sends the body.
    expects: bool,
    key: Option<Key>,
    reply: Reply,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// The next request's head. It must be here when it is `due`, which is set by the first poll, and before the `last` moment.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        search: &mut Search,
        due: &mut Option<Instant>,
        last: Option<Instant>,
    ) -> Poll<Next> {
        if matches!(self.side.poll_pay(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Next::Gone);
        }
        loop {
            let most = self.worker.shared.limits.head_bytes;
            match search.look(self.side.bytes()) {
                Ok(Some(head)) if head.len() > most => return Poll::Ready(Next::Refused(TOO_LARGE)),
                Ok(Some(head)) => return Poll::Ready(Next::Request(head)),
                Ok(None) if self.side.bytes().len() > most => return Poll::Ready(Next::Refused(TOO_LARGE)),
                Ok(None) => {}
                Err(refusal) => return Poll::Ready(Next::Refused(refusal)),
            }
            match self.side.poll_fill(cx, &self.worker.scratch) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Next::Gone),
                Poll::Pending => break,
            }
        }
        self.side.rest();
        let due = *due.get_or_insert_with(|| Instant::now() + self.worker.shared.limits.head_time);
        ready!(self.alarm.poll(cx, last.map_or(due, |last| due.min(last))));
        Poll::Ready(match self.side.bytes() {
            [] => Next::Gone,
            _ => Next::Refused(Refusal { status: 408, why: "the request's head did not come in time\n" }),
        })
    }

    /// One request: checked, given to a member, and answered.
    async fn answer(&mut self, head: Range<usize>) -> Then {
        let read = self.worker.route(self.slot, |route| {
            let route = route.ok_or(Refusal { status: 503, why: "this load balancer is gone\n" })?;
            let counts = &route.backend.counts;
            if !route.allows(self.client.ip) {
                // It came in before it was shut out.
                bump(&counts.turned_away);
                return Err(Refusal { status: 403, why: "a firewall does not let you in\n" });
            }
            let outgoing = self.read(head.clone(), &route.backend);
            let outgoing = outgoing.inspect_err(|_| bump(&counts.refused_requests))?;
            Ok((route.backend.clone(), outgoing))
        });
        match read {
            Ok((backend, outgoing)) => {
                self.side.consume(head.end);
                self.send(backend, outgoing).await
            }
            Err(refusal) => self.fail(refusal),
        }
    }

    fn read(&self, head: Range<usize>, backend: &Backend) -> Result<Outgoing, Refusal> {
        let mut slots: Slots<'_> = [const { MaybeUninit::uninit() }; HEADERS];
        let bytes = &self.side.bytes()[head];
        let request = Request::read(bytes, &mut slots, self.worker.shared.limits.headers)?;
        let Sticky { key, cookie } = Sticky::of(backend.stickiness.as_ref(), request.headers, self.client.secure);
        let trusted = backend.trusted_proxies.iter().any(|network| network.contains(self.client.ip));
        let mut out = Vec::with_capacity(bytes.len() + 256);
        headers::for_member(&request, &self.client, trusted, &mut out);
        Ok(Outgoing {
            head: out,
            length: request.length,
            repeatable: request.is_idempotent() && request.length == Length::None,
            expects: request.expects,
            key,
            reply: Reply {
                to_head: request.method == "HEAD",
                upgrades: request.upgrade.is_some(),
                is_modern: request.is_modern,
                keep_alive: request.keep_alive,
                cookie,
            },
        })
    }

    /// Finds a member that takes the request. A refused connection means that nothing was sent, so another member is asked; a request
    /// that went out on a kept connection which closes before any answer is sent once more if that cannot do harm (decision 26).
    async fn send(&mut self, mut backend: Arc<Backend>, mut outgoing: Outgoing) -> Then {
        let worker = self.worker.clone();
        let limits = &worker.shared.limits;
        let mut upload = Upload::new(outgoing.length);
        let mut due = std::mem::take(&mut outgoing.head);
        let mut tried = Vec::new();
        // Who refused it, however often: a request that is held asks many times.
        let mut refusers: Vec<SocketAddr> = Vec::new();
        let mut repeated = false;
        let arrived = (!backend.hold.is_zero()).then(Instant::now);
        loop {
            let chosen = worker.pick(&backend, &tried, outgoing.key);
            let held = arrived.is_some_and(|arrived| arrived.elapsed() < backend.hold);
            if held && chosen.is_none_or(|chosen| !backend.targets[chosen].is_fit()) {
                if self.wait(LOOK).await.is_err() {
                    return Then::Cut;
                }
                tried.clear();
                // Whoever takes the place of the member that is missing is in a newer table.
                backend = worker.route(self.slot, |route| route.map(|route| route.backend.clone())).unwrap_or(backend);
                continue;
            }
            let Some(chosen) = chosen else {
                bump(&backend.counts.no_member);
                return match tried.is_empty() {
                    true => self.own(503, "no instance takes traffic here\n", &outgoing),
                    false => self.own(502, "no instance accepted the connection\n", &outgoing),
                };
            };
            let target = &backend.targets[chosen];
            let ticket = Ticket::open(&worker, target);
            let kept =
                if repeated { None } else { worker.pool.take(target.address, ticket.since, limits.upstream_idle) };
            let reused = kept.is_some();
            let stream = match kept {
                Some(stream) => Ok(stream),
                None => Box::pin(pool::connect(target.address, limits.connect_time)).await,
            };
            let Ok(stream) = stream else {
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
                    return self.own(502, "no instance accepted the connection\n", &outgoing);
                }
                continue;
            };
            if !repeated {
                ticket.reached();
            }
            if outgoing.expects && !repeated && self.side.bytes().is_empty() {
                self.side.due().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            let mut member = Side::new(stream, Vec::new(), std::mem::take(&mut due));
            let mut cut = ticket.member.cut.subscribe();
            let asked = self.exchange(&mut member, &mut upload, &outgoing.reply).ask(ticket.since, &mut cut).await;
            match asked {
                Asked::Answer(head) => {
                    let now = ticket.answered(head.status);
                    if head.status == 101 {
                        return Box::pin(self.tunnel(member, ticket, cut)).await;
                    }
                    let delivered =
                        self.exchange(&mut member, &mut upload, &outgoing.reply).deliver(head.length, &mut cut).await;
                    return self.delivered(delivered, head, member, &upload, (ticket, now)).await;
                }
                Asked::Gone => return Then::Cut,
                // The client's fault, not the member's.
                Asked::Slow => {
                    bump(&backend.counts.refused_requests);
                    return self.fail(Refusal { status: 408, why: "the request's body did not come in time\n" });
                }
                Asked::Malformed => {
                    bump(&backend.counts.refused_requests);
                    return self.fail(Refusal { status: 400, why: "the request's chunks can be read in two ways\n" });
                }
                Asked::Late => {
                    ticket.late();
                    return self.own(504, "the instance did not answer in time\n", &outgoing);
                }
                Asked::Broke => {
                    // A kept connection that was closed under our hands: what was not sent may go again, what can do no harm too.
                    if !reused || (member.begun && !outgoing.repeatable) {
                        ticket.broke();
                        return self.own(502, "the instance broke off before it answered\n", &outgoing);
                    }
                    due = member.into_due();
                    repeated = true;
                    ticket.retried();
                }
            }
        }
    }

    /// Waits; an error when the client is gone meanwhile.
    async fn wait(&mut self, time: Duration) -> Result<(), ()> {
        let (side, scratch) = (&mut self.side, &self.worker.scratch);
        tokio::select! {
            () = sleep(time) => Ok(()),
            () = poll_fn(|cx| side.poll_gone(cx, scratch)) => Err(()),
        }
    }

    fn exchange<'a>(
        &'a mut self,
        member: &'a mut Side<TcpStream>,
        upload: &'a mut Upload,
        reply: &'a Reply,
    ) -> Exchange<'a, S> {
        Exchange {
            client: &mut self.side,
            member,
            upload,
            reply,
            alarm: &mut self.alarm,
            scratch: &self.worker.scratch,
            limits: &self.worker.shared.limits,
            closing: &self.closing,
        }
    }

    /// Closes the books on an answer.
    async fn delivered(
        &mut self,
        delivered: Delivered,
        head: Head,
        member: Side<TcpStream>,
        upload: &Upload,
        (ticket, answered): (Ticket, Instant),
    ) -> Then {
        match delivered {
            Delivered::Done => {}
            Delivered::Broke => {
                ticket.broke();
                return Then::Cut;
            }
            Delivered::Late => {
                ticket.late();
                return Then::Cut;
            }
            Delivered::Gone => return Then::Cut,
        }
        let again = head.keep_alive && upload.is_over() && member.bytes().is_empty() && member.is_paid();
        ticket.done(again.then_some((member.io, answered)));
        if !upload.is_over() {
            return Then::Linger;
        }
        if head.closes {
            return Then::Close;
        }
        match poll_fn(|cx| self.side.poll_pay(cx)).await {
            Ok(()) => Then::Next,
            Err(_) => Then::Cut,
        }
    }

    /// The HTTP connection ends with this answer; its bytes go on.
    async fn tunnel(&mut self, mut member: Side<TcpStream>, ticket: Ticket, mut cut: watch::Receiver<bool>) -> Then {
        let moved = async {
            poll_fn(|cx| self.side.poll_pay(cx)).await?;
            // What either side has said already.
            member.io.write_all(self.side.bytes()).await?;
            self.side.io.write_all(member.bytes()).await?;
            self.side.io.flush().await?;
            tokio::io::copy_bidirectional(&mut self.side.io, &mut member.io).await
        };
        tokio::select! {
            // However it ended: a tunnel has no good or bad end that we could tell.
            _ = moved => ticket.done(None),
            _ = cut.wait_for(|cut| *cut) => ticket.broke(),
        }
        Then::Cut
    }

    /// Answers ourselves; the client may ask again where its request is over.
    fn own(&mut self, status: u16, text: &str, outgoing: &Outgoing) -> Then {
        let Reply { keep_alive, is_modern, to_head, .. } = outgoing.reply;
        let closes = !keep_alive || outgoing.length != Length::None || *self.closing.borrow() != Closing::No;
        headers::own(status, text, Manner { closes, is_modern }, to_head, self.side.due());
        match (closes, outgoing.length) {
            (false, _) => Then::Next,
            (true, Length::None) => Then::Close,
            (true, _) => Then::Linger,
        }
    }

    /// Answers ourselves, for the last time on this connection.
    fn fail(&mut self, Refusal { status, why }: Refusal) -> Then {
        headers::own(status, why, Manner { closes: true, is_modern: true }, false, self.side.due());
        Then::Linger
    }

    /// Writes what is due and ends the connection.
    async fn close(&mut self) {
        if poll_fn(|cx| self.side.poll_pay(cx)).await.is_ok() {
            let _ = self.side.io.shutdown().await;
        }
    }

    /// Ends a connection whose client may still be sending: closing it outright would take back what it has not read yet.
    async fn linger(&mut self) {
        self.close().await;
        let mut read = 0;
        let (side, scratch) = (&mut self.side, &self.worker.scratch);
        let drained = poll_fn(|cx| {
            while read < FAREWELL.1 {
                match ready!(side.poll_fill(cx, scratch)) {
                    Ok(n @ 1..) => read += n,
                    _ => break,
                }
                side.consume(side.bytes().len());
            }
            Poll::Ready(())
        });
        let _ = tokio::time::timeout(FAREWELL.0, drained).await;
    }
}
