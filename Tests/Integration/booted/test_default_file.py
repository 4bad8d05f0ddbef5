"""/etc/default/scanlogd: what a systemd that has booted makes of it, and what the init script does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.machine import SHARED, Machine
from harness.places import REPOSITORY
from harness.service import DEFAULTS

# Each has the content of the file and the words that the daemon is given besides those of the unit.
CASES = json.loads((REPOSITORY / "Tests/Fixtures/default_files.json").read_text())
# In the daemon's place: writes down how it was called.
RECORD = SHARED / "record"
DAEMON = f"""#!/bin/sh
printf '%s\\0' "$@" >{RECORD}
"""
UNIT = "arguments.service"


class Readers:
    """The unit's own line and the init script, both with a daemon that only writes down its arguments."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        daemon = machine.shared / "scanlogd"
        daemon.write_text(DAEMON)
        daemon.chmod(0o755)
        unit = (REPOSITORY / "rc.d/scanlogd.service").read_text().replace("@SBINDIR@", str(SHARED))
        settings = re.findall(r"^(?:EnvironmentFile|ExecStart)=.*$", unit, re.MULTILINE)
        assert len(settings) == 2
        machine.inside(f"/etc/systemd/system/{UNIT}").write_text(
            "\n".join(["[Service]", "Type=oneshot", *settings, ""]))
        machine.must("systemctl", "daemon-reload")
        # Elsewhere than in /etc/init.d, from where it would hand over to systemd.
        script = (REPOSITORY / "rc.d/scanlogd").read_text().replace("@SBINDIR@", str(SHARED))
        (machine.shared / "init").write_text(script)

    @property
    def _record(self) -> Path:
        return self._machine.shared / RECORD.name

    def _words(self) -> list[str] | None:
        """What it was called with, if it was, besides what it always is."""
        if not self._record.exists():
            return None
        words = self._record.read_text().split("\0")[:-1]
        self._record.unlink()
        for fixed in (["--foreground"], ["--background"], ["--pidfile", "/run/scanlogd.pid"]):
            if words[:len(fixed)] == fixed:
                del words[:len(fixed)]
        return words

    def systemd(self) -> list[str] | None:
        self._machine.must("systemctl", "start", UNIT)
        return self._words()

    def init_script(self) -> list[str] | None:
        """None where the file is refused, which has to be said."""
        done = self._machine.run("sh", SHARED / "init", "start")
        words = self._words()
        if words is None:
            assert done.status == 6 and f"{DEFAULTS}:" in done.stdout + done.stderr, done
        return words


@pytest.fixture
def readers(machine: Machine) -> Iterator[Readers]:
    yield Readers(machine)
    machine.must("rm", "-rf", DEFAULTS, f"/etc/systemd/system/{UNIT}", SHARED / "trace")


@pytest.mark.parametrize("case", CASES, ids=[case["content"] for case in CASES])
def test_both_read_it_alike(machine: Machine, readers: Readers, case: dict[str, object]) -> None:
    machine.inside(DEFAULTS).write_bytes(str(case["content"]).encode("latin-1"))
    assert readers.systemd() == case["words"]
    assert readers.init_script() in (case["words"], None)
    assert not (machine.shared / "trace").exists(), "something in it was run"
