//! Images that nobody bakes: a whole root file system as a tar archive (of `mmdebstrap`, `debootstrap`, `docker export`), packed or not.
//!
//! Its instances see that root and nothing of this machine's `/usr`. Owners and special bits of its files do not cross, devices are left
//! out: instances get their own.

use std::fs::File;
use std::path::{Path, PathBuf};

use debian::tar::{self, Specials, TarError};
use serde::{Deserialize, Serialize};

use crate::BakeError;
use crate::builder::{Built, Work};
use crate::builtin::read_unit;
use crate::image::ImageConfig;
use crate::recipe::{Recipe, Request, sum};
use crate::unit::Unit;

/// The base of images that bring everything.
pub const ROOT_FS: &str = "rootfs";
/// Where a root keeps its units.
const UNIT_FOLDERS: [&str; 3] = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
/// How many files of a root are unpacked between two looks at whether anybody still waits.
const LOOK: u64 = 256;

/// What its instances run: `command`, or what a `unit` inside says; the other fields rule over the unit's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Run {
    /// `NAME` or `NAME.service` of a systemd unit in the root.
    #[serde(default)]
    pub unit: Option<String>,
    /// Command, environment, port, folder, user.
    #[serde(default)]
    pub config: ImageConfig,
}

/// A root file system that becomes an image.
#[derive(Debug, Clone)]
pub struct Import {
    /// The archive.
    pub file: PathBuf,
    /// The image's name. Of two that have it, the newer one is meant.
    pub name: String,
    /// What its instances run.
    pub run: Run,
}

impl Import {
    /// The recipe: the archive's bytes, what is run, and the name, which people look for. Reads the whole archive.
    pub(crate) fn recipe(&self) -> Result<Recipe, BakeError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let good = self.name.starts_with(|c: char| c.is_ascii_alphanumeric()) && self.name.chars().all(plain);
        if !good || self.name.len() > 200 {
            return Err(BakeError::ImageName(self.name.clone()));
        }
        if self.run.config.command.is_empty() == self.run.unit.is_none() {
            return Err(BakeError::NoRun);
        }
        let run = serde_json::to_string(&self.run).map_err(|error| BakeError::Died(error.to_string()))?;
        Ok(Recipe {
            request: Request {
                base: ROOT_FS.into(),
                builder: "import".into(),
                options: [("name".to_owned(), self.name.clone()), ("run".to_owned(), run)].into(),
                image_name: Some(self.name.clone()),
                ..Request::of(Vec::new())
            },
            base_digest: format!("sha256:{}", sum(&self.file)?),
            packages: Vec::new(),
            from_base: Vec::new(),
        })
    }

    /// Unpacks the root into `layer` and finds out what it runs.
    pub(crate) fn fill(&self, layer: &Path, work: &Work) -> Result<Built, BakeError> {
        let wrong = |why: String| BakeError::Unpack { file: self.file.clone(), why };
        work.say("unpacking the root file system");
        let archive = File::open(&self.file).map_err(BakeError::io("cannot open", &self.file))?;
        let (mut entries, mut packed) = (0u64, false);
        let each = |entry: &tar::Entry| {
            entries += 1;
            packed |= matches!(entry.path.as_str(), "oci-layout" | "manifest.json");
            match entries.is_multiple_of(LOOK) && work.go_on().is_err() {
                true => Err(TarError::Read(std::io::Error::other("nobody waits for it any more"))),
                false => Ok(()),
            }
        };
        let unpacked = tar::unpack(archive, layer, Specials::LeftOut, each);
        work.go_on()?;
        let unpacked = unpacked.map_err(|error| wrong(error.to_string()))?;
        if !["usr", "bin"].iter().any(|name| layer.join(name).is_dir()) {
            let hint = if packed {
                "it is an archive of images; make a root of one: docker create IMAGE, then docker export CONTAINER"
            } else {
                "pack the root itself: tar -C ROOT -cf FILE ."
            };
            return Err(wrong(format!("no root file system: neither usr nor bin stands in it; {hint}")));
        }
        work.say(&format!("{} files, {} bytes", unpacked.files, unpacked.bytes));
        let config = self.config(layer)?;
        let mut notes = vec!["a root file system that was imported; no maintainer script ran here".to_owned()];
        if !unpacked.stripped.is_empty() {
            notes.push(format!("set-user-id and its kin were taken away from {} files", unpacked.stripped.len()));
        }
        Ok(Built { config, notes })
    }

    fn config(&self, layer: &Path) -> Result<ImageConfig, BakeError> {
        let given = &self.run.config;
        let Some(name) = &self.run.unit else { return Ok(given.clone()) };
        let unit = find_unit(name, layer)?;
        let mut env = unit.env;
        env.extend(given.env.clone());
        Ok(ImageConfig {
            command: unit.command,
            port: given.port.or_else(|| env.get("PORT")?.parse().ok()),
            env,
            directory: given.directory.clone().or(unit.directory),
            user: given.user.clone().or(unit.user),
        })
    }
}

fn find_unit(name: &str, layer: &Path) -> Result<Unit, BakeError> {
    let file = if name.ends_with(".service") { name.to_owned() } else { format!("{name}.service") };
    let wrong = |why: &str| BakeError::Unit { unit: file.clone(), why: why.to_owned() };
    if file.contains('/') {
        return Err(wrong("a unit's name has no slash"));
    }
    let unit = UNIT_FOLDERS.iter().find_map(|folder| read_unit(layer, &Path::new(folder).join(&file)).ok());
    let unit = unit.ok_or_else(|| wrong("the root holds no such unit"))?;
    if unit.command.is_empty() { Err(wrong("it has no ExecStart")) } else { Ok(unit) }
}
