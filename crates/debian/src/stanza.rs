//! Stanzas that are kept: fields with aptly's spelling of their names, in the order in which aptly writes them.
//!
//! A [`Stanza`] is made from a checked [`Paragraph`] and never holds a value from which another field or paragraph
//! could grow; rendering it needs no further escaping.

use crate::control::Paragraph;

/// Fields whose further lines mean something; all others are folded into one line.
const MULTILINE: [&str; 10] = [
    "Description",
    "Files",
    "Changes",
    "Checksums-Sha1",
    "Checksums-Sha256",
    "Checksums-Sha512",
    "Package-List",
    "MD5Sum",
    "SHA1",
    "SHA256",
];

/// The order of the fields of a binary package in an index.
pub const BINARY_ORDER: [&str; 28] = [
    "Package",
    "Essential",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Maintainer",
    "Original-Maintainer",
    "Architecture",
    "Source",
    "Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Conflicts",
    "Breaks",
    "Conffiles",
    "Filename",
    "Size",
    "MD5Sum",
    "MD5sum",
    "SHA1",
    "SHA256",
    "SHA512",
    "Description",
];

/// The order of the fields of a source package in an index.
pub const SOURCE_ORDER: [&str; 17] = [
    "Package",
    "Source",
    "Binary",
    "Version",
    "Priority",
    "Section",
    "Maintainer",
    "Original-Maintainer",
    "Build-Depends",
    "Build-Depends-Indep",
    "Build-Conflicts",
    "Build-Conflicts-Indep",
    "Architecture",
    "Standards-Version",
    "Format",
    "Directory",
    "Files",
];

/// The order of the fields of a Release file.
pub const RELEASE_ORDER: [&str; 18] = [
    "Origin",
    "Label",
    "Suite",
    "Version",
    "Codename",
    "Date",
    "Valid-Until",
    "NotAutomatic",
    "ButAutomaticUpgrades",
    "Acquire-By-Hash",
    "Signed-By",
    "Architectures",
    "Components",
    "Description",
    "MD5Sum",
    "SHA1",
    "SHA256",
    "SHA512",
];

/// Fields by name; values as they are written after `Name: ` (further lines with their leading blank).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stanza {
    fields: Vec<(String, String)>,
}

impl Stanza {
    /// The fields of `paragraph`, names in aptly's spelling, one-line fields folded; empty ones are left out.
    pub fn from_paragraph(paragraph: &Paragraph<'_>) -> Stanza {
        let mut stanza = Stanza::default();
        for field in &paragraph.fields {
            let name = canonical_name(field.name);
            let value = if MULTILINE.contains(&name.as_str()) { field.value.to_owned() } else { folded(field.value) };
            stanza.set(&name, value);
        }
        stanza
    }

    /// The value of the field with exactly this name; the empty text when it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Sets a field; an empty value removes it.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.remove(name);
        } else if let Some(field) = self.fields.iter_mut().find(|(known, _)| known == name) {
            field.1 = value;
        } else {
            self.fields.push((name.to_owned(), value));
        }
    }

    /// Removes a field and gives what it held.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.fields.iter().position(|(known, _)| known == name)?;
        Some(self.fields.remove(at).1)
    }

    /// All fields, in the order in which they were set.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Writes the stanza without the blank line after it: the fields of `order` first, the others by name.
    pub fn render(&self, order: &[&str], into: &mut String) {
        for name in order {
            if let Some((_, value)) = self.fields.iter().find(|(known, _)| known == name) {
                render_field(name, value, into);
            }
        }
        let mut others: Vec<_> = self.fields.iter().filter(|(name, _)| !order.contains(&name.as_str())).collect();
        others.sort();
        for (name, value) in others {
            render_field(name, value, into);
        }
    }
}

fn render_field(name: &str, value: &str, into: &mut String) {
    into.push_str(name);
    into.push(':');
    if !value.starts_with('\n') {
        into.push(' ');
    }
    into.push_str(value);
    into.push('\n');
}

/// One line with single blanks where the lines of `value` met.
fn folded(value: &str) -> String {
    if !value.contains('\n') {
        return value.to_owned();
    }
    value
        .lines()
        .map(|line| line.trim_matches([' ', '\t']))
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Each part between hyphens with a capital first; a few names have a spelling of their own.
pub fn canonical_name(name: &str) -> String {
    const OWN: [&str; 6] = ["SHA1", "SHA256", "SHA512", "MD5Sum", "NotAutomatic", "ButAutomaticUpgrades"];
    if let Some(own) = OWN.iter().find(|own| own.eq_ignore_ascii_case(name)) {
        return (*own).to_owned();
    }
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map_or(String::new(), |first| {
            first.to_ascii_uppercase().to_string() + &letters.as_str().to_ascii_lowercase()
        })
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::parse_one;

    #[test]
    fn names_get_aptlys_spelling_and_folded_values_one_line() {
        let text = b"package: x\nDEPENDS: a,\n b,\n  c\ndescription: short\n long\nsha256: aa\nx-foo-BAR: 1\nEmpty:\n";
        let stanza = Stanza::from_paragraph(&parse_one(text).unwrap());
        let fields: Vec<_> = stanza.fields().collect();
        assert_eq!(
            fields,
            [
                ("Package", "x"),
                ("Depends", "a, b, c"),
                ("Description", "short\n long"),
                ("SHA256", "aa"),
                ("X-Foo-Bar", "1")
            ]
        );
    }

    #[test]
    fn rendering_puts_known_fields_first_and_the_rest_by_name() {
        let mut stanza = Stanza::default();
        for (name, value) in
            [("Zeta", "1"), ("Description", "d\n more"), ("Alpha", "2"), ("Package", "p"), ("Files", "\n a")]
        {
            stanza.set(name, value);
        }
        let mut text = String::new();
        stanza.render(&BINARY_ORDER, &mut text);
        assert_eq!(text, "Package: p\nDescription: d\n more\nAlpha: 2\nFiles:\n a\nZeta: 1\n");
    }
}
