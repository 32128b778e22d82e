//! Debian's formats from outside: packages built and read back, hostile input, dpkg as the judge.

mod corpus;
mod dpkg;
mod hostile;
mod packages;
mod properties;
