"""The other end of syslog(3): a datagram socket at /dev/log that remembers all it is sent."""

import os
import re
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .daemon import wait_until
from .places import LOG_SOCKET

LOG_DAEMON = 3
# Levels.
ALERT, CRITICAL, WARNING, NOTICE, INFORMATION, DEBUG = 1, 2, 4, 5, 6, 7

_DATAGRAM = re.compile(
    r"<(?P<priority>\d{1,3})>(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) "
    r"(?P<ident>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: (?P<text>[^\n\0]*)[\n\0]*"
)
_GIVE_UP = 10.0


@dataclass(frozen=True)
class Message:
    """One datagram, as it came and as it reads."""

    arrived: float
    raw: bytes
    facility: int
    level: int
    stamp: str
    ident: str
    pid: int | None
    text: str


def parse(raw: bytes, arrived: float) -> Message:
    match = _DATAGRAM.fullmatch(raw.decode("utf-8"))
    assert match, f"not a syslog datagram: {raw!r}"
    priority = int(match["priority"])
    return Message(arrived, raw, priority >> 3, priority & 7, match["stamp"], match["ident"],
                   int(match["pid"]) if match["pid"] else None, match["text"])


class SyslogSink:
    """Receives in a thread of its own: a full socket would make the daemon wait or drop.

    `while_waiting` is called again and again by all that waits for lines; it fails when there is no use in waiting.
    """

    def __init__(self, path: Path = LOG_SOCKET) -> None:
        self.while_waiting: Callable[[], None] = lambda: None
        path.unlink(missing_ok=True)
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        os.chmod(path, 0o666)
        self._socket.setblocking(False)
        # What ends the thread comes by this one, whoever has removed the path or has put another socket there.
        self._last = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._last.connect(str(path))
        self._received: list[tuple[bytes, float]] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while not self._has_ended:
            select.select([self._socket], [], [])
            with self._changed:
                self._take()

    def _take(self) -> None:
        """Takes all that has come; whoever calls it holds the lock."""
        while not self._has_ended:
            try:
                raw = self._socket.recv(65536)
            except BlockingIOError:
                return
            if raw:
                self._received.append((raw, time.time()))
            else:
                self._has_ended = True
            self._changed.notify_all()

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        # An empty datagram ends the thread; closing a socket under a blocked recv doesn't.
        self._last.send(b"")
        self._thread.join(_GIVE_UP)
        assert not self._thread.is_alive(), "the thread does not end"
        self._last.close()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    @property
    def messages(self) -> list[Message]:
        """All that was sent so far, also what the thread has not come to."""
        with self._changed:
            if self._thread.is_alive():
                self._take()
            return [parse(raw, arrived) for raw, arrived in self._received]

    def texts(self, level: int | None = None) -> list[str]:
        """The texts of all that was logged, or of what was at one level."""
        return [message.text for message in self.messages if level in (None, message.level)]

    def wait_for_text(self, beginning: str, timeout: float = _GIVE_UP) -> str:
        """Waits for a text that begins so, at any level, and returns the last."""
        def found() -> list[str]:
            return [text for text in self.texts() if text.startswith(beginning)]
        wait_until(lambda: found() != [], f"no line {beginning!r}", timeout)
        return found()[-1]

    def wait_for_notice(self, words: str, after: int = 0) -> None:
        """Waits for a notice with these words in it, behind the first messages."""
        def is_there() -> bool:
            return any(words in message.text and message.level == NOTICE for message in self.messages[after:])
        wait_until(is_there, f"no notice {words!r}")

    def alerts(self) -> list[str]:
        """The texts of what was logged at level alert, each under the right name and facility, with the right date."""
        alerts = [message for message in self.messages if message.level == ALERT]
        for message in alerts:
            assert message.raw.startswith(b"<25>")
            assert message.facility == LOG_DAEMON
            assert message.ident == "scanlogd"
        return [message.text for message in alerts]

    def alerts_of(self, ident: str) -> list[str]:
        """The texts at level alert under one name."""
        return [message.text for message in self.messages if message.level == ALERT and message.ident == ident]

    def wait_for(self, wanted: Callable[[list[str]], bool], what: str, timeout: float = _GIVE_UP) -> list[str]:
        """Waits until the alerts are as `wanted` says, and returns them."""
        deadline = time.monotonic() + timeout
        while not wanted(alerts := self.alerts()):
            left = deadline - time.monotonic()
            assert left > 0, f"{what}: waited {timeout} s; logged: {alerts}"
            self.while_waiting()
            with self._changed:
                self._changed.wait(min(left, 0.05))
        return alerts

    def wait_for_alerts(self, count: int, timeout: float = _GIVE_UP) -> list[str]:
        return self.wait_for(lambda alerts: len(alerts) >= count, f"{count} alerts", timeout)

    def stays_at(self, count: int, seconds: float) -> list[str]:
        """The alerts after a wait in which no more than `count` must have come."""
        time.sleep(seconds)
        alerts = self.alerts()
        assert len(alerts) == count, f"expected {count} lines: {alerts}"
        return alerts


def stamp_time(message: Message) -> datetime:
    year = datetime.fromtimestamp(message.arrived).year
    return datetime.strptime(f"{year} {message.stamp}", "%Y %b %d %H:%M:%S")
