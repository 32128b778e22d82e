//! `gennaker restore`: brings a backup back into empty folders.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::backup::Teller;
use crate::backup::manifest::Total;
use crate::backup::restore::{self, Ask};
use crate::backup::size;
use crate::backup::source::Source;
use crate::environment::Environment;
use crate::machine::Place;
use crate::wiring;

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of backups, or the file
    backup: PathBuf,
    /// This snapshot of the folder [default: the newest]
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
    /// Where an apt root goes [default: where it was]; once for each, in the order of the backup
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Print one JSON object for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// So many damaged files are named.
const NAMED: usize = 5;

/// Runs it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let config = args.place.config_file(&environment);
    let data = args.place.data_folder(&environment)?;
    let (mut teller, mut done) = (Teller::new("verified"), Total::default());
    let source = Source::verified(&args.backup, args.snapshot.as_deref(), &mut BTreeSet::new(), &mut |bytes| {
        done.add(bytes);
        teller.tell(done);
    })?;
    let from = args.backup.display();
    source.manifest.check(&wiring::known_schemas()).with_context(|| format!("cannot restore {from}"))?;
    if !source.damaged.is_empty() {
        let named: Vec<String> =
            source.damaged.iter().take(NAMED).map(|(path, why)| format!("{path} ({why})")).collect();
        bail!(
            "{from} is damaged: {} of its files, as {}; nothing was restored. `gennaker backup list` shows other snapshots",
            source.damaged.len(),
            named.join(", ")
        );
    }
    let mut teller = Teller::new("restored");
    let ask = Ask { data: data.clone(), roots: args.root, config };
    let restored = restore::restore(&source, &ask, &mut |done| teller.tell(done))?;
    if args.json {
        let config = restored.config.as_ref().map(|(place, in_force)| json!({ "path": place, "inForce": in_force }));
        let answer = json!({
            "snapshot": source.name, "data": data, "roots": restored.roots, "config": config, "files": restored.total.files,
            "bytes": restored.total.bytes, "controlStore": source.manifest.control_store,
        });
        println!("{answer:#}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("restored  {} files, {}", restored.total.files, size(restored.total.bytes));
    println!("data      {}", data.display());
    restored.roots.iter().for_each(|root| println!("apt root  {}", root.display()));
    match &restored.config {
        Some((place, true)) => println!("config    {}", place.display()),
        Some((place, false)) => {
            println!("config    the one of then is {}; the one in force was left as it is", place.display())
        }
        None => {}
    }
    if !source.manifest.control_store {
        println!("next      pg_restore the dump of the control store, then start the server");
    } else {
        println!("next      gennaker serve: what was deployed starts again");
    }
    Ok(ExitCode::SUCCESS)
}
