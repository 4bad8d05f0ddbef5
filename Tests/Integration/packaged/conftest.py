"""A booted machine for each test, as it was made, and the packages that are installed in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.machine import Machine
from harness.network import Namespace
from harness.packages import Packages
from harness.places import REPOSITORY
from harness.service import Service


@pytest.fixture
def machine(hosts: tuple[Namespace, Namespace]) -> Iterator[Machine]:
    machine = Machine(Path(os.environ["BOOTED_SYSTEM"]), hosts[1])
    try:
        machine.boot()
        yield machine
    finally:
        machine.close()


@pytest.fixture
def service(machine: Machine) -> Service:
    return Service(machine)


@pytest.fixture
def packages(machine: Machine) -> Packages:
    (ours,) = Path(os.environ["PACKAGE"]).glob("scanlogd_*.deb")
    (debians,) = (REPOSITORY / ".needs").glob("scanlogd_2*.deb")
    return Packages(machine, ours, debians)
