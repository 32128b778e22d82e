//! Which stage types and tasks there are. `stages::all()` fills it; the engine reads it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Effect, PureTask, Stage, artifacts};

/// Stage types by kind, tasks by key.
#[derive(Default, Clone)]
pub struct Registry {
    stages: HashMap<&'static str, &'static dyn Stage>,
    pure: HashMap<&'static str, PureTask>,
    effects: HashMap<&'static str, Arc<dyn Effect>>,
    foreign: HashMap<&'static str, Foreign>,
}

/// A stage type that pipelines have elsewhere, and that is only stored and shown here.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// What people call it.
    pub label: &'static str,
    /// Its fields, in the notation of [`crate::fields`].
    pub fields: &'static str,
}

/// What runs under a task's key.
#[derive(Clone)]
pub enum Runs {
    /// Evaluated inside the decision.
    Pure(PureTask),
    /// Performed outside any transaction.
    Effect(Arc<dyn Effect>),
}

impl Registry {
    /// Holds only what every stage may ask for: the execution window, and the binding of what it made.
    pub fn new() -> Registry {
        Registry::default()
            .stage(&crate::window::WindowStage)
            .pure(crate::window::TASK, crate::window::run)
            .pure(artifacts::BIND.task, artifacts::bind_produced)
    }

    /// Adds a stage type under its kind and its aliases.
    pub fn stage(mut self, stage: &'static dyn Stage) -> Registry {
        self.stages.insert(stage.kind(), stage);
        for alias in stage.aliases() {
            self.stages.insert(alias, stage);
        }
        self
    }

    /// Adds a pure task.
    pub fn pure(mut self, key: &'static str, task: PureTask) -> Registry {
        self.pure.insert(key, task);
        self
    }

    /// Adds an effect.
    pub fn effect(mut self, key: &'static str, effect: Arc<dyn Effect>) -> Registry {
        self.effects.insert(key, effect);
        self
    }

    /// Adds a stage type that is only stored and shown.
    pub fn elsewhere(mut self, kind: &'static str, label: &'static str, fields: &'static str) -> Registry {
        self.foreign.insert(kind, Foreign { label, fields });
        self
    }

    /// The stage type of this kind that pipelines have elsewhere.
    pub fn foreign(&self, kind: &str) -> Option<&Foreign> {
        self.foreign.get(kind)
    }

    /// Every kind that pipelines have elsewhere.
    pub fn foreign_kinds(&self) -> impl Iterator<Item = &'static str> {
        self.foreign.keys().copied()
    }

    /// The stage type of this kind; `alias` (of the stage's context) is looked up instead when it is set.
    pub fn stage_type(&self, kind: &str, alias: Option<&str>) -> Option<&'static dyn Stage> {
        self.stages.get(alias.unwrap_or(kind)).copied()
    }

    /// What runs under this key.
    pub fn task(&self, key: &str) -> Option<Runs> {
        if let Some(task) = self.pure.get(key) {
            return Some(Runs::Pure(*task));
        }
        self.effects.get(key).cloned().map(Runs::Effect)
    }

    /// The name of this kind, if it is known here.
    pub fn kind(&self, kind: &str) -> Option<&'static str> {
        self.stages.get_key_value(kind).map(|(known, _)| *known)
    }

    /// Every kind that can stand in a pipeline, sorted.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.stages.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }
}
