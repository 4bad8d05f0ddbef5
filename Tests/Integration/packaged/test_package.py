"""The Debian package, in a Debian that has booted: over Debian's own, and through its life."""

import re

import pytest
from harness.daemon import wait_until
from harness.machine import Machine
from harness.packages import Packages
from harness.packets import Sender, scan
from harness.service import DEFAULTS, PATIENCE, UNIT, Service
from harness.syslog_sink import ALERT

INIT_SCRIPT = "/etc/init.d/scanlogd"
BINARY = "/usr/sbin/scanlogd"
# What a machine writes without being asked, and dpkg's own notes.
OWN_FILES = re.compile(r"/var/(log|lib/systemd|lib/dpkg|cache|tmp)/.*|/etc/(machine-id|\.updated|\.pwd\.lock)|/var/\.updated"
                       r"|/etc/(passwd|group|shadow|gshadow)-?")


def assert_reports(service: Service, sender: Sender, source: str) -> None:
    service.forget()
    sender.send(scan(source=source))
    assert service.wait_for(source, level=ALERT).startswith(f"{source}:40000 to 10.77.0.2 ports ")


def is_enabled(machine: Machine) -> str:
    return machine.run("systemctl", "is-enabled", UNIT).stdout.strip()


def daemons(machine: Machine) -> int:
    return len(machine.run("pgrep", "-x", "scanlogd").stdout.split())


def test_it_takes_the_place_of_debians(service: Service, packages: Packages, sender: Sender) -> None:
    machine = service.machine
    packages.install(packages.debians)
    assert machine.must("id", "-gn", "scanlogd") == "nogroup\n"
    assert daemons(machine) == 1
    with machine.inside(INIT_SCRIPT).open("a") as script:
        script.write("# edited\n")
    edited = machine.inside(INIT_SCRIPT).read_text()
    packages.install(packages.ours)
    assert service.is_active() and is_enabled(machine) == "enabled"
    assert machine.must("id", "-gn", "scanlogd") == "scanlogd\n"
    assert daemons(machine) == 2, "Debian's own is still there"
    assert_reports(service, sender, "10.77.0.51")
    # The administrator's, with ours beside it.
    assert machine.inside(INIT_SCRIPT).read_text() == edited
    assert "SCANLOGD_OPTIONS" in machine.inside(f"{INIT_SCRIPT}.dpkg-dist").read_text()
    assert machine.must("dpkg", "--audit") == ""


def test_an_init_script_of_debians_that_nobody_edited_is_ours_afterwards(service: Service, packages: Packages) -> None:
    machine = service.machine
    packages.install(packages.debians)
    packages.install(packages.ours)
    assert "SCANLOGD_OPTIONS" in machine.inside(INIT_SCRIPT).read_text()
    assert not machine.inside(f"{INIT_SCRIPT}.dpkg-dist").exists()
    machine.must(INIT_SCRIPT, "restart")
    assert service.is_active()


def test_debians_that_was_off_stays_off(service: Service, packages: Packages) -> None:
    machine = service.machine
    packages.install(packages.debians)
    machine.must("systemctl", "stop", UNIT)
    machine.must("systemctl", "disable", UNIT)
    assert daemons(machine) == 0
    packages.install(packages.ours)
    assert is_enabled(machine) == "disabled"
    assert not service.is_active() and daemons(machine) == 0
    packages.install(packages.newer("1:0.1.0.1", "etc/default/scanlogd", "# new\n"))
    assert is_enabled(machine) == "disabled" and daemons(machine) == 0
    machine.must("systemctl", "enable", "--now", UNIT)
    assert service.is_active()


def test_an_upgrade_keeps_what_was_edited_and_restarts_what_runs(
    service: Service, packages: Packages, sender: Sender
) -> None:
    machine = service.machine
    packages.install(packages.ours)
    assert service.is_active() and is_enabled(machine) == "enabled"
    service.give("--backend pcap")
    machine.must("systemctl", "restart", UNIT)
    before = service.processes()
    service.forget()
    packages.install(packages.newer("1:0.1.0.1", "etc/default/scanlogd", "# new\n"))
    assert not set(before) & set(service.processes())
    service.wait_for(", backend pcap")
    assert is_enabled(machine) == "enabled" and service.property("NRestarts") == "0"
    assert machine.inside(DEFAULTS).read_text() == "SCANLOGD_OPTIONS='--backend pcap'\n"
    assert machine.inside(f"{DEFAULTS}.dpkg-dist").read_text().endswith("# new\n")
    assert_reports(service, sender, "10.77.0.52")


@pytest.mark.parametrize(("switched", "state"), [("disable", "disabled"), ("mask", "masked")])
def test_an_upgrade_leaves_off_what_was_switched_off(
    service: Service, packages: Packages, switched: str, state: str
) -> None:
    machine = service.machine
    packages.install(packages.ours)
    machine.must("systemctl", switched, "--now", UNIT)
    packages.install(packages.newer("1:0.1.0.1", "usr/share/doc/scanlogd/examples/rsyslog.conf", "# new\n"))
    assert is_enabled(machine) == state
    assert not service.is_active() and daemons(machine) == 0


def test_a_removal_stops_it_and_keeps_what_was_edited(service: Service, packages: Packages, sender: Sender) -> None:
    machine = service.machine
    packages.install(packages.ours)
    service.give("--backend raw")
    machine.must("dpkg", "--remove", "scanlogd", timeout=120)
    assert daemons(machine) == 0 and not machine.inside(BINARY).exists()
    assert service.property("LoadState") in ("not-found", "masked")
    assert machine.inside(DEFAULTS).read_text() == "SCANLOGD_OPTIONS='--backend raw'\n"
    packages.install(packages.ours)
    assert service.is_active()
    service.forget()
    machine.must("systemctl", "restart", UNIT)
    service.wait_for(", backend raw")
    assert_reports(service, sender, "10.77.0.53")


def test_a_purge_leaves_the_user_and_the_empty_directory(service: Service, packages: Packages) -> None:
    machine = service.machine
    packages.install(packages.ours)
    service.give("--backend raw")
    machine.inside("/var/log/scanlogd.log").write_text("a line\n")
    machine.inside("/var/log/scanlogd.log.1").write_text("a line\n")
    machine.must("dpkg", "--purge", "scanlogd", timeout=120)
    wait_until(lambda: daemons(machine) == 0, "it still runs", PATIENCE)
    assert {path for path in machine.changed() if not OWN_FILES.fullmatch(path)} == set()
    assert not list(machine.inside("/var/log").glob("scanlogd*"))
    assert not list(machine.inside("/var/lib/systemd").rglob("*scanlogd*"))
    assert machine.must("id", "-gn", "scanlogd") == "scanlogd\n"
    assert machine.inside("/var/empty").is_dir()
    assert not list(machine.inside("/etc").glob("rc?.d/*scanlogd"))


def test_it_is_there_after_a_boot(service: Service, packages: Packages, sender: Sender) -> None:
    packages.install(packages.ours)
    service.machine.shut_down()
    service.machine.boot()
    assert service.is_active()
    assert_reports(service, sender, "10.77.0.54")
