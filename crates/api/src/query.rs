//! The query of a request, read as clients in use write it: empty values say nothing, `True` is true, a key that is repeated is a list.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use pipeline::{Map, lenient};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use crate::Problem;

/// What a request asks for beside its path.
#[derive(Debug, Clone, PartialEq)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Reads a query; a key that is repeated is its values with commas between.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut values = Map::new();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        match values.get_mut(key.as_ref()) {
            Some(Value::String(known)) => {
                known.push(',');
                known.push_str(&value);
            }
            _ => drop(values.insert(key.into_owned(), Value::String(value.into_owned()))),
        }
    }
    lenient::from_map(&values).map_err(|error| {
        let shown: String = text.chars().take(200).collect();
        Problem::bad_request(format!("the query \"{shown}\" cannot be understood: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Asked {
        limit: Option<usize>,
        expand: Option<bool>,
        execution_ids: Option<String>,
    }

    fn asked(limit: Option<usize>, expand: Option<bool>, ids: Option<&str>) -> Asked {
        Asked { limit, expand, execution_ids: ids.map(str::to_owned) }
    }

    #[test]
    fn it_is_read_as_clients_write_it() {
        for (text, expected) in [
            ("", asked(None, None, None)),
            ("limit=&expand=&executionIds=", asked(None, None, None)),
            ("limit=2&expand=False&unknown=1", asked(Some(2), Some(false), None)),
            ("executionIds=a%2Cb+c", asked(None, None, Some("a,b c"))),
            ("executionIds=a&executionIds=b", asked(None, None, Some("a,b"))),
        ] {
            assert_eq!(read::<Asked>(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_query() {
        let problem = read::<Asked>("limit=many").expect_err("refused");
        assert!(problem.message().starts_with("the query \"limit=many\" cannot be understood: "), "{problem:?}");
    }
}
