"""A name server on the target's loopback, which knows what a test tells it, and misbehaves as it is told."""

import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from .network import Namespace
from .places import TEMPORARY

A, CNAME, PTR, AAAA = 1, 5, 12, 28
_NO_ERROR, _SERVER_FAILURE, _NO_SUCH_NAME = 0, 2, 3
_ANSWER, _TRUNCATED = 0x8480, 0x0200  # an answer from who knows it, recursion available
_TTL = 60
#: The name of the question, which stands behind the header's 12 bytes.
_QUESTION = b"\xc0\x0c"

Labels = tuple[bytes, ...]


def labels(name: str | Iterable[bytes]) -> Labels:
    """The labels of a name. One that text can't say is given by its labels, which may hold any bytes."""
    if isinstance(name, str):
        return tuple(part.encode() for part in name.split("."))
    return tuple(name)


def _wire(name: Labels) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def _reverse(address: str) -> Labels:
    return labels(ip_address(address).reverse_pointer)


@dataclass(frozen=True)
class Question:
    name: Labels
    kind: int
    over_tcp: bool


@dataclass
class NameServer:
    """Over UDP and TCP, port 53. It answers each question in a thread of its own, so that none waits for another."""

    namespace: Namespace
    #: Names, by the names that have them: in lower case, as names are compared.
    pointers: dict[Labels, Labels] = field(default_factory=dict)
    addresses: dict[Labels, list[str]] = field(default_factory=dict)
    #: Names that are others.
    aliases: dict[Labels, Labels] = field(default_factory=dict)
    #: The addresses of every name that has none of its own.
    addresses_of_others: list[str] = field(default_factory=list)
    #: The names of which a question gets no answer, a late one in seconds, a failure, or first a truncated one.
    silent: set[Labels] = field(default_factory=set)
    late: dict[Labels, float] = field(default_factory=dict)
    failing: set[Labels] = field(default_factory=set)
    truncated: set[Labels] = field(default_factory=set)
    #: No question gets an answer.
    dead: bool = False
    questions: list[Question] = field(default_factory=list)

    def host(self, address: str, name: str | Iterable[bytes], *others: str) -> None:
        """An address that has a name, which has the address, and perhaps others before it."""
        self.points(address, name)
        self.addresses[labels(name)] = [*others, address]

    def points(self, address: str, name: str | Iterable[bytes]) -> None:
        """An address that claims a name."""
        self.pointers[_reverse(address)] = labels(name)

    def alias(self, name: str, of: str) -> None:
        """A name that is another one."""
        self.aliases[labels(name)] = labels(of)

    def be_silent(self, address: str) -> None:
        self.silent.add(_reverse(address))

    def be_late(self, address: str, seconds: float) -> None:
        self.late[_reverse(address)] = seconds

    def fail(self, address: str) -> None:
        self.failing.add(_reverse(address))

    def truncate(self, address: str) -> None:
        self.truncated.add(_reverse(address))

    def asked(self, address: str) -> list[Question]:
        """What was asked about an address."""
        return [question for question in self.questions if question.name == _reverse(address)]

    # The server.

    def start(self) -> None:
        self._udp = self.namespace.open_socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._tcp = self.namespace.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for opened in (self._udp, self._tcp):
            opened.bind(("127.0.0.1", 53))
        self._tcp.listen(64)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.dead = True
        self._tcp.shutdown(socket.SHUT_RDWR)
        with self.namespace.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", 53))  # ends the thread; closing a socket under a blocked recv doesn't
        for thread in self._threads:
            thread.join(5)
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            request, sender = self._udp.recvfrom(4096)
            if not request:
                return
            self._begin(self._answer_datagram, request, sender)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            self._begin(self._answer_stream, connection)

    @staticmethod
    def _begin(work: object, *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()  # type: ignore[arg-type]

    def _answer_datagram(self, request: bytes, sender: tuple[str, int]) -> None:
        reply = self._reply(request, over_tcp=False)
        if reply and not self.dead:
            self._udp.sendto(reply, sender)

    def _answer_stream(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                reply = self._reply(stream.read(int.from_bytes(head)), over_tcp=True)
                if not reply or self.dead:
                    return
                connection.sendall(len(reply).to_bytes(2) + reply)

    def _reply(self, request: bytes, over_tcp: bool) -> bytes | None:
        question, asked = _parse(request, over_tcp)
        self.questions.append(question)
        if self.dead or question.name in self.silent:
            return None
        time.sleep(self.late.get(question.name, 0))
        answers = list(self._answers(question))
        flags = _ANSWER | self._status(question)
        if question.name in self.truncated and not over_tcp:
            flags, answers = flags | _TRUNCATED, []
        return request[:2] + struct.pack("!5H", flags, 1, len(answers), 0, 0) + asked + b"".join(answers)

    def _status(self, question: Question) -> int:
        if question.name in self.failing:
            return _SERVER_FAILURE
        known = question.name in self.pointers or question.name in self.aliases or question.name in self.addresses or self.addresses_of_others
        return _NO_ERROR if known else _NO_SUCH_NAME

    def _answers(self, question: Question) -> Iterator[bytes]:
        if question.name in self.failing:
            return
        if question.kind == PTR and question.name in self.pointers:
            yield _record(PTR, _wire(self.pointers[question.name]))
        name, owner = question.name, _QUESTION
        for _ in range(9):  # a chain may have no end
            if question.kind == PTR or name not in self.aliases:
                break
            name = self.aliases[name]
            yield _record(CNAME, _wire(name), owner)
            owner = _wire(name)
        for text in self.addresses.get(name, self.addresses_of_others):
            address = ip_address(text)
            if question.kind == (A if address.version == 4 else AAAA):
                yield _record(question.kind, address.packed, owner)


def _record(kind: int, data: bytes, owner: bytes = _QUESTION) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, _TTL, len(data)) + data


def _parse(request: bytes, over_tcp: bool) -> tuple[Question, bytes]:
    """The question, and its bytes."""
    name: list[bytes] = []
    place = 12
    while length := request[place]:
        name.append(request[place + 1:place + 1 + length].lower())
        place += 1 + length
    kind = int.from_bytes(request[place + 1:place + 3])
    return Question(tuple(name), kind, over_tcp), request[12:place + 5]


@contextmanager
def resolver_files(
    hosts: str = "", nsswitch: str = "hosts: files dns\n", servers: Iterable[str] = ("127.0.0.1",)
) -> Iterator[None]:
    """Has the C library ask that server and nobody else, for as long as the block runs."""
    contents = {
        "resolv.conf": "".join(f"nameserver {server}\n" for server in servers),
        "nsswitch.conf": f"passwd: files\ngroup: files\n{nsswitch}",
        "hosts": f"127.0.0.1 localhost\n{hosts}",
    }
    mounted = []
    try:
        for name, content in contents.items():
            number, path = tempfile.mkstemp(prefix=f"{name}-", dir=TEMPORARY)
            os.write(number, content.encode())
            os.fchmod(number, 0o644)
            os.close(number)
            subprocess.run(["mount", "-n", "--bind", path, Path("/etc") / name], check=True, timeout=10)
            mounted.append(name)
        yield
    finally:
        for name in mounted:
            subprocess.run(["umount", "-n", Path("/etc") / name], check=True, timeout=10)
