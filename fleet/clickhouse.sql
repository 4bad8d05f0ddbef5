-- The events of a fleet in ClickHouse, for many thousands of hosts: the tables of schema.sql and the questions of
-- views.sql, with the same columns and the same answers. Can be run again: what is there stays.
--
-- What comes in is put into the table line, as it is in the collector's files:
--
--     insert into line from infile '/var/log/scanlogd-fleet/*.json' format LineAsString
--
-- Differences from SQLite and PostgreSQL:
-- - event_port and event_source are views. The table is stored_event; event shows each event of it once: of two that
--   claim the same number the later one, where load keeps the first.
-- - How far a file has been read is not kept. A file can be loaded again; a Kafka consumer group has its own position.
--   So copied_events has a row for each run, not for each file.
-- - What is no event is in faulty_line for 30 days. So is an event older than eight years: an insert may touch a
--   hundred partitions, and no member may make it fail. So is text with half of a surrogate pair: that is no JSON here.
-- - Text keeps the character 0, and a counter above 2^63 its value.

-- What came in: nothing is kept of it here. The columns say once, for all that read it, what load asks of an event.
create table if not exists line (
    text String,
    time Float64 materialized JSONExtractFloat(text, 'event', 'time'),
    run String materialized JSONExtractString(text, 'event', 'run'),
    is_key Bool materialized JSONType(text, 'host') = 'String'
        and JSONExtractFloat(text, 'event', 'v') = 1
        and JSONType(text, 'event', 'run') = 'String' and match(run, '^[0-9a-f]{8}\\z')
        and JSONType(text, 'event', 'seq') = 'Int64' and JSONExtractInt(text, 'event', 'seq') >= 0
        and JSONType(text, 'event', 'time') in ('Int64', 'Double')
        and time >= toUnixTimestamp(greatest(toDateTime('2020-01-01 00:00:00', 'UTC'), now('UTC') - interval 8 year))
        and time <= toUnixTimestamp(now()) + 86400
        and JSONType(text, 'event', 'kind') = 'String',
    are_texts Bool materialized arrayAll(
        name -> JSONType(text, 'event', name) in ('String', 'Null'), ['src', 'dst']),
    are_times Bool materialized arrayAll(
        name -> JSONType(text, 'event', name) = 'Null' or JSONType(text, 'event', name) in ('Int64', 'Double')
            and abs(JSONExtractFloat(text, 'event', name)) < 1e11, ['first', 'last']),
    are_numbers Bool materialized arrayAll(
        name -> JSONType(text, 'event', name) in ('Null', 'UInt64')
            or JSONType(text, 'event', name) = 'Int64' and JSONExtractInt(text, 'event', name) >= 0,
        ['sport', 'nports', 'hosts', 'packets', 'lost', 'unlisted']),
    are_lists Bool materialized arrayAll(
        (name, type) -> not JSONHas(text, 'event', name) or JSONType(text, 'event', name) = 'Array'
            and arrayAll(item -> JSONType(item) = type and not startsWith(item, '-'), -- no port is below 0
                         JSONExtractArrayRaw(text, 'event', name)),
        ['ports', 'sources'], ['Int64', 'String']),
    is_event Bool materialized is_key and are_texts and are_times and are_numbers and are_lists
) engine = Null;

-- An event that came twice is there twice until its parts are merged: ask event, not this.
create table if not exists stored_event (
    day Date,                           -- of its time, in UTC
    host LowCardinality(String),        -- the name by which it came
    run LowCardinality(String),
    seq UInt64 codec(Delta, ZSTD),
    time Float64 codec(Gorilla, ZSTD),  -- seconds since 1970 UTC, like all times
    kind LowCardinality(String),
    src Nullable(String) codec(ZSTD),
    sport Nullable(UInt64) codec(ZSTD),
    dst Nullable(String) codec(ZSTD),
    nports Nullable(UInt64) codec(ZSTD),
    hosts Nullable(UInt64) codec(ZSTD),
    packets Nullable(UInt64) codec(ZSTD),
    first_time Nullable(Float64) codec(ZSTD),
    last_time Nullable(Float64) codec(ZSTD),
    lost Nullable(UInt64) codec(ZSTD),  -- of a status: log lines
    unlisted Nullable(UInt64) codec(ZSTD),
    ports Array(UInt64) codec(ZSTD),
    sources Array(String) codec(ZSTD),  -- that a summary names
    body String codec(ZSTD(6)),         -- the whole event
    index by_src src type bloom_filter
) engine = ReplacingMergeTree partition by toYYYYMM(day) order by (host, run, seq, day);

create materialized view if not exists store_event to stored_event as
select toDate(toDateTime(toUInt32(time), 'UTC'), 'UTC') as day,
    JSONExtractString(text, 'host') as host,
    run,
    toUInt64(JSONExtractInt(text, 'event', 'seq')) as seq,
    time,
    JSONExtractString(text, 'event', 'kind') as kind,
    JSONExtract(text, 'event', 'src', 'Nullable(String)') as src,
    JSONExtract(text, 'event', 'sport', 'Nullable(UInt64)') as sport,
    JSONExtract(text, 'event', 'dst', 'Nullable(String)') as dst,
    JSONExtract(text, 'event', 'nports', 'Nullable(UInt64)') as nports,
    JSONExtract(text, 'event', 'hosts', 'Nullable(UInt64)') as hosts,
    JSONExtract(text, 'event', 'packets', 'Nullable(UInt64)') as packets,
    JSONExtract(text, 'event', 'first', 'Nullable(Float64)') as first_time,
    JSONExtract(text, 'event', 'last', 'Nullable(Float64)') as last_time,
    JSONExtract(text, 'event', 'lost', 'Nullable(UInt64)') as lost,
    JSONExtract(text, 'event', 'unlisted', 'Nullable(UInt64)') as unlisted,
    arraySort(arrayDistinct(JSONExtract(text, 'event', 'ports', 'Array(UInt64)'))) as ports,
    arraySort(arrayDistinct(JSONExtract(text, 'event', 'sources', 'Array(String)'))) as sources,
    JSONExtractRaw(text, 'event') as body
from line where is_event;

-- How many lines came of each run and day, copies too.
create table if not exists arrived (
    day Date,
    host LowCardinality(String),
    run LowCardinality(String),
    lines UInt64
) engine = SummingMergeTree partition by toYYYYMM(day) order by (host, run, day);

create materialized view if not exists count_arrived to arrived as
select toDate(toDateTime(toUInt32(time), 'UTC'), 'UTC') as day, JSONExtractString(text, 'host') as host, run,
    count() as lines
from line where is_event group by day, host, run;

create table if not exists faulty_line (
    arrived DateTime,
    text String codec(ZSTD)
) engine = ReplacingMergeTree order by sipHash64(text) ttl arrived + interval 30 day;

create materialized view if not exists keep_faulty_line to faulty_line as
select now() as arrived, text from line where not is_event;

create view if not exists event as
select * from stored_event final;

create view if not exists event_port as
select day, host, run, seq, port from event array join ports as port;

create view if not exists event_source as
select day, host, run, seq, source as src from event array join sources as source;

-- The questions: views.sql says what each is.

create view if not exists scanned as
select assumeNotNull(src) as src, host, time, kind, nports from event
where src is not null
  and kind in ('scan', 'slow', 'spread', 'sweep', 'ping', 'udp', 'ack', 'protocols', 'sctp')
union all
select source as src, host, time, kind, null as nports from event array join sources as source;

create view if not exists several_hosts as
select src, uniqExact(host) as hosts, count() as scans, min(time) as first_time, max(time) as last_time
from scanned group by src having hosts > 1
order by hosts desc, scans desc, src;

create view if not exists under_threshold as
select e.src as src, uniqExact(e.host) as hosts, uniqExact(e.host, port) as pairs,
    min(e.time) as first_time, max(e.time) as last_time
from event as e array join e.ports as port
where e.kind = 'touch' and e.src is not null and e.src not in (select src from scanned)
group by src having hosts >= 3 or pairs >= 7
order by hosts desc, pairs desc, src;

create view if not exists sweeps as
select e.src as src, e.kind as kind, max(e.hosts) as hosts, uniqExact(e.host) as sensors,
    min(e.first_time) as first_time
from event as e where e.kind in ('sweep', 'ping') group by src, kind order by hosts desc, src, kind;

create view if not exists top_sources as
select src, count() as scans, uniqExact(host) as hosts, sum(coalesce(nports, 0)) as ports, max(time) as last_time
from scanned group by src order by scans desc, ports desc, src;

create view if not exists who_scanned_whom as
select src, host, count() as scans, min(time) as first_time, max(time) as last_time
from scanned group by src, host order by src, host;

create view if not exists silent_hosts as
select host, max(time) as last_time from event group by host
having last_time < (select max(time) from event) - 26 * 3600 and maxIf(time, kind = 'stop') < last_time
order by last_time, host;

create view if not exists lost_events as
select host, run, max(seq) - count() as lost, count() as events, min(time) as first_time, max(time) as last_time
from event group by host, run having max(seq) > events order by lost desc, host, run;

create view if not exists copied_events as
select host, run, sum(came.lines) - sum(seen.events) as copies, sum(seen.events) as events
from (select day, host, run, sum(lines) as lines from arrived group by day, host, run) as came
join (select day, host, run, count() as events from event group by day, host, run) as seen using (day, host, run)
group by host, run having copies > 0 order by host, run;
