"""Those who write the system log to files, each on the stage's own /dev/log, in every format they have."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .daemon import wait_until
from .network import tool
from .places import LOG_SOCKET, REPOSITORY

_UNPACKED = REPOSITORY / ".needs"


class LogWriter:
    """A program that takes what is logged, and the files that it writes."""

    def __init__(self, command: Sequence[object], formats: Mapping[str, Path],
                 environment: Mapping[str, str] | None = None) -> None:
        self.formats = dict(formats)
        self._command = [str(word) for word in command]
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, env=self._environment)
        wait_until(self._listens, f"{self._command[0]} doesn't listen", 20)

    def _listens(self) -> bool:
        assert self._process and self._process.poll() is None, f"{self._command} ended"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            return probe.connect_ex(str(LOG_SOCKET)) == 0

    def send(self, message: str) -> None:
        """Logs what another program would, as it is on the wire."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.connect(str(LOG_SOCKET))
            log.send(message.encode())

    def texts(self) -> dict[str, str]:
        """What it has written so far, by format."""
        return {name: path.read_text() if path.exists() else "" for name, path in self.formats.items()}

    def wait_for(self, text: str) -> None:
        wait_until(lambda: all(text in written for written in self.texts().values()), f"no line with {text!r}", 20)

    def close(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
        if LOG_SOCKET.exists() or LOG_SOCKET.is_symlink():
            LOG_SOCKET.unlink()


def rsyslog(directory: Path) -> LogWriter:
    formats = {name: directory / name for name in (
        "RSYSLOG_TraditionalFileFormat", "RSYSLOG_FileFormat", "RSYSLOG_SyslogProtocol23Format")}
    configuration = directory / "rsyslog.conf"
    configuration.write_text("".join(
        ['module(load="imuxsock" SysSock.RateLimit.Interval="0")\n']
        + [f'action(type="omfile" file="{path}" template="{name}")\n' for name, path in formats.items()]))
    return LogWriter([tool("rsyslogd"), "-n", "-i", "NONE", "-f", configuration], formats)


# The flag as the filter says: without it a message can have line breaks in it, and so forge whole lines.
_SYSLOG_NG = """@version: {version}
source s_log {{ unix-dgram("/dev/log" flags(no-multi-line)); }};
destination d_default {{ file("{directory}/default"); }};
destination d_iso {{ file("{directory}/iso" ts-format(iso)); }};
destination d_full {{ file("{directory}/full" ts-format(full)); }};
destination d_template {{ file("{directory}/template" template("$ISODATE $HOST $MSGHDR$MSG\\n")); }};
destination d_protocol {{ file("{directory}/protocol" flags(syslog-protocol)); }};
log {{ source(s_log); destination(d_default); destination(d_iso); destination(d_full); destination(d_template);
       destination(d_protocol); }};
"""


def syslog_ng(directory: Path) -> LogWriter:
    program, options, environment = _installed_syslog_ng()
    done = subprocess.run([program, *options, "--version"], check=True, capture_output=True, text=True, timeout=20,
                          env={**os.environ, **environment})
    found = re.search(r"^Config version: (\S+)$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    configuration = directory / "syslog-ng.conf"
    configuration.write_text(_SYSLOG_NG.format(version=found[1], directory=directory))
    formats = {name: directory / name for name in ("default", "iso", "full", "template", "protocol")}
    return LogWriter(
        [program, *options, "-F", "--no-caps", "-f", configuration, "-R", directory / "persist",
         "-c", directory / "control", "-p", directory / "pid"], formats, environment)


def _installed_syslog_ng() -> tuple[str, list[str], dict[str, str]]:
    """The program, its options and its environment. Debian's package is only unpacked: rsyslog keeps it out."""
    library = _UNPACKED / "syslog-ng-core/usr/lib/syslog-ng"
    if not library.exists():
        return tool("syslog-ng"), [], {}
    (modules,) = (path.parent for path in library.glob("*/libsyslogformat.so"))
    return (str(_UNPACKED / "syslog-ng-core/usr/sbin/syslog-ng"), ["--module-path", str(modules)],
            {"LD_LIBRARY_PATH": str(library)})


def busybox(directory: Path, *options: str) -> LogWriter:
    file = directory / "log"
    return LogWriter([tool("busybox"), "syslogd", "-n", *options, "-O", file], {"default": file})


_JOURNAL_FORMATS = ("short", "short-precise", "short-iso", "short-iso-precise", "short-full", "short-unix", "with-unit",
                    "short --no-hostname", "short-full --utc")
_JOURNAL_DIRECTORIES = [Path("/run/systemd/journald.conf.d"), Path("/run/systemd/journal"), Path("/run/log/journal")]
_JOURNALD = """[Journal]
Storage=volatile
ReadKMsg=no
RateLimitIntervalSec=0
"""


class Journal(LogWriter):
    """systemd's journal, as journalctl writes it to a file."""

    def __init__(self) -> None:
        super().__init__([tool("/lib/systemd/systemd-journald")], {})
        configuration = _JOURNAL_DIRECTORIES[0] / "stage.conf"
        configuration.parent.mkdir(parents=True)
        configuration.write_text(_JOURNALD)
        LOG_SOCKET.symlink_to("/run/systemd/journal/dev-log")

    def close(self) -> None:
        super().close()
        for directory in _JOURNAL_DIRECTORIES:
            shutil.rmtree(directory, ignore_errors=True)

    def texts(self) -> dict[str, str]:
        return {options: self._journalctl(*options.split()) for options in _JOURNAL_FORMATS}

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self._journalctl("cat"), f"no line with {text!r}", 20)

    def _journalctl(self, output: str, *options: str) -> str:
        done = subprocess.run([tool("journalctl"), "--directory=/run/log/journal", "-q", "-o", output, *options],
                              check=False, capture_output=True, text=True, timeout=20)
        return done.stdout


WRITERS: dict[str, Callable[[Path], LogWriter]] = {
    "rsyslog": rsyslog,
    "syslog-ng": syslog_ng,
    "busybox": busybox,
    "busybox -S": lambda directory: busybox(directory, "-S"),
    "busybox -t": lambda directory: busybox(directory, "-t"),
    "journald": lambda directory: Journal(),
}
