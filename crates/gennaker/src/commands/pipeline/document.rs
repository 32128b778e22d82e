//! A file of pipelines, or the standard input, as text; and findings as people read them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pipeline::validate::{Document, Finding, Severity};

/// More than this is no file that a person wrote.
const LONGEST: u64 = 64 << 20;

/// The text of a file; `-` is the standard input.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(LONGEST).read_to_end(&mut bytes).context("cannot read the standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(LONGEST).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// What a file is called in messages.
pub fn called(path: &Path) -> PathBuf {
    if path == Path::new("-") { "standard input".into() } else { path.to_owned() }
}

/// Prints findings, each with its line where the file has lines.
pub fn print(path: &Path, text: &str, document: &Document, findings: &[Finding], colour: bool) {
    let name = called(path);
    let mut in_order: Vec<_> = findings.iter().map(|f| (document.line_and_column(text, &f.path), f)).collect();
    in_order.sort_by_key(|(place, _)| *place);
    for (place, finding) in in_order {
        let place = match place {
            Some((line, column)) => format!("{}:{line}:{column}", name.display()),
            None => name.display().to_string(),
        };
        let (word, code) = match finding.severity {
            Severity::Error => ("error", "1;31"),
            Severity::Warning => ("warning", "1;33"),
            Severity::Hint => ("hint", "1;36"),
        };
        let word = if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
        println!("{place}: {word}: {}", plain(&finding.message));
        println!("    at {}", plain(&finding.path));
        for line in finding.help.lines() {
            println!("    {}", plain(line));
        }
    }
}

/// What others wrote must not steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '�' } else { c }).collect()
}

/// `2 errors, 1 warning`, or `nothing found`.
pub fn counted(findings: &[Finding]) -> String {
    let of = |severity: Severity| findings.iter().filter(|f| f.severity == severity).count();
    let kinds = [(of(Severity::Error), "error"), (of(Severity::Warning), "warning"), (of(Severity::Hint), "hint")];
    let said: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if said.is_empty() { "nothing found".to_owned() } else { said.join(", ") }
}

/// Whether one of them is an error.
pub fn fails(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
