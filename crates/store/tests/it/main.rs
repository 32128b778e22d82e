//! The store against real databases, real processes and a really full disk.

mod blobs;
mod crash;
mod hostile;
mod objects;
mod postgres;
mod shared;
mod sqlite;
