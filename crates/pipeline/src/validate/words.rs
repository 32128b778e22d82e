//! Which known word a mistyped one was meant to be.

/// The nearest of `known`, when it is near enough to be meant.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > 80 {
        return None;
    }
    let small = word.to_lowercase();
    let length = small.chars().count();
    let mut best: Option<(usize, &str)> = None;
    for one in known {
        let other = one.to_lowercase();
        if other == small && one != word {
            return Some(one);
        }
        // A short word is near to every other short one.
        let most = match length.min(other.chars().count()) {
            0..3 => 0,
            3..8 => 1,
            _ => 2,
        };
        let far = distance(&small, &other, most);
        if far > 0 && far <= most && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, one));
        }
    }
    best.map(|(_, one)| one)
}

/// How many characters must be put in, taken out, replaced or swapped with their neighbour; more than `most` need not be exact.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_fingers_is_understood_and_another_word_is_not() {
        let known = ["wait", "webhook", "manualJudgment", "pipeline", "bake"];
        let check = |word: &str, expect: Option<&str>| assert_eq!(nearest(word, known), expect, "{word}");
        check("wiat", Some("wait"));
        check("Wait", Some("wait"));
        check("manualJudgement", Some("manualJudgment"));
        check("webhok", Some("webhook"));
        check("jake", Some("bake"));
        check("myPluginStage", None);
        check("wait", None);
        assert_eq!(nearest("4", ["1", "2"]), None);
        check(&"x".repeat(100_000), None);
    }
}
