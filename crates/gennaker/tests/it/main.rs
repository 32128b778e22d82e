//! Stories told with the real binary.

mod dataplane_story;
mod executions;
mod expressions;
mod kill_story;
mod server;
mod server_story;
