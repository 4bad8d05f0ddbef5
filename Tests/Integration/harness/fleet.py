"""A fleet: hosts and a collector in network namespaces, with real rsyslogds that run what is in `fleet`."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .daemon import Finished, finish, wait_until
from .network import Namespace, tool
from .places import BINARY, REPOSITORY

FLEET = REPOSITORY / "fleet"
LOADER = FLEET / "load"
# Where the configurations have what; in a test each member has its own.
PLACES = {"/etc/scanlogd-fleet": "etc", "/var/spool/rsyslog": "spool", "/var/log/scanlogd-fleet": "log"}
_COLLECTOR = "10.88.0.1"


class Member:
    """A host of the fleet, or its collector."""

    def __init__(self, name: str, number: int, folder: Path, hub: Namespace) -> None:
        self.name = name
        self.address = f"10.88.0.{number}"
        self.folder = folder / name
        for place in PLACES.values():
            (self.folder / place).mkdir(parents=True)
        self.namespace = Namespace(f"fleet-{name}")
        self.link = f"v{number}"
        self._hub = hub
        self._rsyslogd: subprocess.Popen[bytes] | None = None
        subprocess.run(["ip", "netns", "add", self.namespace.name], check=True, timeout=10)
        hub.run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "wire", "netns", self.namespace.name)
        hub.run("ip", "link", "set", self.link, "master", "bridge", "up")
        self.namespace.run("ip", "address", "add", f"{self.address}/24", "dev", "wire")
        for device in ("lo", "wire"):
            self.namespace.run("ip", "link", "set", device, "up")

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    def configure(self, file: str) -> None:
        """Takes a configuration of the fleet as it is, but for its places and the collector's address."""
        text = (FLEET / file).read_text().replace('"COLLECTOR"', f'"{_COLLECTOR}"')
        for place, folder in PLACES.items():
            text = text.replace(place, str(self.folder / folder))
        before = f'global(localHostname="{self.name}")\n'
        if file == "host.conf":
            before += f'module(load="imuxsock" SysSock.Name="{self.socket}")\n'
        (self.folder / "rsyslog.conf").write_text(before + text)

    def start(self) -> None:
        command = [tool("rsyslogd"), "-n", "-i", "NONE", "-f", str(self.folder / "rsyslog.conf")]
        with (self.folder / "stderr").open("ab") as stderr:
            self._rsyslogd = subprocess.Popen(self.namespace.command(*command), stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=stderr)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._rsyslogd:
            self._rsyslogd.send_signal(number)
            self._rsyslogd.wait(20)
            self._rsyslogd = None

    def set_link(self, state: str) -> None:
        self._hub.run("ip", "link", "set", self.link, state)

    def send(self, lines: Iterable[str], ident: str = "scanlogd-event", priority: int = 25) -> None:
        """Logs lines on the host, as scanlogd does, and waits when its rsyslogd does not take them."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.connect(str(self.socket))
            for line in lines:
                log.send(f"<{priority}>Nov 28 00:00:00 {ident}: {line}".encode())

    def detector(self, *options: str) -> "Detector":
        return Detector(self, options)


class Detector:
    """scanlogd on a host, whose /dev/log is that of the host's rsyslogd."""

    def __init__(self, member: Member, options: Sequence[str]) -> None:
        pid_file = member.folder / "pid"
        script = 'mount --bind "$1" /dev/log && shift && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", str(member.socket), str(BINARY), "-d", "-P",
                   str(pid_file), *options]
        Path("/dev/log").touch()
        with (member.folder / "scanlogd.stderr").open("wb") as stderr:
            self._process = subprocess.Popen(member.namespace.command(*command), stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=stderr)
        wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", f"{member.name}: not started", 10)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            assert self._process.wait(10) == 0


class Fleet:
    """Three hosts, a collector, and somebody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counted: Counter[tuple[str, str, int]] = Counter()
        self._offsets: dict[Path, int] = {}
        hub = Namespace("fleet-hub")
        subprocess.run(["ip", "netns", "add", hub.name], check=True, timeout=10)
        hub.run("ip", "link", "add", "bridge", "type", "bridge")
        hub.run("ip", "link", "set", "bridge", "up")
        self.collector = Member("collector", 1, folder, hub)
        self.hosts = [Member(f"host{number}", 10 + number, folder, hub) for number in (1, 2, 3)]
        self.stranger = Member("stranger", 99, folder, hub)
        self._certify(self.collector, folder / "authority", "collector")
        for host in self.hosts:
            self._certify(host, folder / "authority", "host")
        for member in (self.collector, *self.hosts):
            member.configure("collector.conf" if member is self.collector else "host.conf")

    @staticmethod
    def _certify(member: Member, authority: Path, role: str) -> None:
        name = member.name if role == "host" else "host1"
        made = finish([str(FLEET / "make-certificates"), str(authority), name], timeout=60)
        assert made.status == 0, made
        shutil.copy(authority / "ca.crt", member.folder / "etc")
        for end in ("crt", "key"):
            shutil.copy(authority / f"{member.name}.{end}", member.folder / "etc" / f"{role}.{end}")

    def start(self) -> None:
        self.collector.start()
        for host in self.hosts:
            host.start()
            wait_until(host.socket.exists, f"{host.name}: no log", 10)

    @property
    def files(self) -> list[Path]:
        return sorted((self.collector.folder / "log").glob("*.json"))

    def received(self) -> list[dict[str, Any]]:
        """What the collector has written, one object a line; the last line may not be whole."""
        return [json.loads(line) for file in self.files for line in file.read_text().split("\n")[:-1]]

    def counts(self) -> Counter[tuple[str, str, int]]:
        """How often each event has been written: only what is new is read."""
        for path in self.files:
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                text = file.read()
            whole = text[:text.rfind(b"\n") + 1]
            self._offsets[path] = self._offsets.get(path, 0) + len(whole)
            for line in map(json.loads, whole.splitlines()):
                self._counted[line["host"], line["event"]["run"], line["event"]["seq"]] += 1
        return self._counted

    def tear_down(self) -> None:
        for member in (self.collector, *self.hosts):
            member.end(signal.SIGKILL)
        Path("/dev/log").unlink(missing_ok=True)
        for name in ("collector", "host1", "host2", "host3", "stranger", "hub"):
            subprocess.run(["ip", "netns", "del", f"fleet-{name}"], check=False, timeout=10)


def load(*words: object, timeout: float = 60) -> Finished:
    """Runs the loader as it is executed."""
    return finish([str(LOADER), *map(str, words)], timeout=timeout)


class PostgreSQL:
    """A server of its own, private to the test: by a local socket only, as the user that Debian has for it."""

    def __init__(self, folder: Path) -> None:
        self._programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))))
        self._folder = folder
        folder.mkdir()
        shutil.chown(folder, "postgres", "postgres")
        # Each folder on the way to it must be open to that user.
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and parent.is_relative_to("/run/stage"):
                os.chmod(parent, 0o755)
        self._run("initdb", "-D", folder / "data", "-A", "trust", "-N", "-U", "postgres")
        self.database = "postgres"
        self.start()

    @property
    def conninfo(self) -> str:
        return f"host={self._folder} user=postgres dbname={self.database}"

    def use_new(self, name: str) -> None:
        """From here on another database, which is empty."""
        self.rows(f"create database {name}")
        self.database = name

    def _run(self, program: str, *words: object) -> None:
        done = finish(["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
                       str(self._programs / program), *map(str, words)], timeout=60)
        assert done.status == 0, done

    def start(self) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-o", f"-k {self._folder} -h '' -F", "-l",
                  self._folder / "log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-m", mode, "-w", "stop")

    def rows(self, query: str) -> list[list[str]]:
        done = finish(["psql", "-X", "-A", "-t", "-F", "|", "-d", self.conninfo, "-c", query])
        assert done.status == 0, done
        return [line.split("|") for line in done.stdout.splitlines()]
