//! Pipeline templates (the second kind, `schema: "v2"`): kept by id, tag and digest. How a configuration becomes a pipeline is in `plan`.
//!
//! A save without a tag is kept as `id`, one with a tag as `id:tag`, and each save besides as `id@sha256:…`, so that a pipeline can name exactly
//! the text that it was made from.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{Row, StoreError, Tx, params};

use crate::{Map, pipelines, revision};

mod plan;
mod reference;

pub use plan::{PlanFault, is_templated, plan_with};
pub use reference::Reference;

/// Why a template cannot be kept or found as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TemplateError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has no id, or one that cannot be.
    #[error("'{0}' cannot be the id of a pipeline template: letters, digits, '.', '_' and '-', at most 250 of them")]
    Id(String),
    /// A tag that cannot be.
    #[error("'{0}' cannot be a tag of a pipeline template: letters, digits, '.', '_' and '-'")]
    Tag(String),
    /// It is no template of this kind.
    #[error("{path}: {what}")]
    Malformed {
        /// A JSON path.
        path: &'static str,
        /// What is wrong there.
        what: String,
    },
    /// There is one already.
    #[error("A pipeline template with the id {0} already exists")]
    Exists(String),
    /// There is none.
    #[error("there is no pipeline template {0}")]
    Unknown(String),
    /// A pipeline's configuration and its template do not go together.
    #[error(transparent)]
    Plan(#[from] PlanFault),
    /// Pipelines that use it could not be planned with it.
    #[error("pipelines that use this template could not be planned any more: {}", .0.join("; "))]
    Dependents(Vec<String>),
}

/// Which version of a template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Version {
    /// `stable`, `latest` …
    pub tag: Option<String>,
    /// `sha256:…`, or the digits alone.
    pub digest: Option<String>,
}

impl Version {
    /// The version with this tag; an empty text is none.
    pub fn tagged(tag: Option<&str>) -> Version {
        Version { tag: tag.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned), digest: None }
    }

    /// Under which key it is kept.
    pub fn key(&self, id: &str) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{id}@sha256:{}", digest.trim_start_matches("sha256:")),
            (None, Some(tag)) => format!("{id}:{tag}"),
            (None, None) => id.to_owned(),
        }
    }
}

/// A saved template.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// With which tag it was saved.
    pub tag: Option<String>,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub digest: String,
    /// Whether it is kept for its digest's sake only.
    pub pinned: bool,
    /// Its JSON as saved, with the server's keys.
    pub body: Map,
}

fn kept(row: &Row) -> Result<Option<Kept>, StoreError> {
    let Ok(body) = serde_json::from_str::<Map>(&row.text(4)?) else { return Ok(None) };
    let (key, id) = (row.text(0)?, row.text(1)?);
    Ok(Some(Kept { pinned: key.contains('@'), id, tag: row.opt_text(2)?, digest: row.text(3)?, body }))
}

/// One version of a template. Without a tag that is the one saved without, else the one tagged `latest`; and the other way round.
pub fn get(tx: &mut Tx, id: &str, version: &Version) -> Result<Option<Kept>, StoreError> {
    let mut keys = vec![version.key(id)];
    if version.digest.is_none() {
        match version.tag.as_deref() {
            None => keys.push(format!("{id}:latest")),
            Some("latest") => keys.push(id.to_owned()),
            Some(_) => {}
        }
    }
    for key in keys {
        let sql = "select key, id, tag, digest, body from template where key = ?1";
        if let Some(row) = tx.query_opt(sql, params![key])? {
            return kept(&row);
        }
    }
    Ok(None)
}

/// All versions of all templates, by id, newest first; those kept for their digest only come too.
pub fn all(tx: &mut Tx) -> Result<Vec<Kept>, StoreError> {
    let sql = "select key, id, tag, digest, body from template order by id, updated desc, key";
    let mut out = Vec::new();
    for row in tx.query(sql, &[])? {
        out.extend(kept(&row)?);
    }
    Ok(out)
}

/// Whether a template is meant for one of these scopes; no scopes mean every template. One client joins several without anything between them.
pub fn is_for(template: &Map, scopes: &[String]) -> bool {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).filter(|s| !s.is_empty()).collect();
    let own = template.get("metadata").and_then(|m| m.get("scopes")).and_then(Value::as_array);
    let mut own = own.into_iter().flatten().filter_map(Value::as_str).filter(|s| !s.is_empty());
    scopes.is_empty() || own.any(|own| scopes.iter().any(|s| *s == own || s.starts_with(own) || s.ends_with(own)))
}

/// Keys that are the server's.
const SERVERS: [&str; 3] = ["updateTs", "lastModifiedBy", "digest"];

fn checked(template: &Map) -> Result<String, TemplateError> {
    let id = template.get("id").and_then(Value::as_str).unwrap_or("").trim().to_owned();
    if !is_name(&id) {
        return Err(TemplateError::Id(id));
    }
    let malformed = |path, what: &str| Err(TemplateError::Malformed { path, what: what.to_owned() });
    if template.get("schema").and_then(Value::as_str) != Some("v2") {
        return malformed("$.schema", "must be \"v2\": templates of the first kind are not taken");
    }
    if !template.get("pipeline").is_some_and(Value::is_object) {
        return malformed("$.pipeline", "must be the pipeline that the template makes, an object");
    }
    if template.get("variables").is_some_and(|v| !v.is_array() && !v.is_null()) {
        return malformed("$.variables", "must be a list of {name, type, defaultValue}");
    }
    Ok(id)
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= 250 && text.chars().all(fits)
}

/// Whether the template must be new, or be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// It must not be there yet under this tag.
    Create,
    /// It may be there; `check_dependents`: the pipelines that use it must still come out.
    Update {
        /// See there.
        check_dependents: bool,
    },
}

/// Saves a template under a tag (or without one) and under its digest; answers what is kept.
pub fn save(tx: &mut Tx, template: &Map, tag: Option<&str>, how: Save, who: &str) -> Result<Map, TemplateError> {
    let id = checked(template)?;
    let version = Version::tagged(tag);
    if let Some(tag) = version.tag.as_deref().filter(|tag| !is_name(tag)) {
        return Err(TemplateError::Tag(tag.to_owned()));
    }
    let key = version.key(&id);
    let known = tx.query_opt("select key from template where key = ?1", params![&key])?;
    if how == Save::Create && known.is_some() {
        return Err(TemplateError::Exists(key));
    }
    let digest = digest(template);
    let mut body = template.clone();
    body.insert("id".into(), json!(id));
    body.insert("updateTs".into(), json!(tx.now().as_millisecond().to_string()));
    body.insert("lastModifiedBy".into(), json!(who));
    body.insert("digest".into(), json!(digest));
    if how == (Save::Update { check_dependents: true }) {
        dependents_come_out(tx, &id, &version, &body)?;
    }
    put(tx, &key, &id, version.tag.as_deref(), &digest, &body)?;
    let pinned = Version { tag: None, digest: Some(digest.clone()) }.key(&id);
    put(tx, &pinned, &id, version.tag.as_deref(), &digest, &body)?;
    revision::note(tx, "template", &key, who, &crate::records::json(&body), false)?;
    tx.change("template", &id)?;
    pipelines::refresh_templated(tx, &id)?;
    Ok(body)
}

fn put(tx: &mut Tx, key: &str, id: &str, tag: Option<&str>, digest: &str, body: &Map) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "insert into template (key, id, tag, digest, body, updated) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (key) do update set tag = excluded.tag, digest = excluded.digest, body = excluded.body,
             updated = excluded.updated",
        params![key, id, tag.map(str::to_owned), digest, crate::records::json(body), now],
    )?;
    Ok(())
}

/// The SHA-256 of a template's text without the server's keys, its members sorted: the same text, the same digest.
fn digest(template: &Map) -> String {
    let mut bare = template.clone();
    SERVERS.iter().for_each(|key| drop(bare.shift_remove(*key)));
    let mut text = String::new();
    sorted(&Value::Object(bare), &mut text);
    store::id::hex(&Sha256::digest(text.as_bytes()))
}

fn sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (key, value) in members {
                out.push_str(&crate::records::json(key));
                out.push(':');
                sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                sorted(value, out);
                out.push(',');
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Deletes one version of a template: with a tag, with a digest, or the one without a tag. Its history stays.
pub fn delete(tx: &mut Tx, id: &str, version: &Version, who: &str) -> Result<(), TemplateError> {
    let Some(found) = get(tx, id, version)? else { return Err(TemplateError::Unknown(version.key(id))) };
    let exact =
        if version.digest.is_some() { version.clone() } else { Version { tag: found.tag.clone(), digest: None } };
    let key = exact.key(id);
    tx.execute("delete from template where key = ?1", params![&key])?;
    revision::note(tx, "template", &key, who, &crate::records::json(&found.body), true)?;
    tx.change("template", id)?;
    pipelines::refresh_templated(tx, id)?;
    Ok(())
}

/// Saves an earlier text of a template anew.
pub fn restore(tx: &mut Tx, id: &str, version: &Version, number: i64, who: &str) -> Result<Map, TemplateError> {
    let key = version.key(id);
    let unknown = || TemplateError::Unknown(format!("{key} with a revision {number}"));
    let old = revision::get(tx, "template", &key, number)?.ok_or_else(unknown)?;
    let Value::Object(body) = old.body else { return Err(unknown()) };
    save(tx, &body, version.tag.as_deref(), Save::Update { check_dependents: false }, who)
}

/// The saved pipelines that are made from a template, whatever its version.
pub fn dependents(tx: &mut Tx, id: &str) -> Result<Vec<Map>, StoreError> {
    let mut all = pipelines::all(tx, false)?;
    all.retain(|pipeline| Reference::of(pipeline).is_ok_and(|reference| reference.id == id));
    Ok(all)
}

fn dependents_come_out(tx: &mut Tx, id: &str, version: &Version, template: &Map) -> Result<(), TemplateError> {
    let mut faults = Vec::new();
    for pipeline in dependents(tx, id)? {
        let same = Reference::of(&pipeline).is_ok_and(|r| r.version.key(id) == version.key(id));
        if let (true, Err(fault)) = (same, plan_with(template, &pipeline, tx.now())) {
            let name = |key: &str| pipeline.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            faults.push(format!("{} in {}: {fault}", name("name"), name("application")));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(TemplateError::Dependents(faults)) }
}

/// The template that a configuration names.
pub fn of_config(tx: &mut Tx, config: &Map) -> Result<Kept, TemplateError> {
    let reference = Reference::of(config)?;
    let found = get(tx, &reference.id, &reference.version)?;
    found.ok_or_else(|| TemplateError::Unknown(reference.version.key(&reference.id)))
}

/// The pipeline that a configuration and its template make.
pub fn plan(tx: &mut Tx, config: &Map) -> Result<Map, TemplateError> {
    let template = of_config(tx, config)?;
    Ok(plan_with(&template.body, config, tx.now())?)
}

/// A pipeline as it runs: one made from a template is planned, any other stays as it is.
pub fn planned(tx: &mut Tx, config: Map) -> Result<Map, TemplateError> {
    if is_templated(&config) { plan(tx, &config) } else { Ok(config) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_version_has_a_key_as_clients_write_it() {
        for (tag, digest, key) in [
            (None, None, "wait"),
            (Some("stable"), None, "wait:stable"),
            (None, Some("sha256:ab12"), "wait@sha256:ab12"),
            (Some("stable"), Some("ab12"), "wait@sha256:ab12"),
        ] {
            let version = Version { tag: tag.map(str::to_owned), digest: digest.map(str::to_owned) };
            assert_eq!(version.key("wait"), key);
        }
    }

    #[test]
    fn the_digest_depends_on_the_text_and_not_on_its_order_or_the_servers_keys() {
        let one = object(json!({"id": "a", "schema": "v2", "updateTs": "1", "pipeline": {"stages": []}}));
        let same = object(json!({"pipeline": {"stages": []}, "schema": "v2", "id": "a", "lastModifiedBy": "ann"}));
        let other = object(json!({"id": "a", "schema": "v2", "pipeline": {"stages": [{}]}}));
        assert_eq!(digest(&one), digest(&same));
        assert_ne!(digest(&one), digest(&other));
        assert_eq!(digest(&one).len(), 64);
    }

    #[test]
    fn scopes_are_found_also_when_a_client_joins_them() {
        let template = object(json!({"metadata": {"scopes": ["global", "shop"]}}));
        for (asked, fits) in [
            (vec![], true),
            (vec![""], true),
            (vec!["shop"], true),
            (vec!["x", "global"], true),
            (vec!["globalx"], true),
            (vec!["x"], false),
        ] {
            let asked: Vec<String> = asked.into_iter().map(str::to_owned).collect();
            assert_eq!(is_for(&template, &asked), fits, "{asked:?}");
        }
    }
}
