//! The bakery on real packages: found again, baked anew, crash, attacks.

mod bake;
mod hostile;
mod import;
mod shelf;
