//! Numbered steps of a schema, forward only. Each domain has its own list; the binary hands them all to the store.

use crate::backend::{Backend, Mode};
use crate::{StoreError, params};

/// One step of a domain's schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Whose tables these are, as `pipeline`.
    pub domain: &'static str,
    /// 1, 2, 3 … within the domain.
    pub number: u32,
    /// Statements in the common dialect (`bigint`, `text`, `blob`).
    pub sql: &'static str,
}

/// The store's own tables.
pub(crate) const OWN: &[Migration] = &[Migration {
    domain: "store",
    number: 1,
    sql: "create table change (seq bigint primary key, at bigint not null, topic text not null, key text not null);
          create index change_at on change (at);",
}];

/// Brings the control store to what this program knows, or refuses a newer one. Everything happens in one transaction.
pub(crate) fn apply(backend: &mut dyn Backend, lists: &[&[Migration]]) -> Result<(), StoreError> {
    backend.begin(Mode::Write)?;
    let done = apply_in_transaction(backend, lists).and_then(|()| backend.commit());
    if done.is_err() {
        backend.rollback();
    }
    done
}

fn apply_in_transaction(backend: &mut dyn Backend, lists: &[&[Migration]]) -> Result<(), StoreError> {
    backend.batch("create table if not exists schema_version (domain text primary key, number bigint not null)")?;
    let known: Vec<Migration> = std::iter::once(&OWN).chain(lists).flat_map(|list| list.iter().copied()).collect();
    let mut present = Vec::new();
    for row in backend.query("select domain, number from schema_version order by domain", &[])? {
        let (domain, found) = (row.text(0)?, row.int(1)?);
        let highest = known.iter().filter(|m| m.domain == domain).map(|m| i64::from(m.number)).max().unwrap_or(0);
        if found > highest {
            return Err(StoreError::NewerSchema { place: backend.place().to_owned(), domain, found, known: highest });
        }
        present.push((domain, found));
    }
    for step in &known {
        let at = present.iter().find(|(domain, _)| domain == step.domain).map_or(0, |(_, number)| *number);
        if i64::from(step.number) > at {
            run(backend, step)?;
            let sql = "insert into schema_version (domain, number) values (?1, ?2)
                       on conflict (domain) do update set number = excluded.number";
            backend.execute(sql, params![step.domain, step.number])?;
        }
    }
    Ok(())
}

/// Runs one step; its error names it.
pub(crate) fn run(backend: &mut dyn Backend, step: &Migration) -> Result<(), StoreError> {
    backend.batch(step.sql).map_err(|e| match e {
        StoreError::Sql { what } | StoreError::Constraint { what } | StoreError::Unique { what } => {
            let place = backend.place().to_owned();
            StoreError::Migration { place, domain: step.domain.to_owned(), number: step.number, what }
        }
        other => other,
    })
}
