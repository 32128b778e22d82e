//! An execution as JSON, for expressions: made once for a transition and brought up to date stage by stage, because each
//! stage that starts looks at the whole of it.

use std::sync::{Arc, Weak};

use serde_json::Value;

use crate::model::{Execution, Stage};

/// The JSON of an execution, and what it was made of.
#[derive(Default)]
pub(super) struct Picture {
    json: Value,
    header: Execution,
    /// Weak, so that a stage can still be changed where it lies; what a weak pointer points to is never another stage.
    stages: Vec<Weak<Stage>>,
}

impl Picture {
    /// The execution as it is now.
    pub fn of(&mut self, run: &Execution) -> &Value {
        let whole = self.json.is_object() && run.is_same_but_for_stages(&self.header);
        if !whole {
            self.header = run.header();
            self.json = serde_json::to_value(&self.header).unwrap_or_default();
            self.stages.clear();
        }
        let Some(Value::Array(list)) = self.json.get_mut("stages") else { return &self.json };
        for (i, stage) in run.stages.iter().enumerate() {
            if self.stages.get(i).is_some_and(|known| known.as_ptr() == Arc::as_ptr(stage)) {
                continue;
            }
            let json = serde_json::to_value(&**stage).unwrap_or_default();
            match (list.get_mut(i), self.stages.get_mut(i)) {
                (Some(place), Some(known)) => (*place, *known) = (json, Arc::downgrade(stage)),
                _ => {
                    list.push(json);
                    self.stages.push(Arc::downgrade(stage));
                }
            }
        }
        list.truncate(run.stages.len());
        self.stages.truncate(run.stages.len());
        &self.json
    }
}
