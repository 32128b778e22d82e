//! Images from packages: what is wanted is resolved to exact package files (`resolve`), those give the recipe's key (`recipe`), a builder
//! makes the image's layer (`builtin`), `oci` writes it down, and the index (`index`) finds it again.
//!
//! A root file system that somebody else made becomes an image as it is (`import`).
//!
//! Where packages come from is a trait ([`PackageSource`]); this crate knows no repository, no pipeline and no cloud.
#![forbid(unsafe_code)]

mod bakery;
mod builder;
mod builtin;
mod check;
mod error;
mod host;
mod image;
mod import;
mod index;
mod keep;
mod oci;
mod recipe;
mod resolve;
mod source;
mod unit;

pub use bakery::{Baked, Bakery, Received};
pub use builder::{Builder, builders};
pub use builtin::BuiltIn;
pub use check::{Report, check};
pub use error::BakeError;
pub use host::{Host, architecture};
pub use image::{Image, ImageConfig};
pub use import::{Import, ROOT_FS, Run};
pub use index::MIGRATIONS;
pub use keep::{Spare, images_of, unpack_layer};
pub use recipe::{Recipe, Request, WantedPackage};
pub use source::{Candidate, PackageSource, SourceError};
pub use unit::Unit;
