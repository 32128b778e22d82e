//! Shell globs over a whole text: `*`, `?`, `[a-z]`, `\`; `*` and `?` do not cross `/`. Linear in text times pattern.

/// Whether all of `text` has the shape of `pattern`. A broken pattern matches nothing.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let Some(parts) = compile(&pattern) else {
        return false;
    };
    let text: Vec<char> = text.chars().collect();
    // Which prefixes of the pattern fit the text so far: no backtracking, whatever the pattern.
    let mut fits = vec![false; parts.len() + 1];
    fits[0] = true;
    spread(&parts, &mut fits);
    for letter in text {
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| fits[*at]) {
            match part {
                Part::Star if letter != '/' => next[at] = true,
                Part::Any if letter != '/' => next[at + 1] = true,
                Part::Letter(wanted) if *wanted == letter => next[at + 1] = true,
                Part::Class(ranges, negated)
                    if ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter)) != *negated =>
                {
                    next[at + 1] = true
                }
                _ => {}
            }
        }
        spread(&parts, &mut next);
        fits = next;
    }
    fits[parts.len()]
}

enum Part {
    Star,
    Any,
    Letter(char),
    Class(Vec<(char, char)>, bool),
}

/// A star may also stand for nothing.
fn spread(parts: &[Part], fits: &mut [bool]) {
    for at in 0..parts.len() {
        if fits[at] && matches!(parts[at], Part::Star) {
            fits[at + 1] = true;
        }
    }
}

fn compile(pattern: &[char]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '*' => parts.push(Part::Star),
            '?' => parts.push(Part::Any),
            '\\' => {
                at += 1;
                parts.push(Part::Letter(*pattern.get(at)?));
            }
            '[' => {
                let close = at + 2 + pattern.get(at + 2..)?.iter().position(|letter| *letter == ']')?;
                let inside = &pattern[at + 1..close];
                let (negated, inside) =
                    if matches!(inside.first(), Some('^' | '!')) { (true, &inside[1..]) } else { (false, inside) };
                let mut ranges = Vec::new();
                let mut i = 0;
                while i < inside.len() {
                    if inside.get(i + 1) == Some(&'-') && i + 2 < inside.len() {
                        ranges.push((inside[i], inside[i + 2]));
                        i += 3;
                    } else {
                        ranges.push((inside[i], inside[i]));
                        i += 1;
                    }
                }
                parts.push(Part::Class(ranges, negated));
                at = close;
            }
            letter => parts.push(Part::Letter(letter)),
        }
        at += 1;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs() {
        for (pattern, text, want) in [
            ("lib*", "libfoo", true),
            ("lib*", "alib", false),
            ("*", "", true),
            ("*", "a/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[", "[", false),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} on {text}");
        }
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }
}
