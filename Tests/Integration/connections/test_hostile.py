"""scanlogd connections and anything that may arrive: each line has five fields."""

import random
import re
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest
from harness.connections import LINE, pcap
from harness.frames import ipv4, ipv6_fragments
from harness.packets import HOP_BY_HOP, PADDING_ONLY, Segment
from harness.places import BINARY

# What is said of packets that were not looked into, if there are any.
LEFT_OUT = re.compile(r"(scanlogd: standard input: read: left out, but may hold TCP: [^\n]+\n)?")

# What comes before the IP packet, for IPv4 and for IPv6.
LINKS = {
    0: (bytes([2, 0, 0, 0]), bytes([10, 0, 0, 0])),
    1: (bytes(12) + b"\x08\x00", bytes(12) + b"\x86\xdd"),
    9: (b"\xff\x03\x00\x21", b"\xff\x03\x00\x57"),
    50: (b"\xff\x03\x00\x21", b"\xff\x03\x00\x57"),
    51: (b"\x11\x00\x00\x01\x00\x00\x00\x21", b"\x11\x00\x00\x01\x00\x00\x00\x57"),
    101: (b"", b""),
    108: (bytes([0, 0, 0, 2]), bytes([0, 0, 0, 24])),
    113: (bytes(14) + b"\x08\x00", bytes(14) + b"\x86\xdd"),
    276: (b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
}


def disturbed(packet: bytes, dice: random.Random) -> bytes:
    """A packet with a few bytes changed, cut off, or longer than it was."""
    changed = bytearray(packet)
    for _ in range(dice.choice([0, 1, 1, 2, 5, 20])):
        changed[dice.randrange(len(changed))] = dice.choice([0, 1, 6, 17, 44, 0xFF, 0x0A, 0x7C, dice.randrange(256)])
    if dice.random() < 0.2:
        changed = changed[:dice.randrange(len(changed) + 1)]
    return bytes(changed) + (dice.randbytes(dice.randrange(40)) if dice.random() < 0.2 else b"")


def packets(dice: random.Random, link: int) -> list[tuple[float, bytes]]:
    over6 = {"source": "2001:db8::7c", "destination": "fe80::1"}
    seeds = [ipv4(Segment(80)), ipv4(Segment(80, flags=0xC2)), ipv4(Segment(80), 7, 0, True),
             Segment(81, **over6).packet(), Segment(82, extensions=((HOP_BY_HOP, PADDING_ONLY),) * 3, **over6).packet(),
             *ipv6_fragments(Segment(83, **over6), 9)]
    before4, before6 = LINKS[link]
    found = []
    for _ in range(2000):
        packet = dice.choice(seeds)
        frame = (before6 if packet[0] >> 4 == 6 else before4) + packet
        found.append((dice.randrange(1 << 32), disturbed(frame, dice)))
    found += [(0, dice.randbytes(dice.randrange(200))) for _ in range(500)]
    return found


@pytest.mark.parametrize("link", list(LINKS))
def test_whatever_arrives_each_line_has_five_fields(tmp_path: Path, link: int) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    file = tmp_path / "odd.pcap"
    file.write_bytes(pcap(packets(random.Random(seed), link), link))
    for options in ([], ["-F", "ip or ip6 or not ip"], ["--date", "epoch"]):
        with (tmp_path / "lines").open("w+b") as lines, file.open("rb") as capture:
            command = [str(BINARY), "connections", "--read", "-", *options]
            done = subprocess.run(command, stdin=capture, stdout=lines, stderr=subprocess.PIPE, timeout=20, check=False)
            assert done.returncode == 0
            assert LEFT_OUT.fullmatch(done.stderr.decode())
            lines.seek(0)
            text = lines.read().decode("ascii")
        assert text.count("\n") > 500
        for line in text.removesuffix("\n").split("\n"):
            match = LINE.fullmatch(line)
            assert match, repr(line)
            for address in (match["source"], match["destination"]):
                socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            assert int(match["sport"]) < 65536 and int(match["dport"]) < 65536


def fragment(offset: int, more: bool, next_header: int, content: bytes) -> bytes:
    """A fragment of IPv6, without a link header."""
    header = struct.pack(">BBHI", next_header, 0, offset | more, 0x1234)
    source, destination = (socket.inet_pton(socket.AF_INET6, f"2001:db8::{host}") for host in "12")
    length = len(header) + len(content)
    return struct.pack(">IHBB", 0x60000000, length, 44, 64) + source + destination + header + content


def test_a_packet_that_makes_thousands_of_attempts_known_loses_none(tmp_path: Path) -> None:
    """64 fragments that each lead on to another place, as many that hold ports at all of these, and last the first one."""
    options = 60  # destination options, which lead on
    leading = [fragment(8, True, options, bytes([6, places + 1, 1, 4, 0, 0, 0, 0])) for places in range(64)]
    holding = [
        fragment(24, True, options, b"".join(
            struct.pack(">HHBBH", 1000 + source, place * 64 + source + 1, 0x50, 2, 0) for place in range(66)))
        for source in range(64)]
    first = fragment(0, True, options, bytes([options, 0, 1, 4, 0, 0, 0, 0]))
    file = tmp_path / "chains.pcap"
    file.write_bytes(pcap(((1, packet) for packet in [*leading, *holding, first]), 101))
    done = subprocess.run([BINARY, "connections", "--read", file], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(set(lines)) == len(lines) == 64 * 64
