//! The rules for what waits for what: each stage has its own `refId`, requires stages that are there, and no circle.

use std::collections::HashMap;

use serde_json::Value;

use super::about::{About, list};
use super::finding::{At, Findings, shortened};
use super::shape::is_open;
use super::words::nearest;
use crate::start;

/// A `refId` or requisite as a text; numbers count.
pub fn reference(value: Option<&Value>) -> Option<String> {
    start::reference(value).filter(|name| !name.is_empty())
}

/// Checks the references of all stages.
pub(super) fn all(about: &About, at: &At, findings: &mut Findings) {
    let at = at.key("stages");
    let stages: Vec<&Value> = list(about.pipeline, "stages").map(|(_, s)| s).collect();
    let own: Vec<Option<String>> = stages.iter().map(|s| reference(s.get("refId"))).collect();
    if own.iter().all(Option::is_none) {
        return in_line(&stages, &at, findings);
    }
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (i, reference) in own.iter().enumerate() {
        let here = at.item(i);
        let here = here.key("refId");
        match reference {
            None if stages[i].is_object() => {
                findings.error(
                    &here,
                    "refId is missing, though other stages have one",
                    "give every stage its own, or none",
                );
            }
            None => {}
            Some(reference) => {
                if let Some(other) = first.get(reference.as_str()) {
                    let message = format!("\"{}\" is the refId of stages[{other}], too", shortened(reference, 60));
                    findings.error(&here, message, "each stage needs its own");
                } else {
                    first.insert(reference, i);
                }
            }
        }
    }
    let known: Vec<&str> = first.keys().copied().collect();
    let mut requires: Vec<Vec<usize>> = vec![Vec::new(); stages.len()];
    for (i, stage) in stages.iter().enumerate() {
        let (here, name) = (at.item(i), "requisiteStageRefIds");
        let here = here.key(name);
        for (j, one) in stage.get(name).and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Some(one) = reference(Some(one)).filter(|one| !is_open(one)) else { continue };
            match first.get(one.as_str()) {
                Some(_) if own[i].as_deref() == Some(one.as_str()) => {
                    findings.error(&here.item(j), "a stage cannot wait for itself", "take this entry away");
                }
                Some(other) => requires[i].push(*other),
                None => {
                    // Among very many a near one says little.
                    let help = nearest(&one, known.iter().copied().take(500)).map(|m| format!("did you mean \"{m}\"?"));
                    let message = format!("there is no stage with the refId \"{}\"", shortened(&one, 60));
                    findings.add(about.absent(), &here.item(j), message, help.unwrap_or_default());
                }
            }
        }
    }
    for circle in circles(&requires) {
        let names: Vec<String> =
            circle.iter().map(|i| own[*i].clone().unwrap_or_default()).map(|r| shortened(&r, 30)).collect();
        let shown = if names.len() > 8 {
            format!("{} … {}", names[..6].join(" → "), names[0])
        } else {
            format!("{} → {}", names.join(" → "), names[0])
        };
        let here = at.item(circle[0]);
        let message = format!("these stages wait for each other in a circle: {shown}");
        findings.error(&here.key("requisiteStageRefIds"), message, "take one of these requisites away");
    }
}

fn in_line(stages: &[&Value], at: &At, findings: &mut Findings) {
    for (i, stage) in stages.iter().enumerate() {
        let some = stage.get("requisiteStageRefIds").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if some {
            let here = at.item(i);
            let message = "is not looked at, because no stage has a refId: they run one after the other";
            findings.warning(&here.key("requisiteStageRefIds"), message, "give every stage its refId");
        }
    }
}

/// One circle of each knot: found without recursion, each stage looked at once.
pub fn circles(requires: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut state = vec![0u8; requires.len()];
    let mut found = Vec::new();
    for start in 0..requires.len() {
        if state[start] != 0 {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        state[start] = 1;
        while let Some((at, next)) = path.last_mut() {
            let Some(other) = requires[*at].get(*next).copied() else {
                state[*at] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            match state[other] {
                0 => {
                    state[other] = 1;
                    path.push((other, 0));
                }
                1 => {
                    let begin = path.iter().position(|(i, _)| *i == other).unwrap_or(0);
                    let mut circle: Vec<usize> = path[begin..].iter().map(|(i, _)| *i).collect();
                    let least = circle.iter().enumerate().min_by_key(|(_, i)| **i).map_or(0, |(at, _)| at);
                    circle.rotate_left(least);
                    found.push(circle);
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn a_circle_begins_with_its_first_stage() {
        assert_eq!(circles(&[vec![], vec![0, 3], vec![1], vec![2]]), [[1, 3, 2]]);
        assert_eq!(circles(&[vec![], vec![0], vec![0, 1], vec![1, 2]]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_hundred_thousand_in_a_line_are_looked_through() {
        let line: Vec<Vec<usize>> = (0..100_000).map(|i| if i + 1 < 100_000 { vec![i + 1] } else { vec![] }).collect();
        assert!(circles(&line).is_empty());
    }
}
