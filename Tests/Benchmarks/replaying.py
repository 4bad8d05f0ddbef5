"""`scanlogd -r` of a large capture, beside tcpdump, which reads the same packets and writes them to nowhere."""

import os
import random
import struct
import subprocess
from pathlib import Path
from statistics import median

from program import STAGE, pin
from tables import compared, print_row

PACKETS = 2_000_000
ROUNDS = 5
HOST = 0x0A4D0002
SYN, ACK, PSH_ACK, SYN_ACK, RST_ACK = 0x02, 0x10, 0x18, 0x12, 0x14
TCP, UDP, ICMP = 6, 17, 1


def ipv4(source: int, destination: int, protocol: int, payload: bytes) -> bytes:
    header = struct.pack(
        "!BBHHHBBHII", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0, source, destination)
    return bytes(12) + b"\x08\x00" + header + payload


def segment(source: int, sport: int, destination: int, port: int, flags: int, data: bytes = b"") -> bytes:
    header = struct.pack("!HHIIBBHHH", sport, port, 1, 0 if flags == SYN else 1, 0x50, flags, 64240, 0, 0)
    return ipv4(source, destination, TCP, header + data)


def exchange(chance: random.Random) -> list[bytes]:
    """What one source and the host send each other: a connection with data, a name lookup, a ping, a flood's or a
    scan's packets."""
    source, sport = chance.getrandbits(32) | 1, chance.randrange(1024, 65536)
    match chance.choices(("web", "name", "ping", "flood", "scan", "sweep"), (20, 30, 10, 200, 1, 4))[0]:
        case "web":
            there, back = (source, sport, HOST, 443), (HOST, 443, source, sport)
            data = [segment(*back, PSH_ACK, bytes(chance.choice((100, 600, 1400)))) for _ in range(20)]
            acknowledged = [segment(*there, ACK) for _ in range(10)]
            return [segment(*there, SYN), segment(*back, SYN_ACK), *data, *acknowledged]
        case "name":
            question = struct.pack("!HHHH", sport, 53, 40, 0) + bytes(32)
            answer = struct.pack("!HHHH", 53, sport, 120, 0) + bytes(112)
            return [ipv4(source, HOST, UDP, question), ipv4(HOST, source, UDP, answer)]
        case "ping":
            return [ipv4(source, HOST, ICMP, b"\x08" + bytes(63)), ipv4(HOST, source, ICMP, bytes(64))]
        case "scan":
            ports = chance.sample(range(1, 10_000), 50)
            return [packet for port in ports for packet in (
                segment(source, sport, HOST, port, SYN), segment(HOST, port, source, sport, RST_ACK))]
        case "sweep":
            return [segment(source, sport, HOST + number, 23, SYN) for number in range(20)]
        case _:
            return [segment(source, sport, HOST, 80, SYN)]


def write_capture(path: Path) -> None:
    """At 20,000 packets a second: the same ones each time."""
    chance = random.Random(14)
    count = 0
    with path.open("wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while count < PACKETS:
            for frame in exchange(chance)[:PACKETS - count]:
                microseconds = 1_700_000_000_000_000 + count * 50
                file.write(struct.pack("=IIII", microseconds // 1_000_000, microseconds % 1_000_000, len(frame), len(frame)))
                file.write(frame)
                count += 1


def cpu_seconds(*words: object) -> float:
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, preexec_fn=lambda: pin(-1))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return usage.ru_utime + usage.ru_stime


def show_replaying(ours: Path, earlier: Path | None) -> None:
    """Prints what each takes for a packet."""
    folder = STAGE / "large"
    folder.mkdir()
    subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder], check=True, timeout=10)
    capture = folder / "capture"
    write_capture(capture)
    named = {"tcpdump -w /dev/null": ("/usr/bin/tcpdump", "-Z", "root", "-r", capture, "-w", "/dev/null")}
    builds = [("", ours)] + ([("earlier ", earlier)] if earlier else [])
    for prefix, program in builds:
        named[f"{prefix}scanlogd -r"] = (program, "-r", capture)
        named[f"{prefix}scanlogd -r --kinds quick"] = (program, "-r", capture, "--kinds", "quick")
    taken: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(ROUNDS):
        for name, words in named.items():
            taken[name].append(cpu_seconds(*words) / PACKETS * 1e9)
    subprocess.run(["umount", "-n", folder], check=True, timeout=10)
    print()
    print_row("a capture of two million packets", list(named))
    print("|---|" + "---:|" * len(named))
    print_row("CPU, ns per packet", compared([median(taken[name]) for name in named], 0.1))


if __name__ == "__main__":
    show_replaying(Path(os.environ["SCANLOGD"]).resolve(), Path(os.environ["EARLIER"]).resolve() if "EARLIER" in os.environ else None)
