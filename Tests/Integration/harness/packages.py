"""Debian packages of scanlogd, installed in a booted machine."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .machine import SHARED, Machine


@dataclass(frozen=True)
class Packages:
    """What can be installed; the machine sees the repository where it is."""

    machine: Machine
    ours: Path
    debians: Path

    def install(self, package: Path) -> str:
        """As an unattended upgrade does it: what the administrator has edited is kept, without a question."""
        return self.machine.must("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confdef", "--force-confold",
                                 "-i", package, timeout=120)

    def newer(self, version: str, file: str, added: str) -> Path:
        """A later version of ours, in which one file is another."""
        tree = self.machine.shared / "newer"
        subprocess.run(["dpkg-deb", "-R", self.ours, tree], check=True, timeout=60)
        control = tree / "DEBIAN/control"
        lines = control.read_text().splitlines()
        control.write_text("".join(f"{f'Version: {version}' if line.startswith('Version: ') else line}\n"
                                   for line in lines))
        with (tree / file).open("a") as changed:
            changed.write(added)
        package = self.machine.shared / f"scanlogd_{version.replace(':', '_')}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, package], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)
        return SHARED / package.name
