"""The wire between two hosts, what is sent over it, and what that costs the whole machine."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from program import STAGE, pin

HERE = Path(__file__).resolve().parent
MAC = "02:00:00:00:77:02"
PAUSE = 0.3  # until everything sent is dealt with: three times as long as any daemon lets packets gather
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sent:
    """What became of a request to send packets."""

    count: int
    rate: float
    """Packets a second."""
    last: int
    """When the last one was sent: nanoseconds of the monotonic clock."""
    host: float
    """The time that all processors were busy, from the request to the pause after it, in nanoseconds."""


def run(*words: object) -> str:
    return subprocess.run(
        [str(word) for word in words], check=True, timeout=300, stdin=subprocess.DEVNULL, capture_output=True,
        text=True).stdout


def build_network() -> None:
    """The host under test is this namespace; the sender has one of its own, at the other end of a wire."""
    run("ip", "netns", "add", "sender")
    run("ip", "link", "add", "wire", "address", MAC, "type", "veth", "peer", "name", "wire", "netns", "sender")
    for command in ("link set lo up", "address add 10.77.0.2/16 dev wire", "link set wire up",
                    "route add default via 10.77.0.1"):
        run("ip", *command.split())
    run("ip", "-n", "sender", "link", "set", "wire", "up")
    for name in ("all", "default", "wire"):
        Path("/proc/sys/net/ipv4/conf", name, "rp_filter").write_text("0")
    time.sleep(2)  # until IPv6 has found that its addresses are its own


def busy_nanoseconds() -> float:
    """How long all processors have been busy, since some time.

    The kernel counts idle time to the microsecond, busy time by looking 250 times a second: a sender that sleeps in
    step with it would be missed. Printed are hundredths of a second.
    """
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    idle, waiting, stolen = fields[3], fields[4], fields[7]
    passed = time.monotonic() * (os.cpu_count() or 1)
    return (passed - (idle + waiting + stolen) / TICKS) * 1e9


class Generator:
    """Sends packets from the other end of the wire."""

    def __init__(self) -> None:
        # Data goes to where a service listens, as it does on any host.
        self._service = socket.create_server(("10.77.0.2", 443))
        self._program = STAGE / "bin/generator"
        run("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self._program, HERE / "generator.c")

    def send(self, kind: str, count: int, rate: int, scanner: int = 1, pause: float = PAUSE) -> Sent:
        """Sends packets, and waits until they are dealt with."""
        busy = busy_nanoseconds()
        process = subprocess.run(
            ["nsenter", "--net=/run/netns/sender", self._program, "wire", MAC, kind, str(count), str(rate),
             str(scanner)],
            check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            preexec_fn=lambda: pin(0))
        time.sleep(pause)
        sent, nanoseconds, last = map(int, process.stdout.split())
        return Sent(sent, sent / nanoseconds * 1e9, last, busy_nanoseconds() - busy)
