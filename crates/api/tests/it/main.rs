//! The API over real sockets.
mod audit;
mod files;
mod guard;
mod hostile;
mod live;
mod server;
mod watched;
