//! Where what runs comes from, and what became of a package: build, package, upload, publication, image, server groups, instances, as far as
//! the data is there. Read in both directions: by an instance or a server group, by an image, by a package.

use std::collections::BTreeMap;

use apt::{Generation, Op, Root};
use axum::Json;
use axum::extract::State;
use bakery::{Candidate, Image};
use cloud::inventory::{Inventory, ServerGroup};
use cloud::provider::Query as CloudQuery;
use pipeline::{Execution, records};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking;
use super::uploads::{self, Upload, uploads};
use crate::query::Query;
use crate::{House, Problem};

/// The most chains of one answer, the newest images first.
const MOST: usize = 50;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(provenance))
}

/// What is asked about; nothing for everything.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct About {
    /// The id or the name of an image.
    image: Option<String>,
    /// A package: its name, or `name_version_architecture`.
    package: Option<String>,
    /// The name of a server group.
    server_group: Option<String>,
    /// The account of the server group; any without it.
    account: Option<String>,
    /// The id of an instance.
    instance: Option<String>,
}

/// The answer.
#[derive(Serialize, utoipa::ToSchema)]
struct Provenance {
    /// One for each image, the newest first.
    chains: Vec<Chain>,
    /// Whether there are more.
    cut: bool,
}

/// An image with what went into it and what came of it.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Chain {
    /// Its id; the folder where an image is one.
    image: String,
    /// Its name for people.
    name: String,
    /// When it was made, in milliseconds since 1970.
    made: Option<i64>,
    /// What it was made on.
    base: Option<String>,
    /// Who made it.
    builder: Option<String>,
    /// What people should know of it.
    notes: Vec<String>,
    /// The execution that made it.
    baked_by: Option<Run>,
    /// What is in it.
    packages: Vec<InIt>,
    /// What runs it.
    server_groups: Vec<Group>,
}

/// An execution.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct Run {
    /// Its id.
    id: String,
    /// Its application.
    application: String,
    /// The pipeline's name, or what was to be done.
    name: String,
    /// When it began, in milliseconds since 1970.
    at: Option<i64>,
    /// Who or what started it.
    by: String,
    /// Of which kind its trigger is.
    trigger: String,
}

/// A package of an image.
#[derive(Serialize, utoipa::ToSchema)]
struct InIt {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// Its architecture.
    architecture: String,
    /// SHA-256 of its file.
    sha256: String,
    /// What it says of where it was built: commit, repository, build.
    build: BTreeMap<String, String>,
    /// How it came into a repository, the newest first.
    uploads: Vec<Upload>,
    /// Publications that show it now.
    published: Vec<String>,
}

/// A server group.
#[derive(Serialize, utoipa::ToSchema)]
struct Group {
    /// Its name.
    name: String,
    /// Its application.
    application: String,
    /// Its account.
    account: String,
    /// Its region.
    region: String,
    /// When it was made, in milliseconds since 1970.
    created: i64,
    /// Whether load balancers give it no traffic.
    disabled: bool,
    /// How many of its instances are well.
    up: u32,
    /// Its instances.
    instances: Vec<String>,
}

/// Follows what runs back to where it comes from, and packages forward to what runs.
#[utoipa::path(get, path = "/ui-api/provenance", params(About), responses((status = OK, body = Provenance)))]
async fn provenance(State(house): State<House>, Query(about): Query<About>) -> Result<Json<Provenance>, Problem> {
    let inventory = house.clouds.list(&CloudQuery { application: None, without_images: true }).await?;
    let images = house.bakery.images().await.map_err(|error| Problem::internal(error.to_string()))?;
    let mut links = links(&about, &inventory, images);
    let cut = links.len() > MOST;
    links.truncate(MOST);
    let ids: Vec<String> = links.iter().filter_map(Link::execution).map(str::to_owned).collect();
    let runs = house.read::<_, StoreError>(move |tx| read_runs(tx, &ids)).await?;
    blocking(move || {
        let archives = Archives::read(&house.roots).map_err(super::operations::problem)?;
        let chains = links.into_iter().map(|link| link.chain(&runs, &archives)).collect();
        Ok(Provenance { chains, cut })
    })
    .await
}

fn read_runs(tx: &mut Tx<'_>, ids: &[String]) -> Result<BTreeMap<String, Run>, StoreError> {
    let mut found = BTreeMap::new();
    for id in ids {
        if let Some(run) = records::get(tx, id)? {
            found.insert(id.clone(), Run::of(&run));
        }
    }
    Ok(found)
}

impl Run {
    fn of(run: &Execution) -> Run {
        let written = serde_json::to_value(run).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = [&written["name"], &written["description"]].into_iter().map(text).find(|name| !name.is_empty());
        Run {
            id: text(&written["id"]),
            application: text(&written["application"]),
            name: name.unwrap_or_default(),
            at: written["startTime"].as_i64(),
            by: text(&written["trigger"]["user"]),
            trigger: text(&written["trigger"]["type"]),
        }
    }
}

/// An image and what runs it.
struct Link {
    /// What server groups call it.
    id: String,
    /// Where the bakery knows it.
    image: Option<Image>,
    groups: Vec<ServerGroup>,
}

/// Pure: the images that are asked about, the newest first, each with the server groups that run it.
fn links(about: &About, inventory: &Inventory, images: Vec<Image>) -> Vec<Link> {
    let mut links: BTreeMap<String, Link> = BTreeMap::new();
    for image in images {
        let id = image.id.clone();
        links.insert(id.clone(), Link { id, image: Some(image), groups: Vec::new() });
    }
    let names: BTreeMap<String, String> =
        links.values().filter_map(|link| Some((link.image.as_ref()?.name.clone(), link.id.clone()))).collect();
    for group in &inventory.server_groups {
        // A group may name its image by the name for people.
        let id = names.get(&group.image).unwrap_or(&group.image);
        let fresh = || Link { id: id.clone(), image: None, groups: Vec::new() };
        links.entry(id.clone()).or_insert_with(fresh).groups.push(group.clone());
    }
    let mut found: Vec<Link> = links.into_values().filter(|link| link.is_meant(about)).collect();
    found.sort_by_key(|link| std::cmp::Reverse((link.made(), link.groups.iter().map(|group| group.created).max())));
    found
}

impl Link {
    fn made(&self) -> Option<i64> {
        self.image.as_ref().map(|image| image.made)
    }

    fn execution(&self) -> Option<&str> {
        self.image.as_ref()?.provenance["execution"].as_str()
    }

    fn is_meant(&self, about: &About) -> bool {
        let packages = self.image.iter().flat_map(|image| &image.packages);
        let name = self.image.as_ref().map_or("", |image| &image.name);
        let of_image = |wanted: &String| self.id == *wanted || name == wanted;
        let of_package = |wanted: &String| packages.clone().any(|one| one.name == *wanted || one.label() == *wanted);
        let is_there = |group: &ServerGroup| about.account.as_ref().is_none_or(|account| group.account == *account);
        let of_group =
            |wanted: &String| self.groups.iter().any(|group| group.name.to_string() == *wanted && is_there(group));
        let mut instances = self.groups.iter().flat_map(|group| &group.instances);
        about.image.as_ref().is_none_or(of_image)
            && about.package.as_ref().is_none_or(of_package)
            && about.server_group.as_ref().is_none_or(of_group)
            && about.instance.as_ref().is_none_or(|wanted| instances.any(|one| one.id == *wanted))
    }

    fn chain(self, runs: &BTreeMap<String, Run>, archives: &Archives<'_>) -> Chain {
        let baked_by = self.execution().and_then(|id| runs.get(id)).cloned();
        let server_groups = self.groups.iter().map(Group::of).collect();
        let Some(image) = self.image else {
            let name = self.id.rsplit('/').next().unwrap_or_default().to_owned();
            let (made, base, builder, notes, packages) = Default::default();
            return Chain { image: self.id, name, made, base, builder, notes, baked_by, packages, server_groups };
        };
        Chain {
            image: image.id,
            name: image.name,
            made: Some(image.made),
            base: Some(image.base),
            builder: Some(image.builder),
            notes: image.notes,
            baked_by,
            packages: image.packages.iter().map(|package| archives.trace(package)).collect(),
            server_groups,
        }
    }
}

impl Group {
    fn of(group: &ServerGroup) -> Group {
        Group {
            name: group.name.to_string(),
            application: group.name.moniker().app,
            account: group.account.clone(),
            region: group.region.clone(),
            created: group.created.as_millisecond(),
            disabled: group.disabled,
            up: group.counts().up,
            instances: group.instances.iter().map(|one| one.id.clone()).collect(),
        }
    }
}

/// The roots that the server follows: what they show now, and what was done in them.
struct Archives<'a> {
    shown: Vec<(&'a Root, Generation)>,
    ops: Vec<Op>,
}

impl<'a> Archives<'a> {
    fn read(roots: &'a [Root]) -> apt::Result<Archives<'a>> {
        let (mut shown, mut ops) = (Vec::new(), Vec::new());
        for root in roots {
            ops.extend(root.ops(uploads::OPERATIONS)?);
            for one in root.publications()? {
                // One that an aptly published has none before the first of ours.
                shown.extend(root.generation(&one.place(), &one.distribution, None).ok().map(|now| (root, now)));
            }
        }
        ops.sort_by_key(|op| std::cmp::Reverse(op.at));
        Ok(Archives { shown, ops })
    }

    fn trace(&self, package: &Candidate) -> InIt {
        let (mut published, mut build) = (Vec::new(), BTreeMap::new());
        for (root, shown) in &self.shown {
            let found = root.generation_package(shown, &package.name, &package.version, &package.sha256);
            if let Ok(found) = found {
                let place = format!("{}/{}", shown.prefix, shown.distribution);
                published.push(place.trim_start_matches("./").to_owned());
                build = build_of(|name| found.package.stanza.get(name));
            }
        }
        InIt {
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            sha256: package.sha256.clone(),
            build,
            uploads: uploads(&self.ops, &package.label()),
            published,
        }
    }
}

/// What packages say of their build. Debian's tools write the `Vcs-` fields into sources; build servers add fields of their own.
fn build_of<'a>(field: impl Fn(&str) -> &'a str) -> BTreeMap<String, String> {
    let wanted =
        ["Git-Commit", "Git-Repository", "Vcs-Git", "Vcs-Browser", "Build-Url", "Built-By", "Homepage", "Maintainer"];
    let found = wanted.iter().map(|name| ((*name).to_owned(), field(name).trim().to_owned()));
    found.filter(|(_, value)| !value.is_empty()).collect()
}
