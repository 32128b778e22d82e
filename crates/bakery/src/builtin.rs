//! The built-in builder: packages are unpacked into a layer over this machine's `/usr`. Maintainer scripts do not run.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::builder::{Builder, Built, Work};
use crate::host::Host;
use crate::image::ImageConfig;
use crate::recipe::{Recipe, Request, sum};
use crate::resolve;
use crate::source::{Candidate, PackageSource};
use crate::unit::Unit;
use crate::{BakeError, Report};

/// What a merged `/usr` has as links at the top.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];
/// Where units are, below the layer.
const UNIT_FOLDERS: [&str; 2] = ["usr/lib/systemd/system", "etc/systemd/system"];
/// A unit or environment file longer than this is none.
const LONGEST_UNIT: u64 = 256 * 1024;

/// Unpacks packages.
pub struct BuiltIn {
    host: Host,
}

impl BuiltIn {
    /// For this machine.
    pub fn new(host: Host) -> BuiltIn {
        BuiltIn { host }
    }
}

impl Builder for BuiltIn {
    fn check(&self, file: &Path, scratch: &Path) -> Result<Report, BakeError> {
        crate::check(file, &self.host, scratch)
    }

    fn kind(&self) -> &'static str {
        "built-in"
    }

    fn bases(&self) -> Vec<(String, String)> {
        vec![("host".into(), "This machine's /usr, read-only, with the packages over it".into())]
    }

    fn resolve(&self, request: &Request, source: &dyn PackageSource) -> Result<Recipe, BakeError> {
        if request.base != "host" {
            return Err(BakeError::Unknown { what: "base image", name: request.base.clone(), known: "host".into() });
        }
        let closure = resolve::closure(request, &self.host, source)?;
        Ok(Recipe {
            request: request.clone(),
            base_digest: self.host.digest().to_owned(),
            packages: closure.packages,
            from_base: closure.from_base,
        })
    }

    fn build(&self, recipe: &Recipe, layer: &Path, work: &Work) -> Result<Built, BakeError> {
        let main = recipe.packages.first().ok_or(BakeError::NoPackage)?;
        merge_usr(layer)?;
        let mut scripts = Vec::new();
        for package in &recipe.packages {
            work.go_on()?;
            work.say(&format!("unpacking {}", package.label()));
            unpack(package, layer, work, &mut scripts)?;
        }
        unmerge_usr(layer)?;
        check_layer(main, layer)?;
        for what in &recipe.from_base {
            work.say(&format!("from the base: {what}"));
        }
        let mut notes = vec!["maintainer scripts did not run".to_owned()];
        if !scripts.is_empty() {
            notes[0].push_str(&format!(" (of {})", scripts.join(", ")));
        }
        work.say(&notes[0]);
        let config = config(recipe, main, layer)?;
        work.say(&format!("an instance runs: {}", config.command.join(" ")));
        Ok(Built { config, notes })
    }
}

/// Makes `/lib` and its kin links into `usr`, as the base has them, so that packages built before the merge land where they are looked for.
pub(crate) fn merge_usr(layer: &Path) -> Result<(), BakeError> {
    for name in MERGED {
        let real = layer.join("usr").join(name);
        std::fs::create_dir_all(&real).map_err(BakeError::io("cannot make", &real))?;
        let link = layer.join(name);
        std::os::unix::fs::symlink(format!("usr/{name}"), &link).map_err(BakeError::io("cannot make", &link))?;
    }
    Ok(())
}

/// Takes the links away again, and folders that stayed empty: the base brings both.
pub(crate) fn unmerge_usr(layer: &Path) -> Result<(), BakeError> {
    for name in MERGED {
        let link = layer.join(name);
        if std::fs::symlink_metadata(&link).is_ok_and(|m| m.is_symlink()) {
            std::fs::remove_file(&link).map_err(BakeError::io("cannot remove", &link))?;
        }
        // Only an empty folder goes; anything else answers with an error that does not matter.
        let _ = std::fs::remove_dir(layer.join("usr").join(name));
    }
    Ok(())
}

fn unpack(package: &Candidate, layer: &Path, work: &Work, scripts: &mut Vec<String>) -> Result<(), BakeError> {
    check_sum(package)?;
    work.go_on()?;
    let done = unpack_file(package, layer)?;
    for path in &done.stripped {
        work.say(&format!("{path} of {}: set-user-id and its kin are taken away", package.name));
    }
    if !scripts_of(package)?.is_empty() {
        scripts.push(package.name.clone());
    }
    Ok(())
}

/// Unpacks a package that ships nothing that no image may hold.
pub(crate) fn unpack_file(package: &Candidate, layer: &Path) -> Result<debian::deb::Unpacked, BakeError> {
    let open = || File::open(&package.file).map(BufReader::new).map_err(BakeError::io("cannot open", &package.file));
    let wrong = |why: String| BakeError::Unpack { file: package.file.clone(), why };
    let paths = debian::deb::contents(open()?).map_err(|e| wrong(e.to_string()))?;
    if let Some(path) = paths.iter().find(|p| is_forbidden(p)) {
        return Err(BakeError::Forbidden { package: package.label(), path: path.clone() });
    }
    debian::deb::unpack(open()?, layer).map_err(|e| wrong(chain(&e)))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        text.push_str(&format!(": {cause}"));
        at = cause.source();
    }
    text
}

/// Names that hold a machine's secrets: no package ships them honestly, and no image may hold them.
fn is_forbidden(path: &str) -> bool {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(path, "etc/shadow" | "etc/gshadow" | "etc/passwd" | "etc/group" | "etc/sudoers")
        || path.starts_with("root/.ssh/")
        || (path.starts_with("etc/ssh/") && name.starts_with("ssh_host_") && name.ends_with("_key"))
        || path.starts_with("etc/ssl/private/") && !name.is_empty()
}

/// The bytes that go in are the bytes that the key names.
fn check_sum(package: &Candidate) -> Result<(), BakeError> {
    let found = sum(&package.file)?;
    if found.eq_ignore_ascii_case(&package.sha256) {
        return Ok(());
    }
    Err(BakeError::Changed { file: package.file.clone(), promised: package.sha256.clone(), found })
}

/// The scripts that a package's installation would run.
pub(crate) fn scripts_of(package: &Candidate) -> Result<Vec<&'static str>, BakeError> {
    let file = File::open(&package.file).map_err(BakeError::io("cannot open", &package.file))?;
    debian::deb::scripts(BufReader::new(file))
        .map_err(|e| BakeError::Unpack { file: package.file.clone(), why: e.to_string() })
}

/// What an instance runs: the option `command`, else the unit of the package that the image is named after.
fn config(recipe: &Recipe, main: &Candidate, layer: &Path) -> Result<ImageConfig, BakeError> {
    let unit = match recipe.request.options.get("command") {
        Some(command) => Unit {
            command: serde_json::from_str(command).map_err(|e| BakeError::Unit {
                unit: "option \"command\"".into(),
                why: format!("not a list of words: {e}"),
            })?,
            ..Unit::default()
        },
        None => find_unit(main, layer)?,
    };
    if unit.command.is_empty() {
        return Err(BakeError::NoCommand { package: main.label(), hint: "its command is empty".into() });
    }
    let port =
        match unit.env.get("PORT") {
            Some(port) => Some(port.parse().map_err(|_| BakeError::Unit {
                unit: main.label(),
                why: format!("Environment=PORT={port} is no port"),
            })?),
            None => None,
        };
    Ok(ImageConfig { command: unit.command, env: unit.env, port, directory: unit.directory, user: unit.user })
}

fn find_unit(main: &Candidate, layer: &Path) -> Result<Unit, BakeError> {
    let chosen = choose_unit(main, &main_units(main, layer)?)?;
    read_unit(layer, &chosen)
}

/// The one unit of a package that an instance runs: its only one, or the one with the package's name.
pub(crate) fn choose_unit(main: &Candidate, paths: &[PathBuf]) -> Result<PathBuf, BakeError> {
    let own = format!("{}.service", main.name);
    match paths {
        [one] => Ok(one.clone()),
        many => match many.iter().find(|p| p.ends_with(&own)) {
            Some(path) => Ok(path.clone()),
            None if many.is_empty() => Err(BakeError::NoCommand {
                package: main.label(),
                hint: format!("add lib/systemd/system/{own} to the package, or give the stage a \"command\""),
            }),
            None => {
                let names: Vec<_> = many.iter().map(|p| p.display().to_string()).collect();
                Err(BakeError::NoCommand {
                    package: main.label(),
                    hint: format!(
                        "it has several: {}; name one of them {own}, or give the stage a \"command\"",
                        names.join(", ")
                    ),
                })
            }
        },
    }
}

/// Reads a unit of the layer with its environment files.
pub(crate) fn read_unit(layer: &Path, chosen: &Path) -> Result<Unit, BakeError> {
    let shown = chosen.display().to_string();
    let wrong = |why: String| BakeError::Unit { unit: shown.clone(), why };
    let text = read_inside(layer, chosen)?.ok_or_else(|| wrong("it is no file of the image".into()))?;
    let mut unit = Unit::parse(&text).map_err(wrong)?;
    for (file, optional) in unit.env_files.clone() {
        let inside = Path::new(&file).strip_prefix("/").unwrap_or(Path::new(&file)).to_owned();
        match read_inside(layer, &inside)? {
            Some(text) => unit.add_env_file(&text),
            None if optional => {}
            None => return Err(wrong(format!("EnvironmentFile={file} is not in the image"))),
        }
    }
    Ok(unit)
}

/// Units (no templates) that the main package ships, as paths below the layer.
pub(crate) fn main_units(main: &Candidate, layer: &Path) -> Result<Vec<PathBuf>, BakeError> {
    let file = File::open(&main.file).map_err(BakeError::io("cannot open", &main.file))?;
    let paths = debian::deb::contents(BufReader::new(file))
        .map_err(|e| BakeError::Unpack { file: main.file.clone(), why: e.to_string() })?;
    let mut units: Vec<PathBuf> = paths
        .iter()
        .map(|p| p.trim_start_matches("./").trim_start_matches('/'))
        .map(|p| if p.starts_with("lib/") { format!("usr/{p}") } else { p.to_owned() })
        .filter(|p| {
            UNIT_FOLDERS.iter().any(|folder| {
                p.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).is_some_and(|name| {
                    name.ends_with(".service") && !name.contains('/') && !name.ends_with("@.service")
                })
            })
        })
        .map(PathBuf::from)
        .filter(|p| std::fs::symlink_metadata(layer.join(p)).is_ok_and(|m| m.is_file()))
        .collect();
    units.sort();
    units.dedup();
    Ok(units)
}

/// Reads a small file of the layer, never through a link that leads out of it; `None` when there is none.
fn read_inside(layer: &Path, path: &Path) -> Result<Option<String>, BakeError> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
    let folder = open(layer, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| BakeError::io("cannot open", layer)(e.into()))?;
    // NONBLOCK: a pipe must not hold us.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(fd) = openat2(&folder, path, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
    else {
        return Ok(None);
    };
    let file = File::from(fd);
    if !file.metadata().is_ok_and(|m| m.is_file() && m.len() <= LONGEST_UNIT) {
        return Ok(None);
    }
    let mut text = String::new();
    let read = file.take(LONGEST_UNIT).read_to_string(&mut text);
    read.map_err(BakeError::io("cannot read", path))?;
    Ok(Some(text))
}

/// Looks once more at what is there: links in a package can make a path mean another.
pub(crate) fn check_layer(main: &Candidate, layer: &Path) -> Result<(), BakeError> {
    for path in crate::oci::walk(layer)? {
        if let Some(text) = path.to_str().filter(|text| is_forbidden(text) && !layer.join(text).is_dir()) {
            return Err(BakeError::Forbidden { package: main.label(), path: text.to_owned() });
        }
    }
    Ok(())
}
