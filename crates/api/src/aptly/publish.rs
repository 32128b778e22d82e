//! Publications.

use apt::{Error, Line, Publication, PublishRequest, Root, Settings as Rendered, Signing, SourceKind, UpdateRequest};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Document, Fields, Params, objects, required};
use super::{Answer, Aptly, Fault};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(publish_at_root))
        .routes(routes!(publish_below))
        .routes(routes!(show))
        .routes(routes!(update))
        .routes(routes!(drop))
        .routes(routes!(pending))
        .routes(routes!(add_source))
        .routes(routes!(replace_sources))
        .routes(routes!(forget_sources))
        .routes(routes!(set_source))
        .routes(routes!(remove_source))
        .route("/api/publish/{prefix}/{distribution}/update", post(update))
}

/// A place as a path says it: `_` is a slash and `__` a `_`; `:.` is the top.
fn place(text: &str) -> (String, String) {
    let (storage, prefix) = text.rsplit_once(':').unwrap_or(("", text));
    (storage.to_owned(), plain(prefix))
}

/// Pure: a part of a path as it was before it was escaped; `.` when nothing is left of it.
fn plain(text: &str) -> String {
    let slashes = text.replace("__", "\u{0}").replace('_', "/").replace('\u{0}', "_");
    let safe = slashes.replace("..", "").replace(['$', '`'], "");
    let safe = safe.trim_start_matches('/').trim_end_matches('/');
    if safe.is_empty() { ".".to_owned() } else { safe.to_owned() }
}

fn signing(aptly: &Aptly, fields: &Fields) -> Signing {
    let fields = fields.below("Signing");
    let keys = fields.text("GpgKey").unwrap_or_default();
    Signing {
        skip: fields.flag("Skip").unwrap_or(false),
        keys: keys.split(',').map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect(),
        keyring: fields.text("Keyring").unwrap_or_default(),
        passphrase: fields.text("Passphrase").unwrap_or_default(),
        passphrase_file: fields.text("PassphraseFile").unwrap_or_default(),
        // Nobody is there to be asked.
        batch: true,
        program: String::new(),
        secret_keys: aptly.settings().signing.secret_keys.clone(),
    }
}

/// Publications.
#[utoipa::path(get, path = "/api/publish", responses((status = OK, body = Object)))]
async fn list(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    let all = aptly.blocking(|root| Ok(root.publications()?.iter().map(Publication::shown).collect::<Vec<_>>()));
    Ok(Answer::ok(all.await?))
}

/// One publication.
#[utoipa::path(get, path = "/api/publish/{prefix}/{distribution}", params(("prefix" = String, Path), ("distribution" = String, Path)), responses((status = OK, body = Object)))]
async fn show(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
) -> Result<Answer, Fault> {
    Ok(Answer::ok(find(&aptly, &prefix, &distribution).await?.shown()))
}

async fn find(aptly: &Aptly, prefix: &str, distribution: &str) -> Result<Publication, Fault> {
    let ((storage, prefix), distribution) = (place(prefix), plain(distribution));
    aptly.blocking(move |root| Ok(root.publication(&storage, &prefix, &distribution)?)).await
}

/// Publishes without a prefix.
#[utoipa::path(post, path = "/api/publish", responses((status = OK, body = Object)))]
async fn publish_at_root(State(aptly): State<Aptly>, params: Params, fields: Fields) -> Response {
    publish(aptly, ":.".into(), params, fields).await
}

/// Publishes below a prefix.
#[utoipa::path(post, path = "/api/publish/{prefix}", params(("prefix" = String, Path)), responses((status = OK, body = Object)))]
async fn publish_below(
    State(aptly): State<Aptly>,
    Path(prefix): Path<String>,
    params: Params,
    fields: Fields,
) -> Response {
    publish(aptly, prefix, params, fields).await
}

async fn publish(aptly: Aptly, prefix: String, params: Params, fields: Fields) -> Response {
    let request = match request(&aptly, &prefix, &fields) {
        Ok(request) => request,
        Err(fault) => return fault.into_response(),
    };
    // A source that is not there is told at once, also to whoever wants a task.
    let (kind, names) = (request.kind, request.names.clone());
    let there = aptly.blocking(move |root| {
        for name in &names {
            match kind {
                SourceKind::Local => std::mem::drop(root.repo(name)?),
                _ => std::mem::drop(root.snapshot(name)?),
            }
        }
        Ok(())
    });
    if let Err(fault) = there.await {
        return fault.into_response();
    }
    let task = format!("Publish {} {}", request.kind.word(), request.names.join(", "));
    let resources = request.names.clone();
    let counting = aptly.clone();
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| match counting.publishing(root.publish(&request, sink)) {
        Ok(made) => Ok(Answer::created(made.shown())),
        // A publication that is there already is a bad request here.
        Err(error @ Error::Conflict(_)) => Err(Fault::bad(error.to_string())),
        Err(error) => Err(error.into()),
    };
    aptly.task(&params, task, resources, work).await
}

fn request(aptly: &Aptly, prefix: &str, fields: &Fields) -> Result<PublishRequest, Fault> {
    let kind = match fields.required("SourceKind")?.as_str() {
        "local" => SourceKind::Local,
        "snapshot" => SourceKind::Snapshot,
        _ => return Err(Fault::bad("unknown SourceKind")),
    };
    let sources = fields.objects("Sources");
    if sources.is_empty() {
        return Err(match fields.0.contains_key("Sources") {
            true => Fault::bad("unable to publish: sources are empty"),
            false => required("Sources"),
        });
    }
    let names: Vec<String> = sources.iter().map(|source| source.required("Name")).collect::<Result<_, _>>()?;
    let components = sources.iter().map(|source| source.text("Component").unwrap_or_default()).collect();
    let ((storage, prefix), defaults) = (place(prefix), aptly.settings());
    let text = |name: &str| fields.text(name).unwrap_or_default();
    let given = fields.list("Architectures");
    Ok(PublishRequest {
        kind,
        names,
        components,
        storage,
        prefix,
        distribution: text("Distribution"),
        architectures: if given.is_empty() { defaults.architectures.clone() } else { given },
        settings: Rendered {
            origin: text("Origin"),
            label: text("Label"),
            suite: text("Suite"),
            codename: text("Codename"),
            version: text("Version"),
            not_automatic: text("NotAutomatic"),
            but_automatic_upgrades: text("ButAutomaticUpgrades"),
            signed_by: text("SignedBy"),
            skip_contents: fields.flag("SkipContents").unwrap_or(defaults.skip_contents),
            skip_bz2: fields.flag("SkipBz2").unwrap_or(defaults.skip_bz2),
            acquire_by_hash: fields.flag("AcquireByHash").unwrap_or(false),
            multi_dist: fields.flag("MultiDist").unwrap_or(false),
        },
        force_overwrite: fields.flag("ForceOverwrite").unwrap_or(false),
        signing: signing(aptly, fields),
        date: None,
    })
}

/// `PUT` with new snapshots or without, and `POST …/update`.
#[utoipa::path(put, path = "/api/publish/{prefix}/{distribution}", params(("prefix" = String, Path), ("distribution" = String, Path)), request_body = Object, responses((status = OK, body = Object)))]
async fn update(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
    params: Params,
    fields: Fields,
) -> Response {
    let publication = match find(&aptly, &prefix, &distribution).await {
        Ok(publication) => publication,
        Err(fault) => return fault.into_response(),
    };
    let snapshots = fields.objects("Snapshots");
    let pair = |source: &Fields| Ok((source.text("Component").unwrap_or_default(), source.required("Name")?));
    let switch = match snapshots.iter().map(pair).collect::<Result<Vec<_>, Fault>>() {
        Ok(pairs) => Some(pairs).filter(|pairs| !pairs.is_empty()),
        Err(fault) => return fault.into_response(),
    };
    if switch.is_some() && publication.kind == SourceKind::Local {
        return Fault::bad("snapshots shouldn't be given when updating published local repo").into_response();
    }
    let request = UpdateRequest {
        storage: publication.storage.clone(),
        prefix: publication.prefix.clone(),
        distribution: publication.distribution.clone(),
        switch,
        skip_contents: fields.flag("SkipContents"),
        skip_bz2: fields.flag("SkipBz2"),
        acquire_by_hash: fields.flag("AcquireByHash"),
        multi_dist: fields.flag("MultiDist"),
        origin: fields.text("Origin"),
        label: fields.text("Label"),
        version: fields.text("Version"),
        signed_by: fields.text("SignedBy"),
        force_overwrite: fields.flag("ForceOverwrite").unwrap_or(false),
        skip_cleanup: fields.flag("SkipCleanup").unwrap_or(false),
        signing: signing(&aptly, &fields),
        date: None,
    };
    let task = format!("Update published {} repository {publication}", publication.kind.word());
    let resources = vec![publication.path()];
    let counting = aptly.clone();
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| {
        Ok(Answer::ok(counting.publishing(root.update_publication(&request, sink))?.shown()))
    };
    aptly.task(&params, task, resources, work).await
}

/// Takes a publication away.
#[utoipa::path(delete, path = "/api/publish/{prefix}/{distribution}", params(("prefix" = String, Path), ("distribution" = String, Path)), responses((status = OK, body = Object)))]
async fn drop(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
    params: Params,
) -> Response {
    let publication = match find(&aptly, &prefix, &distribution).await {
        Ok(publication) => publication,
        Err(fault) => return fault.into_response(),
    };
    let skip = params.flag("SkipCleanup");
    let task = format!("Delete published {} repository {publication}", publication.kind.word());
    let resources = vec![publication.path()];
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| {
        root.drop_publication(&publication.storage, &publication.prefix, &publication.distribution, skip, sink)?;
        Ok(Answer::nothing())
    };
    aptly.task(&params, task, resources, work).await
}

/// Source changes that wait for the next update.
#[utoipa::path(get, path = "/api/publish/{prefix}/{distribution}/sources", params(("prefix" = String, Path), ("distribution" = String, Path)), responses((status = OK, body = Object)))]
async fn pending(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
) -> Result<Answer, Fault> {
    let publication = find(&aptly, &prefix, &distribution).await?;
    match &publication.pending {
        Some(pending) => Ok(Answer::ok(sources(pending))),
        None => Err(Fault::missing("unable to show published repository source changes: no source changes exist")),
    }
}

fn sources(pending: &std::collections::BTreeMap<String, String>) -> Value {
    pending.iter().map(|(component, name)| json!({"Component": component, "Name": name})).collect()
}

type Pending = std::collections::BTreeMap<String, String>;

async fn edit(
    aptly: Aptly,
    prefix: &str,
    distribution: &str,
    mut change: impl FnMut(&mut Pending) -> apt::Result<()> + Send + 'static,
) -> Result<Value, Fault> {
    let ((storage, prefix), distribution) = (place(prefix), plain(distribution));
    let done = aptly.blocking(move |root| {
        let done = root.edit_sources(&storage, &prefix, &distribution, |pending| change(pending))?;
        Ok(sources(&done.pending.unwrap_or_default()))
    });
    done.await
}

/// The component and the name that a source has; `main` where it says none.
fn source(fields: &Fields) -> Result<(String, String), Fault> {
    let component = fields.text("Component").filter(|text| !text.is_empty());
    Ok((component.unwrap_or_else(|| "main".into()), fields.required("Name")?))
}

/// Adds a source for the next update.
#[utoipa::path(post, path = "/api/publish/{prefix}/{distribution}/sources", params(("prefix" = String, Path), ("distribution" = String, Path)), responses((status = OK, body = Object)))]
async fn add_source(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
    fields: Fields,
) -> Result<Answer, Fault> {
    let (component, name) = source(&fields)?;
    let done = edit(aptly, &prefix, &distribution, move |pending| {
        if pending.contains_key(&component) {
            return Err(Error::Invalid(format!("component '{component}' has already been added")));
        }
        pending.insert(component.clone(), name.clone());
        Ok(())
    });
    Ok(Answer::created(done.await?))
}

/// Replaces all sources for the next update.
#[utoipa::path(put, path = "/api/publish/{prefix}/{distribution}/sources", params(("prefix" = String, Path), ("distribution" = String, Path)), responses((status = OK, body = Object)))]
async fn replace_sources(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
    Document(list): Document,
) -> Result<Answer, Fault> {
    let all: Pending = objects(Some(&list)).iter().map(source).collect::<Result<_, _>>()?;
    let done = edit(aptly, &prefix, &distribution, move |pending| {
        pending.clone_from(&all);
        Ok(())
    });
    Ok(Answer::ok(done.await?))
}

/// Forgets the changes that wait.
#[utoipa::path(delete, path = "/api/publish/{prefix}/{distribution}/sources", params(("prefix" = String, Path), ("distribution" = String, Path)), responses((status = OK, body = Object)))]
async fn forget_sources(
    State(aptly): State<Aptly>,
    Path((prefix, distribution)): Path<(String, String)>,
) -> Result<Answer, Fault> {
    let ((storage, prefix), distribution) = (place(&prefix), plain(&distribution));
    aptly.blocking(move |root| Ok(root.forget_source_changes(&storage, &prefix, &distribution)?)).await?;
    Ok(Answer::nothing())
}

fn unknown(component: &str) -> Error {
    Error::NotFound(format!("component '{component}' does not exist"))
}

/// Changes a source for the next update.
#[utoipa::path(put, path = "/api/publish/{prefix}/{distribution}/sources/{component}", params(("prefix" = String, Path), ("distribution" = String, Path), ("component" = String, Path)), responses((status = OK, body = Object)))]
async fn set_source(
    State(aptly): State<Aptly>,
    Path((prefix, distribution, old)): Path<(String, String, String)>,
    fields: Fields,
) -> Result<Answer, Fault> {
    let (old, name) = (plain(&old), fields.required("Name")?);
    let new = fields.text("Component").filter(|text| !text.is_empty()).unwrap_or_else(|| old.clone());
    let done = edit(aptly, &prefix, &distribution, move |pending| {
        pending.remove(&old).ok_or_else(|| unknown(&old))?;
        pending.insert(new.clone(), name.clone());
        Ok(())
    });
    Ok(Answer::ok(done.await?))
}

/// Removes a source for the next update.
#[utoipa::path(delete, path = "/api/publish/{prefix}/{distribution}/sources/{component}", params(("prefix" = String, Path), ("distribution" = String, Path), ("component" = String, Path)), responses((status = OK, body = Object)))]
async fn remove_source(
    State(aptly): State<Aptly>,
    Path((prefix, distribution, component)): Path<(String, String, String)>,
) -> Result<Answer, Fault> {
    let component = plain(&component);
    let done = edit(aptly, &prefix, &distribution, move |pending| {
        pending.remove(&component).map(std::mem::drop).ok_or_else(|| unknown(&component))
    });
    Ok(Answer::ok(done.await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_in_a_path_has_its_slashes_as_underscores_and_leads_nowhere_else() {
        let told = |text: &str| {
            let (storage, prefix) = place(text);
            format!("{storage}|{prefix}")
        };
        assert_eq!(told(":."), "|.");
        assert_eq!(told("ppa"), "|ppa");
        assert_eq!(told("a_b__c"), "|a/b_c");
        assert_eq!(told("s3:test:p_q__r"), "s3:test|p/q_r");
        assert_eq!(told(".._.._etc"), "|etc");
        assert_eq!(told("_etc"), "|etc");
        assert_eq!(told("a$b`c"), "|abc");
        assert_eq!(told("filesystem:x:"), "filesystem:x|.");
    }
}
