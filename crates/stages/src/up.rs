//! From a package file to a service: makes what is missing (ordinary objects, which people change afterwards as they like), publishes the
//! package, and starts the pipeline that the publication starts. `plan` decides; here the facts are gathered and things are done.

mod plan;

use std::path::Path;
use std::time::Duration;

use apt::{
    AddOptions, Line, Publication, PublishRequest, Published, RepoChange, Root, Signing, SourceKind, UpdateRequest,
};
use bakery::{BakeError, Bakery, Report};
use cloud::provider::Resource;
use cloud::{Clouds, ResourceId};
use pipeline::model::Kind;
use pipeline::{Engine, Execution, Map, StartRequest, applications, pipelines, records, trigger};
use serde_json::{Value, json};
use store::{StoreError, Tx};

use crate::react::apt_published::{self, Started};
use crate::{circles, infrastructure};
use plan::{Facts, name_of};
pub use plan::{Fate, Package, Place, Plan, Step, Wish};

/// A job that makes an application or a load balancer takes no longer.
const JOB: Duration = Duration::from_secs(60);

/// What is worked with.
#[derive(Clone)]
pub struct Workshop {
    /// Starts jobs and pipelines; holds the control store.
    pub engine: Engine,
    /// The accounts.
    pub clouds: std::sync::Arc<Clouds>,
    /// Knows what can be run.
    pub bakery: Bakery,
    /// The archive, acting for whoever asks.
    pub root: Root,
    /// How a publication that is made is signed.
    pub signing: Signing,
    /// Who asks.
    pub who: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Up {
    /// What was planned and done.
    pub plan: Plan,
    /// Where users come in, as far as it is known.
    pub address: Option<String>,
    /// The execution that brings the package there.
    pub execution: Option<String>,
    /// What people should know.
    pub notes: Vec<String>,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// What was asked for makes no sense, or the file is no package.
    #[error("{0}")]
    Refused(String),
    /// Something is in the way.
    #[error("{0}")]
    Conflict(String),
    /// The archive.
    #[error(transparent)]
    Apt(#[from] apt::Error),
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] pipeline::EngineError),
    /// The file is no package that could be read.
    #[error(transparent)]
    Bake(#[from] BakeError),
    /// A cloud.
    #[error(transparent)]
    Cloud(#[from] cloud::CloudError),
    /// A pipeline cannot be saved.
    #[error(transparent)]
    Pipeline(#[from] pipelines::PipelineError),
    /// A panic of a worker.
    #[error("{0}")]
    Broken(String),
}

impl Workshop {
    /// Says what would be done with a package file.
    pub async fn plan(&self, file: &Path, wish: &Wish) -> Result<Up, UpError> {
        let (plan, address) = self.planned(file, wish).await?;
        Ok(Up { plan, address, execution: None, notes: Vec::new() })
    }

    /// Does it. What is made stays, also where something fails after it: the same call goes on from there.
    pub async fn go(&self, file: &Path, wish: &Wish) -> Result<Up, UpError> {
        let (plan, _) = self.planned(file, wish).await?;
        let mut notes = Vec::new();
        if let Some(application) = &plan.application {
            self.job(
                &plan.name,
                "Create Application",
                json!({"type": "createApplication", "application": application}),
            )
            .await?;
        }
        if let Some(balancer) = &plan.balancer {
            self.job(&plan.name, "Upsert Load Balancer", Value::Object(balancer.clone())).await?;
        }
        self.add(&plan, file).await?;
        if let Some(pipeline) = plan.pipeline.clone() {
            let who = self.who.clone();
            let saved = self.engine.store().write(move |tx| circles::save(tx, &pipeline, false, &who));
            saved.await?;
        }
        let before = self.blocking(|root| Ok(root.outbox_end()?)).await?;
        let publication = self.publish(&plan, &mut notes).await?;
        let execution = self.start(&plan, &publication, before, &mut notes).await?;
        let address = self.balancer(&plan.name, &plan.at).await?.as_ref().and_then(address);
        Ok(Up { plan, address, execution, notes })
    }

    async fn planned(&self, file: &Path, wish: &Wish) -> Result<(Plan, Option<String>), UpError> {
        let (package, missing) = package(self.bakery.check(file.to_owned()).await?)?;
        let name = name_of(&package, wish).map_err(UpError::Refused)?;
        let (own, of) = (name.clone(), package.name.clone());
        let (application, all) = self
            .engine
            .store()
            .read(move |tx| {
                let all = pipelines::of_application(tx, &own, Some(false))?;
                Ok::<_, StoreError>((applications::get(tx, &own)?.is_some(), all))
            })
            .await?;
        let names = |one: &Map| one.get("name").and_then(Value::as_str).map(str::to_owned);
        let taken = all.iter().filter_map(names).collect();
        let pipeline = all.into_iter().find(|one| listens(one, &of));
        let at = plan::place(wish, &self.clouds.describe(), pipeline.as_ref()).map_err(UpError::Refused)?;
        let balancer = self.balancer(&name, &at).await?;
        let address = balancer.as_ref().and_then(address);
        let own = name.clone();
        let (repository, publication) = self
            .blocking(move |root| {
                let is_there = root.repos()?.iter().any(|(repo, _)| repo.name == own);
                let shows = |one: &Publication| {
                    one.kind == SourceKind::Local && one.sources.values().any(|source| source.name == own)
                };
                let shown = root.publications()?.into_iter().find(shows);
                Ok((is_there, shown.map(|one| (one.place(), one.distribution))))
            })
            .await?;
        let facts = Facts { repository, publication, application, balancer, taken, pipeline, missing };
        plan::plan(package, wish, at, &facts).map(|plan| (plan, address)).map_err(UpError::Refused)
    }

    async fn balancer(&self, name: &str, at: &Place) -> Result<Option<Map>, UpError> {
        let id = ResourceId::LoadBalancer { region: at.region.clone(), name: name.to_owned() };
        let found = self.clouds.account(&at.account)?.get(&id).await?.and_then(Resource::load_balancer);
        Ok(found.map(|one| infrastructure::written_balancer(&one)))
    }

    async fn job(&self, application: &str, what: &str, job: Value) -> Result<(), UpError> {
        let config =
            json!({"application": application, "description": format!("{what}: {application}"), "stages": [job]});
        let trigger = json!({"user": self.who});
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let request = StartRequest { config: map(config), trigger: map(trigger), kind: Kind::Orchestration, key: None };
        let id = self.engine.begin(request).await?;
        let ended = self.engine.ended(&id, JOB).await?;
        if ended.is_some_and(|status| status == pipeline::model::Status::Succeeded) {
            return Ok(());
        }
        let run = self.engine.store().read(move |tx| records::get(tx, &id)).await?;
        let mut errors = run.iter().flat_map(|run| &run.stages).flat_map(|stage| stage.errors());
        let why = errors.next().unwrap_or("it did not end in time");
        Err(UpError::Conflict(format!("{what}: {why}")))
    }

    async fn add(&self, plan: &Plan, file: &Path) -> Result<(), UpError> {
        let (name, path, make) = (plan.name.clone(), file.to_owned(), plan.repository);
        self.blocking(move |root| {
            if make {
                let change = RepoChange { distribution: Some(plan::DISTRIBUTION.into()), ..RepoChange::default() };
                root.create_repo(&name, &change, None)?;
            }
            let mut why = None;
            let mut hear = |line: Line| {
                if let Line::Warning(text) = line {
                    why = Some(text);
                }
            };
            let added = root.add(&name, &[path], AddOptions { force_replace: false, remove_files: true }, &mut hear)?;
            match added.failed.first() {
                None => Ok(()),
                Some(failed) => Err(UpError::Conflict(format!(
                    "{}; another build needs another version",
                    why.unwrap_or_else(|| format!("{failed} could not be added"))
                ))),
            }
        })
        .await
    }

    /// Publishes what the repository holds. A first publication is signed where there is a key, and later ones as the first.
    async fn publish(&self, plan: &Plan, notes: &mut Vec<String>) -> Result<Publication, UpError> {
        let (place, distribution, make) = plan.publication.clone();
        let (name, signing) = (plan.name.clone(), self.signing.clone());
        let architecture = plan.package.architecture.clone();
        let (publication, unsigned) = self
            .blocking(move |root| {
                let (storage, prefix) = place.rsplit_once(':').unwrap_or(("", &place));
                if !make {
                    let own = |one: &&Publication| one.place() == place && one.distribution == distribution;
                    let is_signed = root.publications()?.iter().find(own).is_some_and(|one| root.is_signed(one));
                    let request = UpdateRequest {
                        storage: storage.into(),
                        prefix: prefix.into(),
                        distribution,
                        signing: Signing { skip: signing.skip || !is_signed, ..signing },
                        ..UpdateRequest::default()
                    };
                    return Ok((root.update_publication(&request, &mut |_| {})?, false));
                }
                let mut request = PublishRequest {
                    kind: SourceKind::Local,
                    names: vec![name],
                    components: vec![String::new()],
                    storage: storage.into(),
                    prefix: prefix.into(),
                    distribution,
                    architectures: architectures(&architecture),
                    settings: apt::Settings::default(),
                    force_overwrite: false,
                    signing,
                    date: None,
                };
                match root.publish(&request, &mut |_| {}) {
                    Err(apt::Error::Signing(_)) => {
                        request.signing.skip = true;
                        Ok((root.publish(&request, &mut |_| {})?, true))
                    }
                    published => Ok((published?, false)),
                }
            })
            .await?;
        if unsigned {
            notes.push(
                "the publication is not signed: nothing here signs yet; `gennaker apt key generate` makes a key".into(),
            );
        }
        Ok(publication)
    }

    /// Starts the pipeline with what was published: as the event does, once; without an event (all was published before) by hand.
    async fn start(
        &self,
        plan: &Plan,
        publication: &Publication,
        before: i64,
        notes: &mut Vec<String>,
    ) -> Result<Option<String>, UpError> {
        let events = self.blocking(move |root| Ok(root.outbox_after(before, EVENTS)?)).await?;
        let (own, of) = (plan.name.clone(), plan.package.name.clone());
        let engine = self.engine.clone();
        let find = move |tx: &mut Tx<'_>| -> Result<Option<Map>, StoreError> {
            Ok(pipelines::of_application(tx, &own, Some(false))?.into_iter().find(|one| listens(one, &of)))
        };
        let by_event = {
            let find = find.clone();
            self.engine.store().write(move |tx| {
                let Some(pipeline) = find(tx)? else { return Ok(None) };
                for event in &events {
                    match apt_published::start(tx, &engine, &pipeline, event)? {
                        None => {}
                        // The server's own ears were quicker.
                        Some(Started::Run(None)) => return Ok(Some(Started::Run(run_of(tx, &pipeline, &event.id)?))),
                        started => return Ok(started),
                    }
                }
                Ok::<_, UpError>(None)
            })
        };
        match by_event.await? {
            Some(Started::Run(id)) => return Ok(id),
            Some(Started::Held(sentence)) => {
                notes.push(sentence);
                return Ok(None);
            }
            None => {}
        }
        let (publication, package) = (publication.clone(), plan.package.clone());
        let published = self
            .blocking(move |root| {
                let mut shown = root.visible(&publication, Some(&package.name))?;
                shown.retain(|one| one.version == package.version);
                Ok(Published::of(root, &publication, shown))
            })
            .await?;
        let who = self.who.clone();
        let chosen = self.engine.store().read(move |tx| {
            let Some(pipeline) = find(tx)? else { return Ok(None) };
            Ok::<_, StoreError>(
                apt_published::choice(tx, &pipeline, published.clone())?.map(|choice| (pipeline, choice)),
            )
        });
        let Some((config, choice)) = chosen.await? else {
            notes.push(format!(
                "no pipeline of {} listens to {} {}",
                plan.name, plan.package.name, plan.package.version
            ));
            return Ok(None);
        };
        if let Some(sentence) = choice.held_back {
            notes.push(sentence);
            return Ok(None);
        }
        let mut trigger = choice.trigger;
        trigger.insert("user".into(), json!(who));
        notes.push("it was published before: the pipeline runs with it once more".into());
        Ok(Some(self.engine.begin(StartRequest { config, trigger, ..StartRequest::default() }).await?))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, UpError> + Send + 'static,
    ) -> Result<T, UpError> {
        let root = self.root.clone();
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        done.map_err(|error| UpError::Broken(error.to_string()))?
    }
}

/// The run of a pipeline that an event started.
fn run_of(tx: &mut Tx<'_>, pipeline: &Map, event: &str) -> Result<Option<String>, StoreError> {
    let pipeline = pipeline.get("id").and_then(Value::as_str).map(str::to_owned);
    let newest = records::Query { pipeline, limit: 10, ..records::Query::default() };
    let is_it = |run: &Execution| run.trigger.get("eventId").and_then(Value::as_str) == Some(event);
    Ok(records::list(tx, &newest)?.into_iter().find(is_it).map(|run| run.id))
}

/// So many events come of one publication at most, others' among them.
const EVENTS: u32 = 100;

/// Whether a pipeline starts by itself with a package.
fn listens(pipeline: &Map, package: &str) -> bool {
    let named = |entry: &Map| entry.get("package").and_then(Value::as_str) == Some(package);
    trigger::entries(pipeline, "apt").any(|entry| !entry.contains_key("mirror") && named(entry))
}

/// The package, if an instance can run it.
/// The package, and what it needs that this machine has not.
fn package(report: Report) -> Result<(Package, Vec<String>), UpError> {
    let Report { package: name, version, architecture, problems, from_repository, .. } = report;
    match problems.first() {
        Some(problem) => Err(UpError::Refused(format!("{name} {version} cannot be a service: {problem}"))),
        None => Ok((Package { name, version, architecture }, from_repository)),
    }
}

/// What a publication shows: the package's architecture; of one for all that of this machine.
fn architectures(package: &str) -> Vec<String> {
    vec![if package == "all" { bakery::architecture().to_owned() } else { package.to_owned() }]
}

/// Where a load balancer's first listener answers.
fn address(balancer: &Map) -> Option<String> {
    let listener = &balancer["listeners"][0];
    let scheme = if listener["certificates"].as_array().is_some_and(|all| !all.is_empty()) { "https" } else { "http" };
    Some(format!("{scheme}://{}/", listener["address"].as_str()?))
}
