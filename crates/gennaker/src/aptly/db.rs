//! `aptly db …`.

use super::flags::Parsed;
use super::{Context, Failure, Unable, say, tell};

pub fn cleanup(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let dry = parsed.on("dry-run");
    context.root()?.cleanup(dry, parsed.on("verbose"), &mut tell).unable("clean up")?;
    if dry {
        say!("\nNothing was removed, as dry run has been requested.");
    }
    Ok(())
}

/// The database recovers by itself when it is opened; what is left to do is to look at every list and finish publications.
pub fn recover(context: &mut Context, _: &Parsed) -> Result<(), Failure> {
    say!("Recovering database...");
    let root = context.root()?;
    root.recover_publications()?;
    say!("Checking database integrity...");
    for (repo, _) in root.repos()? {
        root.packages(&repo.root)?;
    }
    Ok(())
}
