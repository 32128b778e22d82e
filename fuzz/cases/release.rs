//! One case of the fuzzer of signed texts: `Release`, `.dsc` and `.changes` with and without armour.

use debian::release::Listing;
use debian::{signed, source};

/// Reads `data` as each of them.
pub fn one(data: &[u8]) {
    let _ = source::read(data);
    let Ok(message) = signed::strip(data) else { return };
    if message.signed {
        assert!(!message.text.contains("-----BEGIN PGP SIGNATURE-----\n\n"), "what signs is not what is signed");
    }
    let Ok(listing) = Listing::parse(&message.text) else { return };
    for (path, file) in &listing.files {
        assert!(!path.is_empty() && !path.contains(char::is_whitespace), "{path:?}");
        let sums = [&file.md5, &file.sha1, &file.sha256, &file.sha512];
        assert!(sums.iter().any(|sum| !sum.is_empty()), "{path:?} is listed with a sum");
    }
}
