//! From a package file that was uploaded to a service: what would be done, and its doing.

use access::Caller;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use stages::up::{Fate, Step, UpError, Wish, Workshop};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::operations;
use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(up))
}

/// Which file becomes which service. What is not said stays as it is, or gets its default.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    /// The upload as `POST /api/files/{dir}` answers it: `DIR/FILE`.
    file: String,
    /// The name of application, load balancer and repository; made of the package's where it is not said.
    name: Option<String>,
    /// Where users come in; 8080 for a new service.
    port: Option<u16>,
    /// A path that answers when an instance is well, or `tcp`; `/` for a new service.
    check: Option<String>,
    /// How many instances; 2 for a new service.
    instances: Option<u32>,
    /// In which account; where the service is, the first one for a new service.
    account: Option<String>,
    /// Nothing is done, only said.
    #[serde(default)]
    plan: bool,
}

/// What is done, or would be.
#[derive(Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Up {
    /// The package: `name_version_architecture`.
    package: String,
    /// The application.
    application: String,
    /// The account that it is in, or would be.
    account: String,
    /// In order.
    steps: Vec<Object>,
    /// Where users come in, as far as it is known.
    address: Option<String>,
    /// The execution that brings the package there; null in a plan, and where `notes` say why nothing was started.
    execution: Option<String>,
    /// What people should know.
    notes: Vec<String>,
    /// Of a plan: why it would be refused.
    refused: Option<String>,
}

/// One object and what becomes of it.
#[derive(Serialize, utoipa::ToSchema)]
struct Object {
    /// `application`, `balancer`, `repository`, `pipeline` or `publication`.
    what: &'static str,
    /// Its name.
    name: String,
    /// `made`, `changed` or `kept`.
    fate: &'static str,
    /// The rest in words.
    says: String,
}

impl Object {
    fn of(step: Step) -> Object {
        let Step { what, name, fate, says } = step;
        let fate = match fate {
            Fate::Made => "made",
            Fate::Changed => "changed",
            Fate::Kept => "kept",
        };
        Object { what, name, fate, says }
    }
}

/// Makes a service of a package file, or brings its next version to its users; with `plan` it only says what it would do.
#[utoipa::path(post, path = "/ui-api/up", request_body = Asked,
    responses((status = OK, body = Up), (status = BAD_REQUEST, body = Problem), (status = CONFLICT, body = Problem)))]
async fn up(State(house): State<House>, Extension(caller): Extension<Caller>, body: Body) -> Result<Json<Up>, Problem> {
    let asked = body.object("a package file")?;
    let asked: Asked = serde_json::from_value(asked.into()).map_err(|error| Problem::bad_request(error.to_string()))?;
    let root = operations::root_of(&house, None)?.clone().acting(&caller.name, &format!("up {}", asked.file));
    let file = house.aptly.uploaded(&asked.file)?;
    let workshop = Workshop {
        engine: house.engine.clone(),
        clouds: house.clouds.clone(),
        bakery: house.bakery.clone(),
        root,
        signing: operations::signing(&house, false),
        who: caller.name,
    };
    let Asked { name, port, check, instances, account, plan: is_plan, .. } = asked;
    let wish = Wish { name, port, check, instances, account };
    let done = if is_plan { workshop.plan(&file, &wish).await } else { workshop.go(&file, &wish).await };
    let done = match done {
        // A plan that comes to nothing is an answer like another.
        Err(error) if is_plan && problem(&error).status() == StatusCode::BAD_REQUEST => {
            return Ok(Json(Up { refused: Some(error.to_string()), ..Up::default() }));
        }
        done => done.map_err(|error| problem(&error))?,
    };
    let stages::up::Up { plan, address, execution, notes } = done;
    let package = format!("{}_{}_{}", plan.package.name, plan.package.version, plan.package.architecture);
    let steps = plan.steps.into_iter().map(Object::of).collect();
    let (application, account) = (plan.name, plan.at.account);
    Ok(Json(Up { package, application, account, steps, address, execution, notes, refused: None }))
}

fn problem(error: &UpError) -> Problem {
    let why = error.to_string();
    match error {
        UpError::Refused(_) | UpError::Bake(_) => Problem::bad_request(why),
        UpError::Conflict(_) | UpError::Pipeline(_) => Problem::conflict(why),
        UpError::Apt(apt::Error::Conflict(_)) => Problem::conflict(why),
        _ => Problem::internal(why),
    }
}
