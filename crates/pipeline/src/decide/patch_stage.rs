//! `PatchStage`: somebody changes a stage's context: answers a judgment, ends a wait, skips.

use serde_json::{Value, json};

use super::Message;
use super::work::{Work, alias};
use crate::Map;
use crate::evaluate::keep_as_data;
use crate::model::Status;

pub(super) fn patch_stage(work: &mut Work, id: &str, user: &str, context: &Map) {
    let now = work.now;
    work.edit(id, |s| {
        // What a person answers is no expression of the pipeline's author.
        keep_as_data(&mut s.context, context);
        s.context.extend(context.clone());
        s.last_modified = Some(json!({"user": user, "allowedAccounts": [], "lastModifiedTime": now}));
    });
    let Some(stage) = work.stage(id) else { return };
    if stage.status != Status::Running {
        return;
    }
    if context.get("manualSkip").is_some_and(|v| *v == Value::Bool(true)) {
        let kind = work.world.registry.stage_type(&stage.kind, alias(&stage));
        if kind.is_some_and(|k| k.can_manually_skip(&work.view(&stage))) {
            return work.send(Message::SkipStage { stage: id.to_owned() });
        }
    }
    for task in stage.tasks.iter().filter(|t| t.status == Status::Running) {
        work.send(Message::RunTask { stage: id.to_owned(), task: task.id.clone(), recover: false });
    }
}
