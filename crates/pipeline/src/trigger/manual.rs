//! `manual`: a person starts it; no event does.

use serde_json::Value;

use super::Matches;
use crate::Map;

/// The kind.
pub struct Manual;

impl Matches for Manual {
    fn kind(&self) -> &'static str {
        "manual"
    }
    fn fires(&self, _: &Map, _: &Value) -> Option<Map> {
        None
    }
    fn brings_artifacts(&self) -> bool {
        false
    }
}
