//! The OpenAPI document: what it says of the whole; the paths come from the handlers.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{House, server};

/// The head of the document.
#[derive(OpenApi)]
#[openapi(info(
    title = "Gennaker",
    description = "From a package to traffic: repositories, images, pipelines, deployments. Paths at the root have the shapes of Spinnaker's Gate; what \
                   only the page needs is under /ui-api.",
    license(name = "Apache-2.0")
))]
struct Head;

/// An empty router with the head of the document.
pub(crate) fn router() -> OpenApiRouter<House> {
    OpenApiRouter::with_openapi(Head::openapi())
}

/// The document as pretty JSON with a line break at the end, the same for the same program.
pub fn document() -> Result<String, serde_json::Error> {
    let mut document = server::document();
    name_operations(&mut document);
    document.to_pretty_json().map(|text| text + "\n")
}

/// Names each operation by its method and path: handlers of different files share names, and generated clients need them apart.
fn name_operations(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let place: Vec<&str> = path.split(['/', '{', '}', '-', '.']).filter(|part| !part.is_empty()).collect();
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}_{}", place.join("_")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document: serde_json::Value =
            serde_json::from_str(&document().expect("written")).expect("the document is JSON");
        let mut names: Vec<&str> = document["paths"]
            .as_object()
            .expect("paths")
            .values()
            .flat_map(|item| item.as_object().expect("methods").values())
            .filter_map(|operation| operation["operationId"].as_str())
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(all > 20);
        assert_eq!(names.len(), all, "names of operations are used twice");
    }
}
