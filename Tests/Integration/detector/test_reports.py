"""What is reported and what the line says, for segments made to the byte."""

import pytest
from harness.lines import LENGTH_LIMIT, SUPPRESSED, Report, full_line_length
from harness.network import ATTACKER, TARGET, TARGET_TOO
from harness.packets import (
    ACK, CWR, ECE, FIN, HIGH_PORTS, LOW_PORTS, PSH, RST, SYN, URG, Segment, scan,
)
from harness.scene import Scene, quick_only

LISTED = LOW_PORTS[:-1]
SCAN = Report(ATTACKER, TARGET, LISTED, source_port=40000, tos=0, ttl=64)


def reported(**fields: object) -> Report:
    """The report of a scan of the low ports, with these differences."""
    return Report(**{**SCAN.__dict__, **fields})  # type: ignore[arg-type]


@pytest.mark.reference
def test_six_privileged_ports_are_silent(scene: Scene) -> None:
    scene.sender.send(scan(LOW_PORTS[:6]))
    scene.assert_nothing_more()


@pytest.mark.reference
def test_the_seventh_privileged_port_is_reported(scene: Scene) -> None:
    scene.sender.send(scan(LOW_PORTS))
    scene.expect(SCAN)


@pytest.mark.reference
def test_twenty_high_ports_are_silent(scene: Scene) -> None:
    scene.sender.send(scan(HIGH_PORTS[:20]))
    scene.assert_nothing_more()


@pytest.mark.reference
def test_the_twenty_first_high_port_is_reported(scene: Scene) -> None:
    scene.sender.send(scan(HIGH_PORTS))
    report = scene.next_report()
    # The twentieth would fit the threshold, but not the line: see the tests of its length.
    assert report == reported(ports=report.ports)
    assert report.ports == HIGH_PORTS[: len(report.ports)]
    scene.assert_nothing_more(1)


@pytest.mark.reference
@pytest.mark.parametrize(("ports", "is_reported"), [
    ((1023, *HIGH_PORTS[:17]), False),
    ((1023, *HIGH_PORTS[:18]), True),
    ((1024, *HIGH_PORTS[:18]), False),
    ((1, 2, 3, 4, 5, 6, 1024, 1025), False),
    ((1, 2, 3, 4, 5, 6, 1024, 1025, 1026), True),
    ((0, 1, 2, 3, 4, 5, 65535), False),
    ((0, 1, 2, 3, 4, 5, 6), True),
])
def test_a_privileged_port_weighs_as_much_as_three_others(
    scene: Scene, ports: tuple[int, ...], is_reported: bool
) -> None:
    scene.sender.send(scan(ports))
    if is_reported:
        report = scene.next_report()
        assert report == reported(ports=report.ports)
        assert report.ports == ports[: len(report.ports)]
    scene.assert_nothing_more(int(is_reported))


@pytest.mark.reference
def test_the_same_port_again_counts_once(scene: Scene) -> None:
    scene.sender.send(scan(LOW_PORTS[:6] * 20))
    scene.assert_nothing_more()


@pytest.mark.reference
def test_ports_are_listed_in_the_order_they_were_seen(scene: Scene) -> None:
    ports = (443, 80, 1, 1023, 22, 7, 9)
    scene.sender.send(scan(ports))
    scene.expect(reported(ports=ports[:-1]))


@pytest.mark.reference
def test_a_scan_is_reported_once_however_long_it_goes_on(scene: Scene) -> None:
    scene.sender.send(scan(range(1, 400)))
    scene.expect(reported(ports=(1, 2, 3, 4, 5, 6)))


@pytest.mark.reference
@pytest.mark.parametrize(("flags", "letters"), [
    (SYN, "fSrpauxy"),
    (0, "fsrpauxy"),
    (FIN, "Fsrpauxy"),
    (FIN | PSH | URG, "FsrPaUxy"),
    (SYN | FIN, "FSrpauxy"),
    (SYN | ECE | CWR, "fSrpauXY"),
    (PSH, "fsrPauxy"),
    (URG, "fsrpaUxy"),
    (ECE, "fsrpauXy"),
    (CWR, "fsrpauxY"),
])
def test_every_segment_without_ack_and_rst_counts_and_its_flags_are_shown(
    scene: Scene, flags: int, letters: str
) -> None:
    scene.sender.send(scan(flags=flags))
    scene.expect(reported(flags=letters))


@pytest.mark.reference
@pytest.mark.parametrize("flags", [SYN | ACK, RST, RST | ACK, FIN | ACK, ACK, PSH | ACK, 0xFF])
def test_segments_that_may_be_answers_are_silent(idle_scene: Scene, flags: int) -> None:
    scene = quick_only(idle_scene)
    scene.sender.send(scan(range(1, 60), flags=flags))
    scene.assert_nothing_more()


@pytest.mark.reference
def test_a_reset_alone_opens_an_entry_but_adds_no_port_to_it(scene: Scene) -> None:
    scene.sender.send([Segment(21, flags=RST), *scan(LOW_PORTS[1:])])
    scene.expect(reported(flags="f??pauxy"))


@pytest.mark.reference
def test_flags_that_changed_show_as_question_marks(scene: Scene) -> None:
    flags = [SYN, SYN | FIN, SYN | URG | FIN, SYN, SYN, SYN | CWR, SYN]
    scene.sender.send(Segment(port, flags=value) for port, value in zip(LOW_PORTS, flags))
    scene.expect(reported(flags="?Srpa?x?"))


@pytest.mark.reference
def test_flags_sent_to_a_listed_port_again_are_counted(scene: Scene) -> None:
    scene.sender.send([*scan(LOW_PORTS[:6]), Segment(21, flags=RST | ACK), Segment(LOW_PORTS[6])])
    scene.expect(reported(flags="f??p?uxy"))


@pytest.mark.parametrize("flags", [ACK, PSH | ACK])
def test_a_plain_acknowledgement_to_a_listed_port_changes_nothing(scene: Scene, flags: int) -> None:
    scene.sender.send([*scan(LOW_PORTS[:6]), *scan(LOW_PORTS[:6], flags=flags), Segment(LOW_PORTS[6])])
    scene.expect(SCAN)


@pytest.mark.reference
def test_a_destination_that_changed_is_followed_by_and_others(scene: Scene) -> None:
    destinations = [TARGET, TARGET, TARGET_TOO, TARGET, TARGET, TARGET, TARGET]
    scene.sender.send(Segment(port, destination=address) for port, address in zip(LOW_PORTS, destinations))
    scene.expect(reported(others=True))


@pytest.mark.reference
def test_a_source_port_that_changed_is_left_out(scene: Scene) -> None:
    scene.sender.send(Segment(port, source_port=40000 + (port == 53)) for port in LOW_PORTS)
    scene.expect(reported(source_port=None))


@pytest.mark.reference
def test_a_type_of_service_that_changed_is_left_out(scene: Scene) -> None:
    scene.sender.send(Segment(port, tos=16 * (port == 53)) for port in LOW_PORTS)
    scene.expect(reported(tos=None))


@pytest.mark.reference
def test_a_time_to_live_that_changed_is_left_out(scene: Scene) -> None:
    scene.sender.send(Segment(port, ttl=64 - (port == 53)) for port in LOW_PORTS)
    scene.expect(reported(ttl=None))


@pytest.mark.reference
def test_all_that_can_change_changes(scene: Scene) -> None:
    scene.sender.send(
        Segment(port, flags=SYN if port % 2 else FIN, source_port=40000 + port, tos=port, ttl=100 + port % 7,
                destination=TARGET if port % 2 else TARGET_TOO)
        for port in LOW_PORTS
    )
    scene.expect(Report(ATTACKER, TARGET, LISTED, flags="??rpauxy", others=True))


@pytest.mark.reference
def test_what_the_tipping_packet_changes_is_noted(scene: Scene) -> None:
    scene.sender.send([*scan(LOW_PORTS[:6]), Segment(LOW_PORTS[6], tos=8, ttl=65)])
    scene.expect(reported(tos=None, ttl=None))


@pytest.mark.reference
@pytest.mark.parametrize(("tos", "ttl"), [(0x00, 1), (0x1C, 255), (0xFF, 37)])
def test_type_of_service_is_two_hexadecimal_digits_and_time_to_live_a_number(
    scene: Scene, tos: int, ttl: int
) -> None:
    scene.sender.send(scan(tos=tos, ttl=ttl))
    scene.expect(reported(tos=tos, ttl=ttl))


@pytest.mark.reference
def test_the_highest_and_lowest_source_ports_are_shown(scene: Scene) -> None:
    scene.sender.send([*scan(source="10.77.0.11", source_port=65535), *scan(source="10.77.0.12", source_port=1)])
    scene.expect(reported(source="10.77.0.11", source_port=65535), reported(source="10.77.0.12", source_port=1))


@pytest.mark.reference
def test_sources_are_told_apart(scene: Scene) -> None:
    sources = [f"10.77.0.{last}" for last in range(11, 31)]
    scene.sender.send(Segment(port, source=source) for port in LOW_PORTS[:6] for source in sources)
    scene.sender.send([Segment(LOW_PORTS[6], source=sources[13])])
    scene.expect(reported(source=sources[13]))


@pytest.mark.reference
def test_five_reports_then_one_line_then_nothing(scene: Scene) -> None:
    sources = [f"10.77.0.{last}" for last in range(11, 19)]
    for source in sources:
        scene.sender.send(scan(source=source))
    for number, source in enumerate(sources[:5]):
        assert scene.next_report(after=number) == reported(source=source)
    assert scene.log.wait_for_alerts(6)[5] == SUPPRESSED
    scene.log.stays_at(6, 0.5)


def fitted(report: Report) -> Report:
    """The report with as many of its ports as the longest line allows, and at least one."""
    count = len(report.ports)
    fields = dict(report.__dict__)
    while count > 1 and full_line_length(Report(**{**fields, "ports": report.ports[:count]})) > LENGTH_LIMIT:
        count -= 1
    return Report(**{**fields, "ports": report.ports[:count]})


@pytest.mark.reference
@pytest.mark.parametrize("source", ["1.2.3.4", "10.77.0.1", "198.51.100.7", "198.51.100.17", "198.51.100.177"])
@pytest.mark.parametrize("first_port", [1024, 9990, 60001])
def test_the_line_keeps_to_120_characters_by_leaving_out_the_last_ports(
    scene: Scene, source: str, first_port: int
) -> None:
    ports = tuple(range(first_port, first_port + 21))
    scene.sender.send(scan(ports, source=source, ttl=7))
    expected = fitted(reported(source=source, ports=ports[:20], ttl=7))
    assert len(expected.ports) < 20
    scene.expect(expected)


@pytest.mark.reference
def test_a_line_of_exactly_120_characters_keeps_its_ports(scene: Scene) -> None:
    ports = tuple(range(1024, 1045))
    wanted = [
        (source, reported(source=source, ports=ports[:count], ttl=ttl))
        for source in ("198.51.100.7", "198.51.100.17", "198.51.100.177")
        for ttl in (7, 77, 177)
        for count in range(1, 20)
    ]
    source, expected = next(pair for pair in wanted if full_line_length(pair[1]) == LENGTH_LIMIT)
    scene.sender.send(scan(ports, source=source, ttl=expected.ttl))
    scene.expect(expected)
    assert len(scene.log.alerts()[0]) == LENGTH_LIMIT
