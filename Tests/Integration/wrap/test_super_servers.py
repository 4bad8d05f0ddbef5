"""scanlogd wrap and Debian's tcpd behind real super-servers: openbsd-inetd, xinetd and systemd-socket-activate."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from harness.daemon import processes_named, wait_until
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from harness.places import BINARY, TEMPORARY
from harness.wrap import AS_TCPD, AccessFiles, Wrapped, read_all, unpacked

PORT = 2300
SERVICES = TEMPORARY / "super"
ECHO = "/bin/echo"


def listens(namespace: Namespace, port: int) -> bool:
    """Whether there is a socket that listens, or, of UDP, is not connected."""
    tables = namespace.run("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6")
    rows = [line.split() for line in tables.splitlines()]
    return any(row[1].endswith(f":{port:04X}") and row[3] in ("0A", "07") for row in rows if len(row) > 3)


@contextmanager
def running(namespace: Namespace, *command: object, port: int = PORT) -> Iterator[subprocess.Popen[bytes]]:
    """A super-server, once it listens."""
    with open(SERVICES / "output", "ab") as output:
        process = subprocess.Popen(namespace.command(*command), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until(lambda: listens(namespace, port), f"{command[0]} does not listen", 10)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait(10)


def inetd(namespace: Namespace, family: str, program: str, arguments: str) -> object:
    (SERVICES / "inetd.conf").write_text(f"{PORT} stream tcp{family} nowait root {program} {arguments}\n")
    return running(namespace, unpacked("openbsd-inetd", "inetd"), "-i", SERVICES / "inetd.conf")


def xinetd(namespace: Namespace, family: str, program: str, arguments: str) -> object:
    """It would judge by itself, before what it starts."""
    (SERVICES / "xinetd.conf").write_text(f"""service wrapped
{{
    type = UNLISTED
    flags = NAMEINARGS NOLIBWRAP {"IPv6" if family else "IPv4"}
    socket_type = stream
    protocol = tcp
    port = {PORT}
    wait = no
    user = root
    server = {program}
    server_args = {arguments}
}}
""")
    return running(namespace, unpacked("xinetd", "xinetd"), "-dontfork", "-f", SERVICES / "xinetd.conf",
                   "-pidfile", SERVICES / "xinetd.pid")


def activate(namespace: Namespace, family: str, program: str, arguments: str) -> object:
    """It knows no other name for a program than its own."""
    words = arguments.split()
    command = [program, *words[1:]] if program == str(BINARY) else [program, *words]
    address = f"[{TARGET_6}]:{PORT}" if family else f"{TARGET}:{PORT}"
    return running(namespace, tool("systemd-socket-activate"), "--inetd", "--accept", "-l", address, *command)


def call(wrapped: Wrapped, family: str) -> tuple[bytes, list[tuple[str, int, int, str]]]:
    before = len(wrapped.log.messages)
    kind = socket.AF_INET6 if family else socket.AF_INET
    with wrapped.attacker.open_socket(kind, socket.SOCK_STREAM) as client:
        client.bind((ATTACKER_6 if family else ATTACKER, 0))
        client.connect((TARGET_6 if family else TARGET, PORT))
        received = read_all(client)
    # The log of the super-server itself, of which xinetd writes one.
    return received, [(message.ident, message.facility, message.level, message.text)
                      for message in wrapped.log.messages[before:] if "inetd" not in message.ident]


SERVERS: dict[str, Callable[[Namespace, str, str, str], object]] = {
    "inetd": inetd, "xinetd": xinetd, "systemd": activate}


@pytest.mark.parametrize("family", ["", "6"], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("name", SERVERS)
def test_each_super_server_starts_it_with_the_lines_of_tcpd(
    wrapped: Wrapped, rules: AccessFiles, target: Namespace, name: str, family: str
) -> None:
    SERVICES.mkdir(exist_ok=True)
    AS_TCPD.parent.mkdir(exist_ok=True)
    if not AS_TCPD.is_symlink():
        AS_TCPD.symlink_to(BINARY)
    client = ATTACKER_6 if family else ATTACKER
    ways = [(str(BINARY), f"scanlogd wrap {ECHO} in")]
    if name != "systemd":  # which can't start a program under the name of another, as tcpd needs it
        ways += [(str(AS_TCPD), f"{ECHO} in"), (tool("tcpd"), f"{ECHO} in")]
    for program, arguments in ways:
        with SERVERS[name](target, family, program, arguments):  # type: ignore[attr-defined]
            rules.write()
            assert call(wrapped, family) == (b"in\n", [("echo", 3, 6, f"connect from {client} ({client})")]), program
            rules.write(deny="echo: ALL")
            assert call(wrapped, family) == (b"", [("echo", 3, 4, f"refused connect from {client} ({client})")]), program


def test_an_unused_port_is_watched_by_inetd(wrapped: Wrapped, rules: AccessFiles, target: Namespace) -> None:
    SERVICES.mkdir(exist_ok=True)
    with inetd(target, "", str(BINARY), "scanlogd wrap --service telnetd"):  # type: ignore[attr-defined]
        for _ in range(3):
            assert call(wrapped, "") == (b"", [("telnetd", 3, 6, f"connect from {ATTACKER} ({ATTACKER})")])


# A real service over UDP.


def fetch(wrapped: Wrapped, family: str, timeout: float) -> bytes | None:
    """The first block of a file from the tftp server; `None`: no answer."""
    kind = socket.AF_INET6 if family else socket.AF_INET
    with wrapped.attacker.open_socket(kind, socket.SOCK_DGRAM) as client:
        client.bind((ATTACKER_6 if family else ATTACKER, 0))
        client.settimeout(timeout)
        client.sendto(b"\0\x01motd\0octet\0", (TARGET_6 if family else TARGET, PORT))
        try:
            answer, server = client.recvfrom(1000)
        except TimeoutError:
            return None
        client.sendto(b"\0\x04\0\x01", server)
        return answer


@pytest.mark.parametrize("family", ["", "6"], ids=["ipv4", "ipv6"])
def test_tftp_is_granted_and_refused_without_a_loop(
    wrapped: Wrapped, rules: AccessFiles, target: Namespace, family: str
) -> None:
    SERVICES.mkdir(exist_ok=True)
    served = SERVICES / "tftp"
    served.mkdir(exist_ok=True)
    (served / "motd").write_text("hello\n")
    (served / "motd").chmod(0o644)
    client = ATTACKER_6 if family else ATTACKER
    daemon = unpacked("tftpd-hpa", "in.tftpd")
    (SERVICES / "inetd.conf").write_text(
        f"{PORT} dgram udp{family} wait root {BINARY} scanlogd wrap {daemon} -u nobody -s {served}\n")
    with running(target, unpacked("openbsd-inetd", "inetd"), "-i", SERVICES / "inetd.conf") as server:
        # A refusal first: the server itself waits for more requests once it runs.
        rules.write(deny="in.tftpd: ALL")
        assert fetch(wrapped, family, 1) is None
        assert [message.text for message in wrapped.log.messages if message.ident == "in.tftpd"] == [
            f"refused connect from {client} ({client})"], "it was started again for the same request"
        time.sleep(0.2)
        before = Path(f"/proc/{server.pid}/stat").read_text().split()[13]
        time.sleep(0.5)
        assert int(Path(f"/proc/{server.pid}/stat").read_text().split()[13]) - int(before) < 10, "inetd loops"
        rules.write(allow="in.tftpd: ALL", deny="ALL: ALL")
        assert fetch(wrapped, family, 5) == b"\0\x03\0\x01hello\n"
        lines = [message.text for message in wrapped.log.messages if message.text.startswith("connect from")]
        assert lines == [f"connect from {client} ({client})"]
        for pid in processes_named("in.tftpd"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
