"""Where things are on the stage that the `stage` script sets."""

import os
from pathlib import Path

STAGE = Path("/run/stage")
BINARY = STAGE / "bin/scanlogd"
TEMPORARY = STAGE / "tmp"
ACCOUNTS = Path("/etc/passwd")
CHROOT = Path("/var/empty")
PID_FILE = Path("/run/scanlogd.pid")
LOG_SOCKET = Path("/dev/log")
REPOSITORY = Path(os.environ.get("REPOSITORY", "/nonexistent"))

# Openwall's scanlogd knows no options, no pid file and no clean exit, and has a chroot directory of its own.
REFERENCE = bool(os.environ.get("SCANLOGD_REFERENCE"))
REFERENCE_CHROOT = Path("/run/scanlogd/empty")
