-- How far each apt root's outbox was read.
create table apt_cursor (
    root text primary key,
    seq bigint not null
);
-- Events that would have started a pipeline, had a server run in time.
create table apt_missed (
    pipeline text not null,
    event text not null,
    happened bigint not null,
    at bigint not null,
    primary key (pipeline, event)
);
