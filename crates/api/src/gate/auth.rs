//! Who asks, in the words that clients know. Tokens and roles are the guard's.

use access::{Action, Caller};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(user))
        .routes(routes!(raw_user))
        .routes(routes!(service_accounts))
        .routes(routes!(logged_out))
        .routes(routes!(redirect))
        .routes(routes!(sync_roles))
        .routes(routes!(forget_sessions))
        .routes(routes!(tokens))
        .routes(routes!(login))
}

fn known(house: &House, caller: &Caller) -> Value {
    let accounts: Vec<String> = house.clouds.describe().into_iter().map(|account| account.name.clone()).collect();
    let role = caller.role.to_string();
    json!({
        "username": caller.name, "email": caller.name, "firstName": null, "lastName": null, "roles": [role],
        "allowedAccounts": accounts, "authorities": [{"authority": role}], "enabled": true, "accountNonExpired": true,
        "accountNonLocked": true, "credentialsNonExpired": true, "isAdmin": caller.role.may(Action::Administer),
    })
}

/// Who asks.
#[utoipa::path(get, path = "/auth/user", responses((status = OK, body = Object)))]
async fn user(State(house): State<House>, Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(known(&house, &caller))
}

/// The same.
#[utoipa::path(get, path = "/auth/rawUser", responses((status = OK, body = Object)))]
async fn raw_user(State(house): State<House>, Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(known(&house, &caller))
}

/// Users that are no persons; there are none.
#[utoipa::path(get, path = "/auth/user/serviceAccounts", responses((status = OK, body = Vec<Object>)))]
async fn service_accounts() -> Json<Value> {
    Json(json!([]))
}

/// After a logout; a token needs none.
#[utoipa::path(get, path = "/auth/loggedOut", responses((status = OK, body = String)))]
async fn logged_out() -> &'static str {
    "Successfully logged out"
}

/// Where a client wants to be after a login.
#[derive(Deserialize, utoipa::IntoParams)]
struct To {
    /// A path on this server, or an address of this machine.
    to: Option<String>,
}

/// Leads back to a client whose user is logged in, which everybody is who gets here; not to other sites.
#[utoipa::path(get, path = "/auth/redirect", params(To), responses((status = 302), (status = BAD_REQUEST, body = Problem)))]
async fn redirect(Query(to): Query<To>) -> Result<Response, Problem> {
    let to = to.to.unwrap_or_else(|| "/".to_owned());
    if !leads_here(&to) {
        return Err(Problem::bad_request("to must be a path on this server or an address of this machine"));
    }
    let place =
        header::HeaderValue::from_str(&to).map_err(|_| Problem::bad_request("to holds what no address holds"))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, place)]).into_response())
}

fn leads_here(to: &str) -> bool {
    if to.starts_with('/') {
        return !to.starts_with("//") && !to.contains('\\');
    }
    let Ok(url) = url::Url::parse(to) else { return false };
    matches!(url.scheme(), "http" | "https")
        && match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
}

/// Reads roles anew; they stand in the configuration, so there is nothing to do.
#[utoipa::path(post, path = "/auth/roles/sync", responses((status = OK)))]
async fn sync_roles() -> StatusCode {
    StatusCode::OK
}

/// Forgets sessions; there are none.
#[utoipa::path(post, path = "/auth/deleteSessionCache", responses((status = OK)))]
async fn forget_sessions() -> StatusCode {
    StatusCode::OK
}

/// Tokens that the server gave; they stand in the configuration and are not told.
#[utoipa::path(get, path = "/auth/apiTokens", responses((status = OK, body = Vec<Object>)))]
async fn tokens() -> Json<Value> {
    Json(json!([]))
}

/// What a client asks that logs in by a token: it is, when it gets here.
#[utoipa::path(get, path = "/login", responses((status = OK, body = Object)))]
async fn login(State(house): State<House>, Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(known(&house, &caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_here() {
        for (to, here) in [
            ("/", true),
            ("/ui/", true),
            ("http://localhost:9000/x", true),
            ("http://127.0.0.1/", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("http://evil.example/", false),
            ("http://localhost.evil.example/", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(leads_here(to), here, "{to}");
        }
    }
}
