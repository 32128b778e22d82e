//! `aptly graph`: what depends on what, as a picture by `dot`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::flags::Parsed;
use super::{Context, Failure, say};

pub fn run(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    say!("Generating graph...");
    let text = context.root()?.dot(parsed.text("layout") == "vertical")?;
    let (mut output, mut format) = (parsed.text("output"), parsed.text("format"));
    if let Some((_, extension)) = output.rsplit_once('.') {
        format = extension.to_owned();
    } else if !output.is_empty() {
        output = format!("{output}.{format}");
    }
    if output.is_empty() {
        return Err(Failure::Run("name the picture's file with -output".into()));
    }
    if !format.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::Run(format!("{format:?} is not a format")));
    }
    if matches!(format.as_str(), "dot" | "gv") {
        std::fs::write(&output, text).map_err(|error| Failure::Run(format!("unable to write {output}: {error}")))?;
    } else {
        let missing =
            |error: std::io::Error| Failure::Run(format!("unable to execute dot: {error}; is graphviz installed?"));
        let mut child = Command::new("dot")
            .arg(format!("-T{format}"))
            .arg("-o")
            .arg(&output)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(missing)?;
        if let Some(mut input) = child.stdin.take() {
            let _ = input.write_all(text.as_bytes());
        }
        if !child.wait()?.success() {
            return Err(Failure::Run("dot failed".into()));
        }
    }
    say!("Output saved to {output}");
    Ok(())
}
