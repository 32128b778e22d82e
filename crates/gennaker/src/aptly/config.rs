//! aptly's configuration: JSON, unknown keys ignored, laid over the defaults.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Failure;
use super::flags::Parsed;
use crate::environment::Environment;

/// The configuration in force: every key that aptly knows, in aptly's order.
#[derive(Debug, Clone)]
pub struct Config {
    values: Map<String, Value>,
    home: PathBuf,
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
    /// Loads the file given, or the first of the usual ones; without any, one with the defaults is made.
    pub fn load(file: &str, environment: &Environment) -> Result<Config, Failure> {
        let home = environment.home.clone().unwrap_or_else(|| "/".into());
        let mut config = Config { values: defaults(), home: home.clone() };
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
        let given: Value = serde_json::from_str(&apt::plain_json(text)).map_err(|error| bad(error.to_string()))?;
        let Value::Object(given) = given else { return Err(bad("it is not an object".into())) };
        for (key, value) in given {
            let Some(slot) = self.values.get_mut(&key) else { continue };
            match (slot, value) {
                (_, Value::Null) => {}
                (Value::Object(slot), Value::Object(value)) => slot.extend(value),
                (slot, value) if std::mem::discriminant(slot) == std::mem::discriminant(&value) => *slot = value,
                (_, value) => return Err(bad(format!("{key} has a value of the wrong type: {value}"))),
            }
        }
        Ok(())
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

    /// The root, with `~` resolved.
    pub fn root_dir(&self) -> PathBuf {
        let text = self.text("rootDir");
        match text.split_once('~') {
            Some((before, after)) => PathBuf::from(format!("{before}{}{after}", self.home.display())),
            None => PathBuf::from(text),
        }
    }

    /// As `config show` prints it.
    pub fn to_json(&self) -> String {
        let mut shown = self.values.clone();
        shown.insert("rootDir".into(), self.root_dir().display().to_string().into());
        let mut bytes = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut writer = serde_json::Serializer::with_formatter(&mut bytes, format);
        // Writing JSON values to memory cannot fail.
        let _ = serde::Serialize::serialize(&shown, &mut writer);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
