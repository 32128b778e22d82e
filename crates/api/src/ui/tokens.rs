//! Tokens that the server makes and revokes.

use access::{Caller, Kept, KeptError, Role, Scope, kept};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// A token without itself.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TokenShown {
    /// Its name, as it stands in executions and logs.
    name: String,
    /// What its bearer may do: `viewer`, `operator` or `admin`.
    #[schema(value_type = String)]
    role: Role,
    /// The only application that its bearer may see and run; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    /// The only publication that its bearer may read, `[storage:]prefix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    publication: Option<String>,
    /// The only repository that its bearer may upload to.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// Who made it; absent of one that stands in the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    /// When, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
}

impl TokenShown {
    /// Of a bearer, and who made the token when.
    fn of(bearer: Caller, made: Option<(String, i64)>) -> TokenShown {
        let [application, publication, repository] = bearer.scope.parts();
        let (who, created) = made.unzip();
        TokenShown { name: bearer.name, role: bearer.role, application, publication, repository, who, created }
    }
}

/// All tokens: those of the configuration file, then those that the server made.
pub(super) async fn all(house: &House) -> Result<Vec<TokenShown>, Problem> {
    let of_file = house.tokens.configured().into_iter().map(|bearer| TokenShown::of(bearer, None));
    let kept = house.read::<_, store::StoreError>(kept::all).await?;
    let made = kept.into_iter().map(|one| TokenShown::of(one.caller(), Some((one.who, one.created))));
    Ok(of_file.chain(made).collect())
}

/// Gives whose tokens open the door; those that stand in the configuration file say nothing of who made them.
#[utoipa::path(get, path = "/ui-api/tokens", responses((status = OK, body = Vec<TokenShown>)))]
async fn list(State(house): State<House>) -> Result<Json<Vec<TokenShown>>, Problem> {
    Ok(Json(all(&house).await?))
}

/// What a new token is to be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenWanted {
    /// Whose it is.
    name: String,
    /// What its bearer may do: `viewer`, `operator` or `admin`.
    #[schema(value_type = String)]
    role: Role,
    /// The only application that its bearer may see and run.
    application: Option<String>,
    /// Instead of it the only publication that its bearer may read, `[storage:]prefix`.
    publication: Option<String>,
    /// Instead of them the only repository that its bearer may upload to.
    repository: Option<String>,
}

impl TokenWanted {
    fn scope(&self) -> Result<Scope, Problem> {
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Scope::of(given(&self.application), given(&self.publication), given(&self.repository)).ok_or_else(|| {
            Problem::bad_request("a token is for one application, one publication, one repository, or all")
        })
    }
}

/// A new token.
#[derive(Serialize, utoipa::ToSchema)]
struct TokenMade {
    /// Its name.
    name: String,
    /// What its bearer may do.
    #[schema(value_type = String)]
    role: Role,
    /// The token, which is told only now.
    token: String,
}

/// Makes a token, which counts at once, and tells it this once. From the first one on everybody needs one.
#[utoipa::path(post, path = "/ui-api/tokens", request_body = TokenWanted,
    responses((status = CREATED, body = TokenMade), (status = BAD_REQUEST, body = Problem), (status = CONFLICT, body = Problem)))]
async fn make(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    let wanted = body.object("what the token is to be")?;
    let wanted: TokenWanted =
        serde_json::from_value(wanted.into()).map_err(|error| Problem::bad_request(error.to_string()))?;
    let (made, text) = Kept::make(wanted.name.trim(), wanted.role, wanted.scope()?, &caller.name, store::id::random()?);
    let (kept, configured) = (made.clone(), house.tokens.configured());
    change(&house, move |tx| kept::add(tx, &kept, &configured)).await?;
    let made = TokenMade { name: made.name, role: made.role, token: text.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Revokes a token: it opens nothing from here on.
#[utoipa::path(delete, path = "/ui-api/tokens/{name}", params(("name" = String, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Problem), (status = CONFLICT, body = Problem)))]
async fn revoke(State(house): State<House>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let configured = house.tokens.configured();
    if configured.iter().any(|one| one.name == name) {
        let message =
            format!("{name} stands in the configuration file: take its [[token]] out there and restart the server");
        return Err(Problem::conflict(message));
    }
    let open = house.reachable;
    change(&house, move |tx| kept::revoke(tx, &name, &configured, open)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the tokens. With the commit the door knows: nobody is shown a list without a token that still opens it.
async fn change(
    house: &House,
    work: impl Fn(&mut store::Tx<'_>) -> Result<(), KeptError> + Send + 'static,
) -> Result<(), Problem> {
    let tokens = house.tokens.clone();
    let done = house.write(move |tx| {
        work(tx)?;
        let (tokens, kept) = (tokens.clone(), kept::all(tx)?);
        tx.after_commit(move || tokens.keep(&kept));
        Ok::<_, KeptError>(())
    });
    done.await
}

impl From<KeptError> for Problem {
    fn from(error: KeptError) -> Self {
        match error {
            KeptError::Store(error) => error.into(),
            KeptError::Unknown(_) => Problem::not_found(error.to_string()),
            KeptError::BadName | KeptError::AdminOfOne => Problem::bad_request(error.to_string()),
            KeptError::Taken(_) | KeptError::FirstIsNoAdmin | KeptError::LastAdmin(_) | KeptError::LastLock(_) => {
                Problem::conflict(error.to_string())
            }
        }
    }
}
