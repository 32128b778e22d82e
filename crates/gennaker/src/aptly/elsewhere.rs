//! aptly's commands against a server elsewhere (`GENNAKER_SERVER`): understood here, files uploaded, run there, and what is printed there is printed
//! here. And the other side: what a server runs for somebody elsewhere, and what it does not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use api::ui::{AptCommand, AptCommands};
use reqwest::Method;
use serde_json::json;
use store::id::{self, hex};

use super::config::Config;
use super::flags::{self, Parsed};
use crate::client::Client;
use crate::environment::Environment;

/// What is this machine's own, or writes where it runs.
const HERE: [&[&str]; 5] = [&["api", "serve"], &["config", "show"], &["graph"], &["serve"], &["task", "run"]];
/// Flags that name files, or open doors, of the machine that a command runs on.
const ITS_OWN: [&str; 6] = ["config", "keyring", "passphrase", "passphrase-file", "secret-keyring", "gpg-provider"];
/// The flag whose file is uploaded.
const UPLOADERS: &str = "uploaders-file";
/// What stands before an uploaded file.
const UPLOAD: &str = "upload:";

/// From which argument on a command takes files.
fn files_from(command: &[&str]) -> usize {
    match command {
        ["repo", "add"] => 1,
        ["repo", "include"] => 0,
        _ => usize::MAX,
    }
}

/// What says how things are on this machine, also where a server elsewhere is named.
const ABOUT_US: [&[&str]; 2] = [&["config", "show"], &["version"]];

/// Whether a command is for the server that the environment names.
pub fn is_meant(parsed: &Parsed, environment: &Environment) -> bool {
    environment.server.is_some() && !ABOUT_US.contains(&parsed.command.path)
}

/// Why a command is not run for somebody elsewhere.
fn refusal(parsed: &Parsed) -> Option<String> {
    let path = parsed.command.path;
    if HERE.contains(&path) {
        let name = path.join(" ");
        return Some(format!("`{name}` is not run on another machine: unset GENNAKER_SERVER to run it here"));
    }
    let flag = ITS_OWN.iter().find(|flag| parsed.text_if_given(flag).is_some())?;
    Some(format!("-{flag} is the server's to say: configure it there"))
}

/// Runs a command on the server that the environment names.
pub fn run(parsed: &Parsed, environment: &Environment) -> anyhow::Result<ExitCode> {
    if let Some(why) = refusal(parsed) {
        bail!(why);
    }
    let client = Client::of(environment)?;
    let mut given = Uploads { client: &client, folders: Vec::new() };
    let asked = taken_apart(parsed, &mut given);
    let ran = asked.and_then(|asked| {
        let mut code = None;
        client.lines(&["ui-api", "apt"], &json!(asked), &mut |line| {
            let text = |kind: &str| line[kind].as_str().map(str::to_owned);
            if let Some(text) = text("out") {
                let _ = std::io::stdout().lock().write_all(text.as_bytes());
            } else if let Some(text) = text("err") {
                let _ = std::io::stderr().lock().write_all(text.as_bytes());
            }
            code = line["code"].as_u64().or(code);
        })?;
        code.context("the server broke off before the command had ended")
    });
    given.tidy();
    Ok(ExitCode::from(u8::try_from(ran?).unwrap_or(1)))
}

/// A command with its files uploaded.
fn taken_apart(parsed: &Parsed, given: &mut Uploads<'_>) -> anyhow::Result<AptCommand> {
    let path = parsed.command.path;
    let mut flags: Vec<(String, String)> =
        parsed.given().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    for (_, value) in flags.iter_mut().filter(|(name, value)| name == UPLOADERS && !value.is_empty()) {
        *value = given.send(Path::new(value))?;
    }
    let mut args = Vec::new();
    for (i, arg) in parsed.args.iter().enumerate() {
        args.push(if i >= files_from(path) { given.send(Path::new(arg))? } else { arg.clone() });
    }
    let command = path.iter().map(|word| (*word).to_owned()).collect();
    Ok(AptCommand { command, flags, args })
}

/// Files on their way: what is named has a folder of its own there, so that files of one name do not meet.
struct Uploads<'a> {
    client: &'a Client,
    folders: Vec<String>,
}

impl Uploads<'_> {
    /// Uploads a file (with the files that it names, where it is a source package or an upload), or every file beneath a folder; gives its
    /// name there.
    fn send(&mut self, what: &Path) -> anyhow::Result<String> {
        let folder = format!("elsewhere-{}", hex(&id::random::<8>()?));
        self.folders.push(folder.clone());
        let files = if what.is_dir() { beneath(what)? } else { with_named(what)? };
        let mut names: BTreeMap<&str, &Path> = BTreeMap::new();
        for file in &files {
            let name = file.file_name().and_then(|name| name.to_str());
            let name = name.with_context(|| format!("{} has no name that can be sent", file.display()))?;
            if let Some(other) = names.insert(name, file) {
                bail!("{} and {} have one name: add one after the other", other.display(), file.display());
            }
            let sent = self.client.upload(Method::PUT, &["api", "files", &folder, name], &[], file);
            sent.with_context(|| format!("cannot upload {}", file.display()))?;
        }
        let name = what.file_name().and_then(|name| name.to_str()).filter(|_| !what.is_dir());
        Ok(name.map_or_else(|| format!("{UPLOAD}{folder}"), |name| format!("{UPLOAD}{folder}/{name}")))
    }

    /// What the command has left of them is of no use to anybody.
    fn tidy(&self) {
        for folder in &self.folders {
            let _ = self.client.send(Method::DELETE, &["api", "files", folder], &[], None);
        }
    }
}

/// A file, and the files beside it that it names where it is a source package or an upload.
fn with_named(file: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = vec![file.to_owned()];
    if file.extension().is_some_and(|end| end == "dsc" || end == "changes") {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let beside = file.parent().unwrap_or(Path::new("."));
        // Every word that is the name of a file beside it: checksums and sizes are none.
        let words: BTreeSet<&str> = text.split_whitespace().filter(|word| !word.contains('/')).collect();
        files.extend(words.into_iter().map(|word| beside.join(word)).filter(|other| other != file && other.is_file()));
    }
    Ok(files)
}

/// Every file beneath a folder; links to folders are not followed, for they may lead in a circle.
fn beneath(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        let wrong = || format!("cannot read {}", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(wrong)? {
            let entry = entry.with_context(wrong)?;
            let (path, kind) = (entry.path(), entry.file_type().with_context(wrong)?);
            if kind.is_dir() {
                open.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Runs commands for callers elsewhere: this program again, on the server's archive.
pub struct OnBehalf {
    /// This program.
    pub exe: PathBuf,
    /// What its user's aptly is configured with, with the archive as its root; a file.
    pub config: PathBuf,
}

impl AptCommands for OnBehalf {
    fn process(&self, asked: &AptCommand, uploads: &Path, who: &str) -> Result<tokio::process::Command, String> {
        let mut words = asked.command.clone();
        words.extend(asked.flags.iter().map(|(name, value)| format!("-{name}={value}")));
        words.push("--".into());
        words.extend(asked.args.iter().cloned());
        let parsed = flags::parse(&words, true)
            .map_err(|_| format!("{} is no command of aptly with these flags", asked.command.join(" ")))?;
        if parsed.command.path != asked.command.iter().map(String::as_str).collect::<Vec<_>>() {
            return Err(format!("{} is no whole command of aptly", asked.command.join(" ")));
        }
        if let Some(why) = refusal(&parsed) {
            return Err(why);
        }
        let mut process = tokio::process::Command::new(&self.exe);
        process.arg("apt").args(parsed.command.path);
        let mut config = std::ffi::OsString::from("-config=");
        config.push(&self.config);
        process.arg(config);
        for (name, value) in parsed.given() {
            match name == UPLOADERS && !value.is_empty() {
                true => process.arg(format!("-{name}={}", uploaded(value, uploads)?.display())),
                false => process.arg(format!("-{name}={value}")),
            };
        }
        process.arg("--");
        for (i, arg) in parsed.args.iter().enumerate() {
            match i >= files_from(parsed.command.path) {
                true => process.arg(uploaded(arg, uploads)?),
                false => process.arg(arg),
            };
        }
        process.env_remove("GENNAKER_SERVER").env_remove("GENNAKER_TOKEN").env("GENNAKER_APT_USER", who);
        Ok(process)
    }
}

/// Where an uploaded file lies; nothing else of this machine can be named.
fn uploaded(named: &str, uploads: &Path) -> Result<PathBuf, String> {
    let rest = named
        .strip_prefix(UPLOAD)
        .ok_or_else(|| format!("{named} was not uploaded: files of the server are not taken"))?;
    api::aptly::upload(uploads, rest).ok_or_else(|| format!("{named} names no upload"))
}

/// Writes the configuration that commands on behalf of others go by: the user's own, with this archive as its root.
pub fn configuration(environment: &Environment, root: &Path, to: &Path) -> anyhow::Result<()> {
    let config = super::root::config_of_user(environment).unwrap_or_else(|| Config::usual(environment)).with_root(root);
    let new = to.with_extension("new");
    std::fs::write(&new, serde_json::to_vec_pretty(&config)?)
        .and_then(|()| std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o600)))
        .and_then(|()| std::fs::rename(&new, to))
        .with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_behalf(asked: &AptCommand) -> Result<String, String> {
        let behalf = OnBehalf { exe: "/bin/gennaker".into(), config: "/data/aptly.conf".into() };
        let process = behalf.process(asked, Path::new("/archive/upload"), "ci")?;
        let words: Vec<_> = process.as_std().get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        Ok(words.join(" "))
    }

    fn command(path: &[&str], flags: &[(&str, &str)], args: &[&str]) -> AptCommand {
        let own = |text: &&str| (*text).to_owned();
        let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        AptCommand { command: path.iter().map(own).collect(), flags, args: args.iter().map(own).collect() }
    }

    #[test]
    fn a_command_is_run_on_the_servers_archive_with_uploaded_files() {
        let asked = command(
            &["repo", "add"],
            &[("force-replace", "true")],
            &["shop", "upload:elsewhere-1/a.deb", "upload:elsewhere-1"],
        );
        let expected = "apt repo add -config=/data/aptly.conf -force-replace=true -- shop /archive/upload/elsewhere-1/a.deb /archive/upload/elsewhere-1";
        assert_eq!(on_behalf(&asked).as_deref(), Ok(expected));
        let named = command(&["repo", "show"], &[], &["-with-packages"]);
        assert_eq!(
            on_behalf(&named).as_deref(),
            Ok("apt repo show -config=/data/aptly.conf -- -with-packages"),
            "a name is no flag"
        );
    }

    #[test]
    fn files_and_secrets_of_the_server_are_not_named_from_elsewhere() {
        let add = |file: &str| on_behalf(&command(&["repo", "add"], &[], &["shop", file])).expect_err(file);
        assert_eq!(add("/etc/shadow"), "/etc/shadow was not uploaded: files of the server are not taken");
        for file in ["upload:..", "upload:../../etc", "upload:a/../b", "upload:a/b/c", "upload:", "upload:a/"] {
            assert_eq!(add(file), format!("{file} names no upload"));
        }
        for flag in ["config", "keyring", "secret-keyring", "passphrase-file", "passphrase"] {
            let error = on_behalf(&command(&["publish", "repo"], &[(flag, "x")], &["shop"])).expect_err(flag);
            assert_eq!(error, format!("-{flag} is the server's to say: configure it there"));
        }
        let error = on_behalf(&command(&["repo", "create"], &[("uploaders-file", "/etc/passwd")], &["shop"]))
            .expect_err("refused");
        assert!(error.contains("was not uploaded"), "{error}");
        for path in [&["api", "serve"][..], &["serve"], &["task", "run"], &["graph"]] {
            assert!(
                on_behalf(&command(path, &[], &[])).expect_err("refused").contains("is not run on another machine"),
                "{path:?}"
            );
        }
        assert!(
            on_behalf(&command(&["evil"], &[], &[])).is_err()
                && on_behalf(&command(&["repo"], &[], &["list"])).is_err()
        );
    }
}
