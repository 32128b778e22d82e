//! What an image of one package file would be, without making one: its unit, what an instance runs, what is left out and what is missing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use debian::relation;
use serde::Serialize;

use crate::BakeError;
use crate::builtin;
use crate::host::Host;
use crate::source::Candidate;

/// What was found in a package, and what will be done with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// `all`, `amd64` …
    pub architecture: String,
    /// How many files and links it unpacks to.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The units that it ships, below `/`; templates are no units.
    pub units: Vec<String>,
    /// The one that an instance runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Program and arguments of an instance.
    pub command: Vec<String>,
    /// As whom; without one an unprivileged number of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The port that it listens on when nothing else is said; an instance is given one of its own as `PORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Maintainer scripts: they do not run.
    pub scripts: Vec<String>,
    /// Files whose set-user-id bit and its kin are taken away.
    pub stripped: Vec<String>,
    /// Dependencies that this machine satisfies, and how.
    pub from_base: Vec<String>,
    /// Dependencies that must come from the repository.
    pub from_repository: Vec<String>,
    /// Why no image can be made of it, or no instance will run.
    pub problems: Vec<String>,
}

/// Looks at a package file. It is unpacked into `scratch`, an empty folder of the caller's.
pub fn check(file: &Path, host: &Host, scratch: &Path) -> Result<Report, BakeError> {
    let package = candidate(file)?;
    let mut report = Report {
        package: package.name.clone(),
        version: package.version.clone(),
        architecture: package.architecture.clone(),
        ..Report::default()
    };
    if package.architecture != "all" && package.architecture != host.architecture() {
        report.problems.push(format!(
            "it is built for {}, and this machine is {}",
            package.architecture,
            host.architecture()
        ));
    }
    builtin::merge_usr(scratch)?;
    let unpacked = match builtin::unpack_file(&package, scratch) {
        Ok(unpacked) => unpacked,
        Err(error @ BakeError::Forbidden { .. }) => {
            report.problems.push(error.to_string());
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    (report.files, report.bytes, report.stripped) = (unpacked.files, unpacked.bytes, unpacked.stripped);
    if let Err(error) = builtin::check_layer(&package, scratch) {
        report.problems.push(error.to_string());
    }
    report.scripts = builtin::scripts_of(&package)?.into_iter().map(str::to_owned).collect();
    add_unit(&mut report, &package, scratch)?;
    add_dependencies(&mut report, &package, host)?;
    Ok(report)
}

/// The file as a repository would name it.
fn candidate(file: &Path) -> Result<Candidate, BakeError> {
    let opened = File::open(file).map_err(BakeError::io("cannot open", file))?;
    let wrong = |why: String| BakeError::Unpack { file: file.to_owned(), why };
    let deb = debian::deb::read(BufReader::new(opened)).map_err(|error| wrong(error.to_string()))?;
    let field = |name: &str| deb.control.get(name).trim().to_owned();
    let name = field("Package");
    if name.is_empty() {
        return Err(wrong("its control file names no Package".into()));
    }
    let depends = [field("Pre-Depends"), field("Depends")];
    Ok(Candidate {
        name,
        version: field("Version"),
        architecture: field("Architecture"),
        sha256: deb.sums.sha256.clone(),
        depends: depends.into_iter().filter(|list| !list.is_empty()).collect::<Vec<_>>().join(", "),
        provides: field("Provides"),
        file: file.to_owned(),
    })
}

fn add_unit(report: &mut Report, package: &Candidate, layer: &Path) -> Result<(), BakeError> {
    let units = builtin::main_units(package, layer)?;
    report.units = units.iter().map(|unit| format!("/{}", unit.display())).collect();
    let read = builtin::choose_unit(package, &units).and_then(|chosen| {
        let unit = builtin::read_unit(layer, &chosen)?;
        Ok((chosen, unit))
    });
    let (chosen, unit) = match read {
        Ok(found) => found,
        Err(error) => {
            report.problems.push(error.to_string());
            return Ok(());
        }
    };
    report.unit = Some(format!("/{}", chosen.display()));
    match unit.env.get("PORT").map(|port| (port, port.parse())) {
        Some((_, Ok(port))) => report.port = Some(port),
        Some((port, Err(_))) => report.problems.push(format!("Environment=PORT={port} is no port")),
        None => {}
    }
    match unit.command.first() {
        None => report.problems.push("its unit has no ExecStart".into()),
        Some(program) => {
            let inside = layer.join(program.trim_start_matches('/'));
            if program.starts_with('/') && !inside.exists() && !Path::new(program).exists() {
                report
                    .problems
                    .push(format!("ExecStart names {program}, which is neither in the package nor on this machine"));
            }
        }
    }
    (report.command, report.env, report.user, report.directory) = (unit.command, unit.env, unit.user, unit.directory);
    Ok(())
}

fn add_dependencies(report: &mut Report, package: &Candidate, host: &Host) -> Result<(), BakeError> {
    for part in relation::list(&package.depends) {
        let alternatives = relation::alternatives(part)
            .map_err(|error| BakeError::Relation { package: package.label(), why: error.to_string() })?;
        match alternatives.iter().find_map(|one| host.satisfies(one)) {
            Some(how) => report.from_base.push(how),
            None => report.from_repository.push(part.trim().to_owned()),
        }
    }
    Ok(())
}
