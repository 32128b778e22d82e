//! Bake: makes an image from packages, or finds the one that the same bytes gave before. One child stage a region does the work; the
//! stage itself collects what came of it in `deploymentDetails`, where later stages look for their image.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bakery::{Baked, Bakery, PackageSource, Recipe, Request, SourceError, WantedPackage};
use jiff::{SignedDuration, Timestamp};
use pipeline::validate::{About, At, Findings};
use pipeline::{
    Effect, Map, Plan, PlanError, Registry, Stage, StageSpec, StageView, Status, TaskInput, TaskResult, TaskSpec,
    fields,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stoppable::Stoppable;

const CREATE: &str = "createBake";
const MONITOR: &str = "monitorBake";
const COMPLETED: &str = "completedBake";
const COLLECT: &str = "collectBakes";
/// A bake that takes longer has gone wrong.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);

/// Which published repository the packages come from. What is left out is whatever the server knows as the only possibility.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Publication {
    /// Folder of the apt root.
    pub root: Option<String>,
    /// Prefix; `.` for none.
    pub prefix: Option<String>,
    /// Distribution.
    pub distribution: Option<String>,
    /// Exactly this generation.
    pub generation: Option<i64>,
}

/// Where packages come from. The apt side implements it.
pub trait Publications: Send + Sync {
    /// The publication that is meant, as it is now (or as of its generation); `package` tells two apart when nothing else does. Blocks.
    fn open(&self, wanted: &Publication, package: &str) -> Result<Arc<dyn PackageSource>, SourceError>;
}

/// Adds the stage and its tasks.
pub fn register(registry: Registry, bakery: Bakery, publications: Arc<dyn Publications>) -> Registry {
    types(registry)
        .effect(CREATE, Arc::new(CreateBake { bakery: bakery.clone(), publications }))
        .effect(MONITOR, Arc::new(MonitorBake { bakery, running: Stoppable::default() }))
}

/// Adds the stage and the tasks that need no bakery.
pub fn types(registry: Registry) -> Registry {
    registry.stage(&BakeStage).pure(COMPLETED, completed).pure(COLLECT, collect)
}

/// The configuration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// Packages, separated by blanks.
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    base_os: Option<String>,
    #[serde(default)]
    builder: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    skip_region_detection: bool,
    #[serde(default)]
    ami_name: Option<String>,
    #[serde(default)]
    ami_suffix: Option<String>,
    #[serde(default)]
    extended_attributes: BTreeMap<String, Value>,
    /// Instead of the unit's `ExecStart`.
    #[serde(default)]
    command: Option<Vec<String>>,
    /// The publication: an object, or the name of a distribution.
    #[serde(default)]
    repository: Option<Value>,
}

/// The stage type.
pub struct BakeStage;

const FIELDS: &str = "
    package: text, packageArtifactIds: [text], baseOs: text, baseLabel: text, builder: text, cloudProvider: text, cloudProviderType: text,
    region: text, regions: [text], skipRegionDetection: flag, vmType: text, storeType: text, enhancedNetworking: flag, baseAmi: text,
    baseName: text, amiName: text, amiSuffix: text, rebake: flag, upgrade: flag, extendedAttributes: object, templateFileName: text,
    varFileName: text, user: text, account: text, accountName: text, packageArtifacts: list, osType: text, managedImage: text,
    publisher: text, offer: text, sku: text, instanceType: text, rootVolumeSize: number, organization: text,
    allowMissingPackageInstallation: flag, showAdvancedOptions: flag, command: [text],
    repository: text|{root: text, prefix: text, distribution: text, generation: whole}";

impl Stage for BakeStage {
    fn kind(&self) -> &'static str {
        "bake"
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }

    fn check(&self, config: &Map, _: &About, at: &At, findings: &mut Findings) {
        let named = |key: &str| {
            config.get(key).is_some_and(|v| v.as_str().is_none_or(|s| !s.trim().is_empty()) && !v.is_null())
        };
        if !named("package") {
            let help = "package takes names separated by blanks";
            findings.warning(
                &at.key("package"),
                "no package is named: only a start by an apt trigger brings one",
                help,
            );
        }
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        if is_child(stage) {
            return Ok(Plan::tasks([
                TaskSpec::new("createBake", CREATE),
                TaskSpec::new("monitorBake", MONITOR).timeout(LONGEST),
                TaskSpec::new("completedBake", COMPLETED),
            ]));
        }
        if packages(&config, stage).is_none() {
            return Err(PlanError::Refused("no package is named: \"package\" takes names separated by blanks".into()));
        }
        let mut plan = Plan::tasks([TaskSpec::new("completeParallel", COLLECT)]);
        for region in regions(&config, stage) {
            let mut context = stage.context().clone();
            context.shift_remove("regions");
            let child = StageSpec::new("bake", format!("Bake in {region}")).context(context);
            plan = plan.before(child.with("region", region));
        }
        Ok(plan)
    }

    fn prepare_restart(&self, context: &mut Map) {
        for key in ["recipe", "status", "imageId", "imageName", "ami", "previouslyBaked", "artifacts"] {
            context.shift_remove(key);
        }
    }
}

/// The packages that the stage names, else the one that an apt trigger brought.
fn packages(config: &Config, stage: &StageView) -> Option<String> {
    let own = config.package.clone().filter(|p| !p.trim().is_empty());
    let trigger = || published(stage).and_then(|trigger| text(trigger, "package"));
    own.or_else(trigger)
}

/// The apt trigger, if it brought a published package; what a mirror has is not published here.
fn published<'a>(stage: &'a StageView) -> Option<&'a Map> {
    let trigger = &stage.trigger().0;
    (stage.trigger().kind() == "apt" && !trigger.contains_key("mirror")).then_some(trigger)
}

fn is_child(stage: &StageView) -> bool {
    stage.parent().is_some_and(|parent| parent.stage().kind == "bake")
}

/// Regions that are named, and those of deploy stages of the same cloud, each once.
fn regions(config: &Config, stage: &StageView) -> Vec<String> {
    let mut found = config.regions.clone();
    found.extend(config.region.clone());
    if !config.skip_region_detection {
        let provider = |map: &Map| text(map, "cloudProviderType").or_else(|| text(map, "cloudProvider"));
        let own = provider(stage.context());
        let deploys = stage.execution().top_stages().filter(|s| s.kind == "deploy");
        for cluster in
            deploys.filter_map(|s| s.context.get("clusters")?.as_array()).flatten().filter_map(Value::as_object)
        {
            let same = own.is_none() || provider(cluster).is_none() || provider(cluster) == own;
            // A region that is still an expression is left to the deploy stage.
            found.extend(text(cluster, "region").filter(|r| same && !r.contains("${")));
        }
    }
    if found.is_empty() {
        found.push("local".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|region| seen.insert(region.clone()));
    found
}

fn text(map: &Map, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// What is to be baked, and from where: the stage says which packages, an apt trigger exactly which bytes.
fn request(config: &Config, stage: &StageView) -> Result<(Request, Publication), String> {
    let named = packages(config, stage).unwrap_or_default();
    let mut packages = WantedPackage::list(&named).map_err(|e| e.to_string())?;
    let mut publication = match &config.repository {
        None | Some(Value::Null) => Publication::default(),
        Some(Value::String(distribution)) => {
            Publication { distribution: Some(distribution.clone()), ..Publication::default() }
        }
        Some(other) => {
            serde_json::from_value(other.clone()).map_err(|e| format!("\"repository\" cannot be read: {e}"))?
        }
    };
    let trigger = &stage.trigger().0;
    let mut provenance = json!({"execution": stage.execution().id, "trigger": stage.trigger().kind()});
    if published(stage).is_some()
        && let Some(name) = trigger.get("package").and_then(Value::as_str)
        && let Some(package) = packages.iter_mut().find(|p| p.name == name && p.version.is_none())
    {
        package.version = text(trigger, "version");
        package.sha256 = text(trigger, "sha256");
        let own = |at: Option<String>, key: &str| at.or_else(|| text(trigger, key));
        publication = Publication {
            root: own(publication.root, "root"),
            prefix: own(publication.prefix, "prefix"),
            distribution: own(publication.distribution, "distribution"),
            generation: publication.generation.or_else(|| trigger.get("generation").and_then(Value::as_i64)),
        };
        for key in ["root", "prefix", "distribution", "component", "generation", "version", "sha256"] {
            provenance[key] = trigger.get(key).cloned().unwrap_or_default();
        }
    }
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &config.extended_attributes {
        options.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    if let Some(command) = &config.command {
        options.insert("command".into(), json!(command).to_string());
    }
    let filled = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
    let request = Request {
        packages,
        base: filled(&config.base_os).unwrap_or_else(|| "host".into()),
        builder: filled(&config.builder).unwrap_or_else(|| "built-in".into()),
        options,
        image_name: filled(&config.ami_name),
        suffix: filled(&config.ami_suffix),
        provenance,
    };
    Ok((request, publication))
}

/// Finds out exactly what goes into the image.
struct CreateBake {
    bakery: Bakery,
    publications: Arc<dyn Publications>,
}

impl CreateBake {
    async fn recipe(&self, input: &TaskInput) -> Result<Recipe, String> {
        let config: Config =
            input.view().ok_or("the stage of this task is gone")?.config().map_err(|e| e.to_string())?;
        let (request, publication) = request(&config, &input.view().ok_or("the stage of this task is gone")?)?;
        let publications = self.publications.clone();
        let first = request.packages.first().map(|p| p.name.clone()).unwrap_or_default();
        let source = tokio::task::spawn_blocking(move || publications.open(&publication, &first));
        let source = source.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        input.log.line(&format!("packages come from {}", source.name()));
        self.bakery.resolve(request, source).await.map_err(|e| e.to_string())
    }
}

#[async_trait]
impl Effect for CreateBake {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let recipe = match self.recipe(&input).await {
            Ok(recipe) => recipe,
            Err(error) => return TaskResult::failed(error),
        };
        let labels: Vec<String> = recipe.packages.iter().map(bakery::Candidate::label).collect();
        input.log.line(&format!("the image holds {}", labels.join(", ")));
        let Ok(kept) = serde_json::to_value(&recipe) else {
            return TaskResult::failed("the recipe cannot be kept with the stage");
        };
        TaskResult::succeeded()
            .context("bakePackageName", labels.first().cloned().unwrap_or_default())
            .context(
                "status",
                json!({"id": recipe.key(), "state": "RUNNING", "result": null, "resourceId": recipe.key()}),
            )
            .context("recipe", kept)
    }
}

/// Makes the image, or finds it.
struct MonitorBake {
    bakery: Bakery,
    running: Stoppable,
}

#[async_trait]
impl Effect for MonitorBake {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let Some(recipe) = input.view().and_then(|v| v.context().get("recipe").cloned()) else {
            return TaskResult::failed("the stage has no recipe: restart it");
        };
        let recipe: Recipe = match serde_json::from_value(recipe) {
            Ok(recipe) => recipe,
            Err(error) => return TaskResult::failed(format!("the stage's recipe cannot be read: {error}")),
        };
        let anew = wants_rebake(&input);
        let log = input.log.clone();
        let make = self.bakery.make(recipe, anew, move |line| log.line(line));
        match self.running.run(&input.key, make).await {
            None => TaskResult::failed("the bake was cancelled"),
            Some(Ok(baked)) => done(&input, &baked),
            Some(Err(error)) => TaskResult::failed(error.to_string()),
        }
    }

    async fn cancel(&self, input: TaskInput) {
        self.running.stop(&input.key);
    }
}

fn wants_rebake(input: &TaskInput) -> bool {
    let asked = |value: Option<&Value>| value.is_some_and(|v| v == &json!(true) || v == "true");
    let Some(view) = input.view() else { return false };
    asked(view.context().get("rebake")) || asked(view.trigger().get("rebake"))
}

fn done(input: &TaskInput, baked: &Baked) -> TaskResult {
    let image = &baked.image;
    let region = input.get("region").unwrap_or_default();
    TaskResult::succeeded()
        .context(
            "status",
            json!({"id": image.recipe, "state": "COMPLETED", "result": "SUCCESS", "resourceId": image.id}),
        )
        .context("ami", image.id.as_str())
        .context("imageId", image.id.as_str())
        .context("imageName", image.name.as_str())
        .context("amiName", image.name.as_str())
        .context("appVersion", image.app_version())
        .context("previouslyBaked", baked.previously_baked)
        .context("baseDigest", image.base_digest.as_str())
        .context("notes", json!(image.notes))
        .context(
            "artifacts",
            json!([{
                "type": "local/image",
                "name": image.name,
                "location": region,
                "reference": image.id,
                "version": image.main_package().map(|p| p.version.clone()),
                "metadata": {"packages": image.packages.iter().map(bakery::Candidate::label).collect::<Vec<_>>()},
            }]),
        )
}

/// Publishes what the child knows.
fn completed(input: &TaskInput, _now: Timestamp) -> TaskResult {
    let Some(view) = input.view() else {
        return TaskResult::failed("the stage of this task is gone");
    };
    match view.context().get("imageId") {
        Some(_) => {
            let artifacts = view.context().get("artifacts").cloned().unwrap_or_default();
            TaskResult::done(Status::Succeeded).output("artifacts", artifacts)
        }
        None => TaskResult::failed("the bake ended without an image"),
    }
}

/// One element a region, as deploy stages look for them.
fn collect(input: &TaskInput, _now: Timestamp) -> TaskResult {
    let Some(view) = input.view() else {
        return TaskResult::failed("the stage of this task is gone");
    };
    let keys = [
        "ami",
        "amiName",
        "imageId",
        "imageName",
        "amiSuffix",
        "appVersion",
        "baseLabel",
        "baseOs",
        "storeType",
        "vmType",
        "region",
        "package",
        "cloudProviderType",
        "cloudProvider",
        "previouslyBaked",
        "bakePackageName",
    ];
    let ref_id = view.stage().ref_id.clone();
    let details: Vec<Value> = view
        .children()
        .iter()
        .filter(|child| child.context.contains_key("imageId"))
        .map(|child| {
            let mut one = Map::new();
            for key in keys {
                if let Some(value) = child.context.get(key) {
                    one.insert(key.into(), value.clone());
                }
            }
            one.entry("cloudProvider").or_insert_with(|| json!("local"));
            one.insert("refId".into(), json!(ref_id));
            Value::Object(one)
        })
        .collect();
    let artifacts: Vec<Value> = view
        .children()
        .iter()
        .filter_map(|child| child.context.get("artifacts")?.as_array().cloned())
        .flatten()
        .collect();
    TaskResult::succeeded().output("deploymentDetails", details).output("artifacts", artifacts)
}

#[cfg(test)]
mod tests {
    use pipeline::Execution;
    use pipeline::model::Stage as Record;

    use super::*;

    fn asked(config: Value, trigger: Value) -> Result<(Request, Publication), String> {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let stage = Record { id: "s".into(), kind: "bake".into(), context: map(config), ..Record::default() };
        let run = Execution {
            stages: vec![Arc::new(stage)],
            trigger: pipeline::Trigger(map(trigger)),
            ..Execution::default()
        };
        let view = StageView::of(&run, "s").ok_or("no stage")?;
        request(&view.config().map_err(|e| e.to_string())?, &view)
    }

    #[test]
    fn an_apt_trigger_says_exactly_which_bytes() {
        let trigger = json!({"type": "apt", "root": "/srv/apt", "prefix": ".", "distribution": "stretch", "package": "hello",
            "version": "2.0", "sha256": "aa", "generation": 7});
        let (request, publication) = asked(json!({"package": "hello helper"}), trigger.clone()).unwrap();
        assert_eq!(request.packages[0].version.as_deref(), Some("2.0"));
        assert_eq!(request.packages[0].sha256.as_deref(), Some("aa"));
        assert_eq!(request.packages[1].version, None, "only the package that was published");
        assert_eq!((publication.generation, publication.root.as_deref()), (Some(7), Some("/srv/apt")));
        let (request, publication) = asked(json!({"package": "hello=1.0"}), trigger).unwrap();
        assert_eq!(request.packages[0].version.as_deref(), Some("1.0"), "the stage's own version wins");
        assert_eq!(publication, Publication::default());
    }

    #[test]
    fn a_start_by_hand_takes_what_the_stage_says() {
        let config = json!({"package": "hello", "repository": "stretch", "baseOs": "", "amiName": "terry"});
        let (request, publication) = asked(config, json!({"type": "manual"})).unwrap();
        assert_eq!((request.base.as_str(), request.image_name.as_deref()), ("host", Some("terry")));
        assert_eq!(publication.distribution.as_deref(), Some("stretch"));
        assert!(asked(json!({"package": "../etc"}), json!({})).is_err());
    }
}
