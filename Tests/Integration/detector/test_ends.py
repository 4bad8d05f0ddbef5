"""What scans amounted to, with `--end`."""

import re
import subprocess
import time

import pytest
from harness.network import ATTACKER, TARGET
from harness.packets import Segment, scan
from harness.places import BINARY, REPOSITORY
from harness.scene import Scene

CAPTURES = REPOSITORY / "Tests/Fixtures/captures"

END = re.compile(r"(\S+) to \S+ (?:and others, )?end, (\d+) ports?, (\d+) hosts?, (\d+) packets?, (\d+) s @")


def probes(capture: str, source: str) -> list[tuple[int, str]]:
    """The ports and hosts of a source's segments without ACK and RST, as scapy reads them."""
    from scapy.layers.inet import IP, TCP
    from scapy.utils import rdpcap
    return [(packet[TCP].dport, packet[IP].dst) for packet in rdpcap(str(CAPTURES / capture))
            if TCP in packet and packet[IP].src == source and not packet[TCP].flags & 0x14]


@pytest.mark.parametrize(
    "capture", ["nmap_sS.pcap", "nmap_sT.pcap", "nmap_sX.pcap", "nmap_sN.pcap", "nmap_sweep22.pcap"])
def test_a_capture_has_as_many_as_tshark_counts(capture: str) -> None:
    done = subprocess.run([BINARY, "-r", CAPTURES / capture, "--end"], capture_output=True, text=True, check=True, timeout=60)
    (end,) = [line for line in done.stdout.splitlines() if " end, " in line]
    source, ports, hosts, packets, _ = END.match(end).groups()
    tried = probes(capture, source)
    seen = (len({port for port, _ in tried}), len({host for _, host in tried}), len(tried))
    assert seen == (int(ports), int(hosts), int(packets)), end


def test_ends_are_logged_when_the_daemon_stops(idle_scene: Scene) -> None:
    scene = idle_scene
    scene.start("--end")
    scene.sender.send(scan(range(1, 31)))
    scene.log.wait_for_alerts(1)
    scene.sender.send([Segment(7)] * 3)
    time.sleep(0.3)
    assert len(scene.log.alerts()) == 1
    scene.daemon.stop()
    _, end = scene.log.wait_for_alerts(2)
    assert re.fullmatch(rf"{ATTACKER} to {TARGET} end, 30 ports, 1 host, 33 packets, 1 s @\d\d:\d\d:\d\d", end), end


@pytest.mark.long
def test_a_quick_scan_is_over_after_half_a_minute(idle_scene: Scene) -> None:
    scene = idle_scene
    scene.start("--end", "--kinds", "quick")
    scene.sender.send(scan(range(1, 31)))
    before = time.monotonic()
    _, end = scene.log.wait_for_alerts(2, timeout=40)
    assert 29 < time.monotonic() - before < 35
    assert " end, 30 ports, 1 host, 30 packets, " in end


def test_without_the_option_there_are_none(idle_scene: Scene) -> None:
    scene = idle_scene
    scene.start()
    scene.sender.send(scan(range(1, 31)))
    scene.log.wait_for_alerts(1)
    scene.daemon.stop()
    assert len(scene.log.alerts()) == 1
