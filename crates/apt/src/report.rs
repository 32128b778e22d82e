//! What commands report while they work, as typed lines. Text, task output and progress bars are renderings of it.

use debian::package::Key;

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A step begins.
    Step(String),
    /// A package is in the list now.
    Added(Key),
    /// A package left the list; the second part says why (`removed due to …`), if not just asked for.
    Removed(Key, Option<&'static str>),
    /// A package was copied, moved or imported (the word).
    Copied(Key, &'static str),
    /// Something was passed over, and why.
    Warning(String),
    /// A plain line.
    Note(String),
    /// How far long work is; no line of a text, but what bars and counters show.
    Progress(Progress),
}

/// How far long work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is counted.
    pub work: Work,
    /// How many there are in all: packages, or files to download.
    pub total: u64,
    /// How many are left.
    pub remaining: u64,
    /// Of downloads: all bytes.
    pub total_bytes: u64,
    /// Of downloads: the bytes left.
    pub remaining_bytes: u64,
}

/// What long work does with packages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Work {
    /// They are published.
    #[default]
    Publish,
    /// They are downloaded.
    Download,
    /// They are deleted.
    Delete,
    /// Files are brought to a bucket.
    Upload,
}

/// As people and a task's output read it.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Line::Step(text) | Line::Note(text) => f.write_str(text),
            Line::Added(key) => write!(f, "[+] {key} added"),
            Line::Removed(key, why) => write!(f, "[-] {key} {}", why.unwrap_or("removed")),
            Line::Copied(key, word) => write!(f, "[o] {key} {word}"),
            Line::Warning(text) => write!(f, "[!] {text}"),
            Line::Progress(progress) => write!(f, "{} of {}", progress.total - progress.remaining, progress.total),
        }
    }
}

/// Where the lines go.
pub type Sink<'a> = &'a mut dyn FnMut(Line);
