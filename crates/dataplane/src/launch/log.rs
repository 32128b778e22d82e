//! What the program writes: into a file of bounded size, and the last lines in memory.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::clock::Clock;
use crate::logs::stamp;

/// How many of the last lines are told.
const LINES: usize = 30;
/// How long one of them may be.
const LONGEST: usize = 400;

/// The log of one instance.
pub struct Log {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    cap: u64,
    tail: VecDeque<String>,
    open_line: Vec<u8>,
    /// Whether a line is begun in the file.
    begun: bool,
    clock: Clock,
}

impl Log {
    /// Goes on with the file at `path`; at `cap` bytes it becomes `path.1`, and the one before is gone.
    pub fn open(path: PathBuf, cap: u64, clock: Clock) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let size = file.metadata()?.len();
        let (tail, open_line) = (VecDeque::new(), Vec::new());
        Ok(Self { path, file: Some(file), size, cap: cap.max(4096), tail, open_line, begun: false, clock })
    }

    /// Takes what the program wrote. A full disk loses log, not service.
    pub fn write(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            if self.size >= self.cap {
                self.rotate();
            }
            let stamp = if self.begun { String::new() } else { stamp(self.clock.now()) };
            // In one piece: whoever follows the file sees no time without its line.
            let stamped = [stamp.as_bytes(), line].concat();
            if let Some(file) = &mut self.file
                && file.write_all(&stamped).is_ok()
            {
                self.size += stamped.len() as u64;
            }
            self.begun = !line.ends_with(b"\n");
            self.remember(line);
        }
    }

    /// Says something of our own.
    pub fn say(&mut self, text: &str) {
        self.write(format!("gennaker: {text}\n").as_bytes());
    }

    /// The last lines, control characters made visible.
    pub fn tail(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.tail.iter().cloned().collect();
        if !self.open_line.is_empty() {
            lines.push(inert(&self.open_line));
        }
        lines
    }

    fn rotate(&mut self) {
        let mut old = self.path.clone().into_os_string();
        old.push(".1");
        let _ = fs::rename(&self.path, old);
        self.file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path).ok();
        self.size = 0;
    }

    fn remember(&mut self, line: &[u8]) {
        let room = LONGEST.saturating_sub(self.open_line.len());
        self.open_line.extend(line.iter().filter(|b| **b != b'\n').take(room));
        if line.ends_with(b"\n") {
            if self.tail.len() == LINES {
                self.tail.pop_front();
            }
            let line = std::mem::take(&mut self.open_line);
            self.tail.push_back(inert(&line));
        }
    }
}

/// Text that no terminal obeys.
fn inert(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end_matches('\r').chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_fills_two_files_at_most_and_the_last_lines_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(path.clone(), 4096, Clock::new(|| 1_800_000_000_000)).unwrap();
        for i in 0..5_000 {
            log.write(format!("line {i}\n").as_bytes());
        }
        log.write(b"half \x1b[31mred");
        assert!(fs::metadata(&path).unwrap().len() <= 4096 + 100);
        assert!(fs::metadata(dir.path().join("log.1")).unwrap().len() <= 4096 + 100);
        let written = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[lines.len() - 2], "2027-01-15T08:00:00.000Z line 4999");
        log.write(b" and more\n");
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(
            written.lines().last(),
            Some("2027-01-15T08:00:00.000Z half \u{1b}[31mred and more"),
            "one time a line"
        );
        let tail = log.tail();
        assert_eq!(tail[0], "line 4971");
        assert_eq!(tail[29], "half \u{fffd}[31mred and more");
    }
}
