//! Which fields a stage's configuration has, as JSON schemas: derived from a configuration struct by `schemars`, or written
//! down in a short notation where a stage reads its fields by hand. What is checked with them stands in `validate`.
//!
//! ```text
//! credentials/account!: text,          one of the two must be there
//! capacity: {min: count, max: count, desired: count},
//! regions: [text], onlyEnabled: flag,
//! selectionStrategy: LARGEST|NEWEST|OLDEST|FAIL
//! ```
//!
//! Kinds: `text`, `number`, `whole`, `count` (whole, not negative), `flag`, `object`, `list`, `any`, `[kind]`, `{fields}`, and
//! several with `|` between them. Any other word is itself: one of the values that the field may have.

mod notation;

use std::sync::LazyLock;

use schemars::{JsonSchema, Schema};
use serde_json::Value;

pub use notation::{NotationError, read};

/// The fields of a configuration struct.
pub fn of<T: JsonSchema>() -> Schema {
    schemars::schema_for!(T)
}

/// The fields that a notation names. One that cannot be read leaves everything open; a test reads each of them.
pub fn written(notation: &str) -> Schema {
    read(notation).unwrap_or_default()
}

/// Whether every stage may have a field of this name.
pub fn is_common(name: &str) -> bool {
    static NAMES: LazyLock<Value> = LazyLock::new(|| Value::from(written(COMMON)));
    NAMES.get("properties").is_some_and(|properties| properties.get(name).is_some())
}

/// What every stage may have, whatever its type: what the engine itself reads.
pub const COMMON: &str = "
    refId: text|number, requisiteStageRefIds: [text|number], type!: text, name: text, comments: text, group: text, alias: text,
    isNew: flag, inject: any, dependsOn: [text], stageEnabled: {type: text, expression: text|flag},
    failPipeline: flag, continuePipeline: flag, completeOtherBranchesThenFail: flag, failOnFailedExpressions: flag,
    stageTimeoutMs: count, overrideTimeout: flag, backoffPeriodMs: count, markSuccessfulOnTimeout: flag, startTimeExpiry: count,
    restrictExecutionDuringTimeWindow: flag,
    restrictedExecutionWindow: {
        days: [whole], whitelist: [{startHour: count, startMin: count, endHour: count, endMin: count}],
        jitter: {enabled: flag, minDelay: count, maxDelay: count, skipManual: flag}},
    skipWindowText: text, sendNotifications: flag, notifications: [object], expectedArtifacts: [object]";
