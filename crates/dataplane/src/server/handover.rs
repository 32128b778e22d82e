//! Handing the listening sockets to a successor: it goes on with the same queues of waiting connections, so none is refused or reset.
//!
//! The successor asks `POST /handover`, connects to the socket that is named in the answer, and gets one message for each listener:
//! what it was wanted for as JSON, with the socket itself (`SCM_RIGHTS`). One that asks `POST /handover?lock=1` gets the folder's lock in the
//! same way, so that nobody can come in between; the old one closes the connection when it has stopped accepting, finishes what runs and ends.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use crate::balancer::Listening;
use crate::unix;

/// The socket's name in the data folder.
pub const SOCKET: &str = "handover.sock";
/// What the lock is called among the messages.
const LOCK: &[u8] = b"lock";
/// How long one side waits for the other: a disk that many write to at once can make either of them wait for many seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listening socket that changes its process.
#[derive(Debug)]
pub struct Handed {
    pub label: Label,
    pub socket: Listening,
}

/// What it was wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub balancer: String,
    pub address: SocketAddr,
    /// Whether it takes datagrams.
    #[serde(default)]
    pub udp: bool,
}

/// Listens for the successor. The folder is this user's alone.
pub fn listen(dir: &Path) -> io::Result<UnixListener> {
    let (path, _folder) = unix::short(dir, SOCKET)?;
    let _ = std::fs::remove_file(&path);
    UnixListener::bind(&path)
}

/// Gives everything to the successor that connects, also the lock when it takes one; returns when it has taken all. It waits until the
/// connection closes.
pub fn give(listener: &UnixListener, sockets: &[Handed], lock: Option<&File>) -> io::Result<UnixStream> {
    listener.set_nonblocking(true)?;
    let deadline = std::time::Instant::now() + PATIENCE;
    let stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && std::time::Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    };
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    for handed in sockets {
        send(&stream, &serde_json::to_vec(&handed.label)?, handed.socket.as_fd())?;
    }
    if let Some(lock) = lock {
        send(&stream, LOCK, lock.as_fd())?;
    }
    sendmsg(&stream, &[IoSlice::new(b"end")], &mut SendAncillaryBuffer::default(), SendFlags::empty())?;
    acknowledged(&stream)?;
    Ok(stream)
}

fn send(stream: &UnixStream, label: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(stream, &[IoSlice::new(label)], &mut control, SendFlags::empty())?;
    // One message at a time: a stream would join the labels.
    acknowledged(stream)
}

fn acknowledged(mut stream: &UnixStream) -> io::Result<()> {
    io::Read::read_exact(&mut stream, &mut [0])
}

/// What a predecessor gave.
pub struct Taken {
    pub sockets: Vec<Handed>,
    /// Not from one of an older version.
    pub lock: Option<File>,
    stream: UnixStream,
}

impl Taken {
    /// Returns when the predecessor has stopped accepting, or is gone, or has been silent for too long: it gave everything away, so
    /// somebody must serve.
    pub fn wait(&mut self, patience: Duration) {
        let _ = self.stream.set_read_timeout(Some(patience));
        loop {
            match io::Read::read(&mut self.stream, &mut [0]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return tracing::warn!("the predecessor does not end, so this one serves beside it: {error}");
                }
            }
        }
    }
}

/// Takes everything from the predecessor.
pub fn take(dir: &Path) -> io::Result<Taken> {
    let (path, _folder) = unix::short(dir, SOCKET)?;
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut sockets, mut lock) = (Vec::new(), None);
    loop {
        let mut text = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(&stream, &mut [IoSliceMut::new(&mut text)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let text = &text[..got.bytes];
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        io::Write::write_all(&mut &stream, b".")?;
        match descriptor {
            Some(descriptor) if text == LOCK => lock = Some(descriptor.into()),
            Some(descriptor) => {
                let label: Label = serde_json::from_slice(text)?;
                sockets.push(Handed { socket: Listening::of(descriptor, label.udp), label });
            }
            None if text == b"end" => return Ok(Taken { sockets, lock, stream }),
            None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the predecessor broke off")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn one_that_was_given_everything_serves_though_its_predecessor_does_not_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = File::create(folder.path().join("lock")).expect("a lock");
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let address = socket.local_addr().expect("an address");
        let listener = listen(folder.path()).expect("it listens");
        let label = Label { balancer: "web".into(), address, udp: false };
        let predecessor = std::thread::spawn(move || {
            let handed = Handed { label, socket: Listening::of(socket.into(), false) };
            give(&listener, &[handed], Some(&lock)).expect("given")
        });
        let mut taken = take(folder.path()).expect("taken");
        let stuck = predecessor.join().expect("it gives");
        taken.wait(Duration::from_millis(20));
        assert_eq!(taken.sockets[0].label.address, address);
        assert!(taken.lock.is_some());
        drop(stuck);
        taken.wait(Duration::from_secs(60));
    }
}
