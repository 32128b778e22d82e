//! `gennaker demo`: walks the whole story on this machine, from packages to traffic, and says what held.
//!
//! Everything it does goes through the product's own commands and API, as a user would do it. Here: the order of the steps.

mod aptly;
mod checks;
mod clients;
mod load;
pub mod packages;
mod place;
mod progress;
mod server;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::environment::Environment;
use place::Place;
use progress::Progress;

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    /// The demo's folder [default: /var/lib/gennaker-demo as root, else ~/.local/share/gennaker-demo]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// End everything afterwards, instead of leaving server and page running
    #[arg(long, conflicts_with = "clean")]
    exit: bool,
    /// Remove every trace of the demo: processes, mounts, folders
    #[arg(long)]
    clean: bool,
}

/// Walks it. Exit code 0 when every step held and no request failed.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let folder = args.data.unwrap_or_else(|| default_folder(&environment));
    let folder = std::path::absolute(folder)?;
    if args.clean {
        let gone = Place::clean(&folder)?;
        println!(
            "{}",
            if gone {
                format!("{} and all that ran for it is gone", folder.display())
            } else {
                "there is no demo".into()
            }
        );
        return Ok(ExitCode::SUCCESS);
    }
    let progress = Progress::new();
    if Place::clean(&folder)? {
        println!("The demo that was here before has been removed.");
    }
    // Another provider that was installed before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let place = Place::make(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let walked = runtime.block_on(walk(&place, &environment, &progress));
    runtime.shutdown_background();
    let walked = walked.and_then(|report| {
        print!("{}", report.shown());
        if report.failures > 0 {
            bail!("{} requests failed", report.failures)
        }
        Ok(report)
    });
    if args.exit {
        place.end_processes()?;
    }
    match walked {
        Ok(report) if args.exit => {
            println!("Everything that the demo started has ended. It took {:.0} s.", report.took.as_secs_f64())
        }
        Ok(report) => println!("{}", report.addresses()),
        Err(error) => {
            eprintln!("\nthe demo stopped: {error:#}");
            eprintln!(
                "Logs are in {}; `gennaker demo --clean --data {}` removes everything.",
                place.log().display(),
                folder.display()
            );
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Not below the server's own data folder: that one is private, and a web server's worker must reach the published files.
fn default_folder(environment: &Environment) -> PathBuf {
    let data = environment.default_data();
    let parent = data.parent().map(PathBuf::from).unwrap_or_else(|| "/".into());
    parent.join("gennaker-demo")
}

async fn walk(place: &Place, environment: &Environment, progress: &Progress) -> anyhow::Result<story::Report> {
    let begun = std::time::Instant::now();
    progress.step("Looking at this machine", checks::machine(place, environment)).await?;
    progress.step("Building helloterry 1.0, 2.0 and a broken 3.0", packages::build(place)).await?;
    let line = progress.step("Publishing 1.0 with aptly's own commands", aptly::publish_first(place)).await?;
    progress.step("apt-get installs it from aptly serve", clients::from_aptly(place, &line)).await?;
    progress.step("apt-get installs it from nginx", clients::from_nginx(place, environment, &line)).await?;
    let mut server = progress.step("Starting gennaker serve", server::Server::start(place)).await?;
    let mut report = story::tell(place, &mut server, progress).await?;
    report.took = begun.elapsed();
    Ok(report)
}
