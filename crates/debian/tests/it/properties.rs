//! What holds for every input.

use debian::package::Key;
use debian::{control, deb, query, relation, source, version};
use proptest::prelude::*;

proptest! {
    #[test]
    fn versions_are_totally_ordered(a in "[0-9a-z.+~:-]{1,12}", b in "[0-9a-z.+~:-]{1,12}", c in "[0-9a-z.+~:-]{1,12}") {
        prop_assert_eq!(version::compare(&a, &b), version::compare(&b, &a).reverse());
        if version::compare(&a, &b).is_le() && version::compare(&b, &c).is_le() {
            prop_assert!(version::compare(&a, &c).is_le());
        }
    }

    #[test]
    fn what_a_control_file_gives_renders_as_the_same_number_of_fields(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(paragraph) = control::parse_one(&bytes) {
            let stanza = debian::stanza::Stanza::from_paragraph(&paragraph);
            let mut text = String::new();
            stanza.render(&debian::stanza::BINARY_ORDER, &mut text);
            if !text.is_empty() {
                let again = control::parse_one(text.as_bytes()).unwrap();
                prop_assert_eq!(again.fields.len(), stanza.fields().count());
            }
        }
    }

    #[test]
    fn no_parser_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600), text in ".{0,80}") {
        let _ = deb::read(&bytes[..]);
        let _ = deb::contents(&bytes[..]);
        let _ = source::read(&bytes);
        let _ = query::parse(&text);
        let _ = relation::alternatives(&text);
        let _ = Key::parse(&text);
    }

    #[test]
    fn a_damaged_package_is_refused_or_read_but_never_more(at in 0usize..1000, byte in any::<u8>()) {
        let mut bytes = crate::packages::hello().build().unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = deb::read(&bytes[..]);
        let _ = deb::contents(&bytes[..]);
    }
}
