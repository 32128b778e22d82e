//! Projects: a name and a configuration, kept as given.

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use crate::{Map, revision};

/// Why a project cannot be kept as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProjectError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has no name.
    #[error("$.name: a project needs a name")]
    Name,
    /// Another one has this name.
    #[error("A project named {0} already exists")]
    NameTaken(String),
    /// There is none.
    #[error("there is no project '{0}'")]
    Unknown(String),
}

/// All projects.
pub fn all(tx: &mut Tx) -> Result<Vec<Map>, StoreError> {
    let mut out = Vec::new();
    for row in tx.query("select body from project order by folded", &[])? {
        out.extend(serde_json::from_str::<Map>(&row.text(0)?).ok());
    }
    Ok(out)
}

/// A project by its name or id.
pub fn get(tx: &mut Tx, name: &str) -> Result<Option<Map>, StoreError> {
    let sql = "select body from project where folded = ?1 or id = ?2 order by case when folded = ?1 then 0 else 1 end";
    let row = tx.query_opt(sql, params![name.trim().to_lowercase(), name])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|body| serde_json::from_str(&body).ok()))
}

/// Saves a project; one of the same name is replaced.
pub fn save(tx: &mut Tx, project: &Map, who: &str) -> Result<Map, ProjectError> {
    let mut project = project.clone();
    let name = project.get("name").and_then(Value::as_str).unwrap_or("").trim().to_owned();
    if name.is_empty() {
        return Err(ProjectError::Name);
    }
    let given = project.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    let sql = "select id from project where folded = ?1";
    let namesake = tx.query_opt(sql, params![name.to_lowercase()])?.map(|row| row.text(0)).transpose()?;
    let id = match (given, namesake) {
        (Some(id), Some(other)) if id != other => return Err(ProjectError::NameTaken(name)),
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => tx.uuid(),
    };
    let now = tx.now().as_millisecond();
    let old = tx.query_opt("select body from project where id = ?1", params![&id])?;
    let old = old.map(|row| row.text(0)).transpose()?.and_then(|body| serde_json::from_str::<Map>(&body).ok());
    let created = old.and_then(|old| old.get("createTs").cloned()).unwrap_or_else(|| json!(now));
    project.insert("id".into(), json!(id));
    project.insert("name".into(), json!(name));
    project.insert("updateTs".into(), json!(now));
    project.insert("createTs".into(), created);
    project.insert("lastModifiedBy".into(), json!(who));
    if !project.get("config").is_some_and(Value::is_object) {
        project.insert("config".into(), json!({}));
    }
    for key in ["clusters", "pipelineConfigs", "applications"] {
        if project["config"].get(key).is_none_or(Value::is_null) {
            project["config"][key] = json!([]);
        }
    }
    let text = crate::records::json(&project);
    tx.execute(
        "insert into project (id, folded, body) values (?1, ?2, ?3)
         on conflict (id) do update set folded = excluded.folded, body = excluded.body",
        params![&id, name.to_lowercase(), &text],
    )?;
    revision::note(tx, "project", &id, who, &text, false)?;
    tx.change("project", &id)?;
    Ok(project)
}

/// The id under which a project's history is kept, also of one that was deleted.
pub fn id_of(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    if let Some(project) = get(tx, name)? {
        return Ok(project.get("id").and_then(Value::as_str).map(str::to_owned));
    }
    let folded = name.trim().to_lowercase();
    let gone = revision::deleted(tx, "project")?
        .into_iter()
        .find(|(id, state)| id == name || state.body["name"].as_str().is_some_and(|n| n.to_lowercase() == folded));
    Ok(gone.map(|(id, _)| id))
}

/// Saves an earlier state of a project anew.
pub fn restore(tx: &mut Tx, id: &str, number: i64, who: &str) -> Result<Map, ProjectError> {
    let unknown = || ProjectError::Unknown(format!("{id} with a revision {number}"));
    let old = revision::get(tx, "project", id, number)?.ok_or_else(unknown)?;
    let Value::Object(body) = old.body else { return Err(unknown()) };
    save(tx, &body, who)
}

/// Deletes a project by its name or id; tells whether it was there.
pub fn delete(tx: &mut Tx, name: &str, who: &str) -> Result<bool, StoreError> {
    let Some(project) = get(tx, name)? else { return Ok(false) };
    let id = project.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
    tx.execute("delete from project where id = ?1", params![&id])?;
    revision::note(tx, "project", &id, who, &crate::records::json(&project), true)?;
    tx.change("project", &id)?;
    Ok(true)
}
