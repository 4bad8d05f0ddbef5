-- The events of a fleet: the same tables in SQLite and in PostgreSQL, where load puts
-- "partition by range (day)" in place of the mark. Made by load when they are missing.

create table if not exists event (
    day date not null,                  -- of its time, in UTC
    host text not null,                 -- the name by which it came
    run text not null,
    seq bigint not null,
    time double precision not null,     -- seconds since 1970 UTC, like all times
    kind text not null,
    src text,
    sport bigint,
    dst text,
    nports bigint,
    hosts bigint,
    packets bigint,
    first_time double precision,
    last_time double precision,
    lost bigint,                        -- of a status: log lines
    unlisted bigint,
    body text not null,                 -- the whole event, as it came
    primary key (host, run, seq, day)
) /*partitioned*/;

create table if not exists event_port (
    day date not null,
    host text not null,
    run text not null,
    seq bigint not null,
    port bigint not null,
    primary key (host, run, seq, port, day)
) /*partitioned*/;

-- The sources that a summary names.
create table if not exists event_source (
    day date not null,
    host text not null,
    run text not null,
    seq bigint not null,
    src text not null,
    primary key (host, run, seq, src, day)
) /*partitioned*/;

-- How far each file has been read.
create table if not exists loaded (
    file text primary key,
    bytes bigint not null,
    events bigint not null,             -- lines that are events
    copies bigint not null,             -- of them, those that were there already
    faulty bigint not null              -- lines that are none
);
