//! Methods of lists, sets and objects: what looks, not what changes.

use std::rc::Rc;

use super::{Outcome, int};
use crate::convert::Args;
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::operators::{contains_all, position, same};
use crate::value::{List, Map, Value};

pub(super) fn list<'a>(items: &List<'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("indexOf", [item]) => position(items, item, args.cost).map(|at| Value::int(at.map_or(-1, |at| at as i32))),
        ("lastIndexOf", [item]) => last_position(items, item, args).map(|at| Value::int(at.map_or(-1, |at| at as i32))),
        ("subList", [_, _]) => part(items, args),
        _ => return set(items, name, args),
    })
}

pub(super) fn set<'a>(items: &List<'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("size", []) => int(items.len()),
        ("isEmpty", []) => Ok(Value::Bool(items.is_empty())),
        ("contains", [item]) => position(items, item, args.cost).map(|at| Value::Bool(at.is_some())),
        ("containsAll", [_]) => {
            args.list(0).and_then(|wanted| contains_all(items, &wanted, args.cost)).map(Value::Bool)
        }
        _ => return None,
    })
}

fn last_position(items: &List, item: &Value, args: Args) -> Result<Option<usize>, Failure> {
    for at in (0..items.len()).rev() {
        if same(&items.get(at).unwrap_or(Value::Null), item, args.cost)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn part<'a>(items: &List<'a>, args: Args<'_, 'a>) -> Outcome<'a> {
    let (from, to) = (args.int(0)?, args.int(1)?);
    let bounds =
        usize::try_from(from).ok().zip(usize::try_from(to).ok()).filter(|(from, to)| from <= to && *to <= items.len());
    let (from, to) = bounds
        .ok_or_else(|| Failure::new(format!("the list of {} elements has no part from {from} to {to}", items.len())))?;
    args.cost.steps(to - from)?;
    Ok(Value::List((from..to).filter_map(|at| items.get(at)).collect()))
}

pub(super) fn map<'a>(
    run: &Evaluation<'_, 'a>,
    members: &Map<'a>,
    name: &str,
    args: Args<'_, 'a>,
) -> Option<Outcome<'a>> {
    if !matches!(name, "size" | "isEmpty") && run.cost.steps(members.len()).is_err() {
        return Some(Err(Failure::budget("the evaluation takes too many steps")));
    }
    Some(match (name, args.all) {
        ("size", []) => int(members.len()),
        ("isEmpty", []) => Ok(Value::Bool(members.is_empty())),
        ("containsKey", [key]) => run.key(key).map(|key| Value::Bool(members.get_key(&key).is_some())),
        ("containsValue", [value]) => {
            let values: List = members.iter().map(|(_, value)| value).collect();
            position(&values, value, args.cost).map(|at| Value::Bool(at.is_some()))
        }
        ("keySet", []) => Ok(Value::Set(members.iter().map(|(key, _)| key.to_value()).collect())),
        ("values", []) => Ok(Value::List(members.iter().map(|(_, value)| value).collect())),
        ("entrySet", []) => {
            Ok(Value::Set(members.iter().map(|(key, value)| Value::Entry(Rc::new((key.to_value(), value)))).collect()))
        }
        _ => return None,
    })
}
