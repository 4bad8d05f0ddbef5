"""The wrapper's example units, and others as an administrator would write them, under a systemd that has booted."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.daemon import wait_until
from harness.machine import Machine
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace
from harness.service import PATIENCE, Service
from harness.wrap import read_all

UNITS = Path("/etc/systemd/system")
EXAMPLES = "/usr/local/share/doc/scanlogd/wrap"
PROGRAM = "/usr/local/sbin/scanlogd"
INFORMATION, WARNING = 6, 4
# What the comment in the example says.
TRAPS = f"""[Service]
ExecStart=
ExecStart={PROGRAM} wrap --service telnetd --traps /var/lib/private/scanlogd-traps
StateDirectory=scanlogd-traps
StateDirectoryMode=0755
"""
# Started under the name of tcpd, with the service's own as the first argument, as inetd does.
TCPD_SOCKET = """[Socket]
ListenStream=2300
Accept=yes
"""
TCPD_SERVICE = """[Service]
ExecStart=@/usr/local/sbin/tcpd /usr/bin/echo in
StandardInput=socket
StandardOutput=socket
"""


class Units:
    """Units in the machine, and who connects to their sockets."""

    def __init__(self, service: Service, attacker: Namespace) -> None:
        self.service, self.machine, self._attacker = service, service.machine, attacker
        self._names: list[str] = []

    def add(self, name: str, content: str) -> None:
        self._names.append(name)
        path = UNITS / name
        self.machine.must("mkdir", "-p", path.parent)
        self.machine.inside(path).write_text(content)

    def add_example(self, name: str) -> None:
        self.add(name, self.machine.must("cat", f"{EXAMPLES}/{name}"))

    def start(self, name: str) -> None:
        self.machine.must("systemctl", "daemon-reload")
        self.machine.must("systemctl", "start", name)

    def rules(self, allow: str = "", deny: str = "") -> None:
        for name, content in (("allow", allow), ("deny", deny)):
            self.machine.inside(f"/etc/hosts.{name}").write_text(f"{content}\n")

    def call(self, port: int, source: str = ATTACKER) -> bytes:
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        with self._attacker.open_socket(family, socket.SOCK_STREAM) as client:
            client.bind((source, 0))
            client.settimeout(PATIENCE)
            client.connect((TARGET_6 if ":" in source else TARGET, port))
            return read_all(client, PATIENCE)

    def send(self, port: int, datagram: bytes) -> None:
        with self._attacker.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((ATTACKER, 0))
            client.sendto(datagram, (TARGET, port))

    def lines(self, name: str) -> list[tuple[int, str]]:
        return [(entry.level, entry.text) for entry in self.service.journal() if entry.name == name]

    def wait_for_lines(self, name: str, expected: list[tuple[int, str]]) -> None:
        wait_until(lambda: len(self.lines(name)) >= len(expected), f"too few lines of {name}", PATIENCE)
        assert self.lines(name) == expected

    def close(self) -> None:
        for name in self._names:
            if "/" not in name and "@" not in name:
                self.machine.run("systemctl", "stop", name)
        for name in self._names:
            self.machine.run("rm", "-f", UNITS / name)
        self.machine.run("rm", "-f", "/etc/hosts.allow", "/etc/hosts.deny")
        self.machine.run("systemctl", "daemon-reload")


@pytest.fixture
def units(service: Service, attacker: Namespace) -> Iterator[Units]:
    units = Units(service, attacker)
    yield units
    units.close()


@pytest.fixture
def telnet(units: Units) -> Units:
    units.add_example("wrapped-telnet.socket")
    units.add_example("wrapped-telnet@.service")
    return units


def failed(machine: Machine) -> str:
    return machine.must("systemctl", "--plain", "--no-legend", "list-units", "--state=failed", "wrapped-*")


@contextmanager
def stand_in_for_tftpd(machine: Machine) -> Iterator[None]:
    """The real one, which is tried behind inetd, needs libraries that the machine does not have."""
    path = "/usr/sbin/in.tftpd"
    machine.inside(path).write_text('#!/bin/sh\nlogger -t stand-in -- "$*: $(dd bs=600 count=1 status=none)"\n')
    machine.inside(path).chmod(0o755)
    try:
        yield
    finally:
        machine.must("rm", path)


def test_the_examples_are_units_without_a_fault(telnet: Units) -> None:
    for name in ("wrapped-tftp.socket", "wrapped-tftp.service"):
        telnet.add_example(name)
    with stand_in_for_tftpd(telnet.machine):
        done = telnet.machine.run("systemd-analyze", "--man=no", "verify", UNITS / "wrapped-telnet.socket",
                                  UNITS / "wrapped-telnet@.service", UNITS / "wrapped-tftp.socket")
        assert (done.status, done.stdout + done.stderr) == (0, "")


def test_an_unused_port_tells_of_allowed_and_refused_clients(telnet: Units) -> None:
    telnet.rules(deny=f"telnetd: [{ATTACKER_6}]")
    telnet.start("wrapped-telnet.socket")
    for source in (ATTACKER, ATTACKER_6, ATTACKER):
        assert telnet.call(23, source) == b""
        telnet.service.wait_for(f"from {source}", "telnetd")
    telnet.wait_for_lines("telnetd", [
        (INFORMATION, f"connect from {ATTACKER} ({ATTACKER})"),
        (WARNING, f"refused connect from {ATTACKER_6} ({ATTACKER_6})"),
        (INFORMATION, f"connect from {ATTACKER} ({ATTACKER})")])
    assert failed(telnet.machine) == ""


def test_a_trap_runs_as_the_user_of_the_unit_once_for_a_source(telnet: Units) -> None:
    telnet.add("wrapped-telnet@.service.d/traps.conf", TRAPS)
    telnet.rules(deny='telnetd: ALL: spawn (logger -t trap "%a %d $(id -u)")')
    telnet.start("wrapped-telnet.socket")
    for _ in range(2):
        assert telnet.call(23) == b""
    telnet.service.wait_for(f"{ATTACKER} telnetd", "trap")
    ((_, text),) = telnet.lines("trap")
    user = int(text.removeprefix(f"{ATTACKER} telnetd "))
    assert 61184 <= user <= 65519, "not one that systemd has made for the service"
    wait_until(lambda: len(telnet.lines("telnetd")) >= 3, "too few lines", PATIENCE)
    texts = [text for _, text in telnet.lines("telnetd")]
    assert texts.count(f"refused connect from {ATTACKER} ({ATTACKER})") == 2
    assert sum(text.startswith(f"trap skipped for {ATTACKER}: ") for text in texts) == 1
    assert failed(telnet.machine) == ""


def test_a_datagram_is_refused_and_granted_by_the_example(units: Units) -> None:
    units.add_example("wrapped-tftp.socket")
    units.add_example("wrapped-tftp.service")
    units.rules(deny="in.tftpd: ALL")
    with stand_in_for_tftpd(units.machine):
        units.start("wrapped-tftp.socket")
        units.send(69, b"refused")
        units.wait_for_lines("in.tftpd", [(WARNING, f"refused connect from {ATTACKER} ({ATTACKER})")])
        units.rules(allow=f"in.tftpd: {ATTACKER}", deny="ALL: ALL")
        units.send(69, b"granted")
        units.service.wait_for("granted", "stand-in")
    assert [text for _, text in units.lines("stand-in")] == ["--secure /srv/tftp: granted"]
    assert units.lines("in.tftpd")[1:] == [(INFORMATION, f"connect from {ATTACKER} ({ATTACKER})")]
    assert failed(units.machine) == ""


def test_systemd_starts_it_under_the_name_of_tcpd(units: Units) -> None:
    units.add("wrapped-echo.socket", TCPD_SOCKET)
    units.add("wrapped-echo@.service", TCPD_SERVICE)
    units.machine.must("ln", "-s", PROGRAM, "/usr/local/sbin/tcpd")
    try:
        units.rules(deny=f"echo: [{ATTACKER_6}]")
        units.start("wrapped-echo.socket")
        assert units.call(2300) == b"in\n"
        assert units.call(2300, ATTACKER_6) == b""
        units.wait_for_lines("echo", [
            (INFORMATION, f"connect from {ATTACKER} ({ATTACKER})"),
            (WARNING, f"refused connect from {ATTACKER_6} ({ATTACKER_6})")])
    finally:
        units.machine.must("rm", "/usr/local/sbin/tcpd")
