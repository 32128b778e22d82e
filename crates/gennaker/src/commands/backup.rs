//! `gennaker backup`: makes backups while everything runs, lists them, and looks whether they are whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::backup::make::{self, Ask, Made};
use crate::backup::manifest::{Manifest, Total};
use crate::backup::shelf::{self, Shelf};
use crate::backup::source::{self, Source};
use crate::backup::{is_archive, size};
use crate::environment::Environment;
use crate::machine::Place;
use crate::wiring;

/// What may be said.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// A folder for this and later backups, or a file that ends in .tar.zst
    #[arg(required = true, value_name = "DIR|FILE")]
    to: Option<PathBuf>,
    /// Remove the oldest snapshots of the folder until so many are left
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// The control store is in PostgreSQL and backed up by its own means
    #[arg(long)]
    without_control_store: bool,
    /// Print one JSON object for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What can be done with backups.
#[derive(clap::Subcommand)]
enum Verb {
    /// List the snapshots of a folder
    List {
        /// The folder, or a file
        backup: PathBuf,
        /// Print JSON for machines
        #[arg(long)]
        json: bool,
    },
    /// Compare every byte with what was written. Exit code 1 when something is damaged
    Verify {
        /// The folder, or a file
        backup: PathBuf,
        /// This snapshot alone [default: all]
        #[arg(long, value_name = "NAME")]
        snapshot: Option<String>,
        /// Remove damaged files, so that the next backup writes them again
        #[arg(long)]
        remove_damaged: bool,
        /// Print JSON for machines
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match (args.verb, args.to) {
        (Some(Verb::List { backup, json }), _) => list(&backup, json),
        (Some(Verb::Verify { backup, snapshot, remove_damaged, json }), _) => {
            verify(&backup, snapshot.as_deref(), remove_damaged, json)
        }
        (None, Some(to)) => make(&to, &args.place, args.keep, args.without_control_store, args.json),
        (None, None) => bail!("name a folder, or a file that ends in .tar.zst"),
    }
}

fn make(to: &Path, place: &Place, keep: Option<u32>, without_store: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let config = place.config(&environment)?;
    let data = std::path::absolute(config.data(&environment))?;
    let to = std::path::absolute(to)?;
    let is_archive = is_archive(&to)?;
    if is_archive && keep.is_some() {
        bail!("--keep is for folders: {} is one backup", to.display());
    }
    let is_elsewhere = config.server.store.is_some();
    if !is_elsewhere && !data.join("gennaker.db").exists() {
        bail!("there is nothing to back up in {}: name the data folder with --data or --config", data.display());
    }
    let mut roots = Vec::new();
    for root in wiring::root_folders(&config, &environment)? {
        // What no server opened yet holds nothing of ours.
        if root.join("gennaker.db").exists() {
            roots.push(root.canonicalize().with_context(|| format!("cannot resolve {}", root.display()))?);
        }
    }
    if let Some(inside) = roots.iter().chain([&data]).find(|place| to.starts_with(place)) {
        bail!("{} lies in {}, which is backed up: name a place outside", to.display(), inside.display());
    }
    let file = place.config_file(&environment);
    let ask = Ask { data, config: Some(file).filter(|file| file.exists()), control_store: !is_elsewhere, roots };
    let shelf = if is_archive { Shelf::archive(&to)? } else { Shelf::folder(&to)? };
    let mut teller = Teller::new("copied");
    let made = make::make(&ask, shelf, &mut |done| teller.tell(done))?;
    let forgotten = keep.map(|keep| shelf::forget(&to, keep as usize)).transpose()?;
    report(&to, &made, forgotten, as_json);
    if is_elsewhere && !without_store {
        bail!(
            "the control store is in PostgreSQL and not in this backup; the rest is. Back it up at the same time, before this: \
             pg_dump --format=custom --file=gennaker.dump URL (--without-control-store says that it is done)"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn report(to: &Path, made: &Made, forgotten: Option<(usize, u64)>, as_json: bool) {
    let Made { snapshot, total, new, warnings } = made;
    if as_json {
        let answer = json!({
            "backup": to, "snapshot": snapshot, "files": total.files, "bytes": total.bytes, "newFiles": new.files,
            "newBytes": new.bytes, "warnings": warnings,
            "removedSnapshots": forgotten.map_or(0, |(count, _)| count), "removedBytes": forgotten.map_or(0, |(_, bytes)| bytes),
        });
        println!("{answer:#}");
        return;
    }
    let shown = snapshot.as_ref().map_or(String::new(), |name| format!("  snapshot {name}"));
    println!("backup  {}{shown}", to.display());
    println!("holds   {} files, {}", total.files, size(total.bytes));
    println!("new     {} files, {}", new.files, size(new.bytes));
    if let Some((count, bytes)) = forgotten.filter(|(count, bytes)| *count > 0 || *bytes > 0) {
        println!("gone    {count} older snapshots, {}", size(bytes));
    }
    warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
}

/// A snapshot in a list.
fn line(name: Option<&str>, manifest: &Manifest) -> Value {
    let Total { files, bytes } = manifest.total();
    json!({
        "snapshot": name, "made": manifest.made.to_string(), "version": manifest.version, "files": files, "bytes": bytes,
        "data": manifest.data, "roots": manifest.roots, "schemas": manifest.schemas, "controlStore": manifest.control_store,
    })
}

fn list(backup: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    if is_archive(backup)? {
        all.push(line(None, &Source::verified(backup, None, &mut BTreeSet::new(), &mut |_| {})?.manifest));
    } else {
        let names = source::snapshots(backup)?;
        if names.is_empty() && !backup.join("blobs").is_dir() {
            bail!("{} holds no backups", backup.display());
        }
        for name in names {
            match source::manifest_of(backup, &name) {
                Ok(manifest) => all.push(line(Some(&name), &manifest)),
                Err(error) => all.push(json!({ "snapshot": name, "damaged": format!("{error:#}") })),
            }
        }
    }
    if as_json {
        println!("{:#}", Value::from(all));
        return Ok(ExitCode::SUCCESS);
    }
    for one in &all {
        let name = one["snapshot"].as_str().unwrap_or("(one file)");
        match one["damaged"].as_str() {
            Some(why) => println!("{name:<22} DAMAGED: {why}"),
            None => println!(
                "{name:<22} version {}, {} files, {}, of {}",
                one["version"].as_str().unwrap_or_default(),
                one["files"],
                size(one["bytes"].as_u64().unwrap_or(0)),
                one["data"].as_str().unwrap_or_default()
            ),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(backup: &Path, snapshot: Option<&str>, remove: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let names: Vec<Option<String>> = match (snapshot, is_archive(backup)?) {
        (Some(name), _) => vec![Some(name.to_owned())],
        (None, true) => vec![None],
        (None, false) => source::snapshots(backup)?.into_iter().map(Some).collect(),
    };
    if names.is_empty() {
        bail!("{} holds no snapshot that is whole", backup.display());
    }
    let mut teller = Teller::new("verified");
    let (mut done, mut all, mut damaged) = (Total::default(), Vec::new(), 0);
    // Snapshots share most of their files: each is read once.
    let mut whole = BTreeSet::new();
    for name in &names {
        let mut tell = |bytes| {
            done.add(bytes);
            teller.tell(done);
        };
        let shown = name.as_deref().unwrap_or("(one file)");
        let (files, bad): (u64, Vec<String>) = match Source::verified(backup, name.as_deref(), &mut whole, &mut tell) {
            Ok(found) => {
                if remove && found.name.is_some() {
                    found.remove_damaged()?;
                }
                let bad = found.damaged.iter().map(|(path, why)| format!("{path}: {why}")).collect();
                (found.manifest.total().files, bad)
            }
            Err(error) => (0, vec![format!("{error:#}")]),
        };
        damaged += bad.len();
        if !as_json {
            match bad.is_empty() {
                true => println!("{shown:<22} whole, {files} files"),
                false => println!("{shown:<22} DAMAGED"),
            }
            bad.iter().for_each(|bad| println!("  {bad}"));
        }
        all.push(json!({ "snapshot": name, "files": files, "damaged": bad }));
    }
    if as_json {
        println!("{:#}", Value::from(all));
    }
    if damaged == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let what = if remove { "they were removed" } else { "--remove-damaged removes such files" };
    eprintln!("gennaker: the backup is damaged; {what}, and the next backup writes again what is still there");
    Ok(ExitCode::FAILURE)
}

/// Tells on standard error how far something long is.
pub(super) struct Teller {
    what: &'static str,
    next: Instant,
}

/// So often it is told.
const TOLD: Duration = Duration::from_secs(2);

impl Teller {
    pub(super) fn new(what: &'static str) -> Teller {
        Teller { what, next: Instant::now() + TOLD }
    }

    pub(super) fn tell(&mut self, done: Total) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + TOLD;
            eprintln!("{} {} files, {} so far", self.what, done.files, size(done.bytes));
        }
    }
}
