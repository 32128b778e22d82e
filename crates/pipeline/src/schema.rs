//! The tables of this domain, step by step.

use store::Migration;

/// What the binary hands to the store.
pub const MIGRATIONS: &[Migration] = &[
    Migration { domain: "pipeline", number: 1, sql: FIRST },
    Migration { domain: "pipeline", number: 2, sql: FOLLOWERS },
    Migration { domain: "pipeline", number: 3, sql: TRIGGER_RATE },
    Migration { domain: "pipeline", number: 4, sql: LISTS },
    Migration { domain: "pipeline", number: 5, sql: HELD_BACK },
    Migration { domain: "pipeline", number: 6, sql: REPORTS },
    Migration { domain: "pipeline", number: 7, sql: ACTIVITY },
    Migration { domain: "pipeline", number: 8, sql: NOTICES },
    Migration { domain: "pipeline", number: 9, sql: HELD_IN },
];

const FIRST: &str = "
create table application (
    name text primary key, body text not null, created bigint not null, updated bigint not null);
create table pipeline (
    id text primary key, application text not null, name text not null, folded text not null, strategy bigint not null,
    place bigint not null, kinds text not null, body text not null, updated bigint not null);
create unique index pipeline_name on pipeline (application, folded, strategy);
create table project (id text primary key, folded text not null, body text not null);
create table revision (
    kind text not null, id text not null, number bigint not null, at bigint not null, who text not null,
    deleted bigint not null, body text not null, primary key (kind, id, number));
create table execution (
    id text primary key, kind text not null, application text not null, pipeline text, name text, status text not null,
    built bigint not null, started bigint, ended bigint, body text not null, stages text not null);
create index execution_application on execution (application, kind, built);
create index execution_pipeline on execution (pipeline, built);
create index execution_status on execution (status);
create table stage (execution text not null, id text not null, body text not null, primary key (execution, id));
create table message (
    execution text not null, key text not null, due bigint not null, body text not null, primary key (execution, key));
create table journal (
    execution text not null, number bigint not null, at bigint not null, body text not null,
    primary key (execution, number));
create table start_key (key text primary key, execution text not null, at bigint not null);
create table log_line (
    execution text not null, number bigint not null, stage text not null, at bigint not null, line text not null,
    primary key (execution, number));
";

/// Which pipelines have a trigger on the end of which.
const FOLLOWERS: &str = "
create table follower (pipeline text not null, follower text not null, primary key (pipeline, follower));
create index follower_follower on follower (follower);
";

/// How many pipelines of an application were started by triggers in the minute of the latest start.
const TRIGGER_RATE: &str = "
create table trigger_rate (application text primary key, minute bigint not null, started bigint not null);
";

/// What deployments did to their users; empty while it is to be written.
const REPORTS: &str = "
create table report (execution text primary key, body text not null);
create index report_due on report (execution) where body = '';
";

/// Who is to be told what, and who was. `due` is null where nothing is left to do.
const NOTICES: &str = "
create table notice (
    id text primary key, execution text not null, stage text not null, event text not null, kind text not null, config text not null,
    at bigint not null, due bigint, attempts bigint not null, error text not null);
create index notice_execution on notice (execution, id);
create index notice_due on notice (due) where due is not null;
create index notice_failed on notice (at, id) where due is null and error <> '';
";

/// What happened lately, over everything.
const ACTIVITY: &str = "
create index execution_built on execution (kind, built, id);
create index revision_at on revision (at, kind, id, number);
";

/// Versions that were rolled back.
const HELD_BACK: &str = "
create table held_back (
    application text not null, cluster text not null, release text not null, image text not null, who text not null,
    reason text not null, at bigint not null, primary key (application, cluster, release));
";

/// A cluster is one account's. What was held back before was so in the only account that there was.
const HELD_IN: &str = "
create table held_in (
    application text not null, account text not null, cluster text not null, release text not null, image text not null,
    who text not null, reason text not null, at bigint not null, primary key (application, account, cluster, release));
insert into held_in (application, account, cluster, release, image, who, reason, at)
    select application, 'local', cluster, release, image, who, reason, at from held_back;
drop table held_back;
alter table held_in rename to held_back;
";

/// Lists look into an index for each pipeline; templates, and whom things tell what.
const LISTS: &str = "
update execution set application = lower(application) where application <> lower(application);
drop index execution_pipeline;
create index execution_pipeline on execution (pipeline, kind, built, id);
create index execution_newest on execution (application, kind, pipeline, built, id);
drop index execution_status;
create index execution_status on execution (status, application, kind, pipeline, built, id);
create table template (
    key text primary key, id text not null, tag text, digest text not null, body text not null, updated bigint not null);
create index template_id on template (id);
create table notification (kind text not null, name text not null, body text not null, primary key (kind, name));
";
