//! What nobody answers for any more, over all accounts.

use axum::Json;
use axum::extract::State;
use cloud::Query as CloudQuery;
use pipeline::model::{Kind, Status};
use pipeline::{applications, records};
use serde_json::{Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Server groups, load balancers and firewalls of unknown applications, and canaries that no deployment compares:
/// `{kind, name, account, region, application, why, job}`; `job` is what `POST /tasks` takes to end it.
#[utoipa::path(get, path = "/orphans", responses((status = OK, body = Vec<Object>)))]
async fn list(State(house): State<House>) -> Result<Json<Value>, Problem> {
    // What exists is asked first: whoever is making some of it runs at least until then, and so is known.
    let inventory = house.clouds.list(&CloudQuery { application: None, without_images: true }).await?;
    let (known, running) = house
        .read::<_, StoreError>(|tx| {
            let statuses = vec![Status::NotStarted, Status::Running, Status::Paused, Status::Suspended];
            let mut running = Vec::new();
            for kind in [Kind::Pipeline, Kind::Orchestration] {
                running.extend(records::list(
                    tx,
                    &records::Query { kind, statuses: statuses.clone(), ..Default::default() },
                )?);
            }
            Ok((applications::all(tx)?, running))
        })
        .await?;
    let names: Vec<String> = known.iter().filter_map(|app| Some(app.get("name")?.as_str()?.to_owned())).collect();
    Ok(Json(json!(stages::infrastructure::orphans(&inventory, &names, &running))))
}
