"""Connections that a super-server hands to a wrapper: scanlogd wrap, the same as tcpd, or Debian's tcpd."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from .places import BINARY, TEMPORARY
from .syslog_sink import Message, SyslogSink

TIMEOUT = 20.0
ALLOW, DENY = Path("/etc/hosts.allow"), Path("/etc/hosts.deny")
#: The name under which scanlogd is tcpd.
AS_TCPD = TEMPORARY / "wrap-bin" / "tcpd"


@dataclass(frozen=True)
class Visit:
    """What came of a connection: what the client received, how the wrapper ended, and what was logged."""

    received: bytes
    status: int
    messages: list[Message]
    client: tuple[str, int] = ("", 0)
    server: tuple[str, int] = ("", 0)
    seconds: float = 0

    @property
    def lines(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def line(self) -> str:
        (line,) = self.lines
        return line


class AccessFiles:
    """The host's two rule files, of which the tests have others."""

    def __init__(self) -> None:
        self._folder = TEMPORARY / "access"
        self._folder.mkdir(exist_ok=True)
        self.allow, self.deny = self._folder / "hosts.allow", self._folder / "hosts.deny"
        self._mounted: list[Path] = []
        for ours, theirs in ((self.allow, ALLOW), (self.deny, DENY)):
            ours.write_text("")
            assert theirs.exists(), f"{theirs}: the package libwrap0 has it"
            subprocess.run(["mount", "-n", "--bind", ours, theirs], check=True, timeout=10)
            self._mounted.append(theirs)

    def write(self, allow: str | bytes = "", deny: str | bytes = "") -> None:
        """Rules as lines, the last of which need not end."""
        for path, content in ((self.allow, allow), (self.deny, deny)):
            raw = content.encode() if isinstance(content, str) else content
            # In place, as it is the file that is mounted.
            path.write_bytes(raw if isinstance(content, bytes) or not raw or raw.endswith(b"\n") else raw + b"\n")

    def close(self) -> None:
        for path in self._mounted:
            subprocess.run(["umount", "-n", path], check=True, timeout=10)


def read_all(client: socket.socket, timeout: float = TIMEOUT) -> bytes:
    """What a client receives until the connection is closed."""
    client.settimeout(timeout)
    received = b""
    try:
        while part := client.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


@dataclass
class Wrapped:
    """A wrapper that is started for each connection, in place of a service."""

    attacker: Namespace
    target: Namespace
    log: SyslogSink

    def pair(self, source: str = ATTACKER, port: int = 0, ip_options: bytes = b"") -> tuple[socket.socket, socket.socket]:
        """The two ends of a connection from an address of the attacker's."""
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        there = TARGET_6 if family == socket.AF_INET6 else TARGET
        with self.target.open_socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((there, port))
            listener.listen()
            client = self.attacker.open_socket(family, socket.SOCK_STREAM)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ip_options:
                client.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, ip_options)
            client.bind((source, 0))
            client.settimeout(TIMEOUT)
            client.connect(listener.getsockname()[:2])
            server, _ = listener.accept()
            return client, server

    def start(
        self, server: int | socket.socket, *arguments: object, executable: Path | str = BINARY,
        wrapper: Sequence[str] = (), env: Mapping[str, str] | None = None, stderr: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts it with an end as all standard streams. The arguments begin with the name of the program."""
        command = [*wrapper, *map(str, arguments)]
        return subprocess.Popen(
            self.target.command(*command) if wrapper else command,
            executable=None if wrapper else executable, stdin=server, stdout=server,
            stderr=server if stderr is None else stderr, env=env)

    def visit(
        self, *arguments: object, source: str = ATTACKER, send: bytes = b"", port: int = 0, ip_options: bytes = b"",
        executable: Path | str = BINARY, wrapper: Sequence[str] = (), env: Mapping[str, str] | None = None,
        umask: int = -1,
    ) -> Visit:
        """A whole connection."""
        before = len(self.log.messages)
        client, server = self.pair(source, port, ip_options)
        here, there = client.getsockname()[:2], server.getsockname()[:2]
        with client:
            if send:
                client.sendall(send)
            begin = time.monotonic()
            with self.target.entered():
                process = self.start(server, *arguments, executable=executable, wrapper=wrapper, env=env)
            server.close()
            received = read_all(client)
            seconds = time.monotonic() - begin
            status = process.wait(TIMEOUT)
        return Visit(received, status, self.log.messages[before:], here, there, seconds)

    def wrap(self, *arguments: object, **how: object) -> Visit:
        """The same by `scanlogd wrap`."""
        return self.visit("scanlogd", "wrap", *arguments, **how)  # type: ignore[arg-type]

    def as_tcpd(self, *arguments: object, **how: object) -> Visit:
        """The same by scanlogd under the name of tcpd: the first argument is the program."""
        AS_TCPD.parent.mkdir(exist_ok=True)
        if not AS_TCPD.is_symlink():
            AS_TCPD.symlink_to(BINARY)
        return self.visit(*arguments, executable=AS_TCPD, **how)  # type: ignore[arg-type]

    def tcpd(self, *arguments: object, **how: object) -> Visit:
        """The same by Debian's tcpd, which waits for five seconds when it refuses."""
        return self.visit(*arguments, executable=tool("tcpd"), **how)  # type: ignore[arg-type]


@contextmanager
def addresses(namespace: Namespace, *list_: str) -> Iterator[None]:
    """Gives a host more addresses for the block."""
    for address in list_:
        length = 128 if ":" in address else 32
        namespace.run("ip", "address", "add", f"{address}/{length}", "dev", "wire", *(["nodad"] if length == 128 else []))
    try:
        yield
    finally:
        for address in list_:
            namespace.run("ip", "address", "del", f"{address}/{128 if ':' in address else 32}", "dev", "wire")


def unpacked(package: str, program: str) -> Path:
    """A program that the host has, or that `install-needs` has unpacked."""
    from .places import REPOSITORY
    for folder in ("usr/sbin", "usr/bin"):
        path = REPOSITORY / ".needs" / package / folder / program
        if path.exists():
            return path
    return Path(tool(program))


