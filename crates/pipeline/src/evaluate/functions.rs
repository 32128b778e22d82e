//! The functions that a pipeline's expressions may call, for those who ask which there are. What they do is in `expr` and in `calls`.

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name, called as `#name(…)`.
    pub name: &'static str,
    /// The names of what it takes, without the execution that some get by themselves.
    pub takes: &'static [&'static str],
    /// One sentence.
    pub about: &'static str,
}

const fn function(name: &'static str, takes: &'static [&'static str], about: &'static str) -> Function {
    Function { name, takes, about }
}

/// All of them, by name.
pub const FUNCTIONS: [Function; 33] = [
    function("alphanumerical", &["text"], "The text without anything but letters and digits."),
    function("applicationMetadata", &["application"], "The attributes of an application."),
    function("currentStage", &[], "The stage that is evaluated."),
    function("currentUser", &[], "Who the execution runs for."),
    function(
        "deployedServerGroups",
        &["stages"],
        "The server groups that stages have deployed; of all stages without names.",
    ),
    function("doNotEval", &["value"], "The value, with expressions in it left alone."),
    function("fetchReference", &["reference"], "The text of a reference."),
    function("fromBase64", &["text"], "The text behind base64."),
    function("fromUrl", &["url"], "The text at an address."),
    function("jsonFromUrl", &["url"], "The JSON at an address."),
    function("judgement", &["stage"], "What was chosen in a manual judgment."),
    function("judgment", &["stage"], "What was chosen in a manual judgment."),
    function(
        "manifestLabelValue",
        &["stage", "kind", "label"],
        "The value of a label of a manifest that a stage deployed.",
    ),
    function("pipelineId", &["name"], "The id of a pipeline of the same application."),
    function("pipelineIdInApplication", &["name", "application"], "The id of a pipeline of an application."),
    function("pipelineIdOrNull", &["name"], "The id of a pipeline of the same application, or nothing."),
    function("propertiesFromUrl", &["url"], "The properties at an address."),
    function("readAllYaml", &["text"], "All documents of a text of YAML."),
    function("readJson", &["text"], "The value of a text of JSON."),
    function("readYaml", &["text"], "The value of a text of YAML."),
    function("resolvedArtifacts", &[], "The artifacts that the trigger's expected artifacts were bound to."),
    function("secret", &["name"], "A secret of the operator's; a webhook puts it in when it is sent."),
    function("stage", &["name"], "A stage, by its name or id."),
    function("stageByRefId", &["refId"], "A stage, by its refId."),
    function("stageExists", &["name"], "Whether there is a stage of this name or id."),
    function("toBase64", &["text"], "The base64 of a text."),
    function("toBoolean", &["text"], "The truth value of a text."),
    function("toFloat", &["text"], "The number of a text, with a fraction."),
    function("toInt", &["text"], "The whole number of a text."),
    function("toJson", &["value"], "The JSON of a value."),
    function("triggerResolvedArtifact", &["name"], "An artifact of the trigger, by its name."),
    function("triggerResolvedArtifactByType", &["type"], "An artifact of the trigger, by its type."),
    function("yamlFromUrl", &["url"], "The YAML at an address."),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evaluate::{Given, process};

    #[test]
    fn each_is_known_to_the_evaluator_and_they_stand_in_order() {
        assert!(FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
        let execution = json!({"stages": [], "trigger": {}});
        for function in FUNCTIONS {
            let arguments: Vec<String> = function.takes.iter().map(|_| "'x'".to_owned()).collect();
            let text = json!(format!("${{#{}({})}}", function.name, arguments.join(", ")));
            let done = process(&execution, None, &text, false, &Given::default());
            for failed in &done.failed {
                let unknown =
                    failed.description.contains("no function") || failed.description.contains("there is no such");
                assert!(!unknown, "{}: {}", function.name, failed.description);
                assert!(!failed.description.contains("does not take"), "{}: {}", function.name, failed.description);
            }
        }
    }
}
