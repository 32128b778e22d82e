//! Applications: a name, an e-mail address and any other attributes. Names do not depend on the case of their letters.

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use crate::pipelines::{self, PipelineError};
use crate::{Map, revision};

/// Why an application cannot be kept as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApplicationError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has no name, or one that cannot be.
    #[error("'{0}' cannot be the name of an application: letters, digits, '.', '_' and '-', at most 250 of them")]
    Name(String),
    /// There is none of that name.
    #[error("there is no application '{0}'")]
    Unknown(String),
    /// There is one already.
    #[error("there is an application '{0}' already")]
    Exists(String),
    /// It still has pipelines running or servers.
    #[error("the application '{0}' still has {1}; remove them first")]
    InUse(String, String),
}

/// Why an earlier state of an application cannot be had back.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RestoreError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The application cannot be saved.
    #[error(transparent)]
    Application(#[from] ApplicationError),
    /// A pipeline that was deleted with it cannot be saved.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

/// How a name is kept.
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn checked(name: &str) -> Result<String, ApplicationError> {
    let folded = folded(name);
    let fits = !folded.is_empty()
        && folded.len() <= 250
        && folded.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && !folded.starts_with(['-', '.']);
    if fits { Ok(folded) } else { Err(ApplicationError::Name(name.to_owned())) }
}

/// One application's attributes.
pub fn get(tx: &mut Tx, name: &str) -> Result<Option<Map>, StoreError> {
    let row = tx.query_opt("select body from application where name = ?1", params![folded(name)])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|body| serde_json::from_str(&body).ok()))
}

/// All applications' attributes, by name.
pub fn all(tx: &mut Tx) -> Result<Vec<Map>, StoreError> {
    let mut out = Vec::new();
    for row in tx.query("select body from application order by name", &[])? {
        out.extend(serde_json::from_str::<Map>(&row.text(0)?).ok());
    }
    Ok(out)
}

/// Whether one that is there is an error, or one that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// It must not be there yet.
    Create,
    /// It must be there.
    Update,
    /// Either.
    Upsert,
}

/// Saves an application; attributes that are not given stay as they are.
pub fn save(tx: &mut Tx, attributes: &Map, how: Save, who: &str) -> Result<Map, ApplicationError> {
    let given = attributes.get("name").and_then(Value::as_str).unwrap_or("");
    let name = checked(given)?;
    let old = get(tx, &name)?;
    match (&old, how) {
        (Some(_), Save::Create) => return Err(ApplicationError::Exists(name)),
        (None, Save::Update) => return Err(ApplicationError::Unknown(name)),
        _ => {}
    }
    let now = tx.now().as_millisecond();
    let created = old.as_ref().and_then(|o| o.get("createTs")).cloned().unwrap_or_else(|| json!(now.to_string()));
    let mut body = old.unwrap_or_default();
    for (key, value) in attributes {
        let joined = match (key.as_str(), value) {
            ("cloudProviders", Value::Array(list)) => {
                json!(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
            }
            _ => value.clone(),
        };
        body.insert(key.clone(), joined);
    }
    for (key, value) in [
        ("name", json!(name)),
        ("createTs", created),
        ("updateTs", json!(now.to_string())),
        ("lastModifiedBy", json!(who)),
    ] {
        body.insert(key.into(), value);
    }
    for (key, value) in [("user", json!(who)), ("cloudProviders", json!("")), ("email", json!(""))] {
        body.entry(key).or_insert(value);
    }
    put(tx, &name, &body, who)?;
    Ok(body)
}

fn put(tx: &mut Tx, name: &str, body: &Map, who: &str) -> Result<(), StoreError> {
    let (text, now) = (crate::records::json(body), tx.now());
    tx.execute(
        "insert into application (name, body, created, updated) values (?1, ?2, ?3, ?3)
         on conflict (name) do update set body = excluded.body, updated = excluded.updated",
        params![name, &text, now],
    )?;
    revision::note(tx, "application", name, who, &text, false)?;
    tx.change("application", name)
}

/// Makes an application what it was then, attributes that came later excepted none. One that had been deleted comes back with the pipelines
/// that were deleted with it.
pub fn restore(tx: &mut Tx, name: &str, number: i64, who: &str) -> Result<Map, RestoreError> {
    let name = folded(name);
    let unknown = || ApplicationError::Unknown(format!("{name}' with a revision '{number}"));
    let old = revision::get(tx, "application", &name, number)?.ok_or_else(unknown)?;
    let Value::Object(mut body) = old.body else { return Err(unknown().into()) };
    let gone = get(tx, &name)?.is_none();
    for (key, value) in [
        ("name", json!(name)),
        ("updateTs", json!(tx.now().as_millisecond().to_string())),
        ("lastModifiedBy", json!(who)),
    ] {
        body.insert(key.into(), value);
    }
    put(tx, &name, &body, who)?;
    if gone {
        let end = revision::history(tx, "application", &name, 2)?.into_iter().find(|state| state.deleted);
        let end = end.map(|state| state.at);
        for (id, state) in revision::deleted(tx, "pipeline")? {
            let home = state.body.get("application").and_then(Value::as_str).map(folded);
            if home.as_deref() == Some(&name) && Some(state.at) == end {
                pipelines::restore(tx, &id, state.number, who)?;
            }
        }
    }
    Ok(body)
}

/// Deletes an application with its pipelines. What it runs must be gone: the caller asks its clouds first.
pub fn delete(tx: &mut Tx, name: &str, who: &str) -> Result<(), ApplicationError> {
    let name = folded(name);
    let Some(body) = get(tx, &name)? else { return Err(ApplicationError::Unknown(name)) };
    for pipeline in pipelines::of_application(tx, &name, None)? {
        let id = pipeline.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
        pipelines::delete_by_id(tx, &id, who)?;
    }
    tx.execute("delete from application where name = ?1", params![&name])?;
    revision::note(tx, "application", &name, who, &crate::records::json(&body), true)?;
    tx.change("application", &name)?;
    Ok(())
}
