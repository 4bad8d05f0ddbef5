"""Fixtures: the host's rule files, a name server, and wrappers for connections from the attacker to the target."""

from collections.abc import Iterator

import pytest
from harness.dns import NameServer, resolver_files
from harness.network import Namespace
from harness.syslog_sink import SyslogSink
from harness.wrap import AccessFiles, Wrapped


@pytest.fixture
def rules() -> Iterator[AccessFiles]:
    files = AccessFiles()
    yield files
    files.close()


@pytest.fixture
def names(target: Namespace) -> Iterator[NameServer]:
    server = NameServer(target)
    with resolver_files():
        server.start()
        yield server
        server.stop()


@pytest.fixture
def wrapped(attacker: Namespace, target: Namespace, log: SyslogSink, rules: AccessFiles) -> Wrapped:
    return Wrapped(attacker, target, log)
