"""Real syslog daemons on the stage's own /dev/log."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from .daemon import status_fields, wait_until
from .network import tool
from .places import LOG_SOCKET

_RSYSLOG = """module(load="imuxsock" SysSock.RateLimit.Interval="0")
template(name="line" type="string" string="%syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg%\\n")
action(type="omfile" file="{file}" template="line")
"""


class Syslogd:
    """rsyslogd or busybox's syslogd, which can be killed, stopped and started again."""

    def __init__(self, name: str, directory: Path) -> None:
        self.file = directory / "log"
        self.file.touch()
        configuration = directory / "rsyslog.conf"
        configuration.write_text(_RSYSLOG.format(file=self.file))
        self._command = {
            "rsyslogd": [tool("rsyslogd"), "-n", "-i", "NONE", "-f", str(configuration)],
            "busybox": [tool("busybox"), "syslogd", "-n", "-S", "-O", str(self.file)],
        }[name]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens, "syslogd doesn't listen", 10)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            return probe.connect_ex(str(LOG_SOCKET)) == 0

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(10)
            self._process = None

    def stop_and_fill(self) -> None:
        """Stops it, and fills its socket, so that whoever sends to it would have to wait."""
        assert self._process
        pid = self._process.pid
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: status_fields(pid)["State"].startswith("T"), "syslogd doesn't stop")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            filler.connect(str(LOG_SOCKET))
            try:
                while True:
                    filler.send(b"<14>Jan  1 00:00:00 filler: nothing")
            except BlockingIOError:
                pass

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def lines(self) -> list[str]:
        """The texts of scanlogd's lines."""
        found = []
        for line in self.file.read_text().splitlines():
            _, mark, text = line.partition(" scanlogd: ")
            if mark:
                found.append(text)
        return found

    def wait_for(self, text: str, timeout: float = 10) -> None:
        wait_until(lambda: any(text in line for line in self.lines()), f"no line with {text!r}", timeout)

    def close(self) -> None:
        self.end(signal.SIGKILL)
        if LOG_SOCKET.exists() or LOG_SOCKET.is_symlink():
            os.unlink(LOG_SOCKET)
