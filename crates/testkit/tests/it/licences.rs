//! What the lock file may hold: crates from the registry only, under licences that go with Apache-2.0, and no second TLS or date crate.

use crate::metadata;

const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

/// Each has a reason: a second large C build, the system's OpenSSL, or a company's own certificate authority ignored.
const BANNED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls", "webpki-roots"];

/// True when an SPDX expression can be met with the licences above: one side of every `OR`, both of every `AND`.
fn permitted(expression: &str) -> bool {
    let plain = expression.replace('/', " OR ").replace(['(', ')'], " ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn licences_and_sources_are_the_permitted_ones() {
    let metadata = metadata::ask(&["--filter-platform=x86_64-unknown-linux-gnu"]);
    let mut wrong = Vec::new();
    let packages = metadata["packages"].as_array().expect("packages");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let version = package["version"].as_str().expect("a version");
        let licence = package["license"].as_str().unwrap_or("none named");
        if !permitted(licence) {
            wrong.push(format!("{name} {version}: licence {licence}"));
        }
        if BANNED.contains(&name) {
            wrong.push(format!("{name} {version} is banned"));
        }
        if let Some(source) = package["source"].as_str()
            && !source.starts_with("registry+")
        {
            wrong.push(format!("{name} {version} comes from {source}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(packages.len() > 50, "cargo metadata shows {} packages only", packages.len());
}

#[test]
fn a_choice_of_licences_is_met_by_one_side() {
    assert!(permitted("MIT OR GPL-3.0-only"));
    assert!(permitted("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!permitted("MIT AND GPL-2.0-only"));
    assert!(!permitted("LGPL-2.1-or-later"));
}
