//! Logs as files: what a line looks like, and where the logs of instances go that are gone. Writing them is in `launch::log`.
//!
//! A line begins with its time, `2027-01-15T08:00:00.123Z `. Of an instance that is gone `DATA/logs/ID/` keeps `log`, `log.1`, `group`
//! and `account` until whoever keeps the data folder removes them ([`older`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::disk;
use crate::folder::Folder;

/// How long a time at the beginning of a line is, with the blank behind it.
const STAMP: usize = 25;

/// The beginning of a line that was written at this time (UTC milliseconds).
pub fn stamp(at: i64) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{} ", at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

/// A line as it was written, and when; of a line without a time nobody knows.
pub fn split(line: &str) -> (Option<Timestamp>, &str) {
    match line.split_at_checked(STAMP) {
        Some((stamp, text)) => match stamp.strip_suffix(' ').and_then(|stamp| stamp.parse().ok()) {
            Some(at) => (Some(at), text),
            None => (None, line),
        },
        None => (None, line),
    }
}

/// The logs of an instance that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The instance.
    pub id: String,
    /// Its server group.
    pub group: String,
    /// Its account, as [`crate::wanted::Instance::account`] has it.
    pub account: String,
    /// The newest part; the one before has `.1` at its end.
    pub log: PathBuf,
}

fn all(data: &Path) -> PathBuf {
    data.join("logs")
}

/// Keeps the logs of an instance whose folder is about to be removed.
pub fn keep(data: &Path, id: &str, folder: &Folder) -> io::Result<()> {
    let Ok(spec) = folder.spec() else { return Ok(()) };
    disk::private_folder(&all(data))?;
    let place = all(data).join(id);
    disk::private_folder(&place)?;
    disk::replace(&place.join("group"), spec.group.as_bytes())?;
    if !spec.account.is_empty() {
        disk::replace(&place.join("account"), spec.account.as_bytes())?;
    }
    for name in ["log.1", "log"] {
        match fs::rename(folder.path().join(name), place.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What is kept, by id.
pub fn past(data: &Path) -> Vec<Past> {
    let Ok(entries) = fs::read_dir(all(data)) else { return Vec::new() };
    let one = |folder: PathBuf| {
        let group = fs::read_to_string(folder.join("group")).ok()?;
        let account = fs::read_to_string(folder.join("account")).unwrap_or_default();
        Some(Past { id: folder.file_name()?.to_str()?.to_owned(), group, account, log: folder.join("log") })
    };
    let mut found: Vec<Past> = entries.filter_map(Result::ok).filter_map(|entry| one(entry.path())).collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The folders of logs that were kept for longer than this.
pub fn older(data: &Path, now: SystemTime, kept: Duration) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(all(data)) else { return Vec::new() };
    let is_old = |entry: &fs::DirEntry| {
        // Files beside the folders are the server's own log. Where nothing is written any more a folder is as old as its end.
        let at = entry.metadata().and_then(|meta| meta.modified());
        let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        folder && at.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > kept))
    };
    entries.filter_map(Result::ok).filter(is_old).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wanted::{Instance, Root};

    #[test]
    fn a_line_has_its_time_in_front() {
        let line = stamp(1_800_000_000_123) + "listening on 8080";
        assert_eq!(line, "2027-01-15T08:00:00.123Z listening on 8080");
        assert_eq!(split(&line), (Some("2027-01-15T08:00:00.123Z".parse().unwrap()), "listening on 8080"));
        for other in
            ["", "listening on 8080", "2027-01-15T08:00:00 something else of that length", "äöüäöüäöüäöüäöüäöüäöü"]
        {
            assert_eq!(split(other), (None, other));
        }
    }

    #[test]
    fn logs_outlive_their_instance_until_they_are_old_enough() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::of(data.path(), "shop-v001-x7");
        let root = Root::Folder { dir: "/".into() };
        let instance = Instance::new("shop-v001-x7", "shop-v001", root, vec!["/bin/true".into()]);
        folder.write_spec(&Instance { account: "prod".into(), ..instance }).unwrap();
        fs::write(folder.log(), "the end\n").unwrap();
        keep(data.path(), "shop-v001-x7", &folder).unwrap();
        fs::remove_dir_all(folder.path()).unwrap();
        let kept = past(data.path());
        assert_eq!(
            kept.iter().map(|past| (past.id.as_str(), past.group.as_str(), past.account.as_str())).collect::<Vec<_>>(),
            [("shop-v001-x7", "shop-v001", "prod")]
        );
        assert_eq!(fs::read_to_string(&kept[0].log).unwrap(), "the end\n");
        let now = fs::metadata(data.path().join("logs/shop-v001-x7")).unwrap().modified().unwrap();
        let (month, minute) = (Duration::from_secs(30 * 86_400), Duration::from_secs(60));
        assert_eq!(older(data.path(), now + month - minute, month), Vec::<PathBuf>::new());
        assert_eq!(older(data.path(), now + month + minute, month), [data.path().join("logs/shop-v001-x7")]);
    }
}
