"""IPv6, which the reference doesn't see."""

import pytest
from harness.lines import LENGTH_LIMIT, Report
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, TARGET_6_TOO
from harness.packets import (
    ACK, DESTINATION_OPTIONS, FIN, FRAGMENT, HIGH_PORTS, HOP_BY_HOP, LOW_PORTS, PADDING_ONLY, PSH, RST, SYN, URG,
    WHOLE_IN_ONE, Segment, scan,
)
from harness.scene import Scene, quick_only

HERE = {"source": ATTACKER_6, "destination": TARGET_6}
LISTED = LOW_PORTS[:-1]
SCAN = Report(ATTACKER_6, TARGET_6, LISTED, source_port=40000, tos=0, ttl=64)


def reported(**fields: object) -> Report:
    return Report(**{**SCAN.__dict__, **fields})  # type: ignore[arg-type]


def test_an_ipv6_scan_is_reported_to_the_byte(scene: Scene) -> None:
    scene.sender.send(scan(**HERE))
    scene.expect(SCAN)
    assert scene.log.alerts()[0].startswith(
        "[fd77::1]:40000 to fd77::2 ports 21, 22, 23, 25, 53, 80, ..., fSrpauxy, TOS 00, TTL 64 @")


def test_an_ipv6_source_without_a_fixed_port_has_no_brackets(scene: Scene) -> None:
    scene.sender.send(Segment(port, source_port=40000 + port, **HERE) for port in LOW_PORTS)
    scene.expect(reported(source_port=None))
    assert scene.log.alerts()[0].startswith("fd77::1 to fd77::2 ports 21, ")


@pytest.mark.parametrize("address", [
    "2001:db8::1", "2001:db8:0:1::1", "2001:db8::1:0:0:1", "2001:db8:1:1:1:1:0:1", "fe80::abcd:ef01",
    "2001:db8:1111:2222:3333:4444:5555:6666", "2001:0:0:1::",
])
def test_ipv6_addresses_are_written_as_rfc_5952_says(scene: Scene, address: str) -> None:
    scene.sender.send(scan(source=address, destination=TARGET_6))
    scene.expect(reported(source=address))


@pytest.mark.parametrize(("ports", "lines"), [
    (LOW_PORTS[:6], 0), (LOW_PORTS, 1), (HIGH_PORTS[:20], 0), (HIGH_PORTS, 1),
])
def test_the_threshold_is_the_same_over_ipv6(scene: Scene, ports: tuple[int, ...], lines: int) -> None:
    scene.sender.send(scan(ports, **HERE))
    if lines:
        report = scene.next_report()
        assert report == reported(ports=ports[: len(report.ports)])
    scene.assert_nothing_more(lines, family=6)


@pytest.mark.parametrize(("flags", "letters"), [
    (0, "fsrpauxy"), (FIN, "Fsrpauxy"), (FIN | PSH | URG, "FsrPaUxy"), (SYN | FIN, "FSrpauxy"),
])
def test_flags_are_shown_over_ipv6(scene: Scene, flags: int, letters: str) -> None:
    scene.sender.send(scan(flags=flags, **HERE))
    scene.expect(reported(flags=letters))


@pytest.mark.parametrize("flags", [SYN | ACK, RST, RST | ACK, ACK, PSH | ACK])
def test_ipv6_segments_that_may_be_answers_are_silent(idle_scene: Scene, flags: int) -> None:
    scene = quick_only(idle_scene)
    scene.sender.send(scan(range(1, 60), flags=flags, **HERE))
    scene.assert_nothing_more(family=6)


@pytest.mark.parametrize(("traffic_class", "hop_limit"), [(0x1C, 255), (0xFF, 1), (0xF0, 77)])
def test_traffic_class_and_hop_limit_are_shown(scene: Scene, traffic_class: int, hop_limit: int) -> None:
    scene.sender.send(scan(tos=traffic_class, ttl=hop_limit, **HERE))
    scene.expect(reported(tos=traffic_class, ttl=hop_limit))


def test_a_traffic_class_or_hop_limit_that_changed_is_left_out(scene: Scene) -> None:
    one, other = "fd77::11", "fd77::12"
    scene.sender.send(Segment(port, source=one, destination=TARGET_6, tos=port) for port in LOW_PORTS)
    scene.sender.send(Segment(port, source=other, destination=TARGET_6, ttl=port) for port in LOW_PORTS)
    scene.expect(reported(source=one, tos=None), reported(source=other, ttl=None))


def test_an_ipv6_destination_that_changed_is_followed_by_and_others(scene: Scene) -> None:
    # The source port changes too, which keeps the line well below its limit.
    scene.sender.send(
        Segment(port, source=ATTACKER_6, destination=TARGET_6_TOO if port == 53 else TARGET_6, source_port=port)
        for port in LOW_PORTS)
    scene.expect(reported(others=True, source_port=None))


@pytest.mark.parametrize("extensions", [
    ((DESTINATION_OPTIONS, PADDING_ONLY),),
    ((HOP_BY_HOP, PADDING_ONLY),),
    ((FRAGMENT, WHOLE_IN_ONE),),
    ((HOP_BY_HOP, PADDING_ONLY), (DESTINATION_OPTIONS, PADDING_ONLY), (FRAGMENT, WHOLE_IN_ONE),
     (DESTINATION_OPTIONS, PADDING_ONLY)),
], ids=["destination options", "hop by hop", "atomic fragment", "all"])
def test_a_scan_behind_extension_headers_is_reported(
    scene: Scene, extensions: tuple[tuple[int, bytes], ...]
) -> None:
    scene.sender.send(scan(extensions=extensions, **HERE))
    scene.expect(SCAN)


def test_ipv4_and_ipv6_scans_are_both_reported(scene: Scene) -> None:
    scene.sender.send(scan())
    assert scene.next_report() == reported(source=ATTACKER, destination=TARGET)
    scene.sender.send(scan(**HERE))
    assert scene.next_report(after=1) == SCAN
    scene.assert_nothing_more(2)


def limited_length(text: str, report: Report) -> int:
    """The length that the limit is about: the addresses count as if they were 15 characters each."""
    return len(text) - len(report.source) - len(report.destination) + 2 * 15


@pytest.mark.parametrize("source", ["2001:db8::1", "2001:db8:1111:2222:3333:4444:5555:6666"])
@pytest.mark.parametrize("ports", [tuple(range(6001, 6022)), tuple(range(60001, 60022))])
def test_the_limit_of_the_line_counts_ipv6_addresses_as_15_characters(
    scene: Scene, source: str, ports: tuple[int, ...]
) -> None:
    # No fixed source port, so that brackets don't come into it.
    scene.sender.send(
        Segment(port, source=source, destination=TARGET_6, source_port=port) for port in ports)
    report = scene.next_report()
    shown = len(report.ports)
    assert report == reported(source=source, source_port=None, ports=ports[:shown])
    one_more = reported(source=source, source_port=None, ports=ports[: shown + 1])
    clock = "00:00:00"
    assert limited_length(report.text(clock), report) <= LENGTH_LIMIT < limited_length(one_more.text(clock), report)
    scene.assert_nothing_more(1, family=6)
