"""Ethernet frames made to the byte, for what no socket of the attacker's own kernel would send."""

import socket
import struct

from .network import ATTACKER, ATTACKER_MAC, TARGET, TARGET_MAC, Namespace
from .packets import FRAGMENT, Segment, checksum

IPV4, IPV6, DOT1Q, DOT1AD = 0x0800, 0x86DD, 0x8100, 0x88A8
SHORTEST = 60


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethernet(packet: bytes, tags: tuple[tuple[int, int], ...] = (), destination: str = TARGET_MAC) -> bytes:
    """A frame, behind VLAN tags (type, number) if there are any, padded as a wire demands it."""
    inner = IPV6 if packet[0] >> 4 == 6 else IPV4
    head = mac(destination) + mac(ATTACKER_MAC)
    for kind, number in tags:
        head += struct.pack("!HH", kind, number)
    return (head + struct.pack("!H", inner) + packet).ljust(SHORTEST, b"\0")


def ipv4(segment: Segment, identification: int = 0, offset: int = 0, more: bool = False,
         payload: bytes | None = None) -> bytes:
    """A segment's packet with all that the kernel would fill in; or a fragment of it: some of its payload."""
    packet = segment.packet()
    payload = packet[20:] if payload is None else payload
    head = struct.pack("!BBHHHBBH", 0x45, segment.tos, 20 + len(payload), identification,
                       (0x2000 if more else 0) | offset // 8, segment.ttl, socket.IPPROTO_TCP, 0) + packet[12:20]
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(destination_port: int, source_port: int = 40000, destination: str = TARGET, data: bytes = b"",
        source: str = ATTACKER) -> bytes:
    """An IPv4 packet with a datagram, without its checksum."""
    datagram = struct.pack("!HHHH", source_port, destination_port, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, socket.IPPROTO_UDP, 0)
    head += socket.inet_aton(source) + socket.inet_aton(destination)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + datagram


def ipv4_fragments(segment: Segment, identification: int, size: int = 8) -> list[bytes]:
    """A segment's packet in fragments that carry `size` bytes each, a multiple of eight."""
    payload = segment.packet()[20:]
    return [ipv4(segment, identification, offset, offset + size < len(payload), payload[offset:offset + size])
            for offset in range(0, len(payload), size)]


def ipv6_fragments(segment: Segment, identification: int, size: int = 8, data: bytes = b"") -> list[bytes]:
    """The same over IPv6, behind a fragment header, and with data."""
    packet = segment.packet()
    payload = packet[40:] + data
    pieces = []
    for offset in range(0, len(payload), size):
        more = offset + size < len(payload)
        piece = struct.pack("!BBHI", socket.IPPROTO_TCP, 0, offset | more, identification) + payload[offset:offset + size]
        pieces.append(packet[:4] + struct.pack("!HB", len(piece), FRAGMENT) + packet[7:40] + piece)
    return pieces


class FrameSender:
    """Sends frames from an interface of a namespace."""

    def __init__(self, namespace: Namespace, interface: str = "wire") -> None:
        self._socket = namespace.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
        with namespace.entered():
            self._socket.bind((interface, 0))

    def __enter__(self) -> "FrameSender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, *frames: bytes) -> None:
        for frame in frames:
            self._socket.send(frame)

