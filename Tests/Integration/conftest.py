"""Fixtures: two hosts for the session; a daemon, a log and a sender for each test."""

import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from types import FrameType

import pytest

pytest.register_assert_rewrite("harness")

from harness import network  # noqa: E402 - after what makes its assertions tell what they saw
from harness.connections import Connections
from harness.daemon import Daemon, sweep
from harness.network import Namespace, tool
from harness.packets import Sender
from harness.places import REPOSITORY, STAGE, TEMPORARY
from harness.scene import Scene
from harness.syslog_sink import SyslogSink

# What boots a machine needs one to boot: see `make soak`.
collect_ignore = [] if "BOOTED_SYSTEM" in os.environ else ["booted", "packaged"]
if "ARM64_SYSTEM" not in os.environ:
    collect_ignore.append("emulated")

TEST_TIMEOUT = int(os.environ.get("TEST_TIMEOUT", "120"))


# What is started here must not inherit that somebody ignores them, as nohup(1) and a shell's background do.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def _too_slow(number: int, frame: FrameType | None) -> None:
    pytest.fail(f"the test takes more than {TEST_TIMEOUT} s")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long tests first: one that begins last would be waited for alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _own_items(session: pytest.Session, numbers: int) -> Iterator[pytest.Item]:
    """The tests that this run takes of those that it shares with others: see `run-beside`.

    A read of the file of numbers takes one off, for all who share its position. It stands for a test, or for those of a
    module that are to stay together.
    """
    def place(item: pytest.Item) -> str:
        return item.nodeid if item.get_closest_marker("together") is None else str(item.path)

    groups = [list(group) for _, group in groupby(session.items, place)]
    while (number := int(os.read(numbers, 5))) < len(groups):
        yield from groups[number]


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Takes one test after the other from those that are left, if they are shared: else pytest has a loop."""
    numbers = os.environ.get("TEST_NUMBERS")
    if numbers is None or session.config.option.collectonly or session.testsfailed:
        return None
    items = _own_items(session, int(numbers))
    item = next(items, None)
    while item:
        following = next(items, None)
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


@pytest.fixture(autouse=True)
def bounded_time() -> Iterator[None]:
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(TEST_TIMEOUT)
    yield
    signal.alarm(0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """The bound is for the test: the report of a failure takes long on a busy machine, and is not cut short."""
    left = signal.alarm(0)
    yield
    signal.alarm(left)


@pytest.fixture(scope="session")
def hosts() -> tuple[Namespace, Namespace]:
    return network.build()


@pytest.fixture
def attacker(hosts: tuple[Namespace, Namespace]) -> Namespace:
    return hosts[0]


@pytest.fixture
def target(hosts: tuple[Namespace, Namespace]) -> Namespace:
    return hosts[1]


@pytest.fixture(scope="session")
def generator() -> Path:
    """The benchmarks' sender of packets, which is fast enough."""
    binary = TEMPORARY / "generator"
    source = REPOSITORY / "Tests/Benchmarks/generator.c"
    subprocess.run([tool("cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-o", binary, source], check=True, timeout=60)
    return binary


@pytest.fixture(scope="session")
def shim() -> Path:
    """What makes the machine behave as it seldom does, when it is put before the C library."""
    library = STAGE / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([tool("cc"), "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", library, source], check=True,
                   timeout=60)
    return library


@pytest.fixture
def log() -> Iterator[SyslogSink]:
    sink = SyslogSink()
    yield sink
    sink.close()


@pytest.fixture
def daemon(target: Namespace, log: SyslogSink) -> Iterator[Daemon]:
    """A daemon that is not started yet. Whatever the test did with it, none is left afterwards."""
    sweep()
    daemon = Daemon(target)
    yield daemon
    daemon.tear_down()


@pytest.fixture
def connections(target: Namespace, log: SyslogSink, tmp_path: Path) -> Iterator[Connections]:
    """`scanlogd connections`, not started yet. Whatever the test did with it, nothing is left afterwards.

    There is a log: without one it waits three seconds at its end for what it has to say.
    """
    sweep()
    connections = Connections(target, tmp_path)
    yield connections
    connections.tear_down()


@pytest.fixture
def sender(attacker: Namespace) -> Iterator[Sender]:
    with Sender(attacker) as sender:
        yield sender


@pytest.fixture
def idle_scene(attacker: Namespace, target: Namespace, daemon: Daemon, log: SyslogSink) -> Iterator[Scene]:
    """A scene whose daemon the test starts in its own way."""
    log.while_waiting = daemon.assert_not_crashed
    with Sender(attacker) as sender:
        yield Scene(attacker, target, daemon, log, sender)


@pytest.fixture
def scene(idle_scene: Scene) -> Scene:
    idle_scene.start()
    return idle_scene
