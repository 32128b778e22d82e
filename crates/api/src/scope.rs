//! Tokens for a part of the server: what their bearers may reach. Everything that is not listed in the files beneath is not theirs; so a new route is
//! closed to them until somebody says to what it belongs.

use access::{Caller, Scope};
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::{House, Problem};

mod application;
mod archive;

/// The parts of a path that a route names, decoded.
struct Params(Vec<(String, String)>);

impl Params {
    #[cfg(test)]
    fn of(all: &[(&str, &str)]) -> Params {
        Params(all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The middleware, around every route: turns away whose token is for something else.
pub async fn watch(
    State(house): State<House>,
    matched: Option<MatchedPath>,
    params: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let Some(caller) = caller.filter(|caller| caller.scope != Scope::Server) else {
        return next.run(request).await;
    };
    let (method, path) = (request.method(), matched.as_ref().map_or("", MatchedPath::as_str));
    let params = Params(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let (permitted, what) = match &caller.scope {
        Scope::Server => (Ok(true), String::new()),
        Scope::Application(name) => {
            (application::permits(&house, name, method, path, &params).await, format!("the application {name}"))
        }
        Scope::Publication(prefix) => {
            (Ok(archive::reads(prefix, method, path, &params)), format!("the publication {prefix}"))
        }
        Scope::Repository(name) => {
            (Ok(archive::uploads(name, method, path, &params)), format!("the repository {name}"))
        }
    };
    match permitted {
        Ok(true) => next.run(request).await,
        Ok(false) => {
            let message = format!("{} is for {what} alone and may not do this", caller.name);
            Problem::forbidden(message).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}
