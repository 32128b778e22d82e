//! One case of the fuzzer of queries: any text is a query or is refused, and a query that tells names means nothing without them.

use debian::control::parse_one;
use debian::package::{Kind, Package, PackageFile};
use debian::query;
use debian::stanza::Stanza;
use debian::sums::Sums;

const PACKAGES: [&str; 3] = [
    "Package: app\nVersion: 1:2.0-1\nArchitecture: amd64\nSection: net\nProvides: httpd, mta (= 3)\nDepends: libc6\n",
    "Package: a\nVersion: 0\nArchitecture: all\n",
    "Package: lib.x+y\nVersion: 1~rc1\nArchitecture: i386\nSource: x (2)\nProvides: a\n",
];

/// Asks `data` about a few packages.
pub fn one(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(query) = query::parse(text) else { return };
    let names = query.names();
    for package in PACKAGES {
        let stanza = Stanza::from_paragraph(&parse_one(package.as_bytes()).expect("a stanza"));
        let file = PackageFile { name: "x.deb".into(), sums: Sums::of(b"") };
        let package = Package::binary(stanza, Kind::Deb, file).expect("a package");
        if !query.matches(&package) {
            continue;
        }
        if let Some(names) = &names {
            let fields: Vec<String> = package.stanza.fields().map(|(_, value)| value.to_owned()).collect();
            let told = names.iter().any(|name| fields.iter().any(|value| value.contains(name)));
            assert!(told, "{} is meant by {text:?}, whose names are {names:?}", package.key);
        }
    }
}
