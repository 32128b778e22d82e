//! The listening sockets: which are wanted, which are open, and why not.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use socket2::{Domain, Protocol as Transport, Socket, Type};
use tokio::sync::watch;

use super::worker::Closing;
use crate::journal::Journal;
use crate::proc;
use crate::server::handover::{Handed, Label};
use crate::status::{EventKind, ListenerStatus};
use crate::wanted::{Balancer, Protocol};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// The bytes of datagrams that wait to be read, where the system allows so many.
const DATAGRAMS: usize = 2 << 20;

/// A socket at which clients arrive.
#[derive(Debug)]
pub enum Listening {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Listening {
    /// A descriptor as what it is said to be.
    pub fn of(descriptor: OwnedFd, is_udp: bool) -> Self {
        if is_udp { Self::Udp(descriptor.into()) } else { Self::Tcp(descriptor.into()) }
    }

    /// The same socket once more.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Udp(socket) => Self::Udp(socket.try_clone()?),
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr(),
            Self::Udp(socket) => socket.local_addr(),
        }
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Udp(socket) => socket.set_nonblocking(true),
        }
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Udp(socket) => socket.as_fd(),
        }
    }
}

/// All listening sockets.
#[derive(Default)]
pub struct Listeners {
    all: Vec<One>,
    next: u64,
}

struct One {
    slot: u64,
    balancer: String,
    /// Index of the balancer and of the listener in the wanted state; `None` when no longer wanted.
    place: Option<(usize, usize)>,
    address: SocketAddr,
    protocol: Protocol,
    socket: Result<Open, String>,
    /// Not yet given to the workers.
    fresh: bool,
    closing: watch::Sender<Closing>,
}

struct Open {
    socket: Arc<Listening>,
    bound: SocketAddr,
}

/// A socket that workers must be told of.
pub struct Fresh {
    pub slot: u64,
    pub balancer: String,
    pub bound: SocketAddr,
    pub socket: Arc<Listening>,
    pub closing: watch::Receiver<Closing>,
}

impl Listeners {
    /// Opens what these balancers need and marks what they don't. An open socket is kept, also when it moves to another balancer.
    pub fn want(&mut self, balancers: &[Balancer], mut inherited: Vec<Handed>) {
        self.all.iter_mut().for_each(|one| one.place = None);
        for (b, balancer) in balancers.iter().enumerate() {
            for (l, listener) in balancer.listeners.iter().enumerate() {
                // Port 0 means any port, so only the balancer tells two of them apart.
                let same = |one: &&mut One| {
                    one.place.is_none()
                        && one.address == listener.address
                        && is_udp(one.protocol) == is_udp(listener.protocol)
                        && (one.address.port() != 0 || one.balancer == balancer.id)
                };
                if let Some(one) = self.all.iter_mut().find(same) {
                    one.place = Some((b, l));
                    one.balancer.clone_from(&balancer.id);
                    one.protocol = listener.protocol;
                    continue;
                }
                let udp = is_udp(listener.protocol);
                let label = Label { balancer: balancer.id.clone(), address: listener.address, udp };
                let given = inherited.iter().position(|handed| handed.label == label);
                let socket = match given {
                    Some(at) => adopt(inherited.swap_remove(at).socket),
                    None => open(listener.address, udp),
                };
                self.next += 1;
                self.all.push(One {
                    slot: self.next,
                    balancer: balancer.id.clone(),
                    place: Some((b, l)),
                    address: listener.address,
                    protocol: listener.protocol,
                    fresh: socket.is_ok(),
                    socket,
                    closing: watch::channel(Closing::No).0,
                });
            }
        }
    }

    /// The slots of a balancer, each with the place of its listener there.
    pub fn slots(&self, balancer: usize) -> Vec<(u64, usize)> {
        let of = self.all.iter().filter_map(|one| Some((one.slot, one.place?)));
        of.filter(|(_, (b, _))| *b == balancer).map(|(slot, (_, place))| (slot, place)).collect()
    }

    /// What workers must be told of, once.
    pub fn take_fresh(&mut self) -> Vec<Fresh> {
        let fresh = self.all.iter_mut().filter_map(|one| {
            if !std::mem::take(&mut one.fresh) {
                return None;
            }
            let open = one.socket.as_ref().ok()?;
            Some(Fresh {
                slot: one.slot,
                balancer: one.balancer.clone(),
                bound: open.bound,
                socket: open.socket.clone(),
                closing: one.closing.subscribe(),
            })
        });
        fresh.collect()
    }

    /// Closes what nobody wants; its open connections end after their running request.
    pub fn close_unwanted(&mut self, journal: &Journal) {
        self.all.retain(|one| {
            if one.place.is_none() {
                one.closing.send_replace(Closing::Gently);
                if let Ok(open) = &one.socket {
                    journal.note(
                        EventKind::Listener,
                        one.balancer.clone(),
                        format!("{} no longer listens on {}", one.balancer, open.bound),
                    );
                }
            }
            one.place.is_some()
        });
    }

    /// Closes all.
    pub fn close_all(&mut self) {
        for one in self.all.drain(..) {
            one.closing.send_replace(Closing::Gently);
        }
    }

    /// Tries again to open what could not be opened.
    pub fn retry(&mut self) {
        for one in self.all.iter_mut().filter(|one| one.socket.is_err()) {
            one.socket = open(one.address, is_udp(one.protocol));
            one.fresh = one.socket.is_ok();
        }
    }

    /// What is not open, and why.
    pub fn problems(&self) -> Vec<String> {
        let problem = |one: &One| {
            one.socket.as_ref().err().map(|why| format!("balancer {}: {}: {why}", one.balancer, one.address))
        };
        self.all.iter().filter_map(problem).collect()
    }

    /// The listeners of a balancer in the wanted order.
    pub fn status(&self, balancer: usize) -> Vec<ListenerStatus> {
        let mut of: Vec<_> = self.all.iter().filter(|one| one.place.is_some_and(|(b, _)| b == balancer)).collect();
        of.sort_by_key(|one| one.place);
        let status = |one: &One| ListenerStatus {
            wanted: one.address,
            bound: one.socket.as_ref().ok().map(|open| open.bound),
            protocol: one.protocol,
            problem: one.socket.as_ref().err().cloned(),
        };
        of.into_iter().map(status).collect()
    }

    /// Duplicates of all open sockets.
    pub fn sockets(&self) -> Vec<Handed> {
        let of = self.all.iter().filter_map(|one| {
            let socket = one.socket.as_ref().ok()?.socket.try_clone().ok()?;
            let label = Label { balancer: one.balancer.clone(), address: one.address, udp: is_udp(one.protocol) };
            Some(Handed { label, socket })
        });
        of.collect()
    }
}

fn is_udp(protocol: Protocol) -> bool {
    protocol == Protocol::Udp
}

fn adopt(socket: Listening) -> Result<Open, String> {
    let adopted = || {
        socket.set_nonblocking()?;
        socket.local_addr()
    };
    let bound = adopted().map_err(|error| error.to_string())?;
    Ok(Open { socket: Arc::new(socket), bound })
}

fn open(address: SocketAddr, is_udp: bool) -> Result<Open, String> {
    let bound = if is_udp { bind_datagrams(address) } else { bind(address) };
    let socket = bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => match proc::listener_of(address).filter(|_| !is_udp) {
            Some((pid, name)) => format!("port in use by pid {pid} ({name})"),
            None => "port in use by another process".into(),
        },
        io::ErrorKind::PermissionDenied => "permission denied: ports below 1024 need root".into(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        _ => error.to_string(),
    })?;
    adopt(socket)
}

fn bind(address: SocketAddr) -> io::Result<Listening> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Transport::TCP))?;
    // So that a restart needs not wait for old connections to be forgotten; it does not share the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(Listening::Tcp(socket.into()))
}

fn bind_datagrams(address: SocketAddr) -> io::Result<Listening> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Transport::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Less is no fault: the system has a bound of its own.
    let _ = socket.set_recv_buffer_size(DATAGRAMS);
    socket.bind(&address.into())?;
    Ok(Listening::Udp(socket.into()))
}
