//! Script: runs a command as a stage, with live output and limits. When the stage names an image (or stages before it baked one and
//! `testImage` asks for it), one throwaway instance of that image is started first; its address stands in the command's environment.
//!
//! What it is told is in `config`, its process in `process`, what keeps that in in `confine`, what it leaves behind in `properties`.

mod config;
mod confine;
mod process;
mod properties;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cloud::health::Capacity;
use cloud::names::{ClusterName, GroupName};
use cloud::operation::{CreateServerGroup, GroupAt};
use cloud::{Clouds, Key, Operation, Progress, Provider, Resource, ResourceId};
use events::outgoing::Outgoing;
use jiff::SignedDuration;
use pipeline::{
    Effect, Exception, Map, Plan, PlanError, Registry, Stage, StageView, TaskInput, TaskResult, TaskSpec, artifacts,
    fields,
};
use schemars::Schema;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use config::Config;
use confine::Means;
use process::{Ended, Script};

use crate::artifact_text;
use crate::stoppable::Stoppable;

const START: &str = "startTestInstance";
const RUN: &str = "runScript";
const END: &str = "endTestInstance";
/// So long a throwaway instance may take until it accepts connections.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Says whose a throwaway instance is: the stage's id.
const LABEL: &str = "test-of";

/// What the tasks work with.
pub struct Scripts {
    /// Where throwaway instances are started.
    pub clouds: Arc<Clouds>,
    /// Scripts run in fresh folders below this one.
    pub folder: PathBuf,
    /// Where programs are looked for.
    pub path: String,
    /// Fetches scripts that are artifacts.
    pub outgoing: Arc<Outgoing>,
    /// Folders whose files may be run by their path, and in which scripts may run.
    pub allowed: Vec<PathBuf>,
}

/// Adds the stage and its tasks.
pub fn register(registry: Registry, scripts: Scripts) -> Registry {
    let scripts = Arc::new(scripts);
    registry
        .stage(&ScriptStage)
        .effect(START, Arc::new(StartInstance(scripts.clone())))
        .effect(
            RUN,
            Arc::new(RunScript { scripts: scripts.clone(), running: Stoppable::default(), means: OnceCell::new() }),
        )
        .effect(END, Arc::new(EndInstance(scripts)))
}

/// The stage type.
pub struct ScriptStage;

const FIELDS: &str = "
    command/scriptPath!: [text|number]|text, args: [text|number], env: object, workingDirectory: text,
    limits: {
        cpuSeconds: count, memoryMb: count, processes: count, fileSizeMb: count, openFiles: count, timeSeconds: count, outputLines: count},
    timeoutSeconds: count, image: text, testImage: flag, account: text, credentials: text, region: text, cluster: text, cmc: text,
    repoUrl: text, repoBranch: text, propertyFile: text, waitForCompletion: flag, cloudProvider: text, user: text";

impl Stage for ScriptStage {
    fn kind(&self) -> &'static str {
        "script"
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        config.words().map_err(PlanError::Refused)?;
        let limit = SignedDuration::from_secs(config.time().as_secs() as i64 + 60);
        let run = TaskSpec::new("runScript", RUN).timeout(limit);
        if config.image.is_none() && !config.test_image {
            return Ok(Plan::tasks([run]));
        }
        Ok(Plan::tasks([TaskSpec::new("startTestInstance", START), run, TaskSpec::new("endTestInstance", END)]))
    }

    fn makes_artifacts(&self) -> bool {
        true
    }

    fn on_cancel(&self, stage: &StageView) -> Option<TaskSpec> {
        stage.context().contains_key("testInstance").then_some(TaskSpec::new("endTestInstance", END))
    }

    fn prepare_restart(&self, context: &mut Map) {
        for key in ["testInstance", "scriptFailure", "exitCode", "scriptOutput"] {
            context.shift_remove(key);
        }
        if let Some(Value::Object(properties)) = context.shift_remove("propertyFileContents") {
            // What the property file brought goes; what the author wrote under the same name stays.
            context.retain(|key, value| properties.get(key) != Some(value));
        }
    }
}

/// Starts one instance of the image and waits until it accepts connections.
struct StartInstance(Arc<Scripts>);

impl StartInstance {
    async fn start(&self, input: &TaskInput) -> Result<Value, String> {
        let config = config(input)?;
        let image = image(input, &config).ok_or("no stage before this one baked an image, and \"image\" names none")?;
        let provider = self.0.clouds.account(config.account()).map_err(|e| e.to_string())?;
        let cluster = ClusterName::new(&input.execution.application, "", "imagetest").map_err(|e| e.to_string())?;
        let operation = Operation::CreateServerGroup(CreateServerGroup {
            traffic: false,
            labels: [(LABEL.to_owned(), input.stage_id.clone())].into(),
            ..CreateServerGroup::new(cluster, config.region(), image.as_str(), Capacity::exactly(1))
        });
        input.log.line(&format!("starting one instance of {image}"));
        let outcome = finish(provider.as_ref(), &operation, &Key::new(input.key.as_str())).await?;
        let group = outcome.first().cloned().ok_or("the cloud names no server group that it made")?;
        let address = self.ready(provider.as_ref(), config.region(), &group).await?;
        input.log.line(&format!("{group} listens on {address}"));
        Ok(
            json!({"account": config.account(), "region": config.region(), "serverGroup": group, "address": address, "image": image}),
        )
    }

    /// The address of the group's instance once it accepts a connection.
    async fn ready(&self, provider: &dyn Provider, region: &str, group: &str) -> Result<String, String> {
        let name: GroupName = group.parse().map_err(|e| format!("{e}"))?;
        let id = ResourceId::ServerGroup { region: region.to_owned(), name };
        let until = tokio::time::Instant::now() + READY_WITHIN;
        let mut seen = "it has no instance".to_owned();
        loop {
            let found = provider.get(&id).await.map_err(|e| e.to_string())?.and_then(Resource::server_group);
            if let Some(instance) = found.as_ref().and_then(|g| g.instances.first()) {
                seen = instance.why.clone().unwrap_or_else(|| format!("{} is {:?}", instance.id, instance.state()));
                if let Some(address) = &instance.address
                    && tokio::net::TcpStream::connect(address.as_str()).await.is_ok()
                {
                    return Ok(address.clone());
                }
            }
            if tokio::time::Instant::now() >= until {
                return Err(format!(
                    "the instance of the image accepts no connection within {} s: {seen}",
                    READY_WITHIN.as_secs()
                ));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[async_trait]
impl Effect for StartInstance {
    async fn run(&self, input: TaskInput) -> TaskResult {
        match self.start(&input).await {
            Ok(instance) => TaskResult::succeeded().context("testInstance", instance),
            Err(error) => {
                // Whatever was made must not stay; the key finds it.
                self.cancel(input).await;
                TaskResult::failed(error)
            }
        }
    }

    async fn cancel(&self, input: TaskInput) {
        let Ok(config) = config(&input) else { return };
        let Ok(provider) = self.0.clouds.account(config.account()) else { return };
        let query = cloud::Query::of(&input.execution.application);
        let Ok(inventory) = provider.list(&query).await else { return };
        for group in inventory.server_groups.iter().filter(|g| g.labels.get(LABEL) == Some(&input.stage_id)) {
            let at = GroupAt { group: group.name.clone(), region: group.region.clone() };
            let key = Key::new(format!("{}/end/{}", input.key, group.name));
            let _ = finish(provider.as_ref(), &Operation::DestroyServerGroup(at), &key).await;
        }
    }
}

/// Runs the command. With a test instance its failure is kept for the task that ends the instance.
struct RunScript {
    scripts: Arc<Scripts>,
    running: Stoppable,
    means: OnceCell<Means>,
}

#[async_trait]
impl Effect for RunScript {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let instance = input.get("testInstance");
        let ended = match self.script(&input, instance.as_ref()).await {
            Ok(script) => {
                let means = self.means.get_or_init(|| Means::of(&self.scripts.path)).await;
                let run = self.running.run(&input.key, process::run(script, means, &input.log)).await;
                run.unwrap_or_else(|| Err("the script was cancelled".into()))
            }
            Err(error) => Err(error),
        };
        let (failure, code, output, properties) = match ended {
            Ok(Ended { failure, code, last, properties }) => (failure, code, last, properties),
            Err(error) => (Some(error), None, Vec::new(), Map::new()),
        };
        if let (Some(failure), None) = (&failure, &instance) {
            return TaskResult::Failed { error: failed(failure.clone(), code, &output) }
                .context("exitCode", json!(code));
        }
        let result = TaskResult::succeeded()
            .context("exitCode", json!(code))
            .context("scriptOutput", output.join("\n"))
            .context("scriptFailure", json!(failure))
            .output("exitCode", json!(code));
        left_behind(&input, result, properties)
    }

    async fn cancel(&self, input: TaskInput) {
        self.running.stop(&input.key);
    }
}

/// Adds what the property file says: to the outputs, and to the context where it does not change how the stage itself behaves.
fn left_behind(input: &TaskInput, mut result: TaskResult, properties: Map) -> TaskResult {
    if properties.is_empty() {
        return result;
    }
    let own = input.view().map(|view| view.context().clone()).unwrap_or_default();
    for (key, value) in &properties {
        result = result.output(key, value.clone());
        if !own.contains_key(key) {
            result = result.context(key, value.clone());
        }
    }
    result.context("propertyFileContents", properties.clone()).output("propertyFileContents", properties)
}

impl RunScript {
    async fn script(&self, input: &TaskInput, instance: Option<&Value>) -> Result<Script, String> {
        let config = config(input)?;
        let mut env = config.env.clone();
        if let Some(address) = instance.and_then(|i| i.get("address")).and_then(Value::as_str) {
            env.insert("INSTANCE_ADDRESS".into(), address.to_owned());
            env.insert("INSTANCE_URL".into(), format!("http://{address}"));
        }
        let execution = &input.execution;
        env.insert("GENNAKER_APPLICATION".into(), execution.application.clone());
        env.insert("GENNAKER_EXECUTION".into(), execution.id.clone());
        env.entry("PATH".into()).or_insert_with(|| self.scripts.path.clone());
        let mut words = config.words()?;
        let (mut program, mut text) = (String::new(), None);
        match config.script_path.as_deref() {
            None => program = words.remove(0),
            Some(path) if path.starts_with('/') => program = self.allowed(path)?,
            Some(name) => text = Some(self.artifact(input, name).await?),
        }
        let working = match config.working_directory.as_deref() {
            Some(path) if path.starts_with('/') => Some(PathBuf::from(self.allowed(path)?)),
            inside => inside.map(PathBuf::from),
        };
        Ok(Script {
            program,
            text,
            args: words,
            env,
            folder: self.scripts.folder.clone(),
            working,
            time: config.time(),
            limits: config.limits.clone(),
            property_file: config.property_file.clone(),
        })
    }

    /// A path that the configuration allows, links followed.
    fn allowed(&self, path: &str) -> Result<String, String> {
        let real = Path::new(path).canonicalize().map_err(|error| format!("'{path}' cannot be used: {error}"))?;
        let below = |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| real.starts_with(folder));
        if self.scripts.allowed.iter().any(below) {
            return Ok(real.to_string_lossy().into_owned());
        }
        Err(format!("'{path}' may not be used: add its folder to `allow` under [script] in the configuration"))
    }

    /// The text of an artifact that the stage may use, by its name, or by the id under which it was bound.
    async fn artifact(&self, input: &TaskInput, name: &str) -> Result<String, String> {
        let view = input.view().ok_or("the stage of this script is gone")?;
        let named =
            || artifacts::visible(&view).into_iter().find(|a| a.get("name").and_then(Value::as_str) == Some(name));
        let artifact = artifacts::bound(&view, name).or_else(named);
        let artifact = artifact.ok_or_else(|| {
            format!("there is no artifact '{name}' for scriptPath; a file of this machine is given with its whole path")
        })?;
        artifact_text::read(&self.scripts.outgoing, &artifact).await
    }
}

fn failed(failure: String, code: Option<i32>, output: &[String]) -> Exception {
    Exception::new("ScriptFailed", failure).detail("exitCode", json!(code)).detail("output", output.join("\n"))
}

/// Ends the test instance, then says how the script ended.
struct EndInstance(Arc<Scripts>);

impl EndInstance {
    async fn end(&self, input: &TaskInput) -> Result<(), String> {
        let instance = input.get("testInstance").unwrap_or_default();
        let part = |key: &str| instance.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let provider = self.0.clouds.account(&part("account")).map_err(|e| e.to_string())?;
        let group: GroupName = part("serverGroup").parse().map_err(|e| format!("{e}"))?;
        let destroy = Operation::DestroyServerGroup(GroupAt { group, region: part("region") });
        finish(provider.as_ref(), &destroy, &Key::new(format!("{}/end", input.key))).await?;
        Ok(())
    }
}

#[async_trait]
impl Effect for EndInstance {
    async fn run(&self, input: TaskInput) -> TaskResult {
        if let Err(error) = self.end(&input).await {
            return TaskResult::failed(format!("the test instance could not be ended: {error}"));
        }
        let text = |key: &str| input.get(key).and_then(|v| v.as_str().map(str::to_owned));
        match text("scriptFailure") {
            None => TaskResult::succeeded(),
            Some(failure) => {
                let code = input.get("exitCode").and_then(|c| c.as_i64()).and_then(|c| i32::try_from(c).ok());
                let output = text("scriptOutput").unwrap_or_default();
                TaskResult::Failed { error: failed(failure, code, &[output]) }
            }
        }
    }

    async fn cancel(&self, input: TaskInput) {
        if let Err(error) = self.end(&input).await {
            input.log.line(&format!("the test instance could not be ended: {error}"));
        }
    }
}

fn config(input: &TaskInput) -> Result<Config, String> {
    let view = input.view().ok_or("the stage of this task is gone")?;
    view.config().map_err(|e| e.to_string())
}

fn image(input: &TaskInput, config: &Config) -> Option<String> {
    let named = config.image.clone().filter(|i| !i.is_empty());
    named.or_else(|| {
        let details = input.get("deploymentDetails")?;
        Some(details.get(0)?.get("imageId")?.as_str()?.to_owned())
    })
}

/// Starts an operation and waits until it has ended; the names of the groups that it made.
async fn finish(provider: &dyn Provider, operation: &Operation, key: &Key) -> Result<Vec<String>, String> {
    let mut changes = provider.watch();
    let handle = provider.start(operation, key).await.map_err(|e| e.to_string())?;
    loop {
        changes.mark_unchanged();
        match provider.poll(&handle).await.map_err(|e| e.to_string())? {
            Progress::Done { result } => return Ok(result.server_groups),
            Progress::Failed { error } => return Err(error),
            Progress::Cancelled => return Err(format!("{} was cancelled", operation.name())),
            Progress::Running { .. } => {}
        }
        // A change wakes us at once; the time is for clouds that cannot tell.
        let _ = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
    }
}
