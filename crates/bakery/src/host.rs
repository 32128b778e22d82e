//! What this machine has already: its installed packages and the programs on its path. The base image `host` is its `/usr`.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use debian::relation::{self, Dependency};
use debian::sums::hex;
use sha2::{Digest, Sha256};

use crate::BakeError;

/// Programs by which a package is recognised that was not installed as a package (a Node from nodejs.org, a JDK below `/opt`).
const PROGRAMS: [(&str, &str); 8] = [
    ("nodejs", "node"),
    ("default-jre", "java"),
    ("default-jre-headless", "java"),
    ("java-runtime-headless", "java"),
    ("golang-go", "go"),
    ("python3-minimal", "python3"),
    ("postgresql-client", "psql"),
    ("ca-certificates", "update-ca-certificates"),
];

/// This machine, as dependencies see it.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Installed packages by name, and what they provide, with versions.
    installed: HashMap<String, Vec<Option<String>>>,
    /// Folders of its path.
    path: Vec<PathBuf>,
    /// Identity of the base image.
    digest: String,
    /// Its architecture, as Debian names it.
    architecture: String,
}

impl Host {
    /// Reads `var/lib/dpkg/status` and the release file below `root`; `path` is the server's `PATH`. A machine without dpkg has no
    /// installed packages.
    pub fn read(root: &Path, path: &str) -> Result<Host, BakeError> {
        let status = root.join("var/lib/dpkg/status");
        let text = match std::fs::read(&status) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(BakeError::io("cannot read", &status)(error)),
        };
        let release = ["etc/os-release", "usr/lib/os-release"]
            .iter()
            .find_map(|file| std::fs::read_to_string(root.join(file)).ok())
            .unwrap_or_default();
        let architecture = architecture().to_owned();
        Ok(Host {
            installed: installed(&text),
            path: path.split(':').filter(|f| f.starts_with('/')).map(PathBuf::from).collect(),
            digest: digest(&release, &architecture),
            architecture,
        })
    }

    /// Identity of the base image `host`: which release of which distribution for which architecture.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Its architecture, as Debian names it.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// What on this machine satisfies a dependency, for people.
    pub fn satisfies(&self, wanted: &Dependency) -> Option<String> {
        if let Some(versions) = self.installed.get(&wanted.name) {
            let fits = |version: &Option<String>| match (&wanted.version, version) {
                (None, _) => true,
                (Some((relation, bound)), Some(version)) => relation.holds(version, bound),
                // A virtual package without a version satisfies no versioned dependency.
                (Some(_), None) => false,
            };
            if let Some(version) = versions.iter().find(|v| fits(v)) {
                let version = version.as_deref().unwrap_or("virtual");
                return Some(format!("{} {version} is installed", wanted.name));
            }
        }
        let program = PROGRAMS
            .iter()
            .find(|(package, _)| *package == wanted.name)
            .map_or(wanted.name.as_str(), |(_, program)| program);
        // Which version such a program has is not asked: nobody but the program could tell.
        self.program(program).map(|file| format!("{} for {}", file.display(), wanted.name))
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return None;
        }
        self.path
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0))
    }
}

fn installed(status: &str) -> HashMap<String, Vec<Option<String>>> {
    let mut found: HashMap<String, Vec<Option<String>>> = HashMap::new();
    let Ok(paragraphs) = debian::control::parse(status.as_bytes()) else {
        tracing::warn!("dpkg's status file cannot be read: no installed package is taken into account");
        return found;
    };
    for paragraph in &paragraphs {
        let get = |name: &str| paragraph.get(name).unwrap_or_default().trim();
        if !get("Status").ends_with(" ok installed") {
            continue;
        }
        found.entry(get("Package").to_owned()).or_default().push(Some(get("Version").to_owned()));
        for part in relation::list(get("Provides")) {
            if let Some((name, version)) = relation::provided(part) {
                found.entry(name).or_default().push(version);
            }
        }
    }
    found
}

fn digest(release: &str, architecture: &str) -> String {
    let value = |key: &str| {
        let line = release.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let text = format!("host\n{}\n{}\n{architecture}\n", value("ID"), value("VERSION_ID"));
    format!("sha256:{}", hex(&Sha256::digest(text)))
}

/// The architecture of this machine, as Debian names it.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "i386",
        "arm" => "armhf",
        "powerpc64" => "ppc64el",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> (tempfile::TempDir, Host) {
        let root = tempfile::tempdir().unwrap();
        let at = |p: &str| root.path().join(p);
        std::fs::create_dir_all(at("var/lib/dpkg")).unwrap();
        std::fs::create_dir_all(at("opt/node/bin")).unwrap();
        std::fs::create_dir_all(at("etc")).unwrap();
        std::fs::write(
            at("var/lib/dpkg/status"),
            "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n\n\
             Package: old\nStatus: deinstall ok config-files\nVersion: 1\n\n\
             Package: mawk\nStatus: install ok installed\nVersion: 1.3\nProvides: awk, awk-api (= 2)\n",
        )
        .unwrap();
        std::fs::write(at("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
        std::fs::write(at("opt/node/bin/node"), "").unwrap();
        std::fs::set_permissions(at("opt/node/bin/node"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let host = Host::read(root.path(), at("opt/node/bin").to_str().unwrap()).unwrap();
        (root, host)
    }

    #[test]
    fn installed_packages_virtual_ones_and_programs_satisfy() {
        let (_root, host) = machine();
        let check = |text: &str| host.satisfies(&relation::dependency(text).unwrap()).is_some();
        assert!(check("libc6 (>= 2.30)"));
        assert!(!check("libc6 (>= 3)"));
        assert!(check("awk"));
        assert!(check("awk-api (>= 1)"));
        assert!(!check("awk (>= 1)"), "a virtual package without a version");
        assert!(!check("old"), "only its configuration is left");
        assert!(check("nodejs (>= 18)"), "a Node on the path that no package brought");
        assert!(!check("java-runtime-headless"));
    }
}
