//! The PostgreSQL adapter: the common dialect on a PostgreSQL connection. Used on the store's own threads only, because
//! the client brings a runtime of its own.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use ::postgres::config::Host;
use ::postgres::error::SqlState;
use ::postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use ::postgres::{Client, Config, NoTls, Statement};

use crate::backend::{Backend, Mode};
use crate::dialect;
use crate::{Row, StoreError, Value};

/// The advisory lock that the one server of a database holds: "gennaker" in letters of a telephone.
const SERVER_LOCK: i64 = 43_662_537;
/// A killed server's session is noticed by the database within this time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 512;

/// One connection to a PostgreSQL database.
pub(crate) struct Postgres {
    client: Client,
    place: String,
    statements: HashMap<String, Statement>,
    in_transaction: bool,
}

impl Postgres {
    /// Connects and checks that the database sorts and encodes as ours must. The writer takes the server's lock as well.
    pub(crate) fn open(url: &str, writer: bool) -> Result<Self, StoreError> {
        let bad = |what: String| StoreError::Open { place: "PostgreSQL".into(), what };
        let mut config: Config = url.parse().map_err(|e: ::postgres::Error| bad(reason(&e)))?;
        config.connect_timeout(Duration::from_secs(10)).application_name("gennaker");
        let place = place(&config);
        let client = config.connect(NoTls);
        let client = client.map_err(|e| StoreError::Open { place: place.clone(), what: reason(&e) })?;
        let mut db = Postgres { client, place, statements: HashMap::new(), in_transaction: false };
        if writer {
            db.check_locale()?;
            db.take_lock()?;
        }
        Ok(db)
    }

    fn check_locale(&mut self) -> Result<(), StoreError> {
        let sql = "select datcollate::text, pg_encoding_to_char(encoding)::text from pg_database where datname = current_database()";
        let rows = self.query(sql, &[])?;
        let (collate, encoding) =
            rows.first().map_or(Ok(Default::default()), |row| Ok((row.text(0)?, row.text(1)?)))?;
        let bytewise = ["C", "POSIX", "C.UTF-8", "C.utf8"].contains(&collate.as_str());
        if bytewise && encoding == "UTF8" {
            return Ok(());
        }
        let what = format!(
            "it sorts as {collate} and encodes as {encoding}, wanted C and UTF8: make it with \
             create database … template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"
        );
        Err(StoreError::Open { place: self.place.clone(), what })
    }

    fn take_lock(&mut self) -> Result<(), StoreError> {
        let since = Instant::now();
        loop {
            let rows = self.query("select pg_try_advisory_lock(?1)", &[Value::Int(SERVER_LOCK)])?;
            if rows.first().is_some_and(|row| row.bool(0).unwrap_or(false)) {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                let what = "another server uses this database: stop it first".to_owned();
                return Err(StoreError::Open { place: self.place.clone(), what });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.client.prepare(&dialect::numbered(sql));
        let prepared = prepared.map_err(|e| explain(&self.place, &e))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }

    fn simple(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).map_err(|e| explain(&self.place, &e))
    }
}

fn place(config: &Config) -> String {
    let host = config.get_hosts().first().map_or_else(
        || "localhost".to_owned(),
        |host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        },
    );
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or("postgres");
    format!("PostgreSQL database \"{database}\" at {host}")
}

/// The innermost text: the client's own says only in which phase it happened.
fn reason(error: &::postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return db.message().to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn explain(place: &str, error: &::postgres::Error) -> StoreError {
    let (place, what) = (place.to_owned(), reason(error));
    let Some(db) = error.as_db_error() else {
        // Without an answer of the database it is the connection, or a value that it could not take.
        let ours = error.source().is_some_and(|cause| !cause.is::<std::io::Error>()) && !error.is_closed();
        return if ours { StoreError::Sql { what } } else { StoreError::Lost { place, what } };
    };
    let code = db.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        StoreError::Unique { what: db.constraint().map_or(what, str::to_owned) }
    } else if code.code().starts_with("23") {
        StoreError::Constraint { what }
    } else if *code == SqlState::DISK_FULL {
        StoreError::Full { place }
    } else if code.code().starts_with("08") || code.code().starts_with("57P") {
        StoreError::Lost { place, what }
    } else if code.code().starts_with("58") {
        StoreError::Disk { place, what }
    } else {
        StoreError::Sql { what }
    }
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(v) if *ty == Type::INT4 => i32::try_from(*v)?.to_sql(ty, out),
            Value::Int(v) if *ty == Type::INT2 => i16::try_from(*v)?.to_sql(ty, out),
            Value::Int(v) if *ty == Type::BOOL => (*v != 0).to_sql(ty, out),
            Value::Int(v) if *ty == Type::INT8 => v.to_sql(ty, out),
            Value::Int(v) => v.to_string().to_sql(ty, out),
            Value::Text(v) if *ty == Type::INT8 => v.parse::<i64>()?.to_sql(ty, out),
            Value::Text(v) => v.to_sql(ty, out),
            Value::Blob(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn value(row: &::postgres::Row, column: usize) -> Result<Value, StoreError> {
    let ty = row.columns()[column].type_();
    let got = if *ty == Type::INT8 {
        row.try_get::<_, Option<i64>>(column).map(Value::from)
    } else if *ty == Type::INT4 {
        row.try_get::<_, Option<i32>>(column).map(Value::from)
    } else if *ty == Type::BOOL {
        row.try_get::<_, Option<bool>>(column).map(Value::from)
    } else if *ty == Type::BYTEA {
        row.try_get::<_, Option<Vec<u8>>>(column).map(Value::from)
    } else if [Type::TEXT, Type::VARCHAR, Type::NAME, Type::BPCHAR, Type::UNKNOWN].contains(ty) {
        row.try_get::<_, Option<String>>(column).map(Value::from)
    } else {
        let what = format!("column {column} has type {ty}: cast it to bigint or text");
        return Err(StoreError::Sql { what });
    };
    got.map_err(|e| StoreError::Sql { what: reason(&e) })
}

fn refs(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|p| p as &(dyn ToSql + Sync)).collect()
}

impl Backend for Postgres {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let statement = self.prepared(sql)?;
        self.client.execute(&statement, &refs(params)).map_err(|e| explain(&self.place, &e))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql)?;
        let rows = self.client.query(&statement, &refs(params)).map_err(|e| explain(&self.place, &e))?;
        rows.iter().map(|row| Ok(Row((0..row.len()).map(|i| value(row, i)).collect::<Result<_, _>>()?))).collect()
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.simple(&dialect::typed(sql))
    }

    fn begin(&mut self, mode: Mode) -> Result<(), StoreError> {
        if self.client.is_closed() {
            return Err(StoreError::Lost { place: self.place.clone(), what: "it was closed".into() });
        }
        self.simple(match mode {
            Mode::Write => "begin",
            Mode::Read => "begin isolation level repeatable read read only",
        })?;
        self.in_transaction = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.in_transaction = false;
        // What ends the connection here leaves open whether the commit was kept.
        self.simple("commit")
    }

    fn rollback(&mut self) {
        self.in_transaction = false;
        // Outside a transaction this is a warning; without a connection there is nothing to undo.
        let _ = self.simple("rollback");
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.simple("savepoint job")
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.simple("release savepoint job")
    }

    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.simple("rollback to savepoint job; release savepoint job")
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction && !self.client.is_closed()
    }

    fn place(&self) -> &str {
        &self.place
    }
}
