"""Events of capture files: the same scans as in the classic lines, as JSON."""

import json
import re
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from harness.daemon import finish
from harness.events import SCHEMA, Event, read_lines
from harness.places import BINARY, REPOSITORY
from scapy.layers.inet import IP, TCP
from scapy.utils import PcapReader

CAPTURES = REPOSITORY / "Tests/Fixtures/captures"
ALL = sorted(path for path in CAPTURES.rglob("*.pcap*"))
LOCAL = [word for network in ("10.77.0.2", "10.77.1.0/24", "fd77::2") for word in ("--local", network)]


def replay(path: Path, *options: str) -> str:
    done = finish([str(BINARY), "-r", str(path), "--end", *options], env={"TZ": "UTC"})
    assert done.status == 0, done
    return done.stdout


def clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def classic_beginning(event: Event) -> str:
    """What the classic line of an event begins with, and what it ends with."""
    sport = event.get("sport")
    bracketed = sport is not None and ":" in event["src"]
    source = f"[{event['src']}]" if bracketed else event["src"]
    return source + (f":{sport}" if sport is not None else "") + f" to {event['dst']} " + (
        "and others, " if event["dsts"] else "")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_each_event_of_a_capture_is_the_one_of_its_line(path: Path) -> None:
    lines = replay(path).splitlines()
    events = read_lines(replay(path, "--json"))
    assert len(events) == len(lines)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for line, event in zip(lines, events, strict=True):
        if event["kind"] == "summary":
            named = event.get("sources", [])
            assert event.get("message", line) == line
            assert all(source in line for source in named)
            assert line.startswith(f"{event['scans']} ") if "scans" in event else True
            continue
        assert line.startswith(classic_beginning(event)), (line, event)
        assert line.endswith(f" @{clock(event['first'])}")
        if event["kind"] == "end":
            # How many hosts and ports there were may be an estimate, and another in another run.
            assert f" {event['packets']} packet" in line
            continue
        if event["kind"] != "ping":
            assert f" {event['ports'][0]}, " in line
        if "flags" in event:
            assert f", {event['flags']}" in line
        assert (f", TOS {event['tos']:02x}" if "tos" in event else ", TOS") in line or "tos" not in event
        assert event["first"] <= event["time"]


def stamps(path: Path) -> list[tuple[str, str, int]]:
    """When each segment that tries a port came, from whom, and to which port, as Scapy reads them."""
    segments = [packet for packet in PcapReader(str(path)) if IP in packet and TCP in packet]
    return [(f"{Decimal(str(packet.time)):.6f}", packet[IP].src, packet[TCP].dport)
            for packet in segments if not packet[TCP].flags & 0x14]


def test_the_times_of_a_scan_are_those_of_its_packets() -> None:
    path = CAPTURES / "nmap_sS.pcap"
    packets = stamps(path)
    scans = [line for line in replay(path, "--json").splitlines() if '"kind":"scan"' in line]
    assert scans
    for line in scans:
        event = json.loads(line)
        first, last = re.search(r'"first":([0-9.]+),"last":([0-9.]+)', line).groups()
        times = [(time, port) for time, source, port in packets if source == event["src"] and time >= first]
        assert times[0] == (first, event["ports"][0])
        seen = list(dict.fromkeys(port for time, port in times if time <= last))
        assert last in [time for time, _ in times]
        assert seen[:len(event["ports"])] == event["ports"] and len(seen) == event["nports"]


def test_the_captures_have_events_of_every_kind_of_scan() -> None:
    kinds = {event["kind"] for path in ALL for event in read_lines(replay(path, "--json", *LOCAL))}
    assert kinds >= {"scan", "slow", "spread", "sweep", "ping", "udp", "ack", "protocols", "sctp", "end"}


def test_each_source_of_a_capture_is_reported_or_has_touched_something() -> None:
    events = read_lines(replay(CAPTURES / "kinds/dist24_fast.pcap", "--json", "--touches"))
    attempts = read_lines(finish(
        [str(BINARY), "connections", "--read", str(CAPTURES / "kinds/dist24_fast.pcap"), "--json"]).stdout)
    assert {event["src"] for event in events if event["kind"] == "touch"} == {event["src"] for event in attempts}
    assert sum(event["packets"] for event in events if event["kind"] == "touch") == len(attempts) > 20


def test_a_run_has_a_number_of_its_own() -> None:
    runs = {read_lines(replay(CAPTURES / "nmap_sS.pcap", "--json"))[0]["run"] for _ in range(5)}
    assert len(runs) == 5


def test_the_schema_is_one_and_refuses_what_is_no_event() -> None:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = read_lines(replay(CAPTURES / "nmap_sS.pcap", "--json"))[0]
    assert validator.is_valid(good)
    for name, value in {"src": 'x"', "ports": [], "seq": 0, "run": "x", "kind": "other", "tos": 256, "v": 2}.items():
        assert not validator.is_valid({**good, name: value}), name
    for name in ("v", "kind", "run", "seq", "time", "src", "dst", "ports", "first"):
        assert not validator.is_valid({key: value for key, value in good.items() if key != name}), name


@pytest.mark.parametrize("names", [False, True], ids=["addresses", "-n"])
def test_attempts_are_the_ones_of_the_lines(names: bool) -> None:
    command = [str(BINARY), "connections", "--read", str(CAPTURES / "nmap_sS.pcap"), *(["-n"] if names else [])]
    lines = finish([*command, "--date", "epoch"]).stdout.splitlines()
    events = read_lines(finish([*command, "--json"]).stdout)
    assert len(lines) > 90
    assert lines == [
        f"{event['time']:.6f}|{event['src']}|{event['sport']}|{event['dst']}|{event['ports'][0]}" for event in events]
    assert {event["kind"] for event in events} == {"attempt"}
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize(("options", "complaint"), [
    (["--json"], "scanlogd: --json: option: it goes with --read only"),
    (["-r", "x", "--events"], "scanlogd: --events: option: reports of a capture file are not logged; see --json"),
    (["--touches"], "scanlogd: --touches: option: it goes with --events only"),
    (["-r", "x", "--touches"], "scanlogd: --touches: option: with --read it goes with --json only"),
    (["-r", "x", "--journal"], "scanlogd: --journal: option: reports of a capture file are not logged; see --json"),
    (["connections", "--json", "--date", "iso"], "scanlogd: --date: option: with --json times are numbers"),
])
def test_an_option_that_would_be_ignored_is_refused(options: list[str], complaint: str) -> None:
    done = subprocess.run([BINARY, *options], capture_output=True, text=True, check=False, timeout=10)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", complaint + "\n")
