//! Builds the sample service's packages from `examples/helloterry`.

use std::path::Path;

use anyhow::Context;
use debian::deb::Builder;

use super::place::Place;
use super::progress::Said;

const SERVER: &str = include_str!("../../../../../examples/helloterry/server.js");
const UNIT: &str = include_str!("../../../../../examples/helloterry/helloterry.service");
const CONTROL: &str = include_str!("../../../../../examples/helloterry/control");
const VERSIONS: [(&str, &str); 3] = [
    ("1.0", include_str!("../../../../../examples/helloterry/versions/1.0.json")),
    ("2.0", include_str!("../../../../../examples/helloterry/versions/2.0.json")),
    ("3.0", include_str!("../../../../../examples/helloterry/versions/3.0.json")),
];

/// Builds all of them into `packages/`.
pub async fn build(place: &Place) -> anyhow::Result<Said<()>> {
    Ok(Said((), write_to(&place.at("packages"))?.join(", ")))
}

/// Builds all of them into a folder; gives the names of the files.
pub fn write_to(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut built = Vec::new();
    for (version, answer) in VERSIONS {
        let package = Builder::new(&CONTROL.replace("@VERSION@", version))?
            .file("usr/lib/helloterry/server.js", 0o644, SERVER)?
            .file("usr/lib/helloterry/answer.json", 0o644, answer)?
            .file("lib/systemd/system/helloterry.service", 0o644, UNIT)?;
        let name = package.file_name();
        let path = folder.join(&name);
        std::fs::write(&path, package.build()?).with_context(|| format!("cannot write {}", path.display()))?;
        built.push(name);
    }
    Ok(built)
}
