//! A worker: one thread with its own runtime, connections and pools. It takes connections from every listener and knows the newest table.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

use super::headers::Client;
use super::meter::bump;
use super::pick::{Key, Picker};
use super::pool::{self, Pool};
use super::rewind::{Rewind, sniff};
use super::side::Scratch;
use super::table::{Backend, Cached, Current, Route, Table};
use super::{Limits, Listening, http, proxy_protocol, tcp, udp};
use crate::clock::Clock;
use crate::wanted::Protocol;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What all workers share.
pub struct Shared {
    pub clock: Clock,
    pub limits: Limits,
    pub table: Current,
    /// Open client connections.
    pub clients: AtomicUsize,
}

/// Whether a listener goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It does.
    No,
    /// No new connections; those that are open end after their running request.
    Gently,
}

/// What a worker is told.
pub enum Order {
    /// Take connections from this listener too.
    Listen { slot: u64, socket: Listening, closing: watch::Receiver<Closing> },
    /// Answer when every later choice uses the newest table.
    Sync(oneshot::Sender<()>),
    /// End when all connections are gone, or after so long.
    Quit(Duration),
}

/// One thread's state.
pub struct Worker {
    pub index: usize,
    pub shared: Arc<Shared>,
    pub pool: Pool,
    /// Where what comes in is read to.
    pub scratch: Scratch,
    table: RefCell<Cached>,
    pickers: RefCell<HashMap<String, Picker>>,
    tasks: Cell<usize>,
    idle: Notify,
}

impl Worker {
    /// The newest table.
    pub fn table(&self) -> Arc<Table> {
        self.table.borrow_mut().get(&self.shared.table).clone()
    }

    /// Looks at a listener's route in the newest table.
    pub fn route<T>(&self, slot: u64, look: impl FnOnce(Option<&Route>) -> T) -> T {
        look(self.table.borrow_mut().get(&self.shared.table).routes.get(&slot))
    }

    /// The next member of a balancer, for a client that is told apart by `key`.
    pub fn pick(&self, backend: &Backend, tried: &[usize], key: Option<Key>) -> Option<usize> {
        let mut pickers = self.pickers.borrow_mut();
        if let Some(picker) = pickers.get_mut(&backend.id) {
            return picker.pick(backend, tried, self.index, key);
        }
        pickers.entry(backend.id.clone()).or_default().pick(backend, tried, self.index, key)
    }

    fn sweep(&self) {
        let table = self.table();
        let mut wanted = std::collections::HashSet::new();
        for route in table.routes.values() {
            wanted.extend(route.backend.targets.iter().filter(|t| t.fitness() > 0).map(|t| t.address));
        }
        self.pool.sweep(self.shared.limits.upstream_idle, |address| wanted.contains(address));
        self.pickers.borrow_mut().retain(|id, _| table.routes.values().any(|r| r.backend.id == *id));
    }
}

/// Runs a worker on this thread until it is told to quit.
pub fn run(index: usize, shared: Arc<Shared>, orders: mpsc::UnboundedReceiver<Order>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let table = RefCell::new(Cached::new(&shared.table));
    let worker = Rc::new(Worker {
        index,
        shared,
        pool: Pool::default(),
        scratch: Scratch::default(),
        table,
        pickers: RefCell::default(),
        tasks: Cell::new(0),
        idle: Notify::new(),
    });
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, obey(worker, orders));
    Ok(())
}

async fn obey(worker: Rc<Worker>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut beat = tokio::time::interval(Duration::from_millis(500));
    let patience = loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Listen { slot, socket: Listening::Tcp(listener), closing }) => {
                    tokio::task::spawn_local(accept(worker.clone(), slot, listener, closing));
                }
                Some(Order::Listen { slot, socket: Listening::Udp(socket), closing }) => {
                    tokio::task::spawn_local(udp::serve(worker.clone(), slot, socket, closing));
                }
                Some(Order::Sync(done)) => {
                    worker.sweep();
                    let _ = done.send(());
                }
                Some(Order::Quit(patience)) => break patience,
                None => break Duration::ZERO,
            },
            _ = beat.tick() => worker.sweep(),
        }
    };
    let _ = tokio::time::timeout(patience, async {
        while worker.tasks.get() > 0 {
            worker.idle.notified().await;
        }
    })
    .await;
}

/// Takes connections until the listener closes.
async fn accept(worker: Rc<Worker>, slot: u64, listener: std::net::TcpListener, mut closing: watch::Receiver<Closing>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            _ = closing.wait_for(|c| *c != Closing::No) => return,
        };
        match accepted {
            Ok((stream, peer)) if worker.shared.clients.load(Relaxed) < worker.shared.limits.clients => {
                let guard = Guard::new(&worker);
                let (worker, closing) = (worker.clone(), closing.clone());
                tokio::task::spawn_local(async move {
                    serve(worker, slot, peer, stream, closing).await;
                    drop(guard);
                });
            }
            // Too many: the newcomer is turned away, those who are in are served.
            Ok(_) => {}
            // The client is gone again, or the machine has no descriptors left: neither ends the listener.
            Err(error)
                if error.raw_os_error().is_some_and(|e| {
                    e == rustix::io::Errno::MFILE.raw_os_error() || e == rustix::io::Errno::NFILE.raw_os_error()
                }) =>
            {
                tracing::warn!("out of file descriptors; new connections wait");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn serve(
    worker: Rc<Worker>,
    slot: u64,
    peer: SocketAddr,
    mut stream: TcpStream,
    closing: watch::Receiver<Closing>,
) {
    pool::prepare(&stream);
    let Some(route) = worker.table().routes.get(&slot).cloned() else { return };
    let Ok(listener) = stream.local_addr() else { return };
    if !route.proxy_protocol {
        return secure(worker, slot, route, Ends { client: peer, listener }, stream, closing).await;
    }
    // Boxed, as everything is that few connections need: an idle plain one shall be small.
    Box::pin(async move {
        let counts = route.backend.counts.clone();
        let trusted = route.backend.trusted_proxies.iter().any(|network| network.contains(peer.ip()));
        let read = async { if trusted { proxy_protocol::read(&mut stream).await.ok() } else { None } };
        match tokio::time::timeout(HANDSHAKE, read).await {
            Ok(Some((client, rest))) => {
                let ends = Ends { client: client.unwrap_or(peer), listener };
                secure(worker, slot, route, ends, Rewind::new(rest, stream), closing).await;
            }
            _ => bump(&counts.refused_requests),
        }
    })
    .await
}

/// The two ends of a client's connection.
#[derive(Clone, Copy)]
pub struct Ends {
    pub client: SocketAddr,
    pub listener: SocketAddr,
}

/// Lets in whom the firewall lets in, and speaks TLS where the listener does.
async fn secure<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    worker: Rc<Worker>,
    slot: u64,
    route: Route,
    ends: Ends,
    stream: S,
    closing: watch::Receiver<Closing>,
) {
    if !route.allows(ends.client.ip()) {
        bump(&route.backend.counts.turned_away);
        return;
    }
    let Some(tls) = route.tls.clone() else {
        return speak(worker, slot, route, ends, false, stream, closing).await;
    };
    let shaken = Box::pin(tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(tls).accept(stream))).await;
    match shaken {
        Ok(Ok(stream)) => Box::pin(speak(worker, slot, route, ends, true, stream, closing)).await,
        // Not TLS, no certificate that both like, or too slow: there is nobody to tell.
        _ => bump(&route.backend.counts.refused_requests),
    }
}

/// Speaks the listener's protocol.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    worker: Rc<Worker>,
    slot: u64,
    route: Route,
    ends: Ends,
    secure: bool,
    mut stream: S,
    closing: watch::Receiver<Closing>,
) {
    let client = Client::new(ends.client, secure);
    match route.protocol {
        Protocol::Http => http::serve(worker, slot, client, stream, Vec::new(), closing).await,
        Protocol::Tcp => Box::pin(tcp::serve(worker, route.backend, ends, stream)).await,
        // Has no connections.
        Protocol::Udp => {}
        Protocol::Auto => {
            let limits = &worker.shared.limits;
            let Ok((http, front)) = sniff(&mut stream, limits.head_bytes, limits.sniff_time).await else { return };
            // Choose anew: the wanted state may have changed while the client was silent.
            let Some(route) = worker.table().routes.get(&slot).cloned() else { return };
            if http {
                http::serve(worker, slot, client, stream, front.into(), closing).await
            } else {
                Box::pin(tcp::serve(worker, route.backend, ends, Rewind::new(front, stream))).await
            }
        }
    }
}

/// Counts a connection while it lives: a worker that ends waits for it.
pub struct Guard(Rc<Worker>);

impl Guard {
    /// One more.
    pub fn new(worker: &Rc<Worker>) -> Self {
        worker.shared.clients.fetch_add(1, Relaxed);
        worker.tasks.set(worker.tasks.get() + 1);
        Self(worker.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.shared.clients.fetch_sub(1, Relaxed);
        self.0.tasks.set(self.0.tasks.get() - 1);
        if self.0.tasks.get() == 0 {
            self.0.idle.notify_one();
        }
    }
}
