"""sd_notify(3): what a service manager such as systemd is told, and when it is told nothing."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import status_fields, wait_until
from harness.network import Namespace
from harness.packets import scan
from harness.places import TEMPORARY
from harness.scene import Scene


class Manager:
    """The socket that NOTIFY_SOCKET names."""

    def __init__(self, name: str, host: Namespace) -> None:
        self.name = name
        # Abstract names are of a network namespace: the daemon's.
        self._socket = host.open_socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self._messages: list[dict[str, str]] = []
        self.senders: set[int] = set()

    def messages(self) -> list[dict[str, str]]:
        while True:
            try:
                raw, ancillary, _, _ = self._socket.recvmsg(4096, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return self._messages
            self.senders.add(int.from_bytes(ancillary[0][2][:4], "little"))
            assert "\0" not in raw.decode("ascii")
            self._messages.append(dict(line.split("=", 1) for line in raw.decode("ascii").splitlines()))

    def status(self) -> str:
        """What it was told last."""
        return next((message["STATUS"] for message in reversed(self.messages()) if "STATUS" in message), "")

    def count(self, key: str) -> int:
        return sum(key in message for message in self.messages())

    def close(self) -> None:
        self._socket.close()
        if not self.name.startswith("@"):
            Path(self.name).unlink()


@pytest.fixture(params=[str(TEMPORARY / "notify"), "@scanlogd/notify"], ids=["path", "abstract"])
def manager(request: pytest.FixtureRequest, target: Namespace) -> Iterator[Manager]:
    manager = Manager(request.param, target)
    if not request.param.startswith("@"):
        os.chmod(request.param, 0o600)  # only root can connect
    yield manager
    manager.close()


def start(scene: Scene, manager: Manager, *options: str, **environment: str) -> None:
    scene.daemon.start_foreground(*options, env={"NOTIFY_SOCKET": manager.name, **environment})
    wait_until(lambda: manager.count("READY") == 1, "not ready")


def test_it_is_told_of_the_start_and_of_the_end(idle_scene: Scene, manager: Manager) -> None:
    start(idle_scene, manager)
    pid = idle_scene.daemon.pid
    assert manager.messages()[0] == {"READY": "1", "MAINPID": str(pid)}
    idle_scene.sender.send(scan())
    idle_scene.log.wait_for_alerts(1)
    assert idle_scene.daemon.stop() == 0
    assert manager.messages()[-1] == {"STOPPING": "1"}
    assert manager.senders == {pid}, "NotifyAccess=main"


def test_it_is_told_the_counters(idle_scene: Scene, manager: Manager) -> None:
    start(idle_scene, manager)
    wait_until(lambda: manager.count("STATUS") > 0, "no status")
    assert manager.messages()[1]["STATUS"].startswith("packets 0, probes 0, ")


@pytest.mark.parametrize("backend", ["ring", "raw", "pcap", "nids"])
def test_it_is_told_of_a_scan_within_two_seconds(idle_scene: Scene, manager: Manager, backend: str) -> None:
    """Also if it wants to hear of us seldom only, and of a scan that is not logged."""
    start(idle_scene, manager, "--backend", backend, WATCHDOG_USEC="60000000")
    for number in range(1, 9):
        idle_scene.sender.send(scan(source=f"10.77.0.{20 + number}"))
        if number in (1, 2, 8):
            wait_until(lambda: f"reports {number}," in manager.status(), f"scan {number} is not told of", 2)
    assert idle_scene.log.messages[-1].text == "More possible port scans follow"


def test_it_is_not_told_of_each_of_many_scans(idle_scene: Scene, manager: Manager) -> None:
    start(idle_scene, manager)
    begin, count = time.monotonic(), manager.count("STATUS")
    for number in range(100):
        idle_scene.sender.send(scan(source=f"10.77.0.{20 + number}"))
        time.sleep(0.02)
    wait_until(lambda: "reports 100," in manager.status(), "not told of all")
    assert manager.count("STATUS") - count <= time.monotonic() - begin + 1


@pytest.mark.long
def test_while_nothing_happens_neither_process_is_woken(idle_scene: Scene, manager: Manager) -> None:
    """Nor once it has told of a scan; but for what it is to tell by itself."""
    start(idle_scene, manager)
    for _ in range(2):
        wait_until(lambda: manager.count("STATUS") > 0, "no status")
        time.sleep(2)  # the last that a packet leaves to be done
        processes = (idle_scene.daemon.pid, idle_scene.daemon.sensor)
        before = [switches(pid) for pid in processes]
        time.sleep(3)
        assert [switches(pid) for pid in processes] == before
        idle_scene.sender.send(scan())
        wait_until(lambda: "reports 1," in manager.status(), "no status of the scan", 2)


def switches(pid: int) -> int:
    """How often a process has gone to sleep."""
    return int(status_fields(pid)["voluntary_ctxt_switches"])


def test_its_watchdog_hears_of_the_sensor_and_only_of_it(idle_scene: Scene, manager: Manager) -> None:
    start(idle_scene, manager, WATCHDOG_USEC="600000")
    wait_until(lambda: manager.count("WATCHDOG") >= 4, "no word for the watchdog", 2)
    os.kill(idle_scene.daemon.sensor, signal.SIGSTOP)
    time.sleep(0.3)
    count = manager.count("WATCHDOG")
    time.sleep(0.8)
    assert manager.count("WATCHDOG") == count, "nobody answers for a sensor that does nothing"
    os.kill(idle_scene.daemon.sensor, signal.SIGCONT)
    wait_until(lambda: manager.count("WATCHDOG") > count, "no word for the watchdog", 2)


def test_its_watchdog_does_not_wait_for_syslogd(idle_scene: Scene, manager: Manager) -> None:
    start(idle_scene, manager, WATCHDOG_USEC="600000")
    idle_scene.log.close()
    idle_scene.sender.send(scan())
    count = manager.count("WATCHDOG")
    wait_until(lambda: manager.count("WATCHDOG") >= count + 3, "no word for the watchdog", 2)
    idle_scene.daemon.stop()


@pytest.mark.parametrize("environment", [
    {}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "garbage"}, {"WATCHDOG_USEC": "60000", "WATCHDOG_PID": "1"},
], ids=["none", "zero", "garbage", "another process's"])
def test_a_watchdog_that_is_not_ours_is_told_next_to_nothing(
    idle_scene: Scene, manager: Manager, environment: dict[str, str]
) -> None:
    start(idle_scene, manager, **environment)
    time.sleep(0.3)
    assert manager.count("WATCHDOG") <= 1


def test_a_manager_that_is_not_there_is_no_reason_not_to_start(idle_scene: Scene) -> None:
    idle_scene.daemon.start_foreground(env={"NOTIFY_SOCKET": "/nonexistent"})
    wait_until(lambda: "started" in idle_scene.daemon.stderr(), "not started")
    assert idle_scene.daemon.stderr().startswith("scanlogd: NOTIFY_SOCKET: connect: No such file or directory\n")
    idle_scene.assert_nothing_more()
