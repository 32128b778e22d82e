//! The SQLite adapter: one connection, its settings, its busy handler, and what its errors mean.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, types::ToSqlOutput};

use crate::backend::{Backend, Mode};
use crate::{Row, StoreError, Value};

/// How long somebody waits for a lock that another process holds. A publish of a large repository holds it for
/// milliseconds; only a stopped process can reach this.
const DEADLINE: Duration = Duration::from_secs(600);

/// How a database file is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Mode bits of a new file, before the umask.
    pub mode: u32,
    /// Only reads are possible.
    pub read_only: bool,
    /// Whether the last connection that closes writes the log back into the file. A read command must not.
    pub checkpoint_on_close: bool,
}

/// One open SQLite database.
pub(crate) struct Sqlite {
    conn: Connection,
    place: String,
}

impl Sqlite {
    /// Opens the file, makes it if need be, and switches it to write-ahead logging if it is not there yet.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        if !options.read_only {
            make_file(path, options.mode)?;
        }
        let access = if options.read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        let opened = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let conn = opened.map_err(|e| StoreError::Open { place: place.clone(), what: e.to_string() })?;
        let mut db = Sqlite { conn, place };
        db.settle(options).map_err(|e| match e {
            StoreError::Sql { what } => StoreError::Open { place: db.place.clone(), what },
            other => other,
        })?;
        Ok(db)
    }

    fn settle(&mut self, options: Options) -> Result<(), StoreError> {
        self.patience()?;
        let conn = &self.conn;
        let set = || -> rusqlite::Result<()> {
            conn.set_prepared_statement_cache_capacity(256);
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !options.checkpoint_on_close)?;
            if !options.read_only {
                log_ahead(conn)?;
            }
            conn.execute_batch("pragma synchronous = full; pragma foreign_keys = on; pragma temp_store = memory")
        };
        set().map_err(|e| self.explain(e))
    }

    /// Waits 1–5 ms between tries, so that many processes do not come back at the same moment.
    fn patience(&mut self) -> Result<(), StoreError> {
        let mut since = Instant::now();
        let mut jitter = u64::from(std::process::id()) ^ (&raw const *self as usize as u64);
        let handler = move |tries: i32| {
            if tries == 0 {
                since = Instant::now();
            }
            jitter = jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_micros(1_000 + (jitter >> 33) % 4_000));
            since.elapsed() < DEADLINE
        };
        self.conn.busy_handler(Some(handler)).map_err(|e| self.explain(e))
    }

    pub(crate) fn user_version(&self) -> Result<i64, StoreError> {
        self.conn.query_row("pragma user_version", [], |row| row.get(0)).map_err(|e| self.explain(e))
    }

    pub(crate) fn set_user_version(&self, number: i64) -> Result<(), StoreError> {
        self.conn.pragma_update(None, "user_version", number).map_err(|e| self.explain(e))
    }

    fn explain(&self, error: rusqlite::Error) -> StoreError {
        let what = error.to_string();
        let rusqlite::Error::SqliteFailure(code, _) = &error else {
            return StoreError::Sql { what };
        };
        let place = self.place.clone();
        match code.code {
            ErrorCode::ConstraintViolation
                if matches!(
                    code.extended_code,
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                ) =>
            {
                StoreError::Unique { what }
            }
            ErrorCode::ConstraintViolation => StoreError::Constraint { what },
            ErrorCode::DiskFull => StoreError::Full { place },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                StoreError::Busy { place, minutes: DEADLINE.as_secs() / 60 }
            }
            ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                // A log that cannot grow on a full disk shows as an input/output error: look at the disk itself.
                if disk_is_full(Path::new(&self.place)) {
                    StoreError::Full { place }
                } else {
                    StoreError::Disk { place, what }
                }
            }
            ErrorCode::CannotOpen => StoreError::Open { place, what },
            _ => StoreError::Sql { what },
        }
    }
}

/// Switches the file to write-ahead logging if it is not there yet.
///
/// The switch reads first and then wants the file for itself. Of two who do that at the same moment SQLite tells one that
/// the file is busy without asking its busy handler, since waiting would be a deadlock: letting go and trying again is not.
fn log_ahead(conn: &Connection) -> rusqlite::Result<()> {
    let since = Instant::now();
    loop {
        let mode: String = conn.query_row("pragma journal_mode", [], |row| row.get(0))?;
        if mode == "wal" {
            return Ok(());
        }
        match conn.query_row("pragma journal_mode = wal", [], |_| Ok(())) {
            Err(rusqlite::Error::SqliteFailure(code, _))
                if code.code == ErrorCode::DatabaseBusy && since.elapsed() < DEADLINE =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            done => return done,
        }
    }
}

fn disk_is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_bavail == 0)
}

/// Makes an empty file with the wanted mode: SQLite gives its log and its shared memory the same.
pub(crate) fn make_file(path: &Path, mode: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(StoreError::File { path: PathBuf::from(path), what: e.to_string() }),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(v) => ValueRef::Integer(*v),
            Value::Text(v) => ValueRef::Text(v.as_bytes()),
            Value::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

fn value(found: ValueRef<'_>) -> Value {
    match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        // No table of ours has such a column; averages are the only source.
        ValueRef::Real(v) => Value::Text(v.to_string()),
        ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
        ValueRef::Blob(v) => Value::Blob(v.to_vec()),
    }
}

impl Backend for Sqlite {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let run = || self.conn.prepare_cached(sql)?.execute(rusqlite::params_from_iter(params));
        run().map(|n| n as u64).map_err(|e| self.explain(e))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let run = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.conn.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut found = statement.query(rusqlite::params_from_iter(params))?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(Row((0..columns).map(|i| row.get_ref(i).map(value)).collect::<Result<_, _>>()?));
            }
            Ok(rows)
        };
        run().map_err(|e| self.explain(e))
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.conn.execute_batch(sql).map_err(|e| self.explain(e))
    }

    fn begin(&mut self, mode: Mode) -> Result<(), StoreError> {
        self.batch(match mode {
            Mode::Write => "begin immediate",
            Mode::Read => "begin",
        })
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.batch("commit")
    }

    fn rollback(&mut self) {
        if self.in_transaction() {
            // A rollback that fails leaves a transaction that the next begin reports.
            let _ = self.batch("rollback");
        }
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.batch("savepoint job")
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.batch("release job")
    }

    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.batch("rollback to job; release job")
    }

    fn in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }

    fn place(&self) -> &str {
        &self.place
    }
}
