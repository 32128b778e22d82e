//! A script's process: clean environment, a folder of its own, a time limit, bounded output, and the end of the whole process group
//! whatever happens.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use pipeline::Log;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::mpsc;

/// A longer line is cut.
const LONGEST_LINE: usize = 8 * 1024;
/// More lines are counted, not kept.
const MOST_LINES: u64 = 20_000;
/// So many of the last lines are kept with the stage.
const KEPT: usize = 40;

/// What to run.
pub struct Script {
    /// Program and arguments.
    pub words: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// It runs in a fresh folder below this one.
    pub folder: PathBuf,
    /// So long it may take.
    pub limit: Duration,
}

/// How it ended.
pub struct Ended {
    /// Why it counts as failed; `None` when it ended with 0.
    pub failure: Option<String>,
    /// Its exit code, when it ended by itself.
    pub code: Option<i32>,
    /// Its last lines.
    pub last: Vec<String>,
}

/// Ends the process group when it goes, however that comes about.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // The group may be gone already; that is as good.
        let _ = kill_process_group(self.0, Signal::KILL);
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

/// Runs it to its end. When the caller goes away, the whole group ends.
pub async fn run(script: Script, log: &Log) -> Result<Ended, String> {
    let folder = fresh(&script.folder)?;
    let program = &script.words[0];
    let mut command = Command::new(program);
    command
        .args(&script.words[1..])
        .env_clear()
        .envs(&script.env)
        .env("HOME", &folder.0)
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let group = group.map(Group).ok_or("the script has no process id")?;
    limit(group.0);
    let (lines, mut taken) = mpsc::channel(256);
    for stream in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
        tokio::spawn(split(stream, lines.clone()));
    }
    drop(lines);
    let mut last = VecDeque::new();
    let mut count = 0;
    let ended = tokio::time::timeout(script.limit, async {
        loop {
            tokio::select! {
                Some(line) = taken.recv() => keep(line, log, &mut last, &mut count),
                status = child.wait() => return status,
            }
        }
    })
    .await;
    // What still holds the pipes ends now, so that the rest of the output has an end.
    drop(group);
    let rest = async {
        while let Some(line) = taken.recv().await {
            keep(line, log, &mut last, &mut count);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), rest).await;
    if count > MOST_LINES {
        log.line(&format!("{} more lines were left out", count - MOST_LINES));
    }
    let (failure, code) = match ended {
        Err(_) => (Some(format!("{program} was ended: it took longer than {} s", script.limit.as_secs())), None),
        Ok(Err(error)) => (Some(format!("cannot wait for {program}: {error}")), None),
        Ok(Ok(status)) if status.success() => (None, Some(0)),
        Ok(Ok(status)) => (Some(sentence(program, status, last.back())), status.code()),
    };
    Ok(Ended { failure, code, last: last.into() })
}

fn sentence(program: &str, status: std::process::ExitStatus, last: Option<&String>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
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

/// Limits that hold from now on for the process and all its children: processes, file size, no core file.
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

fn keep(line: String, log: &Log, last: &mut VecDeque<String>, count: &mut u64) {
    *count += 1;
    if *count <= MOST_LINES {
        log.line(&line);
    }
    if last.len() == KEPT {
        last.pop_front();
    }
    last.push_back(line);
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
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    async fn ran(words: &[&str], limit: Duration) -> (Ended, Vec<String>) {
        let below = tempfile::tempdir().unwrap();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = lines.clone();
        let log = Log::new(move |line| sink.lock().unwrap().push(line.to_owned()));
        let script = Script {
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("GREETING".to_owned(), "hello".to_owned())].into(),
            folder: below.path().to_owned(),
            limit,
        };
        let ended = run(script, &log).await.unwrap();
        assert_eq!(std::fs::read_dir(below.path()).unwrap().count(), 0, "its folder is gone");
        let lines = lines.lock().unwrap().clone();
        (ended, lines)
    }

    #[tokio::test]
    async fn a_script_sees_its_environment_and_nothing_else() {
        let (ended, lines) = ran(
            &["sh", "-c", "echo $GREETING; echo \"[$CARGO_MANIFEST_DIR]\" >&2; env | grep -c ."],
            Duration::from_secs(10),
        )
        .await;
        assert_eq!((ended.failure, ended.code), (None, Some(0)));
        assert!(lines.contains(&"hello".to_owned()) && lines.contains(&"[]".to_owned()), "{lines:?}");
    }

    #[tokio::test]
    async fn arguments_are_not_read_by_a_shell() {
        let (_, lines) = ran(&["echo", "$GREETING; id", "`id`"], Duration::from_secs(10)).await;
        assert_eq!(lines, ["$GREETING; id `id`"]);
    }

    #[tokio::test]
    async fn a_failure_says_the_code_and_the_last_line() {
        let (ended, _) = ran(&["sh", "-c", "echo no; exit 3"], Duration::from_secs(10)).await;
        assert_eq!(ended.failure.as_deref(), Some("sh ended with exit code 3; its last line: no"));
        assert_eq!(ended.code, Some(3));
    }

    #[tokio::test]
    async fn the_whole_group_ends_with_its_time() {
        let begun = std::time::Instant::now();
        let (ended, lines) =
            ran(&["sh", "-c", "sleep 60 & echo $!; (sleep 61 &); wait"], Duration::from_millis(500)).await;
        assert!(ended.failure.unwrap().contains("took longer than"));
        assert!(begun.elapsed() < Duration::from_secs(5));
        let child: i32 = lines[0].parse().unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(5);
        // A zombie that nobody reaped counts as ended.
        let runs = || std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|s| !s.contains(") Z "));
        while runs() && std::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!runs(), "the background process lives on");
    }

    #[tokio::test]
    async fn floods_and_terminal_escapes_are_tamed() {
        let (_, lines) = ran(&["sh", "-c", "printf '\\033[2Jx\\n'; seq 1 30000"], Duration::from_secs(20)).await;
        assert_eq!(lines[0], "\\u{1b}[2Jx");
        assert_eq!(lines.len() as u64, MOST_LINES + 1);
        assert_eq!(lines.last().unwrap(), "10001 more lines were left out");
    }
}
