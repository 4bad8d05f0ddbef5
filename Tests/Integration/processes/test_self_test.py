"""scanlogd --self-test says what a start would stumble over, and what to do about it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from harness.accounts import GROUP, NOBODY, USER, without
from harness.daemon import Daemon, Finished, finish, processes_named
from harness.network import tool
from harness.places import ACCOUNTS, BINARY, CHROOT, PID_FILE, TEMPORARY
from harness.syslog_sink import SyslogSink

# What is tried in a child, in the order of the table.
STEPS = ["chroot", "capability bounding set", "change of group", "change of user", "sensor", "logger"]


def verdicts(done: Finished) -> dict[str, str]:
    """The table: what was found of each thing."""
    assert done.stderr == "", done
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    found = dict(reversed(re.split(" +", line, maxsplit=1)) for line in lines)
    assert set(found.values()) <= {"ok", "failed", "absent", "untried"}
    # Each that is not well is followed by the reason and by the remedy.
    wrong = [word for word in found.values() if word in ("failed", "absent")]
    assert len(re.findall(r"\n +\S.*: .*\n +remedy: \S", done.stdout)) == len(wrong)
    return found


def remedies(done: Finished) -> dict[str, str]:
    """The remedy of each thing that needs one."""
    return dict(re.findall(r"^(?:failed|absent) +(.*)\n +\S.*\n +remedy: (.*)$", done.stdout, re.MULTILINE))


def starts(daemon: Daemon, *options: str, wrapper: Sequence[str]) -> Finished:
    """Whether a start works under the same conditions; if so it is ended again."""
    done = daemon.run(*options, wrapper=wrapper)
    if done.status == 0:
        daemon.adopt()
        assert daemon.stop() == 0
    return done


def test_where_all_is_well_it_says_so(daemon: Daemon, log: SyslogSink) -> None:
    done = daemon.run("--self-test")
    assert done.status == 0, done
    assert verdicts(done) == dict.fromkeys([
        "root", "user scanlogd", "directory /var/empty", "ring", "raw", "pcap", "nids", "pid file",
        "log socket /dev/log", "system-call filter", "Landlock", *STEPS], "ok")
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
    assert [name for name, word in verdicts(done).items() if word == "untried"] == STEPS
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
    # Not another backend: all of them need it.
    assert remedies(done) == dict.fromkeys(["raw", "ring", "pcap", "nids"], "give it CAP_NET_RAW")


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


@pytest.mark.parametrize(("capability", "name", "object"), [
    ("setuid", "change of user", "privileges: set user"), ("sys_chroot", "chroot", "/var/empty: chroot"),
    ("setgid", "change of group", "privileges: set supplementary groups"),
    ("setpcap", "capability bounding set", "privileges: empty bounding set"),
])
def test_a_capability_that_a_start_needs_is_found_missing(
    daemon: Daemon, log: SyslogSink, capability: str, name: str, object: str
) -> None:
    error = f"{object}: Operation not permitted"
    done = daemon.run("--self-test", wrapper=without(capability))
    assert done.status == 1
    found = verdicts(done)
    assert found[name] == found["sensor"] == "failed"
    assert {step for step in STEPS if found[step] == "failed"} <= {name, "sensor", "logger"}
    assert f"failed  {name}\n            {error}\n" in done.stdout
    assert f"CAP_{capability.upper()}" in remedies(done)[name]
    assert starts(daemon, wrapper=without(capability)) == Finished(1, "", f"scanlogd: {error}\n")
    assert not log.messages


def test_a_user_namespace_is_found_out(daemon: Daemon, log: SyslogSink) -> None:
    wrapper = [tool("unshare"), "--user", "--map-root-user", "--net"]
    done = daemon.run("--self-test", wrapper=wrapper)
    assert done.status == 1
    found = verdicts(done)
    assert found["change of group"] == found["change of user"] == found["sensor"] == "failed"
    assert "user namespace" in remedies(done)["change of group"]
    assert "user namespace" in remedies(done)["change of user"]
    assert starts(daemon, "-P", str(TEMPORARY / "pid"), wrapper=wrapper).status == 1


@pytest.mark.parametrize("capabilities", [
    (), ("net_raw",), ("setuid",), ("setgid",), ("setpcap",), ("sys_chroot",), ("net_admin", "kill", "sys_admin"),
    ("dac_override", "chown", "fowner"), ("setuid", "setgid", "setpcap", "sys_chroot"),
], ids=",".join)
@pytest.mark.parametrize("backend", [None, "raw", "pcap"])
def test_it_says_what_a_start_will_say(
    daemon: Daemon, log: SyslogSink, capabilities: Sequence[str], backend: str | None
) -> None:
    options = ["--backend", backend] if backend else []
    wrapper = without(*capabilities) if capabilities else []
    done = daemon.run("--self-test", *options, wrapper=wrapper)
    assert done.status == starts(daemon, *options, wrapper=wrapper).status, done


def test_a_process_that_would_be_killed_is_found(daemon: Daemon, log: SyslogSink) -> None:
    wrapper = [tool("strace"), "-f", "-o", "/dev/null", "-e", "inject=chroot:signal=SIGSYS"]
    done = daemon.run("--self-test", wrapper=wrapper)
    assert done.status == 1
    assert "            step: start: killed by signal 31 (Bad system call)\n" in done.stdout
    assert verdicts(done)["chroot"] == verdicts(done)["sensor"] == "failed"
    assert verdicts(done)["logger"] == "ok"
    assert "filter of system calls" in remedies(done)["chroot"]


def test_a_ring_that_a_start_does_without_is_no_failure(daemon: Daemon, log: SyslogSink, shim: Path) -> None:
    """Raw sockets are used then; unless something was asked of it that they can't do."""
    wrapper = ["env", f"LD_PRELOAD={shim}", "SHIM_NO_PACKET=1"]
    for options, status, verdict in (([], 0, "absent"), (["--promiscuous"], 1, "failed"),
                                     (["--backend", "ring"], 1, "failed")):
        done = daemon.run("--self-test", *options, wrapper=wrapper)
        assert (done.status, verdicts(done)["ring"], verdicts(done)["raw"]) == (status, verdict, "ok")
        assert "--backend raw" in remedies(done)["ring"]
        assert starts(daemon, *options, wrapper=wrapper).status == status


def test_another_group_than_the_users_own_is_found(daemon: Daemon, log: SyslogSink) -> None:
    before = ACCOUNTS.read_text()
    ACCOUNTS.write_text(before.replace(f":{USER}:{GROUP}:", f":{USER}:{NOBODY}:"))
    try:
        done = daemon.run("--self-test")
    finally:
        ACCOUNTS.write_text(before)
    assert done.status == 1
    assert verdicts(done)["user scanlogd"] == "failed"
    assert remedies(done)["user scanlogd"] == "groupadd --system scanlogd; usermod --gid scanlogd scanlogd"


@pytest.mark.parametrize("path", ["/read-only.pid", "/no/such/directory/pid", "/run"])
def test_a_pid_file_that_cannot_be_made_is_found(daemon: Daemon, log: SyslogSink, path: str) -> None:
    done = daemon.run("--self-test", "-P", path)
    assert (done.status, verdicts(done)["pid file"]) == (1, "failed")
    assert finish([str(BINARY), "-P", path]).status == 1


def test_a_daemon_that_runs_is_not_disturbed(daemon: Daemon, log: SyslogSink) -> None:
    daemon.start()
    before = os.stat(PID_FILE)
    running = processes_named()
    assert daemon.run("--self-test").status == 0
    assert (os.stat(PID_FILE), processes_named()) == (before, running)
    assert PID_FILE.read_text() == f"{daemon.pid}\n"


def test_nothing_is_left_of_what_was_tried(daemon: Daemon, log: SyslogSink) -> None:
    before = sorted(PID_FILE.parent.iterdir())
    assert daemon.run("--self-test").status == 0
    assert sorted(PID_FILE.parent.iterdir()) == before
    assert processes_named() == [] and not log.messages
