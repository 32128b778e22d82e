-- The last time of each cron trigger that fired, under the schedule that it had then.
create table cron_fired (
    pipeline text not null,
    trigger_id text not null,
    schedule text not null,
    at bigint not null,
    primary key (pipeline, trigger_id)
);
