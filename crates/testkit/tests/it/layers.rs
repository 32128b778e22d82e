//! The house's first law: an import goes to a lower layer only, and domains do not know each other.

use std::collections::BTreeMap;

use crate::metadata;

/// Layer and crate, as ARCHITECTURE.md draws them; inside the foundations the order is `store < events < access`.
const LAYERS: &[(&str, u32)] = &[
    ("debian", 0),
    ("expr", 0),
    ("store", 10),
    ("dataplane", 10),
    ("events", 11),
    ("access", 12),
    ("apt", 20),
    ("cloud", 20),
    ("bakery", 20),
    ("pipeline", 20),
    ("stages", 30),
    ("api", 40),
    ("gennaker", 50),
];

/// What the pure crates may not even link: runtimes, networks, databases. (`debian` unpacks into a folder that it is handed, with `rustix`.)
const NOT_IN_PURE: &[&str] = &["tokio", "hyper", "reqwest", "rusqlite", "postgres", "axum", "async-trait"];

#[test]
fn imports_go_to_lower_layers_only() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let metadata = metadata::ask(&["--no-deps"]);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        if name == "testkit" {
            continue;
        }
        let Some(own) = layers.get(name) else {
            wrong.push(format!("{name} stands in no layer: add it to ARCHITECTURE.md and to this list"));
            continue;
        };
        seen += 1;
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = dependency["name"].as_str().expect("a name");
            let for_tests = dependency["kind"] == "dev";
            if other == "testkit" && !for_tests {
                wrong.push(format!("{name} imports testkit outside its tests"));
            }
            if *own < 10 && !for_tests && NOT_IN_PURE.contains(&other) {
                wrong.push(format!("{name} is pure and imports {other}"));
            }
            if let Some(layer) = layers.get(other)
                && !for_tests
                && layer >= own
            {
                wrong.push(format!("{name} (layer {own}) imports {other} (layer {layer})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, LAYERS.len(), "a crate of the list is gone from the workspace");
}

#[test]
fn the_data_plane_knows_no_store() {
    let metadata = metadata::ask(&["--no-deps"]);
    let packages = metadata["packages"].as_array().expect("packages");
    let dataplane = packages.iter().find(|package| package["name"] == "dataplane").expect("the crate");
    let imports: Vec<_> =
        dataplane["dependencies"].as_array().expect("dependencies").iter().map(|d| d["name"].clone()).collect();
    assert!(
        !imports.iter().any(|name| name == "store"),
        "it must outlive the control plane and its database: {imports:?}"
    );
}
