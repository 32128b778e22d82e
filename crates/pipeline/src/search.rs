//! Executions looked for by what started them. The newest come first; what can be told from a row's columns is told by the store, the rest from
//! the trigger, read without the stages.

use serde::Deserialize;
use serde_json::Value;
use store::{StoreError, Tx, Value as Sql};

use crate::model::Status;
use crate::trigger::pattern;
use crate::{Map, Trigger};

/// Rows that are read at once.
const PAGE: usize = 500;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Of this application; none means of all.
    pub application: Option<String>,
    /// Of a pipeline with this name.
    pub name: Option<String>,
    /// With one of these; empty means any.
    pub statuses: Vec<Status>,
    /// Not built before this moment, in milliseconds.
    pub from: Option<i64>,
    /// Not built after it.
    pub to: Option<i64>,
    /// Started by one of these types of triggers; empty means any.
    pub kinds: Vec<String>,
    /// Started by this event.
    pub event: Option<String>,
    /// Whose trigger has all of this; a text is equal but for its case, or a regular expression of the whole.
    pub trigger: Map,
    /// So many are left out.
    pub skip: usize,
    /// So many are wanted.
    pub size: usize,
    /// The oldest come first.
    pub oldest_first: bool,
}

/// The ids of the executions that fit.
pub fn executions(tx: &mut Tx, search: &Search) -> Result<Vec<String>, StoreError> {
    let (mut found, mut skipped) = (Vec::new(), 0);
    let mut last = None;
    loop {
        let (sql, params) = query(search, last.as_ref());
        let rows = tx.query(&format!("{sql} limit {PAGE}"), &params)?;
        for row in &rows {
            if !search.fits(&row.text(1)?) {
                continue;
            }
            if skipped < search.skip {
                skipped += 1;
            } else {
                found.push(row.text(0)?);
            }
            if found.len() >= search.size {
                return Ok(found);
            }
        }
        match rows.last() {
            Some(row) if rows.len() == PAGE => last = Some((row.int(2)?, row.text(0)?)),
            _ => return Ok(found),
        }
    }
}

/// The rows behind the last one that was read: its moment and its id.
fn query(search: &Search, last: Option<&(i64, String)>) -> (String, Vec<Sql>) {
    let mut sql = String::from("select id, body, built from execution where kind = 'PIPELINE'");
    let mut params: Vec<Sql> = Vec::new();
    let mut and = |condition: &str, value: Sql| {
        params.push(value);
        sql += &format!(" and {}", condition.replace('?', &format!("?{}", params.len())));
    };
    if let Some(application) = &search.application {
        and("application = ?", application.as_str().into());
    }
    if let Some(name) = &search.name {
        and("name = ?", name.as_str().into());
    }
    if let Some(from) = search.from {
        and("built >= ?", from.into());
    }
    if let Some(to) = search.to {
        and("built <= ?", to.into());
    }
    if let Some(event) = &search.event {
        // The text as it stands in the row; whether it is the trigger's own is looked at afterwards.
        let text = format!("\"eventId\":{}", crate::records::json(event));
        let escaped: String =
            text.chars().flat_map(|c| "%_!".contains(c).then_some('!').into_iter().chain([c])).collect();
        and("body like ? escape '!'", format!("%{escaped}%").as_str().into());
    }
    if !search.statuses.is_empty() {
        let from = params.len() + 1;
        params.extend(search.statuses.iter().map(|status| Sql::from(status.as_str())));
        let places: Vec<String> = (from..=params.len()).map(|i| format!("?{i}")).collect();
        sql += &format!(" and status in ({})", places.join(", "));
    }
    let (order, behind) = if search.oldest_first { ("", ">") } else { (" desc", "<") };
    if let Some((built, id)) = last {
        let (b, i) = (params.len() + 1, params.len() + 2);
        params.extend([Sql::from(*built), Sql::from(id.as_str())]);
        sql += &format!(" and (built {behind} ?{b} or (built = ?{b} and id {behind} ?{i}))");
    }
    sql += &format!(" order by built{order}, id{order}");
    (sql, params)
}

impl Search {
    /// Whether an execution's row fits, as far as its columns do not tell.
    fn fits(&self, body: &str) -> bool {
        if self.kinds.is_empty() && self.event.is_none() && self.trigger.is_empty() {
            return true;
        }
        #[derive(Deserialize)]
        struct Head {
            trigger: Trigger,
        }
        let Ok(Head { trigger }) = serde_json::from_str(body) else { return false };
        let event = trigger.get("eventId").and_then(Value::as_str);
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.eq_ignore_ascii_case(trigger.kind())))
            && self.event.as_deref().is_none_or(|wanted| event == Some(wanted))
            && has_all(&Value::Object(trigger.0), &Value::Object(self.trigger.clone()))
    }
}

/// Whether a value has all of another one.
fn has_all(have: &Value, want: &Value) -> bool {
    match (have, want) {
        (Value::Object(have), Value::Object(want)) => {
            want.iter().all(|(key, want)| have.get(key).is_some_and(|have| has_all(have, want)))
        }
        (Value::Array(have), Value::Array(want)) => want.iter().all(|w| have.iter().any(|h| has_all(h, w))),
        (Value::String(have), Value::String(want)) => have.eq_ignore_ascii_case(want) || pattern::whole(want, have),
        (have, want) => have == want,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_trigger_has_all_of_what_is_wanted() {
        let have = json!({"type": "git", "n": 7, "list": [{"a": "x"}, {"a": "y", "b": 1}], "payload": {"branch": "Release/7"}});
        let check = |want: Value, expect: bool| assert_eq!(has_all(&have, &want), expect, "{want}");
        check(json!({}), true);
        check(json!({"type": "GIT"}), true);
        check(json!({"type": "g.t"}), true);
        check(json!({"type": "gi"}), false);
        check(json!({"n": 7}), true);
        check(json!({"n": "7"}), false);
        check(json!({"absent": null}), false);
        check(json!({"payload": {"branch": "release/7"}}), true);
        check(json!({"payload": {"branch": "Release/.*"}}), true);
        check(json!({"payload": {"branch": "("}}), false);
        check(json!({"list": [{"a": "y"}]}), true);
        check(json!({"list": [{"a": "z"}]}), false);
        check(json!({"list": []}), true);
    }
}
