//! `gennaker logs`: what an application's instances wrote, and what they go on writing. Read from their folders, so it
//! works without a server. The server's own log is in `server`.

mod server;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use api::server_log::inert;
use dataplane::logs;
use jiff::{SignedDuration, Timestamp};
use store::clock::{Clock, SystemClock};

use crate::machine::{Place, application};

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    /// An application, one of its server groups, or one instance: APP, APP/vNNN or APP/vNNN/INSTANCE
    #[arg(value_name = "APP[/vNNN[/INSTANCE]]", required_unless_present = "server", conflicts_with = "server")]
    what: Option<String>,
    /// The server's own log: of the data folder, or of the server at URL (else at $GENNAKER_SERVER); there a token of an admin is needed
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true)]
    server: Option<Option<String>>,
    /// With --server: the lines of one request, by the id that stands in its error
    #[arg(long, value_name = "ID", requires = "server")]
    request: Option<String>,
    /// With --server: lines as they are kept, a JSON object each
    #[arg(long, requires = "server")]
    json: bool,
    /// Of instances of this account only, where the machine has several
    #[arg(long, value_name = "NAME", conflicts_with = "server")]
    account: Option<String>,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// So many of the last lines, of each instance
    #[arg(short = 'n', long, default_value_t = 100)]
    lines: usize,
    /// What was written since then only, also by instances that are gone: 90s, 10m, 2h, 3d, or a time as 2027-01-15T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Instances that are gone, too (their logs are kept for 30 days)
    #[arg(short, long)]
    previous: bool,
    /// Show when each line was written
    #[arg(long)]
    timestamps: bool,
    #[command(flatten)]
    place: Place,
}

/// Prints them; with `-f` until it is interrupted.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(server) = &args.server {
        return server::run(&args, server.as_deref());
    }
    let what = args.what.as_deref().unwrap_or_default();
    let machine = args.place.machine()?;
    let meant = |account: &str, group: &str, id: &str| {
        args.account.as_ref().is_none_or(|wanted| wanted == named(account)) && chosen(what, group, id)
    };
    let past_meant = |past: &logs::Past| meant(&past.account, &past.group, &past.id);
    let mut tails: Vec<Tail> = Vec::new();
    let find = |tails: &mut Vec<Tail>| {
        for (instance, folder) in machine.instances() {
            let id = shown(&instance.account, &instance.id);
            let known = tails.iter().any(|tail| tail.id == id);
            if !known && meant(&instance.account, &instance.group, &instance.id) {
                tails.push(Tail::new(id, folder.log()));
            }
        }
    };
    find(&mut tails);
    let since = args.since.as_deref().map(|text| since(text, SystemClock.now())).transpose()?;
    if args.previous || since.is_some() {
        let past = logs::past(&machine.data).into_iter().filter(past_meant);
        let tail = |past: logs::Past| Tail::new(shown(&past.account, &past.id), past.log);
        tails.splice(0..0, past.map(tail).collect::<Vec<_>>());
    }
    if tails.is_empty() {
        let instances = machine.instances().into_iter();
        let known: Vec<String> = instances.map(|(instance, _)| shown(&instance.account, &instance.id)).collect();
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
        let gone = logs::past(&machine.data).into_iter().filter(past_meant).count();
        let gone = if gone == 0 { String::new() } else { format!("; --previous shows {gone} that are gone") };
        bail!("no instance of {} in {}: {known}{gone}", what, machine.data.display());
    }
    let mut out = io::stdout().lock();
    let prefix = tails.len() > 1 || args.follow;
    for tail in &mut tails {
        for line in tail.last(args.lines, since)? {
            print(&mut out, &tail.id, prefix, args.timestamps, &line)?;
        }
    }
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::sleep(Duration::from_millis(100));
        find(&mut tails);
        for tail in &mut tails {
            for line in tail.more()? {
                print(&mut out, &tail.id, prefix, args.timestamps, &line)?;
            }
        }
        out.flush()?;
    }
}

/// The account of an instance: the machine's own has no word of its own there.
fn named(account: &str) -> &str {
    if account.is_empty() { "local" } else { account }
}

/// An instance in front of its lines: of another account with the account's name.
fn shown(account: &str, id: &str) -> String {
    if account.is_empty() { id.to_owned() } else { format!("{account}/{id}") }
}

/// The moment that is meant by a time, or by so long before now.
pub(super) fn since(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let wrong = || anyhow::anyhow!("--since {text} is no time; write 90s, 10m, 2h, 3d or 2027-01-15T08:00:00Z");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => 0,
    };
    if let (1.., Ok(count)) = (unit, text.get(..text.len().saturating_sub(1)).unwrap_or_default().parse::<u32>()) {
        return now.checked_sub(SignedDuration::from_secs(i64::from(count) * unit)).map_err(|_| wrong());
    }
    text.parse().map_err(|_| wrong())
}

fn print(out: &mut impl Write, id: &str, prefix: bool, stamps: bool, line: &str) -> io::Result<()> {
    let line = inert(if stamps { line } else { logs::split(line).1 });
    if prefix { writeln!(out, "{id}  {line}") } else { writeln!(out, "{line}") }
}

/// Whether an instance is meant by `APP[/vNNN[/INSTANCE]]`; `APP` may also be a cluster (`app-stack`).
fn chosen(what: &str, group: &str, id: &str) -> bool {
    let mut parts = what.split('/');
    let app = parts.next().unwrap_or_default();
    let cluster = group.rsplit_once('-').map_or(group, |(cluster, _)| cluster);
    if app != application(group) && app != cluster {
        return false;
    }
    let version = parts.next().is_none_or(|version| group.rsplit('-').next() == Some(version));
    version && parts.next().is_none_or(|instance| id == instance || id.ends_with(&format!("-{instance}")))
}

/// One growing file, also when it is rotated.
struct Tail {
    id: String,
    path: PathBuf,
    open: Option<(File, u64)>,
    half: Vec<u8>,
}

impl Tail {
    fn new(id: String, path: PathBuf) -> Self {
        Tail { id, path, open: None, half: Vec::new() }
    }

    /// The last `count` lines; the next [`Tail::more`] goes on after them.
    fn last(&mut self, count: usize, since: Option<Timestamp>) -> io::Result<Vec<String>> {
        let mut lines = VecDeque::new();
        // A line without a time belongs to the one before it.
        let mut meant = since.is_none();
        let old = self.path.with_file_name("log.1");
        for path in [&old, &self.path] {
            let Ok(file) = File::open(path) else { continue };
            for line in BufReader::new(file).split(b'\n') {
                let line = String::from_utf8_lossy(&line?).into_owned();
                if let (Some(since), Some(at)) = (since, logs::split(&line).0) {
                    meant = at >= since;
                }
                if !meant {
                    continue;
                }
                lines.push_back(line);
                if lines.len() > count {
                    lines.pop_front();
                }
            }
        }
        if let Ok(mut file) = File::open(&self.path) {
            file.seek(SeekFrom::End(0))?;
            let inode = file.metadata()?.ino();
            self.open = Some((file, inode));
        }
        Ok(lines.into())
    }

    /// The whole lines that were written since.
    fn more(&mut self) -> io::Result<Vec<String>> {
        let mut bytes = std::mem::take(&mut self.half);
        if let Some((file, inode)) = &mut self.open {
            file.read_to_end(&mut bytes)?;
            if std::fs::metadata(&self.path).is_ok_and(|now| now.ino() == *inode) {
                return Ok(self.cut(bytes));
            }
        }
        // The first look at a new instance's file, or another file has taken the place of the one that was read to its end.
        if let Ok(mut file) = File::open(&self.path) {
            file.read_to_end(&mut bytes)?;
            let inode = file.metadata()?.ino();
            self.open = Some((file, inode));
        }
        Ok(self.cut(bytes))
    }

    fn cut(&mut self, bytes: Vec<u8>) -> Vec<String> {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.half = bytes[end..].to_vec();
        String::from_utf8_lossy(&bytes[..end]).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_a_group_or_an_instance_can_be_named() {
        for (what, meant) in [
            ("shop", true),
            ("shop-test", true),
            ("shop/v001", true),
            ("shop-test/v001", true),
            ("shop/v001/shop-test-v001-x7", true),
            ("shop/v001/x7", true),
            ("shop/v002", false),
            ("shop/v001/x8", false),
            ("sho", false),
        ] {
            assert_eq!(chosen(what, "shop-test-v001", "shop-test-v001-x7"), meant, "{what}");
        }
    }

    #[test]
    fn a_rotated_file_is_followed_without_losing_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        std::fs::write(&path, "one\ntwo\n").expect("written");
        let mut tail = Tail::new("a".into(), path.clone());
        assert_eq!(tail.last(1, None).expect("reads"), ["two"]);
        let mut file = File::options().append(true).open(&path).expect("opens");
        write!(file, "three\nfo").expect("written");
        assert_eq!(tail.more().expect("reads"), ["three"]);
        writeln!(file, "ur").expect("written");
        std::fs::rename(&path, folder.path().join("log.1")).expect("rotated");
        std::fs::write(&path, "five\n").expect("written");
        assert_eq!(tail.more().expect("reads"), ["four", "five"]);
        assert_eq!(tail.more().expect("reads"), [""; 0]);
    }

    #[test]
    fn what_was_written_since_a_moment_is_shown_with_the_lines_that_belong_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let text = "2027-01-15T08:00:00.000Z old\nits rest\n2027-01-15T08:10:00.000Z new\nits rest, too\n";
        std::fs::write(&path, text).expect("written");
        let now: Timestamp = "2027-01-15T08:12:00Z".parse().expect("a time");
        let lines = |text: &str| {
            Tail::new("a".into(), path.clone()).last(100, Some(since(text, now).expect("a time"))).expect("reads")
        };
        assert_eq!(lines("5m"), ["2027-01-15T08:10:00.000Z new", "its rest, too"]);
        assert_eq!(lines("2027-01-15T08:00:00Z").len(), 4);
        assert_eq!(lines("1d").len(), 4);
        for wrong in ["", "m", "5x", "-5m", "yesterday", "é"] {
            assert!(since(wrong, now).is_err(), "{wrong}");
        }
        let mut out = Vec::new();
        print(&mut out, "a", false, false, "2027-01-15T08:10:00.000Z new").expect("prints");
        print(&mut out, "a", false, true, "2027-01-15T08:10:00.000Z new").expect("prints");
        assert_eq!(String::from_utf8(out).expect("text"), "new\n2027-01-15T08:10:00.000Z new\n");
    }

    #[test]
    fn terminal_escapes_are_shown_and_not_obeyed() {
        let mut out = Vec::new();
        print(&mut out, "a", true, false, "\u{1b}[2Jboo\tx").expect("prints");
        assert_eq!(String::from_utf8(out).expect("text"), "a  \\u{1b}[2Jboo\tx\n");
    }
}
