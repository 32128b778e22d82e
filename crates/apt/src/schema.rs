//! The tables of an apt root. Migrations only add, because older programs may use the same root meanwhile.

use store::Migration;

/// All steps.
pub const MIGRATIONS: &[Migration] = &[
    Migration { domain: "apt", number: 1, sql: FIRST },
    Migration { domain: "apt", number: 2, sql: MIRRORS },
    Migration { domain: "apt", number: 3, sql: TAKEOVER },
    Migration { domain: "apt", number: 4, sql: PIECES },
    Migration { domain: "apt", number: 5, sql: OPS },
    Migration { domain: "apt", number: 6, sql: OBJECTS },
    Migration { domain: "apt", number: 7, sql: APPSTREAM },
    Migration { domain: "apt", number: 8, sql: PROVIDES },
    Migration { domain: "apt", number: 9, sql: LEAVING },
];

/// A row as the log of operations keeps it. `$at` is `new` or `old`.
macro_rules! image {
    ($at:literal, $first:literal $(, $column:literal)*) => {
        concat!("json_object('", $first, "', ", $at, ".", $first $(, ", '", $column, "', ", $at, ".", $column)*, ")")
    };
}

/// Triggers that log each change of a table. `$new` and `$old` are its row as JSON.
macro_rules! logged {
    ($table:literal, $new:expr, $old:expr) => {
        concat!(
            "create trigger log_",
            $table,
            "_made after insert on ",
            $table,
            " begin ",
            "insert into op_change (op, kind, uuid, before, after) select op, '",
            $table,
            "', new.uuid, null, ",
            $new,
            " from op_now where true on conflict (op, kind, uuid) do update set after = excluded.after; end;\n",
            "create trigger log_",
            $table,
            "_changed after update on ",
            $table,
            " when ",
            $new,
            " is not ",
            $old,
            " begin ",
            "insert into op_change (op, kind, uuid, before, after) select op, '",
            $table,
            "', new.uuid, ",
            $old,
            ", ",
            $new,
            " from op_now where true on conflict (op, kind, uuid) do update set after = excluded.after; end;\n",
            "create trigger log_",
            $table,
            "_removed before delete on ",
            $table,
            " begin ",
            "insert into op_change (op, kind, uuid, before, after) select op, '",
            $table,
            "', old.uuid, ",
            $old,
            ", null",
            " from op_now where true on conflict (op, kind, uuid) do update set after = null; end;\n"
        )
    };
}

/// The same, of a table all of whose columns are logged.
macro_rules! logged_rows {
    ($table:literal, $first:literal $(, $column:literal)*) => {
        logged!($table, image!("new", $first $(, $column)*), image!("old", $first $(, $column)*))
    };
}

macro_rules! shown {
    ($at:literal) => {
        concat!(
            "json_insert(",
            image!(
                $at,
                "uuid",
                "storage",
                "prefix",
                "distribution",
                "kind",
                "architectures",
                "settings",
                "sources",
                "pending",
                "generation"
            ),
            ", '$.lists', (select components from generation where publication = ",
            $at,
            ".uuid and number = ",
            $at,
            ".generation))"
        )
    };
}

const OPS: &str = concat!(
    "
-- Who changed what by which command. `undoes` is the operation that this one undid.
create table op (id integer primary key autoincrement, at bigint not null, who text not null, command text not null, undoes bigint);
create index op_undoes on op (undoes) where undoes is not null;
-- The rows before and after: null where there was or is none. One change a thing and operation.
create table op_change (
    op bigint not null, kind text not null, uuid text not null, before text, after text, primary key (op, kind, uuid)
) without rowid;
-- The operation whose transaction this is; empty between transactions, so that nothing is logged that nobody began.
create table op_now (one integer primary key, op bigint not null);
",
    logged_rows!("repo", "uuid", "name", "comment", "distribution", "component", "uploaders", "root"),
    logged_rows!("snapshot", "uuid", "name", "created", "kind", "sources", "description", "origin", "not_automatic", "but_automatic_upgrades", "root"),
    logged_rows!("mirror", "uuid", "name", "root", "document"),
    logged!("publication", shown!("new"), shown!("old")),
);

const APPSTREAM: &str = concat!(
    "
-- AppStream's files: path below the distribution to path in the pool. The log keeps them as the other columns.
alter table snapshot add column appstream text;
drop trigger log_snapshot_made;
drop trigger log_snapshot_changed;
drop trigger log_snapshot_removed;
",
    logged!(
        "snapshot",
        image!(
            "new",
            "uuid",
            "name",
            "created",
            "kind",
            "sources",
            "description",
            "origin",
            "not_automatic",
            "but_automatic_upgrades",
            "root",
            "appstream"
        ),
        image!(
            "old",
            "uuid",
            "name",
            "created",
            "kind",
            "sources",
            "description",
            "origin",
            "not_automatic",
            "but_automatic_upgrades",
            "root",
            "appstream"
        )
    ),
);

const LEAVING: &str = "
-- Publications that are gone and whose files may still be there; `pools` is component to pool, of those to be swept.
create table leaving (
    storage text not null, prefix text not null, distribution text not null, pools text not null, primary key (storage, prefix, distribution)
) without rowid;
";

const PROVIDES: &str = r#"
-- Those that provide something: who searches by a name looks at these besides the packages of that name.
create index package_provides on package (key) where instr(stanza, '["Provides"') > 0;
"#;

const OBJECTS: &str = "
-- What was brought to a bucket: of which file (`stamp` is its number, size and time) with which MD5.
create table object (
    storage text not null, prefix text not null, name text not null, stamp text not null, md5 text not null,
    primary key (storage, prefix, name)
) without rowid;
-- The generation that a bucket shows.
create table replica (publication text primary key, generation bigint not null) without rowid;
";

const PIECES: &str = "
-- As Contents names the package; not known for what an aptly's database brought.
alter table contents add column kind text;
alter table contents add column owner text;
-- Where the pieces of a shown index lie in its files.
create table layout (
    publication text not null, path text not null, generation bigint not null, body text not null, primary key (publication, path)
) without rowid;
-- Folders of published pools in which there may be files that nothing shows any more.
create table unswept (
    storage text not null, prefix text not null, pool text not null, folder text not null, primary key (storage, prefix, pool, folder)
) without rowid;
create index package_folder on package (folder);
-- Package lists that a publication in the making needs, before its generation names them.
create table pin (publication text not null, list text not null, at bigint not null, primary key (publication, list)) without rowid;
";

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
