//! aptly's configuration: JSON or YAML, unknown keys ignored, laid over the defaults.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use apt::Endpoint;
use serde_json::{Map, Value, json};

use super::flags::Parsed;
use super::{Failure, endpoints};
use crate::environment::Environment;

/// The configuration in force: every key that aptly knows, in aptly's order.
#[derive(Debug, Clone)]
pub struct Config {
    values: Map<String, Value>,
    home: PathBuf,
}

/// Keys that YAML calls by other names than theirs with underscores.
const IN_YAML: [(&str, &str); 17] = [
    ("dependencyFollowSuggests", "dep_follow_suggests"),
    ("dependencyFollowRecommends", "dep_follow_recommends"),
    ("dependencyFollowAllVariants", "dep_follow_all_variants"),
    ("dependencyFollowSource", "dep_follow_source"),
    ("dependencyVerboseResolve", "dep_verboseresolve"),
    ("ppaBaseURL", "ppa_baseurl"),
    ("downloadSpeedLimit", "download_limit"),
    ("downloadSourcePackages", "download_sourcepackages"),
    ("FileSystemPublishEndpoints", "filesystem_publish_endpoints"),
    ("JFrogPublishEndpoints", "jfrog_publish_endpoints"),
    ("packagePoolStorage", "packagepool_storage"),
    ("awsAccessKeyID", "access_key_id"),
    ("awsSecretAccessKey", "secret_access_key"),
    ("awsSessionToken", "session_token"),
    ("disableMultiDel", "disable_multidel"),
    ("forceSigV2", "force_sigv2"),
    ("forceVirtualHostedStyle", "force_virtualhosted_style"),
];

/// A key as YAML has it: `gpgDisableSign` is `gpg_disable_sign`.
fn in_yaml(key: &str) -> String {
    if let Some((_, yaml)) = IN_YAML.iter().find(|(json, _)| *json == key) {
        return (*yaml).to_owned();
    }
    let letters: Vec<char> = key.chars().collect();
    let mut yaml = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || letters.get(at + 1).is_some_and(|next| next.is_lowercase())
            });
        if begins {
            yaml.push('_');
        }
        yaml.extend(letter.to_lowercase());
    }
    yaml
}

/// Whether a file's key is this one: JSON in any case, or YAML.
fn is_same_key(known: &str, given: &str) -> bool {
    known.eq_ignore_ascii_case(given) || in_yaml(known) == given
}

/// An endpoint with the keys that JSON has.
fn named_as_in_json(keys: &[&str], endpoint: Value) -> Value {
    let Value::Object(fields) = endpoint else { return endpoint };
    let name = |given: String| {
        let known = keys.iter().find(|known| is_same_key(known, &given));
        known.map_or(given, |known| (*known).to_owned())
    };
    Value::Object(fields.into_iter().map(|(given, value)| (name(given), value)).collect())
}

/// The same with YAML's keys, down to those of endpoints; their names stay.
fn with_yaml_keys(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(map) => {
            let key = |key: &String| if depth == 1 { key.clone() } else { in_yaml(key) };
            Value::Object(map.iter().map(|(name, value)| (key(name), with_yaml_keys(value, depth + 1))).collect())
        }
        other => other.clone(),
    }
}

/// All keys with their defaults.
fn defaults() -> Map<String, Value> {
    let all = json!({
        "rootDir": "~/.aptly", "logLevel": "info", "logFormat": "default", "databaseOpenAttempts": -1, "architectures": [],
        "skipLegacyPool": false, "dependencyFollowSuggests": false, "dependencyFollowRecommends": false,
        "dependencyFollowAllVariants": false, "dependencyFollowSource": false, "dependencyVerboseResolve": false,
        "ppaDistributorID": "ubuntu", "ppaCodename": "", "serveInAPIMode": false, "enableMetricsEndpoint": false,
        "enableSwaggerEndpoint": false, "AsyncAPI": false, "databaseBackend": {"type": "", "dbPath": "", "url": ""},
        "downloader": "default", "downloadConcurrency": 4, "downloadSpeedLimit": 0, "downloadRetries": 0,
        "downloadSourcePackages": false, "gpgProvider": "gpg", "gpgDisableSign": false, "gpgDisableVerify": false, "gpgKeys": [],
        "skipContentsPublishing": false, "skipBz2Publishing": false, "FileSystemPublishEndpoints": {}, "S3PublishEndpoints": {},
        "GcsPublishEndpoints": {}, "SwiftPublishEndpoints": {}, "AzurePublishEndpoints": {}, "JFrogPublishEndpoints": {},
        "packagePoolStorage": {"type": "local", "path": ""}
    });
    match all {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Config {
    /// What is usual.
    pub fn usual(environment: &Environment) -> Config {
        Config { values: defaults(), home: environment.home.clone().unwrap_or_else(|| "/".into()) }
    }

    /// The same for another root, as a file holds it.
    pub fn with_root(&self, root: &Path) -> Value {
        let mut values = self.values.clone();
        values.insert("rootDir".into(), json!(root));
        Value::Object(values)
    }

    /// Loads the file given, or the first of the usual ones; without any, one with the defaults is made.
    pub fn load(file: &str, environment: &Environment) -> Result<Config, Failure> {
        let mut config = Config::usual(environment);
        let home = config.home.clone();
        if !file.is_empty() {
            let text = fs::read_to_string(file)
                .map_err(|error| Failure::Run(format!("error loading config file {file}: {error}")))?;
            config.read(&text, Path::new(file))?;
            return Ok(config);
        }
        let own = home.join(".aptly.conf");
        for path in [own.clone(), "/usr/local/etc/aptly.conf".into(), "/etc/aptly.conf".into()] {
            if let Ok(text) = fs::read_to_string(&path) {
                config.read(&text, &path)?;
                return Ok(config);
            }
        }
        eprintln!("Config file not found, creating default config at {}\n", own.display());
        let text = config.to_json();
        if let Err(error) = fs::write(&own, text + "\n") {
            eprintln!("Unable to create {}: {error}; going on with the defaults", own.display());
        }
        Ok(config)
    }

    fn read(&mut self, text: &str, path: &Path) -> Result<(), Failure> {
        let bad = |why: String| Failure::Run(format!("error loading config file {}: {why}", path.display()));
        let given: Value = match serde_json::from_str(&apt::plain_json(text)) {
            Ok(given) => given,
            Err(json) => {
                serde_saphyr::from_str(text).map_err(|yaml| bad(format!("invalid yaml ({yaml}) or json ({json})")))?
            }
        };
        let given = match given {
            Value::Object(given) => given,
            // Only comments.
            Value::Null => Map::new(),
            _ => return Err(bad("it is not an object".into())),
        };
        for (key, value) in given {
            let Some(known) = self.values.keys().find(|known| is_same_key(known, &key)).cloned() else { continue };
            let Some(slot) = self.values.get_mut(&known) else { continue };
            match (slot, value) {
                (_, Value::Null) => {}
                (Value::Object(slot), Value::Object(value)) => {
                    let endpoint = endpoints::keys(&known);
                    for (key, value) in value {
                        let key = slot.keys().find(|known| is_same_key(known, &key)).cloned().unwrap_or(key);
                        slot.insert(
                            key,
                            match endpoint {
                                Some(keys) => named_as_in_json(keys, value),
                                None => value,
                            },
                        );
                    }
                }
                (slot, value) if std::mem::discriminant(slot) == std::mem::discriminant(&value) => *slot = value,
                (_, value) => return Err(bad(format!("{known} has a value of the wrong type: {value}"))),
            }
        }
        Ok(())
    }

    /// The places to publish to, by storage.
    pub fn endpoints(&self) -> Result<BTreeMap<String, Endpoint>, Failure> {
        endpoints::read(&self.values, &self.root_dir())
    }

    /// Lays the global flags over the file.
    pub fn overlay(&mut self, parsed: &Parsed) -> Result<(), Failure> {
        let switches = [
            ("dep-follow-suggests", "dependencyFollowSuggests"),
            ("dep-follow-recommends", "dependencyFollowRecommends"),
            ("dep-follow-source", "dependencyFollowSource"),
            ("dep-follow-all-variants", "dependencyFollowAllVariants"),
            ("dep-verbose-resolve", "dependencyVerboseResolve"),
        ];
        for (flag, key) in switches {
            if let Some(on) = parsed.on_if_given(flag) {
                self.values.insert(key.into(), on.into());
            }
        }
        let architectures = parsed.text("architectures");
        if !architectures.is_empty() {
            self.values.insert("architectures".into(), architectures.split(',').collect());
        }
        let provider = parsed.text("gpg-provider");
        if !provider.is_empty() {
            self.values.insert("gpgProvider".into(), provider.into());
        }
        match self.text("gpgProvider") {
            "gpg" | "gpg1" | "gpg2" | "internal" => Ok(()),
            other => Err(Failure::Run(format!("unknown gpg provider: {other}"))),
        }
    }

    /// Whether a switch is on.
    pub fn on(&self, key: &str) -> bool {
        self.values.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text.
    pub fn text(&self, key: &str) -> &str {
        self.values.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// A number that is not below zero.
    pub fn number(&self, key: &str) -> u64 {
        self.values.get(key).and_then(Value::as_u64).unwrap_or(0)
    }

    /// A list of texts.
    pub fn list(&self, key: &str) -> Vec<String> {
        let items = self.values.get(key).and_then(Value::as_array);
        items.map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The user's home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The root, with `~` resolved.
    pub fn root_dir(&self) -> PathBuf {
        let text = self.text("rootDir");
        match text.split_once('~') {
            Some((before, after)) => PathBuf::from(format!("{before}{}{after}", self.home.display())),
            None => PathBuf::from(text),
        }
    }

    fn shown(&self) -> Map<String, Value> {
        let mut shown = self.values.clone();
        shown.insert("rootDir".into(), self.root_dir().display().to_string().into());
        shown
    }

    /// As `config show -yaml` prints it.
    pub fn to_yaml(&self) -> String {
        expr::print_yaml(&with_yaml_keys(&Value::Object(self.shown()), 0))
    }

    /// As `config show` prints it.
    pub fn to_json(&self) -> String {
        let shown = self.shown();
        let mut bytes = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut writer = serde_json::Serializer::with_formatter(&mut bytes, format);
        // Writing JSON values to memory cannot fail.
        let _ = serde::Serialize::serialize(&shown, &mut writer);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use apt::{LinkMethod, Verify};

    use super::*;

    fn read(text: &str) -> Result<Config, Failure> {
        let mut config = Config { values: defaults(), home: "/home/me".into() };
        config.read(text, Path::new("aptly.conf"))?;
        Ok(config)
    }

    const JSON: &str = r#"{ // mine
        "rootDir": "~/apt", "downloadSpeedLimit": 50, "dependencyFollowSource": true, "gpgDisableSign": true, "AsyncAPI": true,
        "FileSystemPublishEndpoints": {"web_1": {"rootDir": "/srv/www", "linkMethod": "copy", "verifyMethod": "size"}},
    }"#;

    const YAML: &str = "# mine\nroot_dir: ~/apt\ndownload_limit: 50\ndep_follow_source: true\ngpg_disable_sign: true\nasync_api: true\nnew_key: 1\n\
                        filesystem_publish_endpoints:\n  web_1:\n    root_dir: /srv/www\n    link_method: copy\n    verify_method: size\n";

    #[test]
    fn json_and_yaml_say_the_same_and_what_is_shown_can_be_read_again() {
        for text in [JSON, YAML] {
            let config = read(text).unwrap();
            assert_eq!(config.root_dir(), Path::new("/home/me/apt"));
            assert_eq!(config.number("downloadSpeedLimit"), 50);
            assert!(config.on("dependencyFollowSource") && config.on("gpgDisableSign") && config.on("AsyncAPI"));
            let web = Endpoint { link: LinkMethod::Copy, verify: Verify::Size, ..Endpoint::folder("/srv/www") };
            assert_eq!(config.endpoints().unwrap(), BTreeMap::from([("filesystem:web_1".to_owned(), web)]), "{text}");
            let again = read(&config.to_yaml()).unwrap();
            assert_eq!((again.to_json(), again.endpoints().unwrap()), (config.to_json(), config.endpoints().unwrap()));
        }
        assert!(read("# nothing but this\n").is_ok());
    }

    #[test]
    fn what_cannot_be_read_or_means_nothing_is_named() {
        let why = |text: &str| match read(text).and_then(|config| config.endpoints().map(drop)) {
            Err(Failure::Run(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why("{ \"rootDir\": ").starts_with("error loading config file aptly.conf: invalid yaml ("));
        assert!(why("root_dir: 5\n").contains("rootDir has a value of the wrong type: 5"));
        assert_eq!(
            why("filesystem_publish_endpoints: {web: {root_dir: /srv, link_method: reflink}}\n"),
            "FileSystemPublishEndpoints, web: linkMethod is \"reflink\", not hardlink, symlink or copy"
        );
        assert_eq!(
            why("filesystem_publish_endpoints: {web: {}}\n"),
            "FileSystemPublishEndpoints, web: rootDir is missing"
        );
    }
}
