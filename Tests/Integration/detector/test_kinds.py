"""Scans of other kinds than the quick one, live: what is refused is known from the host's own sockets."""

import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from harness.daemon import wait_until
from harness.frames import FrameSender, ethernet, ipv4, udp
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from harness.packets import ACK, FIN, PSH, RST, SYN, Segment, scan
from harness.scene import Scene

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
def dropping(host: Namespace) -> Iterator[None]:
    """A firewall that drops what is new."""
    host.run(tool("nft"), "add", "table", "inet", "kinds")
    try:
        host.run("nft", "add", "chain", "inet", "kinds", "in", "{ type filter hook input priority 0; policy drop; }")
        yield
    finally:
        host.run("nft", "delete", "table", "inet", "kinds")


@pytest.fixture(params=[False, True], ids=["answers", "firewall"])
def behind(request: pytest.FixtureRequest, idle_scene: Scene) -> Iterator[Scene]:
    """A host that refuses, and one whose firewall drops: it makes no difference."""
    with ExitStack() as stack:
        if request.param:
            stack.enter_context(dropping(idle_scene.target))
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
    (("-sU", "-p", "68,520,626,1027,1645"), "udp"), (("-sA", "-p", "1,3,4,6,7,9,13,17"), "ack"),
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
    (("-sU", "-p", "68,520,626,1027,1645"), "udp"), (("-sA", "-p", "1,3,4,6,7,9,13,17"), "ack")])
def test_nmap_is_found_over_ipv6(idle_scene: Scene, options: tuple[str, ...], kind: str) -> None:
    scene = started(idle_scene)
    scene.attacker.run(tool("nmap"), "-6", "-n", "-Pn", "--max-retries", 0, "--host-timeout", "20s", "--min-rate", 20,
                       *options, TARGET_6)
    (line,) = lines_of(scene, kind)
    assert line.startswith(f"{ATTACKER_6} to {TARGET_6} {kind} "), line


@pytest.mark.parametrize("backend", ["pcap", "nids"])
@pytest.mark.parametrize(("options", "kind"), [
    (("-sU", "-p", "68,520,626,1027,1645"), "udp"), (("-sA", "-p", "1,3,4,6,7,9,13,17"), "ack"),
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


class Services:
    """TCP services that take connections and answer them, as many as wanted."""

    def __init__(self, host: Namespace) -> None:
        self._host = host
        self._listeners: list[socket.socket] = []

    def open(self, *ports: int, family: socket.AddressFamily = socket.AF_INET) -> list[int]:
        new = [self._host.listener(port, family) for port in ports]
        self._listeners += new
        for listener in new:
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        return [listener.getsockname()[1] for listener in new]

    @staticmethod
    def _serve(listener: socket.socket) -> None:
        try:
            while True:
                served, _ = listener.accept()
                with served:
                    served.sendall(b"an answer\n")
                    served.recv(100)
        except OSError:
            return

    def close(self) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@pytest.fixture
def services(target: Namespace) -> Iterator[Services]:
    services = Services(target)
    yield services
    services.close()


def visit(host: Namespace, address: str, port: int, abort: bool = False) -> None:
    """A client, who closes well, or in the way that a health check does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.open_socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect((address, port))
        assert connection.recv(100) == b"an answer\n"
        if abort:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


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
