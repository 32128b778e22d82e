//! The process's environment, read once: everything below is handed values.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use access::Secret;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `$XDG_CACHE_HOME`.
    pub cache_home: Option<PathBuf>,
    /// `$PATH`, where programs of instances are looked for.
    pub path: OsString,
    /// Whether the process runs as root.
    pub root: bool,
    /// `GENNAKER_SECTION__KEY` and its value, section and key in small letters.
    pub settings: BTreeMap<(String, String), String>,
    /// `$GENNAKER_LOG`: what is logged.
    pub log: Option<String>,
    /// `$GENNAKER_SERVER`: the server that commands ask.
    pub server: Option<String>,
    /// `$GENNAKER_TOKEN`: what opens its door.
    pub token: Option<Secret>,
    /// `$GENNAKER_APT_USER`: for whom a server runs this command of aptly.
    pub apt_user: Option<String>,
}

impl Environment {
    /// Reads it.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn read() -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let settings = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix("GENNAKER_")?.to_ascii_lowercase();
            let (section, key) = name.split_once("__")?;
            Some(((section.to_owned(), key.to_owned()), value.into_string().ok()?))
        });
        Self {
            home: path("HOME"),
            data_home: path("XDG_DATA_HOME"),
            config_home: path("XDG_CONFIG_HOME"),
            cache_home: path("XDG_CACHE_HOME"),
            path: std::env::var_os("PATH").unwrap_or_default(),
            root: rustix::process::geteuid().is_root(),
            settings: settings.collect(),
            log: std::env::var("GENNAKER_LOG").ok(),
            server: std::env::var("GENNAKER_SERVER").ok().filter(|server| !server.is_empty()),
            apt_user: std::env::var("GENNAKER_APT_USER").ok().filter(|user| !user.is_empty()),
            token: std::env::var("GENNAKER_TOKEN").ok().filter(|token| !token.is_empty()).map(Secret::new),
        }
    }

    /// A variable that the configuration names.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn variable(name: &str) -> Option<Secret> {
        std::env::var(name).ok().filter(|value| !value.is_empty()).map(Secret::new)
    }

    /// The variable that sets a key of the configuration.
    pub fn setting(section: &str, key: &str) -> String {
        format!("GENNAKER_{}__{}", section.to_uppercase(), key.to_uppercase())
    }

    /// The name of the user whose process this is; its number if it has none.
    pub fn user(&self) -> String {
        user_of(rustix::process::getuid().as_raw())
    }

    /// Who does what this process does to an archive.
    pub fn acting(&self) -> String {
        self.apt_user.clone().unwrap_or_else(|| self.user())
    }

    /// The data folder when nobody names one: `/var/lib/gennaker` as root, else beneath the user's data.
    pub fn default_data(&self) -> PathBuf {
        if self.root {
            return "/var/lib/gennaker".into();
        }
        let home = self.home.clone().unwrap_or_else(|| "/".into());
        self.data_home.clone().unwrap_or_else(|| home.join(".local/share")).join("gennaker")
    }

    /// Where what can be made anew is kept; nowhere for a user without a home.
    pub fn cache(&self) -> Option<PathBuf> {
        let cache = self.cache_home.clone().or_else(|| Some(self.home.as_ref()?.join(".cache")))?;
        Some(cache.join("gennaker"))
    }

    /// The configuration file when nobody names one; it need not exist.
    pub fn default_config(&self) -> PathBuf {
        if self.root {
            return "/etc/gennaker/gennaker.toml".into();
        }
        let home = self.home.clone().unwrap_or_else(|| "/".into());
        self.config_home.clone().unwrap_or_else(|| home.join(".config")).join("gennaker/gennaker.toml")
    }
}

/// The name of a user, or the number where it has none.
pub fn user_of(uid: u32) -> String {
    let uid = uid.to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id == uid).then(|| name.to_owned())
    });
    named.unwrap_or(uid)
}
