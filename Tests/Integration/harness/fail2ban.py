"""fail2ban-regex with the filter of ours, as an administrator has it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .network import tool
from .places import REPOSITORY

FILTER = REPOSITORY / "rc.d/fail2ban/filter.local"
_SYSTEM = Path("/etc/fail2ban")


@dataclass(frozen=True)
class Failure:
    """What fail2ban would act on. The time is in seconds since 1970."""

    host: str
    port: int | None
    time: float


def failures(text: str, directory: Path, environment: Mapping[str, str] | None = None,
             options: str = "") -> list[Failure]:
    """What the filter finds in a log, in its order. The directory is made the home of a copy of the configuration."""
    filters = directory / "fail2ban/filter.d"
    if not filters.exists():
        filters.mkdir(parents=True)
        for name in ("common.conf", "scanlogd.conf"):
            shutil.copy(_SYSTEM / "filter.d" / name, filters)
        shutil.copy(FILTER, filters / "scanlogd.local")
    log = directory / "fail2ban/log"
    log.write_text(text)
    done = subprocess.run(
        [tool("fail2ban-regex"), "-c", filters.parent, "-o", "<ip> <F-PORT> <time>", log, f"scanlogd{options}"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **(environment or {})})
    assert not done.stderr and "ERROR" not in done.stdout, done
    return [_failure(line) for line in done.stdout.splitlines()]


def _failure(line: str) -> Failure:
    host, port, time = line.split(" ")
    return Failure(host, int(port) if port else None, float(time))
