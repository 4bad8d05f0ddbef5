-- The questions of a centre. Plain SQL that SQLite and PostgreSQL both take.

-- Who was seen to scan, where: reported one by one, or named in a summary.
create view scanned as
select src, host, time, kind, nports from event
where src is not null
  and kind in ('scan', 'slow', 'spread', 'sweep', 'ping', 'udp', 'ack', 'protocols', 'sctp')
union all
select s.src, e.host, e.time, e.kind, null
from event_source s join event e on e.host = s.host and e.run = s.run and e.seq = s.seq and e.day = s.day;

-- Who scanned more than one host.
create view several_hosts as
select src, count(distinct host) as hosts, count(*) as scans, min(time) as first_time, max(time) as last_time
from scanned group by src having count(distinct host) > 1
order by hosts desc, scans desc, src;

-- Who stayed below the threshold of every host, and not below that of all together: three hosts, or seven pairs of
-- host and port. No host has reported it.
create view under_threshold as
select e.src, count(distinct e.host) as hosts, count(distinct e.host || ' ' || p.port) as pairs,
       min(e.time) as first_time, max(e.time) as last_time
from event e join event_port p on p.host = e.host and p.run = e.run and p.seq = e.seq and p.day = e.day
where e.kind = 'touch' and not exists (select 1 from scanned s where s.src = e.src)
group by e.src
having count(distinct e.host) >= 3 or count(distinct e.host || ' ' || p.port) >= 7
order by hosts desc, pairs desc, e.src;

-- One port or echo request to many hosts: as one sensor saw it, or as several did.
create view sweeps as
select src, kind, max(hosts) as hosts, count(distinct host) as sensors, min(first_time) as first_time
from event where kind in ('sweep', 'ping') group by src, kind order by hosts desc, src, kind;

-- Who scanned most.
create view top_sources as
select src, count(*) as scans, count(distinct host) as hosts, sum(coalesce(nports, 0)) as ports, max(time) as last_time
from scanned group by src order by scans desc, ports desc, src;

-- Who scanned whom.
create view who_scanned_whom as
select src, host, count(*) as scans, min(time) as first_time, max(time) as last_time
from scanned group by src, host order by src, host;

-- Hosts of which nothing came for 26 hours before the newest event of all: each has a status once a day. A host that
-- was stopped as requested is none of them.
create view silent_hosts as
select host, max(time) as last_time from event e
where not exists (
    select 1 from event s where s.host = e.host and s.kind = 'stop'
      and s.time = (select max(l.time) from event l where l.host = e.host))
group by host having max(time) < (select max(time) from event) - 26 * 3600
order by last_time, host;

-- Events that never came, by the gaps in their numbers.
create view lost_events as
select host, run, max(seq) - count(*) as lost, count(*) as events, min(time) as first_time, max(time) as last_time
from event group by host, run having max(seq) > count(*) order by lost desc, host, run;

-- Events that came more than once: they are in the table once.
create view copied_events as
select file, copies, events from loaded where copies > 0 order by file;
