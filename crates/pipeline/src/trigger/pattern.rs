//! Regular expressions of triggers: in linear time, of bounded size. One that cannot be read fits nothing.

use regex::{Regex, RegexBuilder};

/// Longer ones are not read.
const LONGEST: usize = 4096;
/// How large one may become when it is compiled, in bytes.
const LARGEST: usize = 1 << 20;

/// Whether the expression occurs in the text.
pub(crate) fn find(pattern: &str, text: &str) -> bool {
    compiled(pattern).is_some_and(|regex| regex.is_match(text))
}

/// Whether the expression fits the whole text.
pub(crate) fn whole(pattern: &str, text: &str) -> bool {
    compiled(pattern).is_some() && compiled(&format!("^(?:{pattern})$")).is_some_and(|regex| regex.is_match(text))
}

fn compiled(pattern: &str) -> Option<Regex> {
    if pattern.len() > LONGEST {
        return None;
    }
    RegexBuilder::new(pattern).size_limit(LARGEST).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_or_the_whole() {
        for (pattern, text, part, all) in [
            ("b.*p", "boooop", true, true),
            ("b.*p", "a boooop!", true, false),
            ("main|release/.*", "release/7", true, true),
            ("main|release/.*", "maintenance", true, false),
            ("", "x", true, false),
            ("(", "(", false, false),
            ("a)|(b", "b", false, false),
        ] {
            assert_eq!((find(pattern, text), whole(pattern, text)), (part, all), "{pattern} in {text}");
        }
    }
}
