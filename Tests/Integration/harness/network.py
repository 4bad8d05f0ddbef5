"""Two hosts on one wire: network namespaces `attacker` and `target`, joined by a veth pair."""

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

ATTACKER = "10.77.0.1"
TARGET = "10.77.0.2"
TARGET_TOO = "10.77.0.3"
ATTACKER_6 = "fd77::1"
TARGET_6 = "fd77::2"
TARGET_6_TOO = "fd77::3"

ATTACKER_MAC = "02:00:00:00:77:01"
TARGET_MAC = "02:00:00:00:77:02"

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def tool(name: str) -> str:
    """The path of a program the test needs. Without it the test is skipped, or, in CI, fails."""
    return shutil.which(name) or missing(f"{name} is not installed")


def missing(what: str) -> NoReturn:
    """Ends a test without something that `make test` provides: it is skipped, or, in CI, fails."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def _enter(namespace: Path) -> None:
    """Moves the calling thread, and only it, into a network namespace."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns", str(namespace))
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Namespace:
    """A network namespace that `ip netns` knows by its name."""

    name: str

    @property
    def path(self) -> Path:
        return Path("/run/netns") / self.name

    def command(self, *arguments: object) -> list[str]:
        """The command line that runs a program in here. nsenter executes it in its own place: the pid stays."""
        return ["nsenter", f"--net={self.path}", "--", *map(str, arguments)]

    def run(self, *arguments: object, timeout: float = 30) -> str:
        """Runs a program that must succeed, and returns what it wrote."""
        done = subprocess.run(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=timeout, check=False,
        )
        assert done.returncode == 0, f"{arguments}: status {done.returncode}: {done.stdout}"
        return done.stdout

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Runs the block in here. A socket stays for ever in the namespace it was made in."""
        _enter(self.path)
        try:
            yield
        finally:
            _enter(Path("/proc/1/ns/net"))

    @contextmanager
    def setting(self, name: str, value: object) -> Iterator[None]:
        """A kernel parameter of this namespace (sysctl(8)), as long as it is wanted."""
        before = self.run("sysctl", "-n", name).strip()
        self.run("sysctl", "-q", f"{name}={value}")
        try:
            yield
        finally:
            self.run("sysctl", "-q", f"{name}={before}")

    def open_socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        with self.entered():
            return socket.socket(family, kind, protocol)

    def listener(self, port: int, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
        """A listening socket on every address of the family. The kernel accepts connections, nobody reads them."""
        listener = self.open_socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))
        listener.listen(256)
        return listener


def build(prefix: str = "") -> tuple[Namespace, Namespace]:
    """Makes the two hosts. They go with the mount namespace that holds /run/netns.

    A prefix makes another pair, with the same addresses, for a test that changes what belongs to all of a host.
    """
    attacker, target = Namespace(prefix + "attacker"), Namespace(prefix + "target")
    for host in (attacker, target):
        subprocess.run(["ip", "netns", "add", host.name], check=True, timeout=10)
        # Spoofed sources arrive over a wire that has no route back to them; no test waits for address detection.
        host.run("sysctl", "-q", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                 "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0",
                 # What the kernel sends by itself is over before the first test counts packets: it looks for no router,
                 # and waits no second to say which groups it is in.
                 "net.ipv6.conf.default.router_solicitations=0",
                 "net.ipv6.conf.default.mldv2_unsolicited_report_interval=1")
    attacker.run("ip", "link", "add", "wire", "address", ATTACKER_MAC, "type", "veth",
                 "peer", "name", "wire", "address", TARGET_MAC, "netns", target.name)
    _configure(attacker, TARGET_MAC, [ATTACKER, ATTACKER_6], [TARGET, TARGET_TOO, TARGET_6, TARGET_6_TOO])
    _configure(target, ATTACKER_MAC, [TARGET, TARGET_TOO, TARGET_6, TARGET_6_TOO], [ATTACKER, ATTACKER_6])
    return attacker, target


def _configure(host: Namespace, other_mac: str, addresses: list[str], neighbours: list[str]) -> None:
    host.run("ip", "link", "set", "lo", "up")
    host.run("ip", "link", "set", "wire", "up")
    for address in addresses:
        if ":" in address:
            host.run("ip", "address", "add", f"{address}/64", "dev", "wire", "nodad")
        else:
            host.run("ip", "address", "add", f"{address}/24", "dev", "wire")
    for neighbour in neighbours:
        # Known beforehand, so that no probe is lost or late while an address is being resolved.
        host.run("ip", "neighbour", "replace", neighbour, "lladdr", other_mac, "dev", "wire", "nud", "permanent")
