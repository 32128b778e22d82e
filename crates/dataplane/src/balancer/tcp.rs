//! TCP listeners: a connection is given to one member and stays there, byte for byte.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::meter::bump;
use super::open::Open;
use super::proxy_protocol::Transport;
use super::table::Backend;
use super::worker::{Ends, Worker};
use super::{pool, proxy_protocol};

/// How many members are tried when connections are refused.
const TRIES: usize = 3;

/// Moves bytes between a client and a member until one of them ends, or the member is taken out.
pub async fn serve(
    worker: Rc<Worker>,
    backend: Arc<Backend>,
    ends: Ends,
    mut client: impl AsyncRead + AsyncWrite + Unpin,
) {
    let Some((mut stream, open)) = connect(&worker, &backend).await else { return };
    if let Some(version) = backend.send_proxy {
        let head = proxy_protocol::head(version, Transport::Stream, ends.client, ends.listener);
        if stream.write_all(&head).await.is_err() {
            return open.each(|s| bump(&s.reset));
        }
    }
    let mut cut = open.member.cut.subscribe();
    let copied = tokio::select! {
        copied = tokio::io::copy_bidirectional(&mut client, &mut stream) => copied.map(drop),
        _ = cut.wait_for(|cut| *cut) => Err(std::io::ErrorKind::ConnectionAborted.into()),
    };
    // Which side broke off cannot be told here; a reset is normal for many protocols.
    if copied.is_err() {
        open.each(|s| bump(&s.reset));
    }
}

async fn connect(worker: &Rc<Worker>, backend: &Arc<Backend>) -> Option<(TcpStream, Open)> {
    let mut tried = Vec::new();
    while tried.len() < TRIES {
        let Some(chosen) = worker.pick(backend, &tried, None) else { break };
        let target = &backend.targets[chosen];
        let since = Instant::now();
        let open = Open::new(worker, &target.member, &target.group);
        match pool::connect(target.address, worker.shared.limits.connect_time).await {
            Ok(stream) => {
                open.each(|s| s.answered(since.elapsed()));
                target.member.answered();
                return Some((stream, open));
            }
            Err(_) => {
                open.each(|s| bump(&s.refused));
                target.member.failed(target.ejection);
            }
        }
        tried.push(chosen);
    }
    bump(&backend.counts.no_member);
    None
}
