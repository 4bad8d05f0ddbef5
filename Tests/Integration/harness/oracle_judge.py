"""What the kernel answered, and whom each backend named: the judge of the recipes of oracle_recipes.py."""

import errno
import re
import signal
import socket
import struct
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .daemon import Daemon, finish, sweep, wait_until
from .frames import IPV4, IPV6
from .lines import read
from .network import ATTACKER, ATTACKER_6, ATTACKER_MAC, TARGET_MAC, build
from .oracle_packets import TARGET_VLAN
from .oracle_recipes import HIGH_PORTS, PRIVILEGED_END, THRESHOLD, Recipe, weight
from .packets import ACK, RST, SYN

# Each batch is named in one log: five reports, and as many sources as the lines of a summary hold.
BATCH = 40

WIRES = ("wire", "wire2")

# What Python has no names for: SOL_PACKET, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE.
_SOL_PACKET, _IGNORE_OUTGOING, _RCVBUFFORCE = 263, 23, 33
# Longer than any backend holds a packet back.
_SETTLE = 0.08
# What is waited after each frame, so that no buffer is full.
_PAUSE = 0.00005
_STATUS = "scanlogd: status: "
_ADDRESS = re.compile(r"(?<= )[0-9a-f]*[:.][0-9a-f:.]*(?=[, ]|$)")


@dataclass(frozen=True)
class Verdict:
    """What became of a recipe."""

    recipe: Recipe
    # The ports that were answered in a way that says: the probe had neither ACK nor RST.
    answered: frozenset[int]
    acknowledged: frozenset[tuple[int, int]]
    missed_by: frozenset[str]
    seconds: float

    @property
    def is_scan(self) -> bool:
        return weight(self.answered) >= THRESHOLD


@dataclass(frozen=True)
class Answer:
    """A segment that came back to a scanner, from the port that was probed to the port it was probed from."""

    scanner: str
    port: int
    source_port: int
    flags: int

    @property
    def is_to_a_probe(self) -> bool:
        """A host sets ACK in the answer only to what had none (RFC 9293, section 3.10.7), and answers no RST."""
        return self.flags & (SYN | RST) != 0 and self.flags & ACK != 0


def read_answer(frame: bytes) -> Answer | None:
    kind, = struct.unpack_from("!H", frame, 12)
    if kind == IPV4 and frame[23] == socket.IPPROTO_TCP:
        scanner, segment = socket.inet_ntoa(frame[30:34]), frame[14 + (frame[14] & 15) * 4:]
    elif kind == IPV6 and frame[20] == socket.IPPROTO_TCP:
        scanner, segment = socket.inet_ntop(socket.AF_INET6, frame[38:54]), frame[54:]
    else:
        return None
    port, source_port = struct.unpack_from("!HH", segment)
    return Answer(scanner, port, source_port, segment[13])


class Hosts:
    """An attacker that can be anybody, and a target with open and closed ports, in namespaces of their own."""

    def __init__(self) -> None:
        self.attacker, self.target = build("oracle-")
        self.mtu = 1500
        self._add_links()
        self._open_routes()
        self._raise_limits()
        self._listeners = [self._listener(port) for port in open_ports()]
        self._senders = [self.attacker.open_socket(socket.AF_PACKET, socket.SOCK_RAW) for _ in WIRES]
        self._answers = self.attacker.open_socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        with self.attacker.entered():
            for sender, wire in zip(self._senders, WIRES, strict=True):
                sender.bind((wire, 0))
            self._answers.bind((WIRES[0], 3))
        self._answers.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        self._answers.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 64 << 20)
        self._answers.setblocking(False)

    def close(self) -> None:
        for opened in (*self._senders, self._answers, *self._listeners):
            opened.close()

    def _add_links(self) -> None:
        """A second wire, which has no address, and the target's interface in a VLAN."""
        self.attacker.run("ip", "link", "add", WIRES[1], "address", ATTACKER_MAC, "type", "veth",
                          "peer", "name", WIRES[1], "address", TARGET_MAC, "netns", self.target.name)
        # Not every kernel has these.
        vlan = ("ip", "link", "add", "link", WIRES[0], "name", "vlan", "type", "vlan", "id", TARGET_VLAN)
        if finish(self.target.command(*vlan)).status == 0:
            self.target.run("ip", "link", "set", "vlan", "up")
        for host in (self.attacker, self.target):
            host.run("ip", "link", "set", WIRES[1], "up")

    def _open_routes(self) -> None:
        """All sources are behind the attacker, whose address is known: no answer is lost for want of a neighbour."""
        self.target.run("ip", "route", "add", "10.78.0.0/15", "via", ATTACKER)
        self.target.run("ip", "-6", "route", "add", "fd78::/64", "via", ATTACKER_6)

    def _raise_limits(self) -> None:
        self.target.run(
            "sysctl", "-q", "net.core.somaxconn=65535", "net.ipv4.tcp_max_syn_backlog=65535",
            "net.ipv4.tcp_synack_retries=0", "net.ipv4.ipfrag_high_thresh=268435456",
            "net.ipv6.ip6frag_high_thresh=268435456", "net.ipv4.ipfrag_time=5", "net.ipv6.ip6frag_time=5")

    def _listener(self, port: int) -> socket.socket:
        listener = self.target.open_socket(socket.AF_INET6, socket.SOCK_STREAM)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", port))
        listener.listen(65535)
        return listener

    def set_mtu(self, mtu: int) -> None:
        if mtu != self.mtu:
            for host in (self.attacker, self.target):
                for wire in WIRES:
                    host.run("ip", "link", "set", wire, "mtu", mtu)
            self.mtu = mtu

    def send(self, recipe: Recipe) -> float:
        """Sends the frames of a recipe at once, and returns the seconds that took."""
        start = time.monotonic()
        for frame in recipe.frames:
            try:
                self._senders[frame.wire].send(frame.data)
            except OSError as error:
                # Longer than the wire takes: nobody gets that.
                if error.errno != errno.EMSGSIZE:
                    raise
        return time.monotonic() - start

    def answers(self) -> dict[str, list[Answer]]:
        """What came back since it was asked last, by whom it was sent to."""
        found: dict[str, list[Answer]] = {}
        while True:
            try:
                frame = self._answers.recv(256)
            except BlockingIOError:
                return found
            answer = read_answer(frame)
            if answer:
                found.setdefault(answer.scanner, []).append(answer)


def open_ports() -> list[int]:
    """A fourth of the ports that recipes choose from."""
    return [port for port in (*range(1, PRIVILEGED_END), *HIGH_PORTS) if port % 4 == 0]


class Judge:
    """Runs the binary with several backends at once beside the kernel, batch after batch."""

    def __init__(self, hosts: Hosts, backends: Sequence[str]) -> None:
        self.hosts = hosts
        self.backends = tuple(backends)
        self._daemons: dict[str, Daemon] = {}

    def close(self) -> None:
        """Ends what a failure has left running."""
        self._daemons.clear()
        sweep()

    def judge(self, recipes: Sequence[Recipe]) -> list[Verdict]:
        """Sends each recipe, in this order, and says what came of it. They must all have the MTU of the first."""
        assert len({recipe.source for recipe in recipes}) == len(recipes) <= BATCH
        self.hosts.set_mtu(recipes[0].mtu)
        self._daemons = {backend: Daemon(self.hosts.target) for backend in self.backends}
        for backend, daemon in self._daemons.items():
            daemon.start_foreground("--backend", backend)
        self.hosts.answers()
        seconds = []
        for recipe in recipes:
            seconds.append(self.hosts.send(recipe))
            time.sleep(len(recipe.frames) * _PAUSE)
        settle(self._daemons.values())
        named = {backend: self._ended(daemon) for backend, daemon in self._daemons.items()}
        self._daemons.clear()
        answers = self.hosts.answers()
        return [self._verdict(recipe, answers.get(recipe.source, []), named, taken)
                for recipe, taken in zip(recipes, seconds, strict=True)]

    def _verdict(self, recipe: Recipe, answers: list[Answer], named: dict[str, set[str]], seconds: float) -> Verdict:
        answered = frozenset(answer.port for answer in answers if answer.is_to_a_probe)
        accepted = frozenset((answer.source_port, answer.port) for answer in answers if answer.flags & SYN)
        missed_by = frozenset(backend for backend, sources in named.items() if recipe.source not in sources)
        return Verdict(recipe, answered, accepted, missed_by if weight(answered) >= THRESHOLD else frozenset(), seconds)

    def _ended(self, daemon: Daemon) -> set[str]:
        """Ends a daemon that has seen everything, and returns whom it named."""
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait()
        text = daemon.stderr()
        daemon.tear_down_files()
        assert status == 0, f"status {status}: {text}"
        return named_sources(text)


def settle(daemons: Collection[Daemon]) -> None:
    """Waits until the daemons have counted all that was sent: until their counters stay as they are."""
    last: list[str] = []
    while last != (last := status_lines(daemons)):
        time.sleep(_SETTLE)


def status_lines(daemons: Collection[Daemon]) -> list[str]:
    """The counters of each as it says them when it is asked."""
    before = [daemon.stderr().count(_STATUS) for daemon in daemons]
    for daemon in daemons:
        daemon.send_signal(signal.SIGUSR1)
    for daemon, count in zip(daemons, before, strict=True):
        wait_until(lambda daemon=daemon, count=count: daemon.stderr().count(_STATUS) > count, "no status", 20)
    return [daemon.stderr().rpartition(_STATUS)[2].partition("\n")[0] for daemon in daemons]


def named_sources(text: str) -> set[str]:
    """All sources that the lines of a log name."""
    found = set()
    for line in text.splitlines():
        line = line.removeprefix("scanlogd: ")
        if " ports " in line:
            found.add(read(line)[0].source)
        elif " not logged" in line:
            found |= set(_ADDRESS.findall(line.partition(":")[2]))
    return found
