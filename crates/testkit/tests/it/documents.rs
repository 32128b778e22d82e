//! What the documentation says of itself: links lead somewhere, every page can be reached, and code that is shown is the code. That commands
//! in it work is told by `readme_story` of the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::metadata;

/// Every page by its path in the checkout.
fn pages() -> BTreeMap<PathBuf, String> {
    let root = metadata::root().canonicalize().expect("the checkout");
    let mut found = BTreeMap::new();
    let mut open = vec![(root.clone(), false), (root.join("docs"), true), (root.join("examples"), true)];
    while let Some((folder, deep)) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && deep {
                open.push((path, true));
            } else if path.extension().is_some_and(|end| end == "md") {
                let text = fs::read_to_string(&path).expect("a text");
                found.insert(path.strip_prefix(&root).expect("below the checkout").to_owned(), text);
            }
        }
    }
    found
}

/// The lines outside of fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((number + 1, line))
    })
}

/// Where the links and pictures of a line lead. What stands between backticks is code.
fn targets(line: &str) -> Vec<String> {
    let plain: String = line.split('`').step_by(2).collect();
    let after_text = plain.split("](").skip(1);
    after_text.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// A heading as the address of its place, in GitHub's way.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#'))).collect()
}

/// The path that `target` names, seen from `page`.
fn resolved(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().expect("a folder").to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

#[test]
fn every_link_leads_somewhere() {
    let (pages, root) = (pages(), metadata::root());
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (page, text) in &pages {
        for (number, line) in prose(text) {
            for target in targets(line).into_iter().filter(|target| !is_elsewhere(target)) {
                seen += 1;
                let (file, place) = target.split_once('#').unwrap_or((&target, ""));
                let path = if file.is_empty() { page.clone() } else { resolved(page, file) };
                let there = match pages.get(&path) {
                    Some(text) => place.is_empty() || anchors(text).contains(place),
                    None => place.is_empty() && root.join(&path).exists(),
                };
                if !there {
                    wrong.push(format!("{}:{number}: {target} leads nowhere", page.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} links were found");
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let pages = pages();
    let mut reached = BTreeSet::new();
    let mut open = vec![PathBuf::from("README.md"), PathBuf::from("README.ko.md")];
    while let Some(page) = open.pop() {
        let Some(text) = pages.get(&page).filter(|_| reached.insert(page.clone())) else { continue };
        let links = prose(text).flat_map(|(_, line)| targets(line)).filter(|target| !is_elsewhere(target));
        open.extend(links.map(|target| resolved(&page, target.split('#').next().unwrap_or_default())));
    }
    let lost: Vec<_> = pages.keys().filter(|page| page.starts_with("docs") && !reached.contains(*page)).collect();
    assert!(lost.is_empty(), "no page links to {lost:?}");
}

/// A block that follows `<!-- from FILE -->` is what stands in that file; a line `// …` stands for what is left out.
#[test]
fn code_that_is_shown_is_the_code() {
    let (root, mut wrong, mut seen) = (metadata::root(), Vec::new(), 0);
    for (page, text) in pages() {
        for part in text.split("<!-- from ").skip(1) {
            seen += 1;
            let (file, rest) = part.split_once(" -->\n```").expect("a block follows the comment at once");
            let (_, rest) = rest.split_once('\n').expect("a block");
            let (shown, _) = rest.split_once("\n```").expect("the block ends");
            let code = fs::read_to_string(root.join(file)).unwrap_or_default();
            let mut left = code.as_str();
            for piece in shown.split("\n// …\n") {
                match left.split_once(piece) {
                    Some((_, rest)) => left = rest,
                    None => wrong.push(format!("{}: {file} does not hold\n{piece}", page.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "copy what the files hold now:\n{}", wrong.join("\n"));
    assert!(seen > 5, "only {seen} blocks were found");
}

#[test]
fn links_and_anchors_are_found() {
    let line = "See [the `x`](a.md#b), ![picture](p.png), `[no](link)` and [out](https://example.org).";
    assert_eq!(targets(line), ["a.md#b", "p.png", "https://example.org"]);
    assert_eq!(anchor(" redblack (blue/green)"), "redblack-bluegreen");
    assert_eq!(anchor(" 1. 데비안 저장소"), "1-데비안-저장소");
    assert_eq!(resolved(Path::new("docs/ko/walk.md"), "../screenshots/run.png"), Path::new("docs/screenshots/run.png"));
}
