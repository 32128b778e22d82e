//! Signing of Release: in this process with keys from files, else by calling `gpg` (argument vectors, the text on standard input, nothing through
//! a shell), which reaches agents and cards.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use tempfile::{NamedTempFile, TempPath};

use super::files::write;
use crate::error::{At, Error, Result};
use crate::openpgp;
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
    /// Files with secret keys, or folders of them. When there are any, this process signs itself, and `keyring` and `program` mean nothing.
    pub secret_keys: Vec<PathBuf>,
}

impl Signing {
    fn command(&self, date: Option<Timestamp>, passphrase: Option<&Path>) -> Command {
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
        if let Some(file) = passphrase {
            command.arg("--passphrase-file").arg(file);
        }
        if let Some(date) = date {
            command.args(["--faked-system-time", &format!("{}!", date.as_second())]);
        }
        command
    }

    /// The passphrase as a file that only we can read: arguments can be read by everybody.
    fn passphrase_file(&self) -> Result<Option<TempPath>> {
        if self.passphrase.is_empty() {
            return Ok(None);
        }
        let unable =
            |error: std::io::Error| Error::Signing(format!("unable to sign: cannot hand over the passphrase: {error}"));
        let mut file = NamedTempFile::new().map_err(unable)?;
        file.write_all(self.passphrase.as_bytes()).map_err(unable)?;
        Ok(Some(file.into_temp_path()))
    }

    /// The passphrase that was given, itself or in a file.
    fn passphrase_text(&self) -> Result<String> {
        if self.passphrase_file.is_empty() {
            return Ok(self.passphrase.clone());
        }
        let path = Path::new(&self.passphrase_file);
        let text = std::fs::read_to_string(path).at("read", path)?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    fn by_gpg(&self, date: Option<Timestamp>, how: &str, text: &str) -> Result<Vec<u8>> {
        // Removed when it is dropped.
        let passphrase = self.passphrase_file()?;
        let given = (!self.passphrase_file.is_empty()).then(|| Path::new(&self.passphrase_file));
        let mut command = self.command(date, given.or(passphrase.as_deref()));
        run(command.args(["--digest-algo", "SHA256", "--armor", "--yes", "--output", "-", how]), text)
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
        if !self.secret_keys.is_empty() {
            return openpgp::secret_keys(&self.secret_keys, &self.keys).map(drop);
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

/// Signs the files of one generation.
pub(super) enum Signer<'a> {
    /// Not at all.
    Nobody,
    /// This process.
    Own(openpgp::Signer),
    /// `gpg`, with the date that the signatures carry if it is not now.
    Gpg(&'a Signing, Option<Timestamp>),
}

impl<'a> Signer<'a> {
    pub fn new(signing: &'a Signing, date: Option<Timestamp>, now: Timestamp) -> Result<Signer<'a>> {
        if signing.skip {
            return Ok(Signer::Nobody);
        }
        if signing.secret_keys.is_empty() {
            return Ok(Signer::Gpg(signing, date));
        }
        let keys = openpgp::secret_keys(&signing.secret_keys, &signing.keys)?;
        let passphrase = signing.passphrase_text()?;
        Ok(Signer::Own(openpgp::Signer { keys, passphrase, at: date.unwrap_or(now) }))
    }

    /// Writes `Release.gpg` and `InRelease` beside Release.
    pub fn sign(&self, folder: &Path, release: &str, sink: Sink<'_>) -> Result<()> {
        let how = match self {
            Signer::Nobody => return Ok(()),
            Signer::Own(_) => "...",
            Signer::Gpg(..) => " with gpg, please enter your passphrase when prompted:",
        };
        sink(Line::Step(format!("Signing file 'Release'{how}")));
        self.sign_beside(&folder.join("Release"), release)?;
        sink(Line::Step(format!("Clearsigning file 'Release'{how}")));
        let clear = match self {
            Signer::Nobody => return Ok(()),
            Signer::Own(signer) => signer.clear(release)?,
            Signer::Gpg(signing, date) => signing.by_gpg(*date, "--clearsign", release)?,
        };
        write(&folder.join("InRelease"), &clear)
    }

    /// Writes the signature of a file's text beside it, as `FILE.gpg`.
    pub fn sign_beside(&self, file: &Path, text: &str) -> Result<()> {
        let signature = match self {
            Signer::Nobody => return Ok(()),
            Signer::Own(signer) => signer.detached(text)?,
            Signer::Gpg(signing, date) => signing.by_gpg(*date, "--detach-sign", text)?,
        };
        let mut beside = file.as_os_str().to_owned();
        beside.push(".gpg");
        write(Path::new(&beside), &signature)
    }
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
