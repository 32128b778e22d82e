//! What shall be on this machine, as rows of the control store: groups, instances, load balancers, operations.
//!
//! The whole state of an account is read, changed by pure functions (`apply`, `advance`) and written back in one transaction. What the
//! data plane is told is derived from it (`wanted`), never kept beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use dataplane::wanted::{Limits, Root};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Migration, StoreError, Tx, params};

use super::image::Launch;
use crate::health::Capacity;
use crate::inventory::HealthCheck;
use crate::names::GroupName;
use crate::operation::{CreateServerGroup, Operation, UpsertFirewall, UpsertLoadBalancer};
use crate::provider::{CloudError, Outcome};

/// Tables of the local provider.
pub const MIGRATIONS: &[Migration] = &[Migration {
    domain: "cloud_local",
    number: 1,
    sql: "create table local_account (account text primary key, generation bigint not null);
          create table local_thing (account text not null, kind text not null, name text not null, body text not null,
                                    primary key (account, kind, name));
          create table local_operation (account text not null, key text not null, running bigint not null, started bigint not null,
                                        body text not null, primary key (account, key));
          create index local_operation_running on local_operation (account, running);",
}];

/// Forgets operations that ended and were started before a moment, at most so many: their keys are not asked for any more. Tells how many.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let sql = "delete from local_operation where running = 0 and key in
                   (select key from local_operation where running = 0 and started < ?1 limit ?2)";
    tx.execute(sql, params![before, limit])
}

/// How many operations [`forget`] would forget.
pub fn forgettable(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.count("select count(*) from local_operation where running = 0 and started < ?1", params![before])
}

/// Texts that name the images in use: of groups and of operations that have not ended. An id or a name that stands in none of them is not used.
pub fn image_references(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for sql in
        ["select body from local_thing where kind = 'group'", "select body from local_operation where running = 1"]
    {
        for row in tx.query(sql, &[])? {
            found.push(row.text(0)?);
        }
    }
    Ok(found)
}

/// The folder of images moved, with the data folder or to another machine: groups look for their files in the new place. Tells how many did.
pub fn images_moved(tx: &mut Tx<'_>, from: &Path, to: &Path) -> Result<u64, CloudError> {
    let mut moved = 0;
    for row in tx.query("select account, name, body from local_thing where kind = 'group'", &[])? {
        let mut group: Group = read(&row.text(2)?)?;
        let (Root::Host { layers } | Root::RootFs { layers }) = &mut group.launch.root else { continue };
        let mut changed = false;
        for layer in layers {
            if let Ok(below) = layer.strip_prefix(from) {
                *layer = to.join(below);
                changed = true;
            }
        }
        if changed {
            let sql = "update local_thing set body = ?3 where account = ?1 and kind = 'group' and name = ?2";
            moved += tx.execute(sql, params![row.text(0)?, row.text(1)?, write(&group)?])?;
        }
    }
    Ok(moved)
}

/// A server group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// As it was asked for.
    pub spec: CreateServerGroup,
    /// What its instances may take, by their instance type; found out once, too.
    #[serde(default)]
    pub limits: Limits,
    /// How its instances are run; found out once, so that a changed image folder's unit does not change a running group.
    pub launch: Launch,
    /// When it was created.
    pub created: Timestamp,
    /// As wanted now.
    pub capacity: Capacity,
    /// Whether it gets no traffic.
    pub disabled: bool,
    /// Since when it is being destroyed.
    pub leaving: Option<Timestamp>,
    /// Where this group alone answers.
    pub preview: SocketAddr,
    /// Number of instances made so far.
    pub made: u32,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: GroupName,
    /// Its place in the group's order.
    pub number: u32,
    /// Its zone.
    pub zone: String,
    /// Its port.
    pub port: u16,
    /// When it was made.
    pub launched: Timestamp,
    /// Taken out of traffic by itself (or with its group) since.
    pub out: Option<Timestamp>,
    /// On its way to its end.
    pub leaving: Option<Leaving>,
    /// How often it was told to start anew.
    pub run: u64,
}

/// How far an instance is with its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "camelCase")]
pub enum Leaving {
    /// Gets nothing new and finishes what it has.
    Draining {
        /// The wanted state that says so.
        generation: u64,
        /// Not longer than until then.
        deadline: Timestamp,
    },
    /// Is no longer wanted; its row stays until it is gone.
    Ending {
        /// The wanted state without it.
        generation: u64,
    },
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balancer {
    /// As it was asked for.
    pub spec: UpsertLoadBalancer,
    /// When it was created.
    pub created: Timestamp,
    /// Where its listeners listen, in the order of the specification.
    pub addresses: Vec<SocketAddr>,
}

impl Balancer {
    /// How it checks.
    pub fn health_check(&self) -> Option<&HealthCheck> {
        self.spec.health_check.as_ref()
    }
}

/// A started operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Its key.
    pub key: String,
    /// What was asked.
    pub operation: Operation,
    /// The wanted state that holds its change.
    pub generation: u64,
    /// What it made.
    pub outcome: Outcome,
    /// Instances whose end it waits for.
    #[serde(default)]
    pub ends: Vec<String>,
    /// How it ended, if it has.
    pub end: End,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "camelCase")]
pub enum End {
    /// Not yet.
    Open,
    /// As asked.
    Done,
    /// Somebody cancelled it.
    Cancelled,
}

/// All of one account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Number of the wanted state of this machine, whichever account changed it last; grows with every change.
    pub generation: u64,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Instances by id.
    pub instances: BTreeMap<String, Instance>,
    /// Load balancers by name.
    pub balancers: BTreeMap<String, Balancer>,
    /// Firewalls by name.
    pub firewalls: BTreeMap<String, UpsertFirewall>,
    /// Tags that were added to images, by image.
    pub image_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Operations that have not ended, by key.
    pub operations: BTreeMap<String, Started>,
}

impl State {
    /// Accounts that have server groups or load balancers, and how many.
    pub fn accounts(tx: &mut Tx<'_>) -> Result<Vec<(String, u64, u64)>, CloudError> {
        let sql = "select account, sum(case when kind = 'group' then 1 else 0 end), sum(case when kind = 'balancer' then 1 else 0 end)
                   from local_thing where kind in ('group', 'balancer') group by account order by account";
        let counted = |row: &store::Row| Ok((row.text(0)?, row.int(1)?.unsigned_abs(), row.int(2)?.unsigned_abs()));
        tx.query(sql, &[])?.iter().map(counted).collect()
    }

    /// Reads an account.
    pub fn load(tx: &mut Tx<'_>, account: &str) -> Result<Self, CloudError> {
        let generation = tx.count("select coalesce(max(generation), 0) from local_account", &[])?;
        let mut state = Self { generation, ..Self::default() };
        for row in tx.query("select kind, name, body from local_thing where account = ?1", params![account])? {
            let (kind, name, body) = (row.text(0)?, row.text(1)?, row.text(2)?);
            match kind.as_str() {
                "group" => drop(state.groups.insert(name, read(&body)?)),
                "instance" => drop(state.instances.insert(name, read(&body)?)),
                "balancer" => drop(state.balancers.insert(name, read(&body)?)),
                "imageTags" => drop(state.image_tags.insert(name, read(&body)?)),
                "firewall" => drop(state.firewalls.insert(name, read(&body)?)),
                _ => {}
            }
        }
        let running = "select key, body from local_operation where account = ?1 and running = 1";
        for row in tx.query(running, params![account])? {
            state.operations.insert(row.text(0)?, read(&row.text(1)?)?);
        }
        Ok(state)
    }

    /// Writes what differs from `before`.
    pub fn save(&self, tx: &mut Tx<'_>, account: &str, before: &Self) -> Result<(), CloudError> {
        if self.generation != before.generation {
            let sql = "insert into local_account (account, generation) values (?1, ?2)
                       on conflict (account) do update set generation = excluded.generation";
            tx.execute(sql, params![account, i64::try_from(self.generation).unwrap_or(i64::MAX)])?;
        }
        save_kind(tx, account, "group", &self.groups, &before.groups)?;
        save_kind(tx, account, "instance", &self.instances, &before.instances)?;
        save_kind(tx, account, "balancer", &self.balancers, &before.balancers)?;
        save_kind(tx, account, "imageTags", &self.image_tags, &before.image_tags)?;
        save_kind(tx, account, "firewall", &self.firewalls, &before.firewalls)?;
        for (key, started) in &self.operations {
            if before.operations.get(key) != Some(started) {
                let sql =
                    "insert into local_operation (account, key, running, started, body) values (?1, ?2, ?3, ?4, ?5)
                           on conflict (account, key) do update set running = excluded.running, body = excluded.body";
                let running = started.end == End::Open;
                tx.execute(sql, params![account, key, running, tx.now(), write(started)?])?;
            }
        }
        Ok(())
    }

    /// An operation by its key, also one that has ended.
    pub fn operation(tx: &mut Tx<'_>, account: &str, key: &str) -> Result<Option<Started>, CloudError> {
        let sql = "select body from local_operation where account = ?1 and key = ?2";
        let row = tx.query_opt(sql, params![account, key])?;
        row.map(|row| read(&row.text(0)?)).transpose()
    }

    /// The instances of a group, in the order in which they were made.
    pub fn instances_of<'a>(&'a self, group: &'a GroupName) -> Vec<&'a Instance> {
        let mut found: Vec<_> = self.instances.values().filter(|instance| instance.group == *group).collect();
        found.sort_by_key(|instance| instance.number);
        found
    }

    /// The instances of a group that shall stay.
    pub fn staying_of<'a>(&'a self, group: &'a GroupName) -> Vec<&'a Instance> {
        let mut found = self.instances_of(group);
        found.retain(|instance| instance.leaving.is_none());
        found
    }

    /// Ports that are given out.
    pub fn ports(&self) -> BTreeSet<u16> {
        let instances = self.instances.values().map(|instance| instance.port);
        let previews = self.groups.values().map(|group| group.preview.port());
        let listeners = self.balancers.values().flat_map(|balancer| balancer.addresses.iter().map(SocketAddr::port));
        instances.chain(previews).chain(listeners).collect()
    }
}

fn save_kind<T: Serialize + PartialEq>(
    tx: &mut Tx<'_>,
    account: &str,
    kind: &str,
    now: &BTreeMap<String, T>,
    before: &BTreeMap<String, T>,
) -> Result<(), CloudError> {
    for (name, thing) in now {
        if before.get(name) != Some(thing) {
            let sql = "insert into local_thing (account, kind, name, body) values (?1, ?2, ?3, ?4)
                       on conflict (account, kind, name) do update set body = excluded.body";
            tx.execute(sql, params![account, kind, name, write(thing)?])?;
            tx.change(kind_topic(kind), name)?;
        }
    }
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        let sql = "delete from local_thing where account = ?1 and kind = ?2 and name = ?3";
        tx.execute(sql, params![account, kind, name])?;
        tx.change(kind_topic(kind), name)?;
    }
    Ok(())
}

/// The topic under which the live stream tells of a kind of thing.
fn kind_topic(kind: &str) -> &'static str {
    match kind {
        "group" => "serverGroup",
        "instance" => "instance",
        "firewall" => "firewall",
        "imageTags" => "image",
        _ => "loadBalancer",
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, CloudError> {
    serde_json::from_str(body)
        .map_err(|error| CloudError::Store(format!("a row of the local provider cannot be read: {error}")))
}

fn write<T: Serialize>(thing: &T) -> Result<String, CloudError> {
    serde_json::to_string(thing)
        .map_err(|error| CloudError::Store(format!("a row of the local provider cannot be written: {error}")))
}

impl From<StoreError> for CloudError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}
