//! Where domains meet: published packages start pipelines, bakes take exactly what was published.

mod apt_trigger;
mod bakes;
mod deployments;
mod scripts;
mod world;
