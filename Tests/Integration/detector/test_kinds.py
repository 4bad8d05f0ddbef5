"""Scans of other kinds than the quick one, live: what is refused is known from the host's own sockets."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from harness.daemon import wait_until
from harness.frames import FrameSender, ethernet, ipv4, udp
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from harness.packets import ACK, FIN, PSH, RST, SYN, Segment, scan
from harness.scene import Scene
from harness.visits import Services, visit

# Over 3 s: a pause that ends what the quick rule counts.
PAUSE = 3.3
CLOSED = (1, 3, 4, 6, 7, 9, 13, 17)


def started(scene: Scene, *options: object) -> Scene:
    scene.daemon.start(*options)
    scene.began = time.time()
    return scene


def lines_of(scene: Scene, kind: str, count: int = 1) -> list[str]:
    """The lines about scans of a kind, when there are so many; there are no others."""
    alerts = scene.log.wait_for_alerts(count)
    assert all(re.search(rf" {kind} ", line) for line in alerts), alerts
    assert len(alerts) == count, alerts
    return alerts


@contextmanager
def firewall(host: Namespace, verdict: str) -> Iterator[None]:
    """A firewall that drops, or rejects, everything."""
    host.run(tool("nft"), "add", "table", "inet", "kinds")
    try:
        host.run("nft", "add", "chain", "inet", "kinds", "in", "{ type filter hook input priority 0; policy drop; }")
        if verdict == "reject":
            host.run("nft", "add", "rule", "inet", "kinds", "in", "meta l4proto tcp reject with tcp reset")
            host.run("nft", "add", "rule", "inet", "kinds", "in", "reject with icmpx admin-prohibited")
        yield
    finally:
        host.run("nft", "delete", "table", "inet", "kinds")


@pytest.fixture(params=[None, "drop", "reject"], ids=["answers", "drop", "reject"])
def behind(request: pytest.FixtureRequest, idle_scene: Scene) -> Iterator[Scene]:
    """A host that refuses, and those whose firewall drops or rejects: it makes no difference."""
    with ExitStack() as stack:
        if request.param:
            stack.enter_context(firewall(idle_scene.target, request.param))
        yield started(idle_scene)


# Found.


@pytest.mark.parametrize("backend", ["ring", "raw", "pcap", "nids"])
def test_a_scan_with_a_pause_is_found(idle_scene: Scene, backend: str) -> None:
    scene = started(idle_scene, "--backend", backend)
    scene.sender.send(scan(CLOSED[:6]))
    time.sleep(PAUSE)
    scene.sender.send(scan(CLOSED[6:]))
    (line,) = lines_of(scene, "slow")
    assert re.fullmatch(
        rf"{ATTACKER}:40000 to {TARGET} slow ports 1, 3, 4, 6, 7, 9, 13, \.\.\., [34] s, fSrpauxy, TOS 00, TTL 64 @.*", line)


def test_a_scan_of_open_ports_that_resets_each_connection_is_found(idle_scene: Scene) -> None:
    """Eight of its ports are open; who closes well is a client of theirs, who resets at once is none."""
    with ExitStack() as stack:
        for port in CLOSED:
            stack.enter_context(idle_scene.target.listener(port))
        scene = started(idle_scene)
        for number, port in enumerate(CLOSED):
            if number == 5:
                time.sleep(PAUSE)
            scene.sender.send([Segment(port, SYN), Segment(port, RST)])
        lines_of(scene, "slow")


@pytest.mark.parametrize(("options", "kind"), [
    (("-sU", "-p", "68,161,520,626,1027,1645,1812,2049"), "udp"), (("-sA", "-p", "1,3,4,6,7,9,13,17"), "ack"),
    (("-sW", "-p", "1,3,4,6,7,9,13,17"), "ack"), (("-sM", "-p", "1,3,4,6,7,9,13,17"), "ack"),
    (("-sO", "-p", "142,198,228,11,99,72,200"), "protocols"), (("-sY", "-p", "7,9,20,21,22,80,179,443"), "sctp"),
    (("-sZ", "-p", "7,9,20,21,22,80,179,443"), "sctp"),
])
def test_nmap_is_found_whether_or_not_it_is_answered(behind: Scene, options: tuple[str, ...], kind: str) -> None:
    behind.attacker.run(tool("nmap"), "-n", "-Pn", "--max-retries", 0, "--host-timeout", "20s", "--min-rate", 20,
                        *options, TARGET)
    (line,) = lines_of(behind, kind)
    assert line.startswith(f"{ATTACKER} to {TARGET} {kind} ") or kind == "sctp", line


@pytest.mark.parametrize(("options", "kind"), [
    (("-sU", "-p", "68,161,520,626,1027,1645,1812,2049"), "udp"), (("-sA", "-p", "1,3,4,6,7,9,13,17"), "ack")])
def test_nmap_is_found_over_ipv6(idle_scene: Scene, options: tuple[str, ...], kind: str) -> None:
    scene = started(idle_scene)
    scene.attacker.run(tool("nmap"), "-6", "-n", "-Pn", "--max-retries", 0, "--host-timeout", "20s", "--min-rate", 20,
                       *options, TARGET_6)
    (line,) = lines_of(scene, kind)
    assert line.startswith(f"{ATTACKER_6} to {TARGET_6} {kind} "), line


@pytest.mark.parametrize("backend", ["pcap", "nids"])
@pytest.mark.parametrize(("options", "kind"), [
    (("-sU", "-p", "68,161,520,626,1027,1645,1812,2049"), "udp"), (("-sA", "-p", "1,3,4,6,7,9,13,17"), "ack"),
    (("-sO", "-p", "142,198,228,11,99,72,200"), "protocols"), (("-sY", "-p", "7,9,20,21,22,80,179,443"), "sctp")])
def test_libpcap_sees_the_same(
    idle_scene: Scene, backend: str, options: tuple[str, ...], kind: str
) -> None:
    scene = started(idle_scene, "--backend", backend)
    scene.attacker.run(tool("nmap"), "-n", "-Pn", "--max-retries", 0, "--host-timeout", "20s", *options, TARGET)
    lines_of(scene, kind)


def test_addresses_of_one_64_that_share_a_scan_are_found(idle_scene: Scene) -> None:
    scene = started(idle_scene)
    for number, port in enumerate(CLOSED):
        scene.sender.send([Segment(port, source=f"fd77:0:0:aa::{number % 4 + 1}", destination=TARGET_6)])
    (line,) = lines_of(scene, "spread")
    assert line.startswith(f"fd77:0:0:aa::/64 to {TARGET_6} spread ports 1, 3, 4, 6"), line


def test_a_sweep_is_found_where_more_than_one_host_is_seen(idle_scene: Scene) -> None:
    scene = started(idle_scene, "--promiscuous")
    with FrameSender(scene.attacker) as sender:
        sender.send(*(ethernet(ipv4(Segment(445, destination=f"10.77.0.{number}"))) for number in range(20, 52)))
    (line,) = lines_of(scene, "sweep")
    assert re.search(r" sweep port 445, \d+ hosts, ", line), line


def test_kinds_are_chosen(idle_scene: Scene) -> None:
    scene = started(idle_scene, "--kinds", "quick,udp")
    scene.sender.send(scan(CLOSED[:6]))
    time.sleep(PAUSE)
    scene.sender.send(scan(CLOSED[6:]))
    scene.assert_nothing_more()


# Silent.


@pytest.fixture
def services(target: Namespace) -> Iterator[Services]:
    services = Services(target)
    yield services
    services.close()


@pytest.mark.parametrize("abort", [False, True], ids=["closes", "aborts"])
def test_a_monitor_of_thirteen_services_is_silent(idle_scene: Scene, services: Services, abort: bool) -> None:
    scene = started(idle_scene)
    ports = services.open(*range(100, 113))
    for number, port in enumerate(ports):
        visit(scene.attacker, TARGET, port, abort)
        if number % 6 == 5:
            time.sleep(PAUSE)
    scene.assert_nothing_more()


def test_a_service_that_starts_later_is_known(idle_scene: Scene, services: Services) -> None:
    scene = started(idle_scene)
    scene.sender.send(scan(CLOSED[:1]))
    time.sleep(PAUSE)
    for number, port in enumerate(services.open(*range(100, 113))):
        visit(scene.attacker, TARGET, port)
        if number % 6 == 5:
            time.sleep(PAUSE)
    scene.assert_nothing_more()


def test_an_address_that_comes_later_is_known(idle_scene: Scene, services: Services) -> None:
    scene = started(idle_scene)
    scene.target.run("ip", "address", "add", "10.77.0.77/24", "dev", "wire")
    try:
        ports = services.open(*range(100, 113))
        for number, port in enumerate(ports):
            visit(scene.attacker, "10.77.0.77", port)
            if number % 6 == 5:
                time.sleep(PAUSE)
        scene.assert_nothing_more()
    finally:
        scene.target.run("ip", "address", "del", "10.77.0.77/24", "dev", "wire")


@pytest.mark.long
def test_sixty_files_of_passive_ftp_are_silent(idle_scene: Scene, services: Services) -> None:
    """Each from a port that the kernel chose, of which the socket is gone when anybody could look."""
    scene = started(idle_scene)
    for number in range(60):
        passive = Services(scene.target)
        (port,) = passive.open(0)
        assert port >= 32768
        visit(scene.attacker, TARGET, port)
        passive.close()
        time.sleep(PAUSE if number % 20 == 5 else 0.2)
    scene.assert_nothing_more()


def test_office_clients_that_meet_some_closed_ports_are_silent(idle_scene: Scene, services: Services) -> None:
    scene = started(idle_scene)
    open_ports = services.open(22, 25, 80, 110, 143, 443, 993)
    for number, port in enumerate([*open_ports[:4], 88, 389, *open_ports[4:], 445, 3268]):
        if port in open_ports:
            visit(scene.attacker, TARGET, port)
        else:
            scene.sender.send([Segment(port)])
        if number == 5:
            time.sleep(PAUSE)
    scene.assert_nothing_more()


INNER, INNER_GATE = "10.99.0.2", "10.99.0.1"
PUBLISHED = range(100, 113)


@contextmanager
def container(host: Namespace) -> Iterator[Namespace]:
    """A host behind a bridge of the target's, as container engines make them: its clients go out under the target's
    address, and some ports of the target lead to it without a socket."""
    inner = Namespace("inner")
    subprocess.run(["ip", "netns", "add", inner.name], check=True, timeout=10)
    try:
        host.run("ip", "link", "add", "bridge0", "type", "bridge")
        host.run("ip", "link", "add", "outer", "type", "veth", "peer", "name", "inner", "netns", inner.name)
        host.run("ip", "link", "set", "outer", "master", "bridge0", "up")
        host.run("ip", "address", "add", f"{INNER_GATE}/24", "dev", "bridge0")
        host.run("ip", "link", "set", "bridge0", "up")
        inner.run("ip", "link", "set", "inner", "up")
        inner.run("ip", "address", "add", f"{INNER}/24", "dev", "inner")
        inner.run("ip", "route", "add", "default", "via", INNER_GATE)
        host.run("sysctl", "-q", "net.ipv4.ip_forward=1")
        host.run(tool("nft"), f"""
            add table ip container
            add chain ip container before {{ type nat hook prerouting priority -100; }}
            add chain ip container after {{ type nat hook postrouting priority 100; }}
            add rule ip container before iifname "wire" tcp dport {PUBLISHED[0]}-{PUBLISHED[-1]} dnat to {INNER}
            add rule ip container after oifname "wire" masquerade
            """)
        yield inner
    finally:
        for words in (("nft", "delete", "table", "ip", "container"), ("ip", "link", "del", "bridge0"),
                      ("ip", "link", "del", "outer"), ("sysctl", "-q", "net.ipv4.ip_forward=0")):
            subprocess.run(host.command(*words), check=False, capture_output=True, timeout=10)
        subprocess.run(["ip", "netns", "del", inner.name], check=True, timeout=10)


def test_ports_that_lead_to_a_container_are_open(idle_scene: Scene) -> None:
    with container(idle_scene.target) as inner:
        services = Services(inner)
        scene = started(idle_scene)
        try:
            services.open(*PUBLISHED)
            for number, port in enumerate(PUBLISHED):
                visit(scene.attacker, TARGET, port)
                if number % 6 == 5:
                    time.sleep(PAUSE)
            scene.assert_nothing_more()
        finally:
            services.close()


def test_the_clients_of_a_container_are_none_who_scan(idle_scene: Scene) -> None:
    """The answers go to another address than theirs, that of the host."""
    with container(idle_scene.target) as inner:
        services = Services(idle_scene.attacker)
        scene = started(idle_scene)
        try:
            services.open(*PUBLISHED)
            for number, port in enumerate(PUBLISHED):
                visit(inner, ATTACKER, port)
                if number % 6 == 5:
                    time.sleep(PAUSE)
            scene.assert_nothing_more()
        finally:
            services.close()


def udp_frames(count: int, destination_port: int, source_port: int = 40000) -> list[bytes]:
    return [ethernet(udp(destination_port, source_port, data=bytes(100)))] * count


@contextmanager
def udp_socket(host: Namespace, port: int) -> Iterator[None]:
    with host.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", port))
        yield


@pytest.mark.parametrize("backend", ["ring", "pcap", "nids"])
def test_busy_udp_and_tcp_services_never_wake_it(idle_scene: Scene, services: Services, backend: str) -> None:
    """The filter lets none of their packets through, but while a service is new."""
    with udp_socket(idle_scene.target, 53), udp_socket(idle_scene.target, 443):
        services.open(80)
        scene = started(idle_scene, "--backend", backend)
        before = scene.status()
        with FrameSender(scene.attacker) as sender:
            for port in (53, 443):
                sender.send(*udp_frames(2000, port))
            # Answers to this host's clients, and what is for ports of clients.
            sender.send(*udp_frames(500, 5353, source_port=53), *udp_frames(500, 40001))
        scene.sender.send([Segment(80, ACK), Segment(80, ACK | PSH)] * 1000)
        scene.sender.send([Segment(33000, ACK), Segment(33000, ACK | PSH)] * 500)
        time.sleep(0.3)
        after = scene.status()
    assert after["packets"] - before["packets"] == 0, (before, after)
    scene.assert_nothing_more()


@pytest.mark.parametrize("backend", ["ring", "pcap", "nids"])
def test_a_udp_service_that_starts_later_wakes_it_for_a_second(idle_scene: Scene, backend: str) -> None:
    scene = started(idle_scene, "--backend", backend)
    with udp_socket(scene.target, 53), FrameSender(scene.attacker) as sender:
        time.sleep(1.1)
        sender.send(*udp_frames(1, 53))
        wait_until(lambda: scene.status()["packets"] == 1, "the first is not counted")
        time.sleep(0.2)
        sender.send(*udp_frames(2000, 53))
        time.sleep(0.3)
        assert scene.status()["packets"] == 1
    scene.assert_nothing_more()


@pytest.mark.parametrize(("source_ports", "destination_ports"), [
    pytest.param([53], range(20000, 20030), id="late DNS answers"),
    pytest.param([123], [123], id="NTP"),
    pytest.param(range(45000, 45030), [6881], id="DHT"),
    pytest.param([50000], range(33434, 33464), id="traceroute"),
    pytest.param([500, 4500], [500, 4500], id="IKE"),
    pytest.param([67, 68], [67, 68], id="DHCP"),
])
def test_udp_that_is_no_scan_is_silent(
    idle_scene: Scene, source_ports: list[int], destination_ports: list[int]
) -> None:
    scene = started(idle_scene)
    with FrameSender(scene.attacker) as sender:
        for source_port in source_ports:
            for port in destination_ports:
                sender.send(*udp_frames(1, port, source_port))
        scene.assert_nothing_more()


def test_udp_to_groups_and_to_all_is_silent(idle_scene: Scene) -> None:
    """mDNS, SSDP, NetBIOS and others, to ports that are closed here."""
    scene = started(idle_scene)
    with FrameSender(scene.attacker) as sender:
        for port in (137, 138, 5353, 1900, 5355, 3702, 17500):
            for destination in ("224.0.0.251", "10.77.0.255", "255.255.255.255"):
                sender.send(ethernet(udp(port, port, destination)))
        scene.assert_nothing_more()


def test_ends_of_connections_that_the_host_opened_are_silent(idle_scene: Scene) -> None:
    """From privileged ports, as NFS: what comes after the socket is gone is no acknowledgement scan."""
    scene = started(idle_scene)
    for port in range(900, 912):
        scene.sender.send([
            Segment(port, SYN | ACK, source_port=2049), Segment(port, ACK, source_port=2049),
            Segment(port, ACK | PSH, source_port=2049), Segment(port, FIN | ACK, source_port=2049)])
    scene.assert_nothing_more()


# Said.


def test_the_status_says_how_far_the_memory_reaches(idle_scene: Scene) -> None:
    scene = started(idle_scene)
    scene.sender.send(scan(CLOSED[:2]))
    status = scene.status()
    assert status["slow memory"] > 0 and status["slow sources put out"] == 0, status


def test_without_other_kinds_the_status_does_not_speak_of_them(idle_scene: Scene) -> None:
    scene = started(idle_scene, "--kinds", "quick")
    assert "slow memory" not in scene.status()


def test_kinds_that_a_backend_does_not_see_are_refused(idle_scene: Scene) -> None:
    done = idle_scene.daemon.run("--backend", "raw", "--kinds", "udp")
    assert (done.status, done.stderr) == (2, "scanlogd: raw: --kinds: this backend does not see all of these\n")


# The host's own answers.


@pytest.mark.parametrize("backend", ["ring", "pcap", "nids"])
@pytest.mark.parametrize("answers", [False, True], ids=["unseen", "seen"])
def test_health_checks_of_a_container_need_its_answers(idle_scene: Scene, backend: str, answers: bool) -> None:
    """Who aborts each connection leaves no other sign that it was accepted."""
    with container(idle_scene.target) as inner:
        services = Services(inner)
        scene = started(idle_scene, "--backend", backend, *(["--answers"] if answers else []))
        try:
            services.open(*PUBLISHED)
            for number, port in enumerate(PUBLISHED):
                visit(scene.attacker, TARGET, port, abort=True)
                if number % 6 == 5:
                    time.sleep(PAUSE)
            if answers:
                # The quick rule may see seven of them within three seconds, if the machine is slow.
                scene.assert_nothing_more()
            else:
                lines_of(scene, "slow")
        finally:
            services.close()


@pytest.mark.parametrize("backend", ["ring", "pcap", "nids"])
def test_with_answers_the_host_and_its_clients_are_none_who_scan(
    idle_scene: Scene, services: Services, backend: str
) -> None:
    """What leaves and is no answer does not even wake it."""
    there = Services(idle_scene.attacker)
    try:
        there.open(*PUBLISHED)
        scene = started(idle_scene, "--backend", backend, "--answers")
        with FrameSender(scene.target) as sender:
            before = scene.status()["packets"]
            for port in range(1, 30):
                sender.send(ethernet(ipv4(Segment(port, source=TARGET, destination="10.77.0.99"))))
                sender.send(ethernet(udp(port, 40000, "10.77.0.99", source=TARGET)))
            time.sleep(0.3)
            assert scene.status()["packets"] == before
        for port in PUBLISHED:
            visit(scene.target, ATTACKER, port)
        scene.assert_nothing_more()
    finally:
        there.close()


@pytest.mark.parametrize("backend", ["ring", "pcap", "nids"])
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_refusals_tell_of_more_ports_than_a_filter_holds(idle_scene: Scene, backend: str, family: str) -> None:
    """More than 64 open UDP ports and TCP ports: what is for closed ones does not pass, but the answers do."""
    is6 = family == "ipv6"
    with ExitStack() as stack:
        # Or the errors that the test before it asked for may count.
        stack.enter_context(idle_scene.target.setting("net.ipv4.icmp_ratelimit", 0))
        stack.enter_context(idle_scene.target.setting("net.ipv6.icmp.ratelimit", 0))
        for port in range(2000, 2070):
            stack.enter_context(udp_socket(idle_scene.target, port))
            stack.enter_context(idle_scene.target.listener(port))
        scene = started(idle_scene, "--backend", backend, "--answers")
        scene.attacker.run(
            tool("nmap"), *(["-6"] if is6 else []), "-n", "-Pn", "-sU", "--max-retries", 0, "--host-timeout", "20s",
            "--max-rate", 20, "-p", "68,161,520,626,1027,1645,1812,2049", TARGET_6 if is6 else TARGET)
        (line,) = lines_of(scene, "udp")
        assert line.startswith(f"{ATTACKER_6 if is6 else ATTACKER} to {TARGET_6 if is6 else TARGET} udp "), line
        scene.attacker.run(
            tool("nmap"), *(["-6"] if is6 else []), "-n", "-Pn", "-sA", "--max-retries", 0, "--host-timeout", "20s",
            "-p", "1,3,4,6,7,9,13,17", TARGET_6 if is6 else TARGET)
        alerts = scene.log.wait_for_alerts(2)
        assert any(" ack ports " in line for line in alerts), alerts


# The quick rule by answers.


@pytest.mark.parametrize("backend", ["ring", "raw", "pcap", "nids"])
@pytest.mark.parametrize("rule", ["touches", "answers"])
def test_passive_ftp_in_a_hurry_is_silent_by_answers(
    idle_scene: Scene, services: Services, backend: str, rule: str
) -> None:
    scene = started(idle_scene, "--backend", backend, "--rule", rule)
    for _ in range(60):
        passive = Services(scene.target)
        (port,) = passive.open(0)
        visit(scene.attacker, TARGET, port)
        passive.close()
    if rule == "answers":
        scene.assert_nothing_more()
    else:
        (line,) = scene.log.wait_for_alerts(1)
        assert " ports " in line and "slow" not in line, line


@pytest.mark.parametrize("rule", ["touches", "answers"])
def test_an_office_that_starts_all_its_programs_is_silent_by_answers(
    idle_scene: Scene, services: Services, rule: str
) -> None:
    scene = started(idle_scene, "--rule", rule)
    for port in services.open(*range(100, 113)):
        visit(scene.attacker, TARGET, port)
    if rule == "answers":
        scene.assert_nothing_more()
    else:
        scene.log.wait_for_alerts(1)


@pytest.mark.parametrize(("backend", "family", "ports"), [
    ("ring", "ipv4", range(40000, 40022)), ("ring", "ipv6", CLOSED), ("raw", "ipv4", CLOSED), ("pcap", "ipv4", CLOSED)])
def test_by_answers_a_quick_scan_gets_the_same_line(
    idle_scene: Scene, backend: str, family: str, ports: list[int]
) -> None:
    """Also one of ports that clients are served at; and it is reported again after a pause, as ever."""
    lines: list[list[str]] = []
    addresses = {"source": ATTACKER_6, "destination": TARGET_6} if family == "ipv6" else {}
    for rule in ("touches", "answers"):
        scene = started(idle_scene, "--backend", backend, "--rule", rule)
        lines.append([])
        scene.sender.send([Segment(port, **addresses) for port in ports])
        time.sleep(PAUSE)
        scene.sender.send([Segment(port, **addresses) for port in ports])
        alerts = scene.log.wait_for_alerts(2 * len(lines))[-2:]
        lines[-1] += [line.partition(" @")[0] for line in alerts]
        scene.daemon.stop()
    assert lines[0] == lines[1] and len(lines[0]) == 2, lines


def test_by_answers_names_that_are_no_rule_are_refused(idle_scene: Scene) -> None:
    done = idle_scene.daemon.run("--rule", "guess")
    assert done.status == 2 and "guess: --rule: must be touches or answers" in done.stderr, done
