//! The versions that a pipeline with an apt trigger can be started with: what its publications show now, with when each came there and who
//! brought it.

use std::collections::BTreeMap;

use apt::{NewPackage, Op, Publication, Published, Root};
use axum::Json;
use axum::extract::{Path, State};
use pipeline::{Map, pipelines, trigger};
use serde::Serialize;
use serde_json::Value;
use stages::react::apt_published::{self, Choice};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking;
use super::operations::problem;
use super::uploads::{self, Upload, uploads};
use crate::{House, Problem};

/// The most versions of one answer, the newest first.
const MOST: usize = 200;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(versions))
}

/// The answer.
#[derive(Serialize, utoipa::ToSchema)]
struct Versions {
    /// The newest first: by when they were published, then by version.
    versions: Vec<Offered>,
    /// Whether there are more.
    cut: bool,
}

/// A version that the pipeline can be started with.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Offered {
    /// The package's name.
    package: String,
    /// Its version; with `(replaced)` where it had other bytes before.
    version: String,
    /// Its architecture.
    architecture: String,
    /// Where it is published: `prefix/distribution`.
    publication: String,
    /// Since when, in milliseconds since 1970; null where that was too long ago to be known.
    published: Option<i64>,
    /// When it came into the archive, in milliseconds since 1970, as far as the log goes back.
    uploaded: Option<i64>,
    /// Who brought it; null where the log does not go back so far.
    uploaded_by: Option<String>,
    /// Why the server would not start it by itself.
    held_back: Option<String>,
    /// The trigger to start the pipeline with: what the event of its publication gives.
    #[schema(value_type = Object)]
    trigger: Map,
}

/// A version that one of the pipeline's triggers may listen to, before the pipeline is asked.
#[derive(Clone)]
struct Offer {
    published: Published,
    at: Option<i64>,
    upload: Option<Upload>,
}

/// Lists the versions that a pipeline with an apt trigger can be started with.
#[utoipa::path(get, path = "/ui-api/pipelines/{id}/versions", params(("id" = String, Path)),
    responses((status = OK, body = Versions), (status = NOT_FOUND, body = Problem)))]
async fn versions(State(house): State<House>, Path(id): Path<String>) -> Result<Json<Versions>, Problem> {
    let wanted = id.clone();
    let config = house.read::<_, StoreError>(move |tx| pipelines::by_id(tx, &wanted)).await?;
    let config = config.ok_or_else(|| Problem::not_found(format!("there is no pipeline {id}")))?;
    let (roots, asked) = (house.roots.clone(), config.clone());
    let Json(offers) = blocking(move || offers(&roots, &asked).map_err(problem)).await?;
    let found = house.read::<_, StoreError>(move |tx| {
        let mut found = Vec::new();
        for Offer { published, at, upload } in offers.clone() {
            let publication = format!("{}/{}", published.prefix, published.distribution);
            let Some(Choice { mut trigger, held_back }) = apt_published::choice(tx, &config, published)? else {
                continue;
            };
            if let Some(at) = at {
                trigger.insert("publishedAt".into(), at.into());
            }
            // Whoever starts it is not the archive.
            trigger.shift_remove("user");
            let text = |key: &str| trigger.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            found.push(Offered {
                package: text("package"),
                version: text("versionShown"),
                architecture: text("architecture"),
                publication: publication.trim_start_matches("./").to_owned(),
                published: at,
                uploaded: upload.as_ref().map(|upload| upload.at),
                uploaded_by: upload.map(|upload| upload.who),
                held_back,
                trigger,
            });
        }
        Ok(found)
    });
    Ok(Json(Versions::of(found.await?)))
}

impl Versions {
    /// Pure: in their order.
    fn of(mut versions: Vec<Offered>) -> Versions {
        let newest = |a: &Offered, b: &Offered| {
            let version = debian::version::compare(&b.version, &a.version);
            b.published.cmp(&a.published).then(a.package.cmp(&b.package)).then(version)
        };
        versions.sort_by(newest);
        let cut = versions.len() > MOST;
        versions.truncate(MOST);
        Versions { versions, cut }
    }
}

/// What the publications that the pipeline listens to show now, one version of a package at a time.
fn offers(roots: &[Root], pipeline: &Map) -> apt::Result<Vec<Offer>> {
    let mut found = Vec::new();
    for root in roots {
        let mut ops: Option<Vec<Op>> = None;
        for publication in root.publications()? {
            let Some(name) = listened_to(pipeline, &publication) else { continue };
            let ops = match &mut ops {
                Some(ops) => ops,
                none => none.insert(root.ops(uploads::OPERATIONS)?),
            };
            let Publication { storage, prefix, distribution, .. } = &publication;
            let history = root.publication_history(storage, prefix, distribution)?;
            let mut versions: BTreeMap<(String, String), Vec<NewPackage>> = BTreeMap::new();
            for package in root.visible(&publication, name)? {
                versions.entry((package.name.clone(), package.version.clone())).or_default().push(package);
            }
            for packages in versions.into_values() {
                let label = |one: &NewPackage| format!("{}_{}_{}", one.name, one.version, one.architecture);
                let labels: Vec<String> = packages.iter().map(label).collect();
                let since = history
                    .iter()
                    .find(|past| labels.iter().any(|label| past.added.contains(label)))
                    // What the first generation of all shows came with it.
                    .or_else(|| history.last().filter(|oldest| oldest.number == 1));
                found.push(Offer {
                    at: since.map(|past| past.at.as_millisecond()),
                    upload: labels.iter().find_map(|label| uploads(ops, label).into_iter().next()),
                    published: Published::of(root, &publication, packages),
                });
            }
        }
    }
    Ok(found)
}

/// Pure: whether a trigger may listen to a publication, and to which package of it: `Some(None)` is any.
fn listened_to<'a>(pipeline: &'a Map, publication: &Publication) -> Option<Option<&'a str>> {
    let text = |entry: &'a Map, key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let place = publication.place();
    let mut names = trigger::entries(pipeline, "apt").filter(|entry| {
        let fits = |key: &str, own: &str| text(entry, key).is_none_or(|wanted| wanted == own);
        !entry.contains_key("mirror") && fits("prefix", &place) && fits("distribution", &publication.distribution)
    });
    let first = text(names.next()?, "package");
    // Two that want different packages: all are looked at.
    Some(if names.all(|entry| text(entry, "package") == first) { first } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: &str, published: Option<i64>) -> Offered {
        let text = String::new;
        Offered {
            package: text(),
            version: version.into(),
            architecture: text(),
            publication: text(),
            published,
            uploaded: None,
            uploaded_by: None,
            held_back: None,
            trigger: Map::new(),
        }
    }

    #[test]
    fn the_newest_comes_first_and_what_is_older_than_the_history_last() {
        let versions = [version("1.9", None), version("1.8", Some(5)), version("1.10", None), version("2", Some(7))];
        let sorted = Versions::of(versions.into()).versions;
        assert_eq!(sorted.iter().map(|one| &*one.version).collect::<Vec<_>>(), ["2", "1.8", "1.10", "1.9"]);
        assert!(Versions::of((0..201).map(|n| version("1", Some(n))).collect()).cut);
    }
}
