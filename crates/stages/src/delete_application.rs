//! `deleteApplication`: refused while something of the application still runs in a cloud, so that nothing is orphaned.

use std::sync::Arc;

use async_trait::async_trait;
use cloud::{Clouds, Query};
use pipeline::engine::Engine;
use pipeline::{Effect, Registry, TaskInput, TaskResult};
use serde_json::Value;

use crate::jobs::DoJob;

/// Asks the clouds, then deletes.
struct DeleteApplication {
    job: DoJob,
    clouds: Clouds,
}

/// Puts the question to the clouds before the job.
pub fn register(registry: Registry, engine: &Engine, clouds: &Clouds) -> Registry {
    let effect = DeleteApplication { job: DoJob(engine.clone()), clouds: clouds.clone() };
    registry.effect("deleteApplication", Arc::new(effect))
}

#[async_trait]
impl Effect for DeleteApplication {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let application = input.view().and_then(|view| view.context().get("application").cloned());
        let name = application.as_ref().and_then(|a| a.get("name")).and_then(Value::as_str).unwrap_or("");
        match self.clouds.list(&Query::of(&name.to_lowercase())).await {
            Err(error) => return TaskResult::failed(format!("cannot see what '{name}' runs: {error}")),
            Ok(found) if !found.server_groups.is_empty() => {
                let groups: Vec<String> = found.server_groups.iter().map(|g| g.name.to_string()).collect();
                let text = format!("the application '{name}' still has {}; destroy them first", groups.join(", "));
                return TaskResult::failed(text);
            }
            Ok(_) => {}
        }
        self.job.run(input).await
    }
}
