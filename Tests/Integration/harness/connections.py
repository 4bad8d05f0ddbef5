"""`scanlogd connections`, started on the target, watched and stopped; and capture files for it."""

import os
import re
import signal
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from .daemon import START_TIMEOUT, STOP_TIMEOUT, Finished, children, finish, processes_named, status_fields, wait_until
from .network import Namespace
from .places import BINARY, REPOSITORY

SAMPLE = REPOSITORY / "Tests/Fixtures/captures/clog_sample.pcap"

# What any line is, whatever arrives: five fields.
LINE = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d|-?\d+\.\d{6})"
    r"\|(?P<source>[0-9a-f:.]+)\|(?P<sport>\d{1,5})\|(?P<destination>[0-9a-f:.]+)\|(?P<dport>\d{1,5})")


# The port of what is sent last: when its line is there, all that came before has been judged.
END = 65000


def fields(line: str) -> tuple[str, int, str, int]:
    """Who tried to reach what, of a line that must be one."""
    match = LINE.fullmatch(line)
    assert match, f"not a line: {line!r}"
    return match["source"], int(match["sport"]), match["destination"], int(match["dport"])


def read_file(*options: object, file: Path = SAMPLE, env: Mapping[str, str] | None = None) -> Finished:
    """Runs it on a capture file to the end. Times are UTC if nothing else is said."""
    command = [str(BINARY), "connections", "--read", str(file), *map(str, options)]
    return finish(command, env={"TZ": "UTC", **(env or {})})


def pcap(packets: Iterable[tuple[float, bytes]], link: int = 1) -> bytes:
    """A capture file of packets and when they came."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)]
    for when, packet in packets:
        seconds, rest = divmod(round(when * 1_000_000), 1_000_000)
        parts.append(struct.pack("<IIII", seconds, rest, len(packet), len(packet)) + packet)
    return b"".join(parts)


def packets(file: Path) -> Iterator[bytes]:
    """What is in a capture file that pcap() has made."""
    text = file.read_bytes()
    at = 24
    while at < len(text):
        length, = struct.unpack_from("<I", text, at + 8)
        yield text[at + 16:at + 16 + length]
        at += 16 + length


class Connections:
    """One run, in the foreground with its lines in a file, or where the test wants them."""

    def __init__(self, namespace: Namespace, directory: Path, binary: Path = BINARY) -> None:
        self.namespace = namespace
        self.binary = binary
        self.pid = 0
        self.stdout = directory / "stdout"
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = TemporaryFile()

    def command(self, *options: object, wrapper: Sequence[str] = ()) -> list[str]:
        return self.namespace.command(*wrapper, self.binary, "connections", *options)

    def run(self, *options: object) -> Finished:
        """Runs it where it is expected to end by itself."""
        return finish(self.command(*options))

    def start(self, *options: object, stdout: int | None = None, stderr: int | None = None,
              env: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()) -> None:
        """Starts it in the foreground, until it is ready."""
        with self.stdout.open("wb") as file:
            self._process = subprocess.Popen(
                self.command(*options, wrapper=wrapper), stdin=subprocess.DEVNULL,
                stdout=file if stdout is None else stdout, stderr=self._stderr if stderr is None else stderr,
                env={**os.environ, "TZ": "UTC", **(env or {})})
        self.pid = self._process.pid
        wait_until(self._is_ready, "it is not in its sandbox", START_TIMEOUT)

    def start_background(self, *options: object, pid_file: Path, env: Mapping[str, str] | None = None) -> None:
        done = finish(self.command("-b", "-P", pid_file, *options), env={"TZ": "UTC", **(env or {})})
        assert done == Finished(0, "", ""), done
        self.pid = int(pid_file.read_text())
        wait_until(lambda: self.is_confined(self.pid) and self.is_confined(self.broker), "it is not in its sandbox")

    @property
    def broker(self) -> int:
        """The process that keeps the log and the place of the file."""
        (broker,) = children(self.pid)
        return broker

    @staticmethod
    def is_confined(pid: int) -> bool:
        return status_fields(pid)["Seccomp"] == "2"

    def _is_ready(self) -> bool:
        assert self._process and self._process.poll() is None, f"ended: {self._process}: {self.stderr()}"
        return len(children(self.pid)) == 1 and self.is_confined(self.pid) and self.is_confined(self.broker)

    def stderr(self) -> str:
        return os.pread(self._stderr.fileno(), 1 << 20, 0).decode()

    def lines(self, file: Path | None = None) -> list[str]:
        """The lines so far, each of which must be one, and whole."""
        text = (file or self.stdout).read_text()
        assert text == "" or text.endswith("\n"), f"half a line: {text[-100:]!r}"
        found = text.splitlines()
        for line in found:
            fields(line)
        return found

    def wait_for(self, count: int, file: Path | None = None) -> list[str]:
        """Waits for so many lines, whole or not yet, and returns them."""
        path = file or self.stdout
        wait_until(lambda: path.read_bytes().count(b"\n") >= count, f"no {count} lines in {path}")
        return self.lines(path)

    def attempts(self, count: int) -> list[tuple[str, int, str, int]]:
        """What is in so many lines."""
        return [fields(line) for line in self.wait_for(count)]

    def before_the_end(self, file: Path | None = None) -> list[tuple[str, int, str, int]]:
        """What is in the lines before that of the attempt at END, for which is waited."""
        path = file or self.stdout
        wait_until(lambda: f"|{END}\n" in path.read_text(), "the last line")
        found = [fields(line) for line in self.lines(path)]
        assert found[-1][3] == END
        return found[:-1]

    def stop_and_account_for(self, sent: int) -> dict[str, int]:
        """Ends it when it has seen so many attempts, each of which is a line, or was counted. Returns its counters."""
        def is_settled() -> bool:
            counters = self.ask_counters()
            return counters["packets captured"] + counters["packets dropped by kernel"] >= sent
        wait_until(is_settled, f"{sent} packets", 10)
        assert self.stop() == 0, self.stderr()
        counters = self.counters()
        assert counters["lines written"] + counters["packets dropped by kernel"] == sent, counters
        assert counters["lines lost"] == counters["lines suppressed"] == 0
        return counters

    def send_signal(self, number: signal.Signals) -> None:
        assert status_fields(self.pid)["State"][0] not in "ZX", f"it has ended: {self.stderr()}"
        os.kill(self.pid, number)

    def counters(self) -> dict[str, int]:
        """What it has said last of what it saw and did, by what it calls it."""
        return {name: int(count) for count, name in re.findall(r"^(\d+) ([a-z ]+)$", self.stderr(), re.MULTILINE)}

    def ask_counters(self) -> dict[str, int]:
        before = len(self.stderr())
        self.send_signal(signal.SIGUSR1)
        wait_until(lambda: "dropped by kernel\n" in self.stderr()[before:], "no counters")
        return self.counters()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send_signal(number)
        return self.wait()

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Waits until it has ended, and its broker with it, and returns the exit status."""
        if self._process:
            status = self._process.wait(timeout)
        else:
            result: list[int] = []

            def collect() -> bool:
                done, raw = os.waitpid(self.pid, os.WNOHANG)
                if done:
                    result.append(os.waitstatus_to_exitcode(raw))
                return bool(done)
            wait_until(collect, "it does not end", timeout)
            status = result[0]
        self.pid = 0
        wait_until(lambda: not processes_named(self.binary.name), "a process of its is left", timeout)
        return status

    def tear_down(self) -> None:
        """What still runs must end cleanly, and leave nothing."""
        try:
            if self.pid:
                assert self.stop() == 0, self.stderr()
            wait_until(lambda: not processes_named(self.binary.name), "a process of its is left", 4)
        finally:
            for pid in processes_named(self.binary.name):
                os.kill(pid, signal.SIGKILL)
            if self._process:
                self._process.wait(STOP_TIMEOUT)
            self._stderr.close()
