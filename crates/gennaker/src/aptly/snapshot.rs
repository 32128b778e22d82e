//! `aptly snapshot …`.

use apt::{DropRefused, Merge, Pull};

use super::flags::Parsed;
use super::package::{self, follow, one_query, queries};
use super::repo::print_json;
use super::{Context, Failure, Unable, say, shown_time, tell};

fn created(name: &str) {
    say!(
        "\nSnapshot {name} successfully created.\nYou can run 'aptly publish snapshot {name}' to publish snapshot as Debian repository."
    );
}

pub fn create(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let words: Vec<&str> = parsed.args.iter().map(String::as_str).collect();
    let root = context.root()?;
    match words[..] {
        [name, "from", "repo", repo] => root.snapshot_repo(name, repo).unable("add snapshot")?,
        [name, "empty"] => root.snapshot_empty(name).unable("add snapshot")?,
        [name, "from", "mirror", mirror] => {
            // A mirror that is not there is told in other words than a snapshot that is.
            root.mirror(mirror).unable("create snapshot")?;
            root.snapshot_mirror(name, mirror).unable("add snapshot")?
        }
        _ => {
            let why = "expected <name> from mirror <mirror>, <name> from repo <repo>, or <name> empty";
            return Err(Failure::Misuse(why.into(), Vec::new()));
        }
    };
    created(words[0]);
    Ok(())
}

pub fn list(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let mut snapshots = context.root()?.snapshots()?;
    let sort = parsed.text("sort");
    match sort.as_str() {
        "name" => {}
        "time" => snapshots.sort_by_key(|snapshot| snapshot.created),
        _ if parsed.on("raw") => return Ok(()),
        _ => return Err(Failure::Run(format!("sorting method \"{sort}\" unknown"))),
    }
    if parsed.on("json") {
        let root = context.root()?;
        let all = snapshots
            .iter()
            .map(|snapshot| root.shown_snapshot(snapshot, None, false))
            .collect::<apt::Result<Vec<_>>>()?;
        print_json(&all.into());
    } else if parsed.on("raw") {
        snapshots.iter().for_each(|snapshot| say!("{}", snapshot.name));
    } else if snapshots.is_empty() {
        say!("\nNo snapshots found, create one with `aptly snapshot create...`.");
    } else {
        say!("List of snapshots:");
        snapshots.iter().for_each(|snapshot| say!(" * {snapshot}"));
        say!("\nTo get more information about snapshot, run `aptly snapshot show <name>`.");
    }
    Ok(())
}

pub fn show(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    let snapshot = root.snapshot(&parsed.args[0]).unable("show")?;
    if parsed.on("json") {
        let packages = if parsed.on("with-packages") {
            let mut names: Vec<String> = root.keys(&snapshot.root)?.iter().map(ToString::to_string).collect();
            names.sort();
            Some(names)
        } else {
            None
        };
        print_json(&root.shown_snapshot(&snapshot, packages, true)?);
        return Ok(());
    }
    say!(
        "Name: {}\nCreated At: {}\nDescription: {}",
        snapshot.name,
        shown_time(snapshot.created),
        snapshot.description
    );
    say!("Number of packages: {}", root.count(&snapshot.root)?);
    let sources = root.snapshot_sources(&snapshot)?;
    if !sources.is_empty() {
        say!("Sources:");
        sources.iter().for_each(|(name, kind)| say!("  {name} [{}]", kind.word()));
    }
    if parsed.on("with-packages") {
        package::print_list(&root.keys(&snapshot.root)?);
    }
    Ok(())
}

pub fn verify(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    say!("Loading packages...");
    let follow = follow(&context.config);
    let missing = context.root()?.verify_snapshot(&parsed.args[0], &parsed.args[1..], &follow).unable("verify")?;
    say!("Verifying...");
    if missing.is_empty() {
        say!("All dependencies are satisfied.");
    } else {
        say!("Missing dependencies ({}):", missing.len());
        missing.iter().for_each(|one| say!("  {one}"));
    }
    Ok(())
}

pub fn pull(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let queries = queries(&parsed.args[3..]).unable("pull")?;
    let how = Pull {
        dry_run: parsed.on("dry-run"),
        no_deps: parsed.on("no-deps"),
        no_remove: parsed.on("no-remove"),
        all_matches: parsed.on("all-matches"),
        follow: follow(&context.config),
    };
    let (target, source, name) = (&parsed.args[0], &parsed.args[1], &parsed.args[2]);
    let made = context
        .root()?
        .pull_snapshot(target, source, name, &queries, &parsed.args[3..].join(" "), &how, &mut tell)
        .unable("pull")?;
    match made {
        Some(_) => created(name),
        None => say!("\nNot creating snapshot, as dry run was requested."),
    }
    Ok(())
}

pub fn diff(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let root = context.root()?;
    let left = root.snapshot(&parsed.args[0]).unable("diff")?;
    let right = root.snapshot(&parsed.args[1]).unable("diff")?;
    let rows = root.compare(&left.root, &right.root).unable("diff")?;
    if rows.is_empty() {
        say!("Snapshots are identical.");
        return Ok(());
    }
    say!("  {:<6} | {:<40} | {:<40} | {:<40}", "Arch", "Package", "Version in A", "Version in B");
    for row in rows {
        let mark = match (&row.left, &row.right) {
            (Some(_), Some(_)) => '!',
            (Some(_), None) => '-',
            _ => '+',
        };
        if parsed.on("only-matching") && mark != '!' {
            continue;
        }
        let Some(key) = row.left.as_ref().or(row.right.as_ref()) else { continue };
        let version =
            |key: &Option<debian::package::Key>| key.as_ref().map_or("-".to_owned(), |key| key.version.clone());
        say!(
            "{mark} {:<6} | {:<40} | {:<40} | {:<40}",
            key.architecture,
            key.name,
            version(&row.left),
            version(&row.right)
        );
    }
    Ok(())
}

pub fn merge(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let how = match (parsed.on("latest"), parsed.on("no-remove")) {
        (true, true) => return Err(Failure::Run("-no-remove and -latest can't be specified together".into())),
        (true, false) => Merge::Latest,
        (false, true) => Merge::KeepAll,
        (false, false) => Merge::Replace,
    };
    let name = &parsed.args[0];
    context.root()?.merge_snapshots(name, &parsed.args[1..], how).unable("create snapshot")?;
    created(name);
    Ok(())
}

pub fn filter(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let query = one_query(&parsed.args[2..]).unable("filter")?;
    let follow = parsed.on("with-deps").then(|| follow(&context.config));
    let (source, name) = (&parsed.args[0], &parsed.args[1]);
    let shown = parsed.args[2..].join(" ");
    context.root()?.filter_snapshot(source, name, &query, &shown, follow.as_ref(), &mut tell).unable("filter")?;
    say!(
        "\nSnapshot {name} successfully filtered.\nYou can run 'aptly publish snapshot {name}' to publish snapshot as Debian repository."
    );
    Ok(())
}

pub fn search(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let snapshot = context.root()?.snapshot(&parsed.args[0]).unable("search")?;
    package::search_list(context, parsed, &snapshot.root)
}

pub fn rename(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (old, new) = (&parsed.args[0], &parsed.args[1]);
    context.root()?.rename_snapshot(old, new).unable("rename")?;
    say!("\nSnapshot {old} -> {new} has been successfully renamed.");
    Ok(())
}

pub fn drop(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let name = &parsed.args[0];
    match context.root()?.drop_snapshot(name, parsed.on("force")) {
        Ok(_) => say!("Snapshot `{name}` has been dropped."),
        Err(DropRefused::Published(by)) => {
            say!("Snapshot `{name}` is published currently:");
            by.iter().for_each(|one| say!(" * {one}"));
            return Err(Failure::Run("unable to drop: snapshot is published".into()));
        }
        Err(DropRefused::Snapshots(by)) => {
            say!("Snapshot `{name}` was used as a source in following snapshots:");
            by.iter().for_each(|one| say!(" * {one}"));
            return Err(Failure::Run(
                "won't delete snapshot that was used as source for other snapshots, use -force to override".into(),
            ));
        }
        Err(error) => return Err(error).unable("drop"),
    }
    Ok(())
}
