//! Projects: a name and a configuration, kept as given.

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use crate::{Map, revision};

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
    let sql = "select body from project where folded = ?1 or id = ?2";
    let row = tx.query_opt(sql, params![name.trim().to_lowercase(), name])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|body| serde_json::from_str(&body).ok()))
}

/// Saves a project; one of the same name is replaced.
pub fn save(tx: &mut Tx, project: &Map, who: &str) -> Result<Map, StoreError> {
    let mut project = project.clone();
    let name = project.get("name").and_then(Value::as_str).unwrap_or("").trim().to_owned();
    let given = project.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    let known = get(tx, &name)?.and_then(|p| p.get("id").and_then(Value::as_str).map(str::to_owned));
    let id = match given.or(known) {
        Some(id) => id,
        None => tx.uuid(),
    };
    let now = tx.now().as_millisecond();
    project.insert("id".into(), json!(id));
    project.insert("name".into(), json!(name));
    project.insert("updateTs".into(), json!(now));
    project.entry("createTs").or_insert_with(|| json!(now));
    project.insert("lastModifiedBy".into(), json!(who));
    let config = project.entry("config").or_insert_with(|| json!({}));
    for key in ["clusters", "pipelineConfigs", "applications"] {
        if config.get(key).is_none_or(Value::is_null) {
            config[key] = json!([]);
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

/// Deletes a project by its name or id; tells whether it was there.
pub fn delete(tx: &mut Tx, name: &str, who: &str) -> Result<bool, StoreError> {
    let Some(project) = get(tx, name)? else { return Ok(false) };
    let id = project.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
    tx.execute("delete from project where id = ?1", params![&id])?;
    revision::note(tx, "project", &id, who, &crate::records::json(&project), true)?;
    tx.change("project", &id)?;
    Ok(true)
}
