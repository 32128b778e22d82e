//! `gennaker account add`: a further account at the end of the configuration file. What stands there is not touched.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::config::{CloudName, Config, MoreAccount};
use crate::environment::Environment;

/// One more account.
#[derive(clap::Args)]
pub struct Args {
    /// Its name: what pipelines give as `credentials`
    #[arg(value_name = "NAME")]
    name: String,
    /// Its cloud
    #[arg(long, value_name = "CLOUD", default_value = "local")]
    provider: CloudName,
    /// Its region [default: local]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// A zone of it; may be given several times [default: the region's name with -a and with -b]
    #[arg(long = "zone", value_name = "NAME")]
    zones: Vec<String>,
    /// What its environment is called [default: its name]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The address on which its load balancers listen [default: as for the account local]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<IpAddr>,
    /// The file [default: /etc/gennaker/gennaker.toml as root, else ~/.config/gennaker/gennaker.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// As it stands in the file.
#[derive(Serialize)]
struct Lines {
    account: [MoreAccount; 1],
}

/// Runs it. Nothing is written unless the whole file is good afterwards.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { name, provider, region, zones, environment, listen, config } = args;
    let file = config.unwrap_or_else(|| Environment::read().default_config());
    let before = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        // The first thing that is configured.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let known = read(&before, &file)?;
    if known.accounts()?.iter().any(|account| account.name == name) {
        bail!("there is an account \"{}\" already in {} (or it is the machine's own)", name, file.display());
    }
    let after = with(&before, MoreAccount { name: name.clone(), provider, region, zones, environment, listen })?;
    read(&after, &file)?.accounts()?;
    write(&file, &after)?;
    println!("{}: account {name} is in it; a server takes it when it starts anew:", file.display());
    println!("  systemctl restart gennaker      (or gennaker stop, and gennaker serve again)");
    println!("Instances run on and requests are answered meanwhile. Then: gennaker account list");
    Ok(ExitCode::SUCCESS)
}

fn read(text: &str, file: &Path) -> anyhow::Result<Config> {
    toml::from_str(text).with_context(|| format!("in {}", file.display()))
}

/// The text with an account more, at its end: a list of tables may go on anywhere.
fn with(before: &str, account: MoreAccount) -> anyhow::Result<String> {
    let lines = toml::to_string(&Lines { account: [account] }).context("an account as TOML")?;
    let gap = match before {
        "" => "",
        text if text.ends_with("\n\n") => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    Ok(format!("{before}{gap}{lines}"))
}

/// Beside it first, then in its place, with the rights and the owner that it has: the server reads all of it or none.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let wrong = || format!("cannot write {}", file.display());
    // A link stays one: what it leads to is written.
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(wrong)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder).with_context(wrong)?;
    beside.write_all(text.as_bytes()).and_then(|()| beside.as_file().sync_all()).with_context(wrong)?;
    if let Ok(there) = std::fs::metadata(&file) {
        use std::os::unix::fs::MetadataExt;
        std::fs::set_permissions(beside.path(), there.permissions()).with_context(wrong)?;
        std::os::unix::fs::chown(beside.path(), Some(there.uid()), Some(there.gid())).with_context(wrong)?;
    }
    beside.persist(&file).with_context(wrong)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prod() -> MoreAccount {
        MoreAccount {
            name: "prod".into(),
            provider: CloudName::Local,
            region: None,
            zones: vec!["a".into(), "b".into()],
            environment: None,
            listen: Some([0, 0, 0, 0].into()),
        }
    }

    #[test]
    fn an_account_stands_behind_everything_that_was_there() {
        let before = "# mine\n[local]\nlisten = \"127.0.0.1\" # loopback";
        let after = with(before, prod()).expect("written");
        let expected = format!(
            "{before}\n\n[[account]]\nname = \"prod\"\nprovider = \"local\"\nzones = [\"a\", \"b\"]\nlisten = \"0.0.0.0\"\n"
        );
        assert_eq!(after, expected);
        let names: Vec<String> =
            read(&after, Path::new("x")).expect("good").accounts().expect("good").into_iter().map(|a| a.name).collect();
        assert_eq!(names, ["local", "prod"]);
    }

    #[test]
    fn a_file_keeps_its_rights_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("real.toml"), folder.path().join("link.toml"));
        std::fs::write(&file, "").expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
        std::os::unix::fs::symlink("real.toml", &link).expect("linked");
        write(&link, "# new\n").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "# new\n");
        assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
    }
}
