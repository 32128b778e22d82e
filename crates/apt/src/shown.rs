//! The JSON of repositories, snapshots, publications and packages, as aptly's `-json` and its API print it: same names, same order.

use debian::package::Package;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::mirror::Mirror;
use crate::publish::Publication;
use crate::repo::Repo;
use crate::root::Root;
use crate::snapshot::{Snapshot, SourceKind};

impl Repo {
    /// `{Name, Comment, DefaultDistribution, DefaultComponent}`.
    pub fn shown(&self) -> Value {
        json!({
            "Name": self.name, "Comment": self.comment, "DefaultDistribution": self.distribution,
            "DefaultComponent": self.component,
        })
    }
}

impl Root {
    /// A snapshot; `packages` when they shall stand there, `deep` with what it was made of.
    pub fn shown_snapshot(&self, snapshot: &Snapshot, packages: Option<Vec<String>>, deep: bool) -> Result<Value> {
        let mut map = Map::new();
        map.insert("Name".into(), snapshot.name.clone().into());
        map.insert("CreatedAt".into(), moment(Some(snapshot.created)).into());
        map.insert("SourceKind".into(), snapshot.kind.word().into());
        if deep {
            let mut sources = Vec::new();
            for (name, kind) in self.snapshot_sources(snapshot)? {
                sources.push(match kind {
                    SourceKind::Local => self.repo(&name)?.shown(),
                    SourceKind::Mirror => self.mirror(&name)?.shown(),
                    SourceKind::Snapshot => self.shown_snapshot(&self.snapshot(&name)?, None, false)?,
                });
            }
            let key = match snapshot.kind {
                SourceKind::Local => "LocalRepos",
                SourceKind::Mirror => "RemoteRepos",
                SourceKind::Snapshot => "Snapshots",
            };
            if !sources.is_empty() {
                map.insert(key.into(), sources.into());
            }
        }
        if let Some(packages) = packages.filter(|packages| !packages.is_empty()) {
            map.insert("Packages".into(), packages.into());
        }
        map.insert("Description".into(), snapshot.description.clone().into());
        map.insert("Origin".into(), snapshot.origin.clone().into());
        map.insert("NotAutomatic".into(), snapshot.not_automatic.clone().into());
        map.insert("ButAutomaticUpgrades".into(), snapshot.but_automatic_upgrades.clone().into());
        if !snapshot.appstream.is_empty() {
            let files = snapshot.appstream.iter().map(|(path, file)| (path.clone(), file.clone().into()));
            map.insert("AppStreamFiles".into(), Value::Object(files.collect()));
        }
        Ok(Value::Object(map))
    }
}

/// A moment as Go's JSON writes it, in the local zone; one that never was is the year 1.
fn moment(at: Option<Timestamp>) -> String {
    let Some(at) = at else { return "0001-01-01T00:00:00Z".into() };
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string().replace("+00:00", "Z")
}

impl Mirror {
    /// In the order of aptly's `mirror show -json`, without packages.
    pub fn shown(&self) -> Value {
        json!({
            "UUID": self.uuid,
            "Name": self.name,
            "ArchiveRoot": self.archive,
            "Distribution": self.distribution,
            "Components": self.components,
            "Architectures": self.architectures,
            "Meta": self.meta,
            "LastDownloadDate": moment(self.updated),
            "Filter": self.filter,
            "Status": u8::from(self.worker.is_some()),
            "WorkerPID": self.worker.unwrap_or(0),
            "FilterWithDeps": self.filter_with_deps,
            "SkipComponentCheck": self.skip_component_check,
            "SkipArchitectureCheck": self.skip_architecture_check,
            "DownloadSources": self.sources,
            "DownloadUdebs": self.udebs,
            "DownloadInstaller": self.installer,
            "DownloadAppStream": self.appstream,
        })
    }
}

impl Publication {
    /// Keys in the order of the alphabet.
    pub fn shown(&self) -> Value {
        let settings = &self.settings;
        let source = |(component, source): (&String, &crate::publish::Source)| json!({ "Component": component, "Name": source.name });
        json!({
            "AcquireByHash": settings.acquire_by_hash,
            "Architectures": self.architectures,
            "ButAutomaticUpgrades": settings.but_automatic_upgrades,
            "Codename": settings.codename,
            "Distribution": self.distribution,
            "Label": settings.label,
            "MultiDist": settings.multi_dist,
            "NotAutomatic": settings.not_automatic,
            "Origin": settings.origin,
            "Path": self.path(),
            "Prefix": self.prefix,
            "SignedBy": settings.signed_by,
            "SkipContents": settings.skip_contents,
            "SourceKind": self.kind.word(),
            "Sources": self.sources.iter().map(source).collect::<Vec<_>>(),
            "Storage": self.storage,
            "Suite": settings.suite,
            "Version": settings.version,
        })
    }
}

/// A package with all its fields, and `Key`, `ShortKey`, `FilesHash`.
pub fn shown_package(package: &Package) -> Value {
    let stanza = package.full_stanza();
    let mut map: Map<String, Value> = stanza.fields().map(|(name, value)| (name.to_owned(), value.into())).collect();
    map.insert("Key".into(), package.key.full().into());
    map.insert("ShortKey".into(), package.key.short().into());
    map.insert("FilesHash".into(), format!("{:08x}", package.key.files).into());
    Value::Object(map)
}
