//! UDP listeners: datagrams by flow. A flow is what one client's address and port sends to one of our addresses; it goes to one member,
//! through a socket of its own, and the member's answers go back from the address that the client spoke to.
//!
//! Which member takes a flow is a function of the client's address, so a successor of this process chooses the same. A flow leaves
//! its member when that is red while another is fit, is out, or has drained for long enough; it ends when nothing came for a while.
//! A member that refuses a datagram (ICMP) did not get it: another one does.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::{Interest, Ready};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::Instant;

use super::meter::bump;
use super::open::Open;
use super::pick::{Key, hash};
use super::proxy_protocol::{self, Transport};
use super::table::{Backend, Target};
use super::worker::{Closing, Guard, Worker};
use crate::wanted::{MemberState, ProxyProtocol};

/// The longest datagram, and the longest run of them that the system hands over at once.
const LONGEST: usize = 65_535;
/// Runs that are read with one call.
const RUNS: usize = 8;
/// How many members are tried when datagrams are refused.
const TRIES: usize = 3;
/// How long the last words of a member are passed on when its flow or its listener has ended.
const LINGER: Duration = Duration::from_secs(1);

/// Relays datagrams until the listener closes; what members still say then is passed on for a while.
pub async fn serve(worker: Rc<Worker>, slot: u64, socket: std::net::UdpSocket, mut closing: watch::Receiver<Closing>) {
    let front = match Front::new(socket) {
        Ok(front) => front,
        Err(error) => {
            tracing::error!("cannot take datagrams: {error}");
            return;
        }
    };
    let relay = Rc::new(Relay {
        worker,
        slot,
        front,
        closing: closing.clone(),
        flows: RefCell::default(),
        answers: RefCell::new(vec![0; LONGEST]),
    });
    let mut buffers = vec![vec![0; LONGEST]; RUNS];
    loop {
        let received = tokio::select! {
            biased;
            _ = closing.wait_for(|c| *c != Closing::No) => return,
            received = relay.front.receive(&mut buffers) => received,
        };
        match received {
            Ok(metas) => {
                for (meta, buffer) in metas.iter().zip(&buffers) {
                    let way = Way { client: meta.addr, here: meta.dst_ip.unwrap_or(relay.front.address.ip()) };
                    let run = &buffer[..meta.len.min(buffer.len())];
                    for datagram in run.chunks(meta.stride.max(1)) {
                        relay.take(way, datagram);
                    }
                }
            }
            Err(error) => {
                tracing::debug!("reading datagrams: {error}");
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The two ends that a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Way {
    client: SocketAddr,
    /// Which of this machine's addresses it sends to.
    here: IpAddr,
}

impl Way {
    /// Always the same for a client, in every process.
    fn key(&self) -> Key {
        Key { number: hash(self.client.to_string().as_bytes()), member: true }
    }
}

/// The socket that clients send to.
struct Front {
    socket: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
}

impl Front {
    fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // It was made for QUIC, which forbids fragments; members may send what they like.
        if address.is_ipv4() {
            set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DONT)?;
        } else {
            set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::DONT)?;
        }
        Ok(Self { socket: UdpSocket::from_std(socket)?, state, address })
    }

    /// The next datagrams: each of the results says what lies in the buffer of its place.
    async fn receive(&self, buffers: &mut [Vec<u8>]) -> io::Result<Vec<RecvMeta>> {
        let mut metas = vec![RecvMeta::default(); buffers.len()];
        let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
        let receive = || self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas);
        let count = self.socket.async_io(Interest::READABLE, receive).await?;
        metas.truncate(count);
        Ok(metas)
    }

    /// Sends an answer. What cannot be sent now is lost, as datagrams may be.
    fn send(&self, way: Way, contents: &[u8]) {
        let transmit =
            Transmit { destination: way.client, ecn: None, contents, segment_size: None, src_ip: Some(way.here) };
        // Not through the runtime, which calls a socket full that it has not heard of yet.
        if let Err(error) = self.state.try_send(UdpSockRef::from(&self.socket), &transmit) {
            tracing::debug!(client = %way.client, "an answer was lost: {error}");
        }
    }
}

/// What belongs to one listener.
struct Relay {
    worker: Rc<Worker>,
    slot: u64,
    front: Front,
    closing: watch::Receiver<Closing>,
    flows: RefCell<HashMap<Way, Rc<Flow>>>,
    /// Where answers are read into, one after another.
    answers: RefCell<Vec<u8>>,
}

/// A client's datagrams at their member.
struct Flow {
    socket: UdpSocket,
    open: Open,
    target: SocketAddr,
    since: Instant,
    last: Cell<Instant>,
    answered: Cell<bool>,
    /// What was sent last and may have been refused, while nothing was answered.
    unanswered: RefCell<Vec<u8>>,
    /// Stands in front of every datagram.
    head: Vec<u8>,
    /// Set when another flow took its place.
    ended: Cell<bool>,
}

impl Relay {
    /// Gives a client's datagram to its member; to another one when that refuses it.
    fn take(self: &Rc<Self>, way: Way, datagram: &[u8]) {
        let table = self.worker.table();
        let Some(route) = table.routes.get(&self.slot) else { return };
        let backend = &route.backend;
        if !route.allows(way.client.ip()) {
            bump(&backend.counts.turned_away);
            return self.end(way);
        }
        let known = self.flows.borrow().get(&way).cloned();
        match known.filter(|flow| flow.stays(backend)) {
            Some(flow) if flow.send(datagram).is_ok() => return,
            Some(flow) => self.refused(way, &flow, backend),
            None => self.end(way),
        }
        self.give(way, backend, datagram, Vec::new());
    }

    /// Opens a flow with this datagram at the first member that takes it.
    fn give(self: &Rc<Self>, way: Way, backend: &Backend, datagram: &[u8], mut tried: Vec<usize>) {
        while tried.len() < TRIES {
            let Some(chosen) = self.worker.pick(backend, &tried, Some(way.key())) else { break };
            let target = &backend.targets[chosen];
            tried.push(chosen);
            let Some(flow) = self.open(way, backend, target) else { return };
            if flow.send(datagram).is_ok() {
                tokio::task::spawn_local(self.clone().answer(way, flow));
                return;
            }
            self.refused(way, &flow, backend);
        }
        bump(&backend.counts.no_member);
    }

    fn open(&self, way: Way, backend: &Backend, target: &Target) -> Option<Rc<Flow>> {
        let shared = &self.worker.shared;
        let full =
            self.flows.borrow().len() >= shared.limits.flows || shared.clients.load(Relaxed) >= shared.limits.clients;
        if full {
            // Those who are in are served.
            return None;
        }
        let socket = match connect(target.address) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(member = %target.address, "no socket for a flow: {error}");
                return None;
            }
        };
        let listener = SocketAddr::new(way.here, self.front.address.port());
        let head = match backend.send_proxy {
            Some(ProxyProtocol::V2) => {
                proxy_protocol::head(ProxyProtocol::V2, Transport::Datagram, way.client, listener)
            }
            Some(ProxyProtocol::V1) | None => Vec::new(),
        };
        let now = Instant::now();
        let flow = Rc::new(Flow {
            socket,
            open: Open::new(&self.worker, &target.member, &target.group),
            target: target.address,
            since: now,
            last: Cell::new(now),
            answered: Cell::new(false),
            unanswered: RefCell::default(),
            head,
            ended: Cell::new(false),
        });
        self.flows.borrow_mut().insert(way, flow.clone());
        Some(flow)
    }

    fn end(&self, way: Way) {
        if let Some(flow) = self.flows.borrow_mut().remove(&way) {
            flow.ended.set(true);
        }
    }

    /// Ends a flow whose member has nobody at its port.
    fn refused(&self, way: Way, flow: &Rc<Flow>, backend: &Backend) {
        flow.open.each(|s| bump(&s.refused));
        if let Some(target) = backend.targets.iter().find(|target| flow.is_at(target)) {
            target.member.failed(target.ejection);
        }
        if self.flows.borrow().get(&way).is_some_and(|current| Rc::ptr_eq(current, flow)) {
            self.end(way);
        }
    }

    /// Passes a member's answers on until the flow ends.
    async fn answer(self: Rc<Self>, way: Way, flow: Rc<Flow>) {
        let _guard = Guard::new(&self.worker);
        let mut cut = flow.open.member.cut.subscribe();
        let mut closing = self.closing.clone();
        let limits = &self.worker.shared.limits;
        loop {
            let (leaves, is_cut) = (*closing.borrow() != Closing::No, *cut.borrow());
            let idle = match flow.answered.get() {
                _ if leaves || is_cut => LINGER,
                true => limits.flow_idle,
                false => limits.flow_unanswered,
            };
            let deadline = flow.last.get() + idle;
            tokio::select! {
                ready = flow.socket.ready(Interest::READABLE.add(Interest::ERROR)) => {
                    // A refusal is reported as an error alone.
                    let interest = |ready: Ready| if ready.is_error() { Interest::ERROR } else { Interest::READABLE };
                    if ready.is_err() || ready.is_ok_and(|ready| !self.pass(way, &flow, interest(ready))) {
                        break;
                    }
                }
                _ = tokio::time::sleep_until(deadline) => {
                    if flow.ended.get() || flow.last.get() + idle <= Instant::now() {
                        break;
                    }
                }
                // The next datagram goes elsewhere; what was asked already may still be answered.
                _ = cut.wait_for(|cut| *cut), if !is_cut => {
                    flow.open.each(|s| bump(&s.reset));
                    if !flow.ended.get() {
                        self.end(way);
                    }
                }
                _ = closing.wait_for(|c| *c != Closing::No), if !leaves => {}
            }
        }
        if !flow.ended.get() {
            self.end(way);
        }
    }

    /// Passes on what is there; false when the member has nobody at its port any more.
    fn pass(self: &Rc<Self>, way: Way, flow: &Rc<Flow>, interest: Interest) -> bool {
        let mut buffer = self.answers.borrow_mut();
        loop {
            let receive = || Ok(rustix::net::recv(&flow.socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT)?);
            match flow.socket.try_io(interest, receive) {
                Ok((length, _)) => {
                    if !flow.answered.replace(true) {
                        flow.open.each(|s| s.answered(flow.since.elapsed()));
                        flow.open.member.answered();
                        flow.unanswered.take();
                    }
                    flow.last.set(Instant::now());
                    self.front.send(way, &buffer[..length]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => break,
                Err(error) => tracing::debug!(member = %flow.target, "reading answers: {error}"),
            }
        }
        drop(buffer);
        let table = self.worker.table();
        let Some(route) = table.routes.get(&self.slot) else { return false };
        let current = !flow.ended.get();
        self.refused(way, flow, &route.backend);
        let datagram = flow.unanswered.take();
        if current && !datagram.is_empty() {
            let tried = route.backend.targets.iter().position(|target| flow.is_at(target));
            self.give(way, &route.backend, &datagram, tried.into_iter().collect());
        }
        false
    }
}

impl Flow {
    fn is_at(&self, target: &Target) -> bool {
        std::sync::Arc::ptr_eq(&target.member, &self.open.member)
    }

    /// Whether its next datagram goes where the others went.
    fn stays(&self, backend: &Backend) -> bool {
        let Some(target) = backend.targets.iter().find(|target| self.is_at(target)) else { return false };
        let better = || backend.targets.iter().any(Target::is_fit);
        match target.state {
            MemberState::Out => false,
            MemberState::Draining => !*self.open.member.cut.borrow(),
            MemberState::Active => target.weight == 0 || target.is_fit() || !better(),
        }
    }

    /// Sends a datagram to the member; an error when there is nobody: then it did not get it.
    fn send(&self, datagram: &[u8]) -> Result<(), ()> {
        self.last.set(Instant::now());
        let whole = if self.head.is_empty() { None } else { Some([&self.head, datagram].concat()) };
        // Not through the runtime, which calls a socket full that it has not heard of yet.
        let sent = rustix::net::send(&self.socket, whole.as_deref().unwrap_or(datagram), SendFlags::DONTWAIT);
        if !self.answered.get() {
            self.unanswered.replace(datagram.to_vec());
        }
        match sent {
            Err(rustix::io::Errno::CONNREFUSED) => Err(()),
            // It is full: lost, as datagrams may be.
            _ => Ok(()),
        }
    }
}

fn connect(member: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if member.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = std::net::UdpSocket::bind((any, 0))?;
    socket.connect(member)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}
