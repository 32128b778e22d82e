//! The language through its public interface.

mod hostile;
mod language;
mod surroundings;
