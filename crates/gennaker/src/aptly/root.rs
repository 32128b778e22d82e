//! Which root the user's own aptly works on, for the server that follows it. Unlike a command, this makes no configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use apt::{Endpoint, Signing};

use super::config::Config;
use crate::environment::Environment;

/// The root of the first usual configuration file, else `~/.aptly`; `None` for a user without a home.
pub fn of_user(environment: &Environment) -> anyhow::Result<Option<PathBuf>> {
    let Some(home) = &environment.home else { return Ok(None) };
    let Some(file) = file_of_user(environment) else { return Ok(Some(home.join(".aptly"))) };
    match Config::load(&file.to_string_lossy(), environment) {
        Ok(config) => Ok(Some(config.root_dir())),
        Err(failure) => anyhow::bail!("{failure:?}"),
    }
}

/// What the user's own aptly is configured with; nothing when that cannot be read.
pub(super) fn config_of_user(environment: &Environment) -> Option<Config> {
    Config::load(&file_of_user(environment)?.to_string_lossy(), environment).ok()
}

/// The folders that the user's own aptly publishes to, by name; none when its configuration cannot be read.
pub fn endpoints_of_user(environment: &Environment) -> BTreeMap<String, Endpoint> {
    config_of_user(environment).and_then(|config| config.endpoints().ok()).unwrap_or_default()
}

/// How the user's own aptly signs.
pub fn signing_of_user(environment: &Environment) -> Signing {
    config_of_user(environment).map(|config| signing(&config)).unwrap_or_default()
}

/// How a configuration says that publications are signed.
pub fn signing(config: &Config) -> Signing {
    Signing {
        skip: config.on("gpgDisableSign"),
        keys: config.list("gpgKeys"),
        secret_keys: super::key::secret_keys(config, ""),
        ..Signing::default()
    }
}

/// The user's configuration file, if there is one.
pub fn file_of_user(environment: &Environment) -> Option<PathBuf> {
    let own = environment.home.as_ref()?.join(".aptly.conf");
    [own, "/usr/local/etc/aptly.conf".into(), "/etc/aptly.conf".into()].into_iter().find(|file| file.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_root_is_the_one_of_the_users_aptly() {
        let home = tempfile::tempdir().expect("a folder");
        let environment = Environment { home: Some(home.path().to_owned()), ..Environment::default() };
        assert_eq!(of_user(&Environment::default()).expect("fine"), None);
        std::fs::write(home.path().join(".aptly.conf"), r#"{ "rootDir": "~/elsewhere" }"#).expect("written");
        assert_eq!(of_user(&environment).expect("fine"), Some(home.path().join("elsewhere")));
        std::fs::write(home.path().join(".aptly.conf"), r#"{ "rootDir": 5 }"#).expect("written");
        let error = of_user(&environment).expect_err("refused").to_string();
        assert!(error.contains("rootDir has a value of the wrong type"), "{error}");
    }
}
