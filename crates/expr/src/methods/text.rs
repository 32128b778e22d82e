//! Methods of texts. Positions count UTF-16 units, as in Java.

use super::{Outcome, int};
use crate::convert::{Args, Want, pick};
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::format;
use crate::operators::compare_texts;
use crate::patterns::replacement;
use crate::value::{Text, Value};

pub(super) fn call<'a>(
    run: &Evaluation<'_, 'a>,
    text: &Text<'a>,
    name: &str,
    args: Args<'_, 'a>,
) -> Option<Outcome<'a>> {
    let made = |made: String| {
        run.cost.text(made.len())?;
        Ok(Value::text(made))
    };
    Some(match (name, args.all.len()) {
        ("length", 0) => int(text.encode_utf16().count()),
        ("isEmpty", 0) => Ok(Value::Bool(text.is_empty())),
        ("isBlank", 0) => Ok(Value::Bool(text.chars().all(is_blank))),
        ("toLowerCase", 0) => made(text.to_lowercase()),
        ("toUpperCase", 0) => made(text.to_uppercase()),
        ("trim", 0) => made(text.trim_matches(|c| c <= ' ').to_owned()),
        ("strip", 0) => made(text.trim_matches(is_blank).to_owned()),
        ("stripLeading", 0) => made(text.trim_start_matches(is_blank).to_owned()),
        ("stripTrailing", 0) => made(text.trim_end_matches(is_blank).to_owned()),
        ("toString" | "intern", 0) => Ok(Value::Text(text.clone())),
        ("charAt", 1) => args.int(0).and_then(|at| char_at(text, at)),
        ("codePointAt", 1) => args.int(0).and_then(|at| char_at(text, at)).map(|c| match c {
            Value::Char(c) => Value::int(u32::from(c) as i32),
            other => other,
        }),
        ("concat", 1) => args.text(0).and_then(|other| made(text.to_string() + &other)),
        ("contains", 1) => args.chars(0).map(|part| Value::Bool(text.contains(part))),
        ("contentEquals", 1) => args.chars(0).map(|other| Value::Bool(**text == *other)),
        ("startsWith", 1) => args.text(0).map(|part| Value::Bool(text.starts_with(&part))),
        ("startsWith", 2) => args.text(0).and_then(|part| Ok(Value::Bool(starts_at(text, &part, args.int(1)?)))),
        ("endsWith", 1) => args.text(0).map(|part| Value::Bool(text.ends_with(&part))),
        ("equalsIgnoreCase", 1) => args
            .text_or_null(0)
            .map(|other| Value::Bool(other.is_some_and(|other| text.to_lowercase() == other.to_lowercase()))),
        ("compareTo", 1) => args.text(0).map(|other| Value::int(compare_texts(text, &other))),
        ("compareToIgnoreCase", 1) => {
            args.text(0).map(|other| Value::int(compare_texts(&text.to_lowercase(), &other.to_lowercase())))
        }
        ("indexOf" | "lastIndexOf", 1 | 2) => find(text, name == "lastIndexOf", args),
        ("matches", 1) => args.text(0).and_then(|pattern| run.matches_whole(text, &pattern)).map(Value::Bool),
        ("repeat", 1) => repeat(run, text, args),
        ("replace", 2) => replace(run, text, args),
        ("replaceAll" | "replaceFirst", 2) => replace_pattern(run, text, args, name == "replaceFirst").and_then(made),
        ("split", 1 | 2) => split(run, text, args),
        ("substring", 1 | 2) => substring(text, args).and_then(made),
        ("formatted", _) => format::format(text, args.all, run.cost).and_then(made),
        ("indent", 1) => args.int(0).and_then(|count| made(indent(text, count))),
        _ => return None,
    })
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}')
        || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn char_at<'a>(text: &str, at: i32) -> Outcome<'a> {
    let unit = usize::try_from(at).ok().and_then(|at| text.encode_utf16().nth(at));
    let unit = unit.ok_or_else(|| Failure::new(format!("the text has no character {at}")))?;
    Ok(Value::Char(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)))
}

fn starts_at(text: &str, part: &str, at: i32) -> bool {
    let (text, part) = (units(text), units(part));
    usize::try_from(at).ok().and_then(|at| text.get(at..)).is_some_and(|rest| rest.starts_with(&part))
}

fn find<'a>(text: &str, last: bool, args: Args<'_, 'a>) -> Outcome<'a> {
    let signatures: [&[Want]; 4] = [&[Want::Text], &[Want::Int], &[Want::Text, Want::Int], &[Want::Int, Want::Int]];
    let by_code = pick("indexOf", args.all, &signatures)? % 2 == 1;
    let part = match by_code {
        true => char::from_u32(args.int(0)? as u32).map(|c| c.to_string()).unwrap_or_default(),
        false => args.text(0)?,
    };
    let (text, part) = (units(text), units(&part));
    if by_code && part.is_empty() {
        return Ok(Value::int(-1));
    }
    args.cost.steps((text.len() / 16).saturating_mul(part.len().max(1)))?;
    let from = if args.all.len() == 2 { Some(args.int(1)?) } else { None };
    let at = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(&part));
    let found = if last {
        let highest = from.map_or(text.len(), |from| usize::try_from(from).unwrap_or(0).min(text.len()));
        if from.is_some_and(|from| from < 0) { None } else { (0..=highest).rev().find(at) }
    } else {
        let lowest = from.map_or(0, |from| usize::try_from(from).unwrap_or(0).min(text.len()));
        (lowest..=text.len()).find(at)
    };
    Ok(Value::int(found.map_or(-1, |at| at as i32)))
}

fn repeat<'a>(run: &Evaluation<'_, 'a>, text: &str, args: Args<'_, 'a>) -> Outcome<'a> {
    let count =
        usize::try_from(args.int(0)?).map_err(|_| Failure::new("a text cannot be repeated less than zero times"))?;
    run.cost.text(text.len().saturating_mul(count))?;
    Ok(Value::text(text.repeat(count)))
}

fn replace<'a>(run: &Evaluation<'_, 'a>, text: &str, args: Args<'_, 'a>) -> Outcome<'a> {
    let by_char = pick("replace", args.all, &[&[Want::Chars, Want::Chars], &[Want::Char, Want::Char]])? == 1;
    let (from, to) = match by_char {
        true => (args.char(0)?.to_string(), args.char(1)?.to_string()),
        false => (args.chars(0)?.to_owned(), args.chars(1)?.to_owned()),
    };
    let count = text.matches(from.as_str()).count();
    run.cost.text(text.len() + count.saturating_mul(to.len()))?;
    Ok(Value::text(text.replace(&from, &to)))
}

fn replace_pattern(run: &Evaluation, text: &str, args: Args, first: bool) -> Result<String, Failure> {
    let (pattern, with) = (args.text(0)?, args.text(1)?);
    run.cost.steps(text.len() / 16)?;
    let pattern = run.patterns.get(&pattern, false, run.cost)?;
    let mut out = String::new();
    let mut end = 0;
    for found in pattern.captures_iter(text).take(if first { 1 } else { usize::MAX }) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[end..whole.start()]);
        replacement(&found, &with, &mut out)?;
        end = whole.end();
        if out.len() > crate::budget::MAX_TEXT {
            run.cost.text(out.len())?;
        }
    }
    out.push_str(&text[end..]);
    Ok(out)
}

fn split<'a>(run: &Evaluation<'_, 'a>, text: &Text<'a>, args: Args<'_, 'a>) -> Outcome<'a> {
    let limit = if args.all.len() == 2 { args.int(1)? } else { 0 };
    let pattern = args.text(0)?;
    run.cost.steps(text.len() / 16)?;
    let pattern = run.patterns.get(&pattern, false, run.cost)?;
    let mut parts: Vec<&str> = Vec::new();
    let mut end = 0;
    for found in pattern.find_iter(text) {
        if limit > 0 && parts.len() + 1 >= limit as usize {
            break;
        }
        // An empty match at the beginning makes no empty part, and none stands at the end.
        if found.end() == 0 || (found.is_empty() && found.start() == text.len()) {
            continue;
        }
        parts.push(&text[end..found.start()]);
        end = found.end();
    }
    if parts.is_empty() {
        return Ok(Value::Array(Evaluation::listed(vec![Value::Text(text.clone())])));
    }
    parts.push(&text[end..]);
    while limit == 0 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    run.cost.steps(parts.len())?;
    Ok(Value::Array(parts.into_iter().map(Value::text).collect()))
}

fn substring(text: &str, args: Args) -> Result<String, Failure> {
    let units = units(text);
    let from = args.int(0)?;
    let to = if args.all.len() == 2 { args.int(1)? } else { units.len() as i32 };
    let part = usize::try_from(from)
        .ok()
        .zip(usize::try_from(to).ok())
        .filter(|(from, to)| from <= to)
        .and_then(|(from, to)| units.get(from..to));
    let part = part.ok_or_else(|| {
        Failure::new(format!("the text of {} characters has no part from {from} to {to}", units.len()))
    })?;
    Ok(String::from_utf16_lossy(part))
}

fn indent(text: &str, count: i32) -> String {
    let pad = " ".repeat(usize::try_from(count).unwrap_or(0).min(1000));
    let cut = usize::try_from(-count.min(0)).unwrap_or(0);
    text.lines()
        .map(|line| {
            let blanks = line.chars().take(cut).take_while(|c| c.is_whitespace()).map(char::len_utf8).sum::<usize>();
            format!("{pad}{}\n", &line[blanks..])
        })
        .collect()
}
