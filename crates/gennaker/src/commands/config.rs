//! `gennaker config`: an example of the configuration file, what is wrong with one, and what is in force.

mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::Config;
use crate::door;
use crate::environment::Environment;

/// The file that the Debian package installs.
const EXAMPLE: &str = include_str!("../../../../packaging/gennaker.toml");

/// What can be done with the configuration.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Print a file with every key, each explained
    Example,
    /// Read a file as the server does, and say what is wrong with it
    Check {
        /// The file [default: /etc/gennaker/gennaker.toml as root, else ~/.config/gennaker/gennaker.toml]
        file: Option<PathBuf>,
    },
    /// Show what is in force: every key with its value; secrets are dots
    Show(show::Args),
}

/// Runs it: 0 when the file is good.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Example => print!("{EXAMPLE}"),
        Verb::Show(args) => return show::run(args),
        Verb::Check { file } => {
            let environment = Environment::read();
            let config = Config::load(file.as_deref(), &environment, Vec::new())?;
            door::check_before(&config, &config.data(&environment))?;
            let listeners: Vec<String> = config.listeners().iter().map(ToString::to_string).collect();
            access::Tokens::new(&config.token)?;
            config.retention.keep()?;
            config.accounts()?;
            config.local.instance_types()?;
            let shown = file.unwrap_or_else(|| environment.default_config());
            println!(
                "{} is good: it would listen on {}, data in {}",
                shown.display(),
                listeners.join(" and "),
                config.data(&environment).display()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The example with all that stands behind a `# ` at the beginning of a line and looks like TOML.
    fn whole() -> String {
        let is_toml = |line: &str| {
            line.starts_with('[')
                || line
                    .split_once(" = ")
                    .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        };
        let shown = |line: &str| match line.strip_prefix("# ") {
            Some(inside) if is_toml(inside) => inside.to_owned(),
            _ => line.to_owned(),
        };
        EXAMPLE.lines().map(shown).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_example_names_every_section_and_only_keys_that_are_known() {
        toml::from_str::<Config>(EXAMPLE).expect("the example as it is");
        let whole = whole();
        toml::from_str::<Config>(&whole).expect("every key of it");
        let named: toml::Table = toml::from_str(&whole).expect("a table");
        let sections: BTreeSet<&str> = named.keys().map(String::as_str).collect();
        let known = [
            "account",
            "apt",
            "local",
            "notifications",
            "outgoing",
            "retention",
            "script",
            "secret",
            "server",
            "token",
            "traffic_guards",
            "triggers",
            "webhook",
        ];
        assert_eq!(sections, known.into_iter().collect());
    }
}
