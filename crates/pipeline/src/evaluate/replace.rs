//! What happens to a text before it is parsed: functions that need the execution get it as their first argument, and how failures are named.

/// The functions that get `#root.execution` by replacement.
const EXECUTION_AWARE: [&str; 14] = [
    "stage",
    "stageByRefId",
    "stageExists",
    "judgment",
    "judgement",
    "deployedServerGroups",
    "manifestLabelValue",
    "triggerResolvedArtifact",
    "triggerResolvedArtifactByType",
    "resolvedArtifacts",
    "pipelineId",
    "pipelineIdOrNull",
    "pipelineIdInApplication",
    "canaryConfigNameToId",
];

/// A word that stands for a function without `#` and brackets.
const BARE: &str = "deployedServerGroups";

/// The text as it is parsed. The replacement knows no quotes and no `${ }`.
pub(super) fn prepared(text: &str) -> String {
    let mut result = text.to_owned();
    if !result.contains('#') && !result.contains(BARE) {
        return result;
    }
    for function in EXECUTION_AWARE {
        let called = format!("#{function}(");
        let already = format!("#{function}( #root.execution, ");
        if result.contains(&called) && !result.contains(&already) {
            result = result.replace(&called, &already);
        }
    }
    if result.contains(BARE) && !result.contains(&format!("#{BARE}")) {
        result = result.replace(BARE, &format!("#{BARE}( #root.execution)"));
    }
    result
}

/// How a text that could not be parsed is named: its inside if it is one line and one expression, else the text without any `$`.
pub(super) fn unparsed_name(text: &str) -> String {
    let one =
        text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|inside| !inside.contains(['\n', '\r']));
    match one {
        Some(inside) => inside.trim_matches(|c: char| c <= ' ').to_owned(),
        None => text.replace('$', ""),
    }
}
