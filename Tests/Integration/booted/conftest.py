"""One booted machine for the session, with our service in it, which each test finds stopped and without options."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.machine import Machine
from harness.network import Namespace
from harness.service import Service


@pytest.fixture(scope="session")
def machine(hosts: tuple[Namespace, Namespace]) -> Iterator[Machine]:
    machine = Machine(Path(os.environ["BOOTED_SYSTEM"]), hosts[1])
    try:
        machine.boot()
        yield machine
    finally:
        machine.close()


@pytest.fixture
def service(machine: Machine) -> Service:
    service = Service(machine)
    service.reset()
    return service
