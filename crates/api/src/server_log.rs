//! The server's own log as files of bounded size: `DATA/logs/server.log` and the one before it. A line is a JSON object as `tracing` writes it.
//! Here: writing, reading what is new since a place, and how a line looks for people. What is logged is said where it happens.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// At this size a file becomes the old one, and the one before is gone.
const LARGEST: u64 = 8 << 20;
/// The most lines that are given at once.
pub const MOST: usize = 10_000;

/// Where the newest lines of a data folder are.
pub fn file(data: &Path) -> PathBuf {
    data.join("logs/server.log")
}

fn old(data: &Path) -> PathBuf {
    data.join("logs/server.log.1")
}

/// Takes lines; nowhere before it was opened.
#[derive(Clone, Default)]
pub struct ServerLog(Arc<Mutex<Option<Open>>>);

struct Open {
    data: PathBuf,
    file: File,
    size: u64,
}

impl ServerLog {
    /// Goes on with the file of a data folder, which must be this process's alone.
    pub fn open(&self, data: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(data.join("logs")) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let file = append(&file(data))?;
        let size = file.metadata()?.len();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Open { data: data.to_owned(), file, size });
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

impl Write for ServerLog {
    /// Takes whole lines. A full disk loses log, not service.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(open) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            open.write(bytes, LARGEST);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Open {
    fn write(&mut self, bytes: &[u8], largest: u64) {
        if self.size >= largest
            && std::fs::rename(file(&self.data), old(&self.data)).is_ok()
            && let Ok(new) = append(&file(&self.data))
        {
            (self.file, self.size) = (new, 0);
        }
        if self.file.write_all(bytes).is_ok() {
            self.size += bytes.len() as u64;
        }
    }
}

/// What of the log is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// So many of the newest lines.
    pub lines: usize,
    /// Those of one request only.
    pub request: Option<String>,
    /// Only what was written after this place, which an earlier answer told.
    pub after: Option<String>,
}

/// Lines of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ServerLines {
    /// Oldest first, each a JSON object.
    pub lines: Vec<String>,
    /// Where whoever follows goes on.
    pub next: String,
}

/// Reads the log of a data folder. A server that never ran there has none: `NotFound`.
pub fn read(data: &Path, asked: &Asked) -> io::Result<ServerLines> {
    let mut newest = File::open(file(data))?;
    let inode = newest.metadata()?.ino();
    let after = asked.after.as_deref().and_then(place);
    let mut found = VecDeque::new();
    let mut take = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        for line in text.lines().filter(|line| asked.request.as_deref().is_none_or(|id| is_of(line, id))) {
            if found.len() >= asked.lines.min(MOST) {
                found.pop_front();
            }
            found.push_back(line.to_owned());
        }
    };
    // What stood behind the place in the file before, if it was rotated meanwhile; without a place all of it.
    let from = match after {
        Some((at, offset)) if at == inode => offset,
        _ => {
            if let Ok(mut before) = File::open(old(data)) {
                let known = before.metadata()?.ino();
                match after {
                    Some((at, offset)) if at == known => take(&whole_lines(&mut before, offset)?),
                    None => take(&whole_lines(&mut before, 0)?),
                    Some(_) => {}
                }
            }
            0
        }
    };
    let text = whole_lines(&mut newest, from)?;
    take(&text);
    found.truncate(asked.lines.min(MOST));
    Ok(ServerLines { lines: found.into(), next: format!("{inode}-{}", from + text.len() as u64) })
}

fn place(text: &str) -> Option<(u64, u64)> {
    let (inode, offset) = text.split_once('-')?;
    Some((inode.parse().ok()?, offset.parse().ok()?))
}

/// From a place to the last line break: what comes behind it is still being written.
fn whole_lines(file: &mut File, from: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(2 * LARGEST).read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(end);
    Ok(bytes)
}

/// Whether a line was written for this request.
fn is_of(line: &str, request: &str) -> bool {
    // Most lines are not: they need not be taken apart.
    line.contains(request) && serde_json::from_str(line).is_ok_and(|line: Value| request_of(&line) == Some(request))
}

fn request_of(line: &Value) -> Option<&str> {
    let spans = line["spans"].as_array().into_iter().flatten();
    spans.into_iter().find(|span| span["name"] == "request").and_then(|span| span["id"].as_str())
}

/// A line for people, [`inert`]: time, level, place, what happened, its fields, the request.
pub fn shown(line: &str) -> String {
    let Ok(parts @ Value::Object(_)) = serde_json::from_str(line) else { return inert(line) };
    let text = |name: &str| parts[name].as_str().unwrap_or_default();
    let fields = &parts["fields"];
    let message = fields["message"].as_str().unwrap_or_default();
    let mut out = format!("{} {:5} {}: {message}", text("timestamp"), text("level"), text("target"));
    for (name, value) in fields.as_object().into_iter().flatten().filter(|(name, _)| *name != "message") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(out, " {name}={value}");
        }
    }
    if let Some(request) = request_of(&parts) {
        let _ = write!(out, " request={request}");
    }
    inert(&out)
}

/// Control characters but tabs are shown, not obeyed: a log must not drive the terminal.
pub fn inert(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() && c != '\t' { c.escape_default().collect() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str, request: &str) -> String {
        serde_json::json!({"timestamp": "2027-01-15T08:00:00.123456Z", "level": "ERROR", "fields": {"message": message, "status": 500, "why": ""},
            "target": "api::requests", "spans": [{"id": request, "name": "request"}]})
        .to_string()
            + "\n"
    }

    fn log(data: &Path) -> Open {
        let log = ServerLog::default();
        log.open(data).expect("opens");
        let open = log.0.lock().expect("not poisoned").take();
        open.expect("open")
    }

    fn asked(lines: usize) -> Asked {
        Asked { lines, ..Asked::default() }
    }

    #[test]
    fn a_flood_fills_two_files_at_most() {
        let data = tempfile::tempdir().expect("a folder");
        let mut log = log(data.path());
        for number in 0..1_000 {
            log.write(line(&number.to_string(), "r").as_bytes(), 10_000);
        }
        for path in [file(data.path()), old(data.path())] {
            assert!(std::fs::metadata(&path).expect("there").len() < 10_300, "{}", path.display());
        }
        let last = read(data.path(), &asked(2)).expect("reads").lines;
        assert_eq!(last, [line("998", "r").trim(), line("999", "r").trim()]);
    }

    #[test]
    fn who_follows_misses_nothing_when_the_file_is_rotated() {
        let data = tempfile::tempdir().expect("a folder");
        let mut log = log(data.path());
        log.write(b"one\ntwo\n", 10);
        let first = read(data.path(), &asked(1)).expect("reads");
        assert_eq!(first.lines, ["two"]);
        let more =
            |after: &str| read(data.path(), &Asked { after: Some(after.to_owned()), ..asked(9) }).expect("reads");
        assert_eq!(more(&first.next), ServerLines { lines: Vec::new(), next: first.next.clone() });
        log.write(b"three\nhal", 10);
        let second = more(&first.next);
        assert_eq!(second.lines, ["three"]);
        // The half line ends where it began; the next write begins a new file.
        log.file.write_all(b"f\n").expect("written");
        log.write(b"four\n", 10);
        let third = more(&second.next);
        assert_eq!(third.lines, ["half", "four"]);
        assert_eq!(more("17-0").lines, ["four"], "of a place that is gone the newest file is read");
    }

    #[test]
    fn the_lines_of_one_request_are_found_and_shown() {
        let data = tempfile::tempdir().expect("a folder");
        let mut log = log(data.path());
        for (message, request) in [("a", "01X"), ("about 01Y", "01X"), ("b\u{1b}[2J", "01Y")] {
            log.write(line(message, request).as_bytes(), LARGEST);
        }
        let asked = Asked { request: Some("01Y".into()), ..asked(9) };
        let found = read(data.path(), &asked).expect("reads").lines;
        assert_eq!(found.len(), 1);
        assert_eq!(
            shown(&found[0]),
            "2027-01-15T08:00:00.123456Z ERROR api::requests: b\\u{1b}[2J status=500 request=01Y"
        );
        assert_eq!(shown("no JSON\u{7}"), "no JSON\\u{7}");
    }
}
