//! Versions: their grammar and their order, the same as dpkg's.

use std::cmp::Ordering;

/// The three parts of a version: epoch, upstream, revision. A missing epoch is `0`, a missing revision is empty.
fn parts(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Compares two versions as `dpkg --compare-versions` does.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    numbers(a.0, b.0).then_with(|| runs(a.1, b.1)).then_with(|| runs(a.2, b.2))
}

/// Compares two runs of digits as numbers of any length.
fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Where a character sorts within a run of non-digits: `~` before the end, the end before letters, letters before the rest.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    }
}

/// Compares one part: runs of non-digits and runs of digits by turns.
fn runs(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = a.split_at(a.find(|c: char| c.is_ascii_digit()).unwrap_or(a.len()));
        let (text_b, rest_b) = b.split_at(b.find(|c: char| c.is_ascii_digit()).unwrap_or(b.len()));
        for at in 0..text_a.len().max(text_b.len()) {
            let order = weight(text_a.as_bytes().get(at).copied()).cmp(&weight(text_b.as_bytes().get(at).copied()));
            if order != Ordering::Equal {
                return order;
            }
        }
        let (digits_a, next_a) = rest_a.split_at(rest_a.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest_a.len()));
        let (digits_b, next_b) = rest_b.split_at(rest_b.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest_b.len()));
        let order = numbers(digits_a, digits_b);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (next_a, next_b);
    }
    Ordering::Equal
}

/// Whether `version` has the grammar of a version: an epoch of digits if any, then letters, digits and `. + ~ - :`.
pub fn is_version(version: &str) -> bool {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    !rest.is_empty()
        && version.len() <= 256
        && !epoch.is_empty()
        && epoch.len() <= 9
        && epoch.bytes().all(|byte| byte.is_ascii_digit())
        && rest.as_bytes()[0].is_ascii_alphanumeric()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-:_".contains(&byte))
}

/// How a version is asked for: `<<`, `<=`, `=`, `>=`, `>>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `<<`: strictly earlier.
    Less,
    /// `<=`: earlier or equal.
    LessOrEqual,
    /// `=`: equal.
    Equal,
    /// `>=`: later or equal.
    GreaterOrEqual,
    /// `>>`: strictly later.
    Greater,
}

impl Relation {
    /// Whether `version` stands in this relation to `bound`.
    pub fn holds(self, version: &str, bound: &str) -> bool {
        let order = compare(version, bound);
        match self {
            Relation::Less => order == Ordering::Less,
            Relation::LessOrEqual => order != Ordering::Greater,
            Relation::Equal => order == Ordering::Equal,
            Relation::GreaterOrEqual => order != Ordering::Less,
            Relation::Greater => order == Ordering::Greater,
        }
    }

    /// The relation that `sign` writes; the historic `<` and `>` mean `<=` and `>=`.
    pub fn of(sign: &str) -> Option<Relation> {
        Some(match sign {
            "<<" => Relation::Less,
            "<=" | "<" => Relation::LessOrEqual,
            "=" | "==" => Relation::Equal,
            ">=" | ">" => Relation::GreaterOrEqual,
            ">>" => Relation::Greater,
            _ => return None,
        })
    }

    /// The sign of this relation.
    pub fn sign(self) -> &'static str {
        match self {
            Relation::Less => "<<",
            Relation::LessOrEqual => "<=",
            Relation::Equal => "=",
            Relation::GreaterOrEqual => ">=",
            Relation::Greater => ">>",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        let rising = [
            "0~~",
            "0~",
            "0",
            "0.0",
            "0.1~rc1",
            "0.1",
            "0.1-1",
            "0.1-1.1",
            "0.1-10",
            "0.1a",
            "0.1+b1",
            "0.2",
            "0.10",
            "1.0~beta1~svn1245",
            "1.0~beta1",
            "1.0",
            "1.0-1-1",
            "1.0.1",
            "2a",
            "10",
            "1:0.1",
            "2:0",
        ];
        for (at, low) in rising.iter().enumerate() {
            assert_eq!(compare(low, low), Ordering::Equal, "{low}");
            for high in &rising[at + 1..] {
                assert_eq!(compare(low, high), Ordering::Less, "{low} < {high}");
                assert_eq!(compare(high, low), Ordering::Greater, "{high} > {low}");
            }
        }
    }

    #[test]
    fn different_spellings_of_one_version_are_equal() {
        for (a, b) in [
            ("1.0", "0:1.0"),
            ("1.0", "1.0-0"),
            ("1.00", "1.0"),
            ("1.0-01", "1.0-1"),
            ("99999999999999999999", "099999999999999999999"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} = {b}");
        }
    }

    #[test]
    fn the_grammar_refuses_what_could_become_a_path() {
        for good in ["1.0", "1:2.3-4", "0~git20200101+ds-1", "1.49.0.1", "20260101"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", ":1", "1/0", "..", "1.0 ", "a:1", "-1", "1:", "1\n", "%2e"] {
            assert!(!is_version(bad), "{bad:?}");
        }
    }

    #[test]
    fn relations_hold() {
        assert!(Relation::Less.holds("1.0~", "1.0"));
        assert!(Relation::of("<").unwrap().holds("1.0", "1.0"));
        assert!(!Relation::Greater.holds("1.0", "1.0-0"));
        assert!(Relation::GreaterOrEqual.holds("1.0-0", "1.0"));
    }
}
