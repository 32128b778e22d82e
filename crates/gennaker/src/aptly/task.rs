//! `task run`: several commands, one after the other; after a failure the rest is skipped.

use std::io::Write;
use std::process::ExitCode;

use super::flags::Parsed;
use super::{Context, Failure, say};

pub fn run(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let commands = commands(parsed)?;
    if commands.is_empty() {
        return Err(Failure::Run("the passed command list is empty".into()));
    }
    let mut failed = None;
    for (at, words) in commands.iter().enumerate() {
        let (number, line) = (at + 1, words.join(" "));
        if failed.is_some() {
            say!("\n{number}) [Skipping]: {line}");
            continue;
        }
        say!("\n{number}) [Running]: {line}\n\nBegin command output: {}", "-".repeat(28));
        let code = super::run_words(words, &context.environment, context.anywhere, context.as_aptly);
        say!("\nEnd command output: {}", "-".repeat(30));
        let _ = std::io::stdout().flush();
        if code != ExitCode::SUCCESS {
            failed = Some(number);
        }
    }
    match failed {
        None => Ok(()),
        Some(number) => Err(Failure::Run(format!("at least one command has reported an error: the {number}. one"))),
    }
}

/// The commands from a file, from the words, or from standard input.
fn commands(parsed: &Parsed) -> Result<Vec<Vec<String>>, Failure> {
    let file = parsed.text("filename");
    if !file.is_empty() {
        let text =
            std::fs::read_to_string(&file).map_err(|error| Failure::Run(format!("unable to read {file}: {error}")))?;
        return text.lines().filter(|line| !line.trim().is_empty()).map(shell_words).collect();
    }
    if parsed.args.is_empty() {
        let text = std::io::read_to_string(std::io::stdin())?;
        return text.lines().filter(|line| !line.trim().is_empty()).map(shell_words).collect();
    }
    let mut all = vec![Vec::new()];
    for word in &parsed.args {
        let (word, ends) = word.strip_suffix(',').map_or((word.as_str(), false), |word| (word, true));
        if let (Some(command), false) = (all.last_mut(), word.is_empty()) {
            command.push(word.to_owned());
        }
        if ends {
            all.push(Vec::new());
        }
    }
    all.retain(|command| !command.is_empty());
    Ok(all)
}

/// Splits a line as a shell does, without expanding anything.
fn shell_words(line: &str) -> Result<Vec<String>, Failure> {
    let (mut words, mut word, mut quote, mut letters) = (Vec::new(), None::<String>, None, line.chars());
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err(Failure::Run(format!("a quote is not closed: {line}")));
    }
    words.extend(word);
    Ok(words)
}
