"""The unit, under a systemd that has booted: every backend in its sandbox, and the life of the service."""

import re
import time
from pathlib import Path

import pytest
from harness.daemon import wait_until
from harness.fail2ban import failures
from harness.network import ATTACKER, TARGET, Namespace, tool
from harness.packets import Sender, scan
from harness.places import REPOSITORY
from harness.service import DEFAULTS, PATIENCE, UNIT, Service
from harness.syslog_sink import ALERT

# Tenths of the points that systemd-analyze gives: 10 points are for a service that nothing protects.
EXPOSURE = 25
CRIT = 2
BACKENDS = ("ring", "raw", "pcap", "nids")
# What a machine writes without being asked.
OWN_FILES = re.compile(r"/var/(log|lib/systemd|cache|tmp)/.*|/etc/(machine-id|\.updated|\.pwd\.lock)|/var/\.updated")


def report_of(service: Service, source: str) -> str:
    """The one line about a source."""
    service.wait_for(source, level=ALERT)
    (line,) = (line for line in service.lines(ALERT) if source in line)
    return line


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_backend_reports_a_scan_from_inside_the_sandbox(
    service: Service, attacker: Namespace, backend: str
) -> None:
    service.give(f"--backend {backend}")
    service.start()
    service.wait_for(f", backend {backend}")
    attacker.run(tool("nmap"), "-n", "-Pn", "-sS", "-p1-30", TARGET)
    assert re.match(rf"{re.escape(ATTACKER)}(:\d+)? to {re.escape(TARGET)} ports ", report_of(service, ATTACKER))
    wait_until(lambda: ", reports 1, " in service.property("StatusText"), "the scan is not in the status", PATIENCE)
    assert service.property("NRestarts") == "0"


def test_a_start_without_options_watches_as_the_manual_says(service: Service, sender: Sender) -> None:
    service.start()
    service.wait_for(", backend ring")
    sender.send(scan(source="10.77.0.41"))
    report_of(service, "10.77.0.41")
    status = service.machine.run("systemctl", "--no-pager", "status", UNIT)
    assert status.status == 0 and "]: 10.77.0.41:40000 to 10.77.0.2 ports " in status.stdout


def test_it_is_as_little_exposed_as_it_says(service: Service) -> None:
    done = service.machine.run("systemd-analyze", "security", f"--threshold={EXPOSURE}", "--no-pager", UNIT)
    assert done.status == 0, done.stdout


@pytest.mark.parametrize("victim", ["sensor", "logger"])
def test_one_that_is_killed_is_started_again_and_the_journal_says_why(
    service: Service, sender: Sender, victim: str
) -> None:
    service.start()
    logger, sensor = service.processes()
    service.machine.must("kill", "-KILL", sensor if victim == "sensor" else logger)
    if victim == "sensor":
        service.wait_for("sensor: killed by signal 9", level=CRIT)
    else:
        service.wait_for("code=killed, status=9/KILL", name="systemd")
    wait_until(lambda: service.property("NRestarts") == "1" and service.is_active(), "not started again", PATIENCE)
    assert not {logger, sensor} & set(service.processes())
    sender.send(scan(source="10.77.0.42"))
    report_of(service, "10.77.0.42")


def test_one_whose_sensor_does_nothing_is_started_again(service: Service) -> None:
    service.override("[Service]\nWatchdogSec=3\n")
    service.start()
    _, sensor = service.processes()
    service.machine.must("kill", "-STOP", sensor)
    wait_until(lambda: service.property("NRestarts") == "1" and service.is_active(), "not started again", PATIENCE)
    service.wait_for("Watchdog timeout", name="systemd")


def test_a_stop_is_clean(service: Service) -> None:
    service.start()
    service.machine.must("systemctl", "stop", UNIT)
    assert service.lines()[-1] == "stopped"
    assert (service.property("ActiveState"), service.property("Result")) == ("inactive", "success")
    assert service.property("ExecMainStatus") == "0"


def test_wrong_options_are_told_and_not_tried_again(service: Service) -> None:
    service.give("--no-such-option")
    assert service.machine.run("systemctl", "start", UNIT).status != 0
    wait_until(lambda: service.property("ActiveState") == "failed", "not given up", PATIENCE)
    assert (service.property("ExecMainStatus"), service.property("NRestarts")) == ("2", "0")
    assert any("no-such-option" in line for line in service.lines())


def test_what_another_time_may_work_is_tried_again(service: Service, target: Namespace, sender: Sender) -> None:
    service.give("-i later -i wire")
    service.machine.run("systemctl", "start", UNIT)
    assert not service.is_active()
    target.run("ip", "link", "add", "later", "type", "veth", "peer", "name", "other")
    try:
        wait_until(service.is_active, "not tried again", PATIENCE)
        assert int(service.property("NRestarts")) >= 1
        sender.send(scan(source="10.77.0.43"))
        report_of(service, "10.77.0.43")
        service.machine.must("systemctl", "stop", UNIT)
    finally:
        target.run("ip", "link", "delete", "later")


def test_a_second_daemon_is_refused(service: Service) -> None:
    service.start()
    done = service.machine.run("scanlogd")
    assert done.status == 1
    assert "/run/scanlogd.pid" in done.stderr
    assert service.is_active()


def test_sources_can_be_exempt(service: Service, sender: Sender) -> None:
    service.machine.inside("/etc/scanlogd.exempt").write_text("scanlogd: 10.77.0.44\n")
    service.give("--exempt /etc/scanlogd.exempt")
    service.start()
    sender.send(scan(source="10.77.0.44"))
    sender.send(scan(source="10.77.0.45"))
    report_of(service, "10.77.0.45")
    assert not any("10.77.0.44" in line for line in service.lines())
    service.machine.must("rm", "/etc/scanlogd.exempt")


def test_the_init_script_hands_over_to_systemd(service: Service) -> None:
    service.machine.must("service", "scanlogd", "start")
    assert service.is_active()
    before = service.processes()
    service.machine.must("service", "scanlogd", "status")
    service.machine.must("service", "scanlogd", "restart")
    assert not set(before) & set(service.processes())
    service.machine.must("/etc/init.d/scanlogd", "stop")
    assert service.property("ActiveState") == "inactive"
    service.machine.must("/etc/init.d/scanlogd", "start")
    assert service.is_active()


def test_an_upgrade_leaves_it_running_and_enabled(service: Service, sender: Sender) -> None:
    service.machine.must("systemctl", "enable", "--now", UNIT)
    before = service.processes()
    service.install()
    assert service.processes() == before
    assert service.machine.must("systemctl", "is-enabled", UNIT) == "enabled\n"
    sender.send(scan(source="10.77.0.46"))
    report_of(service, "10.77.0.46")
    service.machine.must("systemctl", "restart", UNIT)
    assert not set(before) & set(service.processes())


def test_an_enabled_service_is_there_after_a_boot(service: Service, sender: Sender) -> None:
    service.give("--backend pcap")
    service.machine.must("systemctl", "enable", UNIT)
    service.machine.shut_down()
    service.machine.boot()
    assert service.is_active()
    service.wait_for(", backend pcap")
    sender.send(scan(source="10.77.0.47"))
    report_of(service, "10.77.0.47")


@pytest.mark.parametrize("options", [
    "-o short", "-o short-precise", "-o short-iso", "-o short-iso-precise", "-o short-full", "-o short-unix",
    "-o with-unit", "-o short --no-hostname", "-o short-full --utc",
])
def test_what_journalctl_writes_is_read_by_fail2ban(
    service: Service, sender: Sender, tmp_path: Path, options: str
) -> None:
    began = time.time()
    service.start()
    sender.send(scan(source="10.77.0.48"))
    sender.send(scan(source="fd77::48", destination="fd77::2", source_port=4))
    report_of(service, "10.77.0.48")
    report_of(service, "fd77::48")
    found = failures(service.written(*options.split()), tmp_path)
    assert {(failure.host, failure.port) for failure in found} == {("10.77.0.48", 40000), ("fd77::48", 4)}
    assert all(began - 2 < failure.time < time.time() + 1 for failure in found)


def test_what_is_left_after_a_purge_is_what_the_readme_says(service: Service) -> None:
    """The user, the group, /var/empty and the administrator's own file of options."""
    service.give("--backend ring")
    service.machine.must("systemctl", "enable", "--now", UNIT)
    service.machine.must("systemctl", "disable", "--now", UNIT)
    service.machine.must("make", "-C", REPOSITORY, "uninstall")
    service.machine.must("systemctl", "daemon-reload")
    left = {path for path in service.machine.changed() if not OWN_FILES.fullmatch(path)}
    accounts = {f"/etc/{name}{copy}" for name in ("passwd", "group", "shadow", "gshadow") for copy in ("", "-")}
    assert left - accounts == {str(DEFAULTS)}
    assert service.machine.run("ls", "/run/scanlogd.pid").status != 0 or not service.machine.must(
        "cat", "/run/scanlogd.pid")
    assert service.property("LoadState") == "not-found"
