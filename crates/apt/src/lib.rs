//! APT repositories: local repositories, snapshots, publishing.
#![forbid(unsafe_code)]
