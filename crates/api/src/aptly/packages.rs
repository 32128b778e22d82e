//! Packages: lists of them in the two forms that clients ask for, and single ones.

use std::collections::BTreeMap;

use apt::{Follow, Root, shown_package};
use axum::extract::{Path, State};
use debian::package::Package;
use debian::query::{self, Query};
use serde_json::Value;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::Params;
use super::{Answer, Aptly, Fault};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new().routes(routes!(all)).routes(routes!(one))
}

/// A query as a client wrote it.
pub fn query(text: &str) -> Result<Query, Fault> {
    query::parse(text).map_err(|error| Fault::bad(error.to_string()))
}

/// Which packages of a list are asked for, and how they shall look.
pub struct Wanted {
    query: Option<Query>,
    follow: Option<Follow>,
    newest: bool,
    details: bool,
}

impl Wanted {
    /// What the parameters `q`, `withDeps`, `maximumVersion` and `format` say.
    pub fn read(params: &Params, follow: &Follow) -> Result<Self, Fault> {
        let query = params.text("q").map(query).transpose()?;
        let deps = query.is_some() && params.flag("withDeps");
        Ok(Self {
            query,
            follow: deps.then(|| follow.clone()),
            newest: params.flag("maximumVersion"),
            details: params.text("format") == Some("details"),
        })
    }

    /// These packages of a list.
    pub fn of_list(&self, root: &Root, list: &str) -> Result<Answer, Fault> {
        if self.query.is_none() && !self.newest && !self.details {
            return Ok(Answer::ok(root.keys(list)?.iter().map(|key| key.full()).collect::<Vec<_>>()));
        }
        Ok(self.shown(root.search(list, self.query.as_ref(), self.follow.as_ref())?))
    }

    fn shown(&self, mut packages: Vec<Package>) -> Answer {
        if self.newest {
            packages = newest(packages);
        }
        let shown = |package: &Package| if self.details { shown_package(package) } else { package.key.full().into() };
        Answer::ok(packages.iter().map(shown).collect::<Vec<Value>>())
    }
}

/// Pure: of each name and architecture the highest version.
fn newest(packages: Vec<Package>) -> Vec<Package> {
    let mut best: BTreeMap<(String, String), Package> = BTreeMap::new();
    for package in packages {
        let place = (package.key.name.clone(), package.key.architecture.clone());
        let older = best.get(&place).is_some_and(|known| {
            debian::version::compare(&known.key.version, &package.key.version) == std::cmp::Ordering::Greater
        });
        if !older {
            best.insert(place, package);
        }
    }
    best.into_values().collect()
}

/// Packages that the root knows.
#[utoipa::path(get, path = "/api/packages", responses((status = OK, body = Object)))]
async fn all(State(aptly): State<Aptly>, params: Params) -> Result<Answer, Fault> {
    let wanted = Wanted::read(&params, &aptly.settings().follow)?;
    let answer = aptly.blocking(move |root| {
        let mut all = root.all_packages()?;
        all.retain(|package| wanted.query.as_ref().is_none_or(|query| query.matches(package)));
        Ok(wanted.shown(all))
    });
    answer.await
}

/// One package by its key.
#[utoipa::path(get, path = "/api/packages/{key}", params(("key" = String, Path)), responses((status = OK, body = Object)))]
async fn one(State(aptly): State<Aptly>, Path(key): Path<String>) -> Result<Answer, Fault> {
    let found = aptly.blocking(move |root| Ok(root.package(&key)?)).await;
    match found {
        Err(fault) if fault.status == axum::http::StatusCode::NOT_FOUND => Err(Fault::missing("key not found")),
        found => Ok(Answer::ok(shown_package(&found?))),
    }
}
