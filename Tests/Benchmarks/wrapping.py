"""What scanlogd wrap takes from its start to the service's, beside Debian's tcpd."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tables import print_row

TCPD = Path("/usr/sbin/tcpd")
CONNECTIONS = 1000
_TRUE = "/bin/true"


@dataclass
class Way:
    """One way to start a service for a connection."""

    name: str
    executable: str
    arguments: list[str]
    #: The nanoseconds of each connection, from the start to the end of a service that does nothing.
    times: list[int] = field(default_factory=list)
    #: The most memory that was resident, in kB, of a process that refuses: a service would have its own.
    memory: int = 0


def connection() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        return client, server


def measure_memory(way: Way) -> None:
    """Of a process that has refused a connection, and waits: tcpd does so always."""
    client, server = connection()
    with client, server:
        arguments = way.arguments
        if "wrap" in arguments:
            arguments = [*arguments[:2], "--refuse-delay", "60", *arguments[2:]]
        process = subprocess.Popen(arguments, executable=way.executable, stdin=server, stdout=server, stderr=server)
        try:
            time.sleep(0.5)
            status = Path(f"/proc/{process.pid}/status").read_text()
            way.memory = int(status.split("VmHWM:")[1].split()[0])
        finally:
            process.kill()
            process.wait(10)


def measure(way: Way) -> None:
    client, server = connection()
    with client, server:
        streams = [(os.POSIX_SPAWN_DUP2, server.fileno(), number) for number in range(3)]
        begin = time.perf_counter_ns()
        pid = os.posix_spawn(way.executable, way.arguments, {"PATH": "/usr/bin:/bin"}, file_actions=streams)
        _, status = os.waitpid(pid, 0)
        end = time.perf_counter_ns()
    assert status == 0, (way.name, status)
    way.times.append(end - begin)


def ways(ours: Path) -> list[Way]:
    link = Path(os.environ["TMPDIR"]) / "tcpd"
    if not link.is_symlink():
        link.symlink_to(ours)
    return [
        Way("the service alone", _TRUE, ["true"]),
        Way("tcpd", str(TCPD), [_TRUE]),
        Way("scanlogd wrap", str(ours), ["scanlogd", "wrap", _TRUE]),
        Way("scanlogd as tcpd", str(link), [_TRUE]),
    ]


def show_wrapping(ours: Path) -> None:
    """A thousand connections in a row, each way in turn, with rules of a few lines and no name to be looked up."""
    folder = Path(os.environ["TMPDIR"])
    (folder / "allow").write_text("sshd: 192.0.2.0/24 [2001:db8::]/32\ntrue: 127.0.0.1\n")
    (folder / "deny").write_text("ALL: ALL\n")
    for name in ("allow", "deny"):
        subprocess.run(["mount", "-n", "--bind", folder / name, f"/etc/hosts.{name}"], check=True, timeout=10)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    try:
        compared = ways(ours)
        for _ in range(CONNECTIONS):
            for way in compared:
                measure(way)
        (folder / "allow").write_text("")
        for way in compared[1:3]:
            measure_memory(way)
    finally:
        for name in ("allow", "deny"):
            subprocess.run(["umount", "-n", f"/etc/hosts.{name}"], check=True, timeout=10)
    alone, theirs = (median(way.times) for way in compared[:2])
    print()
    print_row("connections to a service of inetd, 1,000 each", ["µs, median", "more than the service", "of tcpd", "kB at most"])
    print("|---|" + "---:|" * 4)
    for way in compared:
        took = median(way.times)
        more = took - alone
        print_row(way.name, [
            f"{took / 1000:,.0f}", "" if way is compared[0] else f"{more / 1000:,.0f}",
            "" if way is compared[0] else f"{more / (theirs - alone):.2f}", f"{way.memory:,}" if way.memory else ""])


if __name__ == "__main__":
    from log_sink import LogSink
    _ = LogSink()
    show_wrapping(Path(os.environ["SCANLOGD"]).resolve())
