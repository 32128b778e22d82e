//! The trait that makes images, and the list of those who implement it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::image::ImageConfig;
use crate::recipe::{Recipe, Request};
use crate::source::PackageSource;
use crate::{BakeError, BuiltIn, Host, Report};

/// Makes images of one kind.
pub trait Builder: Send + Sync {
    /// Its name in requests and options.
    fn kind(&self) -> &'static str;

    /// Base images that it knows, each with a sentence.
    fn bases(&self) -> Vec<(String, String)>;

    /// Finds out exactly what would go into the image, without making anything.
    fn resolve(&self, request: &Request, source: &dyn PackageSource) -> Result<Recipe, BakeError>;

    /// Looks at a package file: what an image of it would be. It is unpacked into `scratch`, an empty folder. Blocks.
    fn check(&self, file: &Path, scratch: &Path) -> Result<Report, BakeError>;

    /// Puts the layer's files into `layer`, an empty folder. Blocks; stops soon after `stop` is set.
    fn build(&self, recipe: &Recipe, layer: &Path, work: &Work) -> Result<Built, BakeError>;
}

/// What a builder is told and tells while it works.
pub struct Work<'a> {
    /// Takes lines for people.
    pub log: &'a dyn Fn(&str),
    /// Set when somebody wants it to stop.
    pub stop: &'a AtomicBool,
}

impl Work<'_> {
    /// One line for people.
    pub fn say(&self, line: &str) {
        (self.log)(line);
    }

    /// Whether to go on.
    pub fn go_on(&self) -> Result<(), BakeError> {
        if self.stop.load(Ordering::Relaxed) { Err(BakeError::Cancelled) } else { Ok(()) }
    }
}

/// What a builder made beside the layer's files.
#[derive(Debug, Clone, Default)]
pub struct Built {
    /// What an instance runs.
    pub config: ImageConfig,
    /// What people should know about this image.
    pub notes: Vec<String>,
}

/// Every builder there is.
pub fn builders(host: Host) -> Vec<Arc<dyn Builder>> {
    vec![Arc::new(BuiltIn::new(host))]
}
