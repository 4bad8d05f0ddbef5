"""The orders in which fast scanners send, as README's table says: masscan's and zmap's are random over hosts and ports."""

import random
import re

import pytest
from harness.frames import FrameSender, ethernet, ipv4
from harness.network import ATTACKER, TARGET
from harness.packets import Segment
from harness.scene import Scene

# As masscan and zmap send: a source port of their own, and no more than a SYN.
SOURCE_PORT, TTL = 61000, 255
HOSTS = [f"10.77.0.{number}" for number in range(20, 60)]


def shuffled(hosts: list[str], ports: list[int], seed: int) -> list[bytes]:
    """A frame for each host and port, in random order."""
    pairs = [(host, port) for host in hosts for port in ports]
    random.Random(seed).shuffle(pairs)
    return [ethernet(ipv4(Segment(port, destination=host, source_port=SOURCE_PORT, ttl=TTL))) for host, port in pairs]


def kinds(scene: Scene) -> set[str]:
    """The kinds of the lines about the attacker."""
    found = [re.match(rf"{ATTACKER}\S* to \S+(?: and others,)? (sweep port|slow ports|ports) ", line)
             for line in scene.log.alerts()]
    return {match[1] for match in found if match}


@pytest.mark.parametrize("seed", range(3))
def test_all_ports_of_one_host_in_random_order(idle_scene: Scene, seed: int) -> None:
    scene = idle_scene
    scene.start()
    with FrameSender(scene.attacker) as sender:
        sender.send(*shuffled([TARGET], list(range(1, 1025)), seed))
    scene.log.wait_for_alerts(1)
    assert kinds(scene) == {"ports"}


@pytest.mark.parametrize("options", [(), ("--promiscuous",)], ids=["alone", "promiscuous"])
def test_all_ports_of_many_hosts_in_random_order(idle_scene: Scene, options: tuple[str, ...]) -> None:
    """Of one host alone there is every fortieth."""
    scene = idle_scene
    scene.start(*options)
    with FrameSender(scene.attacker) as sender:
        sender.send(*shuffled([*HOSTS, TARGET], list(range(1, 51)), 1))
    scene.log.wait_for(lambda _: "ports" in kinds(scene), "the scan")
    assert options or kinds(scene) == {"ports"}


@pytest.mark.parametrize("seed", range(3))
def test_one_port_of_many_hosts_in_random_order(idle_scene: Scene, seed: int) -> None:
    scene = idle_scene
    scene.start("--promiscuous")
    with FrameSender(scene.attacker) as sender:
        sender.send(*shuffled([*HOSTS, TARGET], [445], seed))
    scene.log.wait_for(lambda _: "sweep port" in kinds(scene), "the sweep")
    assert kinds(scene) == {"sweep port"}


def test_one_port_of_many_hosts_is_nothing_to_one_of_them(idle_scene: Scene) -> None:
    scene = idle_scene
    scene.start()
    with FrameSender(scene.attacker) as sender:
        sender.send(*shuffled([*HOSTS, TARGET], [445], 1))
    scene.assert_nothing_more()
