//! How a pipeline names its template: `spinnaker://id`, `spinnaker://id:tag`, `spinnaker://id@sha256:digest`.

use serde_json::Value;

use super::{PlanFault, Version};
use crate::Map;

/// A template that a pipeline names.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The template's id.
    pub id: String,
    /// Which version of it.
    pub version: Version,
}

impl Reference {
    /// What a configuration says in `template.reference` (or, as the first clients wrote it, in `template.source`).
    pub fn of(config: &Map) -> Result<Reference, PlanFault> {
        let template = config.get("template");
        let text = ["reference", "source"].iter().find_map(|key| template?.get(*key)?.as_str());
        let text = text.ok_or(PlanFault::NoReference)?;
        Reference::parse(text).ok_or_else(|| PlanFault::Reference(text.to_owned()))
    }

    /// Reads one.
    pub fn parse(text: &str) -> Option<Reference> {
        let rest = text.trim().strip_prefix("spinnaker://")?;
        let (id, version) = if let Some((id, digest)) = rest.split_once('@') {
            (id, Version { tag: None, digest: Some(digest.to_owned()).filter(|d| !d.is_empty()) })
        } else if let Some((id, tag)) = rest.split_once(':') {
            (id, Version::tagged(Some(tag)))
        } else {
            (rest, Version::default())
        };
        (!id.is_empty()).then(|| Reference { id: id.to_owned(), version })
    }
}

/// Whether a value is the text of a reference.
pub(super) fn id_of(config: &Map) -> Value {
    Reference::of(config).map_or(Value::Null, |reference| Value::String(reference.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_an_id_and_perhaps_a_version() {
        for (text, id, key) in [
            ("spinnaker://wait", "wait", "wait"),
            ("spinnaker://wait:stable", "wait", "wait:stable"),
            ("spinnaker://wait@sha256:ab", "wait", "wait@sha256:ab"),
        ] {
            let reference = Reference::parse(text).expect("it is one");
            assert_eq!((reference.id.as_str(), reference.version.key(id)), (id, key.to_owned()));
        }
        for text in ["", "spinnaker://", "http://example.org/t.json", "wait"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
