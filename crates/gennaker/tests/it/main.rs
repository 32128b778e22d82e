//! Stories told with the real binary.

mod server;
mod server_story;
