//! `aptly repo …`.

use std::path::PathBuf;

use apt::{AddOptions, DropRefused, RepoChange, Transfer, Uploaders};
use serde_json::Value;

use super::flags::Parsed;
use super::package::{self, one_query};
use super::{Context, Failure, Unable, say, tell};

/// Two-space JSON with Go's escapes.
pub fn print_json(value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    say!("{}", text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"));
}

fn change(parsed: &Parsed, create: bool) -> Result<RepoChange, Failure> {
    let uploaders = match parsed.text_if_given("uploaders-file").as_deref() {
        None => None,
        Some("") => Some(None),
        Some(file) => Some(Some(load_uploaders(file)?)),
    };
    let component = parsed.text_if_given("component").or(create.then(|| "main".to_owned()));
    Ok(RepoChange {
        comment: parsed.text_if_given("comment"),
        distribution: parsed.text_if_given("distribution"),
        component,
        uploaders,
    })
}

pub fn load_uploaders(file: &str) -> Result<Uploaders, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Run(format!("error loading uploaders file {file}: {error}")))?;
    Ok(Uploaders::parse(&text)?)
}

pub fn create(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let words: Vec<&str> = parsed.args.iter().map(String::as_str).collect();
    let (name, from) = match words[..] {
        [name] => (name, None),
        [name, "from", "snapshot", snapshot] => (name, Some(snapshot)),
        _ => return Err(Failure::Misuse("expected <name> [from snapshot <snapshot>]".into(), Vec::new())),
    };
    let change = change(parsed, true)?;
    let repo = context.root()?.create_repo(name, &change, from).unable("add local repo")?;
    say!(
        "\nLocal repo {repo} successfully added.\nYou can run 'aptly repo add {name} ...' to add packages to repository."
    );
    Ok(())
}

pub fn list(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let repos = context.root()?.repos()?;
    if parsed.on("json") {
        print_json(&repos.iter().map(|(repo, _)| repo.shown()).collect());
    } else if parsed.on("raw") {
        repos.iter().for_each(|(repo, _)| say!("{}", repo.name));
    } else if repos.is_empty() {
        say!("No local repositories found, create one with `aptly repo create ...`.");
    } else {
        say!("List of local repos:");
        repos.iter().for_each(|(repo, count)| say!(" * {repo} (packages: {count})"));
        say!("\nTo get more information about local repository, run `aptly repo show <name>`.");
    }
    Ok(())
}

pub fn show(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    let repo = root.repo(&parsed.args[0]).unable("show")?;
    let with_packages = parsed.on("with-packages");
    if parsed.on("json") {
        let mut shown = repo.shown();
        let mut names: Vec<String> =
            if with_packages { root.keys(&repo.root)?.iter().map(ToString::to_string).collect() } else { Vec::new() };
        names.sort();
        shown["Packages"] = names.into();
        print_json(&shown);
        return Ok(());
    }
    say!(
        "Name: {}\nComment: {}\nDefault Distribution: {}\nDefault Component: {}",
        repo.name,
        repo.comment,
        repo.distribution,
        repo.component
    );
    if let Some(uploaders) = &repo.uploaders {
        say!("Uploaders: {}", uploaders.compact());
    }
    say!("Number of packages: {}", root.count(&repo.root)?);
    if with_packages {
        package::print_list(&root.keys(&repo.root)?);
    }
    Ok(())
}

pub fn add(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let paths: Vec<PathBuf> = parsed.args[1..].iter().map(PathBuf::from).collect();
    let options = AddOptions { force_replace: parsed.on("force-replace"), remove_files: parsed.on("remove-files") };
    let added = context.root()?.add(&parsed.args[0], &paths, options, &mut tell).unable("add")?;
    some_failed(&added.failed, "some files failed to be added")
}

/// Names the files that were not taken and fails, if there are any.
fn some_failed(failed: &[String], why: &str) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    say!("[!] Some files were skipped due to errors:");
    failed.iter().for_each(|file| say!("  {file}"));
    Err(Failure::Run(why.into()))
}

pub fn include(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let uploaders = match parsed.text("uploaders-file").as_str() {
        "" => None,
        file => Some(load_uploaders(file)?),
    };
    let template = parsed.text("repo");
    let paths: Vec<PathBuf> = parsed.args.iter().map(PathBuf::from).collect();
    let options = apt::IncludeOptions {
        force_replace: parsed.on("force-replace"),
        remove_files: !parsed.on("no-remove-files"),
        accept_unsigned: parsed.on("accept-unsigned"),
        ignore_signatures: parsed.on_if_given("ignore-signatures").unwrap_or(context.config.on("gpgDisableVerify")),
        keyrings: super::key::keyrings(&context.config, parsed),
        uploaders,
    };
    let target = |field: &dyn Fn(&str) -> Option<String>| super::template::fill(&template, field);
    let failed = context.root()?.include(&paths, &options, &target, &mut tell).unable("include")?;
    some_failed(&failed, "some files failed to be added")
}

pub fn remove(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let query = one_query(&parsed.args[1..]).unable("remove")?;
    let dry = parsed.on("dry-run");
    context.root()?.remove_packages(&parsed.args[0], &query, dry, &mut tell).unable("remove")?;
    if dry {
        say!("\nChanges not saved, as dry run has been requested.");
    }
    Ok(())
}

/// A command of ours: old versions leave.
pub fn prune(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let keep = parsed.text("keep");
    let keep = keep.parse().map_err(|_| Failure::Run(format!("-keep is {keep:?}, which is no number")))?;
    let query = if parsed.args.len() > 1 { Some(one_query(&parsed.args[1..]).unable("prune")?) } else { None };
    let dry = parsed.on("dry-run");
    context.root()?.prune_repo(&parsed.args[0], keep, query.as_ref(), dry, &mut tell).unable("prune")?;
    if dry {
        say!("\nChanges not saved, as dry run has been requested.");
    }
    Ok(())
}

fn transfer(context: &mut Context, parsed: &Parsed, moves: bool) -> Result<(), Failure> {
    let verb = if moves { "move" } else { "copy" };
    let root = context.root()?;
    let query = one_query(&parsed.args[2..]).unable(verb)?;
    let dry_run = parsed.on("dry-run");
    let with_deps = parsed.on("with-deps").then(|| package::follow(&context.config));
    let how = Transfer { moves, dry_run, with_deps };
    root.transfer(&parsed.args[0], &parsed.args[1], &query, &how, &mut tell).unable(verb)?;
    if dry_run {
        say!("\nChanges not saved, as dry run has been requested.");
    }
    Ok(())
}

pub fn copy(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    transfer(context, parsed, false)
}

pub fn move_(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    transfer(context, parsed, true)
}

pub fn edit(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let change = change(parsed, false)?;
    let repo = context.root()?.edit_repo(&parsed.args[0], &change).unable("edit")?;
    say!("Local repo {repo} successfully updated.");
    Ok(())
}

pub fn rename(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (old, new) = (&parsed.args[0], &parsed.args[1]);
    context.root()?.rename_repo(old, new).unable("rename")?;
    say!("\nLocal repo {old} -> {new} has been successfully renamed.");
    Ok(())
}

pub fn drop(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let name = &parsed.args[0];
    match context.root()?.drop_repo(name, parsed.on("force")) {
        Ok(_) => say!("Local repo `{name}` has been removed."),
        Err(DropRefused::Published(by)) => {
            say!("Local repo `{name}` is published currently:");
            by.iter().for_each(|one| say!(" * {one}"));
            return Err(Failure::Run("unable to drop: local repo is published".into()));
        }
        Err(DropRefused::Snapshots(by)) => {
            say!("Local repo `{name}` was used to create following snapshots:");
            by.iter().for_each(|one| say!(" * {one}"));
            return Err(Failure::Run("won't delete local repo with snapshots, use -force to override".into()));
        }
        Err(error) => return Err(error).unable("drop"),
    }
    Ok(())
}

pub fn search(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    let repo = root.repo(&parsed.args[0]).unable("search")?;
    package::search_list(context, parsed, &repo.root)
}
