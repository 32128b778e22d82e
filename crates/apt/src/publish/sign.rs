//! Signing of Release by calling `gpg`: argument vectors, the text on standard input, nothing through a shell.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;

use super::files::write;
use crate::error::{Error, Result};
use crate::report::{Line, Sink};

/// Whether and how a publication is signed.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// Not at all.
    pub skip: bool,
    /// The keys; none means gpg's default key.
    pub keys: Vec<String>,
    /// A keyring file.
    pub keyring: String,
    /// A passphrase; works with `batch` only.
    pub passphrase: String,
    /// A file with the passphrase.
    pub passphrase_file: String,
    /// Never ask.
    pub batch: bool,
    /// The program, `gpg` when empty.
    pub program: String,
}

impl Signing {
    fn command(&self, date: Option<Timestamp>) -> Command {
        let mut command = Command::new(if self.program.is_empty() { "gpg" } else { &self.program });
        // Without a terminal nobody could answer a question.
        if self.batch || !std::io::stdin().is_terminal() {
            command.args(["--no-tty", "--batch"]);
        }
        if !self.passphrase.is_empty() || !self.passphrase_file.is_empty() {
            command.args(["--pinentry-mode", "loopback"]);
        }
        if !self.keyring.is_empty() {
            command.args(["--no-default-keyring", "--keyring", &self.keyring]);
        }
        for key in &self.keys {
            command.args(["-u", key]);
        }
        if !self.passphrase_file.is_empty() {
            command.args(["--passphrase-file", &self.passphrase_file]);
        } else if !self.passphrase.is_empty() {
            // Through the environment of nobody and the arguments of nobody: a pipe would be read too late by old versions.
            command.args(["--passphrase", &self.passphrase]);
        }
        if let Some(date) = date {
            command.args(["--faked-system-time", &format!("{}!", date.as_second())]);
        }
        command
    }

    /// Says early and clearly when signing is asked for and cannot work.
    pub(crate) fn check(&self) -> Result<()> {
        if self.skip {
            return Ok(());
        }
        for key in &self.keys {
            if key.starts_with('-') {
                return Err(Error::Invalid(format!("{key:?} is not a key id")));
            }
        }
        let mut command = Command::new(if self.program.is_empty() { "gpg" } else { &self.program });
        let found =
            command.args(["--batch", "--no-tty", "--list-secret-keys", "--with-colons"]).stdin(Stdio::null()).output();
        let hint = "give -skip-signing to publish without a signature, or make a key with gpg --gen-key";
        match found {
            Err(error) => Err(Error::Signing(format!("unable to sign: gpg cannot be started ({error}); {hint}"))),
            Ok(output) if !String::from_utf8_lossy(&output.stdout).lines().any(|line| line.starts_with("sec")) => {
                Err(Error::Signing(format!("unable to sign: looks like there are no keys in gpg; {hint}")))
            }
            Ok(_) => Ok(()),
        }
    }
}

/// Writes `Release.gpg` and `InRelease` beside Release.
pub(super) fn sign(
    folder: &Path,
    release: &str,
    signing: &Signing,
    date: Option<Timestamp>,
    sink: Sink<'_>,
) -> Result<()> {
    if signing.skip {
        return Ok(());
    }
    sink(Line::Step("Signing file 'Release' with gpg, please enter your passphrase when prompted:".into()));
    let detached = run(
        signing.command(date).args(["--digest-algo", "SHA256", "--armor", "--yes", "--output", "-", "--detach-sign"]),
        release,
    )?;
    write(&folder.join("Release.gpg"), &detached)?;
    sink(Line::Step("Clearsigning file 'Release' with gpg, please enter your passphrase when prompted:".into()));
    let inline = run(
        signing.command(date).args(["--digest-algo", "SHA256", "--armor", "--yes", "--output", "-", "--clearsign"]),
        release,
    )?;
    write(&folder.join("InRelease"), &inline)
}

fn run(command: &mut Command, text: &str) -> Result<Vec<u8>> {
    let failed = |why: String| Error::Signing(format!("unable to detached sign file: {why}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("gpg cannot be started: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // gpg answers only after it has read all; a broken pipe shows as its exit status.
        let _ = input.write_all(text.as_bytes());
    }
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if status.success() && !stdout.is_empty() {
        return Ok(stdout);
    }
    Err(failed(format!("gpg ended with {status}: {}", String::from_utf8_lossy(&stderr).trim())))
}
