"""Control groups of a test's own, so that what a service manager makes of them goes with the test."""

import subprocess
import time
from pathlib import Path

from .daemon import wait_until

_NAME = "scanlogd-booted-"


def _own_places() -> list[Path]:
    """The group that this process is in, of every hierarchy that can be written to."""
    mounts = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        fields = before.split(" ")
        if kind == "cgroup2":
            mounts[""] = (fields[3], fields[4])
        elif kind == "cgroup":
            mounts.update({name: (fields[3], fields[4]) for name in options.split(",")})
    places = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        # The members of a hierarchy are named together, and any of them finds it.
        root, mount = mounts.get(names.split(",")[0], ("", ""))
        if mount and path.startswith(root):
            places.append(Path(mount) / path.removeprefix(root).lstrip("/"))
    return places


class ControlGroup:
    """A new group under that of this process, in each hierarchy."""

    def __init__(self) -> None:
        self._places = []
        # The same in all of them: systemd-nspawn makes that of the second version in the first version's as well.
        name = f"{_NAME}{time.time_ns()}"
        for place in _own_places():
            _remove_what_was_left(place)
            group = place / name
            group.mkdir()
            self._places.append(group)
            # A new group has no processor to run on where the first version of control groups is used.
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (group / setting).exists() and not (group / setting).read_text().strip():
                    (group / setting).write_text((place / setting).read_text())

    def command(self, *command: object) -> list[str]:
        """The command line that runs a program in the group: a shell enters it and becomes the program."""
        files = [str(place / "cgroup.procs") for place in self._places]
        script = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 1; shift; done; shift; exec "$@"'
        return ["sh", "-c", script, "sh", *files, "--", *map(str, command)]

    def remove(self) -> None:
        """For who has killed all that was in it."""
        wait_until(lambda: all([_removed(place) for place in self._places]), "a control group is not empty", 20)


def _removed(group: Path) -> bool:
    """Removes a group and those in it. One that a process is in stays."""
    subprocess.run(["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], check=False, timeout=20,
                   stderr=subprocess.DEVNULL)
    return not group.exists()


def _remove_what_was_left(place: Path) -> None:
    """Groups of a run that was killed: old ones without any process."""
    for group in place.glob(f"{_NAME}*"):
        processes = "".join(file.read_text() for file in group.rglob("cgroup.procs"))
        if not processes and time.time() - group.stat().st_mtime > 60:
            _removed(group)
