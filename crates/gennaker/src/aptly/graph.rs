//! `aptly graph`: what depends on what, as a picture by `dot`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use apt::{Root, SourceKind};

use super::flags::Parsed;
use super::{Context, Failure, say};

/// A text inside DOT's quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['{', '}', '|', '<', '>'], " ")
}

fn dot(root: &Root, vertical: bool) -> Result<String, Failure> {
    let mut text = format!("digraph aptly {{\n  graph [rankdir={}];\n", if vertical { "TB" } else { "LR" });
    for (repo, count) in root.repos()? {
        let label = format!("{{Repo {}|comment: {}|pkgs: {count}}}", quoted(&repo.name), quoted(&repo.comment));
        writeln!(
            text,
            "  \"{}\" [shape=Mrecord, style=filled, fillcolor=mediumseagreen, label=\"{label}\"];",
            repo.uuid
        )?;
    }
    for snapshot in root.snapshots()? {
        let label = format!(
            "{{Snapshot {}|{}|pkgs: {}}}",
            quoted(&snapshot.name),
            quoted(&snapshot.description),
            root.count(&snapshot.root)?
        );
        writeln!(
            text,
            "  \"{}\" [shape=Mrecord, style=filled, fillcolor=cadetblue1, label=\"{label}\"];",
            snapshot.uuid
        )?;
        for source in &snapshot.sources {
            writeln!(text, "  \"{source}\" -> \"{}\";", snapshot.uuid)?;
        }
    }
    for publication in root.publications()? {
        let kind = if publication.kind == SourceKind::Local { "local" } else { "snapshot" };
        let label = format!(
            "{{Published {}|{kind}|arch: {}}}",
            quoted(&publication.path()),
            quoted(&publication.architectures.join(", "))
        );
        writeln!(
            text,
            "  \"{}\" [shape=Mrecord, style=filled, fillcolor=darkolivegreen1, label=\"{label}\"];",
            publication.uuid
        )?;
        for source in publication.sources.values() {
            writeln!(text, "  \"{}\" -> \"{}\";", source.uuid, publication.uuid)?;
        }
    }
    text.push_str("}\n");
    Ok(text)
}

pub fn run(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    say!("Generating graph...");
    let text = dot(&context.root()?, parsed.text("layout") == "vertical")?;
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
