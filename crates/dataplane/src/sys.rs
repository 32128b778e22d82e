//! The only module with `unsafe`: what the kernel offers and no safe interface has.
#![allow(unsafe_code)]

use std::io;

use rustix::thread::UnshareFlags;

/// Leaves shared namespaces. Only for processes with one thread.
pub fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: the flags used here (namespaces) leave memory and descriptors shared as they are; the danger that rustix names is
    // `CLONE_FILES`, which is filtered out.
    unsafe { rustix::thread::unshare_unsafe(flags.difference(UnshareFlags::FILES)) }.map_err(io::Error::from)
}
