"""The ten commands of fleet/README.md, as they stand there, make a fleet of three hosts and a collector."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import wait_until
from harness.fleet import FLEET
from harness.network import ATTACKER, TARGET, Namespace
from harness.packets import Sender, scan
from harness.readme_hosts import ReadmeHosts

HOSTS = ["web", "mail", "backup"]


@pytest.fixture
def machines(tmp_path: Path, target: Namespace) -> Iterator[ReadmeHosts]:
    machines = ReadmeHosts(tmp_path / "hosts", target, ["centre", *HOSTS])
    yield machines
    machines.tear_down()


def commands() -> list[str]:
    text = (FLEET / "README.md").read_text()
    (part,) = re.findall(r"^## Twenty hosts in ten commands\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    return re.findall(r"^    (.*)$", part, re.MULTILINE)


def test_the_ten_commands_make_a_fleet(tmp_path: Path, machines: ReadmeHosts, attacker: Namespace) -> None:
    folder = tmp_path / "fleet"
    shutil.copytree(FLEET, folder)
    (folder / "hosts").write_text("".join(f"{host}\n" for host in HOSTS))
    *before, last = commands()
    assert len(before) == 9
    for command in before:
        done = machines.type(command, folder)
        assert done.status == 0, (command, done)

    count = "grep -h '\"kind\":\"scan\"' /var/log/scanlogd-fleet/*.json | wc -l"
    with Sender(attacker) as sender:
        sender.send(scan(source=ATTACKER, destination=TARGET))
    wait_until(lambda: machines.type(count, folder).stdout == "3\n", "no scan at the collector", 30)
    done = machines.type(last, folder)
    assert done.status == 0 and done.stderr == "", done
    found = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith(ATTACKER)]
    assert sorted(found) == [[ATTACKER, host] for host in sorted(HOSTS)]
    modes = "stat -c '%a %n' /etc/scanlogd-fleet/*"
    assert machines.type(f"for h in web; do ssh $h \"{modes}\"; done", folder).stdout.splitlines() == [
        "600 /etc/scanlogd-fleet/ca.crt", "600 /etc/scanlogd-fleet/host.crt", "600 /etc/scanlogd-fleet/host.key"]
