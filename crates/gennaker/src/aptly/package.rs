//! `aptly package …`, and what other commands need of queries and package lists.

use apt::Follow;
use debian::package::{Key, Package};
use debian::query::{self, Query};
use debian::stanza::{BINARY_ORDER, SOURCE_ORDER};

use super::config::Config;
use super::flags::{Parsed, quote_hint};
use super::{Context, Failure, Unable, say, template};

/// A query argument; `@file` and `@-` are read.
pub fn query_text(arg: &str) -> Result<String, String> {
    match arg.strip_prefix('@') {
        Some("-") => std::io::read_to_string(std::io::stdin())
            .map(|text| text.trim().to_owned())
            .map_err(|error| error.to_string()),
        Some(file) => std::fs::read_to_string(file)
            .map(|text| text.trim().to_owned())
            .map_err(|error| format!("unable to read {file}: {error}")),
        None => Ok(arg.to_owned()),
    }
}

pub fn queries(args: &[String]) -> Result<Vec<Query>, String> {
    let parse = |arg: &String| {
        let text = query_text(arg)?;
        query::parse(&text).map_err(|error| format!("{error}{}", quote_hint(&text)))
    };
    args.iter().map(parse).collect()
}

/// Several query arguments are joined by "or".
pub fn one_query(args: &[String]) -> Result<Query, String> {
    Query::any(queries(args)?).ok_or_else(|| "a query is missing".into())
}

/// What configuration and flags say about dependencies.
pub fn follow(config: &Config) -> Follow {
    Follow {
        architectures: config.list("architectures"),
        suggests: config.on("dependencyFollowSuggests"),
        recommends: config.on("dependencyFollowRecommends"),
        source: config.on("dependencyFollowSource"),
        all_variants: config.on("dependencyFollowAllVariants"),
        verbose: config.on("dependencyVerboseResolve"),
    }
}

/// The list that `-with-packages` adds.
pub fn print_list(keys: &[Key]) {
    say!("Packages:");
    keys.iter().for_each(|key| say!("  {key}"));
}

/// Prints packages a line each, or as a template says.
fn print_found(found: &[Package], format: &str) -> Result<(), Failure> {
    if found.is_empty() {
        return Err(Failure::Run("no results".into()));
    }
    for package in found {
        if format.is_empty() {
            say!("{}", package.key);
            continue;
        }
        let stanza = package.full_stanza();
        let field = |name: &str| match name {
            "Key" => Some(package.key.full()),
            "ShortKey" => Some(package.key.short()),
            "FilesHash" => Some(format!("{:08x}", package.key.files)),
            name => Some(stanza.get(name).to_owned()).filter(|value| !value.is_empty()),
        };
        // A template that cannot be read prints nothing, as aptly leaves it.
        if let Some(text) = template::fill(format, &field) {
            say!("{text}");
        }
    }
    Ok(())
}

/// `repo search`, `snapshot search`: the query is the second word.
pub fn search_list(context: &mut Context, parsed: &Parsed, list: &str) -> Result<(), Failure> {
    let query = if parsed.args.len() > 1 { Some(one_query(&parsed.args[1..]).unable("search")?) } else { None };
    let follow = parsed.on("with-deps").then(|| follow(&context.config));
    let found = context.root()?.search(list, query.as_ref(), follow.as_ref()).unable("search")?;
    print_found(&found, &parsed.text("format"))
}

pub fn search(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let query = if parsed.args.is_empty() { None } else { Some(one_query(&parsed.args).unable("search")?) };
    let mut found = context.root()?.all_packages()?;
    found.retain(|package| query.as_ref().is_none_or(|query| query.matches(package)));
    print_found(&found, &parsed.text("format"))
}

pub fn show(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let query = one_query(&parsed.args).unable("show")?;
    let root = context.root()?;
    for package in root.all_packages()?.iter().filter(|package| query.matches(package)) {
        let order: &[&str] = if package.kind == debian::package::Kind::Source { &SOURCE_ORDER } else { &BINARY_ORDER };
        let mut text = String::new();
        package.full_stanza().render(order, &mut text);
        say!("{text}");
        if parsed.on("with-files") {
            say!("Files in the pool:");
            for file in &package.files {
                say!("  {}", apt::located(&root, file)?.display());
            }
            say!("");
        }
        if parsed.on("with-references") {
            say!("References to package:");
            for mirror in root.mirrors()? {
                if root.keys(&mirror.root)?.contains(&package.key) {
                    say!("  mirror {mirror}");
                }
            }
            for (repo, _) in root.repos()? {
                if root.keys(&repo.root)?.contains(&package.key) {
                    say!("  local repo {repo}");
                }
            }
            for snapshot in root.snapshots()? {
                if root.keys(&snapshot.root)?.contains(&package.key) {
                    say!("  snapshot {snapshot}");
                }
            }
            say!("");
        }
    }
    Ok(())
}
