"""Ways to hide from the reference that were tried and work there: floods of forged sources, and decoys."""

import random
import re
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from harness.connections import pcap
from harness.daemon import finish, wait_until
from harness.frames import ethernet, ipv4
from harness.lines import LENGTH_LIMIT, SUPPRESSED, read
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, TARGET_MAC, TARGET_TOO, tool
from harness.packets import LOW_PORTS, Segment, scan
from harness.places import BINARY
from harness.scene import Scene
from harness.syslog_sink import ALERT

EIGHT = (21, 22, 23, 25, 53, 80, 110, 143)
GAP = 0.5
WINDOW = 20.0
MOST_LINES = 14

_HEAD = re.compile(
    r"(?P<scans>\d+) port scans? from (?:more than )?(?P<sources>\d+) sources? not logged in (?P<time>\d+) s"
    r"(?:, and (?P<before>\d+) sources? before)?:(?P<rest>.*)")
_HEAD_BEFORE = re.compile(r"(?P<before>\d+) sources? of port scans not logged before:(?P<rest>.*)")
StartFlood = Callable[[int, float], subprocess.Popen[bytes]]

_MORE = "also not logged:"
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]+")


@pytest.fixture
def flood(scene: Scene, generator: Path) -> Iterator[StartFlood]:
    """Starts a flood of so many packets a second, for so many seconds."""
    running: list[subprocess.Popen[bytes]] = []

    def start(rate: int, seconds: float) -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen(
            scene.attacker.command(generator, "wire", TARGET_MAC, "flood", int(rate * seconds), rate),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait(10)


def assert_reported(scene: Scene) -> None:
    """The attacker's scan of eight ports is the one line. A flood may cost it its first port, and no other."""
    report = scene.next_report(timeout=15)
    assert report.source == ATTACKER and report.source_port == 40000 and report.ttl == 64
    assert report.ports in (EIGHT[:6], EIGHT[1:7])
    assert len(scene.log.alerts()) == 1


@pytest.mark.alone
@pytest.mark.parametrize("rate", [1_000, 20_000, 100_000])
def test_a_slow_scan_behind_a_flood_is_reported(scene: Scene, flood: StartFlood, rate: int) -> None:
    process = flood(rate, GAP * len(EIGHT) + 1)
    time.sleep(GAP)
    scene.sender.send(scan(EIGHT), gap=GAP)
    assert process.poll() is None or rate > 20_000, "the flood ended before the scan did"
    assert_reported(scene)
    sent, nanoseconds, _ = map(int, process.communicate(timeout=30)[0].split())
    assert sent / nanoseconds * 1e9 > rate * 0.8, "the flood was too slow to show anything"


def test_three_hundred_sources_between_two_probes_hide_nothing(scene: Scene) -> None:
    start = time.monotonic()
    for number, port in enumerate(EIGHT):
        time.sleep(max(0, start + number * GAP - time.monotonic()))
        scene.sender.send(scan([port]))
        scene.sender.send(
            Segment(80, source=f"10.78.{number}.{last}" if last < 256 else f"10.79.{number}.{last - 256}")
            for last in range(1, 301))
    assert_reported(scene)


def reference_hash(source: int) -> int:
    """The reference's: the octets as a little-endian number, by nine bits, XORed."""
    value, = struct.unpack("<I", struct.pack(">I", source))
    result = 0
    while value:
        result ^= value & 511
        value >>= 9
    return result


def test_sources_that_collide_under_the_references_hash_hide_nothing(scene: Scene) -> None:
    seed = 4
    print(f"seed {seed}")
    dice = random.Random(seed)
    wanted = reference_hash(int.from_bytes(socket.inet_aton(ATTACKER)))
    colliding = [source for source in (dice.randrange(20 << 24, 99 << 24) for _ in range(60_000))
                 if reference_hash(source) == wanted]
    assert len(colliding) > 80
    for port in EIGHT:
        scene.sender.send(scan([port]))
        scene.sender.send(Segment(80, source=socket.inet_ntoa(source.to_bytes(4))) for source in colliding)
    assert_reported(scene)


def named(lines: list[str]) -> set[str]:
    """The sources that the lines name, each line checked. What a summary says it is about is all there."""
    sources: set[str] = set()
    left = 0
    for line in lines:
        assert len(line) <= LENGTH_LIMIT or " ports " in line and "::" in line, "each IPv6 address counts as 15"
        if match := _HEAD.fullmatch(line) or _HEAD_BEFORE.fullmatch(line):
            assert left == 0
            left = int(match.groupdict().get("sources") or 0) + int(match["before"] or 0)
            rest = match["rest"]
        elif line.startswith(_MORE):
            assert left > 0
            rest = line.removeprefix(_MORE)
        else:
            if line != SUPPRESSED:
                sources.add(read(line)[0].source)
            continue
        found = _ADDRESS.findall(rest)
        left -= len(found) + sum(map(int, re.findall(r"(\d+) more", rest)))
        sources |= set(found)
    assert left == 0
    return sources


def decoys(count: int, place: str) -> str:
    """Decoys with the longest addresses, and the scanner where it is wanted."""
    parts = [f"110.177.133.{100 + number}" for number in range(count)]
    parts.insert({"first": 0, "middle": count // 2, "last": count}[place], "ME")
    return ",".join(parts)


def whole_log(scene: Scene, summaries: int) -> list[str]:
    """The alerts of a daemon that has ended: its last message says so."""
    wait_until(lambda: any(message.text == "stopped" for message in scene.log.messages), "no end in the log")
    lines = scene.log.alerts()
    assert len([line for line in lines if _HEAD.fullmatch(line)]) == summaries, lines
    return lines


@pytest.mark.parametrize("count", [8, 32])
@pytest.mark.parametrize("place", ["first", "middle", "last", "random"])
def test_decoys_do_not_hide_the_scanner(scene: Scene, count: int, place: str) -> None:
    chosen = f"RND:{count}" if place == "random" else decoys(count, place)
    scene.attacker.run(tool("nmap"), "-n", "-Pn", "--max-retries", 1, "-sS", "-D", chosen,
                       "-p", ",".join(map(str, LOW_PORTS)), TARGET, timeout=60)
    scene.log.wait_for_alerts(6)
    time.sleep(0.3)
    assert scene.daemon.stop() == 0
    lines = whole_log(scene, summaries=1)
    sources = named(lines)
    assert ATTACKER in sources
    assert len(sources) == count + 1
    assert len(lines) <= MOST_LINES


def replayed(tmp_path: Path, packets: Iterable[tuple[float, Segment]]) -> list[str]:
    """The lines of the shipped binary for packets at times, some of which would be long to wait for."""
    file = tmp_path / "packets.pcap"
    file.write_bytes(pcap(
        (when, ethernet(ipv4(segment) if segment.family == socket.AF_INET else segment.packet()))
        for when, segment in sorted(packets, key=lambda item: item[0])))
    done = finish([str(BINARY), "-r", str(file)])
    assert (done.status, done.stderr) == (0, "")
    return done.stdout.splitlines()


def decoy_scan(count: int, family: int) -> Iterator[tuple[float, Segment]]:
    """Seven ports, port after port of each decoy and then of the scanner, as nmap -D sends them; then a clock that ticks."""
    prefix, scanner, destination = ("110.177.133.", ATTACKER, TARGET) if family == 4 else (
        "fd77:1111:2222:3333:4444:5555:6666:7", ATTACKER_6, TARGET_6)
    sources = [f"{prefix}{100 + number}" for number in range(count)] + [scanner]
    for step, port in enumerate(LOW_PORTS):
        for number, source in enumerate(sources):
            yield step * 0.2 + number * 0.001, Segment(port, source=source, destination=destination)
    for second in range(20, 140, 5):
        yield second, Segment(80, source=TARGET_TOO)


@pytest.mark.parametrize(("count", "family"), [(60, 4), (100, 4), (20, 6)])
def test_the_scanner_behind_many_decoys_is_named(tmp_path: Path, count: int, family: int) -> None:
    lines = replayed(tmp_path, decoy_scan(count, family))
    sources = named(lines)
    assert (ATTACKER if family == 4 else ATTACKER_6) in sources
    assert len(sources) == count + 1
    assert len([line for line in lines if _HEAD.fullmatch(line)]) == 1


def test_a_scan_that_goes_on_behind_seventy_forged_ones_gets_its_line(tmp_path: Path) -> None:
    forged = ((number * 0.001, Segment(port, source=f"110.177.133.{100 + number}"))
              for port in LOW_PORTS for number in range(70))
    slow = ((0.5 + step * 2.5, Segment(1 + step)) for step in range(20))
    lines = replayed(tmp_path, [*forged, *slow])
    summary = next(line for line in lines if _HEAD.fullmatch(line))
    assert f" s: {ATTACKER}, " in summary, "it has touched the most new ports"
    reports = [line for line in lines if line.startswith(f"{ATTACKER}:")]
    assert len(reports) == 1 and lines.index(reports[0]) > lines.index(summary)
    assert read(reports[0])[0].ports == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(("rate", "gap"), [(480, 0.4), (400, 2.5)])
def test_forged_sources_of_two_ports_push_out_no_live_scan(tmp_path: Path, rate: int, gap: float) -> None:
    forged = ((number // 2 * 2 / rate, Segment(80 + number % 2, source=f"{20 + number // 131072}.{number // 512 % 256}."
                                               f"{number // 2 % 256}.1")) for number in range(int(rate * (10 + 52 * gap))))
    slow = ((10 + step * gap, Segment(6001 + step)) for step in range(50))
    lines = replayed(tmp_path, [*forged, *slow])
    assert [read(line)[0].source for line in lines] == [ATTACKER]


def most_in_a_window(times: list[float]) -> int:
    return max((sum(1 for time in times if start <= time < start + WINDOW) for start in times), default=0)


@pytest.mark.long
def test_the_log_stays_small_whatever_arrives(scene: Scene, generator: Path) -> None:
    """300,000 forged SYNs, of which each source sends one; then 300,000 of 1,000 sources that scan; and those again."""
    def generate(kind: str, count: int) -> None:
        scene.attacker.run(generator, "wire", TARGET_MAC, kind, count, 150_000)

    generate("flood", 300_000)
    time.sleep(0.5)
    assert scene.log.alerts() == []
    generate("scans", 300_000)
    lines = scene.log.wait_for(lambda lines: any(_HEAD.fullmatch(line) for line in lines), "a summary", 25)
    assert len([line for line in lines if line != SUPPRESSED and not _HEAD.fullmatch(line)]) >= 5
    generate("scans", 30_000)
    time.sleep(0.5)
    assert scene.daemon.stop() == 0

    lines = whole_log(scene, summaries=2)
    heads = [match for line in lines if (match := _HEAD.fullmatch(line))]
    # Every source scans once in each part: all are named, or counted.
    assert [int(match["scans"]) for match in heads] == [995, 995]
    assert all(len(line) <= LENGTH_LIMIT for line in lines)
    assert len(lines) == 2 * (6 + 7)
    # While it ran: what there is to say at the end is said at once.
    arrived = [message.arrived for message in scene.log.messages if message.level == ALERT]
    assert most_in_a_window(arrived[:-7]) <= MOST_LINES
