//! Where domains meet: published packages start pipelines, bakes take exactly what was published.

mod accounts;
mod answers;
mod apt_trigger;
mod bakes;
mod circles;
mod cloud_play;
mod cron_trigger;
mod deployments;
mod faults;
mod hostile;
mod jobs;
mod pipelines;
mod scripts;
mod strategies;
mod webhooks;
mod world;
