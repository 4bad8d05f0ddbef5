"""An emulated arm64 machine with Debian's kernel and a small system in memory, on a network of its own."""

import os
import selectors
import shutil
import subprocess
import time
from pathlib import Path

from .daemon import Finished
from .network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from .places import TEMPORARY

_BOOT_TIMEOUT = 300.0
_MAC = "02:00:00:00:77:64"
# The shell reads commands from the serial line, and echoes none of them.
_INIT = f"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /var/log /bin /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
for module in virtio_pci virtio_net inet_diag tcp_diag udp_diag raw_diag; do modprobe $module; done
ip link set lo up
ip address add {TARGET}/24 dev eth0
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
ip link set eth0 up
ip -6 address add {TARGET_6}/64 dev eth0
syslogd -O /var/log/messages
stty -F /dev/ttyAMA0 -echo -onlcr
echo guest-is-up
exec setsid sh </dev/ttyAMA0 >/dev/ttyAMA0 2>&1
"""


class Guest:
    """Boots from what `make-arm64` made, and a package unpacked over it."""

    def __init__(self, system: Path, package: Path) -> None:
        self.host = Namespace("emulator")
        self._system = system
        self._directory = TEMPORARY / "guest"
        self._directory.mkdir()
        self._commands = 0
        self._machine: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._make_network()
        self._make_image(package)

    def _make_network(self) -> None:
        subprocess.run(["ip", "netns", "add", self.host.name], check=True, timeout=10)
        self.host.run("ip", "tuntap", "add", "dev", "wire", "mode", "tap")
        self.host.run("ip", "address", "add", f"{ATTACKER}/24", "dev", "wire")
        self.host.run("ip", "address", "add", f"{ATTACKER_6}/64", "dev", "wire", "nodad")
        self.host.run("ip", "link", "set", "wire", "up")

    def _make_image(self, package: Path) -> None:
        tree = self._directory / "tree"
        subprocess.run([tool("dpkg-deb"), "-x", package, tree], check=True, timeout=60)
        (tree / "init").write_text(_INIT)
        (tree / "init").chmod(0o755)
        (tree / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n"
                                         "scanlogd:x:999:999::/var/empty:/bin/false\n")
        (tree / "etc/group").write_text("root:x:0:\nscanlogd:x:999:\n")
        # The kernel unpacks one after the other, from where a multiple of four bytes is before it.
        image = self._directory / "initrd"
        shutil.copy(self._system / "initrd", image)
        with image.open("ab") as file:
            file.write(b"\0" * (-file.tell() % 4))
            file.flush()
            names = subprocess.run(["find", "."], cwd=tree, check=True, capture_output=True, timeout=20).stdout
            subprocess.run([tool("cpio"), "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree, check=True, input=names,
                           stdout=file, timeout=20)

    def boot(self) -> None:
        command = [
            tool("qemu-system-aarch64"), "-M", "virt", "-cpu", "cortex-a72", "-m", "512", "-nodefaults", "-no-user-config",
            "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", self._system / "Image",
            "-initrd", self._directory / "initrd", "-append", "console=ttyAMA0 loglevel=2 panic=-1",
            "-netdev", "tap,id=wire,ifname=wire,script=no,downscript=no",
            "-device", f"virtio-net-pci,netdev=wire,mac={_MAC},romfile=",
        ]
        self._machine = subprocess.Popen(self.host.command(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)
        self._read_to(b"guest-is-up\n", _BOOT_TIMEOUT)

    def _read_to(self, mark: bytes, timeout: float) -> bytes:
        """What it writes before a mark."""
        assert self._machine and self._machine.stdout
        end = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._machine.stdout, selectors.EVENT_READ)
            while mark not in self._unread:
                assert selector.select(max(0, end - time.monotonic())), f"no {mark!r} after {self._unread!r}"
                read = os.read(self._machine.stdout.fileno(), 65536)
                assert read, f"the machine ended after {self._unread!r}"
                # The kernel's own lines have carriage returns, whatever stty says.
                self._unread += read.replace(b"\r", b"")
        before, _, self._unread = self._unread.partition(mark)
        return before

    def run(self, command: str, timeout: float = 60) -> Finished:
        """Has its shell run a command; what it writes on either stream is in `stdout`."""
        assert self._machine and self._machine.stdin
        self._commands += 1
        begin, end = (f"{word}-{self._commands}" for word in ("begin", "end"))
        line = f"echo {begin}; ( {command}\n) 2>&1 </dev/null; echo {end} $?\n"
        self._machine.stdin.write(line.encode())
        self._machine.stdin.flush()
        self._read_to(f"{begin}\n".encode(), timeout)
        output = self._read_to(f"{end} ".encode(), timeout).decode()
        status = int(self._read_to(b"\n", timeout))
        return Finished(status, output, "")

    def must(self, command: str, timeout: float = 60) -> str:
        """Runs a command that must succeed, and returns what it wrote."""
        done = self.run(command, timeout)
        assert done.status == 0, (command, done)
        return done.stdout

    def close(self) -> None:
        if self._machine:
            self._machine.kill()
            self._machine.wait(20)
        subprocess.run(["ip", "netns", "delete", self.host.name], check=True, timeout=20)
        shutil.rmtree(self._directory)
