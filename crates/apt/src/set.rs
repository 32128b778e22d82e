//! Lists of packages as values: ordered, named by their content, sharing what they have in common.
//!
//! A list is a root that names leaves, a leaf holds the full keys of its packages. A new leaf begins at each name whose
//! hash ends in eight zero bits, so equal lists have equal leaves whatever their history, and a change of one package
//! makes one new leaf. The empty list is the empty text. Which packages may stand together is not decided here.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use debian::package::Key;
use debian::sums::Fnv;
use sha2::{Digest, Sha256};
use store::{Tx, params};

use crate::error::{Error, Result};

/// A leaf as its root names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRef {
    /// Hash of its content.
    pub hash: String,
    /// How many packages.
    pub count: u64,
    /// The name of its first package.
    pub first: String,
}

/// A list that was computed and not yet saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Built {
    /// The name of the list.
    pub root: String,
    /// The content of the root.
    body: String,
    /// Leaves that are new: hash and content.
    leaves: Vec<(String, String)>,
}

impl Built {
    /// Writes what is new.
    pub fn save(&self, tx: &mut Tx<'_>) -> Result<()> {
        for (hash, body) in &self.leaves {
            tx.execute("insert into leaf (hash, body) values (?1, ?2) on conflict do nothing", params![hash, body])?;
        }
        if !self.root.is_empty() {
            tx.execute(
                "insert into root (hash, body) values (?1, ?2) on conflict do nothing",
                params![&self.root, &self.body],
            )?;
        }
        Ok(())
    }
}

/// The difference of two lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Only in the second.
    pub added: Vec<Key>,
    /// Only in the first.
    pub removed: Vec<Key>,
}

fn hash(text: &str) -> String {
    debian::sums::hex(&Sha256::digest(text.as_bytes())[..16])
}

/// Whether a leaf begins at this name.
fn begins_leaf(name: &str) -> bool {
    let mut fnv = Fnv::default();
    fnv.update(name.as_bytes());
    // FNV's low bits alone are weak for short names.
    let mixed = fnv.finish().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed >> 56 == 0
}

/// Cuts sorted keys into leaves.
fn cut(keys: &[Key], refs: &mut Vec<LeafRef>, leaves: &mut Vec<(String, String)>) {
    let mut start = 0;
    for end in 1..=keys.len() {
        let ends = end == keys.len() || (keys[end].name != keys[end - 1].name && begins_leaf(&keys[end].name));
        if !ends {
            continue;
        }
        let body = keys[start..end].iter().fold(String::new(), |mut body, key| {
            body.push_str(&key.full());
            body.push('\n');
            body
        });
        let hash = hash(&body);
        refs.push(LeafRef { hash: hash.clone(), count: (end - start) as u64, first: keys[start].name.clone() });
        leaves.push((hash, body));
        start = end;
    }
}

fn finish(refs: &[LeafRef], leaves: Vec<(String, String)>) -> Built {
    if refs.is_empty() {
        return Built::default();
    }
    let body = refs.iter().fold(String::new(), |mut body, leaf| {
        // Writing to a String cannot fail.
        let _ = writeln!(body, "{} {} {}", leaf.hash, leaf.count, leaf.first);
        body
    });
    Built { root: hash(&body), body, leaves }
}

/// The list of these packages, in any order and possibly doubled.
pub fn build(keys: impl IntoIterator<Item = Key>) -> Built {
    let mut sorted: Vec<Key> = keys.into_iter().collect();
    sorted.sort();
    sorted.dedup();
    let (mut refs, mut leaves) = (Vec::new(), Vec::new());
    cut(&sorted, &mut refs, &mut leaves);
    finish(&refs, leaves)
}

fn damaged_root(root: &str) -> Error {
    Error::Damaged(format!("the package list {root} is damaged or missing in the database"))
}

/// What a root says: its leaves, a line each.
fn root_text(tx: &mut Tx<'_>, root: &str) -> Result<String> {
    if root.is_empty() {
        return Ok(String::new());
    }
    let row = tx.query_opt("select body from root where hash = ?1", params![root])?;
    Ok(row.ok_or_else(|| damaged_root(root))?.text(0)?)
}

/// Adds the hashes of the leaves of a list to those of others, most of which are the same.
pub(crate) fn gather_leaves(tx: &mut Tx<'_>, root: &str, hashes: &mut HashSet<String>) -> Result<()> {
    for line in root_text(tx, root)?.lines() {
        let hash = line.split(' ').next().unwrap_or_default();
        if !hashes.contains(hash) {
            hashes.insert(hash.to_owned());
        }
    }
    Ok(())
}

/// The leaves of a list.
pub fn leaves(tx: &mut Tx<'_>, root: &str) -> Result<Vec<LeafRef>> {
    let damaged = || damaged_root(root);
    root_text(tx, root)?
        .lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let (hash, count, first) = (words.next(), words.next(), words.next());
            let count = count.and_then(|count| count.parse().ok()).ok_or_else(damaged)?;
            Ok(LeafRef {
                hash: hash.ok_or_else(damaged)?.to_owned(),
                count,
                first: first.ok_or_else(damaged)?.to_owned(),
            })
        })
        .collect()
}

fn damaged_leaf(hash: &str) -> Error {
    Error::Damaged(format!("a part ({hash}) of a package list is damaged or missing in the database"))
}

/// The full keys of the packages of a leaf, a line each.
pub(crate) fn leaf_text(tx: &mut Tx<'_>, hash: &str) -> Result<String> {
    let row = tx.query_opt("select body from leaf where hash = ?1", params![hash])?;
    Ok(row.ok_or_else(|| damaged_leaf(hash))?.text(0)?)
}

/// The packages of a leaf, in order.
pub(crate) fn leaf(tx: &mut Tx<'_>, hash: &str) -> Result<Vec<Key>> {
    leaf_text(tx, hash)?.lines().map(|line| Key::parse(line).ok_or_else(|| damaged_leaf(hash))).collect()
}

/// All packages of a list, in order.
pub fn load(tx: &mut Tx<'_>, root: &str) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for part in leaves(tx, root)? {
        keys.append(&mut leaf(tx, &part.hash)?);
    }
    Ok(keys)
}

/// How many packages.
pub fn count(tx: &mut Tx<'_>, root: &str) -> Result<u64> {
    Ok(leaves(tx, root)?.iter().map(|leaf| leaf.count).sum())
}

/// The leaf that has the packages of a name, if any has; a name before the first leaf has none.
fn leaf_of(refs: &[LeafRef], name: &str) -> Option<usize> {
    refs.partition_point(|leaf| leaf.first.as_str() <= name).checked_sub(1)
}

/// The packages of that name.
pub fn named(tx: &mut Tx<'_>, root: &str, name: &str) -> Result<Vec<Key>> {
    let refs = leaves(tx, root)?;
    let Some(at) = leaf_of(&refs, name) else { return Ok(Vec::new()) };
    Ok(leaf(tx, &refs[at].hash)?.into_iter().filter(|key| key.name == name).collect())
}

/// The packages of the list in the leaves where those of `keys` would be, so all with their names among them.
pub fn around<'a>(tx: &mut Tx<'_>, root: &str, keys: impl IntoIterator<Item = &'a Key>) -> Result<BTreeSet<Key>> {
    let refs = leaves(tx, root)?;
    let concerned: BTreeSet<usize> = keys.into_iter().filter_map(|key| leaf_of(&refs, &key.name)).collect();
    let mut found = BTreeSet::new();
    for at in concerned {
        found.extend(leaf(tx, &refs[at].hash)?);
    }
    Ok(found)
}

/// Those of `keys` that are in the list; only the leaves concerned are read.
pub fn present(tx: &mut Tx<'_>, root: &str, keys: &BTreeSet<Key>) -> Result<BTreeSet<Key>> {
    let there = around(tx, root, keys)?;
    Ok(keys.intersection(&there).cloned().collect())
}

/// The list `root` without `remove` and with `add`; only the leaves concerned are read.
pub fn change(tx: &mut Tx<'_>, root: &str, remove: &BTreeSet<Key>, add: &BTreeSet<Key>) -> Result<Built> {
    let old = leaves(tx, root)?;
    if old.is_empty() {
        return Ok(build(add.iter().cloned()));
    }
    // A name before all others goes into the first leaf.
    let leaf_of = |name: &str| leaf_of(&old, name).unwrap_or(0);
    let mut touched = vec![false; old.len()];
    for key in remove.iter().chain(add) {
        let at = leaf_of(&key.name);
        touched[at] = true;
        // When the name that begins a leaf goes, what is left of the leaf belongs to the one before.
        if old[at].first == key.name && remove.contains(key) && at > 0 {
            touched[at - 1] = true;
        }
    }
    let (mut refs, mut new) = (Vec::new(), Vec::new());
    let mut at = 0;
    let mut left: Vec<&Key> = add.iter().collect();
    while at < old.len() {
        if !touched[at] {
            refs.push(old[at].clone());
            at += 1;
            continue;
        }
        let mut keys: BTreeSet<Key> = BTreeSet::new();
        let run = at;
        while at < old.len() && touched[at] {
            keys.extend(leaf(tx, &old[at].hash)?.into_iter().filter(|key| !remove.contains(key)));
            at += 1;
        }
        left.retain(|key| {
            let mine = (run..at).contains(&leaf_of(&key.name));
            if mine {
                keys.insert((*key).clone());
            }
            !mine
        });
        let keys: Vec<Key> = keys.into_iter().collect();
        cut(&keys, &mut refs, &mut new);
    }
    Ok(finish(&refs, new))
}

/// What two lists differ in; leaves that both have are not read.
pub fn diff(tx: &mut Tx<'_>, a: &str, b: &str) -> Result<Diff> {
    if a == b {
        return Ok(Diff::default());
    }
    let (old, new) = (leaves(tx, a)?, leaves(tx, b)?);
    let (in_old, in_new): (BTreeSet<_>, BTreeSet<_>) =
        (old.iter().map(|l| &l.hash).collect(), new.iter().map(|l| &l.hash).collect());
    let mut gather = |refs: &[LeafRef], other: &BTreeSet<&String>| -> Result<BTreeSet<Key>> {
        let mut keys = BTreeSet::new();
        for part in refs.iter().filter(|part| !other.contains(&part.hash)) {
            keys.extend(leaf(tx, &part.hash)?);
        }
        Ok(keys)
    };
    let (left, right) = (gather(&old, &in_new)?, gather(&new, &in_old)?);
    Ok(Diff { added: right.difference(&left).cloned().collect(), removed: left.difference(&right).cloned().collect() })
}
