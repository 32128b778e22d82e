//! What is different between two saved states: a small unified diff of their JSON.

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// Lines of context around a change.
const AROUND: usize = 3;
/// More lines than this are compared as a whole: the table of a diff grows with their product.
const MOST: usize = 5_000;

/// `3` is the change of state 3, `1..3` that from 1 to 3.
pub fn range(text: &str) -> anyhow::Result<(i64, i64)> {
    let number = |text: &str| text.trim().parse::<i64>().ok().filter(|n| *n >= 0);
    let range = match text.split_once("..") {
        Some((from, to)) => number(from).zip(number(to)),
        None => number(text).filter(|n| *n > 0).map(|n| (n - 1, n)),
    };
    range.with_context(|| format!("--diff {text} is no number of a state; write 3, or 1..3"))
}

/// The lines of the diff.
pub fn unified(before: &Value, after: &Value, from: i64, to: i64) -> anyhow::Result<Vec<String>> {
    let (old, new) = (lines(before)?, lines(after)?);
    if old.len() > MOST || new.len() > MOST {
        bail!("the states are too long to be compared here: {} and {} lines", old.len(), new.len());
    }
    let steps = steps(&old, &new);
    let mut out = vec![format!("--- revision {from}"), format!("+++ revision {to}")];
    let changed: Vec<usize> = (0..steps.len()).filter(|i| steps[*i].0 != ' ').collect();
    let mut at = 0;
    while at < changed.len() {
        let first = changed[at].saturating_sub(AROUND);
        let mut last = at;
        while last + 1 < changed.len() && changed[last + 1] <= changed[last] + 2 * AROUND {
            last += 1;
        }
        let end = (changed[last] + AROUND + 1).min(steps.len());
        let lines_before = |sign: char, until: usize| steps[..until].iter().filter(|(s, _)| *s != sign).count();
        let (a, b) = (lines_before('+', first) + 1, lines_before('-', first) + 1);
        let (m, n) = (lines_before('+', end) + 1 - a, lines_before('-', end) + 1 - b);
        out.push(format!("@@ -{a},{m} +{b},{n} @@"));
        out.extend(steps[first..end].iter().map(|(sign, line)| format!("{sign}{line}")));
        at = last + 1;
    }
    Ok(out)
}

/// The JSON without the server's keys, sorted, in lines.
fn lines(state: &Value) -> anyhow::Result<Vec<String>> {
    let mut bare = state.as_object().cloned().unwrap_or_default();
    for key in ["updateTs", "lastModifiedBy", "revision", "deleted", "createTs", "digest"] {
        bare.shift_remove(key);
    }
    if bare.is_empty() {
        return Ok(Vec::new());
    }
    let text = serde_json::to_string_pretty(&sorted(&Value::Object(bare)))?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&map[key]))).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The shortest way from one text to the other: lines that stay, go and come.
fn steps<'a>(old: &'a [String], new: &'a [String]) -> Vec<(char, &'a str)> {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i].as_str()));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1] {
            out.push(('-', old[i].as_str()));
            i += 1;
        } else {
            out.push(('+', new[j].as_str()));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_shown_with_what_stands_around_it() {
        let before = json!({"name": "p", "stages": [], "a": 1, "b": 2, "c": 3, "updateTs": "1"});
        let after = json!({"name": "p", "stages": [], "a": 1, "b": 2, "c": 4, "updateTs": "2"});
        let lines = unified(&before, &after, 1, 2).expect("compared");
        let expected = [
            "--- revision 1",
            "+++ revision 2",
            "@@ -1,7 +1,7 @@",
            " {",
            "   \"a\": 1,",
            "   \"b\": 2,",
            "-  \"c\": 3,",
            "+  \"c\": 4,",
            "   \"name\": \"p\",",
            "   \"stages\": []",
            " }",
        ];
        assert_eq!(lines, expected);
        assert_eq!(unified(&before, &before, 1, 2).expect("compared").len(), 2);
    }

    #[test]
    fn states_are_named_by_one_or_two_numbers() {
        assert_eq!(range("3").expect("one"), (2, 3));
        assert_eq!(range("1..3").expect("two"), (1, 3));
        for text in ["", "0", "x", "1..", "-1..2"] {
            assert!(range(text).is_err(), "{text}");
        }
    }
}
