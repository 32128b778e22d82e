//! Who checks the signatures of mirrors and uploads: this process, or `gpgv`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;

use crate::openpgp::Verifier;

/// Whose signatures are good, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keyrings {
    /// `gpgv`, with these keyrings; its own (`trustedkeys.gpg`) when there are none.
    Gpgv(Vec<String>),
    /// This process, with the public keys in these files, armored or not.
    Own(Vec<PathBuf>),
}

impl Default for Keyrings {
    fn default() -> Self {
        Keyrings::Gpgv(Vec::new())
    }
}

impl Keyrings {
    /// The keyrings of these names. `own` is GnuPG's folder when this process checks: a name is then a path, or a file in there;
    /// `trustedkeys.gpg` when none is given.
    pub fn named(own: Option<&Path>, mut names: Vec<String>) -> Keyrings {
        let Some(gnupg) = own else { return Keyrings::Gpgv(names) };
        if names.is_empty() {
            names.push("trustedkeys.gpg".into());
        }
        let path = |name: String| if name.contains('/') { PathBuf::from(name) } else { gnupg.join(name) };
        Keyrings::Own(names.into_iter().map(path).collect())
    }

    /// Checks a clear-signed text; gives the ids of the keys that made it, or why it is not good.
    pub(crate) fn clear(&self, bytes: &[u8], now: Timestamp) -> Result<Vec<String>, String> {
        match self {
            Keyrings::Gpgv(keyrings) => gpgv(keyrings, None, bytes),
            Keyrings::Own(files) => Verifier::open(files, now).map_err(|error| error.to_string())?.clear(bytes),
        }
    }

    /// The same of a text whose signature is a file of its own.
    pub(crate) fn detached(&self, text: &[u8], signature: &[u8], now: Timestamp) -> Result<Vec<String>, String> {
        match self {
            Keyrings::Gpgv(keyrings) => {
                let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
                file.write_all(signature).map_err(|error| error.to_string())?;
                gpgv(keyrings, Some(file.path()), text)
            }
            Keyrings::Own(files) => {
                Verifier::open(files, now).map_err(|error| error.to_string())?.detached(text, signature)
            }
        }
    }
}

/// Runs `gpgv` over a clear-signed text, or over a text with its signature in a file; gives the ids of the keys that made it, or why not.
fn gpgv(keyrings: &[String], signature: Option<&Path>, bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut command = Command::new("gpgv");
    command.args(["--status-fd", "1"]);
    for keyring in keyrings {
        // gpgv looks for a name without a slash in its own folder.
        command.args(["--keyring", keyring]);
    }
    // What was read is what is checked: the bytes go in, not the name.
    let mut child = command
        .args(signature)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("gpgv cannot be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(bytes);
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let status = String::from_utf8_lossy(&output.stdout).into_owned();
    let keys: Vec<String> = status
        .lines()
        .filter_map(|line| {
            line.strip_prefix("[GNUPG:] GOODSIG ").and_then(|rest| rest.split(' ').next()).map(str::to_owned)
        })
        .collect();
    if output.status.success() && !keys.is_empty() {
        return Ok(keys);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(why.lines().last().unwrap_or("no good signature").to_owned())
}
