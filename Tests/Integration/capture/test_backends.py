"""Each backend sees what it says it sees, and all of them say the same."""

import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from harness.daemon import Daemon
from harness.frames import DOT1AD, DOT1Q, FrameSender, ethernet, ipv4, ipv4_fragments, ipv6_fragments
from harness.lines import Report, is_of_other_kind, read
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from harness.packets import (
    DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, LOW_PORTS, PADDING_ONLY, WHOLE_IN_ONE, Segment, Sender, scan,
)
from harness.scene import Scene

BACKENDS = ("ring", "raw", "pcap", "nids")
# Those that take packets where they come in, before netfilter and whatever their link header.
AT_THE_LINK = ("ring", "pcap", "nids")

LISTED = LOW_PORTS[:-1]
SCAN = Report(ATTACKER, TARGET, LISTED, source_port=40000, tos=0, ttl=64)
SCAN_6 = Report(ATTACKER_6, TARGET_6, LISTED, source_port=40000, tos=0, ttl=64)
HERE_6 = {"source": ATTACKER_6, "destination": TARGET_6}


@pytest.fixture(params=BACKENDS)
def any_backend(request: pytest.FixtureRequest, idle_scene: Scene) -> Scene:
    return started(idle_scene, "--backend", request.param)


@pytest.fixture(params=AT_THE_LINK)
def link_backend(request: pytest.FixtureRequest, idle_scene: Scene) -> Scene:
    return started(idle_scene, "--backend", request.param)


def started(scene: Scene, *options: object) -> Scene:
    scene.daemon.start(*options)
    scene.began = time.time()
    return scene


# The same scans, and the same line for each.


@pytest.mark.parametrize(("options", "expected"), [
    (("-sS",), {}), (("-sF",), {"flags": "Fsrpauxy"}), (("-sN",), {"flags": "fsrpauxy"}),
    (("-sX",), {"flags": "FsrPaUxy"}), (("-sS", "-f"), {}), (("-sS", "-ff"), {}), (("-sS", "--mtu", 24), {}),
    (("-sS", "--ip-options", "R"), {}), (("-sS", "--scanflags", "SYNFINECECWR"), {"flags": "FSrpauXY"}),
])
def test_nmap_scans_give_the_same_line(
    any_backend: Scene, options: tuple[object, ...], expected: dict[str, str]
) -> None:
    any_backend.attacker.run(
        tool("nmap"), "-n", "-Pn", "-r", "--max-retries", 0, "--max-rate", 200, "-g", 40000, "--ttl", 64, *options,
        "-p", ",".join(map(str, LOW_PORTS)), TARGET)
    any_backend.expect(Report(**{**SCAN.__dict__, **expected}))


def test_nmap_connect_scan_gives_the_same_line(any_backend: Scene) -> None:
    any_backend.attacker.run(
        tool("nmap"), "-n", "-Pn", "-r", "--max-retries", 0, "--max-rate", 50, "-sT",
        "-p", ",".join(map(str, LOW_PORTS)), TARGET)
    any_backend.expect(Report(ATTACKER, TARGET, LISTED, tos=0, ttl=64))


def test_nmap_scan_over_ipv6_gives_the_same_line(any_backend: Scene) -> None:
    any_backend.attacker.run(
        tool("nmap"), "-6", "-n", "-Pn", "-r", "--send-ip", "--max-retries", 0, "--max-rate", 50, "-g", 40000,
        "--ttl", 64, "-sS", "-p", ",".join(map(str, LOW_PORTS)), TARGET_6)
    any_backend.expect(SCAN_6)


@pytest.mark.parametrize("extensions", [
    ((DESTINATION_OPTIONS, PADDING_ONLY),), ((HOP_BY_HOP, PADDING_ONLY),), ((FRAGMENT, WHOLE_IN_ONE),),
    ((HOP_BY_HOP, PADDING_ONLY), (DESTINATION_OPTIONS, PADDING_ONLY), (FRAGMENT, WHOLE_IN_ONE)),
])
def test_scans_behind_ipv6_extension_headers_are_seen(
    any_backend: Scene, extensions: tuple[tuple[int, bytes], ...]
) -> None:
    any_backend.sender.send(scan(**HERE_6, extensions=extensions))
    any_backend.expect(SCAN_6)


@pytest.mark.parametrize("size", [8, 16])
def test_ipv4_fragments_padded_as_on_a_wire_are_joined(any_backend: Scene, size: int) -> None:
    with FrameSender(any_backend.attacker) as sender:
        for segment in scan():
            sender.send(*map(ethernet, ipv4_fragments(segment, 1000 + segment.port, size)))
        any_backend.expect(SCAN)


def test_ipv6_fragments_are_joined(any_backend: Scene) -> None:
    with FrameSender(any_backend.attacker) as sender:
        for segment in scan(**HERE_6):
            # The first does not end within the TCP header: Linux joins none that does (RFC 8200, section 4.5).
            sender.send(*map(ethernet, ipv6_fragments(segment, 1000 + segment.port, 1232, bytes(1300))))
        any_backend.expect(SCAN_6)


@pytest.mark.parametrize("size", [8, 16])
def test_ipv6_fragments_too_small_for_linux_are_joined(link_backend: Scene, size: int) -> None:
    with FrameSender(link_backend.attacker) as sender:
        for segment in scan(**HERE_6):
            sender.send(*map(ethernet, ipv6_fragments(segment, 1000 + segment.port, size)))
        link_backend.expect(SCAN_6)


def test_fragments_in_the_wrong_order_are_joined(any_backend: Scene) -> None:
    with FrameSender(any_backend.attacker) as sender:
        for segment in scan():
            sender.send(*map(ethernet, reversed(ipv4_fragments(segment, 2000 + segment.port))))
        any_backend.expect(SCAN)


def test_fragments_that_never_come_whole_are_silent_behind_the_kernel(idle_scene: Scene) -> None:
    """It has no packet to hand over then. Those at the link count them: detector/test_hiding_fragments.py."""
    scene = started(idle_scene, "--backend", "raw")
    with FrameSender(scene.attacker) as sender:
        for segment in scan(range(1, 400)):
            sender.send(*map(ethernet, ipv4_fragments(segment, 3000 + segment.port)[:1]))
    scene.assert_nothing_more()


def test_later_fragments_alone_are_silent(any_backend: Scene) -> None:
    with FrameSender(any_backend.attacker) as sender:
        for segment in scan(range(1, 400)):
            sender.send(*map(ethernet, ipv4_fragments(segment, 3000 + segment.port)[1:]))
    any_backend.assert_nothing_more()


# What only those at the link see.


@contextmanager
def firewall(host: Namespace, hook: str, priority: str) -> Iterator[None]:
    """Drops all TCP that comes in."""
    host.run(tool("nft"), f"table inet wall {{ chain drops {{ type filter hook {hook} priority {priority}; "
                          "meta l4proto tcp drop; }; }")
    try:
        yield
    finally:
        host.run(tool("nft"), "delete", "table", "inet", "wall")


@pytest.mark.parametrize(("hook", "priority"), [("input", "filter"), ("prerouting", "raw")])
def test_probes_that_a_firewall_drops_are_seen(link_backend: Scene, hook: str, priority: str) -> None:
    with firewall(link_backend.target, hook, priority):
        link_backend.sender.send(scan())
        link_backend.sender.send(scan(**HERE_6))
        link_backend.log.wait_for_alerts(2)
    assert {link_backend.next_report(after=0), link_backend.next_report(after=1)} == {SCAN, SCAN_6}
    link_backend.assert_nothing_more(2)


@pytest.mark.parametrize(("hook", "priority"), [("input", "filter"), ("prerouting", "raw")])
def test_raw_sockets_are_behind_the_firewall_as_the_manual_says(
    idle_scene: Scene, hook: str, priority: str
) -> None:
    scene = started(idle_scene, "--backend", "raw")
    with firewall(scene.target, hook, priority):
        scene.sender.send(scan())
        scene.sender.send(scan(**HERE_6))
    scene.assert_nothing_more()


@pytest.mark.parametrize("tags", [
    ((DOT1Q, 100),), ((DOT1AD, 200), (DOT1Q, 100)), ((DOT1Q, 300), (DOT1Q, 200), (DOT1Q, 100)), ((DOT1Q, 0),),
])
def test_scans_behind_vlan_tags_are_seen(link_backend: Scene, tags: tuple[tuple[int, int], ...]) -> None:
    with FrameSender(link_backend.attacker) as sender:
        sender.send(*(ethernet(ipv4(segment), tags) for segment in scan()))
        sender.send(*(ethernet(segment.packet(), tags) for segment in scan(**HERE_6)))
        link_backend.log.wait_for_alerts(2)
    assert {link_backend.next_report(after=0), link_backend.next_report(after=1)} == {SCAN, SCAN_6}
    link_backend.assert_nothing_more(2)


LABEL, LAST_LABEL = bytes.fromhex("0001 0040"), bytes.fromhex("0002 0140")


@pytest.mark.parametrize("kind, before", [
    (0x8847, LAST_LABEL), (0x8847, LABEL + LABEL + LAST_LABEL), (0x8848, LAST_LABEL),
    (0x8909, bytes.fromhex("0101 0001 0005 0800")), (0x8100, bytes.fromhex("0064 8847") + LAST_LABEL),
], ids=["MPLS", "three labels", "MPLS multicast", "TrustSec", "MPLS in a VLAN"])
@pytest.mark.parametrize("size", [0, 8], ids=["whole", "fragments"])
def test_scans_behind_labels_and_security_tags_are_seen(
    link_backend: Scene, kind: int, before: bytes, size: int
) -> None:
    with FrameSender(link_backend.attacker) as sender:
        for number, segment in enumerate(scan()):
            for packet in ipv4_fragments(segment, number, size) if size else [ipv4(segment)]:
                frame = ethernet(packet)
                sender.send(frame[:12] + struct.pack("!H", kind) + before + frame[14:])
        link_backend.log.wait_for_alerts(1)
    report = link_backend.next_report(after=0)
    assert report == SCAN
    link_backend.assert_nothing_more(1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_established_data_is_ignored_also_where_no_filter_drops_it(idle_scene: Scene, backend: str) -> None:
    """But for acknowledgement scans: detector/test_kinds.py."""
    scene = started(idle_scene, "--backend", backend, "--kinds", "quick")
    scene.sender.send(scan(range(1, 100), flags=0x10))
    scene.sender.send(scan(range(1, 100), flags=0x18))
    scene.assert_nothing_more()


def damaged_frames(count: int, seed: int) -> Iterator[bytes]:
    """Frames of scans, whole and in fragments, with some bytes changed and cut short; and frames of nothing at all."""
    random = Random(seed)
    whole = [ethernet(ipv4(segment)) for segment in scan(source="10.77.0.66")]
    whole += [ethernet(segment.packet()) for segment in scan(**HERE_6)]
    whole += [ethernet(piece) for segment in scan(source="10.77.0.67") for piece in ipv4_fragments(segment, 7)]
    for number in range(count):
        if number % 4 == 0:
            yield whole[0][:12] + random.randbytes(random.randrange(2, 300))
            continue
        frame = bytearray(random.choice(whole))
        for _ in range(random.randrange(1, 6)):
            frame[random.randrange(12, len(frame))] = random.randrange(256)
        yield bytes(frame[:random.randrange(14, len(frame) + 1)])


def test_damaged_frames_do_no_harm(any_backend: Scene) -> None:
    seed = Random().randrange(1 << 32)
    print("seed", seed)
    with FrameSender(any_backend.attacker) as sender:
        sender.send(*damaged_frames(10_000, seed))
    time.sleep(0.3)
    any_backend.daemon.assert_running()
    # Of those that are whole some are scans; what they say can be anything, but each line is one.
    for text in any_backend.log.alerts():
        is_summary = text.startswith("More possible ") or "not logged" in text
        assert is_summary or is_of_other_kind(text) or read(text)
    assert any_backend.daemon.stop() == 0


# Time.


def test_a_scan_on_an_idle_link_is_logged_within_a_second(any_backend: Scene) -> None:
    time.sleep(0.5)
    any_backend.sender.send(scan(range(1, 41)))
    sent = time.time()
    any_backend.log.wait_for_alerts(1)
    report = next(message for message in any_backend.log.messages if message.level == 1)
    assert report.arrived - sent < 1


@pytest.mark.parametrize("may_enlarge", [True, False])
def test_raw_sockets_let_packets_gather_only_where_there_is_room(
    idle_scene: Scene, tmp_path: Path, may_enlarge: bool
) -> None:
    if int(Path("/proc/sys/net/core/rmem_max").read_text()) >= 8 << 20:
        pytest.skip("there is room for everybody here")
    calls = tmp_path / "calls"  # a file for each process: in one, a call can stand cut in two
    capabilities = [] if may_enlarge else [tool("setpriv"), "--bounding-set=-net_admin"]
    idle_scene.daemon.start("--backend", "raw", wrapper=[
        tool("strace"), "-D", "-ff", "-o", str(calls), "-e", "trace=poll,ppoll", *capabilities])
    idle_scene.sender.send(scan())
    idle_scene.expect(Report(ATTACKER, TARGET, LISTED, source_port=40000, tos=0, ttl=64))
    assert idle_scene.daemon.stop() == 0
    made = "".join(file.read_text() for file in tmp_path.glob("calls.*"))
    assert re.search(r"poll\(.*events=POLLIN", made)
    gathered = re.search(r"\bpoll\(.*, 5\)|ppoll\(.*tv_nsec=5000000\}", made)
    assert bool(gathered) == may_enlarge


@pytest.mark.long
def test_slow_probes_are_judged_by_their_own_times(idle_scene: Scene) -> None:
    """A backend that held them back until a block is full would see them all at once."""
    daemons = [Daemon(idle_scene.target) for _ in BACKENDS]
    try:
        for backend, daemon in zip(BACKENDS, daemons):
            pid_file = Path(f"/run/{backend}.pid")
            daemon.start("--backend", backend, "--kinds", "quick", "-P", pid_file, pid_file=pid_file)
        idle_scene.sender.send(scan((21, 22, 23, 25, 53, 80, 110, 143)), gap=3.6)
        idle_scene.sender.send(scan([443] * 3000, source="10.77.0.77"), gap=0.0002)
        idle_scene.sender.send(scan(source="10.77.0.98"))
        alerts = idle_scene.log.wait_for_alerts(len(BACKENDS))
        assert [text.split(":")[0] for text in alerts] == ["10.77.0.98"] * len(BACKENDS)
    finally:
        for daemon in daemons:
            if daemon.pid:
                daemon.stop()


# Which packets.


@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_what_the_host_sends_counts_only_when_asked_for(idle_scene: Scene, backend: str) -> None:
    outgoing = scan(source=TARGET, destination=ATTACKER)
    scene = started(idle_scene, "--backend", backend, "--direction", "in")
    with Sender(scene.target) as sender:
        sender.send(outgoing)
        scene.assert_nothing_more()
        for direction in ("both", "out"):
            scene.daemon.stop()
            started(scene, "--backend", backend, "--direction", direction)
            before = len(scene.log.alerts())
            sender.send(outgoing)
            assert scene.next_report(after=before) == Report(
                TARGET, ATTACKER, LISTED, source_port=40000, tos=0, ttl=64)


@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_frames_for_other_hosts_count_only_when_asked_for(idle_scene: Scene, backend: str) -> None:
    frames = [ethernet(ipv4(segment), destination="02:00:00:00:77:77") for segment in scan(destination="10.77.0.50")]
    with FrameSender(idle_scene.attacker) as sender:
        scene = started(idle_scene, "--backend", backend, "-i", "wire")
        sender.send(*frames)
        scene.assert_nothing_more()
        scene.daemon.stop()
        started(scene, "--backend", backend, "-i", "wire", "--promiscuous")
        sender.send(*frames)
        assert scene.next_report(after=1) == Report(ATTACKER, "10.77.0.50", LISTED, source_port=40000, tos=0, ttl=64)


@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_an_interface_that_is_not_named_is_not_watched(idle_scene: Scene, backend: str) -> None:
    scene = started(idle_scene, "--backend", backend, "-i", "lo")
    scene.sender.send(scan())
    time.sleep(0.3)
    scene.daemon.stop()
    assert not scene.log.alerts()


@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_an_interface_that_does_not_exist_is_refused(daemon: Daemon, backend: str) -> None:
    done = daemon.run("--backend", backend, "-i", "wire", "-i", "nothere0")
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("scanlogd: nothere0: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [("-i", "wire"), ("--direction", "both"), ("--promiscuous",)])
def test_raw_sockets_refuse_what_they_can_not_choose(daemon: Daemon, options: tuple[str, ...]) -> None:
    done = daemon.run("--backend", "raw", *options)
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith("scanlogd: --")


def test_more_interfaces_than_can_be_named_are_refused(daemon: Daemon) -> None:
    done = daemon.run(*(word for number in range(17) for word in ("-i", f"lo{number}")))
    assert (done.status, done.stderr.count("\n")) == (2, 1)
    assert "16" in done.stderr


@pytest.mark.parametrize("names", [("any", "wire"), ("nothere0", "any")], ids=" ".join)
def test_no_other_interface_is_named_with_any(daemon: Daemon, names: tuple[str, ...]) -> None:
    done = daemon.run(*(word for name in names for word in ("-i", name)))
    expected = "scanlogd: any: open interface: it stands for all; name no other with it\n"
    assert (done.status, done.stdout, done.stderr) == (2, "", expected)


# Interfaces that come and go.


@contextmanager
def second_wire(scene: Scene) -> Iterator[None]:
    """A wire `extra` between the hosts; who uses it may delete it."""
    make_second_wire(scene)
    try:
        yield
    finally:
        remove_second_wire(scene)


def make_second_wire(scene: Scene) -> None:
    scene.attacker.run("ip", "link", "add", "extra", "address", "02:00:00:00:78:01", "type", "veth",
                       "peer", "name", "extra", "address", "02:00:00:00:78:02", "netns", scene.target.name)
    for host in (scene.attacker, scene.target):
        host.run("ip", "link", "set", "extra", "up")


def remove_second_wire(scene: Scene) -> None:
    if "extra" in scene.attacker.run("ip", "-br", "link"):
        scene.attacker.run("ip", "link", "delete", "extra")


def scan_on_second_wire(scene: Scene, source: str) -> None:
    with FrameSender(scene.attacker, "extra") as sender:
        for segment in scan(source=source):
            sender.send(ethernet(ipv4(segment), destination="02:00:00:00:78:02"))


@pytest.mark.parametrize("options", [("-i", "extra"), ("-i", "extra", "-i", "lo"), ()])
@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_an_interface_made_anew_is_captured_from_again(
    idle_scene: Scene, backend: str, options: tuple[str, ...]
) -> None:
    with second_wire(idle_scene):
        scene = started(idle_scene, "--backend", backend, *options)
        scan_on_second_wire(scene, "10.77.0.21")
        assert scene.next_report().source == "10.77.0.21"
        remove_second_wire(scene)
        scene.log.wait_for_notice("extra: interface is gone")
        make_second_wire(scene)
        scene.log.wait_for_notice("extra: new interface")
        time.sleep(0.3)
        scan_on_second_wire(scene, "10.77.0.22")
        assert scene.next_report(after=1).source == "10.77.0.22"


@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_an_interface_that_goes_down_and_up_is_told_of(idle_scene: Scene, backend: str) -> None:
    with second_wire(idle_scene):
        scene = started(idle_scene, "--backend", backend, "-i", "extra")
        scene.target.run("ip", "link", "set", "extra", "down")
        scene.log.wait_for_notice("extra: interface is down")
        scene.target.run("ip", "link", "set", "extra", "up")
        scene.log.wait_for_notice("extra: interface is up")
        time.sleep(0.3)
        scan_on_second_wire(scene, "10.77.0.23")
        assert scene.next_report().source == "10.77.0.23"


@pytest.mark.parametrize("backend", AT_THE_LINK)
def test_an_interface_made_later_is_captured_from(idle_scene: Scene, backend: str) -> None:
    scene = started(idle_scene, "--backend", backend)
    with second_wire(scene):
        time.sleep(0.3)
        scan_on_second_wire(scene, "10.77.0.24")
        assert scene.next_report().source == "10.77.0.24"
