"""Frames in words, one line each: enough to see what a finding is about."""

import socket
import struct

from .frames import DOT1AD, DOT1Q, IPV4, IPV6

_FLAGS = "FSRPAUEC"


def describe(frame: bytes) -> str:
    """What a frame says it is, as far as it can be followed."""
    try:
        return f"{len(frame)} bytes: {_link(frame)}"
    except (struct.error, IndexError, ValueError):
        return f"{len(frame)} bytes: {frame[12:76].hex()}"


def source(frame: bytes) -> str | None:
    """Who an IP packet is from."""
    _, kind, packet = _opened(frame)
    if kind == IPV4:
        return socket.inet_ntop(socket.AF_INET, packet[12:16])
    return socket.inet_ntop(socket.AF_INET6, packet[8:24]) if kind == IPV6 else None


def _opened(frame: bytes) -> tuple[str, int, bytes]:
    """The tags of a frame in words, its ether type, and what is behind it."""
    at = 12
    tags = ""
    while struct.unpack_from("!H", frame, at)[0] in (DOT1Q, DOT1AD, 0x9100):
        kind, control = struct.unpack_from("!HH", frame, at)
        tags += f"tag {kind:04x} id {control & 0xFFF} priority {control >> 13}, "
        at += 4
    return tags, int.from_bytes(frame[at:at + 2]), frame[at + 2:]


def _link(frame: bytes) -> str:
    tags, kind, packet = _opened(frame)
    if kind in (IPV4, IPV6):
        return tags + (_ipv4(packet) if kind == IPV4 else _ipv6(packet))
    return tags + f"type {kind:04x} {packet[:40].hex()}"


def _ipv4(packet: bytes) -> str:
    first, tos, total, identification, fragment, ttl, protocol = struct.unpack_from("!BBHHHBB", packet)
    head = (first & 15) * 4
    text = f"IPv{first >> 4} {socket.inet_ntoa(packet[12:16])} header {head} length {total} of {len(packet)}"
    if head > 20:
        text += f" options {packet[20:head].hex()}"
    text += f" TTL {ttl} id {identification:04x}"
    if fragment & 0x8000:
        text += " reserved bit"
    offset = (fragment & 0x1FFF) * 8
    more = bool(fragment & 0x2000)
    body = packet[head:]
    if total < len(packet):
        body = packet[head:max(total, head)]
    if offset or more:
        text += f" fragment {offset}+{len(body)}{' more' if more else ''}"
    return text + ("" if offset else _tcp(body) if protocol == 6 else f" protocol {protocol}") + _bytes(offset, body)


def _ipv6(packet: bytes) -> str:
    _, length, number, limit = struct.unpack_from("!IHBB", packet)
    source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
    text = f"IPv{packet[0] >> 4} {source} length {length} of {len(packet) - 40} hop limit {limit}"
    body = packet[40:40 + length] if length else packet[40:]
    headers: list[str] = []
    offset = 0
    while number in (0, 43, 44, 60) and len(body) >= 8:
        if number == 44:
            field, identification = struct.unpack_from("!HI", body, 2)
            offset = field & 0xFFF8
            headers.append(f"fragment {offset}+{len(body) - 8}{' more' if field & 1 else ''} id {identification:08x}")
            size = 8
        else:
            size = (body[1] + 1) * 8
            headers.append(f"{number}:{body[2:8].hex()}{f'*{size}' if size > 8 else ''}")
        number, body = body[0], body[size:]
        if offset:
            return text + _runs(headers) + _bytes(offset, body)
    return text + _runs(headers) + (_tcp(body) if number == 6 else f" header {number}") + _bytes(offset, body)


def _runs(headers: list[str]) -> str:
    """The headers in order, those that repeat themselves counted."""
    text = ""
    at = 0
    while at < len(headers):
        end = at
        while end < len(headers) and headers[end] == headers[at]:
            end += 1
        text += f" [{headers[at]}{f' x{end - at}' if end - at > 1 else ''}]"
        at = end
    return text


def _bytes(offset: int, body: bytes) -> str:
    return f" {body[:24].hex()}" if offset else ""


def _tcp(segment: bytes) -> str:
    if len(segment) < 14:
        return f" TCP cut off: {segment.hex()}"
    source, port = struct.unpack_from("!HH", segment)
    flags = "".join(letter for bit, letter in enumerate(_FLAGS) if segment[13] >> bit & 1) or "none"
    return f" TCP {source} to {port} flags {flags} data offset {segment[12] >> 4} of {len(segment)} bytes"
