"""The shipped binary, started, watched and stopped."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from .network import Namespace
from .places import BINARY, PID_FILE, REFERENCE, REFERENCE_CHROOT

START_TIMEOUT = 10.0
# The original knows no other kinds of scans, and no options.
QUICK_ONLY = () if REFERENCE else ("--kinds", "quick")
STOP_TIMEOUT = 5.0


def wait_until(condition: Callable[[], bool], what: str, timeout: float = STOP_TIMEOUT) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what}: waited {timeout} s"
        time.sleep(0.005)


def processes_named(name: str = "scanlogd") -> list[int]:
    """The processes of that name that have not ended. The pid namespace is the tests' own: no other run's are there."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = status_fields(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields["Name"] == name and not fields["State"].startswith(("Z", "X")):
                found.append(int(entry.name))
    return sorted(found)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def status_fields(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def descriptors(pid: int) -> dict[int, str]:
    """What each open descriptor of a process is, as /proc names it."""
    return {int(entry.name): os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}


def is_full(pipe: int) -> bool:
    """Whether who writes to a pipe has to wait; of this end of it."""
    return not select.select([], [pipe], [], 0)[1]


def is_idle(pid: int) -> bool:
    """Whether it waits whenever one looks: who is busy does not."""
    def waits() -> bool:
        time.sleep(0.005)
        return status_fields(pid)["State"].startswith("S")
    return all(waits() for _ in range(50))


@dataclass(frozen=True)
class Finished:
    """How a program ended. A status below zero is the signal that killed it."""

    status: int
    stdout: str
    stderr: str


def finish(command: Sequence[str], timeout: float = START_TIMEOUT, env: Mapping[str, str] | None = None) -> Finished:
    """Runs a program to its end. Its output goes to files: a daemon left behind could hold a pipe open."""
    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, timeout=timeout,
                              env={**os.environ, **(env or {})}, check=False)
        stdout.seek(0)
        stderr.seek(0)
        return Finished(done.returncode, stdout.read(), stderr.read())


def redirected(command: Sequence[str], redirections: str) -> list[str]:
    """The command behind a shell that changes its descriptors, for instance with `<&- 2>&-`, and then becomes it."""
    return ["sh", "-c", f'exec "$@" {redirections}', "sh", *command]


class Daemon:
    """One run of the binary in the target's namespace, as a daemon or in the foreground."""

    def __init__(self, namespace: Namespace, binary: Path = BINARY) -> None:
        self.namespace = namespace
        self._binary = binary
        self.pid = 0
        self._foreground: subprocess.Popen[bytes] | None = None
        self._stderr = TemporaryFile()

    @property
    def sensor(self) -> int:
        """The process that looks at packets. The daemon's own is the one that writes the log."""
        (sensor,) = children(self.pid)
        return sensor

    @property
    def in_foreground(self) -> bool:
        return self._foreground is not None

    def command(self, *options: object, wrapper: Sequence[str] = (), redirections: str = "") -> list[str]:
        """The command line that starts the binary on the target, through a wrapper such as setpriv."""
        command = [*wrapper, str(self._binary), *map(str, options)]
        return self.namespace.command(*(redirected(command, redirections) if redirections else command))

    def run(self, *options: object, wrapper: Sequence[str] = ()) -> Finished:
        """Runs the binary where it is expected to end by itself."""
        return finish(self.command(*options, wrapper=wrapper))

    def start(self, *options: object, env: Mapping[str, str] | None = None, wrapper: Sequence[str] = (),
              redirections: str = "", pid_file: Path = PID_FILE) -> None:
        """Starts a daemon. It is ready when its parent has ended."""
        if REFERENCE:
            REFERENCE_CHROOT.mkdir(parents=True, exist_ok=True)
        done = finish(self.command(*options, wrapper=wrapper, redirections=redirections), env=env)
        assert done == Finished(0, "", ""), done
        self.adopt(pid_file)

    def adopt(self, pid_file: Path = PID_FILE) -> None:
        """Takes over a daemon that something else started."""
        running = processes_named()
        assert running, "nothing was left running"
        self.pid = running[0] if REFERENCE else int(pid_file.read_text())
        assert self.pid in running

    def start_foreground(self, *options: object, env: Mapping[str, str] | None = None, wrapper: Sequence[str] = (),
                         redirections: str = "", keep: Sequence[int] = (), option: str = "-d") -> None:
        """Starts with -d, or how it is spelt. `keep` are descriptors that the redirections speak of."""
        self._foreground = subprocess.Popen(
            self.command(option, *options, wrapper=wrapper, redirections=redirections), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self._stderr, env={**os.environ, **(env or {})}, pass_fds=keep)
        self.pid = self._foreground.pid
        wait_until(self._is_ready, "no daemon in its sandbox", START_TIMEOUT)

    def _is_ready(self) -> bool:
        """Both processes have given up what they could do, which they do last: what comes now is captured already."""
        assert self._foreground and self._foreground.poll() is None, f"ended: {self._foreground}: {self.stderr()}"
        return all(len(children(self.pid)) == 1 and status_fields(pid)["Seccomp"] == "2"
                   for pid in (self.pid, *children(self.pid)))

    def stderr(self) -> str:
        """What a foreground daemon has written so far."""
        # A position of its own: the daemon writes through the one it shares with this file.
        return os.pread(self._stderr.fileno(), 1 << 20, 0).decode()

    def send_signal(self, number: signal.Signals) -> None:
        self.assert_running()
        os.kill(self.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it with a signal and returns the exit status, or minus the signal that it died of."""
        self.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        result: list[int] = []
        wait_until(lambda: self._collect(result), f"process {self.pid} does not end")
        self.pid = 0
        self._foreground = None
        return result[0]

    def assert_running(self) -> None:
        assert self.pid, "no daemon is running"
        self.assert_not_crashed()

    def assert_not_crashed(self) -> None:
        """A daemon that was started and not stopped is there."""
        result: list[int] = []
        if self.pid and self._collect(result):
            self.pid = 0
            raise AssertionError(f"the daemon ended by itself, with status {result[0]}; stderr: {self.stderr()!r}")

    def _collect(self, result: list[int]) -> bool:
        """Takes the exit status if there is one. Orphans are ours: the tests are their namespace's first process."""
        if self._foreground is not None:
            status = self._foreground.poll()
        else:
            done, raw = os.waitpid(self.pid, os.WNOHANG)
            status = os.waitstatus_to_exitcode(raw) if done else None
        if status is not None:
            result.append(status)
        return status is not None

    def tear_down(self) -> None:
        """Stops what still runs: it must be alive, end cleanly and leave nothing."""
        try:
            if self.pid:
                status = self.stop()
                assert status == (-signal.SIGTERM if REFERENCE else 0), f"exit status {status}"
            wait_until(lambda: not processes_named(), "a process named scanlogd is left", 1)
        finally:
            sweep()
            self.tear_down_files()

    def tear_down_files(self) -> None:
        """For who has ended it already."""
        self._stderr.close()


def reap() -> None:
    """Takes up the orphans that have ended: the tests are their namespace's first process."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and status_fields(int(entry.name))["Name"] == "scanlogd":
                os.waitpid(int(entry.name), 0)
        except (ChildProcessError, FileNotFoundError, ProcessLookupError):
            continue


def sweep() -> None:
    """After a failed test: no daemon of its may disturb the next."""
    for pid in processes_named():
        os.kill(pid, signal.SIGKILL)
    reap()
    PID_FILE.unlink(missing_ok=True)
