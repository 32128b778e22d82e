//! A script's process: clean environment, a folder of its own, a time limit, bounded output, and the end of every process of it whatever happens.
//! What keeps it in is in `confine`.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pipeline::{Log, Map};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::config::Limits;
use super::confine::{self, MARK, Means};
use super::properties;

/// A longer line is cut.
const LONGEST_LINE: usize = 8 * 1024;
/// More of the output is counted, not kept.
const MOST_BYTES: usize = 32 << 20;
/// So many of the last lines are kept with the stage.
const KEPT: usize = 40;
/// A larger property file is not read.
const LARGEST_PROPERTIES: u64 = 1 << 20;

/// What to run.
#[derive(Default)]
pub struct Script {
    /// The program, by name or path, unless `text` is the program.
    pub program: String,
    /// A script's text, which is put into the folder and run.
    pub text: Option<String>,
    /// The arguments.
    pub args: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// It runs in a fresh folder below this one.
    pub folder: PathBuf,
    /// Inside that folder, or elsewhere.
    pub working: Option<PathBuf>,
    /// So long it may take.
    pub time: Duration,
    /// What it may use.
    pub limits: Limits,
    /// The file that holds its results, inside the folder in which it runs.
    pub property_file: Option<String>,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// Why it counts as failed; `None` when it ended with 0.
    pub failure: Option<String>,
    /// Its exit code, when it ended by itself.
    pub code: Option<i32>,
    /// Its last lines.
    pub last: Vec<String>,
    /// What its property file says.
    pub properties: Map,
}

/// Ends all processes of a script when it goes, however that comes about.
struct Kept {
    group: Pid,
    control: Option<confine::Group>,
    /// Looked for one by one where no namespace ends them.
    mark: Option<String>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The group may be gone already; that is as good.
        let _ = kill_process_group(self.group, Signal::KILL);
        drop(self.control.take());
        if let Some(mark) = &self.mark {
            confine::end_marked(mark);
        }
    }
}

/// A folder that goes with the script.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "cannot remove a script's folder");
        }
    }
}

/// Runs it to its end. When the caller goes away, all its processes end.
pub async fn run(script: Script, means: &Means, log: &Log) -> Result<Ended, String> {
    let folder = fresh(&script.folder)?;
    let working = working(&folder.0, script.working.as_deref())?;
    let (program, args) = program(&script, &folder.0, &working)?;
    let shown = if script.program.is_empty() { "the script" } else { &script.program };
    let mark = folder.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let control = confine::Group::new(&mark, &script.limits);
    if let Some(missing) = means.missing(control.as_ref()) {
        log.line(&format!("gennaker: {missing}"));
    }
    let words = means.words(&program, &args, &script.limits, control.as_ref());
    let Some((first, rest)) = words.split_first() else { return Err("there is nothing to run".into()) };
    let mut command = Command::new(first);
    command
        .args(rest)
        .env_clear()
        .envs(&script.env)
        .env("HOME", &folder.0)
        .env(MARK, &mark)
        .current_dir(&working)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("cannot start {shown}: {error}"))?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let group = group.ok_or("the script has no process id")?;
    let kept = Kept { group, control, mark: (!means.ends_all()).then_some(mark) };
    if !means.limits_from_the_start() {
        limit(group);
    }
    let (lines, mut taken) = mpsc::channel(256);
    for stream in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
        tokio::spawn(split(stream, lines.clone()));
    }
    drop(lines);
    let mut output = Output { most: script.limits.lines(), count: 0, left_out: 0, bytes: 0, last: VecDeque::new() };
    let ended = tokio::time::timeout(script.time, async {
        loop {
            tokio::select! {
                Some(line) = taken.recv() => output.keep(line, log),
                status = child.wait() => return status,
            }
        }
    })
    .await;
    // What still holds the pipes ends now, so that the rest of the output has an end.
    drop(kept);
    let rest = async {
        while let Some(line) = taken.recv().await {
            output.keep(line, log);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), rest).await;
    if output.left_out > 0 {
        log.line(&format!("{} more lines were left out", output.left_out));
    }
    let (mut failure, code) = match ended {
        Err(_) => (Some(format!("{shown} was ended: it took longer than {} s", script.time.as_secs_f32())), None),
        Ok(Err(error)) => (Some(format!("cannot wait for {shown}: {error}")), None),
        Ok(Ok(status)) if status.success() => (None, Some(0)),
        Ok(Ok(status)) => (Some(sentence(shown, status, means, output.last.back())), status.code()),
    };
    let properties = match (&script.property_file, &failure) {
        (Some(name), None) => read_properties(&working, name).unwrap_or_else(|why| {
            failure = Some(format!("the property file '{name}' cannot be read: {why}"));
            Map::new()
        }),
        _ => Map::new(),
    };
    Ok(Ended { failure, code, last: output.last.into(), properties })
}

/// Where it runs.
fn working(folder: &Path, wanted: Option<&Path>) -> Result<PathBuf, String> {
    let Some(wanted) = wanted else { return Ok(folder.to_owned()) };
    if wanted.is_absolute() {
        return Ok(wanted.to_owned());
    }
    let inside = inside(folder, wanted)?;
    std::fs::create_dir_all(&inside)
        .map_err(|error| format!("cannot make the folder {}: {error}", wanted.display()))?;
    Ok(inside)
}

/// A path below a folder; one that leads out is refused.
fn inside(folder: &Path, wanted: &Path) -> Result<PathBuf, String> {
    if wanted.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok(folder.join(wanted));
    }
    Err(format!("'{}' leads out of the script's folder", wanted.display()))
}

/// The file that is run, and its arguments.
fn program(script: &Script, folder: &Path, working: &Path) -> Result<(PathBuf, Vec<String>), String> {
    let path = script.env.get("PATH").map_or("", String::as_str);
    if let Some(text) = &script.text {
        let file = folder.join("script");
        let failed = |error| format!("cannot write the script: {error}");
        std::fs::write(&file, text).map_err(failed)?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
        if text.starts_with("#!") {
            return Ok((file, script.args.clone()));
        }
        let shell = confine::find("sh", path).ok_or("cannot start the script: there is no sh in PATH")?;
        let args = std::iter::once(file.to_string_lossy().into_owned()).chain(script.args.iter().cloned());
        return Ok((shell, args.collect()));
    }
    let name = &script.program;
    let found = match name.contains('/') {
        true => confine::find(&working.join(name).to_string_lossy(), path),
        false => confine::find(name, path),
    };
    let program = found.ok_or_else(|| format!("cannot start {name}: there is no such program that can be run"))?;
    Ok((program, script.args.clone()))
}

/// What the property file says.
fn read_properties(working: &Path, name: &str) -> Result<Map, String> {
    let file = inside(working, Path::new(name))?;
    let about = std::fs::symlink_metadata(&file).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is no plain file".into());
    }
    if about.len() > LARGEST_PROPERTIES {
        return Err(format!("it is larger than {LARGEST_PROPERTIES} bytes"));
    }
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    properties::read(name, &text)
}

fn sentence(program: &str, status: ExitStatus, means: &Means, last: Option<&String>) -> String {
    use std::os::unix::process::ExitStatusExt;
    // The namespace's first process tells a signal as a shell does.
    let told = status.code().filter(|code| means.ends_all() && (129..=159).contains(code)).map(|code| code - 128);
    let how = match (status.code(), status.signal().or(told)) {
        (_, Some(24)) => "was ended: it used more processor time than its limit".to_owned(),
        (_, Some(25)) => "was ended: it wrote a larger file than its limit".to_owned(),
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        (Some(code), None) => format!("ended with exit code {code}"),
        (None, None) => "ended".to_owned(),
    };
    match last {
        Some(line) => format!("{program} {how}; its last line: {line}"),
        None => format!("{program} {how} and wrote nothing"),
    }
}

fn fresh(below: &std::path::Path) -> Result<Folder, String> {
    let failed = |error| format!("cannot make a folder for the script below {}: {error}", below.display());
    std::fs::create_dir_all(below).map_err(failed)?;
    let folder = tempfile::Builder::new().prefix("script-").tempdir_in(below).map_err(failed)?;
    Ok(Folder(folder.keep()))
}

/// Limits that hold from now on for the process and its later children, where none could be set before it began.
fn limit(pid: Pid) {
    let at_most = |n: u64| Rlimit { current: Some(n), maximum: Some(n) };
    // A limit that cannot be set (it is lower already) stays as it is.
    for (resource, n) in [(Resource::Fsize, 1 << 30), (Resource::Core, 0), (Resource::Nofile, 1024)] {
        let _ = prlimit(Some(pid), resource, at_most(n));
    }
}

fn boxed(stream: impl AsyncRead + Send + Unpin + 'static) -> Box<dyn AsyncRead + Send + Unpin> {
    Box::new(stream)
}

/// What is kept of the output.
struct Output {
    most: u64,
    count: u64,
    left_out: u64,
    bytes: usize,
    last: VecDeque<String>,
}

impl Output {
    fn keep(&mut self, line: String, log: &Log) {
        self.count += 1;
        self.bytes += line.len();
        if self.count <= self.most && self.bytes <= MOST_BYTES {
            log.line(&line);
        } else {
            self.left_out += 1;
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}

/// Cuts a stream into lines; what is no text or would steer a terminal is shown as `\u{…}`.
async fn split(mut stream: Box<dyn AsyncRead + Send + Unpin>, to: mpsc::Sender<String>) {
    let mut buffer = [0; 8192];
    let mut line: Vec<u8> = Vec::new();
    loop {
        let n = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(n) => n,
        };
        for byte in &buffer[..n] {
            if *byte == b'\n' {
                if to.send(inert(&line)).await.is_err() {
                    return;
                }
                line.clear();
            } else if line.len() < LONGEST_LINE {
                line.push(*byte);
            }
        }
    }
    if !line.is_empty() {
        let _ = to.send(inert(&line)).await;
    }
}

fn inert(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end_matches('\r')
        .chars()
        .map(|c| if c.is_control() && c != '\t' { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests;
