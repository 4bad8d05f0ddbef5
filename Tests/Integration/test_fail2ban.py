"""The filter for fail2ban reads every form of our line, and nothing else."""

import re
import subprocess
from pathlib import Path

import pytest
from harness.network import tool
from harness.places import REPOSITORY

FILTER = REPOSITORY / "rc.d/fail2ban/filter.local"
JAIL = REPOSITORY / "rc.d/fail2ban/jail.local"
PREFIX = "Nov 21 12:04:45 host scanlogd: "
TAIL = "ports 21, 22, ..., fSrpauxy, TOS 00, TTL 64 @12:04:45"

REPORTS = {
    f"10.77.0.1:40000 to 10.77.0.2 {TAIL}": "10.77.0.1",
    f"10.77.0.1 to 10.77.0.2 {TAIL}": "10.77.0.1",
    f"10.77.0.1:40000 to 10.77.0.2 and others, {TAIL}": "10.77.0.1",
    f"[2001:db8::1]:40000 to fd77::2 {TAIL}": "2001:db8::1",
    f"2001:db8::1 to fd77::2 and others, {TAIL}": "2001:db8::1",
    f"::ffff:10.0.0.1 to fd77::2 {TAIL}": "10.0.0.1",
    "10.77.0.1 to 10.77.0.2 ports 65535, ..., ????????, TTL 255 @00:00:00": "10.77.0.1",
    "10.77.0.1 to 10.77.0.2 ports 80, ..., FSRPAUXY @23:59:59": "10.77.0.1",
}
OTHERS = [
    "More possible port scans follow",
    "33 port scans from 31 sources not logged in 20 s: 10.77.2.41, 10.77.2.42",
    "2 port scans from 2 sources not logged in 20 s, and 3 sources before: 10.77.2.41, 10.77.2.42",
    "3 sources of port scans not logged before: 10.77.2.41, 10.77.2.42",
    "started, version 0.1.0, backend ring",
    "stopped",
    "12 packets dropped by the kernel: more came than could be received",
    "eth0: interface is down",
    f"10.77.0.1 to 10.77.0.2 {TAIL} and more",
]


def matches(tmp_path: Path, *lines: str) -> list[str]:
    """The addresses that fail2ban would act on."""
    log = tmp_path / "log"
    log.write_text("".join(f"{PREFIX}{line}\n" for line in lines))
    # The name has to end in .conf for fail2ban to read it as a file.
    copy = tmp_path / "scanlogd.conf"
    copy.write_text(FILTER.read_text())
    common = Path("/etc/fail2ban/filter.d/common.conf")
    (tmp_path / "common.conf").write_text(common.read_text())
    done = subprocess.run([tool("fail2ban-regex"), "-o", "ip", str(log), str(copy)], capture_output=True, text=True,
                          timeout=30, check=False)
    assert "Traceback" not in done.stderr and "ERROR" not in done.stdout + done.stderr, done
    return done.stdout.split()


@pytest.mark.parametrize(("line", "address"), REPORTS.items())
def test_a_report_gives_its_source(tmp_path: Path, line: str, address: str) -> None:
    assert matches(tmp_path, line) == [address]


def test_all_the_reports_of_the_captures_are_read(tmp_path: Path) -> None:
    lines = [line for file in sorted((REPOSITORY / "Tests/Fixtures/captures").glob("*.expected"))
             for line in file.read_text().splitlines() if " ports " in line]
    assert len(lines) > 20
    sources = [re.split(r"[: ]", line)[0] for line in lines]
    assert matches(tmp_path, *lines) == sources


def test_other_lines_are_left_alone(tmp_path: Path) -> None:
    assert matches(tmp_path, *OTHERS) == []


def test_the_jail_is_off() -> None:
    assert re.search(r"^enabled = false$", JAIL.read_text(), re.MULTILINE)
