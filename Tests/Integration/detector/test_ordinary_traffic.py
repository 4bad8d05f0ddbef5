"""Ordinary traffic of a small server and its clients, with all kinds on, for as long as ORDINARY_SECONDS says: an hour in
`make soak`, a short while without it. None of it is a scan of another kind than the quick one, whose rule is what it is."""

import os
import random
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from harness.frames import FrameSender, ethernet, udp
from harness.network import ATTACKER, TARGET, Namespace
from harness.packets import Segment
from harness.scene import Scene
from harness.visits import Services, visit

pytestmark = pytest.mark.busy

SECONDS = float(os.environ.get("ORDINARY_SECONDS", "15"))
SEED = int(os.environ.get("SCANLOGD_TEST_SEED", time.time_ns() % 1_000_000))

WEB, MAIL, SSH, DNS, NTP, PEERS, BACKUP = (80, 443), (25, 110, 143, 587, 993), 22, 53, 123, 6881, 873
# What clients try although nobody serves it: encrypted mail of another age, a proxy, a directory.
UNSERVED = (465, 995, 8080)
# What is said of other kinds: the quick rule names some of these clients, as it always has.
OTHER = re.compile(r" (slow|spread|udp|ack|sctp) ports | sweep | protocols |scans? of other kinds|other scans?\b")
CLIENTS = [f"10.77.0.{number}" for number in range(100, 140)]


@contextmanager
def answering(host: Namespace, port: int) -> Iterator[None]:
    """A UDP service, which answers each datagram."""
    with host.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", port))
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    request, client = server.recvfrom(2000)
                    server.sendto(request, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class Traffic:
    """The actors: each is one exchange of a client with the host, or of the host with others."""

    def __init__(self, scene: Scene, there: Services, choose: random.Random) -> None:
        self._scene = scene
        self._there = there
        self._choose = choose
        self._frames = FrameSender(scene.attacker)
        self.done: dict[str, int] = {}

    def close(self) -> None:
        self._frames.close()

    def step(self) -> None:
        actors: list[tuple[Callable[[], None], int]] = [
            (self.web, 40), (self.mail, 8), (self.unserved, 1), (self.login, 3), (self.transfer, 4), (self.monitor, 1),
            (self.name, 30), (self.late_name, 3), (self.clock, 3), (self.peer, 10), (self.own, 20),
            (self.own_refused, 4), (self.backup, 1), (self.discovery, 3), (self.trace, 1)]
        (actor,) = self._choose.choices([actor for actor, _ in actors], [weight for _, weight in actors])
        actor()
        self.done[actor.__name__] = self.done.get(actor.__name__, 0) + 1

    def _client(self) -> str:
        return self._choose.choice(CLIENTS)

    def web(self) -> None:
        client = self._client()
        for _ in range(self._choose.randint(1, 6)):
            visit(self._scene.attacker, TARGET, self._choose.choice(WEB), source=client)

    def mail(self) -> None:
        visit(self._scene.attacker, TARGET, self._choose.choice(MAIL), source=self._client())

    def unserved(self) -> None:
        """A client set up wrongly, and no more than three ports are."""
        with self._scene.attacker.open_socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.bind((self._client(), 0))
            with pytest.raises(ConnectionRefusedError):
                client.connect((TARGET, self._choose.choice(UNSERVED)))

    def login(self) -> None:
        visit(self._scene.attacker, TARGET, SSH, source=self._client())

    def transfer(self) -> None:
        """Files of a passive FTP session, each from a port of its own."""
        client = self._client()
        visit(self._scene.attacker, TARGET, 21, source=client)
        for _ in range(self._choose.randint(1, 8)):
            with Services(self._scene.target) as passive:
                (port,) = passive.open(0)
                visit(self._scene.attacker, TARGET, port, source=client)

    def monitor(self) -> None:
        """Checks all services, one of which it aborts."""
        for port in (*WEB, *MAIL, SSH, 21, BACKUP):
            visit(self._scene.attacker, TARGET, port, abort=port == SSH, source=CLIENTS[0])

    def _ask(self, host: Namespace, server: str, port: int, source: str | None = None, own_port: int = 0) -> None:
        with host.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.bind((source or "", own_port))
            client.sendto(b"question", (server, port))
            client.recvfrom(2000)

    def name(self) -> None:
        self._ask(self._scene.attacker, TARGET, DNS, self._client())

    def late_name(self) -> None:
        """The answer to a question that is no longer waited for."""
        self._frames.send(ethernet(udp(self._choose.randint(1024, 60_999), DNS, source=self._client())))

    def clock(self) -> None:
        self._ask(self._scene.attacker, TARGET, NTP, self._client(), own_port=NTP)

    def peer(self) -> None:
        """File sharing: many strangers, one port of TCP and UDP."""
        if self._choose.random() < 0.5:
            visit(self._scene.attacker, TARGET, PEERS, source=self._client())
        else:
            self._ask(self._scene.attacker, TARGET, PEERS, self._client())

    def own(self) -> None:
        """The host is a client of others, on many ports."""
        visit(self._scene.target, ATTACKER, self._choose.randint(2000, 2039))

    def own_refused(self) -> None:
        with self._scene.target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            with pytest.raises(ConnectionRefusedError):
                client.connect((ATTACKER, self._choose.randint(3000, 3100)))

    def backup(self) -> None:
        with self._scene.attacker.open_socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.bind((CLIENTS[1], 0))
            client.settimeout(5)
            client.connect((TARGET, BACKUP))
            client.recv(100)
            with suppress(ConnectionError):
                client.sendall(bytes(500_000))

    def discovery(self) -> None:
        for port, group in ((5353, "224.0.0.251"), (1900, "239.255.255.250"), (137, "10.77.0.255")):
            self._frames.send(ethernet(udp(port, port, group, source=self._client())))

    def trace(self) -> None:
        """traceroute(8) to the host."""
        client = self._client()
        for port in range(33434, 33440):
            self._frames.send(ethernet(udp(port, 45_000, source=client)))


def test_ordinary_traffic_is_no_scan_of_another_kind(idle_scene: Scene) -> None:
    signal.alarm(int(SECONDS) + 120)
    scene = idle_scene
    choose = random.Random(SEED)
    for client in CLIENTS:
        scene.attacker.run("ip", "address", "add", f"{client}/24", "dev", "wire")
    with ExitStack() as stack:
        for port in (DNS, NTP, PEERS):
            stack.enter_context(answering(scene.target, port))
        here = stack.enter_context(Services(scene.target))
        here.open(*WEB, *MAIL, SSH, 21, PEERS, BACKUP)
        there = stack.enter_context(Services(scene.attacker))
        there.open(*range(2000, 2040))
        scene.start()
        traffic = Traffic(scene, there, choose)
        stack.callback(traffic.close)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            traffic.step()
            time.sleep(choose.expovariate(1 / 0.03))
        assert len(traffic.done) >= 12 or SECONDS < 60, traffic.done
        time.sleep(1)
        others = [line for line in scene.log.alerts() if OTHER.search(line)]
        assert others == [], f"SCANLOGD_TEST_SEED={SEED}, {traffic.done}"
        # And it still sees them.
        scene.sender.send([Segment(port, source="10.77.0.91") for port in (1, 3, 4, 6, 7)])
        time.sleep(3.3)
        scene.sender.send([Segment(port, source="10.77.0.91") for port in (9, 13)])
        slow = re.compile(r"10\.77\.0\.91\S* to \S+ slow ")
        scene.log.wait_for(lambda texts: any(slow.match(text) for text in texts), "the slow scan")
