"""The program for arm64 on Debian's kernel for it: every backend sees a scan, with no privilege left."""

import re
from collections.abc import Iterator

import pytest
from harness.daemon import wait_until
from harness.guest import Guest
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, tool

BACKENDS = ("ring", "raw", "pcap", "nids")
PATIENCE = 60.0
LOG = "/var/log/messages"
# SECCOMP_MODE_FILTER, in /proc/PID/status.
FILTERED = "2"


@pytest.fixture(autouse=True)
def stopped(guest: Guest) -> Iterator[None]:
    """Finds no daemon and no options, and leaves none."""
    guest.must(f": >{LOG}; echo >/etc/default/scanlogd")
    yield
    guest.must("/etc/init.d/scanlogd stop; rm -f /tmp/attempts")


def start(guest: Guest, options: str) -> None:
    guest.must(f"echo \"SCANLOGD_OPTIONS='{options}'\" >/etc/default/scanlogd && /etc/init.d/scanlogd start")


def lines(guest: Guest) -> list[str]:
    """The texts of the daemon's lines."""
    written = guest.must(f"cat {LOG}")
    return [match[1] for match in re.finditer(r"^.* daemon\.\w+ scanlogd(?:\[\d+\])?: (.*)$", written, re.MULTILINE)]


def wait_for(guest: Guest, pattern: str) -> None:
    wait_until(lambda: any(re.match(pattern, line) for line in lines(guest)), f"no line {pattern}", PATIENCE)


def scan(guest: Guest, *options: str) -> None:
    guest.host.run(tool("nmap"), "-n", "-Pn", "--max-retries", "1", *options, timeout=PATIENCE)


def statuses(guest: Guest) -> list[dict[str, str]]:
    """What /proc says about each of the daemon's processes."""
    read = guest.must("for pid in $(pidof scanlogd); do cat /proc/$pid/status; echo end; done")
    return [dict(re.findall(r"^(\w+):\s*(.*)$", status, re.MULTILINE)) for status in read.split("end\n")[:-1]]


def test_it_is_another_machine(guest: Guest) -> None:
    assert guest.must("uname -m") == "aarch64\n"
    assert "backends: ring raw pcap nids\n" in guest.must("scanlogd --version")


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_backend_reports_a_scan(guest: Guest, backend: str) -> None:
    start(guest, f"--backend {backend}")
    wait_for(guest, rf"started, version \S+, backend {backend}$")
    scan(guest, "-sS", "-p1-30", TARGET)
    wait_for(guest, rf"{re.escape(ATTACKER)}:\d+ to {re.escape(TARGET)} ports (?:\d+, )+\.\.\., fSrpauxy, TOS 00.* @")
    scan(guest, "-6", "-sF", "-p1-30", TARGET_6)
    wait_for(guest, rf"\[{ATTACKER_6}\]:\d+ to {TARGET_6} ports (?:\d+, )+\.\.\., Fsrpauxy, TOS 00.* @")


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_privilege_is_left(guest: Guest, backend: str) -> None:
    start(guest, f"--backend {backend}")
    user = guest.must("id -u scanlogd").strip()
    found = statuses(guest)
    assert len(found) == 2
    for status in found:
        assert status["Seccomp"] == FILTERED and status["NoNewPrivs"] == "1"
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert set(status["Uid"].split()) == {user}
    roots = guest.must("for pid in $(pidof scanlogd); do readlink /proc/$pid/root; done").split()
    assert sorted(roots) == ["/", "/var/empty"]


def test_other_kinds_are_found(guest: Guest) -> None:
    start(guest, "--backend ring")
    scan(guest, "-sU", "--top-ports", "40", "-T5", TARGET)
    wait_for(guest, rf"{re.escape(ATTACKER)} to {re.escape(TARGET)} udp ports ")
    scan(guest, "-sO", "-T5", TARGET)
    wait_for(guest, rf"{re.escape(ATTACKER)} to {re.escape(TARGET)} protocols ")


def test_the_self_test_finds_nothing(guest: Guest) -> None:
    done = guest.run("scanlogd --self-test")
    assert done.status == 0, done


def test_a_stop_is_clean(guest: Guest) -> None:
    start(guest, "--backend ring")
    guest.must("/etc/init.d/scanlogd stop")
    assert lines(guest)[-1] == "stopped"
    assert guest.run("/etc/init.d/scanlogd status").status == 3


def test_attempts_are_logged(guest: Guest) -> None:
    guest.must("scanlogd connections -b -c 3 -o /tmp/attempts -P /tmp/pid")
    scan(guest, "-sS", "-p22,23,25", TARGET)
    wait_until(lambda: guest.must("wc -l </tmp/attempts").strip() == "3", "not all are there", PATIENCE)
    attempts = guest.must("cut -d'|' -f2,4,5 /tmp/attempts").split()
    assert sorted(attempts) == sorted(f"{ATTACKER}|{TARGET}|{port}" for port in (22, 23, 25))
