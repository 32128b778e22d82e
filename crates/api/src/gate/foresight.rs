//! Pipelines that do not run yet: what is wrong with them, and what they would do. Nothing is started or stored.

use access::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use pipeline::evaluate::Given;
use pipeline::forecast::{self, Ask, Forecast};
use pipeline::start::StartError;
use pipeline::templates::{self, TemplateError};
use pipeline::validate::{self, Finding, Form, Saved, Severity};
use pipeline::{applications, held, pipelines};
use serde_json::{Map, Value, json};
use stages::infrastructure::CloudOutlook;
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(plan))
}

/// Looks for what is wrong in a pipeline, a list of them, a dinghyfile or a template: `{findings: [{severity, path, message, help}]}`.
#[utoipa::path(post, path = "/pipelines/validate", request_body = String, responses((status = OK, body = Object)))]
async fn check(State(house): State<House>, body: String) -> Result<Json<Value>, Problem> {
    let saved = saved(&house).await?;
    let findings = blocking(move || validate::text(&body, &house.registry, Some(&saved)).1).await?;
    Ok(Json(json!({ "findings": findings })))
}

/// Tells what a pipeline would do if it were started now. The body is a pipeline, or `{pipeline, trigger}`.
#[utoipa::path(post, path = "/pipelines/plan", request_body = Object, responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn plan(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let mut body = body.object("a pipeline")?;
    let (config, mut trigger) = match body.shift_remove("pipeline") {
        Some(Value::Object(pipeline)) if !body.contains_key("stages") => {
            (pipeline, body.shift_remove("trigger").and_then(|t| t.as_object().cloned()).unwrap_or_default())
        }
        other => {
            body.extend(other.map(|other| ("pipeline".to_owned(), other)));
            (body, Map::new())
        }
    };
    trigger.entry("user").or_insert_with(|| json!(caller.name));
    let saved = saved(&house).await?;
    let now = house.now();
    // One made from a template is looked at as it would run. Files of clients get their `type` only when they are saved.
    let mut written = config.clone();
    let document = Value::Object(config);
    if validate::form(&document) == Form::Templated {
        written.insert("type".into(), json!("templatedPipeline"));
    }
    let made = match house.store.read(move |tx| templates::planned(tx, written.clone())).await {
        Err(TemplateError::Store(error)) => return Err(error.into()),
        made => made,
    };
    let held = house.read::<_, StoreError>(held::all).await?;
    let outlook = CloudOutlook::of(&house.clouds, held, now).await;
    let all = house.read::<_, StoreError>(applications::all).await?;
    let given = Given {
        now,
        pipelines: Some(saved.pipelines.iter().cloned().map(Value::Object).collect()),
        applications: Some(all.into_iter().map(Value::Object).collect()),
        ..Given::default()
    };
    let answer = blocking(move || {
        let registry = &*house.registry;
        let mut findings = validate::value(&document, registry, Some(&saved));
        let config = made.unwrap_or_else(|error| {
            findings.push(unmade(&error));
            Map::new()
        });
        let look = outlook.as_ref().ok().map(|look| look as &dyn forecast::Outlook);
        let ask = Ask { config: &config, trigger: &trigger, registry, given, outlook: look };
        let forecast = forecast::forecast(&ask).unwrap_or_else(|error| {
            findings.extend(refused(&findings, &error));
            Forecast::default()
        });
        let mut answer = json!(forecast);
        if let (Err(error), Some(notes)) = (&outlook, answer["notes"].as_array_mut()) {
            notes.push(json!(format!("the clouds cannot be asked: {error}")));
        }
        answer["findings"] = json!(findings);
        answer
    });
    Ok(Json(answer.await?))
}

/// Why it cannot be started, unless that has been found already.
fn refused(findings: &[Finding], error: &StartError) -> Option<Finding> {
    let (path, message) = match error {
        StartError::Malformed { path, what } => (path.clone(), what.clone()),
        other => ("$".to_owned(), other.to_string()),
    };
    let told = findings.iter().any(|f| f.severity == Severity::Error && f.path == path);
    (!told).then(|| Finding { severity: Severity::Error, path, message, help: String::new() })
}

/// Why no pipeline comes of a configuration and its template.
fn unmade(error: &TemplateError) -> Finding {
    let path = if matches!(error, TemplateError::Unknown(_)) { "$.template.reference" } else { "$.template" };
    Finding { severity: Severity::Error, path: path.to_owned(), message: error.to_string(), help: String::new() }
}

/// What is saved here, for checks that ask it.
async fn saved(house: &House) -> Result<Saved, Problem> {
    let accounts = house.clouds.describe().into_iter().map(|account| account.name).collect();
    let (pipelines, applications) = house
        .read::<_, StoreError>(|tx| {
            let mut all = pipelines::all(tx, false)?;
            all.extend(pipelines::all(tx, true)?);
            Ok((all, applications::all(tx)?))
        })
        .await?;
    let names = applications.into_iter().filter_map(|a| a.get("name")?.as_str().map(str::to_owned)).collect();
    Ok(Saved { pipelines, applications: names, accounts })
}

/// Work that may take a while, away from the threads that answer.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(error.to_string()))
}
