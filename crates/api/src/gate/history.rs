//! What was saved before: the states of a pipeline, an application, a project or a template, each with who saved it and when, and one of them had back.
//!
//! The routes stand with their nouns; here is what they share.

use pipeline::revision::{self, Revision};
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;

use crate::{House, Problem};

/// How many saved states are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
pub struct Limit {
    /// The newest so many; absent means 20.
    pub limit: Option<usize>,
}

/// The saved states of a thing, newest first, each with who saved it and when.
pub async fn states(house: &House, kind: &'static str, id: String, limit: Limit) -> Result<Value, Problem> {
    let limit = limit.limit.unwrap_or(20).min(1000);
    let states = house.read::<_, StoreError>(move |tx| revision::history(tx, kind, &id, limit)).await?;
    Ok(states.into_iter().map(shown).collect())
}

/// One saved state.
pub async fn state(house: &House, kind: &'static str, id: String, number: i64) -> Result<Value, Problem> {
    let wanted = id.clone();
    let state = house.read::<_, StoreError>(move |tx| revision::get(tx, kind, &wanted, number)).await?;
    let missing = || Problem::not_found(format!("{kind} {id} has no revision {number}"));
    state.map(shown).ok_or_else(missing)
}

/// As Front50 shows it: the body with its author and time, and which one it is.
fn shown(state: Revision) -> Value {
    let mut body = state.body;
    if let Some(map) = body.as_object_mut() {
        map.insert("lastModifiedBy".into(), json!(state.who));
        map.insert("updateTs".into(), json!(state.at.to_string()));
        map.insert("revision".into(), json!(state.number));
        if state.deleted {
            map.insert("deleted".into(), json!(true));
        }
    }
    body
}
