//! Releases that an application's clusters were rolled back from and that do not come again by themselves.

use axum::Json;
use axum::extract::{Path, State};
use pipeline::held::{self, HeldBack};
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(release))
}

/// Which clusters are meant.
#[derive(Deserialize, utoipa::IntoParams)]
struct Which {
    /// This one only.
    cluster: Option<String>,
    /// Of this account only.
    account: Option<String>,
}

impl Which {
    fn means(&self, held: &HeldBack) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| held.cluster.eq_ignore_ascii_case(cluster))
            && self.account.as_ref().is_none_or(|account| held.account == *account)
    }
}

/// What is held back, the newest first: `{application, account, cluster, release, image, who, reason, at}`.
#[utoipa::path(get, path = "/applications/{application}/heldBack", params(("application" = String, Path), Which),
    responses((status = OK, body = Vec<Object>)))]
async fn list(
    State(house): State<House>,
    Path(application): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Problem> {
    let mut all = house.read::<_, StoreError>(move |tx| held::of_application(tx, &application)).await?;
    all.retain(|held| which.means(held));
    Ok(Json(json!(all)))
}

/// Lets a release, named by its version or as `package-version`, come again; answers what was held back until now.
#[utoipa::path(delete, path = "/applications/{application}/heldBack/{version}",
    params(("application" = String, Path), ("version" = String, Path), Which),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn release(
    State(house): State<House>,
    Path((application, version)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Problem> {
    let (name, wanted) = (application.clone(), version.clone());
    let lifted = house
        .write::<_, StoreError>(move |tx| {
            let mut all = held::of_application(tx, &name)?;
            all.retain(|held| which.means(held) && (held.version() == wanted || held.release == wanted));
            held::lift(tx, &all)?;
            Ok(all)
        })
        .await?;
    if lifted.is_empty() {
        return Err(Problem::not_found(format!("{application} holds back no version {version}")));
    }
    Ok(Json(json!(lifted)))
}
