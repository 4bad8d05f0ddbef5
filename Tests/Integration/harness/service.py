"""scanlogd as a service of a booted machine."""

import json
from dataclasses import dataclass
from pathlib import Path

from .daemon import wait_until
from .machine import Machine
from .places import REPOSITORY

UNIT = "scanlogd.service"
DEFAULTS = Path("/etc/default/scanlogd")
# Long enough for a machine on which much else runs.
PATIENCE = 60.0


@dataclass(frozen=True)
class Entry:
    """An entry of the journal."""

    name: str
    level: int
    text: str


class Service:
    """Installed as README says, and looked at through systemd and its journal."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._cursor = ""

    def install(self) -> None:
        self.machine.must("make", "-C", REPOSITORY, "install")
        self.machine.must("systemctl", "daemon-reload")

    def reset(self) -> None:
        """Installed, stopped, not enabled, without options, and with nothing in the journal yet."""
        for directory in ("etc/systemd/system", "run/systemd/system"):
            self.machine.run("rm", "-rf", f"/{directory}/{UNIT}.d")
        self.machine.run("rm", "-f", DEFAULTS)
        if not self.machine.inside("/usr/local/sbin/scanlogd").exists():
            self.install()
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "disable", "--now", UNIT)
        self.machine.run("systemctl", "reset-failed", UNIT)
        self.forget()

    def forget(self) -> None:
        """Leaves out of the journal what is in it now."""
        last = self.machine.must("journalctl", "-q", "-n", "1", "--show-cursor", "-o", "cat").splitlines()[-1]
        self._cursor = last.removeprefix("-- cursor: ")

    def give(self, options: str) -> None:
        """Writes the file of options as README has it."""
        self.machine.inside(DEFAULTS).write_text(f"SCANLOGD_OPTIONS='{options}'\n")

    def override(self, text: str) -> None:
        """Changes the unit as `systemctl edit --runtime` does."""
        self.machine.must("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
        self.machine.must("sh", "-c", 'printf %s "$1" >"$2"', "sh", text, f"/run/systemd/system/{UNIT}.d/test.conf")
        self.machine.must("systemctl", "daemon-reload")

    def start(self) -> None:
        self.machine.must("systemctl", "start", UNIT)
        assert self.is_active()

    def is_active(self) -> bool:
        return self.property("ActiveState") == "active"

    def property(self, name: str) -> str:
        return self.machine.must("systemctl", "show", "--value", "-p", name, UNIT).rstrip("\n")

    def processes(self) -> tuple[int, int]:
        """The logger and the sensor, by the numbers that they have in there."""
        logger = int(self.property("MainPID"))
        (sensor,) = self.machine.must("ps", "-o", "pid=", "--ppid", logger).split()
        return logger, int(sensor)

    def written(self, *options: str) -> str:
        """What journalctl writes of the time since the reset."""
        # With a match besides, journalctl 252 leaves out the first line that matches.
        return self.machine.must("journalctl", "-q", f"--after-cursor={self._cursor}", *options)

    def journal(self) -> list[Entry]:
        """What was logged since the reset, by anybody."""
        entries = (json.loads(line) for line in self.written("-o", "json").splitlines())
        return [Entry(entry.get("SYSLOG_IDENTIFIER", ""), int(entry.get("PRIORITY", "6")), str(entry["MESSAGE"]))
                for entry in entries]

    def lines(self, level: int | None = None) -> list[str]:
        """The texts of the daemon's lines."""
        return [entry.text for entry in self.journal() if entry.name == "scanlogd" and level in (None, entry.level)]

    def wait_for(self, text: str, name: str = "scanlogd", level: int | None = None) -> str:
        """Waits for a line with this text, and returns it."""
        def found() -> list[str]:
            return [entry.text for entry in self.journal()
                    if entry.name == name and level in (None, entry.level) and text in entry.text]
        wait_until(lambda: bool(found()), f"no line with {text!r}", PATIENCE)
        return found()[0]
