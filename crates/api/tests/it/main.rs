//! The API over real sockets.
mod files;
mod guard;
mod hostile;
mod live;
mod server;
mod watched;
