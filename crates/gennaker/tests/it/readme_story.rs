//! The documentation's commands, run as they stand there: each page in a fresh folder with a fresh home, in a network of its own where every
//! port is free, on a terminal. What a page shows of their output must be what they print.
//!
//! A block ```` ```console ```` is run: a line that begins with `$ ` is a command and must end with 0; the lines under it, if there are any,
//! are what it prints. `…` stands for anything within a line, and on a line of its own for any lines. A block ```` ```toml ```` is a
//! configuration that `gennaker config check` must find good. Blocks `json` and `text` are no commands. Every other block needs
//! `<!-- not run: REASON -->` before it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::probe;

use crate::server::run;

/// How long a page may take, in seconds.
const PATIENCE: &str = "240";

/// A command of a page.
struct Step {
    /// Where it stands.
    line: usize,
    text: String,
    /// What the page shows of its output.
    shown: Vec<String>,
}

/// What is run of a page, in order, and the files that it needs.
#[derive(Default)]
struct Play {
    steps: Vec<Step>,
    files: Vec<(String, String)>,
}

/// Reads a page; what is wrong with its blocks is told by line.
fn read(page: &str) -> Result<Play, String> {
    let mut play = Play::default();
    let mut excused = false;
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.trim_start().strip_prefix("```") else {
            if let Some(rest) = line.strip_prefix("<!-- not run:") {
                excused = rest.trim_end_matches("-->").trim().len() > 5;
            } else if !line.trim().is_empty() {
                excused = false;
            }
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let inside = |line: &str| line.get(indent..).unwrap_or_default().trim_end().to_owned();
        let block = lines.by_ref().take_while(|(_, line)| !line.trim_start().starts_with("```"));
        let block: Vec<(usize, String)> = block.map(|(number, line)| (number + 1, inside(line))).collect();
        match kind.trim() {
            _ if std::mem::take(&mut excused) => {}
            "console" => commands(&block, &mut play)?,
            "toml" => {
                let name = format!("block-{}.toml", number + 1);
                let text = format!("gennaker config check {name}");
                play.steps.push(Step { line: number + 1, text, shown: Vec::new() });
                play.files.push((name, block.iter().map(|(_, line)| format!("{line}\n")).collect()));
            }
            "json" | "text" => {}
            other => {
                let what =
                    "is neither run nor excused: make it ```console, or write <!-- not run: REASON --> before it";
                return Err(format!("line {}: the block \"{other}\" {what}", number + 1));
            }
        }
    }
    Ok(play)
}

fn commands(block: &[(usize, String)], play: &mut Play) -> Result<(), String> {
    let mut first = true;
    for (number, line) in block {
        match (line.strip_prefix("$ "), play.steps.last_mut()) {
            (Some(text), _) => play.steps.push(Step { line: *number, text: text.to_owned(), shown: Vec::new() }),
            (None, Some(step)) if !first => step.shown.push(line.clone()),
            _ => return Err(format!("line {number}: a console block begins with `$ ` and a command")),
        }
        first = false;
    }
    Ok(())
}

/// The script that runs the steps, with marks around what each prints.
fn script(play: &Play) -> String {
    let mut script = "ip link set lo up\n".to_owned();
    for (number, step) in play.steps.iter().enumerate() {
        let text = &step.text;
        let _ = writeln!(script, "printf '\\n@@begin {number}\\n'\n{text}\nprintf '\\n@@end {number} %s\\n' $?");
    }
    script + "gennaker down --all >/dev/null 2>&1\n"
}

/// What a terminal would show: without control sequences, and of a line that was begun again the last version.
fn shown(raw: &str) -> Vec<String> {
    let line = |line: &str| {
        let last = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
        let mut plain = String::new();
        let mut rest = last.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
            rest = rest.get(1..).unwrap_or_default();
        }
        (plain + rest).trim_end().to_owned()
    };
    raw.split('\n').map(line).collect()
}

/// Whether a line is as it was shown; `…` is anything.
fn is_line(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether lines are as they were shown; a line `…` is any number of them.
fn are_lines(patterns: &[String], lines: &[String]) -> bool {
    match (patterns, lines) {
        ([], []) => true,
        ([any, others @ ..], _) if any == "…" => {
            (0..=lines.len()).any(|skipped| are_lines(others, &lines[skipped..]))
        }
        ([pattern, others @ ..], [line, rest @ ..]) => is_line(pattern, line) && are_lines(others, rest),
        _ => false,
    }
}

/// Without the empty lines at the end.
fn trimmed(mut lines: Vec<String>) -> Vec<String> {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// The step's output and exit code; none when it did not end.
fn output_of(number: usize, all: &[String]) -> Option<(Vec<String>, String)> {
    let begin = all.iter().position(|line| *line == format!("@@begin {number}"))?;
    let end = format!("@@end {number} ");
    let length = all[begin..].iter().position(|line| line.starts_with(&end))?;
    let code = all[begin + length].strip_prefix(&end)?.to_owned();
    Some((trimmed(all[begin + 1..begin + length].to_vec()), code))
}

/// What differs from the page.
fn differences(play: &Play, all: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, Step { line, text, shown }) in play.steps.iter().enumerate() {
        let Some((printed, code)) = output_of(number, all) else {
            let last = all[all.len().saturating_sub(20)..].join("\n");
            wrong.push(format!("line {line}: `{text}` did not end; the last lines:\n{last}"));
            return wrong;
        };
        let wanted = trimmed(shown.clone());
        if code != "0" || !(wanted.is_empty() || are_lines(&wanted, &printed)) {
            let (wanted, printed) = (wanted.join("\n"), printed.join("\n"));
            wrong.push(format!(
                "line {line}: `{text}` ended with {code} and printed\n{printed}\nThe page shows\n{wanted}"
            ));
        }
    }
    wrong
}

/// Runs a page.
fn play(page: &str) {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the source");
    let text = fs::read_to_string(source.join(page)).expect("the page");
    let play = read(&text).unwrap_or_else(|why| panic!("{page}, {why}"));
    let own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
    let (code, _, why) = run(Command::new("unshare").args(own).args(["ip", "link", "set", "lo", "up"]));
    if code != 0 {
        return probe::not_run(&format!("no network of its own can be made: {why}"));
    }
    let place = tempfile::tempdir().expect("a folder");
    let below = |name: &str| place.path().join(name);
    for folder in ["home", "work", "bin"] {
        fs::create_dir(below(folder)).expect("made");
    }
    for name in ["gennaker", "aptly"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gennaker"), below("bin").join(name)).expect("linked");
    }
    for (name, text) in &play.files {
        fs::write(below("work").join(name), text).expect("written");
    }
    fs::write(below("script"), script(&play)).expect("written");
    let raw = typescript(&own, place.path(), &source);
    let wrong = differences(&play, &shown(&raw));
    assert!(wrong.is_empty(), "{page}, {}", wrong.join(&format!("\n\n{page}, ")));
    assert!(play.steps.len() > 10, "{page} has only {} commands", play.steps.len());
}

/// What the script shows on a terminal. A shell is the first process: it takes in those whose parents end.
fn typescript(own: &[&str], place: &Path, source: &Path) -> String {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", PATIENCE, "unshare"]).args(own);
    command.args(["sh", "-c", "script -qec 'bash ../script' /dev/null; exit $?"]);
    command.current_dir(place.join("work")).env_clear().env("HOME", place.join("home")).env("SOURCE", source);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", place.join("bin").display());
    command.env("PATH", path).env("TERM", "dumb").env("LANG", "C.UTF-8");
    // Root's data folder would be the machine's.
    command.env("GENNAKER_SERVER__DATA", place.join("data"));
    let seen = fs::File::create(place.join("seen")).expect("a file");
    // Somebody sits there and types nothing.
    let mut child = command.stdin(Stdio::piped()).stdout(seen).stderr(Stdio::null()).spawn().expect("starts");
    let typing = child.stdin.take();
    child.wait().expect("ends");
    drop(typing);
    String::from_utf8_lossy(&fs::read(place.join("seen")).expect("read")).into_owned()
}

#[test]
fn the_commands_of_the_readme_work_as_they_stand() {
    play("README.md");
}

#[test]
fn the_commands_of_the_korean_readme_work_as_they_stand() {
    play("README.ko.md");
}

#[test]
fn the_commands_of_the_quick_start_work_as_they_stand() {
    play("docs/quickstart.md");
}

#[test]
fn the_commands_of_the_walk_work_as_they_stand() {
    play("docs/walk.md");
}

#[test]
fn the_commands_of_the_korean_walk_work_as_they_stand() {
    play("docs/ko/walk.md");
}

#[test]
fn a_wrong_command_or_output_is_found() {
    let page = "Text.\n\n```console\n$ true\n$ echo 1; echo 2\n1\n…\n$ false\n```\n";
    let play = read(page).unwrap_or_default();
    let all = |raw: &str| shown(raw);
    let good = "@@begin 0\r\n@@end 0 0\r\n@@begin 1\r\n1\r\n2\r\n\r\n@@end 1 0\r\n@@begin 2\r\n@@end 2 0\r\n";
    assert_eq!(differences(&play, &all(good)), [] as [&str; 0]);
    let wrong = differences(&play, &all(&good.replace("@@end 2 0", "@@end 2 1").replace("1\r\n2", "3\r\n2")));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].starts_with("line 5: `echo 1; echo 2` ended with 0 and printed\n3\n2\n"), "{wrong:?}");
    assert!(wrong[1].starts_with("line 8: `false` ended with 1"), "{wrong:?}");
    let wrong = differences(&play, &all("@@begin 0\r\n@@end 0 0\r\n@@begin 1\r\n1\r\n"));
    assert!(wrong[0].starts_with("line 5: `echo 1; echo 2` did not end"), "{wrong:?}");

    assert!(is_line("run  … after … s", "run  Deploy after 0.6 s") && !is_line("run … s", "run 0.6 ms!"));
    assert!(!is_line("ab", "abc") && !is_line("a…bc", "abbd") && is_line("…", ""));
    assert_eq!(shown("10 %\r\u{1b}[Kdone\u{1b}[0m\r\n"), ["done", ""]);

    let excused = "<!-- not run: it needs root -->\n```\n$ sudo true\n```\n";
    assert_eq!(read(excused).map(|play| play.steps.len()), Ok(0));
    let why = read("```\nmake test\n```\n").map(|play| play.steps.len()).expect_err("not excused");
    assert!(why.starts_with("line 1: the block \"\" is neither run nor excused"), "{why}");
}
