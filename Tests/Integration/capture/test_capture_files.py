"""Capture files of all kinds, read by `scanlogd -r` and `scanlogd connections --read`: what both see, and say."""

import bz2
import gzip
import lzma
import os
import re
import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from harness.connections import pcap
from harness.daemon import Finished, finish
from harness.frames import DOT1AD, DOT1Q, ethernet, ipv4, ipv4_fragments
from harness.network import tool
from harness.packets import Segment
from harness.places import BINARY

PORTS = (21, 22, 23, 25, 80, 110, 143, 443, 993, 995)
PACKETS = [ipv4(Segment(port)) for port in PORTS]
REPORT = "10.77.0.1:40000 to 10.77.0.2 ports 21, 22, 23, 25, 80, 110, ..., fSrpauxy, TOS 00, TTL 64 @00:00:00\n"
ETHERNET = bytes(12)


def typed(kind: int, before: bytes = b"") -> Callable[[bytes], bytes]:
    """Frames with a type of Ethernet's, and something before the packet."""
    return lambda packet: ETHERNET + struct.pack("!H", kind) + before + packet


def tags(*numbers: int) -> Callable[[bytes], bytes]:
    return lambda packet: ethernet(packet, tuple((DOT1Q if number < 4000 else DOT1AD, number) for number in numbers))


def cooked(kind: int, before: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda packet: bytes.fromhex("0000 0001 0006 020202020202 0000") + struct.pack("!H", kind) + before + packet


def cooked_2(kind: int, before: bytes = b"") -> Callable[[bytes], bytes]:
    head = bytes.fromhex("0000 00000003 0001 0006 020202020202 0000")
    return lambda packet: struct.pack("!H", kind) + head + before + packet


TAG = bytes.fromhex("0005 0800")
# Of each kind: the link type, the frame of a packet, and an expression that names what stands before it.
KINDS: dict[str, tuple[int, Callable[[bytes], bytes], str]] = {
    "plain": (1, typed(0x0800), "tcp"),
    "VLAN": (1, tags(5), "vlan 5 and tcp"),
    "two VLANs": (1, tags(4001, 5), "vlan and vlan and tcp"),
    "MPLS": (1, typed(0x8847, bytes.fromhex("0001 0140")), "mpls and tcp"),
    "two labels": (1, typed(0x8847, bytes.fromhex("0001 0040 0002 0140")), "mpls and mpls and tcp"),
    "TrustSec": (1, typed(0x8909, bytes.fromhex("0101 0001 0005 0800")), "ether proto 0x8909"),
    "TrustSec in a VLAN": (1, typed(0x8100, bytes.fromhex("0005 8909 0101 0001 0005 0800")), "vlan 5"),
    "PPPoE": (1, typed(0x8864, bytes.fromhex("1100 0001 002a 0021")), "pppoes and tcp"),
    "cooked": (113, cooked(0x0800), "tcp"),
    "cooked, VLAN": (113, cooked(0x8100, TAG), "vlan and tcp"),
    "cooked, MPLS": (113, cooked(0x8847, bytes.fromhex("0001 0140")), "mpls and tcp"),
    "cooked v2": (276, cooked_2(0x0800), "tcp"),
    "cooked v2, VLAN": (276, cooked_2(0x8100, TAG), "vlan 5 and tcp"),
    "raw IP": (101, lambda packet: packet, "tcp"),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def report(file: Path) -> Finished:
    return finish([str(BINARY), "-r", str(file)], env={"TZ": "UTC"})


def attempts(file: Path, *options: object) -> Finished:
    """What it says, with the ports of its lines for an output."""
    done = finish([str(BINARY), "connections", "--read", str(file), *map(str, options)], env={"TZ": "UTC"})
    return Finished(done.status, " ".join(line.split("|")[4] for line in done.stdout.splitlines()), done.stderr)


def words(ports: Iterable[int]) -> str:
    return " ".join(map(str, ports))


def written(path: Path, packets: Iterable[bytes], link: int = 1) -> Path:
    path.write_bytes(pcap(((0.001 * index, packet) for index, packet in enumerate(packets)), link))
    return path


# What stands before a packet.


@EVERY_KIND
def test_both_see_packets_behind_whatever_is_taken_off(tmp_path: Path, kind: str) -> None:
    link, frame, _ = KINDS[kind]
    file = written(tmp_path / "file", map(frame, PACKETS), link)
    assert report(file) == Finished(0, REPORT, "")
    assert attempts(file) == Finished(0, words(PORTS), "")


@EVERY_KIND
@pytest.mark.parametrize("expression, ports", [
    ("tcp", PORTS), ("dst port 22", (22,)), ("not dst port 22", (21, *PORTS[2:])), ("udp", ()), ("host 10.9.9.9", ()),
])
def test_an_expression_is_asked_about_the_packet(
    tmp_path: Path, kind: str, expression: str, ports: tuple[int, ...]
) -> None:
    link, frame, _ = KINDS[kind]
    file = written(tmp_path / "file", map(frame, PACKETS), link)
    for option in ("-f", "-F"):
        assert attempts(file, option, expression) == Finished(0, words(ports), "")


@EVERY_KIND
def test_an_expression_that_names_what_is_before_it_is_asked_about_the_frame(tmp_path: Path, kind: str) -> None:
    link, frame, expression = KINDS[kind]
    plain = {1: KINDS["plain"], 113: KINDS["cooked"], 276: KINDS["cooked v2"]}.get(link)
    others = [plain[1](ipv4(Segment(7)))] if plain and frame is not plain[1] else []
    file = written(tmp_path / "file", [*map(frame, PACKETS), *others], link)
    assert attempts(file, "-f", expression) == Finished(0, words(PORTS), "")


@pytest.mark.parametrize("expression", ["vlan and tcp", "mpls and tcp", "pppoes and tcp", "dst port 22", "ether[0] = 0"])
def test_tcpdump_judges_frames_as_they_are(tmp_path: Path, expression: str) -> None:
    """Of plain frames, and with what it has words for."""
    kinds = [frame for link, frame, _ in KINDS.values() if link == 1]
    if expression == "dst port 22":
        kinds = kinds[:1]
    frames = [frame(packet) for packet in PACKETS for frame in kinds]
    file = written(tmp_path / "file", frames)
    command = [tool("tcpdump"), "-n", "-t", "-r", str(file), "-w", str(tmp_path / "judged"), expression]
    subprocess.run(command, check=True, capture_output=True, timeout=10)
    judged = attempts(tmp_path / "judged", "-f", "tcp")
    assert judged.stdout
    assert attempts(file, "-f", expression) == judged


# pcapng.


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str, *interfaces: tuple[int, int]) -> bytes:
    """The beginning of a file with interfaces of a link type and a snapshot length."""
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)) + b"".join(
        block(order, 1, struct.pack(f"{order}HHI", link, 0, snapshot)) for link, snapshot in interfaces)


def packet_block(order: str, interface: int, index: int, frame: bytes) -> bytes:
    return block(order, 6, struct.pack(f"{order}5I", interface, 0, 1000 * index, len(frame), len(frame)) + frame)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("interfaces", [
    ((1, 96), (1, 262144)), ((1, 0), (101, 0)), ((113, 65535), (1, 96), (276, 0), (101, 128))], ids=str)
@pytest.mark.parametrize("how", ["file", "pipe", "byte by byte"])
def test_interfaces_of_a_pcapng_file_may_differ(
    tmp_path: Path, order: str, interfaces: tuple[tuple[int, int], ...], how: str
) -> None:
    frames = {1: typed(0x0800), 101: KINDS["raw IP"][1], 113: cooked(0x0800), 276: cooked_2(0x0800)}
    file = tmp_path / "file"
    file.write_bytes(section(order, *interfaces) + b"".join(
        packet_block(order, index % len(interfaces), index, frames[interfaces[index % len(interfaces)][0]](packet))
        for index, packet in enumerate(PACKETS)))
    expected = {("-r",): REPORT, ("connections", "--read"): None}
    for role, output in expected.items():
        command = [str(BINARY), *role]
        if how == "file":
            done = finish([*command, str(file)], env={"TZ": "UTC"})
        else:
            feed = f"cat {file}" if how == "pipe" else f"dd if={file} ibs=1 obs=1 status=none"
            done = finish(["sh", "-c", f'{feed} | "$@" -', "sh", *command], env={"TZ": "UTC"})
        assert (done.status, done.stderr) == (0, "")
        if output:
            assert done.stdout == output
        else:
            assert [int(line.split("|")[4]) for line in done.stdout.splitlines()] == list(PORTS)
    assert attempts(file, "-f", "not port 22").stdout == words((21, *PORTS[2:]))


def test_files_that_were_put_one_behind_the_other_are_read(tmp_path: Path) -> None:
    """Which pcapng allows; and each half may be of another machine."""
    file = tmp_path / "file"
    file.write_bytes(section("<", (1, 96)) + packet_block("<", 0, 0, ETHERNET + b"\x08\0" + PACKETS[0])
                     + section(">", (101, 0)) + packet_block(">", 0, 1, PACKETS[1]))
    assert attempts(file) == Finished(0, "21 22", "")


def test_a_link_type_that_comes_late_is_told_of_where_names_can_not_be_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(section("<", (1, 96)) + packet_block("<", 0, 0, ETHERNET + b"\x08\0" + PACKETS[0])
                     + section("<", (101, 0)) + packet_block("<", 0, 1, PACKETS[1]))
    done = attempts(file, "-f", "not host localhost")
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "21", 1)
    assert done.stderr.startswith("scanlogd: not host localhost: compile filter: a link type comes late in the file")
    piped = finish(["sh", "-c", f"cat {file} | {BINARY} connections --read - -f 'not host localhost'"])
    assert (piped.status, piped.stdout.count("\n"), piped.stderr) == (0, 2, "")


@pytest.mark.parametrize("damage, reason", [
    (struct.pack("<II", 6, 0), "a block has an impossible length"),
    (struct.pack("<II", 6, 0xFFFFFFFC), "the file is cut off: it ends within a block"),
    (packet_block("<", 7, 0, b""), "a packet is of an interface that there is not"),
    (block("<", 6, struct.pack("<5I", 0, 0, 0, 0x7FFFFFFF, 0)), "a packet is longer than any can be"),
    (block("<", 1, struct.pack("<HHIHHI", 1, 0, 0, 9, 1, 100)), "an interface has an impossible resolution of time"),
])
def test_a_pcapng_file_that_lies_is_an_error_at_a_byte(tmp_path: Path, damage: bytes, reason: str) -> None:
    file = tmp_path / "file"
    front = section("<", (1, 0)) + packet_block("<", 0, 0, ETHERNET + b"\x08\0" + PACKETS[0])
    file.write_bytes(front + damage)
    error = f"scanlogd: {file}: read at byte {len(front)}: {reason}\n"
    assert report(file) == Finished(1, "", error)
    assert attempts(file) == Finished(1, "21", error)


# Compressed files.


def through(*command: str) -> Callable[[bytes], bytes]:
    return lambda text: subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, timeout=10).stdout


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": through("zstd", "-q", "-c"),
    "lz4": through("lz4", "-q", "-c"),
}


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("role, output", [(("-r",), REPORT.count("\n")), (("connections", "--read"), len(PORTS))])
def test_the_error_of_a_compressed_file_says_what_reads_it(
    tmp_path: Path, kind: str, role: tuple[str, ...], output: int
) -> None:
    """It is done, to the letter, by who reads it."""
    file = tmp_path / "file"
    file.write_bytes(COMPRESSORS[kind](pcap((0.001 * index, typed(0x0800)(packet)) for index, packet in enumerate(PACKETS))))
    for source, name in ((str(file), str(file)), ("-", "standard input")):
        done = finish(["sh", "-c", f'"$@" <{file}', "sh", str(BINARY), *role, source])
        assert (done.status, done.stdout) == (1, "")
        match = re.fullmatch(rf"scanlogd: {name}: read: compressed with {kind}; try '(.*)'\n", done.stderr)
        assert match, done
        command = match[1].replace("FILE", str(file))
        advised = finish(["sh", "-c", command], env={"PATH": f"{BINARY.parent}:{os.environ['PATH']}", "TZ": "UTC"})
        assert (advised.status, advised.stdout.count("\n"), advised.stderr) == (0, output, "")


# What is left out.


def cut(frames: Iterable[bytes], length: int) -> bytes:
    """A capture file with so much of each frame."""
    text = pcap(())
    for frame in frames:
        text += struct.pack("<4I", 0, 0, min(length, len(frame)), len(frame)) + frame[:length]
    return text


GRE = ipv4(Segment(80))[:9] + b"\x2f" + ipv4(Segment(80))[10:]


@pytest.mark.parametrize("frames, reason", [
    ([typed(0x8847, bytes.fromhex("0001 0140 0000 0000"))(packet) for packet in PACKETS],
     "10 behind MPLS labels without IP"),
    ([typed(0x8909, bytes.fromhex("0201 0001 0005 0800"))(packet) for packet in PACKETS], "10 behind unknown TrustSec tags"),
    ([typed(0x88E5, bytes(14))(packet) for packet in PACKETS], "10 in other encapsulations"),
    ([typed(0x0800)(GRE), tags(5)(GRE)], "2 in tunnels"),
    ([typed(0x0800)(piece) for piece in ipv4_fragments(Segment(80), 7)[1:]], "2 fragments without a beginning"),
], ids=["MPLS", "TrustSec", "MACsec", "GRE", "fragments"])
def test_what_may_hold_tcp_and_is_left_out_is_counted(tmp_path: Path, frames: list[bytes], reason: str) -> None:
    file = written(tmp_path / "file", frames)
    line = f"scanlogd: {file}: read: left out, but may hold TCP: {reason}\n"
    assert report(file) == Finished(0, "", line)
    assert attempts(file) == Finished(0, "", line)


def test_one_line_has_all_reasons_and_stands_behind_an_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    frames = [typed(0x0800)(GRE), typed(0x88E7)(GRE), *map(typed(0x0800), PACKETS[:2])]
    file.write_bytes(cut(frames, 1000) + cut(map(typed(0x0800), PACKETS), 36)[24:] + b"more")
    line = f"scanlogd: {file}: read: left out, but may hold TCP: 1 in other encapsulations, 1 in tunnels, 10 cut short\n"
    for done in (report(file), attempts(file)):
        assert (done.status, done.stderr.count("\n")) == (1, 2)
        assert line in done.stderr.splitlines(keepends=True)


def test_what_an_expression_leaves_out_is_not_counted(tmp_path: Path) -> None:
    file = written(tmp_path / "file", [*map(typed(0x0800), [*PACKETS, GRE]), typed(0x88E5)(GRE)])
    assert attempts(file, "-f", "dst port 22") == Finished(0, "22", "")


def test_a_snapshot_that_ends_in_the_header_is_told_of(tmp_path: Path) -> None:
    """Ports and flags are enough for an attempt; a scan takes the whole header, as the reference does."""
    file = tmp_path / "file"
    file.write_bytes(cut(map(typed(0x0800), PACKETS), 50))
    assert attempts(file) == Finished(0, words(PORTS), "")
    assert report(file) == Finished(0, "", f"scanlogd: {file}: read: left out, but may hold TCP: 10 cut short\n")


def test_who_stops_reading_the_lines_is_told_nothing(tmp_path: Path) -> None:
    file = written(tmp_path / "file", [typed(0x0800)(GRE), *map(typed(0x0800), PACKETS * 5000)])
    done = finish(["sh", "-c", f"{BINARY} connections --read {file} | head -n 1"])
    assert (done.status, done.stdout.count("\n"), done.stderr) == (0, 1, "")


@pytest.mark.parametrize("data_offset", range(16))
def test_a_header_that_says_it_is_too_short_is_no_probe(tmp_path: Path, data_offset: int) -> None:
    frames = []
    for packet in PACKETS:
        changed = bytearray(packet)
        changed[32] = data_offset << 4
        frames.append(typed(0x0800)(bytes(changed)))
    file = written(tmp_path / "file", frames)
    is_header = data_offset >= 5
    assert report(file) == Finished(0, REPORT if is_header else "", "")
    assert attempts(file) == Finished(0, words(PORTS) if is_header else "", "")
    # Who replaces the test by an expression has what matches it.
    assert attempts(file, "-F", "tcp") == Finished(0, words(PORTS), "")
