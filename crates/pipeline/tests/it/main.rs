//! What pipelines do, told as stories: decisions alone, and long runs with crashes at every step.

mod corpus;
mod decisions;
mod hostile;
mod kept;
mod restarts;
mod simulation;
mod world;
