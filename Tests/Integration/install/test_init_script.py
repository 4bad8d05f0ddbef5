"""The init script, with start-stop-daemon and without it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.daemon import Daemon, Finished, finish, processes_named
from harness.lines import Report
from harness.network import ATTACKER, TARGET, Namespace, missing
from harness.packets import LOW_PORTS, scan
from harness.places import BINARY, PID_FILE, REPOSITORY
from harness.programs import hidden
from harness.scene import Scene

# One that start-stop-daemon, the script and the daemon's start fit into on a slow machine.
TIMEOUT = 30


@dataclass
class Script:
    """The installed init script, run on the target."""

    namespace: Namespace
    path: Path

    def run(self, *arguments: str) -> Finished:
        return finish(self.namespace.command("sh", self.path, *arguments), TIMEOUT)

    def status(self, *arguments: str) -> int:
        return self.run(*arguments).status


@pytest.fixture(params=["with start-stop-daemon", "without start-stop-daemon"])
def script(request: pytest.FixtureRequest, daemon: Daemon, tmp_path: Path) -> Iterator[Script]:
    text = (REPOSITORY / "rc.d/scanlogd").read_text()
    assert "DAEMON=@SBINDIR@/scanlogd\n" in text and text.count("/etc/default/scanlogd") == 1
    text = text.replace("/etc/default/scanlogd", str(tmp_path / "default"))
    path = tmp_path / "scanlogd"
    path.write_text(text.replace("@SBINDIR@", str(BINARY.parent)))
    path.chmod(0o755)
    if request.param.startswith("without"):
        with hidden("start-stop-daemon"):
            yield Script(daemon.namespace, path)
    elif shutil.which("start-stop-daemon") is None:
        missing("start-stop-daemon is not installed")
    else:
        yield Script(daemon.namespace, path)


@contextmanager
def other_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us and whose number a stale pid file may name."""
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield process
        assert process.poll() is None, "the other process was killed"
    finally:
        process.kill()
        process.wait(10)


def test_start_starts_a_daemon_that_detects(script: Script, idle_scene: Scene) -> None:
    done = script.run("start")
    assert done.status == 0, done
    idle_scene.daemon.adopt()
    idle_scene.sender.send(scan())
    idle_scene.expect(Report(ATTACKER, TARGET, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64))


def test_status_is_zero_while_running_and_three_when_stopped(script: Script, daemon: Daemon) -> None:
    assert script.status("status") == 3
    assert script.status("start") == 0
    assert script.status("status") == 0
    daemon.adopt()
    assert script.status("stop") == 0
    assert daemon.wait() == 0
    assert script.status("status") == 3


def test_start_of_a_running_daemon_succeeds_and_changes_nothing(script: Script, daemon: Daemon) -> None:
    assert script.status("start") == 0
    daemon.adopt()
    assert script.status("start") == 0
    assert processes_named() == [daemon.pid, daemon.sensor]
    assert PID_FILE.read_text() == f"{daemon.pid}\n"


def test_stop_of_a_stopped_daemon_succeeds(script: Script) -> None:
    assert script.status("stop") == 0
    assert script.status("stop") == 0


def test_stop_ends_the_daemon_before_it_returns(script: Script, daemon: Daemon) -> None:
    assert script.status("start") == 0
    daemon.adopt()
    assert script.status("stop") == 0
    assert daemon.wait() == 0
    assert processes_named() == []


@pytest.mark.parametrize("action", ["restart", "force-reload"])
def test_restart_replaces_the_daemon(script: Script, daemon: Daemon, action: str) -> None:
    assert script.status("start") == 0
    daemon.adopt()
    first = daemon.pid
    assert script.status(action) == 0
    assert daemon.wait() == 0
    daemon.adopt()
    assert daemon.pid != first
    assert processes_named() == [daemon.pid, daemon.sensor]


def test_restart_of_a_stopped_daemon_starts_it(script: Script, daemon: Daemon) -> None:
    assert script.status("restart") == 0
    daemon.adopt()


def test_a_stale_pid_file_gets_no_other_process_killed(script: Script, daemon: Daemon) -> None:
    with other_process() as other:
        PID_FILE.write_text(f"{other.pid}\n")
        assert script.status("status") in (1, 3), "dead, with a pid file or stopped"
        assert script.status("stop") == 0
        assert other.poll() is None
        assert script.status("start") == 0
        daemon.adopt()
        assert daemon.pid != other.pid
        PID_FILE.write_text(f"{other.pid}\n")
        script.run("stop")


def test_restart_with_a_stale_pid_file_gets_no_other_process_killed(script: Script, daemon: Daemon) -> None:
    with other_process() as other:
        PID_FILE.write_text(f"{other.pid}\n")
        assert script.status("restart") == 0
        daemon.adopt()


@pytest.mark.parametrize("content", ["", "\n", "garbage\n", "0\n", "-1\n", "1 2 3\n", "99999999999999999999\n"])
def test_a_damaged_pid_file_is_no_obstacle(script: Script, daemon: Daemon, content: str) -> None:
    with other_process():
        PID_FILE.write_text(content)
        assert script.status("stop") == 0
        PID_FILE.write_text(content)
        assert script.status("status") in (1, 3)
        assert script.status("start") == 0
        daemon.adopt()


def test_a_daemon_that_was_killed_can_be_started_again(script: Script, daemon: Daemon) -> None:
    assert script.status("start") == 0
    daemon.adopt()
    assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    assert script.status("status") in (1, 3)
    assert script.status("start") == 0
    daemon.adopt()


def test_start_that_fails_says_so_with_its_status(script: Script) -> None:
    os.rmdir("/var/empty")
    try:
        done = script.run("start")
    finally:
        os.mkdir("/var/empty", 0o755)
    assert done.status != 0
    assert "/var/empty" in done.stdout + done.stderr


def test_it_starts_the_daemon_with_the_options_of_its_file(script: Script, daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "exempt").write_text("nonsense\n")
    (tmp_path / "default").write_text(f"SCANLOGD_OPTIONS='--backend raw --exempt {tmp_path}/exempt'\n")
    done = script.run("start")
    assert done.status == 6
    assert f"scanlogd: {tmp_path}/exempt:1: " in done.stderr
    (tmp_path / "exempt").write_text("scanlogd: 192.0.2.7\n")
    assert script.status("start") == 0
    daemon.adopt()
    command = Path(f"/proc/{daemon.pid}/cmdline").read_text().split("\0")[-5:-1]
    assert command == ["--backend", "raw", "--exempt", f"{tmp_path}/exempt"]
    assert script.status("stop") == 0
    assert daemon.wait() == 0


# Each of these has another pid file, stays in the foreground, waits, or starts no daemon.
UNMANAGED = [
    "-P /run/other.pid", "-P/run/other.pid", "--pidfile /run/other.pid", "--pidfile=/run/other.pid",
    "--pid=/run/other.pid", "-bP /run/other.pid", "-P /run/scanlogd.pid", "-d", "--foreground", "--fore", "-dP /run/x",
    "-dd", "-i lo -d", "-r -", "-r /dev/zero", "--read=-", "--rea -", "--self-test", "--self", "--version", "-V",
    "--help", "-h", "connections", "connections -b -o /run/out", "rules check", "-- connections", "-d --", "--no-such-option",
    "-P", "''", "-", "x",
]


@pytest.mark.parametrize("options", UNMANAGED)
def test_options_that_it_can_not_manage_are_refused(
    script: Script, daemon: Daemon, tmp_path: Path, options: str
) -> None:
    (tmp_path / "default").write_text(f'SCANLOGD_OPTIONS="{options}"\n')
    done = script.run("start")
    assert done.status == 6, done
    assert done.stderr.startswith("scanlogd: "), "the program says which"
    assert f"its options, see {tmp_path}/default, " in done.stdout + done.stderr
    assert processes_named() == []
    assert not Path("/run/other.pid").exists() and not Path("/run/out").exists()


def test_a_restart_with_a_file_that_can_not_be_read_ends_no_daemon(
    script: Script, daemon: Daemon, tmp_path: Path
) -> None:
    assert script.status("start") == 0
    daemon.adopt()
    (tmp_path / "default").write_text("SCANLOGD_OPTIONS='\n")
    for action in ("restart", "force-reload", "try-restart"):
        assert script.status(action) == 6
        daemon.assert_running()
    assert script.status("start") == 0, "it runs"
    assert script.status("status") == 0
    assert script.status("stop") == 0
    assert daemon.wait() == 0
    assert script.status("try-restart") == 0, "there is nothing to do"
    assert script.status("start") == 6


def test_a_reload_says_what_to_do_instead(script: Script, daemon: Daemon, tmp_path: Path) -> None:
    assert script.status("start") == 0
    daemon.adopt()
    done = script.run("reload")
    assert done.status == 3
    assert f"restart it to have {tmp_path}/default and the file of --exempt read again" in done.stdout + done.stderr
    daemon.assert_running()


@pytest.mark.parametrize("arguments", [(), ("no-such-action",)])
def test_an_unknown_action_shows_the_usage(script: Script, arguments: tuple[str, ...]) -> None:
    done = script.run(*arguments)
    assert done.status not in (0, 1)
    assert "start|stop" in done.stdout + done.stderr
    assert processes_named() == []
