"""From hosts to the collector's file, with real rsyslogds, by RELP over TLS, whatever fails on the way."""

import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import wait_until
from harness.events import parse
from harness.fleet import Fleet, Member, PostgreSQL, load
from harness.network import missing, tool
from harness.packets import Sender, scan


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    tool("openssl")
    if not list(Path("/usr/lib").glob("*/rsyslog/omrelp.so")):
        missing("rsyslog-relp is not installed")
    fleet = Fleet(tmp_path / "fleet")
    yield fleet
    fleet.tear_down()


def event(number: int, run: str = "00c0ffee") -> str:
    return json.dumps({
        "v": 1, "kind": "scan", "run": run, "seq": number, "time": 1795252971.123456 + number, "src": "198.51.100.7",
        "dst": "192.0.2.1", "dsts": False, "ports": [21, 22, 23], "nports": 4, "first": 1795252971.100001,
        "last": 1795252971.123455},
        separators=(",", ":"))


def wait_for(fleet: Fleet, count: int, timeout: float = 30) -> None:
    wait_until(lambda: len(fleet.counts()) >= count, f"not {count} events: {len(fleet.counts())}", timeout)


def test_an_event_is_written_as_it_came_with_its_host(fleet: Fleet) -> None:
    fleet.start()
    for host in fleet.hosts:
        host.send([f"@cee: {event(1)}"])
    fleet.hosts[0].send(["198.51.100.7 to 192.0.2.1 ports 21, 22, ..., fSrpauxy @00:00:00"], ident="scanlogd")
    fleet.hosts[0].send(["started, version 1"], ident="scanlogd", priority=30)
    fleet.hosts[0].send([f"@cee: {event(2)}"], ident="another")
    fleet.hosts[0].send([f"@cee: {event(3)}"])
    wait_for(fleet, 4)
    (file,) = fleet.files
    lines = sorted(file.read_text().splitlines())
    assert lines == [
        f'{{"host":"host1","event":{event(1)}}}', f'{{"host":"host1","event":{event(3)}}}',
        f'{{"host":"host2","event":{event(1)}}}', f'{{"host":"host3","event":{event(1)}}}']
    for line in lines:
        parse(json.dumps(json.loads(line)["event"]))
    (alerts,) = (fleet.collector.folder / "log").glob("*.log")
    (alert,) = alerts.read_text().splitlines()
    assert alert.endswith(" host1 scanlogd: 198.51.100.7 to 192.0.2.1 ports 21, 22, ..., fSrpauxy @00:00:00")


def test_what_is_no_event_is_kept_for_people_and_does_not_spoil_the_file(fleet: Fleet) -> None:
    fleet.start()
    fleet.hosts[0].send(["@cee: {broken", "@cee: ", 'no cookie {"v":1}', f"@cee: {event(1)}"])
    wait_for(fleet, 1)
    assert [line["event"]["seq"] for line in fleet.received()] == [1]
    (alerts,) = (fleet.collector.folder / "log").glob("*.log")
    assert len(alerts.read_text().splitlines()) == 3


def test_who_has_no_certificate_of_the_fleet_is_refused(fleet: Fleet) -> None:
    fleet.start()
    fleet.hosts[0].send([f"@cee: {event(1)}"])
    wait_for(fleet, 1)
    other = fleet.folder / "other"
    subprocess.run([Path(__file__).parents[3] / "fleet/make-certificates", other, "host2"], check=True,
                   capture_output=True, timeout=60)
    intruder = fleet.hosts[1]
    intruder.end()
    for name in ("crt", "key"):
        (intruder.folder / f"etc/host.{name}").write_bytes((other / f"host2.{name}").read_bytes())
    intruder.start()
    wait_until(intruder.socket.exists, "no log", 10)
    intruder.send([f"@cee: {event(2)}"])
    fleet.hosts[2].send([f"@cee: {event(3)}"])
    wait_for(fleet, 2)
    time.sleep(2)
    assert sorted(line["event"]["seq"] for line in fleet.received()) == [1, 3]


@pytest.mark.busy
def test_nothing_is_lost_in_an_outage(fleet: Fleet, tmp_path: Path) -> None:
    """The collector is killed twice, its link is cut, and the database is stopped hard, in a burst of 20,000 events."""
    if not Path("/usr/lib/postgresql").exists():
        missing("PostgreSQL is not installed")
    database = PostgreSQL(tmp_path / "postgresql")
    fleet.start()
    total = {fleet.hosts[0]: 6667, fleet.hosts[1]: 6667, fleet.hosts[2]: 6666}

    def burst(host: Member) -> None:
        for number in range(1, total[host] + 1, 100):
            host.send(f"@cee: {event(n)}" for n in range(number, min(number + 100, total[host] + 1)))
            time.sleep(0.05)

    threads = [threading.Thread(target=burst, args=(host,)) for host in fleet.hosts]
    for thread in threads:
        thread.start()
    for wanted in (1500, 4000):
        wait_for(fleet, wanted)
        fleet.collector.end(signal.SIGKILL)
        time.sleep(0.5)
        fleet.collector.start()
    wait_for(fleet, 6000)
    fleet.collector.set_link("down")
    assert load("--postgresql", database.conninfo, *fleet.files).status == 0
    database.stop("immediate")
    assert load("--postgresql", database.conninfo, *fleet.files).status == 1
    database.start()
    time.sleep(1)
    fleet.collector.set_link("up")
    for thread in threads:
        thread.join()
    wait_for(fleet, 20_000, 90)

    counts = fleet.counts()
    assert set(counts) == {(host.name, "00c0ffee", n) for host in fleet.hosts for n in range(1, total[host] + 1)}
    assert load("--postgresql", database.conninfo, *fleet.files).status == 0
    assert database.rows("select host, count(*) from event group by host order by host") == [
        ["host1", "6667"], ["host2", "6667"], ["host3", "6666"]]
    assert database.rows("select * from lost_events") == []
    ((copies,),) = database.rows("select sum(copies) from loaded")
    assert int(copies) == sum(counts.values()) - 20_000
    database.stop()


def test_two_ports_of_each_of_three_hosts_are_found_by_the_centre_and_by_no_host(fleet: Fleet) -> None:
    fleet.start()
    detectors = [host.detector("--events", "--touches", "--kinds", "quick") for host in fleet.hosts]
    try:
        with Sender(fleet.stranger.namespace) as sender:
            for number, host in enumerate(fleet.hosts):
                ports = [3000 + number, 4000 + number]
                sender.send(scan(ports, source=fleet.stranger.address, destination=host.address))
            sender.send(scan(source="10.88.0.98", destination=fleet.hosts[0].address))
        wait_until(lambda: any(line["event"]["kind"] == "scan" for line in fleet.received()), "no scan", 20)
    finally:
        for detector in detectors:
            detector.stop()
    wait_until(lambda: sum(line["event"]["kind"] == "stop" for line in fleet.received()) == 3, "no stop", 20)
    for line in fleet.received():
        parse(json.dumps(line["event"]))
    path = fleet.folder / "fleet.db"
    assert load("--database", path, *fleet.files).status == 0
    database = sqlite3.connect(path)
    found = database.execute("select src, hosts, pairs from under_threshold").fetchall()
    assert found == [(fleet.stranger.address, 3, 6)]
    assert database.execute("select src, host from scanned").fetchall() == [("10.88.0.98", "host1")]
    assert database.execute("select * from lost_events").fetchall() == []
