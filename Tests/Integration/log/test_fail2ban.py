"""The filter for fail2ban reads every form of our line, as whoever writes the log puts it, and nothing else."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from harness.fail2ban import failures
from harness.places import REPOSITORY

JAIL = REPOSITORY / "rc.d/fail2ban/jail.local"
PREFIX = "Nov 21 12:04:45 host scanlogd: "
TAIL = "ports 21, 22, ..., fSrpauxy, TOS 00, TTL 64 @12:04:45"
REPORT = f"10.77.0.1:40000 to 10.77.0.2 {TAIL}"

REPORTS = {
    REPORT: ("10.77.0.1", 40000),
    f"10.77.0.1 to 10.77.0.2 {TAIL}": ("10.77.0.1", None),
    f"10.77.0.1:40000 to 10.77.0.2 and others, {TAIL}": ("10.77.0.1", 40000),
    f"[2001:db8::1]:40000 to fd77::2 {TAIL}": ("2001:db8::1", 40000),
    f"2001:db8::1 to fd77::2 and others, {TAIL}": ("2001:db8::1", None),
    f"[2001:db8:1:2:3:4:5:6]:1 to fd77:1:2:3:4:5:6:7 and others, {TAIL}": ("2001:db8:1:2:3:4:5:6", 1),
    f"fe80:: to ff02::1 {TAIL}": ("fe80::", None),
    f"[::1]:0 to ::1 {TAIL}": ("::1", 0),
    f"::ffff:10.0.0.1 to fd77::2 {TAIL}": ("10.0.0.1", None),
    "10.77.0.1 to 10.77.0.2 ports 65535, ..., ????????, TTL 255 @00:00:00": ("10.77.0.1", None),
    "10.77.0.1 to 10.77.0.2 ports 80, ..., FSRPAUXY @23:59:59": ("10.77.0.1", None),
}
OTHER_KINDS = {
    "10.77.0.1:37393 to 10.77.0.2 slow ports 3389, 135, 23, ..., 120 s, fSrpauxy, TOS 00 @19:41:25": ("10.77.0.1", 37393),
    "[2001:db8::1]:7 to fd77::2 and others, slow ports 3, 2, ..., 9 s, f??pauxy @19:41:25": ("2001:db8::1", 7),
    "10.77.0.1 to 10.77.0.2 udp ports 68, 626, 518, 1027, ..., 3 s @20:11:02": ("10.77.0.1", None),
    "10.77.0.1 to 10.77.0.2 ack ports 8888, 1723, 80, ..., 1 s @20:11:02": ("10.77.0.1", None),
    "10.77.0.1:40000 to 10.77.0.2 sctp ports 9082, 2225, 179, ..., 1 s @20:11:02": ("10.77.0.1", 40000),
    "10.77.0.1 to 10.77.0.2 protocols 142, 228, 198, ..., 1 s @20:11:02": ("10.77.0.1", None),
    "10.77.0.1 to 10.77.1.26 and others, sweep port 445, 16 hosts, 22 s, fSrpauxy @20:11:02": ("10.77.0.1", None),
    "10.77.0.1 to 10.77.1.26 and others, sweep ping, 16 hosts, 1 s @20:11:02": ("10.77.0.1", None),
}
OTHERS = [
    *OTHER_KINDS,
    "More possible port scans follow",
    "33 port scans from 31 sources not logged in 20 s: 10.77.2.41, 10.77.2.42",
    "2 port scans from 2 sources not logged in 20 s, and 3 sources before: 10.77.2.41, 10.77.2.42",
    "3 sources of port scans not logged before: 10.77.2.41, 10.77.2.42",
    "More possible scans of other kinds follow",
    "33 other scans from 31 sources not logged in 20 s: 10.77.2.41, 10.77.2.42",
    "fd77:0:0:aa::/64 to fd77::2 spread ports 21, 23, ..., 4 or more sources, 2 s @20:05:12",
    "started, version 0.1.0, backend ring",
    "stopped",
    "12 packets dropped by the kernel: more came than could be received",
    "eth0: interface is down",
    f"10.77.0.1 to 10.77.0.2 {TAIL} and more",
    f"scanlogd: {REPORT}",
    f"host scanlogd: {REPORT}",
]
# What stands before a report. Those whose programs can be run here are also tried with them, in test_log_writers.py.
PREFIXES = {
    "traditional": PREFIX,
    "with a process id": "Nov  1 12:04:45 host scanlogd[4711]: ",
    "from a host without a name": "Nov 21 12:04:45 fe80::1 scanlogd: ",
    "syslog-ng's chain of hosts": "Nov 21 12:04:45 s_log@relay/web-1.example. scanlogd: ",
    "ISO 8601": "2026-11-21T12:04:45+00:00 host scanlogd: ",
    "ISO 8601 with fractions": "2026-11-21T12:04:45.123456Z host scanlogd: ",
    "journalctl -o short-iso": "2026-11-21T12:04:45+0000 host scanlogd[1]: ",
    "journalctl -o short-full": "Sat 2026-11-21 12:04:45 UTC host scanlogd[1]: ",
    "journalctl -o short-unix": "1795262685.000000 host scanlogd[1]: ",
    "journalctl -o with-unit": "Sat 2026-11-21 12:04:45.000000 UTC host scanlogd.service[1]: ",
    "busybox": "Nov 21 12:04:45 host daemon.alert scanlogd: ",
    "busybox without a host": "Nov 21 12:04:45 daemon.alert scanlogd: ",
    "busybox -S": "Nov 21 12:04:45 scanlogd: ",
    "OpenWrt": "Sat Nov 21 12:04:45 2026 daemon.alert scanlogd[1]: ",
    "BSD, verbose": "Nov 21 12:04:45 <daemon.alert> host scanlogd: ",
    "BSD, more verbose": "Nov 21 12:04:45 <3.1> host scanlogd: ",
    "metalog": "Nov 21 12:04:45 [scanlogd] ",
    "with its priority": "<25>Nov 21 12:04:45 host scanlogd: ",
    "with its priority, ISO 8601": "<25>2026-11-21T12:04:45.1+00:00 host scanlogd: ",
    "RFC 5424": "<25>1 2026-11-21T12:04:45.123+00:00 host scanlogd - - - ",
    "RFC 5424, all of it": '<25>1 2026-11-21T12:04:45Z host scanlogd 4711 ID [a@1 b="c]\\"" d="e"][f@2] \ufeff',
    "RFC 5424, no host": "<25>1 2026-11-21T12:04:45Z - scanlogd - - [x@1] ",
}
# Names that are not ours, and texts of others that strangers had them log. A name ends at the first colon.
LOOKALIKES = [
    "", "host ", "other: ", "host other: ", "host xscanlogd: ", "host scanlogdx: ", "host scanlogd.sh: ",
    "host other[1]: ", "other: scanlogd: ", "host other: scanlogd: ", "host other[1]: scanlogd[1]: ",
    "other[1]: scanlogd[1]: ", "other: host scanlogd: ", "other: daemon.alert scanlogd: ",
    "host daemon.alert other: scanlogd: ", "daemon.alert other: daemon.alert scanlogd: ", "daemon.alert other: ",
    "host other scanlogd: ", "[other] scanlogd: ", "[other] [scanlogd] ", "<other: daemon.alert> host scanlogd: ",
    "<3.1> host other: scanlogd: ", "host other: Nov 21 12:04:45 host scanlogd: ", "host other - - - ",
    "host other - - - scanlogd - - - ", 'host other - - [x@1 y="] scanlogd - - - "] scanlogd: ',
    "host other: scanlogd - - - ", "other: scanlogd - - - ", "          scanlogd: ", "  host scanlogd: ",
    "\tscanlogd: host scanlogd: ",
]


def read(directory: Path, *lines: str) -> list[tuple[str, int | None]]:
    """The sources that fail2ban would act on, with their ports."""
    found = failures("".join(f"{line}\n" for line in lines), directory)
    return [(failure.host, failure.port) for failure in found]


def test_every_form_of_a_report_gives_its_source(tmp_path: Path) -> None:
    assert read(tmp_path, *(PREFIX + line for line in REPORTS)) == list(REPORTS.values())


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_a_report_is_read_however_the_log_is_written(tmp_path: Path, prefix: str) -> None:
    found = failures("".join(f"{prefix}{line}\n" for line in REPORTS), tmp_path)
    assert [(failure.host, failure.port) for failure in found] == list(REPORTS.values())
    # Where no date is found, fail2ban takes the present time.
    day = 1 if "Nov  1" in prefix else 21
    years = (2026,) if "2026" in prefix or "1795262685" in prefix else (datetime.now().year, datetime.now().year - 1)
    dates = [datetime(year, 11, day, 12, 4, 45, tzinfo=ZoneInfo("UTC")).timestamp() for year in years]
    assert {int(failure.time) for failure in found} <= set(dates)


def test_the_time_zone_of_journalctl_is_the_local_one(tmp_path: Path) -> None:
    environment = {"TZ": "Europe/Berlin"}
    (winter,) = failures(f"Sat 2026-11-21 12:04:45 CET host scanlogd[1]: {REPORT}\n", tmp_path, environment)
    (summer,) = failures(f"Sun 2026-06-21 12:04:45 CEST host scanlogd[1]: {REPORT}\n", tmp_path, environment)
    (numbered,) = failures(f"Sat 2026-11-21 12:04:45 -03 host scanlogd[1]: {REPORT}\n", tmp_path, environment)
    zone = ZoneInfo("Europe/Berlin")
    assert winter.time == datetime(2026, 11, 21, 12, 4, 45, tzinfo=zone).timestamp()
    assert summer.time == datetime(2026, 6, 21, 12, 4, 45, tzinfo=zone).timestamp()
    assert numbered.time == datetime(2026, 11, 21, 15, 4, 45, tzinfo=ZoneInfo("UTC")).timestamp()


def test_all_the_reports_of_the_captures_are_read(tmp_path: Path) -> None:
    lines = [line for file in sorted((REPOSITORY / "Tests/Fixtures/captures").glob("*.expected"))
             for line in file.read_text().splitlines() if " ports " in line]
    assert len(lines) > 20
    sources = [re.split(r"[: ]", line)[0] for line in lines]
    assert [host for host, _ in read(tmp_path, *(PREFIX + line for line in lines))] == sources


@pytest.mark.parametrize("prefix", [PREFIX, "<25>1 2026-11-21T12:04:45Z host scanlogd - - - "])
def test_other_lines_of_ours_are_left_alone(tmp_path: Path, prefix: str) -> None:
    assert read(tmp_path, *(prefix + line for line in OTHERS)) == []


@pytest.mark.parametrize("prefix", [PREFIX, "<25>1 2026-11-21T12:04:45Z host scanlogd - - - "])
def test_other_kinds_are_read_if_the_jail_says_so(tmp_path: Path, prefix: str) -> None:
    known = {**REPORTS, **OTHER_KINDS}
    lines = "".join(f"{prefix}{line}\n" for line in [*known, *(line for line in OTHERS if line not in known)])
    found = failures(lines, tmp_path, options="[kinds=all]")
    assert [(failure.host, failure.port) for failure in found] == list(known.values())


@pytest.mark.parametrize("date", ["Nov 21 12:04:45 ", "2026-11-21T12:04:45Z ", "<25>1 2026-11-21T12:04:45Z ",
                                  "Sat 2026-11-21 12:04:45 UTC "])
def test_lines_of_others_are_left_alone_whatever_they_hold(tmp_path: Path, date: str) -> None:
    assert read(tmp_path, *(date + prefix + REPORT for prefix in LOOKALIKES)) == []


def test_what_journalctl_indents_is_left_alone(tmp_path: Path) -> None:
    lines = [f"{20 * ' '}{each}{REPORT}" for each in ("scanlogd: ", "host scanlogd: ", PREFIX)]
    assert read(tmp_path, "Nov 21 12:04:45 host other[1]: a line,", *lines) == []


def test_the_jail_is_off() -> None:
    assert re.search(r"^enabled = false$", JAIL.read_text(), re.MULTILINE)
