//! The audit log: who asked for what changes something, and how it was answered. It is only ever added to, and each entry bears the digest of
//! the one before, so that one that was changed, taken out or put in between later is found. Not here: which requests come into it (`api`).
//!
//! A digest is the SHA-256 over the entry's values in the order of [`Entry::digest`], each as its length in eight bytes (big-endian) and its
//! text in UTF-8: whoever has the entries can check them without this program. Whoever can write the whole table can also make a new chain;
//! against that the [`Head`] is noted elsewhere, and [`verify`] looks whether it is still in the chain.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::id::{hex, is_sha256};
use store::{Migration, Row, StoreError, Tx, params};

/// The log's table.
pub const MIGRATIONS: &[Migration] = &[Migration { domain: "audit", number: 1, sql: TABLE }];

const TABLE: &str = "
create table audit (
    seq bigint primary key, at bigint not null, who text not null, role text not null, method text not null, path text not null,
    status bigint not null, request text not null, previous text not null, digest text not null);
";

/// What stands before the first entry.
const NOTHING: &str = "";
/// So many entries are read at once.
const PAGE: i64 = 1000;

/// What is noted of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Who asked.
    pub who: String,
    /// As what.
    pub role: String,
    /// The method.
    pub method: String,
    /// The path, without what followed the question mark.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The id of the request, which the server's log has, too.
    pub request: String,
}

/// One entry, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number, from 1 on without a gap.
    pub seq: i64,
    /// When the answer was ready, in milliseconds since 1970.
    pub at: i64,
    /// Who asked.
    pub who: String,
    /// As what.
    pub role: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status of the answer.
    pub status: i64,
    /// The id of the request.
    pub request: String,
    /// The digest of the entry before; empty for the first.
    pub previous: String,
    /// Its own.
    pub digest: String,
}

impl Entry {
    /// What its digest has to be.
    fn digest(&self) -> String {
        let (seq, at, status) = (self.seq.to_string(), self.at.to_string(), self.status.to_string());
        let mut sum = Sha256::new();
        for part in [&seq, &at, &self.who, &self.role, &self.method, &self.path, &status, &self.request, &self.previous]
        {
            sum.update((part.len() as u64).to_be_bytes());
            sum.update(part.as_bytes());
        }
        hex(&sum.finalize())
    }
}

/// The newest entry of a chain: what stands before it cannot be changed without changing this. Written `NUMBER:DIGEST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The entry's number.
    pub seq: i64,
    /// Its digest.
    pub digest: String,
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, self.digest)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Head, String> {
        let read = || {
            let (seq, digest) = text.split_once(':')?;
            let digest = digest.to_ascii_lowercase();
            is_sha256(&digest).then_some(Head { seq: seq.parse().ok().filter(|seq| *seq > 0)?, digest })
        };
        read().ok_or_else(|| {
            format!("{text} is no head of an audit log: NUMBER:DIGEST, as `gennaker audit verify` tells it")
        })
    }
}

/// What was found in a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many entries were looked at.
    pub entries: u64,
    /// The time of the oldest, in milliseconds since 1970.
    pub since: Option<i64>,
    /// The newest.
    pub head: Option<Head>,
    /// What is wrong, with the number of the entry where it shows.
    pub broken: Option<Broken>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The number of the first entry that does not fit.
    pub seq: i64,
    /// What does not.
    pub why: String,
}

const COLUMNS: &str = "seq, at, who, role, method, path, status, request, previous, digest";

fn read(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        seq: row.int(0)?,
        at: row.int(1)?,
        who: row.text(2)?,
        role: row.text(3)?,
        method: row.text(4)?,
        path: row.text(5)?,
        status: row.int(6)?,
        request: row.text(7)?,
        previous: row.text(8)?,
        digest: row.text(9)?,
    })
}

/// Adds an entry behind the newest.
pub fn append(tx: &mut Tx, deed: &Deed) -> Result<(), StoreError> {
    let last = tx.query_opt("select seq, digest from audit order by seq desc limit 1", params![])?;
    let (before, previous) = last.map_or(Ok((0, NOTHING.to_owned())), |row| Ok((row.int(0)?, row.text(1)?)))?;
    let Deed { who, role, method, path, status, request } = deed.clone();
    let (seq, at, status) = (before + 1, tx.now().as_millisecond(), i64::from(status));
    let mut entry = Entry { seq, at, who, role, method, path, status, request, previous, digest: String::new() };
    entry.digest = entry.digest();
    let Entry { who, role, method, path, request, previous, digest, .. } = &entry;
    tx.execute(
        &format!("insert into audit ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
        params![seq, at, who, role, method, path, status, request, previous, digest],
    )?;
    Ok(())
}

/// What of the log is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Of this one only.
    pub who: Option<String>,
    /// Not older than this, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Only entries with a smaller number: to go on backwards.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// Entries, the newest first.
pub fn list(tx: &mut Tx, asked: &Asked) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "select {COLUMNS} from audit where seq < ?1 and at >= ?2 and (?3 = '' or who = ?3) order by seq desc limit ?4"
    );
    let (before, since) = (asked.before.unwrap_or(i64::MAX), asked.since.unwrap_or(i64::MIN));
    let who = asked.who.clone().unwrap_or_default();
    tx.query(&sql, params![before, since, who, asked.limit])?.iter().map(read).collect()
}

/// Follows the chain from its oldest entry to its newest. `noted`: a head that was told before, which has to be in it.
pub fn verify(tx: &mut Tx, noted: Option<&Head>) -> Result<Verified, StoreError> {
    let mut verified = Verified { entries: 0, since: None, head: None, broken: None };
    let sql = format!("select {COLUMNS} from audit where seq > ?1 order by seq limit ?2");
    loop {
        let after = verified.head.as_ref().map_or(0, |head| head.seq);
        let page = tx.query(&sql, params![after, PAGE])?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let entry = read(row)?;
            if let Some(why) = wrong(&entry, verified.head.as_ref(), noted) {
                verified.broken = Some(Broken { seq: entry.seq, why });
                return Ok(verified);
            }
            verified.entries += 1;
            verified.since.get_or_insert(entry.at);
            verified.head = Some(Head { seq: entry.seq, digest: entry.digest });
        }
    }
    let newest = verified.head.as_ref().map_or(0, |head| head.seq);
    if let Some(noted) = noted.filter(|noted| noted.seq > newest) {
        let why = format!("the log ends with number {newest}, and this one was noted: what came last was taken away");
        verified.broken = Some(Broken { seq: noted.seq, why });
    }
    Ok(verified)
}

/// Pure: what does not fit at an entry. The oldest one follows what was forgotten, or nothing.
fn wrong(entry: &Entry, before: Option<&Head>, noted: Option<&Head>) -> Option<String> {
    match before {
        Some(before) if entry.seq != before.seq + 1 => {
            return Some(format!("it follows number {}: what was between was taken away", before.seq));
        }
        Some(before) if entry.previous != before.digest => {
            return Some("it bears another digest of the entry before: one of the two was put here".into());
        }
        None if (entry.seq == 1) != (entry.previous == NOTHING) => {
            return Some("it is the oldest, and it does not begin a log".into());
        }
        _ => {}
    }
    if entry.digest() != entry.digest {
        return Some("its digest is not that of what it says: it was changed".into());
    }
    let noted = noted.filter(|noted| noted.seq == entry.seq)?;
    (noted.digest != entry.digest).then(|| "another entry of this number was noted: the log was made anew".into())
}

/// The oldest entries, from before a moment; not the newest of all, which the next one follows, and none behind one that stays.
const OLD: &str = "from audit where at < ?1 and seq < (select max(seq) from audit)
    and seq < (select coalesce(min(seq), 9223372036854775807) from audit where at >= ?1)";

/// Forgets at most `limit` of the oldest entries, from before a moment; tells how many. The newest stays.
pub fn sweep(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let sql = format!("delete from audit where seq in (select seq {OLD} order by seq limit ?2)");
    tx.execute(&sql, params![before, limit])
}

/// How many [`sweep`] would forget in all.
pub fn sweepable(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.count(&format!("select count(*) {OLD}"), params![before])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::clock::FakeClock;
    use store::{Location, Store};

    use super::*;

    struct World {
        store: Store,
        clock: Arc<FakeClock>,
        _folder: tempfile::TempDir,
    }

    impl World {
        /// A log in which these did something, a minute apart.
        fn with(people: &[&str]) -> World {
            let folder = tempfile::tempdir().expect("a folder");
            let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
            let location = Location::Sqlite(folder.path().join("s.db"));
            let store = Store::open(location, &[MIGRATIONS], clock.clone()).expect("opens");
            let world = World { store, clock, _folder: folder };
            for who in people {
                world.add(who);
                world.clock.advance(jiff::SignedDuration::from_mins(1));
            }
            world
        }

        fn add(&self, who: &str) {
            let deed = Deed {
                who: who.into(),
                role: "operator".into(),
                method: "POST".into(),
                path: "/pipelines".into(),
                status: 200,
                request: "r1".into(),
            };
            self.store.write_blocking(move |tx| append(tx, &deed)).expect("appended");
        }

        fn run(&self, sql: &'static str) {
            self.store.write_blocking(move |tx| tx.execute(sql, params![])).expect("changed");
        }

        fn verify(&self, noted: Option<&Head>) -> Verified {
            let noted = noted.cloned();
            self.store.read_blocking(move |tx| verify(tx, noted.as_ref())).expect("read")
        }

        fn broken(&self, noted: Option<&Head>) -> Option<(i64, String)> {
            self.verify(noted).broken.map(|broken| (broken.seq, broken.why))
        }
    }

    #[test]
    fn what_was_done_is_listed_newest_first_and_the_chain_holds() {
        let world = World::with(&["kim", "lee", "kim"]);
        let verified = world.verify(None);
        assert_eq!((verified.entries, verified.since, &verified.broken), (3, Some(1_803_902_400_000), &None));
        let head = verified.head.expect("a head");
        assert_eq!((head.seq, head.digest.len()), (3, 64));
        assert_eq!(head.to_string().parse::<Head>(), Ok(head.clone()));
        world.add("lee");
        assert_eq!(world.broken(Some(&head)), None, "what was noted is still in it");
        let list = |asked: Asked| world.store.read_blocking(move |tx| list(tx, &asked)).expect("read");
        let shown = |asked| list(asked).into_iter().map(|one| (one.seq, one.who)).collect::<Vec<_>>();
        let all = Asked { limit: 10, ..Asked::default() };
        assert_eq!(shown(all.clone()), [(4, "lee".into()), (3, "kim".into()), (2, "lee".into()), (1, "kim".into())]);
        assert_eq!(shown(Asked { who: Some("kim".into()), ..all.clone() }), [(3, "kim".into()), (1, "kim".into())]);
        assert_eq!(shown(Asked { before: Some(3), limit: 1, ..all.clone() }), [(2, "lee".into())]);
        assert_eq!(shown(Asked { since: Some(1_803_902_400_000 + 150_000), ..all }), [(4, "lee".into())]);
    }

    #[test]
    fn the_digest_is_what_others_compute_from_the_documented_values() {
        let world = World::with(&["kim"]);
        let entry = world.store.read_blocking(|tx| list(tx, &Asked { limit: 1, ..Asked::default() })).expect("read");
        let mut bytes = Vec::new();
        for part in ["1", "1803902400000", "kim", "operator", "POST", "/pipelines", "200", "r1", ""] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        assert_eq!(entry[0].digest, hex(&Sha256::digest(&bytes)));
    }

    #[test]
    fn whatever_is_done_to_the_log_is_found_and_named() {
        let people = ["kim", "lee", "sam", "kim"];
        for (sql, number, expected) in [
            ("update audit set who = 'lee' where seq = 3", 3, "its digest is not that of what it says"),
            ("update audit set at = at + 1 where seq = 1", 1, "its digest is not that of what it says"),
            ("delete from audit where seq = 2", 3, "it follows number 1: what was between was taken away"),
            ("update audit set previous = '' where seq = 2", 2, "it bears another digest of the entry before"),
            ("update audit set previous = 'ab' where seq = 1", 1, "it is the oldest, and it does not begin a log"),
        ] {
            let world = World::with(&people);
            world.run(sql);
            let (seq, why) = world.broken(None).expect("found");
            assert!(seq == number && why.starts_with(expected), "{sql}: {seq} {why}");
        }
    }

    #[test]
    fn a_head_that_was_noted_shows_that_the_end_was_cut_off_or_the_log_made_anew() {
        let world = World::with(&["kim", "lee"]);
        let head = world.verify(None).head.expect("a head");
        world.run("delete from audit where seq = 2");
        let (seq, why) = world.broken(Some(&head)).expect("found");
        assert!(seq == 2 && why.starts_with("the log ends with number 1"), "{seq} {why}");
        world.add("sam");
        let (seq, why) = world.broken(Some(&head)).expect("found");
        assert!(seq == 2 && why.starts_with("another entry of this number was noted"), "{seq} {why}");
        for wrong in ["", "2", "0:aa", "two:aa", "2:ab"] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_old_goes_from_its_beginning_and_the_rest_still_holds() {
        let world = World::with(&["kim", "lee", "sam"]);
        let before: Timestamp = "2027-03-01T12:01:30Z".parse().expect("a time");
        let swept = |limit| world.store.write_blocking(move |tx| sweep(tx, before, limit)).expect("swept");
        assert_eq!(world.store.read_blocking(move |tx| sweepable(tx, before)).expect("read"), 2);
        assert_eq!((swept(1), swept(10), swept(10)), (1, 1, 0));
        assert_eq!(world.broken(None), None);
        let all = world.store.write_blocking(|tx| sweep(tx, Timestamp::MAX, 10)).expect("swept");
        assert_eq!(all, 0, "the newest stays, because the next one follows it");
    }
}
