//! What survives a crash: the rows that were written, in the shape in which the store keeps them. What is read after a crash
//! has been text in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use pipeline::engine::{Live, Pending, Rows};
use pipeline::model::Stage;
use pipeline::{Execution, Message};

#[derive(Default)]
struct Kept {
    header: Execution,
    order: Vec<String>,
    stages: BTreeMap<String, Arc<Stage>>,
    messages: BTreeMap<String, Pending>,
}

#[derive(Default)]
pub struct Disk(BTreeMap<String, Kept>);

fn as_text<T: serde::Serialize + serde::de::DeserializeOwned>(of: &T) -> T {
    let text = serde_json::to_string(of).expect("it can be stored");
    serde_json::from_str(&text).expect("it can be read")
}

impl Disk {
    pub fn write(&mut self, rows: &Rows) {
        let kept = self.0.entry(rows.id.clone()).or_default();
        for id in &rows.gone_stages {
            kept.stages.remove(id);
        }
        for stage in &rows.stages {
            kept.stages.insert(stage.id.clone(), stage.clone());
        }
        if let Some((run, order)) = &rows.header {
            (kept.header, kept.order) = (run.clone(), order.clone());
        }
        for key in &rows.gone_messages {
            kept.messages.remove(key);
        }
        kept.messages.extend(rows.messages.iter().cloned());
    }

    pub fn read(&self, id: &str) -> Live {
        let kept = &self.0[id];
        let stages = kept.order.iter().map(|id| kept.stages[id].clone()).collect();
        let mut live = Live::new(Execution { stages, ..kept.header.clone() });
        live.pending = kept.messages.clone();
        live
    }

    /// All of them without their stages, oldest first.
    pub fn headers(&self) -> impl Iterator<Item = &Execution> {
        self.0.values().map(|kept| &kept.header)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> impl Iterator<Item = Live> + '_ {
        self.0.keys().map(|id| self.read(id))
    }

    /// Those that a new process takes up.
    pub fn unfinished(&self) -> Vec<Live> {
        let mut unfinished: Vec<Live> = self.all().filter(|live| !live.is_over()).collect();
        for live in &mut unfinished {
            live.run = as_text(&live.run);
            for pending in live.pending.values_mut() {
                pending.message = as_text::<Message>(&pending.message);
            }
        }
        unfinished
    }
}
