//! Search over everything that has a name.

use axum::Json;
use axum::extract::State;
use pipeline::{Map, applications, pipelines, projects};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::inventory;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(search))
}

/// What is searched for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Search {
    /// Part of a name.
    q: Option<String>,
    /// `projects`, `applications`, `pipelines`, `clusters`, `serverGroups`, `instances`, `loadBalancers`, `securityGroups`, with commas between;
    /// empty means all.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Of this cloud.
    platform: Option<String>,
    /// How many a page; absent means 10,000.
    page_size: Option<usize>,
    /// The page, from 1 on.
    page: Option<usize>,
}

/// Things whose names hold a text.
#[utoipa::path(get, path = "/search", params(Search), responses((status = OK, body = Vec<Object>)))]
async fn search(State(house): State<House>, Query(asked): Query<Search>) -> Result<Json<Value>, Problem> {
    let text = asked.q.unwrap_or_default();
    let kinds: Vec<String> =
        asked.kind.unwrap_or_default().split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    let wanted = |kind: &str| kinds.is_empty() || kinds.iter().any(|one| one == kind);
    let mut results = Vec::new();
    if ["projects", "applications", "pipelines"].iter().any(|kind| wanted(kind)) {
        let (part, kinds) = (text.to_lowercase(), kinds.clone());
        let saved = move |tx: &mut Tx<'_>| saved(tx, &part, |kind| kinds.is_empty() || kinds.iter().any(|k| k == kind));
        results.extend(house.read::<_, StoreError>(saved).await?);
    }
    let all = house.clouds.list(&cloud::Query { application: None, without_images: true }).await?;
    for kind in ["clusters", "serverGroups", "instances", "loadBalancers", "securityGroups"] {
        if wanted(kind) {
            results.extend(inventory::search(&all, &text, kind));
        }
    }
    if let Some(platform) = &asked.platform {
        results.retain(|one| one.get("provider").and_then(Value::as_str).is_none_or(|provider| provider == platform));
    }
    let total = results.len();
    let size = asked.page_size.unwrap_or(10_000).clamp(1, 10_000);
    let page = asked.page.unwrap_or(1).max(1);
    let shown: Vec<Value> = results.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
    Ok(Json(
        json!([{"pageNumber": page, "pageSize": size, "platform": asked.platform.as_deref().unwrap_or("aws"), "query": text,
        "totalMatches": total, "results": shown}]),
    ))
}

/// What people saved and whose name holds a text.
fn saved(tx: &mut Tx<'_>, part: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Value>, StoreError> {
    let name = |one: &Map| one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let holds = |one: &Map| name(one).to_lowercase().contains(part);
    let mut found = Vec::new();
    if wanted("projects") {
        for project in projects::all(tx)?.into_iter().filter(holds) {
            let url = format!("/projects/{}", name(&project));
            found.push(with(project, json!({"type": "projects", "url": url})));
        }
    }
    if wanted("applications") {
        for application in applications::all(tx)?.into_iter().filter(holds) {
            let name = name(&application);
            let more = json!({"type": "applications", "application": name, "url": format!("/applications/{name}")});
            found.push(with(application, more));
        }
    }
    if wanted("pipelines") {
        for one in pipelines::all(tx, false)?.into_iter().filter(holds) {
            let application = one.get("application").and_then(Value::as_str).unwrap_or_default();
            found.push(
                json!({"type": "pipelines", "name": name(&one), "id": one.get("id"), "application": application,
                "pipeline": name(&one), "url": format!("/applications/{application}/executions/configure/{}",
                    one.get("id").and_then(Value::as_str).unwrap_or_default())}),
            );
        }
    }
    Ok(found)
}

fn with(mut one: Map, more: Value) -> Value {
    if let Value::Object(more) = more {
        one.extend(more);
    }
    Value::Object(one)
}
