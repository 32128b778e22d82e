//! aptly's command line: the same commands, flags, machine-read output and exit codes, over the `apt` crate.
//!
//! `gennaker` is this when it is called `aptly`, and `gennaker apt …` is the same with flags also after other words.
//! Here: what a command gets, how failures become exit codes, help. The commands are one file a noun.

pub mod api;
mod command;
mod config;
mod db;
mod download;
pub mod elsewhere;
mod endpoints;
mod flags;
mod graph;
mod key;
mod mirror;
mod misc;
mod package;
mod publish;
mod repo;
pub mod root;
mod serve;
mod snapshot;
mod table;
mod task;
mod template;

use std::ffi::OsString;
use std::fmt;
use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::Arc;

use apt::{Line, Progress, Root};
use jiff::Timestamp;
use store::clock::SystemClock;

use crate::environment::Environment;
use config::Config;
use flags::{Misuse, Parsed};
use table::COMMANDS;

/// Writes a line to standard output. Nobody listening is no error.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout().lock(), $($part)*);
    }};
}
pub(crate) use say;

/// The version of aptly whose behaviour this is.
pub const APTLY_VERSION: &str = "1.6.3";

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// Exit code 2: usage of these words.
    Misuse(String, Vec<String>),
    /// Exit code 1.
    Run(String),
}

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Run(error.to_string())
    }
}

/// Puts a prefix before an error's text, as aptly does.
pub trait Unable<T> {
    /// `unable to <what>: <error>`
    fn unable(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Unable<T> for Result<T, E> {
    fn unable(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| {
            let text = error.to_string();
            let doubled = text.starts_with(&format!("unable to {what}:"));
            Failure::Run(if doubled { text } else { format!("unable to {what}: {text}") })
        })
    }
}

/// What a command gets.
pub struct Context {
    /// Configuration with the global flags laid over it.
    pub config: Config,
    /// The environment.
    pub environment: Environment,
    /// `SOURCE_DATE_EPOCH`.
    pub source_date: Option<Timestamp>,
    /// Whether flags may stand after other words.
    pub anywhere: bool,
    /// Whether we are called aptly (some defaults differ).
    pub as_aptly: bool,
    /// The command as the log of operations keeps it.
    command: String,
    /// Whether the command changes nothing.
    only_reads: bool,
    root: Option<Root>,
}

impl Context {
    /// The root, opened when it is first needed.
    pub fn root(&mut self) -> Result<Root, Failure> {
        if let Some(root) = &self.root {
            return Ok(root.clone());
        }
        let (place, clock) = (self.config.root_dir(), Arc::new(SystemClock));
        let root = match self.only_reads {
            true => Root::look(place, clock, self.environment.cache().as_deref())?,
            // What is printed on standard output is for those who read it by machine.
            false => Root::open_telling(place, clock, &mut |line| eprintln!("{line}"))?,
        };
        let root = root.with_endpoints(self.config.endpoints()?).acting(&self.environment.acting(), &self.command);
        self.root = Some(root.clone());
        Ok(root)
    }
}

/// Prints a line of a report. How far long work is stands on a terminal only, on standard error, until the next line.
pub fn tell(line: Line) {
    let Line::Progress(Progress { total, remaining, total_bytes, remaining_bytes, .. }) = line else {
        say!("{line}");
        return;
    };
    let mut error = std::io::stderr();
    if !error.is_terminal() {
        return;
    }
    let percent = match (total_bytes, total) {
        (0, 0) => 100,
        (0, _) => (total - remaining) * 100 / total,
        _ => (total_bytes - remaining_bytes) * 100 / total_bytes,
    };
    // A terminal that is gone is no reason to end the work.
    let _ = match remaining {
        0 => write!(error, "\r\x1b[K"),
        _ => write!(error, "\r\x1b[K{percent:>3}%  {} of {total}\r", total - remaining),
    };
}

/// A moment as aptly prints it: in the local zone.
pub fn shown_time(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The exit code of `gennaker apt ARGS` or `aptly ARGS`: `args` begins with the name that was used.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let as_aptly =
        args.first().is_some_and(|name| std::path::Path::new(name).file_name().is_some_and(|name| name == "aptly"));
    let mut words = Vec::new();
    for arg in args.into_iter().skip(1) {
        match arg.into_string() {
            Ok(word) => words.push(word),
            Err(odd) => {
                complain(&format!("argument {odd:?} is not valid UTF-8"));
                return ExitCode::from(2);
            }
        }
    }
    let environment = Environment::read();
    run_words(&words, &environment, !as_aptly, as_aptly)
}

/// Understands and runs one command line.
fn run_words(words: &[String], environment: &Environment, anywhere: bool, as_aptly: bool) -> ExitCode {
    if words.first().is_some_and(|word| word == "help") {
        say!("{}", usage(&words[1..]));
        return ExitCode::SUCCESS;
    }
    let parsed = match flags::parse(words, anywhere) {
        Ok(parsed) => parsed,
        Err(misuse) => return misused(misuse, environment),
    };
    warn_of_quotes(words);
    if elsewhere::is_meant(&parsed, environment) {
        return elsewhere::run(&parsed, environment).unwrap_or_else(|why| {
            complain(&format!("{why:#}"));
            ExitCode::FAILURE
        });
    }
    let mut context = match context(&parsed, environment, anywhere, as_aptly) {
        Ok(context) => context,
        Err(failure) => return ended(Err(failure), &parsed),
    };
    context.command = logged(words, as_aptly);
    ended((parsed.command.run)(&mut context, &parsed), &parsed)
}

/// A name may begin with any letter, but one that begins with a typographic quote was mostly copied from a web page.
fn warn_of_quotes(words: &[String]) {
    for word in words {
        let value = word.split_once('=').filter(|_| word.starts_with('-')).map_or(word.as_str(), |(_, value)| value);
        let hint = flags::quote_hint(value);
        if !hint.is_empty() {
            eprintln!("warning: {value}{hint}");
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "part of the environment that only aptly's command line heeds")]
fn source_date() -> Option<Timestamp> {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
}

fn context(parsed: &Parsed, environment: &Environment, anywhere: bool, as_aptly: bool) -> Result<Context, Failure> {
    let mut config = Config::load(&parsed.text("config"), environment)?;
    config.overlay(parsed)?;
    Ok(Context {
        config,
        environment: environment.clone(),
        source_date: source_date(),
        anywhere,
        as_aptly,
        command: String::new(),
        only_reads: only_reads(parsed.command.path),
        root: None,
    })
}

/// A command line as it may be kept: without what opens doors.
fn logged(words: &[String], as_aptly: bool) -> String {
    let mut said = vec![if as_aptly { "aptly".to_owned() } else { "gennaker apt".to_owned() }];
    let mut secret = false;
    for word in words {
        let flag = word.trim_start_matches('-');
        let is_flag = word.starts_with('-');
        said.push(match flag.split_once('=') {
            _ if secret => "***".to_owned(),
            Some(("passphrase", _)) if is_flag => "-passphrase=***".to_owned(),
            _ => match word.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
                Some((scheme, (_, host))) => format!("{scheme}://***@{host}"),
                None => word.clone(),
            },
        });
        secret = is_flag && flag == "passphrase";
    }
    said.join(" ")
}

/// Whether a command changes nothing in the root.
fn only_reads(path: &[&str]) -> bool {
    matches!(path, [.., "list" | "show" | "search" | "diff" | "verify" | "history"] | ["graph"])
}

fn ended(done: Result<(), Failure>, parsed: &Parsed) -> ExitCode {
    let _ = std::io::stdout().flush();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Run(why)) => {
            complain(&why);
            ExitCode::FAILURE
        }
        Err(Failure::Misuse(why, mut path)) => {
            if path.is_empty() {
                path = parsed.command.path.iter().map(|word| (*word).to_owned()).collect();
            }
            misused(Misuse::Command(why, path), &Environment::default())
        }
    }
}

fn complain(why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "ERROR: {why}");
}

fn misused(misuse: Misuse, environment: &Environment) -> ExitCode {
    let mut err = std::io::stderr().lock();
    let (why, path, last) = match misuse {
        Misuse::Flags(why, path) => (why, path, "unable to parse flags"),
        Misuse::Command(why, path) => (why, path, "unable to parse command"),
        Misuse::Unknown(mut path, rest) => {
            if let Some(code) = run_outside(&path, &rest, environment) {
                return code;
            }
            let word = path.pop().unwrap_or_default();
            let depth = path.len();
            let known = COMMANDS
                .iter()
                .filter(|command| command.path.len() > depth && command.path.iter().zip(&path).all(|(a, b)| a == b));
            let near = flags::nearest(&word, known.map(|command| command.path[depth]));
            let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            (format!("unknown command `{word}`{near}"), path, "unable to parse command")
        }
    };
    if !why.is_empty() {
        let _ = writeln!(err, "{why}");
    }
    let _ = writeln!(err, "{}\nERROR: {last}", usage(&path));
    ExitCode::from(2)
}

/// `aptly-GROUP-WORD` on the path, as git does it.
fn run_outside(path: &[String], rest: &[String], environment: &Environment) -> Option<ExitCode> {
    if path.iter().any(|word| word.contains('/')) {
        return None;
    }
    let name = format!("aptly-{}", path.join("-"));
    let found =
        std::env::split_paths(&environment.path).map(|folder| folder.join(&name)).find(|file| file.is_file())?;
    let status = std::process::Command::new(found).args(rest).status().ok()?;
    Some(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Usage of a command, of a group, or of everything.
fn usage(path: &[String]) -> String {
    let below = |command: &&command::Command| {
        command.path.len() >= path.len() && command.path.iter().zip(path).all(|(a, b)| a == b)
    };
    let commands: Vec<_> = COMMANDS.iter().filter(below).collect();
    let mut text = String::new();
    if let [command] = commands[..]
        && command.path.len() == path.len()
    {
        text.push_str(&format!(
            "Usage: aptly {} {}\n\naptly {} - {}\n\nOptions:\n",
            command.path.join(" "),
            command.takes,
            command.path.join(" "),
            command.help
        ));
        for flag in command.flags.iter().flat_map(|flags| flags.iter()).chain(table::GLOBAL) {
            text.push_str(&format!(
                "  -{}{}: {}\n",
                flag.name,
                if flag.default.is_empty() { String::new() } else { format!("={}", flag.default) },
                flag.help
            ));
        }
        return text;
    }
    text.push_str("Usage: aptly <command> [flags] [words]\n\nCommands:\n");
    let shown = if commands.is_empty() { COMMANDS.iter().collect() } else { commands };
    for command in shown {
        text.push_str(&format!("    {:<24}{}\n", command.path.join(" "), command.help));
    }
    text.push_str("\nUse \"aptly help <command>\" for more about a command.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_doors_is_not_kept() {
        for (line, kept) in [
            ("publish repo -passphrase=a b", "aptly publish repo -passphrase=*** b"),
            ("publish repo --passphrase a b", "aptly publish repo --passphrase *** b"),
            ("publish repo -passphrase-file=a b", "aptly publish repo -passphrase-file=a b"),
            ("mirror create m https://u:p@w@host/debian sid", "aptly mirror create m https://***@host/debian sid"),
            ("mirror create m http://host/debian sid", "aptly mirror create m http://host/debian sid"),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(logged(&words, true), kept);
        }
    }
}
