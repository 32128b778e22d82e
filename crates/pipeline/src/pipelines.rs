//! Saved pipelines (and strategies, which are pipelines with `strategy: true`): their JSON as people wrote it, with the few
//! keys that are the server's.

use serde_json::{Value, json};
use store::{Row, StoreError, Tx, params};

use crate::start::StartError;
use crate::templates::{self, TemplateError, is_templated};
use crate::{Map, applications, revision, trigger};

/// Why a pipeline cannot be kept as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PipelineError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its JSON is not a pipeline's.
    #[error(transparent)]
    Malformed(#[from] StartError),
    /// Another one of the application has this name.
    #[error("A pipeline with name {name} already exists in application {application}")]
    NameTaken {
        /// The name that both want.
        name: String,
        /// The application of both.
        application: String,
    },
    /// Somebody saved it in the meantime.
    #[error("The submitted pipeline is stale. submitted updateTs {submitted} does not match stored updateTs {stored}")]
    Stale {
        /// What the caller had read.
        submitted: String,
        /// What is there now.
        stored: String,
    },
    /// There is none.
    #[error("there is no pipeline '{0}'")]
    Unknown(String),
    /// Its id is that of a pipeline of another application.
    #[error("$.id: {id} is the id of a pipeline of the application {home}; leave the id out to make a new one")]
    Elsewhere {
        /// The id.
        id: String,
        /// Where it lives.
        home: String,
    },
    /// Its template is not there, or the two do not go together.
    #[error("$.template: {0}")]
    Template(Box<TemplateError>),
}

impl From<TemplateError> for PipelineError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Store(error) => error.into(),
            other => PipelineError::Template(Box::new(other)),
        }
    }
}

fn body(row: &Row) -> Result<Option<Map>, StoreError> {
    Ok(serde_json::from_str(&row.text(0)?).ok())
}

/// A pipeline or strategy by its id.
pub fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Map>, StoreError> {
    let row = tx.query_opt("select body from pipeline where id = ?1", params![id])?;
    row.as_ref().map_or(Ok(None), body)
}

/// A pipeline of an application by its name, else by its id.
pub fn by_name_or_id(tx: &mut Tx, application: &str, name: &str) -> Result<Option<Map>, StoreError> {
    named(tx, application, name, false)
}

/// A strategy of an application by its name, else by its id.
pub fn strategy(tx: &mut Tx, application: &str, name: &str) -> Result<Option<Map>, StoreError> {
    named(tx, application, name, true)
}

fn named(tx: &mut Tx, application: &str, name: &str, strategy: bool) -> Result<Option<Map>, StoreError> {
    let application = applications::folded(application);
    let sql = "select body from pipeline where application = ?1 and strategy = ?3 and (folded = ?2 or id = ?4)
               order by case when folded = ?2 then 0 else 1 end";
    let folded = name.trim().to_lowercase();
    let row = tx.query_opt(sql, params![application, folded, strategy, name])?;
    row.as_ref().map_or(Ok(None), body)
}

/// The pipelines of an application in their order; `strategies`: only strategies, or only pipelines.
pub fn of_application(tx: &mut Tx, application: &str, strategies: Option<bool>) -> Result<Vec<Map>, StoreError> {
    let application = applications::folded(application);
    let sql = "select body, strategy from pipeline where application = ?1 order by place, folded";
    let mut out = Vec::new();
    for row in tx.query(sql, params![application])? {
        if strategies.is_none_or(|s| s == row.int(1).unwrap_or(0).eq(&1)) {
            out.extend(body(&row)?);
        }
    }
    Ok(out)
}

/// All pipelines, or all strategies.
pub fn all(tx: &mut Tx, strategies: bool) -> Result<Vec<Map>, StoreError> {
    let sql = "select body from pipeline where strategy = ?1 order by application, place, folded";
    let rows = tx.query(sql, params![strategies])?;
    let mut out = Vec::new();
    for row in &rows {
        out.extend(body(row)?);
    }
    Ok(out)
}

/// The pipelines that have a trigger of this type which is switched on, and are not disabled themselves. One made from a template comes with
/// the triggers that it inherits.
pub fn with_trigger(tx: &mut Tx, kind: &str) -> Result<Vec<Map>, StoreError> {
    let rows = tx.query("select body from pipeline where kinds like ?1", params![format!("% {kind} %")])?;
    let mut out = Vec::new();
    for row in &rows {
        let Some(pipeline) = body(row)? else { continue };
        out.push(with_inherited_triggers(tx, pipeline)?);
    }
    Ok(out)
}

/// The pipelines that may start when this one ends.
pub fn followers(tx: &mut Tx, id: &str) -> Result<Vec<Map>, StoreError> {
    let sql = "select p.body from follower f join pipeline p on p.id = f.follower where f.pipeline = ?1 order by p.id";
    let mut out = Vec::new();
    for row in &tx.query(sql, params![id])? {
        let Some(pipeline) = body(row)? else { continue };
        out.push(with_inherited_triggers(tx, pipeline)?);
    }
    Ok(out)
}

/// Whether any pipeline may start when this one ends.
pub fn is_followed(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_opt("select follower from follower where pipeline = ?1 limit 1", params![id])?.is_some())
}

/// Notes anew which pipelines follow which: what was saved by a version that did not note it is found, too.
pub fn index_followers(tx: &mut Tx) -> Result<(), StoreError> {
    tx.execute("delete from follower", &[])?;
    for pipeline in with_trigger(tx, "pipeline")? {
        note_followed(tx, &pipeline)?;
    }
    Ok(())
}

/// Notes the pipelines that this one follows.
fn note_followed(tx: &mut Tx, pipeline: &Map) -> Result<(), StoreError> {
    let Some(id) = pipeline.get("id").and_then(Value::as_str) else { return Ok(()) };
    tx.execute("delete from follower where follower = ?1", params![id])?;
    let triggers = pipeline.get("triggers").and_then(Value::as_array).into_iter().flatten();
    let of_pipelines = triggers.filter(|t| t.get("type").and_then(Value::as_str) == Some("pipeline"));
    for followed in of_pipelines.filter_map(|t| t.get("pipeline").and_then(Value::as_str)) {
        let sql = "insert into follower (pipeline, follower) values (?1, ?2) on conflict do nothing";
        tx.execute(sql, params![followed.trim(), id])?;
    }
    Ok(())
}

/// A pipeline with the triggers that its template gives it; as it is when it has none, or none that can be made out.
fn with_inherited_triggers(tx: &mut Tx, mut pipeline: Map) -> Result<Map, StoreError> {
    if !is_templated(&pipeline) {
        return Ok(pipeline);
    }
    match templates::plan(tx, &pipeline) {
        Ok(planned) => {
            pipeline.insert("triggers".into(), planned.get("triggers").cloned().unwrap_or_else(|| json!([])));
            Ok(pipeline)
        }
        Err(TemplateError::Store(error)) => Err(error),
        // Starting it will say what is wrong.
        Err(_) => Ok(pipeline),
    }
}

/// A template has changed: the triggers that pipelines inherit from it may have, too.
pub(crate) fn refresh_templated(tx: &mut Tx, template: &str) -> Result<(), StoreError> {
    for pipeline in templates::dependents(tx, template)? {
        let Some(id) = pipeline.get("id").and_then(Value::as_str).map(str::to_owned) else { continue };
        let whole = with_inherited_triggers(tx, pipeline)?;
        note_followed(tx, &whole)?;
        let kinds = trigger_kinds(&whole);
        tx.execute("update pipeline set kinds = ?2 where id = ?1", params![id, kinds])?;
    }
    Ok(())
}

/// The types of its triggers that are switched on, with blanks around each.
fn trigger_kinds(pipeline: &Map) -> String {
    let mut out = String::from(" ");
    if pipeline.get("disabled") == Some(&Value::Bool(true)) {
        return out;
    }
    for one in pipeline.get("triggers").and_then(Value::as_array).into_iter().flatten() {
        let on = one.get("enabled").is_none_or(|e| *e != Value::Bool(false));
        if let (true, Some(kind)) = (on, one.get("type").and_then(Value::as_str)) {
            out += &format!("{} ", kind.to_ascii_lowercase());
        }
    }
    out
}

/// Saves a pipeline and answers what is kept. Without an id it gets one. `stale_check`: refused when it was saved since it was read.
pub fn save(tx: &mut Tx, pipeline: &Map, stale_check: bool, who: &str) -> Result<Map, PipelineError> {
    crate::start::check(pipeline)?;
    trigger::check(pipeline, tx.now())?;
    let mut pipeline = pipeline.clone();
    let text = |p: &Map, key: &str| p.get(key).and_then(Value::as_str).map(|s| s.trim().to_owned());
    let name = text(&pipeline, "name").unwrap_or_default();
    let application = text(&pipeline, "application").unwrap_or_default();
    let home = applications::folded(&application);
    let strategy = pipeline.get("strategy") == Some(&Value::Bool(true));
    let id = text(&pipeline, "id").filter(|id| !id.is_empty());
    let new = id.is_none();
    let id = id.unwrap_or_else(|| tx.uuid());
    let taken = "select id from pipeline where application = ?1 and folded = ?2 and strategy = ?3 and id <> ?4";
    if tx.query_opt(taken, params![&home, name.to_lowercase(), strategy, &id])?.is_some() {
        return Err(PipelineError::NameTaken { name, application });
    }
    let old = by_id(tx, &id)?;
    let elsewhere = old.as_ref().and_then(|o| o.get("application")).and_then(Value::as_str);
    if let Some(other) = elsewhere.filter(|other| applications::folded(other) != home) {
        return Err(PipelineError::Elsewhere { id, home: other.to_owned() });
    }
    if is_templated(&pipeline) {
        templates::of_config(tx, &pipeline)?;
    }
    if let (true, Some(old)) = (stale_check, &old) {
        let stamp = |p: &Map| match p.get("updateTs").or_else(|| p.get("lastModified")) {
            Some(Value::String(s)) => s.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (submitted, stored) = (stamp(&pipeline), stamp(old));
        if submitted != stored {
            return Err(PipelineError::Stale { submitted, stored });
        }
    }
    let now = tx.now().as_millisecond();
    let created = old.as_ref().and_then(|o| o.get("createTs")).cloned().unwrap_or_else(|| json!(now.to_string()));
    pipeline.insert("id".into(), json!(id));
    pipeline.insert("name".into(), json!(name));
    pipeline.insert("createTs".into(), created);
    pipeline.insert("updateTs".into(), json!(now.to_string()));
    pipeline.insert("lastModifiedBy".into(), json!(who));
    name_crons(tx, &mut pipeline, new);
    keep(tx, &id, &home, strategy, &pipeline)?;
    revision::note(tx, "pipeline", &id, who, &crate::records::json(&pipeline), false)?;
    Ok(pipeline)
}

/// A cron trigger has an id that no other one of its pipeline has; that of a copied pipeline is a new one.
fn name_crons(tx: &mut Tx, pipeline: &mut Map, new: bool) {
    let Some(Value::Array(triggers)) = pipeline.get_mut("triggers") else { return };
    let mut taken = std::collections::HashSet::new();
    for trigger in triggers.iter_mut().filter_map(Value::as_object_mut) {
        if !trigger.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("cron")) {
            continue;
        }
        let own = trigger.get("id").and_then(Value::as_str).map(str::trim).unwrap_or_default().to_owned();
        if new || own.is_empty() || !taken.insert(own) {
            let id = tx.uuid();
            trigger.insert("id".into(), json!(id));
        }
    }
}

fn keep(tx: &mut Tx, id: &str, home: &str, strategy: bool, pipeline: &Map) -> Result<(), StoreError> {
    let name = pipeline.get("name").and_then(Value::as_str).unwrap_or("");
    let place = pipeline.get("index").and_then(Value::as_i64).unwrap_or(i64::from(i32::MAX));
    let now = tx.now();
    let whole = with_inherited_triggers(tx, pipeline.clone())?;
    let kinds = trigger_kinds(&whole);
    tx.execute(
        "insert into pipeline (id, application, name, folded, strategy, place, kinds, body, updated)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (id) do update set application = excluded.application, name = excluded.name,
             folded = excluded.folded, strategy = excluded.strategy, place = excluded.place, kinds = excluded.kinds,
             body = excluded.body, updated = excluded.updated",
        params![id, home, name, name.to_lowercase(), strategy, place, kinds, crate::records::json(pipeline), now],
    )?;
    note_followed(tx, &whole)?;
    tx.change("pipeline", id)
}

/// Sets the places of an application's pipelines: id → place.
pub fn reorder(tx: &mut Tx, places: &Map, who: &str) -> Result<(), PipelineError> {
    for (id, place) in places {
        let Some(mut pipeline) = by_id(tx, id)? else { return Err(PipelineError::Unknown(id.clone())) };
        pipeline.insert("index".into(), place.clone());
        let home = pipeline.get("application").and_then(Value::as_str).map(applications::folded).unwrap_or_default();
        let strategy = pipeline.get("strategy") == Some(&Value::Bool(true));
        keep(tx, id, &home, strategy, &pipeline)?;
        revision::note(tx, "pipeline", id, who, &crate::records::json(&pipeline), false)?;
    }
    Ok(())
}

/// Deletes a pipeline by its application and its name or id.
pub fn delete(tx: &mut Tx, application: &str, name: &str, strategy: bool, who: &str) -> Result<(), PipelineError> {
    let found = named(tx, application, name, strategy)?;
    let id = found.as_ref().and_then(|p| p.get("id")).and_then(Value::as_str);
    let Some(id) = id else { return Err(PipelineError::Unknown(name.to_owned())) };
    Ok(delete_by_id(tx, id, who)?)
}

/// Deletes a pipeline by its id; one that is not there is as good as deleted.
pub fn delete_by_id(tx: &mut Tx, id: &str, who: &str) -> Result<(), StoreError> {
    let Some(pipeline) = by_id(tx, id)? else { return Ok(()) };
    tx.execute("delete from pipeline where id = ?1", params![id])?;
    tx.execute("delete from follower where follower = ?1", params![id])?;
    revision::note(tx, "pipeline", id, who, &crate::records::json(&pipeline), true)?;
    tx.change("pipeline", id)
}

/// The id under which a pipeline's history is kept, by its application and its name or id; also of one that was deleted.
pub fn id_of(tx: &mut Tx, application: &str, name: &str) -> Result<Option<String>, StoreError> {
    for strategy in [false, true] {
        if let Some(found) = named(tx, application, name, strategy)? {
            return Ok(found.get("id").and_then(Value::as_str).map(str::to_owned));
        }
    }
    let (home, folded) = (applications::folded(application), name.trim().to_lowercase());
    let same = |state: &revision::Revision, key: &str, folded: &str| {
        state.body[key].as_str().is_some_and(|text| text.trim().to_lowercase() == folded)
    };
    let gone = revision::deleted(tx, "pipeline")?
        .into_iter()
        .find(|(id, state)| same(state, "application", &home) && (id == name || same(state, "name", &folded)));
    Ok(gone.map(|(id, _)| id))
}

/// Saves an earlier state of a pipeline anew, also of one that was deleted.
pub fn restore(tx: &mut Tx, id: &str, number: i64, who: &str) -> Result<Map, PipelineError> {
    let unknown = || PipelineError::Unknown(format!("{id}' with a revision '{number}"));
    let old = revision::get(tx, "pipeline", id, number)?.ok_or_else(unknown)?;
    let Value::Object(body) = old.body else { return Err(unknown()) };
    save(tx, &body, false, who)
}
