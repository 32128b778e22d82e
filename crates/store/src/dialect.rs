//! From the common dialect to PostgreSQL's: parameters `?1` become `$1`, the column type `blob` becomes `bytea`. Quoted
//! texts and comments stay as they are.

/// A statement with its parameters as PostgreSQL counts them.
pub(crate) fn numbered(sql: &str) -> String {
    outside_quotes(sql, |code| code.replace('?', "$"))
}

/// Statements of a migration with PostgreSQL's column types.
pub(crate) fn typed(sql: &str) -> String {
    outside_quotes(sql, |code| {
        let mut out = String::with_capacity(code.len());
        let mut word = String::new();
        for c in code.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            out.push_str(if word.eq_ignore_ascii_case("blob") { "bytea" } else { &word });
            word.clear();
            out.push(c);
        }
        out.pop();
        out
    })
}

/// Applies `change` to what is neither quoted nor a comment.
fn outside_quotes(sql: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((start, end)) = next_inert(rest) {
        out.push_str(&change(&rest[..start]));
        out.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    out.push_str(&change(rest));
    out
}

/// Where the next quoted text or comment begins and ends.
fn next_inert(sql: &str) -> Option<(usize, usize)> {
    let starts = [("'", "'"), ("\"", "\""), ("--", "\n"), ("/*", "*/")];
    let found = starts.iter().filter_map(|(open, close)| Some((sql.find(open)?, open, close))).min_by_key(|f| f.0);
    let (start, open, close) = found?;
    let inside = start + open.len();
    let end = sql[inside..].find(close).map_or(sql.len(), |at| inside + at + close.len());
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_outside_quotes_only() {
        let cases = [
            ("select a from t where b = ?1 and c = ?12", "select a from t where b = $1 and c = $12"),
            ("select '?1', \"?1\", 'it''s ?1', ?1", "select '?1', \"?1\", 'it''s ?1', $1"),
            ("select ?1 -- why ?1\n, ?2 /* ?3 */", "select $1 -- why ?1\n, $2 /* ?3 */"),
        ];
        for (common, postgres) in cases {
            assert_eq!(numbered(common), postgres);
        }
    }

    #[test]
    fn only_the_type_blob_is_renamed() {
        let common = "create table blob_names (body blob not null, note text default 'blob', blobs bigint, x BLOB)";
        let postgres = "create table blob_names (body bytea not null, note text default 'blob', blobs bigint, x bytea)";
        assert_eq!(typed(common), postgres);
    }
}
