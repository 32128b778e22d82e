//! The API over real sockets.
mod files;
mod guard;
mod live;
mod server;
