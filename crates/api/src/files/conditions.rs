//! Which part of a file a request wants: `If-None-Match`, `If-Modified-Since`, `If-Match`, `If-Unmodified-Since`, `If-Range`, `Range` (RFC 9110).

use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// 304: the client has it.
    Nothing,
    /// 412: it is not what the client thinks.
    Unchanged,
    /// 200.
    Whole,
    /// 206: these bytes, both ends included.
    Part {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// 416: there are no such bytes.
    Outside,
}

/// Judges the headers of a request for a file of this size, tag and time (whole seconds).
pub fn judge(headers: &HeaderMap, size: u64, tag: &str, modified: Timestamp) -> Wanted {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let time = |name| text(name).and_then(date);
    match text(header::IF_MATCH) {
        Some(tags) if !names(tags, tag, false) => return Wanted::Unchanged,
        Some(_) => {}
        None if time(header::IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) => return Wanted::Unchanged,
        None => {}
    }
    match text(header::IF_NONE_MATCH) {
        Some(tags) if names(tags, tag, true) => return Wanted::Nothing,
        Some(_) => {}
        None if time(header::IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) => return Wanted::Nothing,
        None => {}
    }
    let fresh = text(header::IF_RANGE).is_none_or(|known| known == tag || date(known) == Some(modified));
    match text(header::RANGE) {
        Some(range) if fresh => part(range, size),
        _ => Wanted::Whole,
    }
}

/// Whether a list of tags holds this one; a weak one counts only where a weak comparison does.
fn names(list: &str, tag: &str, weak: bool) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|known| known == "*" || known == tag || (weak && known.strip_prefix("W/") == Some(tag)))
}

fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// One range is served. Several at once, another unit or nonsense are answered with the whole, as the standard allows: no client of a repository
/// needs them, and overlapping ones multiply work.
fn part(range: &str, size: u64) -> Wanted {
    let Some(set) = range.strip_prefix("bytes=") else { return Wanted::Whole };
    let Some((from, to)) = set.trim().split_once('-') else { return Wanted::Whole };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number past what fits lies past every end.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (from.trim(), to.trim()) {
        ("", last) => match number(last) {
            Some(0) => Wanted::Outside,
            Some(_) if size == 0 => Wanted::Outside,
            Some(last) => Wanted::Part { from: size.saturating_sub(last), to: size - 1 },
            None => Wanted::Whole,
        },
        (from, to) => {
            let Some(from) = number(from) else { return Wanted::Whole };
            let to = if to.is_empty() { Some(u64::MAX) } else { number(to) };
            let Some(to) = to.filter(|to| *to >= from) else { return Wanted::Whole };
            if from >= size { Wanted::Outside } else { Wanted::Part { from, to: to.min(size - 1) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(header::HeaderName, &str)], expected: Wanted) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(name, value.parse().expect("a value"));
        }
        let modified = "2026-11-24T10:00:00Z".parse().expect("a time");
        assert_eq!(judge(&headers, 1000, "\"abc\"", modified), expected, "{lines:?}");
    }

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part { from: 0, to: 0 }),
            ("bytes=10-", Wanted::Part { from: 10, to: 999 }),
            ("bytes=-10", Wanted::Part { from: 990, to: 999 }),
            ("bytes=-5000", Wanted::Part { from: 0, to: 999 }),
            ("bytes=990-99999999999999999999999", Wanted::Part { from: 990, to: 999 }),
            ("bytes=1000-", Wanted::Outside),
            ("bytes=99999999999999999999999-", Wanted::Outside),
            ("bytes=-0", Wanted::Outside),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,1-2", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("pages=1-2", Wanted::Whole),
        ] {
            check(&[(header::RANGE, range)], expected);
        }
    }

    #[test]
    fn a_tag_wins_over_a_time() {
        let (same, older) = ("Tue, 24 Nov 2026 10:00:00 GMT", "Tue, 24 Nov 2026 09:59:59 GMT");
        check(&[(header::IF_MODIFIED_SINCE, same)], Wanted::Nothing);
        check(&[(header::IF_MODIFIED_SINCE, older)], Wanted::Whole);
        check(&[(header::IF_NONE_MATCH, "\"x\", W/\"abc\"")], Wanted::Nothing);
        check(&[(header::IF_NONE_MATCH, "\"x\""), (header::IF_MODIFIED_SINCE, same)], Wanted::Whole);
        check(&[(header::IF_MATCH, "\"x\"")], Wanted::Unchanged);
        check(&[(header::IF_UNMODIFIED_SINCE, older)], Wanted::Unchanged);
        check(&[(header::IF_MODIFIED_SINCE, "yesterday")], Wanted::Whole);
    }

    #[test]
    fn a_part_of_another_version_is_the_whole_of_this_one() {
        let range = (header::RANGE, "bytes=5-");
        check(&[range.clone(), (header::IF_RANGE, "\"abc\"")], Wanted::Part { from: 5, to: 999 });
        check(&[range.clone(), (header::IF_RANGE, "\"old\"")], Wanted::Whole);
        check(&[range.clone(), (header::IF_RANGE, "Tue, 24 Nov 2026 10:00:00 GMT")], Wanted::Part { from: 5, to: 999 });
        check(&[range, (header::IF_RANGE, "Tue, 24 Nov 2026 09:00:00 GMT")], Wanted::Whole);
    }
}
