//! Versions that are held back: what people rolled back does not come again by itself. One row for each cluster and release.
//!
//! Who holds one back and who skips it are stages and triggers; here is only what is kept. A release is a package with its version,
//! `helloterry-3.0`, as the tag `appversion` of an image says it.

use jiff::Timestamp;
use serde::Serialize;
use store::{Row, StoreError, Tx, params};

use crate::applications::folded;

/// A release that a cluster was rolled back from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldBack {
    /// The application, in lower case.
    pub application: String,
    /// The account of the cluster.
    pub account: String,
    /// The cluster, `app-stack-detail`.
    pub cluster: String,
    /// `package-version`; of an image that names no package its id.
    pub release: String,
    /// The image that was left.
    pub image: String,
    /// Who rolled back.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(serialize_with = "as_millis")]
    pub at: Timestamp,
}

fn as_millis<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(at.as_millisecond())
}

impl HeldBack {
    /// Whether this is of a cluster.
    pub fn is_of(&self, account: &str, cluster: &str) -> bool {
        self.account == account && self.cluster.eq_ignore_ascii_case(cluster)
    }

    /// Its version: what stands behind the package's name.
    pub fn version(&self) -> &str {
        split(&self.release).1
    }

    /// Why something is not done, and what to do about it.
    pub fn sentence(&self) -> String {
        let Self { application, account, cluster, release, who, reason, .. } = self;
        let version = self.version();
        format!(
            "{release} is held back from cluster {cluster} in account {account}: {who} rolled it back ({reason}); deploy a newer version, or lift it with `gennaker release {application} {version} --account {account}`"
        )
    }
}

/// A release as package and version: `helloterry-3.0-1` is `helloterry` and `3.0-1`. What has no version is one itself.
pub fn split(release: &str) -> (&str, &str) {
    let digit = |at: &usize| release[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    match release.match_indices('-').map(|(at, _)| at).find(digit) {
        Some(at) => (&release[..at], &release[at + 1..]),
        None => ("", release),
    }
}

/// Keeps that a release is held back; what was said of it before is replaced.
pub fn hold(tx: &mut Tx, held: &HeldBack) -> Result<(), StoreError> {
    let sql = "insert into held_back (application, account, cluster, release, image, who, reason, at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        on conflict (application, account, cluster, release) do update set image = excluded.image, who = excluded.who, reason = excluded.reason, at = excluded.at";
    let HeldBack { account, cluster, release, image, who, reason, at, .. } = held;
    tx.execute(sql, params![folded(&held.application), account, cluster, release, image, who, reason, *at])?;
    tx.change("application", &folded(&held.application))
}

const SELECT: &str = "select application, account, cluster, release, image, who, reason, at from held_back";
const ORDER: &str = "order by at desc, account, cluster, release";

/// Everything that is held back.
pub fn all(tx: &mut Tx) -> Result<Vec<HeldBack>, StoreError> {
    tx.query(&format!("{SELECT} {ORDER}"), params![])?.iter().map(read).collect()
}

/// Everything that an application holds back, the newest first.
pub fn of_application(tx: &mut Tx, application: &str) -> Result<Vec<HeldBack>, StoreError> {
    tx.query(&format!("{SELECT} where application = ?1 {ORDER}"), params![folded(application)])?
        .iter()
        .map(read)
        .collect()
}

/// The same of one cluster.
pub fn of_cluster(tx: &mut Tx, application: &str, account: &str, cluster: &str) -> Result<Vec<HeldBack>, StoreError> {
    let mut all = of_application(tx, application)?;
    all.retain(|held| held.is_of(account, cluster));
    Ok(all)
}

/// Lets a release come again; which were held back until now.
pub fn lift(tx: &mut Tx, held: &[HeldBack]) -> Result<(), StoreError> {
    for HeldBack { application, account, cluster, release, .. } in held {
        let sql = "delete from held_back where application = ?1 and account = ?2 and cluster = ?3 and release = ?4";
        tx.execute(sql, params![application, account, cluster, release])?;
        tx.change("application", application)?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<HeldBack, StoreError> {
    Ok(HeldBack {
        application: row.text(0)?,
        account: row.text(1)?,
        cluster: row.text(2)?,
        release: row.text(3)?,
        image: row.text(4)?,
        who: row.text(5)?,
        reason: row.text(6)?,
        at: row.time(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_a_package_and_its_version() {
        for (release, package, version) in [
            ("helloterry-3.0", "helloterry", "3.0"),
            ("hello-world-1:2.0-1", "hello-world", "1:2.0-1"),
            ("sha256:ab", "", "sha256:ab"),
            ("plain-image", "", "plain-image"),
        ] {
            assert_eq!(split(release), (package, version));
        }
    }
}
