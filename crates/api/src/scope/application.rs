//! What belongs to an application, and who may reach it with a token for that one alone: they see what belongs to it, and start, judge and stop its
//! pipelines; they save nothing and run no jobs, for what a pipeline says may concern other applications.

use axum::http::Method;
use pipeline::{applications, pipelines, records};
use store::{StoreError, Tx};

use super::Params;
use crate::{House, Problem};

/// What holds nothing of any application.
const NOBODYS: [&str; 10] = [
    "/",
    "/auth/user",
    "/auth/rawUser",
    "/capabilities/expressions",
    "/credentials",
    "/health",
    "/health/ready",
    "/login",
    "/ui-api/stages",
    "/version",
];
/// Reading what belongs to an execution, which `id` names.
const OF_EXECUTIONS: [&str; 8] = [
    "/executions/{id}/deploymentReport",
    "/pipelines/{id}",
    "/pipelines/{id}/evaluateExpression",
    "/pipelines/{id}/{stage}/evaluateExpression",
    "/tasks/{id}",
    "/tasks/{id}/details/{operation}",
    "/ui-api/executions/{id}/notifications",
    "/ui-api/executions/{id}/stages/{stage_id}/log",
];
/// Reading what belongs to a saved pipeline, which `id` names.
const OF_PIPELINES: [&str; 4] = [
    "/pipelineConfigs/{id}/history",
    "/pipelineConfigs/{id}/history/{number}",
    "/strategyConfigs/{id}/history",
    "/ui-api/pipelines/{id}/versions",
];
/// Starting, judging and stopping.
const RUNNING: [(&str, &str); 9] = [
    ("POST", "/pipelines/{application}/{pipeline}"),
    ("POST", "/pipelines/v2/{application}/{pipeline}"),
    ("POST", "/pipelines/{id}/evaluateExpression"),
    ("PUT", "/pipelines/{id}/cancel"),
    ("PUT", "/pipelines/{id}/pause"),
    ("PUT", "/pipelines/{id}/resume"),
    ("PATCH", "/pipelines/{id}/stages/{stage}"),
    ("PUT", "/pipelines/{id}/stages/{stage}/restart"),
    ("PUT", "/applications/{application}/pipelines/{id}/cancel"),
];

/// To what a request belongs: all of it must be the application's.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Application(String),
    Execution(String),
    Pipeline(String),
}

/// Whether a request is for this application's bearers.
pub(super) async fn permits(
    house: &House,
    application: &str,
    method: &Method,
    path: &str,
    params: &Params,
) -> Result<bool, Problem> {
    let Some(owners) = owners(method, path, params) else { return Ok(false) };
    let wanted = application.to_owned();
    let own = house.read::<_, StoreError>(move |tx| {
        for owner in &owners {
            if owner.application(tx)?.is_none_or(|of| !same(&of, &wanted)) {
                return Ok(false);
            }
        }
        Ok(true)
    });
    own.await
}

fn same(one: &str, other: &str) -> bool {
    applications::folded(one) == applications::folded(other)
}

/// To what a request belongs; none when it is not for bearers of one application at all.
fn owners(method: &Method, path: &str, params: &Params) -> Option<Vec<Owner>> {
    let param = |name: &str| params.get(name).map(str::to_owned);
    let reads = method.is_safe();
    if path.starts_with("/ui/") || path == "/ui" || (reads && NOBODYS.contains(&path)) {
        return Some(Vec::new());
    }
    if reads && path == "/notifications/{type}/{name}" {
        return Some(vec![Owner::Application(param("name")?)])
            .filter(|_| param("type").as_deref() == Some("application"));
    }
    if reads && OF_PIPELINES.contains(&path) {
        return Some(vec![Owner::Pipeline(param("id")?)]);
    }
    let runs = RUNNING.iter().any(|(known, route)| method.as_str() == *known && path == *route);
    let of_application = path.contains("{application}");
    if !(runs || (reads && (of_application || OF_EXECUTIONS.contains(&path)))) {
        return None;
    }
    let mut owners = Vec::new();
    if of_application {
        owners.push(Owner::Application(param("application")?));
    }
    if path.contains("{id}") {
        owners.push(Owner::Execution(param("id")?));
    }
    Some(owners)
}

impl Owner {
    fn application(&self, tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
        match self {
            Owner::Application(name) => Ok(Some(name.clone())),
            Owner::Execution(id) => {
                let found = records::read_all(tx, std::slice::from_ref(id), records::Detail::Header)?;
                Ok(found.into_iter().next().map(|run| run.application))
            }
            Owner::Pipeline(id) => {
                let found = pipelines::by_id(tx, id)?;
                Ok(found.and_then(|config| Some(config.get("application")?.as_str()?.to_owned())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_belongs_to_nobody() {
        let asked = |method: Method, path: &str| {
            let params = [("application", "shop"), ("id", "E"), ("type", "application"), ("name", "shop")];
            owners(&method, path, &Params::of(&params))
        };
        let (shop, run) = (|| Owner::Application("shop".into()), || Owner::Execution("E".into()));
        assert_eq!(asked(Method::GET, "/applications/{application}/pipelines"), Some(vec![shop()]));
        assert_eq!(asked(Method::PUT, "/applications/{application}/pipelines/{id}/cancel"), Some(vec![shop(), run()]));
        assert_eq!(asked(Method::GET, "/applications/{application}/tasks/{id}"), Some(vec![shop(), run()]));
        assert_eq!(asked(Method::GET, "/pipelines/{id}"), Some(vec![run()]));
        assert_eq!(asked(Method::GET, "/health"), Some(Vec::new()));
        for (method, path) in [
            (Method::DELETE, "/pipelines/{id}"),
            (Method::DELETE, "/pipelines/{application}/{pipeline}"),
            (Method::POST, "/applications/{application}/tasks"),
            (Method::GET, "/applications"),
            (Method::POST, "/tasks"),
            (Method::POST, "/pipelines"),
            (Method::GET, "/ui-api/live"),
            (Method::GET, "/api/repos"),
            (Method::POST, "/ui-api/tokens"),
            (Method::GET, ""),
        ] {
            assert_eq!(asked(method.clone(), path), None, "{method} {path}");
        }
    }
}
