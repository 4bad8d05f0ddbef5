"""scanlogd --self-test says what a start would stumble over, and what to do about it."""

import re
from pathlib import Path

import pytest
from harness.daemon import Daemon, Finished, processes_named
from harness.network import tool
from harness.places import CHROOT, PID_FILE
from harness.syslog_sink import SyslogSink


def verdicts(done: Finished) -> dict[str, str]:
    """The table: what was found of each thing."""
    assert done.stderr == "", done
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    found = dict(reversed(re.split(" +", line, maxsplit=1)) for line in lines)
    assert set(found.values()) <= {"ok", "failed", "absent"}
    # Each that is not well is followed by the reason and by the remedy.
    assert len(re.findall(r"\n +\S.*: .*\n +remedy: \S", done.stdout)) == sum(word != "ok" for word in found.values())
    return found


def test_where_all_is_well_it_says_so(daemon: Daemon, log: SyslogSink) -> None:
    done = daemon.run("--self-test")
    assert done.status == 0, done
    assert verdicts(done) == dict.fromkeys([
        "root", "user scanlogd", "directory /var/empty", "ring", "raw", "pcap", "nids",
        "log socket /dev/log", "system-call filter", "Landlock"], "ok")
    assert not log.messages
    assert not PID_FILE.exists()
    assert processes_named() == []


def test_a_missing_directory_is_found(daemon: Daemon, log: SyslogSink) -> None:
    CHROOT.rmdir()
    try:
        done = daemon.run("--self-test")
    finally:
        CHROOT.mkdir(mode=0o755)
    assert done.status == 1
    assert [name for name, word in verdicts(done).items() if word == "failed"] == ["directory /var/empty"]
    assert "remedy: install -d" in done.stdout


def test_a_missing_log_is_found(daemon: Daemon, log: SyslogSink) -> None:
    log.close()
    done = daemon.run("--self-test")
    assert done.status == 1
    assert [name for name, word in verdicts(done).items() if word == "failed"] == ["log socket /dev/log"]


def test_a_missing_capability_is_found(daemon: Daemon, log: SyslogSink) -> None:
    done = daemon.run("--self-test", "--backend", "raw", wrapper=[tool("setpriv"), "--bounding-set=-net_raw"])
    assert done.status == 1
    found = verdicts(done)
    assert (found["raw"], found["ring"], found["pcap"]) == ("failed", "absent", "absent")
    assert "CAP_NET_RAW" in done.stdout


def test_an_ordinary_user_is_told_to_be_root(daemon: Daemon, log: SyslogSink) -> None:
    wrapper = [tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = daemon.run("--self-test", wrapper=wrapper)
    assert done.status == 1
    assert verdicts(done)["root"] == "failed"


@pytest.mark.parametrize("interface", ["wire", "nothere0"])
def test_the_interfaces_that_are_named_are_looked_at(daemon: Daemon, log: SyslogSink, interface: str) -> None:
    done = daemon.run("--self-test", "-i", interface)
    assert done.status == (0 if interface == "wire" else 1)
    assert verdicts(done)["ring"] == ("ok" if interface == "wire" else "failed")


def test_exempt_sources_are_read_if_there_are_any(daemon: Daemon, log: SyslogSink, tmp_path: Path) -> None:
    rules = tmp_path / "exempt"
    rules.write_text("scanlogd: 192.0.2.7\n")
    done = daemon.run("--self-test", "--exempt", rules)
    assert (done.status, verdicts(done)["exempt sources"]) == (0, "ok")
    rules.write_text("scanlogd: scanner.example\n")
    done = daemon.run("--self-test", "--exempt", rules)
    assert done.status == 1
    assert done.stderr.startswith(f"scanlogd: {rules}:1:11: \"scanner.example\": ")
    assert "failed  exempt sources\n" in done.stdout
    assert processes_named() == []
