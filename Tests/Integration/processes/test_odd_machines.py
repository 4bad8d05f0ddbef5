"""Machines whose clock is set while a scan goes on, and kernels that lack a part."""

from pathlib import Path

import pytest
from harness.lines import read
from harness.network import ATTACKER
from harness.packets import LOW_PORTS, scan
from harness.scene import Scene
from harness.syslog_sink import WARNING

BACKENDS = ("ring", "raw", "pcap", "nids")


@pytest.mark.parametrize("jump", ["3600", "-10000000", "2"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_setting_the_clock_neither_makes_nor_hides_a_scan(
    idle_scene: Scene, shim: Path, backend: str, jump: str
) -> None:
    idle_scene.daemon.start("--backend", backend, env={"LD_PRELOAD": str(shim), "SHIM_CLOCK": jump})
    idle_scene.sender.send(scan((21, 22, 23)), gap=0.2)
    idle_scene.sender.send(scan((25, 53, 80, 110)), gap=0.2)
    idle_scene.sender.send(scan(LOW_PORTS[:6], source="10.77.0.31"))
    alerts = idle_scene.log.wait_for_alerts(1)
    report, _ = read(alerts[0])  # the time of day is what the clock said
    assert (report.source, report.ports) == (ATTACKER, LOW_PORTS[:-1])
    idle_scene.log.stays_at(1, 0.3)


def test_without_packet_sockets_raw_sockets_serve_and_it_says_so(idle_scene: Scene, shim: Path) -> None:
    idle_scene.daemon.start(env={"LD_PRELOAD": str(shim), "SHIM_NO_PACKET": "1"})
    idle_scene.sender.send(scan())
    idle_scene.log.wait_for_alerts(1)
    texts = [(message.level, message.text) for message in idle_scene.log.messages]
    assert any(level == 4 and "Address family not supported" in text and "raw sockets" in text for level, text in texts)
    assert any(level == 6 and text.endswith("backend raw") for level, text in texts)


@pytest.mark.parametrize("options", [
    ("--backend", "ring"), ("--backend", "pcap"), ("--backend", "nids"), ("-i", "wire"), ("--direction", "both"),
])
def test_without_packet_sockets_what_needs_them_is_one_clear_line(
    idle_scene: Scene, shim: Path, options: tuple[str, ...]
) -> None:
    wrapper = ["env", f"LD_PRELOAD={shim}", "SHIM_NO_PACKET=1"]
    done = idle_scene.daemon.run(*options, wrapper=wrapper)
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    assert done.stderr.startswith("scanlogd: ")
    assert "Address family not supported" in done.stderr


def test_packets_that_there_is_no_memory_for_are_received_later(idle_scene: Scene, shim: Path) -> None:
    idle_scene.daemon.start("--backend", "raw", env={"LD_PRELOAD": str(shim), "SHIM_NO_BUFFERS": "2"})
    idle_scene.sender.send(scan())
    idle_scene.log.wait_for_alerts(1)
    idle_scene.log.wait_for_text("packets are received again")  # comes behind the alerts of the packets
    texts = idle_scene.log.texts(WARNING)
    assert texts == ["IPv4 raw socket: receive: No buffer space available", "packets are received again"]
