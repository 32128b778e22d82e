//! What a script stage is told: which program, with what, where, and within which limits.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// The configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Config {
    /// Program and arguments as a list; a text is split at blanks (no shell reads it).
    command: Option<Value>,
    /// Instead of a command: an artifact's name, or a file that the configuration allows.
    pub script_path: Option<String>,
    /// More arguments.
    args: Vec<String>,
    /// The whole environment, but for a few variables of the server's.
    pub env: BTreeMap<String, String>,
    /// Where it runs: a folder inside its own, or one that the configuration allows.
    pub working_directory: Option<String>,
    /// What it may use.
    pub limits: Limits,
    timeout_seconds: Option<u64>,
    /// The file that it leaves its results in.
    pub property_file: Option<String>,
    pub image: Option<String>,
    /// Test the image that stages before this one baked.
    pub test_image: bool,
    account: Option<String>,
    credentials: Option<String>,
    region: Option<String>,
}

/// What a script may use.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Limits {
    /// Seconds of processor time, of each process.
    pub cpu_seconds: Option<u64>,
    /// Memory: of all together where the machine has control groups, else of each process.
    pub memory_mb: Option<u64>,
    /// How many processes and threads.
    pub processes: Option<u64>,
    /// The largest file that it may write.
    pub file_size_mb: Option<u64>,
    /// How many files one process may have open.
    pub open_files: Option<u64>,
    /// How long it may take.
    pub time_seconds: Option<u64>,
    /// How many lines of its output are kept.
    pub output_lines: Option<u64>,
}

impl Limits {
    /// More lines are counted, not kept.
    pub fn lines(&self) -> u64 {
        self.output_lines.unwrap_or(20_000).min(100_000)
    }

    /// How many processes; a script that asks for none gets enough, and no more.
    pub fn processes(&self) -> u64 {
        self.processes.unwrap_or(1024).clamp(1, 32_768)
    }

    /// The limits of each process, in the words of `prlimit`.
    pub fn of_a_process(&self) -> Vec<String> {
        let mb = |mb: u64| mb.saturating_mul(1 << 20);
        let mut out = vec![
            "--core=0".to_owned(),
            format!("--fsize={}", mb(self.file_size_mb.unwrap_or(1024))),
            format!("--nofile={}", self.open_files.unwrap_or(1024).clamp(16, 65_536)),
        ];
        out.extend(self.cpu_seconds.map(|seconds| format!("--cpu={}", seconds.max(1))));
        out.extend(self.memory_mb.map(|size| format!("--as={}", mb(size.max(16)))));
        out
    }
}

impl Config {
    /// Program and arguments, when they stand in the stage; of a script file only the arguments.
    pub fn words(&self) -> Result<Vec<String>, String> {
        let mut words: Vec<String> = match &self.command {
            Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
            Some(list @ Value::Array(_)) => {
                pipeline::lenient::from_value(list).map_err(|e| format!("\"command\" is a list of texts: {e}"))?
            }
            _ => Vec::new(),
        };
        if words.first().is_none_or(String::is_empty) && self.script_path.is_none() {
            let like = "[\"curl\", \"-f\", \"http://…\"]";
            return Err(format!("\"command\" is empty: give a list, program first, as in {like}, or \"scriptPath\""));
        }
        if !words.is_empty() && self.script_path.is_some() {
            return Err("\"command\" and \"scriptPath\" are both there: give one of them".into());
        }
        words.extend(self.args.iter().cloned());
        if words.iter().any(|w| w.contains('\0')) {
            return Err("\"command\" holds a NUL byte".into());
        }
        if let Some(name) = self.env.keys().find(|k| k.is_empty() || k.contains(['=', '\0'])) {
            return Err(format!("\"env\": '{}' is no name of a variable", name.escape_debug()));
        }
        if let Some((name, _)) = self.env.iter().find(|(_, value)| value.contains('\0')) {
            return Err(format!("\"env\": the value of {name} holds a NUL byte"));
        }
        Ok(words)
    }

    /// How long it may take.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.limits.time_seconds.or(self.timeout_seconds).unwrap_or(300).clamp(1, 86_400))
    }

    pub fn account(&self) -> &str {
        self.account.as_deref().or(self.credentials.as_deref()).unwrap_or("local")
    }

    pub fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("local")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(config: Value) -> Result<Vec<String>, String> {
        pipeline::lenient::from_value::<Config>(&config).expect("it can be read").words()
    }

    #[test]
    fn a_command_is_a_list_or_a_text_and_args_follow_it() {
        let list = |words: &[&str]| Ok(words.iter().map(|w| (*w).to_owned()).collect());
        assert_eq!(words(json!({"command": "make  all", "args": ["-j", 2]})), list(&["make", "all", "-j", "2"]));
        assert_eq!(words(json!({"command": ["echo", "a b", 1]})), list(&["echo", "a b", "1"]));
        assert_eq!(words(json!({"scriptPath": "/opt/x", "args": ["a"]})), list(&["a"]));
        assert!(words(json!({"command": ""})).expect_err("empty").contains("\"command\" is empty"));
        assert!(words(json!({"command": "a", "scriptPath": "b"})).expect_err("both").contains("both"));
        assert!(words(json!({"command": ["a\0b"]})).expect_err("NUL").contains("NUL byte"));
        assert!(words(json!({"command": "a", "env": {"A=B": "1"}})).expect_err("a name").contains("'A=B' is no name"));
    }

    #[test]
    fn limits_become_words_of_prlimit() {
        let limits: Limits =
            pipeline::lenient::from_value(&json!({"cpuSeconds": "5", "memoryMb": 64, "fileSizeMb": 1}))
                .expect("it can be read");
        let expect = ["--core=0", "--fsize=1048576", "--nofile=1024", "--cpu=5", "--as=67108864"];
        assert_eq!(limits.of_a_process(), expect);
        assert_eq!((Limits::default().processes(), Limits::default().lines()), (1024, 20_000));
    }
}
