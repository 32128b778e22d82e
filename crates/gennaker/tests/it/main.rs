//! Stories told with the real binary.

mod api;
mod apt_crash_story;
mod apt_story;
mod aptly_conformance;
mod client_story;
mod dataplane_story;
mod deck_story;
mod demo_story;
mod deploy_kill_story;
mod executions;
mod expressions;
mod full_disk_story;
mod image_story;
mod kill_story;
mod local_provider;
mod page_story;
mod pipeline_files;
mod pipelines_story;
mod postgres_story;
mod redblack_story;
mod server;
mod server_story;
mod soak_story;
mod spin_story;
mod strategies_story;
mod triggers_story;
