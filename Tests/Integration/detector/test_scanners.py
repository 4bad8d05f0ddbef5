"""Real scanners against the daemon, whole lines checked."""

import subprocess
from contextlib import ExitStack

import pytest
from harness.lines import Report, assert_tipped
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from harness.packets import HIGH_PORTS, LOW_PORTS
from harness.scene import Scene


def nmap(attacker: Namespace, *options: object, destination: str = TARGET) -> str:
    return attacker.run(tool("nmap"), "-n", "-Pn", "--max-retries", 1, *options, destination, timeout=60)


def listed(ports: tuple[int, ...]) -> str:
    return ",".join(map(str, ports))


SEVEN = ("-p", listed(LOW_PORTS))
# As nmap scans by default: the source port stays, the time to live changes with every probe.
SYN_SCAN = {"flags": "fSrpauxy", "tos": 0, "ttl": None}


def check(scene: Scene, scanned: tuple[int, ...], **expected: object) -> Report:
    """The one report is of these ports, in any order, and otherwise as expected.

    A source port is expected, unless the test says it isn't: any, if the scanner chose it.
    """
    report = scene.next_report()
    expected.setdefault("source_port", report.source_port or -1)
    assert report == Report(**{"source": ATTACKER, "destination": TARGET, **expected,  # type: ignore[arg-type]
                               "ports": report.ports})
    assert_tipped(report.ports, scanned)
    scene.assert_nothing_more(1)
    return report


@pytest.mark.reference
@pytest.mark.parametrize(("option", "flags"), [
    ("-sS", "fSrpauxy"), ("-sF", "Fsrpauxy"), ("-sN", "fsrpauxy"), ("-sX", "FsrPaUxy"),
])
def test_nmap_raw_scan_is_reported_with_its_flags(scene: Scene, option: str, flags: str) -> None:
    nmap(scene.attacker, option, *SEVEN)
    check(scene, LOW_PORTS, **{**SYN_SCAN, "flags": flags})


@pytest.mark.reference
def test_nmap_connect_scan_is_reported(scene: Scene) -> None:
    nmap(scene.attacker, "-sT", *SEVEN)
    check(scene, LOW_PORTS, source_port=None, flags="fSrpauxy", tos=0, ttl=64)


@pytest.mark.reference
def test_nmap_connect_scan_of_open_ports_shows_the_flags_it_closes_with(scene: Scene) -> None:
    # One connection at a time: SYN, then ACK, then RST|ACK before the next port's SYN.
    with ExitStack() as listeners:
        for port in LOW_PORTS:
            listeners.enter_context(scene.target.listener(port))
        nmap(scene.attacker, "-sT", "--max-parallelism", 1, *SEVEN)
        check(scene, LOW_PORTS, source_port=None, flags="f??p?uxy", tos=0, ttl=64)


@pytest.mark.reference
@pytest.mark.parametrize("option", ["-sS", "-sT", "-sF", "-sN", "-sX"])
def test_nmap_fast_scan_is_one_line(scene: Scene, option: str) -> None:
    nmap(scene.attacker, option, "-F")
    report = scene.next_report()
    assert (report.source, report.destination, report.others) == (ATTACKER, TARGET, False)
    assert len(report.ports) >= 6
    scene.assert_nothing_more(1)


@pytest.mark.reference
@pytest.mark.parametrize(("ports", "lines"), [
    (LOW_PORTS[:6], 0), (LOW_PORTS, 1), (HIGH_PORTS[:20], 0), (HIGH_PORTS, 1),
])
def test_nmap_is_reported_from_the_seventh_low_and_the_twenty_first_high_port(
    scene: Scene, ports: tuple[int, ...], lines: int
) -> None:
    nmap(scene.attacker, "-sS", "-p", listed(ports))
    if lines:
        scene.log.wait_for_alerts(lines)
    scene.assert_nothing_more(lines)


@pytest.mark.reference
def test_nmap_polite_scan_is_reported(scene: Scene) -> None:
    nmap(scene.attacker, "-sS", "-T2", *SEVEN)
    check(scene, LOW_PORTS, **SYN_SCAN)


@pytest.mark.reference
def test_nmap_in_sequential_order_lists_the_ports_in_order(scene: Scene) -> None:
    nmap(scene.attacker, "-sS", "-r", "--max-rate", 50, *SEVEN)
    report = check(scene, LOW_PORTS, **SYN_SCAN)
    assert report.ports == LOW_PORTS[:6]


@pytest.mark.reference
@pytest.mark.parametrize("option", [("-f",), ("-ff",), ("--mtu", 24)])
def test_nmap_fragments_are_reported_with_the_right_flags(scene: Scene, option: tuple[object, ...]) -> None:
    nmap(scene.attacker, "-sS", *option, *SEVEN)
    check(scene, LOW_PORTS, **SYN_SCAN)


@pytest.mark.reference
def test_nmap_with_a_chosen_source_port_is_reported_with_it(scene: Scene) -> None:
    nmap(scene.attacker, "-sS", "-g", 53, *SEVEN)
    check(scene, LOW_PORTS, **SYN_SCAN, source_port=53)


@pytest.mark.reference
def test_nmap_with_a_chosen_time_to_live_is_reported_with_it(scene: Scene) -> None:
    nmap(scene.attacker, "-sS", "--ttl", 77, *SEVEN)
    check(scene, LOW_PORTS, **{**SYN_SCAN, "ttl": 77})


@pytest.mark.reference
def test_nmap_with_chosen_flags_is_reported_with_them(scene: Scene) -> None:
    nmap(scene.attacker, "-sS", "--scanflags", "SYNFINECECWR", *SEVEN)
    check(scene, LOW_PORTS, **{**SYN_SCAN, "flags": "FSrpauXY"})


@pytest.mark.reference
def test_nmap_with_ip_options_is_reported(scene: Scene) -> None:
    # Record route fills the header up to its 60 bytes.
    nmap(scene.attacker, "-sS", "--ip-options", "R", *SEVEN)
    check(scene, LOW_PORTS, **SYN_SCAN)


@pytest.mark.reference
def test_nmap_scan_from_another_address_is_reported_under_it(scene: Scene) -> None:
    scene.attacker.run("ip", "address", "replace", "10.77.0.11/24", "dev", "wire")
    nmap(scene.attacker, "-sS", "-S", "10.77.0.11", "-e", "wire", *SEVEN)
    check(scene, LOW_PORTS, **SYN_SCAN, source="10.77.0.11")


@pytest.mark.reference
def test_nmap_decoys_are_reported_beside_the_scanner(scene: Scene) -> None:
    nmap(scene.attacker, "-sS", "-D", "10.77.0.51,10.77.0.52,ME,10.77.0.53", *SEVEN)
    scene.log.wait_for_alerts(4)
    assert {scene.next_report(after=number).source for number in range(4)} == {
        "10.77.0.51", "10.77.0.52", ATTACKER, "10.77.0.53",
    }
    scene.assert_nothing_more(4)


def check_6(scene: Scene, **expected: object) -> None:
    report = scene.next_report()
    expected.setdefault("source_port", report.source_port or -1)
    expected.setdefault("ttl", report.ttl)
    assert report == Report(ATTACKER_6, TARGET_6, report.ports, tos=0, **expected)  # type: ignore[arg-type]
    assert_tipped(report.ports, LOW_PORTS)
    scene.assert_nothing_more(1, family=6)


def test_nmap_scan_over_ipv6_is_reported(scene: Scene) -> None:
    nmap(scene.attacker, "-6", "-sS", *SEVEN, destination=TARGET_6)
    check_6(scene)


def test_nmap_connect_scan_over_ipv6_is_reported(scene: Scene) -> None:
    nmap(scene.attacker, "-6", "-sT", *SEVEN, destination=TARGET_6)
    check_6(scene, source_port=None, ttl=64)


def test_nmap_scan_over_ipv6_with_a_chosen_hop_limit_and_source_port_is_reported_with_them(scene: Scene) -> None:
    # --send-ip, or nmap resolves the neighbour itself and gives that question, too, a hop limit which makes it void.
    nmap(scene.attacker, "-6", "-sS", "--send-ip", "--ttl", 77, "-g", 53, *SEVEN, destination=TARGET_6)
    check_6(scene, source_port=53, ttl=77)


def hping(attacker: Namespace, *options: object) -> None:
    """hping3's status says whether there were answers, which is nothing to us."""
    done = subprocess.run(attacker.command(tool("hping3"), "-n", "-q", "-i", "u10000", *options, TARGET),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    assert done.returncode in (0, 1), done


@pytest.mark.reference
@pytest.mark.parametrize(("options", "flags"), [
    (("-S",), "fSrpauxy"),
    ((), "fsrpauxy"),
    (("-F", "-P", "-U"), "FsrPaUxy"),
    (("-S", "-X", "-Y"), "fSrpauXY"),
])
def test_hping_scan_is_reported_to_the_byte(scene: Scene, options: tuple[str, ...], flags: str) -> None:
    hping(scene.attacker, *options, "-c", 7, "-p", "++20", "-s", 45000, "-k")
    scene.expect(Report(ATTACKER, TARGET, (20, 21, 22, 23, 24, 25), flags, source_port=45000, tos=0, ttl=64))


@pytest.mark.reference
def test_hping_scan_with_other_header_fields_is_reported_to_the_byte(scene: Scene) -> None:
    hping(scene.attacker, "-S", "-c", 7, "-p", "++20", "-s", 45000, "-k", "--tos", "1c", "--ttl", 99,
          "-a", "10.77.0.61")
    scene.expect(Report("10.77.0.61", TARGET, (20, 21, 22, 23, 24, 25), source_port=45000, tos=0x1C, ttl=99))


@pytest.mark.reference
def test_hping_scan_with_rising_source_ports_is_reported_without_one(scene: Scene) -> None:
    hping(scene.attacker, "-S", "-c", 7, "-p", "++20", "-s", 45000)
    scene.expect(Report(ATTACKER, TARGET, (20, 21, 22, 23, 24, 25), tos=0, ttl=64))
