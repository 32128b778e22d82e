//! The text behind an artifact, for stages that read one: embedded in it, or to be fetched from an address that the configuration allows.

use base64::Engine as _;
use events::outgoing::{Call, Outgoing};
use serde_json::Value;

/// The text, or why there is none.
pub(crate) async fn read(outgoing: &Outgoing, artifact: &Value) -> Result<String, String> {
    let text = |key: &str| artifact.get(key).and_then(Value::as_str).unwrap_or("");
    let (kind, reference) = (text("type"), text("reference"));
    match kind {
        "embedded/base64" | "remote/base64" => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(reference.trim());
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| format!("the artifact '{}' is no text in base64", text_name(artifact)))
        }
        "http/file" => {
            let call = Call { url: reference.to_owned(), ..Call::default() };
            let answer = outgoing.call(call).await.map_err(|error| error.to_string())?;
            if !answer.status.is_success() {
                return Err(format!("the artifact '{}' cannot be fetched: {}", text_name(artifact), answer.status));
            }
            String::from_utf8(answer.body.into())
                .map_err(|_| format!("the artifact '{}' is no text", text_name(artifact)))
        }
        other => Err(format!("an artifact of type '{other}' cannot be read here; embedded/base64 and http/file can")),
    }
}

fn text_name(artifact: &Value) -> &str {
    artifact.get("name").and_then(Value::as_str).unwrap_or("without a name")
}
