//! Stories told with the real binary.

mod dataplane_story;
mod expressions;
mod server;
mod server_story;
