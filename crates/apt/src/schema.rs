//! The tables of an apt root. Migrations only add, because older programs may use the same root meanwhile.

use store::Migration;

/// All steps.
pub const MIGRATIONS: &[Migration] = &[
    Migration { domain: "apt", number: 1, sql: FIRST },
    Migration { domain: "apt", number: 2, sql: MIRRORS },
    Migration { domain: "apt", number: 3, sql: TAKEOVER },
];

const TAKEOVER: &str = "
-- What was taken over of an aptly's database: its files at a glance, and the sum of its records.
create table takeover (id integer primary key, files text not null, content text not null, at bigint not null);
";

const MIRRORS: &str = "
-- `root` is what the last update brought; everything else stands in the document.
create table mirror (
    uuid text primary key, name text not null unique, root text not null, document text not null
) without rowid;
";

const FIRST: &str = "
-- What is known of each package, by aptly's full key. `folder` is where its files lie below a component's pool.
create table package (
    key text primary key, kind text not null, folder text not null, stanza text not null, files text not null
) without rowid;
-- The paths that a package installs, read when they are first needed.
create table contents (key text primary key, paths text not null) without rowid;
-- Files in the pool, by path below it.
create table pool_file (
    path text primary key, size bigint not null, md5 text not null, sha1 text not null, sha256 text not null, sha512 text not null
) without rowid;
create index pool_file_md5 on pool_file (md5);
create index pool_file_sha256 on pool_file (sha256);
-- Files that are about to appear in the pool: nobody may take them away.
create table staging (path text primary key, at bigint not null) without rowid;
-- Package lists share structure: a root names its leaves, a leaf names packages. Both are named by their content.
create table leaf (hash text primary key, body text not null) without rowid;
create table root (hash text primary key, body text not null) without rowid;
create table repo (
    uuid text primary key, name text not null unique, comment text not null, distribution text not null, component text not null,
    uploaders text, root text not null, version bigint not null
) without rowid;
create table snapshot (
    uuid text primary key, name text not null unique, created bigint not null, kind text not null, sources text not null,
    description text not null, origin text not null, not_automatic text not null, but_automatic_upgrades text not null, root text not null
) without rowid;
-- `sources` is what the next update takes: component to uuid and name. What is published now stands in `generation`.
create table publication (
    uuid text primary key, storage text not null, prefix text not null, distribution text not null, kind text not null,
    architectures text not null, settings text not null, sources text not null, pending text, generation bigint not null,
    unique (storage, prefix, distribution)
) without rowid;
-- One row a generation that is kept; `components` is component to root, `indexes` the files with their sums.
create table generation (
    publication text not null, number bigint not null, at bigint not null, components text not null, indexes text not null,
    by_hash bigint not null, primary key (publication, number)
) without rowid;
-- What happened, for the servers that tail it.
create table outbox (seq integer primary key autoincrement, id text not null unique, at bigint not null, kind text not null, body text not null);
";
