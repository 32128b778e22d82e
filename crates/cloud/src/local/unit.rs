//! Reads from a systemd unit what an instance needs: command, user, working directory, environment.
//!
//! Only `[Service]` of a plain service is understood; what systemd itself would do around it (ordering, sockets, sandboxing) is not done
//! here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a unit says about running its program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Program and arguments of `ExecStart`.
    pub command: Vec<String>,
    /// `User=`.
    pub user: Option<String>,
    /// `WorkingDirectory=`.
    pub directory: Option<PathBuf>,
    /// `Environment=`, and the lines of readable `EnvironmentFile=`s.
    pub env: BTreeMap<String, String>,
    /// `EnvironmentFile=`s, a leading `-` removed.
    pub env_files: Vec<PathBuf>,
}

/// Why a folder says no command.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// No unit at all.
    #[error("{} holds no systemd unit (looked in {}); an instance runs the ExecStart of its package's unit", root.display(), PLACES.join(", "))]
    None {
        /// The folder.
        root: PathBuf,
    },
    /// More than one that could be meant.
    #[error("{} holds several systemd units: {}; leave one", root.display(), names.join(", "))]
    Several {
        /// The folder.
        root: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// A unit without a command.
    #[error("{}: {why}", file.display())]
    Bad {
        /// The unit.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The disk said no.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// What was read.
        file: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

const PLACES: [&str; 3] = ["usr/lib/systemd/system", "lib/systemd/system", "etc/systemd/system"];

/// A unit's text is small; what is larger is none.
const LARGEST: u64 = 1 << 20;

/// Finds the one service unit below `root` and reads it.
pub fn find(root: &Path) -> Result<Unit, UnitError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for place in PLACES {
        // A folder that is a link out of the root (a merged /lib) is not followed.
        let Ok(entries) = std::fs::read_dir(root.join(place)) else {
            continue;
        };
        let services = entries.flatten().map(|entry| entry.path()).filter(|path| {
            path.extension().is_some_and(|e| e == "service")
                && !path.file_stem().is_some_and(|s| s.to_string_lossy().ends_with('@'))
                && std::fs::symlink_metadata(path).is_ok_and(|m| m.is_file())
        });
        found.extend(services);
    }
    found.sort();
    found.dedup_by(|a, b| a.file_name() == b.file_name());
    match found.as_slice() {
        [] => Err(UnitError::None { root: root.into() }),
        [file] => {
            let mut unit = read(file)?;
            for wanted in std::mem::take(&mut unit.env_files) {
                if let Some(text) = inside(root, &wanted).and_then(|file| std::fs::read_to_string(file).ok()) {
                    let lines = text.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';']));
                    unit.env.extend(lines.filter_map(|line| {
                        let (name, value) = line.split_once('=')?;
                        Some((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
                    }));
                }
            }
            Ok(unit)
        }
        several => {
            let names = several.iter().filter_map(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
            Err(UnitError::Several { root: root.into(), names: names.collect() })
        }
    }
}

/// A path of the unit below its own root; what climbs out or passes a link is not read.
fn inside(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut at = root.to_owned();
    for part in path.components() {
        match part {
            std::path::Component::RootDir | std::path::Component::CurDir => {}
            std::path::Component::Normal(name) => at.push(name),
            _ => return None,
        }
        if std::fs::symlink_metadata(&at).is_ok_and(|m| m.is_symlink()) {
            return None;
        }
    }
    Some(at)
}

fn read(file: &Path) -> Result<Unit, UnitError> {
    let failed = |source| UnitError::Read { file: file.into(), source };
    if std::fs::metadata(file).map_err(failed)?.len() > LARGEST {
        return Err(UnitError::Bad { file: file.into(), why: "is larger than 1 MiB".into() });
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    parse(&String::from_utf8_lossy(&bytes)).map_err(|why| UnitError::Bad { file: file.into(), why })
}

/// Reads the text of a unit.
pub fn parse(text: &str) -> Result<Unit, String> {
    let mut unit = Unit::default();
    let mut section = String::new();
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
            continue;
        }
        if section != "Service" || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            // An empty value clears what was set before; of several commands the first is the service.
            "ExecStart" if value.is_empty() => unit.command.clear(),
            "ExecStart" if unit.command.is_empty() => {
                unit.command = words(value.trim_start_matches(['-', '@', ':', '+', '!', '|']))?;
            }
            "User" => unit.user = Some(value.to_owned()).filter(|v| !v.is_empty()),
            "WorkingDirectory" => {
                unit.directory = Some(PathBuf::from(value.trim_start_matches('-'))).filter(|d| d.is_absolute());
            }
            "Environment" if value.is_empty() => unit.env.clear(),
            "Environment" => {
                let pairs = words(value)?;
                let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
                unit.env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            "EnvironmentFile" if !value.is_empty() => {
                unit.env_files.push(PathBuf::from(value.trim_start_matches('-')));
            }
            _ => {}
        }
    }
    if unit.command.is_empty() {
        return Err("has no ExecStart in [Service]".into());
    }
    Ok(unit)
}

/// Splits at blanks; quotes keep blanks, a backslash keeps the next character, `%%` is a per cent sign.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.get_or_insert_default().extend(chars.next()),
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && quote.is_none() => out.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(format!("a quote is never closed in `{text}`"));
    }
    out.extend(word);
    Ok(out.into_iter().map(|w| w.replace("%%", "%")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_says_command_user_directory_and_environment() {
        let unit = parse(
            "[Unit]\nDescription=Hello\nExecStart=/not/this\n\n[Service]\n# the server\nUser=hello\nEnvironment=\"GREETING=Good day\" MODE=prod\n\
             WorkingDirectory=/usr/share/hello\nExecStart=-/usr/bin/node \\\n  /usr/share/hello/server.js --name 'a b'\nExecStart=/second\n[Install]\nUser=x\n",
        )
        .unwrap();
        assert_eq!(unit.command, ["/usr/bin/node", "/usr/share/hello/server.js", "--name", "a b"]);
        assert_eq!(unit.user.as_deref(), Some("hello"));
        assert_eq!(unit.directory.as_deref(), Some(Path::new("/usr/share/hello")));
        assert_eq!(unit.env["GREETING"], "Good day");
        assert_eq!(unit.env["MODE"], "prod");
    }

    #[test]
    fn a_unit_without_a_command_says_so() {
        assert_eq!(parse("[Service]\nUser=x\n").unwrap_err(), "has no ExecStart in [Service]");
        assert!(parse("[Service]\nExecStart=/bin/sh 'open\n").unwrap_err().contains("never closed"));
    }

    #[test]
    fn a_folder_without_a_unit_or_with_two_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        let error = find(root.path()).unwrap_err().to_string();
        assert!(error.contains("holds no systemd unit"), "{error}");
        let place = root.path().join("lib/systemd/system");
        std::fs::create_dir_all(&place).unwrap();
        for name in ["a.service", "b.service"] {
            std::fs::write(place.join(name), "[Service]\nExecStart=/bin/true\n").unwrap();
        }
        let error = find(root.path()).unwrap_err().to_string();
        assert!(error.contains("a.service, b.service"), "{error}");
    }

    #[test]
    fn an_environment_file_outside_the_folder_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(inside(root.path(), Path::new("../../etc/shadow")), None);
        std::os::unix::fs::symlink("/etc", root.path().join("etc")).unwrap();
        assert_eq!(inside(root.path(), Path::new("/etc/shadow")), None);
    }
}
