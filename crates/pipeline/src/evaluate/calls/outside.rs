//! Functions that ask the outside: saved pipelines, applications, URLs. What is not known yet is noted as a need.

use expr::{Budget, Failure, Value, read_yaml};
use serde_json::Value as Json;

use super::{Need, Outcome, text};
use crate::evaluate::names::Names;

/// Calls one of these functions; `None` = it is none of them.
pub(super) fn call<'a>(names: &Names<'a>, function: &str, args: &[Value<'a>], cost: &Budget) -> Option<Outcome<'a>> {
    Some(match (function, args) {
        ("pipelineId", [_, name]) => {
            pipeline(names, name, None, cost).and_then(|found| found.ok_or_else(|| missing(name)))
        }
        ("pipelineIdOrNull", [_, name]) => pipeline(names, name, None, cost).map(|found| found.unwrap_or(Value::Null)),
        ("pipelineIdInApplication", [_, name, application]) => {
            pipeline(names, name, Some(application), cost).and_then(|found| found.ok_or_else(|| missing(name)))
        }
        ("applicationMetadata", [name]) => application(names, name, cost),
        ("fromUrl", [url]) => fetched(names, url, cost).map(Value::text),
        ("jsonFromUrl", [url]) => fetched(names, url, cost).and_then(|body| json(&body)),
        ("yamlFromUrl", [url]) => fetched(names, url, cost)
            .and_then(|body| Ok(read_yaml(&body, cost)?.into_iter().next().unwrap_or(Value::Null))),
        ("propertiesFromUrl", [url]) => fetched(names, url, cost).map(|body| Value::made(&properties(&body))),
        (
            "pipelineId"
            | "pipelineIdOrNull"
            | "pipelineIdInApplication"
            | "applicationMetadata"
            | "fromUrl"
            | "jsonFromUrl"
            | "yamlFromUrl"
            | "propertiesFromUrl",
            _,
        ) => Err(Failure::new(format!("#{function} does not take these arguments"))),
        _ => return None,
    })
}

fn missing(name: &Value) -> Failure {
    Failure::new(format!("there is no pipeline '{}'", name.as_str().unwrap_or_default()))
}

fn named(value: &Value, cost: &Budget) -> Result<String, Failure> {
    let name = text(value, cost)?;
    if name.is_empty() { Err(Failure::new("a name must not be empty")) } else { Ok(name) }
}

/// The id of a pipeline, of the execution's application unless another is named.
fn pipeline<'a>(
    names: &Names<'a>,
    name: &Value,
    application: Option<&Value>,
    cost: &Budget,
) -> Result<Option<Value<'a>>, Failure> {
    let name = named(name, cost)?;
    let application = match application {
        Some(application) => named(application, cost)?,
        None => names
            .execution
            .as_ref()
            .and_then(|execution| execution.json().get("application")?.as_str())
            .unwrap_or_default()
            .to_owned(),
    };
    let pipelines = names.given.pipelines.as_ref().ok_or_else(|| names.need(Need::Pipelines))?;
    let has = |pipeline: &Json, field: &str, value: &str| pipeline.get(field).and_then(Json::as_str) == Some(value);
    let found =
        pipelines.iter().find(|pipeline| has(pipeline, "name", &name) && has(pipeline, "application", &application));
    Ok(found.and_then(|pipeline| pipeline.get("id")).map(Value::of))
}

fn application<'a>(names: &Names<'a>, name: &Value, cost: &Budget) -> Outcome<'a> {
    let name = named(name, cost)?;
    let applications = names.given.applications.as_ref().ok_or_else(|| names.need(Need::Applications))?;
    let found = applications.iter().find(|application| {
        application.get("name").and_then(Json::as_str).is_some_and(|other| other.eq_ignore_ascii_case(&name))
    });
    found.map(Value::of).ok_or_else(|| Failure::new(format!("there is no application '{name}'")))
}

/// The body behind a URL. Names of this machine, literal addresses and other schemes are refused before anything is fetched.
fn fetched(names: &Names, url: &Value, cost: &Budget) -> Result<String, Failure> {
    let url = text(url, cost)?;
    allowed(&url)?;
    match names.given.fetched.get(&url) {
        Some(Ok(body)) => Ok(body.clone()),
        Some(Err(why)) => Err(Failure::new(format!("{url} could not be fetched: {why}"))),
        None => Err(names.need(Need::Url(url))),
    }
}

fn allowed(url: &str) -> Result<(), Failure> {
    let refused = |why: &str| Failure::refused(format!("the URL '{url}' is refused: {why}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("it has no scheme"))?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(refused("only http and https are allowed"));
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(refused("it must not hold a user"));
    }
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| if port.bytes().all(|b| b.is_ascii_digit()) { host } else { authority });
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    // Also `2130706433` and `0x7f.1` name addresses: a host's last label begins with no digit.
    if host.is_empty() || host.starts_with('[') || last.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(refused("it must name a host, not an address"));
    }
    if last == "localhost" || last == "local" || last == "internal" || !host.contains('.') {
        return Err(refused("names of this machine and its network are not allowed"));
    }
    Ok(())
}

fn json<'a>(body: &str) -> Outcome<'a> {
    let value: Json =
        serde_json::from_str(body).map_err(|error| Failure::new(format!("the answer is no JSON: {error}")))?;
    Ok(Value::made(&value))
}

/// `key=value` or `key: value` a line; `#` and `!` begin comments.
fn properties(body: &str) -> Json {
    let lines = body.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    let entry = |line: &str| {
        let (key, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
        (key.trim_end().to_owned(), Json::String(value.trim_start().to_owned()))
    };
    Json::Object(lines.map(entry).collect())
}
