//! Go's way with flags, which aptly's users and scripts rely on: `-flag` and `--flag` are one, booleans take a value only
//! after `=`, flags stop at the leaf's first other word, a flag of the leaf may stand before it.

use std::collections::BTreeMap;

use super::command::{Command, Flag, Kind};
use super::table::{COMMANDS, GLOBAL};

/// A command line that was understood.
#[derive(Debug)]
pub struct Parsed {
    /// The leaf command.
    pub command: &'static Command,
    /// What was given, by flag; each time it was given.
    given: BTreeMap<&'static str, Vec<String>>,
    /// The words after the flags.
    pub args: Vec<String>,
}

impl Parsed {
    /// Whether a boolean flag is on.
    pub fn on(&self, name: &str) -> bool {
        self.given.get(name).and_then(|values| values.last()).is_some_and(|value| value == "true")
    }

    /// A boolean flag, if it was given.
    pub fn on_if_given(&self, name: &str) -> Option<bool> {
        self.given.contains_key(name).then(|| self.on(name))
    }

    /// The text of a flag, or its default.
    pub fn text(&self, name: &str) -> String {
        let default = || self.flag(name).map_or("", |flag| flag.default).to_owned();
        self.given.get(name).and_then(|values| values.last()).cloned().unwrap_or_else(default)
    }

    /// The text of a flag, if it was given.
    pub fn text_if_given(&self, name: &str) -> Option<String> {
        self.given.get(name).and_then(|values| values.last()).cloned()
    }

    /// Every flag that was given and its values, in the order of their names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &String)> {
        self.given.iter().flat_map(|(name, values)| values.iter().map(move |value| (*name, value)))
    }

    /// Every value of a flag that may be repeated.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.given.get(name).cloned().unwrap_or_default()
    }

    fn flag(&self, name: &str) -> Option<&'static Flag> {
        find(self.command, name)
    }
}

fn find(command: &Command, name: &str) -> Option<&'static Flag> {
    command.flags.iter().flat_map(|flags| flags.iter()).chain(GLOBAL).find(|flag| flag.name == name)
}

/// Why a command line was not understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Misuse {
    /// Something is wrong with a flag (or help was asked for); usage of this path is shown.
    Flags(String, Vec<String>),
    /// There is no such command, or too few or too many words.
    Command(String, Vec<String>),
    /// An executable `aptly-GROUP-WORD` may know it: the words and the rest.
    Unknown(Vec<String>, Vec<String>),
}

/// Understands `args` (without the program's name). With `anywhere`, flags may also stand after other words.
pub fn parse(args: &[String], anywhere: bool) -> Result<Parsed, Misuse> {
    let mut words: Vec<String> = Vec::new();
    let mut given: Vec<(String, Option<String>)> = Vec::new();
    let mut at = 0;
    let command = loop {
        if let Some(command) = leaf(&words) {
            break command;
        }
        let Some(arg) = args.get(at) else {
            return Err(Misuse::Command("a command is missing".into(), words));
        };
        at += 1;
        if is_flag(arg) {
            flag(args, arg, &mut at, &any_flag, &mut given, &words)?;
            continue;
        }
        words.push(arg.clone());
        if !COMMANDS.iter().any(|command| starts_with(command.path, &words)) {
            return Err(Misuse::Unknown(words, args[at..].to_vec()));
        }
    };
    let mut rest = Vec::new();
    while let Some(arg) = args.get(at) {
        at += 1;
        if arg == "--" {
            rest.extend(args[at..].iter().cloned());
            break;
        }
        if is_flag(arg) {
            flag(args, arg, &mut at, &|name| find(command, name), &mut given, &words)?;
        } else if anywhere && !command.keeps_words {
            rest.push(arg.clone());
        } else {
            rest.push(arg.clone());
            rest.extend(args[at..].iter().cloned());
            break;
        }
    }
    let mut by_name: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (name, value) in given {
        let Some(flag) = find(command, &name) else {
            return Err(Misuse::Flags(
                format!("flag provided but not defined: -{name}{}", nearest_flag(command, &name)),
                words,
            ));
        };
        let value = value.unwrap_or_else(|| "true".into());
        by_name.entry(flag.name).or_default().push(value);
    }
    if rest.len() < command.least || rest.len() > command.most {
        return Err(Misuse::Command(format!("wrong number of words for `{}`", words.join(" ")), words));
    }
    Ok(Parsed { command, given: by_name, args: rest })
}

fn is_flag(arg: &str) -> bool {
    arg.len() > 1 && arg.starts_with('-') && arg != "--"
}

fn starts_with(path: &[&str], words: &[String]) -> bool {
    words.len() <= path.len() && words.iter().zip(path).all(|(word, part)| word == part)
}

fn leaf(words: &[String]) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.path.len() == words.len() && starts_with(command.path, words))
}

/// A flag of any command: before the leaf is known, its kind decides whether a value follows.
fn any_flag(name: &str) -> Option<&'static Flag> {
    GLOBAL
        .iter()
        .chain(COMMANDS.iter().flat_map(|command| command.flags.iter().flat_map(|flags| flags.iter())))
        .find(|flag| flag.name == name)
}

fn flag(
    args: &[String],
    arg: &str,
    at: &mut usize,
    known: &dyn Fn(&str) -> Option<&'static Flag>,
    given: &mut Vec<(String, Option<String>)>,
    words: &[String],
) -> Result<(), Misuse> {
    let bare = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')).unwrap_or(arg);
    let (name, value) = bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value.to_owned())));
    let wrong = |why: String| Err(Misuse::Flags(why, words.to_vec()));
    if matches!(name, "h" | "help") {
        return wrong(String::new());
    }
    let Some(flag) = known(name) else {
        let near = leaf(words).map_or(String::new(), |command| nearest_flag(command, name));
        return wrong(format!("flag provided but not defined: -{name}{near}"));
    };
    let value = match (flag.kind, value) {
        (Kind::Bool, None) => Some("true".into()),
        (Kind::Bool, Some(value)) => match value.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some("true".into()),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some("false".into()),
            _ => return wrong(format!("invalid boolean value {value:?} for -{name}{}", quote_hint(&value))),
        },
        (_, Some(value)) => Some(value),
        (_, None) => {
            let next = args.get(*at).cloned();
            *at += 1;
            if next.is_none() {
                return wrong(format!("flag needs an argument: -{name}"));
            }
            next
        }
    };
    if let (Kind::Int, Some(value)) = (flag.kind, &value)
        && value.parse::<i64>().is_err()
    {
        return wrong(format!("invalid value {value:?} for flag -{name}{}", quote_hint(value)));
    }
    given.push((name.to_owned(), value));
    Ok(())
}

/// Text copied from a web page often has quotes that no shell takes away.
pub fn quote_hint(value: &str) -> &'static str {
    if value.starts_with(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        ": it begins with a typographic quote; use \" or ' instead"
    } else {
        ""
    }
}

fn nearest_flag(command: &Command, name: &str) -> String {
    let names = command.flags.iter().flat_map(|flags| flags.iter()).chain(GLOBAL).map(|flag| flag.name);
    nearest(name, names).map_or(String::new(), |near| format!(" (did you mean -{near}?)"))
}

/// The word that differs least, if it is near.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|candidate| (distance(word, candidate), candidate));
    scored.min().filter(|(far, _)| *far <= 2.max(word.len() / 4)).map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let cost = corner + usize::from(letter != *other);
            corner = row[j + 1];
            row[j + 1] = cost.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str, anywhere: bool) -> Result<Parsed, Misuse> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), anywhere)
    }

    #[test]
    fn flags_may_stand_anywhere_before_the_first_word_of_the_leaf() {
        for line in ["-json repo show a", "repo -json show a", "repo show -json a", "repo show --json=true a"] {
            let parsed = parsed(line, false).unwrap();
            assert!(parsed.on("json"), "{line}");
            assert_eq!(parsed.args, ["a"], "{line}");
        }
        assert!(matches!(parsed("repo show a -json", false), Err(Misuse::Command(..))));
        assert!(parsed("repo show a -json", true).unwrap().on("json"));
    }

    #[test]
    fn values_follow_after_a_blank_or_an_equals_sign_but_not_for_booleans() {
        assert_eq!(parsed("repo create -comment x a", false).unwrap().text("comment"), "x");
        assert_eq!(parsed("repo create -comment= a", false).unwrap().text_if_given("comment").as_deref(), Some(""));
        assert_eq!(parsed("repo create a", false).unwrap().text("component"), "main");
        assert_eq!(parsed("repo add -force-replace=false a b", false).unwrap().args, ["a", "b"]);
        assert_eq!(parsed("publish repo -gpg-key a -gpg-key b r", false).unwrap().list("gpg-key"), ["a", "b"]);
    }

    #[test]
    fn mistakes_name_the_nearest_known_word() {
        let flags = |line: &str| match parsed(line, false) {
            Err(Misuse::Flags(why, _)) => why,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(
            flags("publish repo -architecture=amd64 r"),
            "flag provided but not defined: -architecture (did you mean -architectures?)"
        );
        assert_eq!(
            flags("publish repo -skip-signing=“true” r"),
            "invalid boolean value \"“true”\" for -skip-signing: it begins with a typographic quote; use \" or ' instead"
        );
        assert_eq!(flags("repo -h"), "");
        assert_eq!(
            parsed("repo crete x", false).unwrap_err(),
            Misuse::Unknown(vec!["repo".into(), "crete".into()], vec!["x".into()])
        );
        assert_eq!(nearest("crete", ["create", "drop"].into_iter()), Some("create"));
    }
}
