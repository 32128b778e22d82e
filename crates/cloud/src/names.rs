//! Names of clusters and server groups: `app-stack-detail-vNNN`, how they are read, made and counted on.
//!
//! One checked type each, made at the edge: what carries such a name may use it in paths, labels and arguments. Display names and
//! free text are not here.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest cluster name that is accepted; clouds allow between 63 and 255 characters.
const LONGEST: usize = 120;
/// Versions count from 0 to 999 and start anew.
const VERSIONS: u32 = 1000;

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A part holds a character that names may not have.
    #[error("{part} \"{text}\": {found:?} is not allowed; use {allowed}")]
    Character {
        /// Which part of the name.
        part: &'static str,
        /// The whole part.
        text: String,
        /// The first character that is refused.
        found: char,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A part that must be there is empty.
    #[error("{0} is empty; a server group's name begins with its application")]
    Empty(&'static str),
    /// A part begins with a character that means something else to file systems and command lines.
    #[error("{part} \"{text}\" begins with {found:?}; begin with a letter or a digit")]
    Start {
        /// Which part of the name.
        part: &'static str,
        /// The whole part.
        text: String,
        /// What it begins with.
        found: char,
    },
    /// The whole name is too long.
    #[error("\"{0}\" is longer than {LONGEST} characters")]
    TooLong(String),
    /// The detail ends in what reads as a version.
    #[error("detail \"{0}\" ends like a version (vNNN); the version is counted by Gennaker")]
    LooksLikeVersion(String),
    /// Every version of the cluster is taken.
    #[error("all {VERSIONS} versions of cluster \"{0}\" exist; destroy one first")]
    AllTaken(String),
}

const PLAIN: &str = "letters, digits, '.' and '_'";
const WITH_HYPHEN: &str = "letters, digits, '.', '_' and '-'";

fn check(part: &'static str, text: &str, hyphen: bool) -> Result<(), NameError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_' || (hyphen && c == '-');
    if let Some(found) = text.chars().find(|c| !fits(*c)) {
        let allowed = if hyphen { WITH_HYPHEN } else { PLAIN };
        return Err(NameError::Character { part, text: text.to_owned(), found, allowed });
    }
    match text.chars().next() {
        None => Err(NameError::Empty(part)),
        Some(found) if !found.is_ascii_alphanumeric() => Err(NameError::Start { part, text: text.to_owned(), found }),
        Some(_) => Ok(()),
    }
}

/// The version at the end of a name (`v` and three to six digits), if it has one.
fn version_of(part: &str) -> Option<u32> {
    let digits = part.strip_prefix('v')?;
    let fits = (3..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

/// What all versions of a service have in common: application, and perhaps a stack and a detail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ClusterName {
    app: String,
    stack: String,
    detail: String,
}

impl ClusterName {
    /// Checks the three parts; an empty stack or detail is none.
    pub fn new(app: &str, stack: &str, detail: &str) -> Result<Self, NameError> {
        check("application", app, false)?;
        if !stack.is_empty() {
            check("stack", stack, false)?;
        }
        if !detail.is_empty() {
            check("detail", detail, true)?;
        }
        let name = Self { app: app.to_owned(), stack: stack.to_owned(), detail: detail.to_owned() };
        let text = name.to_string();
        if text.len() > LONGEST {
            return Err(NameError::TooLong(text));
        }
        match text.rsplit_once('-') {
            Some((_, last)) if version_of(last).is_some() => Err(NameError::LooksLikeVersion(last.to_owned())),
            _ => Ok(name),
        }
    }

    /// The application that the cluster belongs to.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The stack, empty when there is none.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The free-form detail, empty when there is none.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The server group of this cluster with a given version.
    pub fn group(&self, sequence: u32) -> GroupName {
        GroupName { cluster: self.clone(), sequence: Some(sequence) }
    }

    /// The version that a new server group gets: that of the group created last, plus one, past those that exist; 999 is followed by 000.
    pub fn next(&self, existing: &[(GroupName, Timestamp)]) -> Result<GroupName, NameError> {
        let versions: Vec<(u32, Timestamp)> = existing
            .iter()
            .filter(|(name, _)| name.cluster == *self)
            .filter_map(|(name, created)| Some((name.sequence?, *created)))
            .collect();
        let first =
            versions.iter().max_by_key(|(version, created)| (*created, *version)).map_or(0, |(version, _)| version + 1);
        (0..VERSIONS)
            .map(|step| (first + step) % VERSIONS)
            .find(|version| versions.iter().all(|(taken, _)| taken != version))
            .map(|version| self.group(version))
            .ok_or_else(|| NameError::AllTaken(self.to_string()))
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.app)?;
        if !self.stack.is_empty() || !self.detail.is_empty() {
            write!(f, "-{}", self.stack)?;
        }
        if !self.detail.is_empty() {
            write!(f, "-{}", self.detail)?;
        }
        Ok(())
    }
}

impl FromStr for ClusterName {
    type Err = NameError;

    /// Reads `app`, `app-stack`, `app-stack-detail` or `app--detail`.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut parts = text.splitn(3, '-');
        let app = parts.next().unwrap_or_default();
        let stack = parts.next().unwrap_or_default();
        Self::new(app, stack, parts.next().unwrap_or_default())
    }
}

impl TryFrom<String> for ClusterName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<ClusterName> for String {
    fn from(name: ClusterName) -> Self {
        name.to_string()
    }
}

/// The name of one server group: its cluster and, nearly always, its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct GroupName {
    cluster: ClusterName,
    sequence: Option<u32>,
}

impl GroupName {
    /// The cluster that the group is a version of.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// The version; a group that something else made may have none.
    pub fn sequence(&self) -> Option<u32> {
        self.sequence
    }

    /// The parts as clients read them.
    pub fn moniker(&self) -> Moniker {
        let some = |text: &str| {
            if text.is_empty() { None } else { Some(text.to_owned()) }
        };
        Moniker {
            app: self.cluster.app.clone(),
            cluster: self.cluster.to_string(),
            stack: some(&self.cluster.stack),
            detail: some(&self.cluster.detail),
            sequence: self.sequence,
        }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sequence {
            Some(version) => write!(f, "{}-v{version:03}", self.cluster),
            None => write!(f, "{}", self.cluster),
        }
    }
}

impl FromStr for GroupName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some((cluster, last)) = text.rsplit_once('-')
            && let Some(version) = version_of(last)
        {
            return Ok(Self { cluster: cluster.parse()?, sequence: Some(version) });
        }
        Ok(Self { cluster: text.parse()?, sequence: None })
    }
}

impl TryFrom<String> for GroupName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.to_string()
    }
}

/// A name taken apart, in the form that clients read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moniker {
    /// Application.
    pub app: String,
    /// Cluster: the name without its version.
    pub cluster: String,
    /// Stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Free-form detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
}

/// Checks the name of a load balancer, firewall or other thing that is not versioned.
pub fn check_plain(what: &'static str, text: &str) -> Result<(), NameError> {
    check(what, text, true)?;
    if text.len() > LONGEST { Err(NameError::TooLong(text.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn next(cluster: &str, existing: &[(&str, i64)]) -> String {
        let groups: Vec<_> = existing.iter().map(|(name, created)| (name.parse().unwrap(), at(*created))).collect();
        cluster.parse::<ClusterName>().unwrap().next(&groups).unwrap().to_string()
    }

    #[test]
    fn names_are_read_as_application_stack_detail_and_version() {
        let read = |text: &str| text.parse::<GroupName>().unwrap().moniker();
        let moniker = |cluster: &str, stack: Option<&str>, detail: Option<&str>, sequence| Moniker {
            app: "shop".into(),
            cluster: cluster.into(),
            stack: stack.map(Into::into),
            detail: detail.map(Into::into),
            sequence,
        };
        assert_eq!(read("shop"), moniker("shop", None, None, None));
        assert_eq!(read("shop-v004"), moniker("shop", None, None, Some(4)));
        assert_eq!(read("shop-main-v012"), moniker("shop-main", Some("main"), None, Some(12)));
        assert_eq!(
            read("shop-main-eu-west-v999"),
            moniker("shop-main-eu-west", Some("main"), Some("eu-west"), Some(999))
        );
        assert_eq!(read("shop--blue-v001"), moniker("shop--blue", None, Some("blue"), Some(1)));
    }

    #[test]
    fn a_name_that_is_read_is_written_the_same() {
        for text in ["shop", "shop-v004", "shop-main-v012", "shop-main-eu-west-v999", "shop--blue-v001"] {
            assert_eq!(text.parse::<GroupName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_first_version_is_000_and_the_next_follows_the_group_created_last() {
        assert_eq!(next("shop", &[]), "shop-v000");
        assert_eq!(next("shop", &[("shop-v000", 1)]), "shop-v001");
        assert_eq!(next("shop", &[("shop-v007", 1), ("shop-v003", 2)]), "shop-v004");
        assert_eq!(next("shop", &[("shop-main-v007", 1)]), "shop-v000", "another cluster does not count");
    }

    #[test]
    fn after_999_comes_000_and_taken_versions_are_skipped() {
        assert_eq!(next("shop", &[("shop-v999", 5)]), "shop-v000");
        assert_eq!(next("shop", &[("shop-v000", 1), ("shop-v999", 5)]), "shop-v001");
        assert_eq!(next("shop", &[("shop-v004", 1), ("shop-v003", 2)]), "shop-v005");
    }

    #[test]
    fn when_every_version_is_taken_the_cluster_is_named() {
        let cluster: ClusterName = "shop".parse().unwrap();
        let all: Vec<_> = (0..1000).map(|n| (cluster.group(n), at(i64::from(n)))).collect();
        assert_eq!(cluster.next(&all), Err(NameError::AllTaken("shop".into())));
    }

    #[test]
    fn names_that_could_leave_a_path_or_become_an_option_are_refused() {
        for text in ["", "../etc", "-rf", ".", "..", "a/b", "a b", "shop-ma\u{202e}in", "shop-main-%2e", "shop\0"] {
            assert!(text.parse::<ClusterName>().is_err(), "{text:?}");
        }
        assert!(ClusterName::new("shop", "ma-in", "").is_err(), "a stack has no hyphen");
        assert!(ClusterName::new("shop", "", "blue-v001").is_err(), "a detail may not look like a version");
        assert!(ClusterName::new(&"a".repeat(121), "", "").is_err());
    }
}
