//! One case of the fuzzer of control files: any bytes are paragraphs or are refused; what is a package is rendered, and read back the same.

use debian::control;
use debian::package::{Kind, Package, PackageFile};
use debian::relation;
use debian::stanza::Stanza;
use debian::sums::Sums;
use debian::version;

/// Reads `data` as a control file.
pub fn one(data: &[u8]) {
    let Ok(paragraphs) = control::parse(data) else { return };
    let mut versions: Vec<String> = Vec::new();
    for paragraph in &paragraphs {
        let stanza = Stanza::from_paragraph(paragraph);
        for (_, value) in stanza.fields() {
            for part in relation::list(value) {
                let _ = relation::alternatives(part);
                let _ = relation::provided(part);
            }
        }
        versions.push(stanza.get("Version").to_owned());
        let file = PackageFile { name: "x.deb".into(), sums: Sums::of(b"x") };
        let Ok(package) = Package::binary(stanza, Kind::Deb, file) else { continue };
        let mut text = String::new();
        package.render("pool/main/x", &mut text);
        let again = control::parse_one(text.as_bytes()).expect("what is rendered can be read");
        assert_eq!(again.get("Package"), Some(package.key.name.as_str()));
        assert_eq!(again.get("Version"), Some(package.key.version.as_str()));
        assert_eq!(again.get("Filename"), Some("pool/main/x/x.deb"), "no field of the package takes its place");
    }
    for pair in versions.windows(2) {
        assert_eq!(version::compare(&pair[0], &pair[1]), version::compare(&pair[1], &pair[0]).reverse());
        assert!(version::compare(&pair[0], &pair[0]).is_eq());
    }
}
