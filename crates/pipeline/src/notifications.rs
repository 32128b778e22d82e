//! Whom an application (or anything else) tells what: documents that people keep, as they wrote them.

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use crate::{Map, applications, revision};

/// The document of a thing; none when nobody wrote one.
pub fn get(tx: &mut Tx, kind: &str, name: &str) -> Result<Option<Map>, StoreError> {
    let sql = "select body from notification where kind = ?1 and name = ?2";
    let row = tx.query_opt(sql, params![kind, applications::folded(name)])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|body| serde_json::from_str(&body).ok()))
}

/// Keeps a document and answers it.
pub fn save(tx: &mut Tx, kind: &str, name: &str, document: &Map, who: &str) -> Result<Map, StoreError> {
    let mut document = document.clone();
    document.entry(kind).or_insert_with(|| json!(name));
    document.insert("lastModifiedBy".into(), json!(who));
    document.insert("lastModified".into(), json!(tx.now().as_millisecond()));
    let (text, folded) = (crate::records::json(&document), applications::folded(name));
    tx.execute(
        "insert into notification (kind, name, body) values (?1, ?2, ?3)
         on conflict (kind, name) do update set body = excluded.body",
        params![kind, &folded, &text],
    )?;
    revision::note(tx, "notification", &format!("{kind}/{folded}"), who, &text, false)?;
    tx.change("notification", &folded)?;
    Ok(document)
}

/// Forgets a document; one that is not there is as good as forgotten.
pub fn delete(tx: &mut Tx, kind: &str, name: &str, who: &str) -> Result<(), StoreError> {
    let Some(old) = get(tx, kind, name)? else { return Ok(()) };
    let folded = applications::folded(name);
    tx.execute("delete from notification where kind = ?1 and name = ?2", params![kind, &folded])?;
    let text = crate::records::json(&Value::Object(old));
    revision::note(tx, "notification", &format!("{kind}/{folded}"), who, &text, true)?;
    tx.change("notification", &folded)
}
