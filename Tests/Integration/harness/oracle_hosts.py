"""Two hosts of the kernel's, of which one answers: what the judges send recipes to."""

import errno
import socket
import struct
import time
from dataclasses import dataclass

from .daemon import finish
from .frames import IPV4, IPV6
from .network import ATTACKER, ATTACKER_6, ATTACKER_MAC, TARGET_MAC, build
from .oracle_packets import TARGET_VLAN
from .oracle_recipes import HIGH_PORTS, PRIVILEGED_END, Recipe
from .packets import ACK, RST, SYN

WIRES = ("wire", "wire2")

# What Python has no names for: SOL_PACKET, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE.
_SOL_PACKET, _IGNORE_OUTGOING, _RCVBUFFORCE = 263, 23, 33
# What is waited after each frame, so that no buffer is full.
_PAUSE = 0.00005


@dataclass(frozen=True)
class Answer:
    """A segment that came back to a scanner, from the port that was probed to the port it was probed from."""

    scanner: str
    target: str
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
        target, scanner = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
        segment = frame[14 + (frame[14] & 15) * 4:]
    elif kind == IPV6 and frame[20] == socket.IPPROTO_TCP:
        target, scanner = (socket.inet_ntop(socket.AF_INET6, frame[at:at + 16]) for at in (22, 38))
        segment = frame[54:]
    else:
        return None
    port, source_port = struct.unpack_from("!HH", segment)
    return Answer(scanner, target, port, source_port, segment[13])


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
        taken = time.monotonic() - start
        time.sleep(len(recipe.frames) * _PAUSE)
        return taken

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
