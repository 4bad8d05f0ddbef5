"""One emulated machine for the session, prepared as the package prepares one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.guest import Guest


@pytest.fixture(scope="session")
def guest() -> Iterator[Guest]:
    (package,) = Path(os.environ["PACKAGE"]).glob("scanlogd_*_arm64.deb")
    guest = Guest(Path(os.environ["ARM64_SYSTEM"]), package)
    try:
        guest.boot()
        guest.must("/usr/share/scanlogd/prepare-host")
        yield guest
    finally:
        guest.close()
