//! One request at one member: the request goes out while its body comes in, the answer's head comes back, its body goes through. Both
//! sides are moved by one task, so that an answer may come before the request is over, and a client that leaves is noticed at once.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Limits;
use super::alarm::Alarm;
use super::body::Body;
use super::headers::{self, Manner};
use super::message::{Answer, HEADERS, Length, Slots};
use super::side::{Fault, Scratch, Side, Step};
use super::worker::Closing;

/// What a request's body must bring within each time-out: a client that sends a byte now and then does not hold a member for hours.
const PROGRESS: u64 = 256;

/// A request's body on its way.
pub struct Upload {
    body: Body,
    /// Since when what came is counted; not before the first pause, so that a body that comes at once needs no timer.
    window: Option<Instant>,
    came: u64,
    /// The member takes no more of it.
    broken: bool,
}

impl Upload {
    /// Of a request.
    pub fn new(length: Length) -> Self {
        Self { body: Body::new(length, true), window: None, came: 0, broken: false }
    }

    /// Whether all of it came.
    pub fn is_over(&self) -> bool {
        self.body.is_done()
    }
}

/// How the answer is to be told.
pub struct Reply {
    /// The request was a HEAD.
    pub to_head: bool,
    /// It asked for another protocol.
    pub upgrades: bool,
    /// Its client speaks HTTP/1.1.
    pub is_modern: bool,
    /// Its client wants to ask again.
    pub keep_alive: bool,
    /// Our cookie for it.
    pub cookie: Option<String>,
}

/// What is known of an answer whose head was told.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub status: u16,
    pub length: Length,
    /// The member takes another request.
    pub keep_alive: bool,
    /// The client's connection ends.
    pub closes: bool,
}

/// What became of asking.
pub enum Asked {
    Answer(Head),
    /// The member broke off.
    Broke,
    /// The member took too long.
    Late,
    /// The client's body did not go on.
    Slow,
    /// The client's body can be read in two ways.
    Malformed,
    /// The client is gone.
    Gone,
}

/// What became of an answer's body.
pub enum Delivered {
    Done,
    Broke,
    Late,
    Gone,
}

/// A request's way.
pub struct Exchange<'a, S> {
    pub client: &'a mut Side<S>,
    pub member: &'a mut Side<TcpStream>,
    pub upload: &'a mut Upload,
    pub reply: &'a Reply,
    pub alarm: &'a mut Alarm,
    pub scratch: &'a Scratch,
    pub limits: &'a Limits,
    pub closing: &'a watch::Receiver<Closing>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<'_, S> {
    /// Sends the request until the answer's head is there; `cut` ends it.
    pub async fn ask(&mut self, now: Instant, cut: &mut watch::Receiver<bool>) -> Asked {
        // When it became the member's turn to do something.
        let mut turn = Some(now);
        tokio::select! {
            biased;
            asked = poll_fn(|cx| self.poll_ask(cx, &mut turn)) => asked,
            _ = cut.wait_for(|cut| *cut) => Asked::Broke,
        }
    }

    fn poll_ask(&mut self, cx: &mut Context<'_>, turn: &mut Option<Instant>) -> Poll<Asked> {
        // "100 Continue".
        if matches!(self.client.poll_pay(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Asked::Gone);
        }
        let mut awaits_client = false;
        match self.poll_upload(cx) {
            Ok(Step::Source) => awaits_client = true,
            Ok(Step::Done | Step::Sink) => {}
            Err(Fault::Sink) => self.upload.broken = true,
            Err(Fault::Source) => return Poll::Ready(Asked::Gone),
            Err(Fault::Malformed) => return Poll::Ready(Asked::Malformed),
        }
        loop {
            match self.head() {
                Some(Ok(head)) => return Poll::Ready(Asked::Answer(head)),
                Some(Err(())) => return Poll::Ready(Asked::Broke),
                None => {}
            }
            match self.member.poll_fill(cx, self.scratch) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Asked::Broke),
                Poll::Pending => break,
            }
        }
        if self.upload.is_over() && self.client.poll_gone(cx, self.scratch).is_ready() {
            return Poll::Ready(Asked::Gone);
        }
        if awaits_client {
            *turn = None;
            return if self.poll_slow(cx).is_ready() { Poll::Ready(Asked::Slow) } else { Poll::Pending };
        }
        let due = *turn.get_or_insert_with(Instant::now) + self.limits.answer_time;
        self.alarm.poll(cx, due).map(|()| Asked::Late)
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<Step, Fault> {
        let Upload { body, came, broken, .. } = &mut *self.upload;
        if *broken {
            return Ok(Step::Sink);
        }
        self.client.move_body(self.member, body, cx, self.scratch, |n| *came += n as u64)
    }

    /// Ready when the client's body brought too little for too long.
    fn poll_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let begun = *self.upload.window.get_or_insert_with(Instant::now);
            std::task::ready!(self.alarm.poll(cx, begun + self.limits.silence));
            if self.upload.came < PROGRESS {
                return Poll::Ready(());
            }
            (self.upload.window, self.upload.came) = (None, 0);
        }
    }

    /// The answer's head, when all of it is there: told to the client. An error is what is no answer to this request.
    fn head(&mut self) -> Option<Result<Head, ()>> {
        loop {
            let bytes = self.member.bytes();
            if bytes.is_empty() {
                return None;
            }
            let mut slots: Slots<'_> = [const { MaybeUninit::uninit() }; HEADERS];
            let answer = match Answer::read(bytes, &mut slots, self.reply.to_head) {
                Ok(Some(answer)) => answer,
                Ok(None) if bytes.len() <= self.limits.head_bytes => return None,
                Ok(None) | Err(_) => return Some(Err(())),
            };
            let end = answer.end;
            if answer.status < 200 && answer.status != 101 {
                // Early words are for us: the request is sent already.
                self.member.consume(end);
                continue;
            }
            if answer.status == 101 && !self.reply.upgrades {
                return Some(Err(()));
            }
            let Reply { is_modern, keep_alive, .. } = *self.reply;
            let unbounded = !is_modern && matches!(answer.length, Length::Chunked | Length::Rest);
            let closes = !keep_alive || unbounded || *self.closing.borrow() != Closing::No;
            let manner = Manner { closes, is_modern };
            // Room for what is here already, and what we add.
            self.client.due().reserve(bytes.len() + 256);
            headers::for_client(&answer, manner, self.reply.cookie.as_deref(), self.client.due());
            let head = Head { status: answer.status, length: answer.length, keep_alive: answer.keep_alive, closes };
            self.member.consume(end);
            return Some(Ok(head));
        }
    }

    /// Lets the answer's body through; `cut` ends it. At the end the last bytes may still be due to the client.
    pub async fn deliver(&mut self, length: Length, cut: &mut watch::Receiver<bool>) -> Delivered {
        let mut body = Body::new(length, self.reply.is_modern);
        let mut last = None;
        tokio::select! {
            biased;
            delivered = poll_fn(|cx| self.poll_deliver(cx, &mut body, &mut last)) => delivered,
            _ = cut.wait_for(|cut| *cut) => Delivered::Broke,
        }
    }

    fn poll_deliver(&mut self, cx: &mut Context<'_>, body: &mut Body, last: &mut Option<Instant>) -> Poll<Delivered> {
        if !self.upload.is_over() {
            match self.poll_upload(cx) {
                Ok(_) => {}
                Err(Fault::Source) => return Poll::Ready(Delivered::Gone),
                Err(Fault::Sink | Fault::Malformed) => self.upload.broken = true,
            }
        }
        let mut moved = false;
        let step = self.member.move_body(self.client, body, cx, self.scratch, |_| moved = true);
        match step {
            Ok(Step::Done) => return Poll::Ready(Delivered::Done),
            Ok(Step::Sink) => {
                // Its turn; a client that reads nothing at all is ended by TCP.
                *last = None;
                return Poll::Pending;
            }
            Ok(Step::Source) => {}
            Err(Fault::Sink) => return Poll::Ready(Delivered::Gone),
            Err(Fault::Source | Fault::Malformed) => return Poll::Ready(Delivered::Broke),
        }
        if self.upload.is_over() && self.client.poll_gone(cx, self.scratch).is_ready() {
            return Poll::Ready(Delivered::Gone);
        }
        if moved {
            *last = None;
        }
        let due = *last.get_or_insert_with(Instant::now) + self.limits.silence;
        self.alarm.poll(cx, due).map(|()| Delivered::Late)
    }
}
