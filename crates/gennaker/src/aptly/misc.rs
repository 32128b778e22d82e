//! `config show` and `version`.

use super::flags::Parsed;
use super::{APTLY_VERSION, Context, Failure, say};

pub fn config_show(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    match parsed.on("yaml") {
        true => say!("{}", context.config.to_yaml().trim_end()),
        false => say!("{}", context.config.to_json()),
    }
    Ok(())
}

pub fn version(_: &mut Context, _: &Parsed) -> Result<(), Failure> {
    say!("aptly version: {APTLY_VERSION}");
    Ok(())
}
