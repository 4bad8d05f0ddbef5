"""scanlogd connections: its options, and capture files."""

import os
import signal
import struct
import subprocess
from pathlib import Path
from tempfile import mkdtemp

import pytest
from harness.accounts import as_nobody
from harness.connections import SAMPLE, Connections, pcap, read_file
from harness.daemon import descriptors, finish, processes_named, status_fields, wait_until
from harness.dns import resolver_files
from harness.frames import ethernet, ipv4
from harness.packets import Segment
from harness.places import BINARY, TEMPORARY
from harness.syslog_sink import SyslogSink

ATTEMPTS = """\
1996-06-26T16:00:00+00:00|198.51.100.7|40001|192.0.2.10|21
1996-06-26T16:00:05+00:00|198.51.100.7|40005|192.0.2.10|25
1996-06-26T16:00:06+00:00|198.51.100.7|40006|192.0.2.10|26
1996-06-26T16:00:07+00:00|2001:db8::7|40007|2001:db8::10|80
1996-06-26T16:00:09+00:00|2001:db8::7|40008|2001:db8::10|81
1996-06-26T16:00:10+00:00|198.51.100.7|40009|192.0.2.10|82
1996-06-26T16:00:12+00:00|198.51.100.7|40010|192.0.2.10|83
"""


def lines(*numbers: int) -> str:
    """The lines of these numbers, from 0."""
    return "".join(ATTEMPTS.splitlines(keepends=True)[number] for number in numbers)


VLAN = lines(5)


def test_the_sample_gives_its_lines_to_the_byte() -> None:
    done = read_file()
    assert (done.status, done.stdout) == (0, ATTEMPTS)


@pytest.mark.parametrize("options", [("-n",), ("-r", "-n"), ("--date", "iso"), ("--date=iso",), ("--limit", "off")])
def test_what_is_so_anyway_can_be_asked_for(options: tuple[str, ...]) -> None:
    assert read_file(*options).stdout == ATTEMPTS


@pytest.mark.parametrize("zone, first", [
    ("Asia/Kolkata", "1996-06-26T21:30:00+05:30"),
    ("America/St_Johns", "1996-06-26T13:30:00-02:30"),
    ("Pacific/Kiritimati", "1996-06-27T06:00:00+14:00"),
    ("XYZ0:45", "1996-06-26T15:15:00-00:45"),
])
def test_dates_are_of_the_local_zone(zone: str, first: str) -> None:
    assert read_file("-c", 1, env={"TZ": zone}).stdout == f"{first}|198.51.100.7|40001|192.0.2.10|21\n"


def test_the_offset_is_that_of_the_day(tmp_path: Path) -> None:
    file = tmp_path / "seasons.pcap"
    syn = ethernet(ipv4(Segment(80)))
    file.write_bytes(pcap([(time_, syn) for time_ in (0, 951_782_400, 962_409_600.999999, 4_294_967_295)]))
    dates = [line.partition("|")[0] for line in read_file(file=file, env={"TZ": "Europe/Berlin"}).stdout.splitlines()]
    assert dates == ["1970-01-01T01:00:00+01:00", "2000-02-29T01:00:00+01:00", "2000-07-01T02:00:00+02:00",
                     "2106-02-07T07:28:15+01:00"]


def test_seconds_of_the_epoch_have_microseconds() -> None:
    done = read_file("--date", "epoch")
    assert done.stdout.splitlines()[:2] == [
        "835804800.123456|198.51.100.7|40001|192.0.2.10|21", "835804805.123456|198.51.100.7|40005|192.0.2.10|25"]
    assert len(done.stdout.splitlines()) == 7


@pytest.mark.parametrize("offset, iso, epoch", [
    (-1, "1970-01-01T00:00:00+00:00", "0.500000"),
    (-2, "1969-12-31T23:59:59+00:00", "-0.500000"),
    (-101, "1969-12-31T23:58:20+00:00", "-99.500000"),
    (-(1 << 62), "1677-09-21T00:12:43+00:00", "-9223372036.854775"),  # the first that can be told
])
def test_both_forms_of_a_date_tell_times_before_1970(tmp_path: Path, offset: int, iso: str, epoch: str) -> None:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    file = tmp_path / "old.pcapng"
    syn = ethernet(ipv4(Segment(80)))
    file.write_bytes(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
                     + block(1, struct.pack("<HHIHHqHH", 1, 0, 262144, 14, 8, offset, 0, 0))  # if_tsoffset
                     + block(6, struct.pack("<IIIII", 0, 0, 1_500_000, len(syn), len(syn)) + syn))
    for form, date in (("iso", iso), ("epoch", epoch)):
        assert read_file("--date", form, file=file).stdout == f"{date}|10.77.0.1|40000|10.77.0.2|80\n"


@pytest.mark.parametrize("options, expected", [
    (("-f", "tcp dst port 25"), lines(1)),
    (("-f", "ip6"), lines(3, 4)),
    (("-f", "ip"), lines(0, 1, 2, 5, 6)),
    (("-f", "vlan and tcp"), VLAN),
    (("-f", "udp"), ""),
    (("-f", "tcp[13] = 1"), ""),
    (("-F", "tcp[13] = 1"), "1996-06-26T16:00:03+00:00|198.51.100.7|40003|192.0.2.10|23\n"),
    (("-F", "tcp[13] = 0"), "1996-06-26T16:00:04+00:00|198.51.100.7|40004|192.0.2.10|24\n"),
    (("-F", "udp"), "1996-06-26T16:00:11+00:00|198.51.100.7|53|192.0.2.10|53\n"),
    (("-F", "vlan"), VLAN),
    (("-F", "arp"), ""),
    # With names, which have to be looked up before that can't be done any more.
    (("-f", "tcp dst port ftp"), lines(0)),
    (("-F", "dst port domain"), "1996-06-26T16:00:11+00:00|198.51.100.7|53|192.0.2.10|53\n"),
    (("-f", "not host localhost"), ATTEMPTS),
])
def test_filters_are_those_of_tcpdump(options: tuple[str, ...], expected: str) -> None:
    done = read_file(*options)
    assert (done.status, done.stdout) == (0, expected), done


@pytest.mark.parametrize("word", ["vlan-gate", "gate.vlan", "vlan_0", "vlans", "my-vlan.vlan1"])
def test_the_name_of_a_host_does_not_speak_of_vlans(word: str) -> None:
    with resolver_files(hosts=f"203.0.113.9 {word}\n"):
        assert read_file("-f", f"not host {word}").stdout == ATTEMPTS
        for expression in (f"vlan and not host {word}", f"not host {word} and (vlan)"):
            assert read_file("-f", expression).stdout == VLAN


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLE.parent.glob("link_*.pcap")))
def test_filters_know_every_kind_of_file(name: str) -> None:
    """What is looked up, and what is not, before it is known what kind it is."""
    file = SAMPLE.with_name(f"{name}.pcap")
    tag = "vlan and " if "vlan" in name else ""
    every = [line.split("|")[4] for line in read_file("-f", f"{tag}tcp", file=file).stdout.splitlines()]
    assert every
    assert [line.split("|")[4] for line in read_file("-f", "tcp", file=file).stdout.splitlines()] == every
    for expression, ports in (("dst port 80", {"80"}), ("dst port http", {"80"}),
                              ("dst port ssh or domain", {"22", "53"})):
        found = [line.split("|")[4] for line in read_file("-f", tag + expression, file=file).stdout.splitlines()]
        assert found == [port for port in every if port in ports]


def test_a_filter_knows_the_byte_order_of_a_file(tmp_path: Path) -> None:
    """Where the address family of whoever captured comes first."""
    packet = ipv4(Segment(80))
    expected = "1970-01-01T00:00:07+00:00|10.77.0.1|40000|10.77.0.2|80\n"
    for order in "<>":
        frame = struct.pack(f"{order}I", 2) + packet
        file = tmp_path / "ordered.pcap"
        file.write_bytes(struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 0)
                         + struct.pack(f"{order}IIII", 7, 0, len(frame), len(frame)) + frame)
        for expression in ("tcp dst port 80", "ip", "not udp"):
            assert read_file("-f", expression, file=file).stdout == expected
        assert read_file("-f", "udp", file=file).stdout == ""


@pytest.mark.parametrize("options", [(), ("-f", "tcp[13] = 2"), ("-F", "tcp[13] = 2")], ids=str)
def test_a_snapshot_needs_to_hold_no_more_than_the_flags(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = tmp_path / "cut.pcap"
    syn = ethernet(ipv4(Segment(80)))  # the flags are its 48th byte, and the TCP header ends with the 54th
    file.write_bytes(pcap((length, syn[:length]) for length in (47, 48, 53, 54)))
    dates = [line.partition(".")[0] for line in read_file("--date", "epoch", *options, file=file).stdout.splitlines()]
    assert dates == ["48", "53", "54"]


@pytest.mark.parametrize("count", [1, 6, 7, 8])
def test_it_ends_after_so_many_lines(count: int) -> None:
    done = read_file("-c", count)
    assert (done.status, done.stdout) == (0, lines(*range(min(count, 7))))


def test_the_limit_holds_for_files_too_when_it_is_asked_for(tmp_path: Path, log: SyslogSink) -> None:
    file = tmp_path / "fast.pcap"
    file.write_bytes(pcap((second + part / 100, ethernet(ipv4(Segment(80, source_port=1000 + part))))
                          for second in range(100, 103) for part in range(50)))
    done = read_file("--limit", 20, file=file)
    kept = [line.split("|")[2] for line in done.stdout.splitlines()]
    assert kept == [str(1000 + part) for part in range(20)] * 3
    note = "connections: 90 lines suppressed in 3 s"
    assert f"scanlogd: {note}\n" in done.stderr
    wait_until(lambda: bool(log.messages), "nothing logged")
    assert [(message.facility, message.level, message.text) for message in log.messages] == [(3, 4, note)]
    assert len(read_file(file=file).stdout.splitlines()) == 150, "a file has no limit of its own"


@pytest.mark.parametrize("source", ["file", "pipe"])
def test_standard_input_is_read(source: str) -> None:
    command = [str(BINARY), "connections", "--read", "-"]
    if source == "pipe":
        command = ["sh", "-c", f"cat {SAMPLE} | {' '.join(command)}"]
    with SAMPLE.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=10, check=False,
                              env={**os.environ, "TZ": "UTC"})
    assert (done.returncode, done.stdout) == (0, ATTEMPTS)


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
@pytest.mark.parametrize("number", [3, 63])
def test_a_pipe_is_read_that_a_shell_has_left_open_for_it(folder: str, number: int, tmp_path: Path) -> None:
    """As `--read <(zcat day.pcap.gz)`: and of what else is open nothing is held."""
    secret = tmp_path / "secret"
    secret.touch()
    others = [other for other in (3, 4, 62, 64) if other != number]
    redirections = f"{number}<&0 " + " ".join(f"{other}<{secret}" for other in others) + " </dev/null"
    command = [BINARY, "connections", "--read", f"{folder}/{number}"]
    with subprocess.Popen(["bash", "-c", f'exec "$@" {redirections}', "bash", *command], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, "TZ": "UTC"}) as process:
        assert process.stdin
        try:
            wait_until(lambda: status_fields(process.pid)["Seccomp"] == "2", "not in its sandbox")
            for pid in processes_named():
                assert str(secret) not in descriptors(pid).values()
            process.stdin.buffer.write(SAMPLE.read_bytes())
            assert process.communicate(timeout=5)[0] == ATTEMPTS
        finally:
            process.kill()
    assert process.returncode == 0


@pytest.mark.parametrize("path, reason", [
    ("/dev/fd/63", "No such file or directory"), ("/dev/fd/1000000000000", "No such file or directory"),
    ("/dev/fd/", "Is a directory"), ("/dev/fd/3x", "No such file or directory"),
])
def test_a_descriptor_that_is_not_open_is_told_of(path: str, reason: str) -> None:
    done = read_file(file=Path(path))
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"scanlogd: {Path(path)}: ") and done.stderr.endswith(f": {reason}\n"), done


def test_who_is_not_root_reads_files_too() -> None:
    directory = Path(mkdtemp(dir=TEMPORARY))
    directory.chmod(0o777)
    command = [*as_nobody(), str(BINARY), "connections", "--read", "-", "-o", str(directory / "out")]
    with SAMPLE.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=10, check=False,
                              env={**os.environ, "TZ": "UTC"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (directory / "out").read_text() == ATTEMPTS


def test_who_is_not_root_can_not_capture() -> None:
    done = finish([*as_nobody(), str(BINARY), "connections"])
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "only root" in done.stderr


def test_lines_of_a_pipe_come_at_once() -> None:
    """While whoever writes the pipe goes on: as many as one can see then."""
    with subprocess.Popen([str(BINARY), "connections", "--read", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env={**os.environ, "TZ": "UTC"}) as process:
        assert process.stdin and process.stdout
        try:
            process.stdin.write(SAMPLE.read_bytes())
            process.stdin.flush()
            for line in ATTEMPTS.splitlines(keepends=True):
                assert process.stdout.readline().decode() == line
            assert process.poll() is None
            process.stdin.close()
            assert process.wait(5) == 0
            assert process.stdout.read() == b""
        finally:
            process.kill()
    wait_until(lambda: not processes_named(), "a process is left")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_waits_for_a_pipe_can_be_stopped(number: signal.Signals) -> None:
    with subprocess.Popen([str(BINARY), "connections", "--read", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(SAMPLE.read_bytes()[:1000])
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr.read() == b""
    wait_until(lambda: not processes_named(), "a process is left")


@pytest.mark.parametrize("length", [0, 10, 24, 30, 100, 1030])
def test_a_file_that_is_cut_off_is_told_of(tmp_path: Path, length: int) -> None:
    file = tmp_path / "cut.pcap"
    file.write_bytes(SAMPLE.read_bytes()[:length])
    done = read_file(file=file)
    assert ATTEMPTS.startswith(done.stdout)
    if length == 24:  # no packet, and nothing wrong
        assert (done.status, done.stdout, done.stderr) == (0, "", "")
        return
    assert done.status == 1
    assert done.stderr.startswith(f"scanlogd: {file}: read")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", ["-h", "--help", "-b -h", "-f tcp --read - -p -h", "-h -c 0", "-h more"])
def test_help_names_every_option(options: str) -> None:
    """Whatever else is asked for."""
    done = finish([str(BINARY), "connections", *options.split()])
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: scanlogd connections ")
    for text in ("-b", "-n", "-r", "-p", "-i", "-o FILE", "-P", "-f EXPRESSION", "-F EXPRESSION", "--read FILE",
                 "--date iso|epoch", "--limit N|off", "-c, --count", "-h"):
        assert text in done.stdout, text


@pytest.mark.parametrize("status, options, words", [
    (1, ("-f", "tcp and and"), ["tcp and and: compile filter: ", "syntax error"]),
    (1, ("-f", "dst port nosuchservice"), ["nosuchservice"]),
    (1, ("-f", "host no.such.host.invalid"), ["no.such.host.invalid"]),
    (1, ("-F", "tcp[13 = 1"), ["compile filter: "]),
    (1, ("-f", "tcp\n\x1b[2J"), ["tcp??[2J: compile filter: "]),
    (1, ("-i", "wir"), ["wir: ", "No such device"]),
    (1, ("-i", "wire", "-i", "nosuch0", "-f", "tcp"), ["nosuch0: ", "No such device"]),
    (2, ("-i", "any", "-i", "nosuch0"), ["any: open interface: it stands for all; name no other with it"]),
    (2, ("-i", "wire", "-i", "any", "-f", "tcp"), ["any: open interface: it stands for all; name no other with it"]),
    (1, ("--read", "/nonexistent"), ["/nonexistent: open: No such file or directory"]),
    (1, ("--read", "/etc"), ["/etc: read", "Is a directory"]),
    (1, ("--read", "/etc/passwd"), ["/etc/passwd: read", "unknown file format"]),
    (1, ("-o", "/nonexistent/file"), ["/nonexistent/file: open: No such file or directory"]),
    (1, ("-o", "/etc"), ["/etc: open: Is a directory"]),
    (1, ("-o", "/dev/null/file"), ["/dev/null/file: open: Not a directory"]),
    (1, ("-o", "/dev/null"), ["/dev/null: open: not a regular file"]),
    (1, ("-o", ""), ["open: No such file or directory"]),
    (1, ("-P", "/nonexistent/pid"), ["/nonexistent/pid: open: No such file or directory"]),
    (2, ("-c", "0"), ["0: --count: "]),
    (2, ("-c", "-1"), ["-1: --count: "]),
    (2, ("-c", "1x"), ["1x: --count: "]),
    (2, ("-c", ""), ["--count: "]),
    (2, ("-c", "30000000000000000000"), ["30000000000000000000: --count: "]),
    (2, ("-c", "9" * 100), ["--count: "]),
    (2, ("--limit", "0"), ["0: --limit: "]),
    (2, ("--limit", "1000000001"), ["1000000001: --limit: "]),
    (2, ("--limit", "of"), ["of: --limit: "]),
    (2, ("--date", "rfc"), ["rfc: date: must be iso or epoch"]),
    (2, ("-f", "tcp", "-F", "tcp"), ["filter"]),
    (2, ("-b",), ["-o"]),
    (2, ("more",), ["more: argument: none is expected"]),
    (2, ("--read", "-", "-i", "wire"), ["-i"]),
    (2, ("--read", "-", "-p"), ["-p"]),
    (2, ("--read", "-", "-b", "-o", "/run/x"), ["-b"]),
])
def test_what_is_wrong_is_one_line(
    connections: Connections, status: int, options: tuple[str, ...], words: list[str]
) -> None:
    done = connections.run(*options)
    assert (done.status, done.stdout, done.stderr.count("\n")) == (status, "", 1), done
    assert done.stderr.startswith("scanlogd: ")
    for word in words:
        assert word in done.stderr
    wait_until(lambda: not processes_named(), "a process is left", 1)


@pytest.mark.parametrize("options", [("-z",), ("--nonsense",), ("-o",), ("--read",)])
def test_an_unknown_option_is_said_and_where_to_look(connections: Connections, options: tuple[str, ...]) -> None:
    done = connections.run(*options)
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith("scanlogd connections: ")
    assert done.stderr.endswith("scanlogd: try 'scanlogd connections -h'\n")


@pytest.mark.parametrize("options", [
    ("-f", "tcp and and"), ("-i", "nosuch0"), ("--read", "/nonexistent"), ("--read", SAMPLE, "-f", "tcp and and"),
    ("-P", "/nonexistent/pid"), ("-b", "-i", "nosuch0"), ("--read", SAMPLE, "-F", "port nosuchservice"),
])
def test_what_does_not_start_makes_no_output_file(
    connections: Connections, tmp_path: Path, options: tuple[object, ...]
) -> None:
    done = connections.run("-o", tmp_path / "out", *options)
    assert (done.status, done.stderr.count("\n")) == (1, 1), done
    assert not (tmp_path / "out").exists()
    wait_until(lambda: not processes_named(), "a process is left", 1)


def test_a_long_filter_that_is_wrong_still_gets_its_reason(connections: Connections) -> None:
    expression = " or ".join(f"port {number}" for number in range(1, 200)) + " or or"
    done = connections.run("-f", expression)
    assert (done.status, done.stderr.count("\n")) == (1, 1)
    assert "syntax error" in done.stderr, done


def test_a_long_filter_is_taken() -> None:
    # Longer than a line of ours; port 81 is behind an extension header, where no filter looks.
    expression = " or ".join(f"port {number}" for number in (*range(1000, 1060), 21, 25, 26, 80, 81, 83))
    assert read_file("-f", expression).stdout == lines(0, 1, 2, 3, 6)
