//! Executions looked for by what started them.

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine;
use pipeline::search::{self, Search};
use pipeline::{Map, records};
use serde::Deserialize;
use serde_json::Value;
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view;
use crate::query::Query;
use crate::{House, Problem};

/// How many are answered at most.
const MOST: usize = 1000;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(executions))
}

/// What a search looks for.
#[derive(Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    /// Types of triggers, separated by commas.
    trigger_types: Option<String>,
    /// The pipeline's name.
    pipeline_name: Option<String>,
    /// The id of the event that started it.
    event_id: Option<String>,
    /// What its trigger has: a JSON object in base64. A text is equal but for its case, or a regular expression of the whole.
    trigger: Option<String>,
    /// Not built before, in milliseconds.
    trigger_time_start_boundary: Option<i64>,
    /// Not built after, in milliseconds.
    trigger_time_end_boundary: Option<i64>,
    /// Statuses, separated by commas.
    statuses: Option<String>,
    /// How many are left out.
    start_index: Option<usize>,
    /// How many at most; absent means 10.
    size: Option<usize>,
    /// Oldest first.
    reverse: Option<bool>,
    /// With the stages' data; absent means false.
    expand: Option<bool>,
}

/// Searches the executions of an application, or of all (`*`).
#[utoipa::path(get, path = "/applications/{application}/executions/search", params(("application" = String, Path), Asked),
    responses((status = OK, body = Vec<Object>), (status = BAD_REQUEST, body = Problem)))]
async fn executions(
    State(house): State<House>,
    Path(application): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Problem> {
    let expand = asked.expand.unwrap_or(false);
    let search = search_of(application, asked)?;
    let find = move |tx: &mut Tx<'_>| {
        let ids = search::executions(tx, &search)?;
        let runs = ids.iter().map(|id| records::get(tx, id));
        Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect::<Vec<_>>())
    };
    let runs = house.read::<_, StoreError>(find).await?;
    Ok(Json(runs.iter().map(|run| view::execution(run, expand)).collect()))
}

fn search_of(application: String, asked: Asked) -> Result<Search, Problem> {
    let text = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    let list = |value: Option<String>| -> Vec<String> {
        value.unwrap_or_default().split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    Ok(Search {
        application: Some(application).filter(|name| name != "*"),
        name: text(asked.pipeline_name),
        statuses: view::statuses(asked.statuses.as_deref())?,
        from: asked.trigger_time_start_boundary,
        to: asked.trigger_time_end_boundary,
        kinds: list(asked.trigger_types),
        event: text(asked.event_id),
        trigger: text(asked.trigger).map_or_else(|| Ok(Map::new()), |text| trigger_of(&text))?,
        skip: asked.start_index.unwrap_or(0),
        size: asked.size.unwrap_or(10).min(MOST),
        oldest_first: asked.reverse.unwrap_or(false),
    })
}

/// A JSON object in base64; a `+` that a form made a blank is one again.
fn trigger_of(text: &str) -> Result<Map, Problem> {
    let wrong = || Problem::bad_request("trigger must be a JSON object in base64");
    let text = text.trim().replace([' ', '-'], "+").replace('_', "/");
    let bytes =
        base64::engine::general_purpose::STANDARD_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| wrong())?;
    match crate::body::read(&bytes) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_trigger_comes_in_any_base64() {
        let expected = json!({"a": "??>"}).as_object().cloned();
        for text in ["eyJhIjoiPz8+In0=", "eyJhIjoiPz8+In0", "eyJhIjoiPz8 In0=", "eyJhIjoiPz8-In0="] {
            assert_eq!(trigger_of(text).ok(), expected, "{text}");
        }
        for text in ["!", "W10=", "eyJh"] {
            assert!(trigger_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn empty_values_ask_for_nothing() {
        let blank = Some(String::new());
        let asked =
            Asked { trigger_types: blank.clone(), event_id: blank.clone(), statuses: blank, ..Asked::default() };
        let search = search_of("*".into(), asked).expect("good");
        assert_eq!((search.application, search.kinds, search.event, search.size), (None, Vec::new(), None, 10));
    }
}
