//! The API over real sockets.
mod guard;
mod live;
mod server;
