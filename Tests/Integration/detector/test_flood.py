"""Many packets at once."""

import random
import re
import subprocess
import time

import pytest
from harness.lines import Report
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, tool
from harness.packets import LOW_PORTS, Segment, scan
from harness.scene import Scene

pytestmark = pytest.mark.alone

FLOOD = 20_000
# What the kernel still holds for the daemon is judged within this time; a full socket drops what comes meanwhile.
DRAIN = 1.0


def reported(source: str, destination: str) -> Report:
    return Report(source, destination, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64)


@pytest.mark.reference
def test_a_scan_after_a_flood_from_random_sources_is_reported(scene: Scene) -> None:
    done = subprocess.run(
        scene.attacker.command(tool("hping3"), "-n", "-q", "-S", "--rand-source", "-p", "80", "-i", "u20",
                               "-c", FLOOD, TARGET),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    # hping3 spells it in two ways, by version.
    assert re.search(rb"^%d packets tra\w+ted" % FLOOD, done.stderr, re.MULTILINE), done
    time.sleep(DRAIN)
    scene.sender.send(scan())
    scene.expect(reported(ATTACKER, TARGET))


def test_a_scan_after_an_ipv6_flood_from_random_sources_is_reported(scene: Scene) -> None:
    """Of a network each: addresses of one /64 would be a scan that is spread."""
    seed = 77
    print(f"seed {seed}")
    dice = random.Random(seed)
    scene.sender.send(
        Segment(dice.randrange(1, 65536), source=f"2001:db8:{dice.randrange(65536):x}:{dice.randrange(65536):x}::1",
                destination=TARGET_6, source_port=dice.randrange(1024, 65536))
        for _ in range(FLOOD)
    )
    time.sleep(DRAIN)
    scene.sender.send(scan(source=ATTACKER_6, destination=TARGET_6))
    scene.expect(reported(ATTACKER_6, TARGET_6))


@pytest.mark.reference
def test_a_flood_to_all_ports_from_one_source_is_one_line(scene: Scene) -> None:
    scene.sender.send(scan(range(1, FLOOD)))
    time.sleep(DRAIN)
    scene.expect(Report(ATTACKER, TARGET, (1, 2, 3, 4, 5, 6), source_port=40000, tos=0, ttl=64))
