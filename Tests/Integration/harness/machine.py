"""A whole Debian that systemd has booted, in a container on the target's network."""

import os
import signal
import subprocess
import time
from pathlib import Path

from .control_group import ControlGroup
from .daemon import Finished, children, finish, wait_until
from .network import Namespace, tool
from .places import REPOSITORY, STAGE

BOOT_TIMEOUT = 120.0
# Where a test's own files are, in there as well.
SHARED = Path("/run/shared")


class Machine:
    """Boots from what `make-debian` made, with all changes kept in memory."""

    def __init__(self, system: Path, network: Namespace) -> None:
        self._network = network
        self._container: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._changes = STAGE / "machine"
        self.root = self._changes / "root"
        self._changes.mkdir()
        subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "mode=755,size=1g", "machine", self._changes], check=True,
                       timeout=10)
        for name in ("root", "above", "work", "shared", "repository"):
            (self._changes / name).mkdir()
        subprocess.run(["mount", "-n", "--bind", REPOSITORY, self._changes / "repository"], check=True, timeout=10)
        options = f"lowerdir={system},upperdir={self._changes}/above,workdir={self._changes}/work"
        subprocess.run(["mount", "-n", "-t", "overlay", "-o", options, "machine", self.root], check=True, timeout=10)
        self.console = self._changes / "console"
        self._group = ControlGroup()

    @property
    def shared(self) -> Path:
        """What it sees as /run/shared."""
        return self._changes / "shared"

    def inside(self, path: Path | str) -> Path:
        """Where a file of its, not below /run or /tmp, is seen from outside."""
        return self.root / str(path).lstrip("/")

    def changed(self) -> list[str]:
        """Every file in which it differs from what was made."""
        above = self._changes / "above"
        paths = (path.relative_to(above) for path in above.rglob("*") if not path.is_dir() or path.is_symlink())
        return sorted(f"/{path}" for path in paths)

    def boot(self) -> None:
        # systemd-nspawn builds the root in /tmp, which the stage has made read-only.
        own_tmp = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                   'mount -n -t tmpfs tmp /tmp && exec "$@"', "sh"]
        command = [
            *own_tmp, tool("systemd-nspawn"), "--quiet", "--boot", f"--directory={self.root}", "--machine=watched",
            "--register=no", "--keep-unit", f"--network-namespace-path={self._network.path}", "--resolv-conf=off",
            "--timezone=off", "--link-journal=no", "--console=read-only",
            f"--bind-ro={self._changes}/repository:{REPOSITORY}", f"--bind={self.shared}:{SHARED}",
        ]
        with open(self.console, "ab") as console:
            self._container = subprocess.Popen(self._group.command(*command), stdin=subprocess.DEVNULL, stdout=console,
                                               stderr=console)
        wait_until(self._is_up, "the machine does not boot", BOOT_TIMEOUT)

    def _is_up(self) -> bool:
        assert self._container
        assert self._container.poll() is None, f"systemd-nspawn ended: {self.console.read_text()}"
        (self._leader,) = children(self._container.pid) or (0,)
        time.sleep(0.1)
        return bool(self._leader) and self.run("systemctl", "is-system-running").stdout in ("running\n", "degraded\n")

    def run(self, *command: object, timeout: float = 60) -> Finished:
        """Runs a program in there, as root."""
        entered = ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                   "--root", "env", "-i", "--chdir=/", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
                   "HOME=/root", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", *map(str, command)]
        return finish(entered, timeout)

    def must(self, *command: object, timeout: float = 60) -> str:
        """Runs a program that must succeed, and returns what it wrote."""
        done = self.run(*command, timeout=timeout)
        assert done.status == 0, (command, done)
        return done.stdout

    def shut_down(self) -> None:
        """Ends it as an administrator would."""
        if self._container:
            self._container.send_signal(signal.SIGTERM)
            try:
                self._container.wait(60)
            finally:
                self.kill()

    def kill(self) -> None:
        if self._container:
            if self._leader and Path(f"/proc/{self._leader}").exists() and self._container.poll() is None:
                os.kill(self._leader, signal.SIGKILL)
            self._container.kill()
            self._container.wait(20)
            self._container = None

    def close(self) -> None:
        self.kill()
        self._group.remove()
        for place in (self.root, self._changes / "repository", self._changes):
            subprocess.run(["umount", "--lazy", place], check=True, timeout=20)
        self._changes.rmdir()
