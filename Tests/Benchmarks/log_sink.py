"""The other end of syslog(3): a datagram socket at /dev/log that remembers what came, and when."""

import os
import socket
import threading
import time
from dataclasses import dataclass

from waiting import wait

PATH = "/dev/log"


@dataclass(frozen=True)
class Line:
    """A line, and when it came: nanoseconds of the monotonic clock."""

    time: int
    text: str


class LogSink:
    """Receives in a thread of its own: a full socket would make the daemon wait."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(PATH)
        os.chmod(PATH, 0o666)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while data := self._socket.recv(4096):
            self.lines.append(Line(time.monotonic_ns(), data.decode("ascii", "replace")))

    def position(self) -> int:
        """How many lines have been sent so far. A line of our own comes after all that wait to be received."""
        mark = f"mark {time.monotonic_ns()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(mark.encode(), PATH)
        wait(lambda: mark in self._texts(), "the log does not arrive")
        return self._texts().index(mark) + 1

    def _texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def first(self, word: str, since: int) -> Line | None:
        """The first line since a position that has the word."""
        return next((line for line in self.lines[since:] if word in line.text.split()), None)
