"""Events in the log, beside the lines that stay as they are."""

import signal
import time
from pathlib import Path

import pytest
from harness.daemon import finish, wait_until
from harness.events import Event, logged, parse
from harness.network import TARGET
from harness.packets import LOW_PORTS, scan
from harness.scene import Scene
from harness.syslog_sink import INFORMATION
from harness.syslogd import Syslogd


def wait_for(scene: Scene, kind: str, count: int = 1) -> list[Event]:
    wait_until(lambda: sum(event["kind"] == kind for event in logged(scene.log)) >= count, f"no event {kind}", 10)
    return [event for event in logged(scene.log) if event["kind"] == kind]


def test_a_scan_has_an_event_behind_its_line(idle_scene: Scene) -> None:
    idle_scene.start("--events")
    before = time.time()
    idle_scene.sender.send(scan(source="10.77.0.101", source_port=41000))
    (event,) = wait_for(idle_scene, "scan")
    assert event | {"time": 0, "run": "", "first": 0, "last": 0} == {
        "v": 1, "kind": "scan", "run": "", "seq": 2, "time": 0, "src": "10.77.0.101", "sport": 41000, "dst": TARGET,
        "dsts": False, "ports": list(LOW_PORTS[:-1]), "nports": len(LOW_PORTS), "flags": "fSrpauxy", "tos": 0, "ttl": 64,
        "first": 0, "last": 0}
    assert before - 0.1 <= event["first"] <= event["last"] <= event["time"] + 0.1 <= time.time() + 0.1
    (line,) = idle_scene.log.alerts_of("scanlogd")
    assert line.startswith(f"10.77.0.101:41000 to {TARGET} ports ")


def test_all_else_that_is_logged_has_an_event_too(idle_scene: Scene) -> None:
    idle_scene.start("--events", "--end")
    idle_scene.daemon.send_signal(signal.SIGUSR1)
    (status,) = wait_for(idle_scene, "status")
    line = next(text for text in idle_scene.log.texts(INFORMATION) if text.startswith("status: "))
    assert f"packets {status['packets']}, probes {status['probes']}," in line
    assert line.endswith(f"log lines lost {status['lost']}")
    for number in range(12):
        idle_scene.sender.send(scan(source=f"10.77.0.{110 + number}"))
    wait_until(lambda: idle_scene.status()["suppressed"] == 7, "not all are suppressed", 10)
    idle_scene.daemon.stop()
    events = logged(idle_scene.log)
    assert events[0]["kind"] == "start" and events[-1]["kind"] == "stop"
    sources = [source for event in events for source in event.get("sources", [])]
    assert sorted(sources) == [f"10.77.0.{110 + number}" for number in range(5, 12)]
    assert sum("message" in event for event in events if event["kind"] == "summary") == 1  # that more follow
    assert [event["scans"] for event in events if "scans" in event] == [7]
    assert {event["of"] for event in events if event["kind"] == "end"} == {"scan"}


def test_what_is_below_the_threshold_is_a_touch(idle_scene: Scene) -> None:
    idle_scene.start("--events", "--touches")
    for port in LOW_PORTS[:2]:
        idle_scene.sender.send(scan(source="10.77.0.101", ports=[port]))
    idle_scene.sender.send(scan(source="10.77.0.102"))
    wait_for(idle_scene, "scan")
    idle_scene.daemon.stop()
    (touch,) = [event for event in touches(idle_scene) if event["src"] == "10.77.0.101"]
    assert (touch["dst"], touch["ports"], touch["packets"]) == (TARGET, list(LOW_PORTS[:2]), 2)
    assert not any(event["src"] == "10.77.0.102" for event in touches(idle_scene))  # it has been reported
    assert len(idle_scene.log.alerts_of("scanlogd")) == 1


def touches(scene: Scene) -> list[Event]:
    return [event for event in logged(scene.log) if event["kind"] == "touch" and "src" in event]


def test_without_the_option_there_is_no_event(idle_scene: Scene) -> None:
    idle_scene.start()
    idle_scene.sender.send(scan(source="10.77.0.101"))
    idle_scene.log.wait_for_alerts(1)
    assert {message.ident for message in idle_scene.log.messages} == {"scanlogd"}


def test_the_lines_are_the_same_with_events(idle_scene: Scene) -> None:
    """But for the clock, and the words of the start."""
    texts = []
    for options in ([], ["--events"], ["--events", "--journal"]):
        before = len(idle_scene.log.messages)
        idle_scene.start(*options)
        idle_scene.sender.send(scan(source="10.77.0.101"))
        wait_until(lambda start=before: any(
            m.ident == "scanlogd" and m.level == 1 for m in idle_scene.log.messages[start:]), "no line", 10)
        idle_scene.daemon.stop()
        texts.append([(message.level, message.text.partition("@")[0]) for message in idle_scene.log.messages[before:]
                      if message.ident == "scanlogd"])
    assert texts[0] == texts[1] == texts[2]


def test_each_start_has_a_run_of_its_own(idle_scene: Scene) -> None:
    runs = set()
    for number in range(3):
        before = len(idle_scene.log.messages)
        idle_scene.start("--events")
        idle_scene.daemon.stop()
        events = [parse(message.text.removeprefix("@cee: ")) for message in idle_scene.log.messages[before:]
                  if message.ident == "scanlogd-event"]
        assert [(event["kind"], event["seq"]) for event in events] == [("start", 1), ("stop", 2)], number
        runs |= {event["run"] for event in events}
    assert len(runs) == 3


@pytest.fixture
def rsyslogd(idle_scene: Scene, tmp_path: Path) -> Syslogd:
    idle_scene.log.close()
    syslogd = Syslogd("rsyslogd", tmp_path)
    yield syslogd
    idle_scene.daemon.tear_down()
    syslogd.close()


def test_no_event_is_lost_while_syslogd_is_stopped_with_its_socket_full(
    idle_scene: Scene, rsyslogd: Syslogd
) -> None:
    rsyslogd.start()
    idle_scene.daemon.start("--events")
    rsyslogd.wait_for("started")
    rsyslogd.stop_and_fill()
    for number in range(4):
        idle_scene.sender.send(scan(source=f"10.77.0.{110 + number}"))
    time.sleep(1.5)
    rsyslogd.go_on()
    rsyslogd.wait_for("10.77.0.113")
    rsyslogd.end(signal.SIGKILL)
    idle_scene.sender.send(scan(source="10.77.0.120"))
    time.sleep(0.5)
    rsyslogd.start()
    rsyslogd.wait_for("10.77.0.120")

    def events() -> list[Event]:
        lines = rsyslogd.file.read_text().splitlines()
        return [parse(line.partition("@cee: ")[2]) for line in lines if " scanlogd-event: @cee: " in line]
    wait_until(lambda: len({event["seq"] for event in events()}) >= 6, "events are missing", 10)
    # Delivery is at least once: whoever reads them knows copies by their number.
    assert sorted({event["seq"] for event in events()}) == list(range(1, 7))
    assert [event["src"] for event in events() if event["kind"] == "scan"][-1] == "10.77.0.120"


def test_help_names_the_options(idle_scene: Scene) -> None:
    text = finish(idle_scene.daemon.command("--help")).stdout
    assert all(option in text for option in ("--events", "--journal", "--json"))
