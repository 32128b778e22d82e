//! Bodies on their way through: bounded in silence, counted, and giving their connection back at the end.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::http::Ticket;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The other side broke off.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// Nothing came for too long.
    #[error("nothing came for {} s", .0.as_secs())]
    Silent(Duration),
    /// Something came, but too little to go on waiting for the rest.
    #[error("less than {PROGRESS} bytes came within a time-out")]
    Slow,
}

/// What a request's body must bring within each time-out: a client that sends a byte now and then does not hold a member for hours.
const PROGRESS: u64 = 256;

/// A body that may not be silent for longer than its limit.
struct Bounded {
    body: Incoming,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Bounded {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(frame.map(|f| f.map_err(BodyError::from)));
        }
        let deadline = || Instant::now() + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(deadline() - Instant::now())));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyError::Silent(self.limit))))
    }
}

/// The body of a request to a member.
pub struct RequestBody(Option<Paced>);

/// A client's body, which must go on at a least pace.
struct Paced {
    body: Bounded,
    /// What came since the timer began.
    got: u64,
    timer: Option<Pin<Box<Sleep>>>,
    turn: Turn,
}

/// Since when it is the member's turn to do something; `None` while we wait for the client.
pub type Turn = Rc<Cell<Option<Instant>>>;

impl Paced {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.body.poll(cx);
        if let Poll::Ready(frame) = &polled {
            let bytes = frame.as_ref().and_then(|f| f.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
            self.got += bytes as u64;
            self.turn.set(Some(Instant::now()));
            return polled;
        }
        self.turn.set(None);
        // Runs from the first pause on, so that a body that comes at once costs no timer.
        let limit = self.body.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        if timer.as_mut().poll(cx).is_ready() {
            if self.got < PROGRESS {
                return Poll::Ready(Some(Err(BodyError::Slow)));
            }
            self.got = 0;
            timer.as_mut().reset(Instant::now() + limit);
            let _ = timer.as_mut().poll(cx);
        }
        Poll::Pending
    }
}

impl RequestBody {
    /// No body: such a request can be sent twice.
    pub fn empty() -> Self {
        Self(None)
    }

    /// The client's body.
    pub fn stream(body: Incoming, limit: Duration) -> Self {
        let paced =
            |body| Paced { body: Bounded { body, limit, timer: None }, got: 0, timer: None, turn: Rc::default() };
        Self((!body.is_end_stream()).then(|| paced(body)))
    }

    /// Whose turn it is while it is sent; `None` when there is nothing to send.
    pub fn turn(&self) -> Option<Turn> {
        self.0.as_ref().map(|paced| paced.turn.clone())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.as_mut().map_or(Poll::Ready(None), |b| b.poll(cx))
    }
    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|b| b.body.body.is_end_stream())
    }
    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |b| b.body.body.size_hint())
    }
}

/// The body of an answer to a client.
pub enum AnswerBody {
    /// Our own words.
    Own(Full<Bytes>),
    /// A member's, with what it keeps busy.
    Member(MemberBody),
}

/// A member's answer on its way.
pub struct MemberBody {
    body: Bounded,
    ticket: Option<Ticket>,
}

impl AnswerBody {
    /// Our own words.
    pub fn own(text: impl Into<Bytes>) -> Self {
        Self::Own(Full::new(text.into()))
    }

    /// A member's; `ticket` is closed at its end.
    pub fn member(body: Incoming, limit: Duration, ticket: Ticket) -> Self {
        let mut ticket = Some(ticket);
        if body.is_end_stream() {
            close(&mut ticket, Ticket::done);
        }
        Self::Member(MemberBody { body: Bounded { body, limit, timer: None }, ticket })
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let member = match self.get_mut() {
            Self::Own(own) => {
                return Pin::new(own).poll_frame(cx).map(|f| f.map(|f| f.map_err(|never| match never {})));
            }
            Self::Member(member) => member,
        };
        if let Some(ticket) = &member.ticket
            && ticket.is_cut()
        {
            close(&mut member.ticket, Ticket::broke);
            return Poll::Ready(Some(Err(BodyError::Silent(Duration::ZERO))));
        }
        let frame = ready!(member.body.poll(cx));
        match &frame {
            Some(Ok(_)) if !member.body.body.is_end_stream() => {}
            Some(Ok(_)) | None => close(&mut member.ticket, Ticket::done),
            Some(Err(BodyError::Broken(_))) => close(&mut member.ticket, Ticket::broke),
            Some(Err(BodyError::Silent(_) | BodyError::Slow)) => close(&mut member.ticket, Ticket::late),
        }
        Poll::Ready(frame)
    }
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(own) => own.is_end_stream(),
            Self::Member(member) => member.body.body.is_end_stream(),
        }
    }
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(own) => own.size_hint(),
            Self::Member(member) => member.body.body.size_hint(),
        }
    }
}

fn close(ticket: &mut Option<Ticket>, how: fn(Ticket)) {
    if let Some(ticket) = ticket.take() {
        how(ticket);
    }
}
