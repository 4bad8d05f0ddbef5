"""Segments made to the byte, and their sender."""

import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from .network import ATTACKER, TARGET, Namespace

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

# A scan of these is tipped by its last port and by no earlier one; the line lists all but that one.
LOW_PORTS = (21, 22, 23, 25, 53, 80, 110)
HIGH_PORTS = tuple(range(6001, 6022))

HOP_BY_HOP, FRAGMENT, DESTINATION_OPTIONS = 0, 44, 60
# An extension header after its first byte: length field 0, which means eight bytes, and a PadN option over the rest.
PADDING_ONLY = bytes([0, 1, 4, 0, 0, 0, 0])
# A fragment header after its first byte that says: offset 0, nothing follows.
WHOLE_IN_ONE = bytes([0, 0, 0]) + bytes.fromhex("77777777")

_RAW = 255


@dataclass(frozen=True)
class Segment:
    """One TCP segment without data. Over IPv6 `tos` is the traffic class and `ttl` the hop limit."""

    port: int
    flags: int = SYN
    source: str = ATTACKER
    destination: str = TARGET
    source_port: int = 40000
    tos: int = 0
    ttl: int = 64
    extensions: tuple[tuple[int, bytes], ...] = ()

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.source else socket.AF_INET

    def packet(self) -> bytes:
        source = socket.inet_pton(self.family, self.source)
        destination = socket.inet_pton(self.family, self.destination)
        segment = self._segment(source + destination)
        if self.family == socket.AF_INET:
            # The kernel writes the identification, the total length and the header's checksum.
            return struct.pack("!BBHHHBBH4s4s", 0x45, self.tos, 0, 0, 0, self.ttl, socket.IPPROTO_TCP, 0,
                               source, destination) + segment
        first, payload = self._extended(segment)
        return struct.pack("!IHBB16s16s", 6 << 28 | self.tos << 20, len(payload), first, self.ttl,
                           source, destination) + payload

    def _segment(self, addresses: bytes) -> bytes:
        def header(checksum: int) -> bytes:
            return struct.pack("!HHIIBBHHH", self.source_port, self.port, 0x77777777, 0, 5 << 4, self.flags, 1024,
                               checksum, 0)

        pseudo_header = addresses + struct.pack("!HH", socket.IPPROTO_TCP, len(header(0)))
        return header(checksum(pseudo_header + header(0)))

    def _extended(self, payload: bytes) -> tuple[int, bytes]:
        following = int(socket.IPPROTO_TCP)
        for protocol, body in reversed(self.extensions):
            payload = bytes([following]) + body + payload
            following = protocol
        return following, payload


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def scan(ports: Iterable[int] = LOW_PORTS, **fields: object) -> list[Segment]:
    """One segment to each port, all else the same."""
    return [Segment(port, **fields) for port in ports]  # type: ignore[arg-type]


class Sender:
    """Sends segments from a namespace, with any source address."""

    def __init__(self, namespace: Namespace) -> None:
        # Protocol 255 means that whole packets are written, IPv6 ones too.
        self._sockets = {
            family: namespace.open_socket(family, socket.SOCK_RAW, _RAW) for family in (socket.AF_INET, socket.AF_INET6)
        }

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for opened in self._sockets.values():
            opened.close()

    def send(self, segments: Iterable[Segment], gap: float = 0) -> None:
        """Sends in order, `gap` seconds apart, measured from the first so that delays don't add up."""
        start = time.monotonic()
        for number, segment in enumerate(segments):
            time.sleep(max(0, start + number * gap - time.monotonic()))
            self._sockets[segment.family].sendto(segment.packet(), (segment.destination, 0))
