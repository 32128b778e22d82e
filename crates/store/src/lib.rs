//! Records, queue, change feed, blobs, ids and clock: everything that survives.
#![forbid(unsafe_code)]
