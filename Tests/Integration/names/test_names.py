"""Host names in the lines of `scanlogd connections -r`, whatever the name server does, and the helper that asks it."""

import os
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from harness.accounts import GROUP, USER, as_nobody
from harness.daemon import (
    Finished, children, descriptors, finish, is_full, is_idle, processes_named, status_fields, sweep, wait_until
)
from harness.dns import A, AAAA, PTR, NameServer, resolver_files
from harness.frames import ethernet, ipv4
from harness.network import ATTACKER, TARGET, Namespace, tool
from harness.packets import Segment, Sender
from harness.places import BINARY, TEMPORARY
from harness.proc import capabilities, identity, limits
from harness.syslog_sink import SyslogSink


# The packets of every file are of one second.
SECOND, DATE = 1_795_252_971, "2026-11-21T09:22:51+00:00"
SCANNER, HOST = "198.51.100.7", "192.0.2.10"
SCANNER_6, HOST_6 = "2001:db8::7", "2001:db8::10"


@pytest.fixture
def server(target: Namespace) -> Iterator[NameServer]:
    """A name server that is the only one, and knows nothing yet."""
    sweep()
    server = NameServer(target)
    server.start()
    try:
        with resolver_files():
            yield server
        wait_until(lambda: processes_named() == [], "a process is left", 3)
    finally:
        server.stop()
        sweep()


def attempt(source: str = SCANNER, destination: str = HOST, port: int = 80) -> Segment:
    return Segment(port, source=source, destination=destination)


def line(source: str = SCANNER, destination: str = HOST, port: int = 80, date: str = DATE) -> str:
    return f"{date}|{source}|40000|{destination}|{port}\n"


def write_capture(path: Path, attempts: Sequence[Segment]) -> Path:
    """A capture file of packets without link headers (link type 101)."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for segment in attempts:
            packet = ipv4(segment) if ":" not in segment.source else segment.packet()
            file.write(struct.pack("<4I", SECOND, 0, len(packet), len(packet)) + packet)
    return path


class Reader:
    """Runs the command on a file of attempts."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        self.namespace = namespace
        self.file = directory / "attempts.pcap"
        self.environment = {"TZ": "UTC"}

    def command(self, attempts: Sequence[Segment], *options: str, wrapper: Sequence[str] = ()) -> list[str]:
        write_capture(self.file, attempts)
        self.file.chmod(0o644)
        return self.namespace.command(*wrapper, BINARY, "connections", *options, "--read", self.file)

    def run(self, *attempts: Segment, options: Sequence[str] = ("-r",), wrapper: Sequence[str] = (),
            env: dict[str, str] | None = None) -> Finished:
        # Sixteen lookups that nobody answers take seven seconds, on a machine that does nothing else.
        command = self.command(attempts, *options, wrapper=wrapper)
        return finish(command, timeout=40, env={**self.environment, **(env or {})})

    @contextmanager
    def running(self, *attempts: Segment) -> Iterator[subprocess.Popen[bytes]]:
        """The command while it waits for names: its lines go nowhere."""
        with subprocess.Popen(self.command(attempts, "-r"), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def reader(target: Namespace, tmp_path: Path) -> Reader:
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == 0 and directory.stat().st_mode & 0o777 == 0o700:
            directory.chmod(0o755)  # somebody who is not root reads the file too
    return Reader(target, tmp_path)


def assert_printed(done: Finished, *lines: str) -> None:
    assert done == Finished(0, "".join(lines), "")


# What is printed.


def test_names_stand_in_place_of_addresses(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    server.host(HOST, "www.example")
    server.host(SCANNER_6, "scanner6.example")
    server.host(HOST_6, "www6.example")
    done = reader.run(attempt(), attempt(SCANNER_6, HOST_6), attempt(port=443))
    assert_printed(done, line("scanner.example", "www.example"), line("scanner6.example", "www6.example"),
                   line("scanner.example", "www.example", 443))


def test_an_address_without_a_name_stands_for_itself(server: NameServer, reader: Reader) -> None:
    server.host(HOST, "www.example")
    assert_printed(reader.run(attempt()), line(SCANNER, "www.example"))


@pytest.mark.parametrize("option", [(), ("-n",), ("-r", "-n")])
def test_nobody_is_asked_unless_names_are_wanted(
    server: NameServer, reader: Reader, option: Sequence[str]
) -> None:
    server.host(SCANNER, "scanner.example")
    assert_printed(reader.run(attempt(), options=option), line())
    assert server.questions == []


def test_each_address_is_looked_up_once(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    done = reader.run(*[attempt(port=port) for port in range(1, 301)])
    assert_printed(done, *[line("scanner.example", port=port) for port in range(1, 301)])
    assert [question.kind for question in server.asked(SCANNER)] == [PTR]
    assert [question.kind for question in server.questions if question.name == (b"scanner", b"example")] == [A]
    assert {question.kind for question in server.asked(HOST)} == {PTR}


def test_a_name_of_the_hosts_file_is_taken(target: Namespace, reader: Reader, server: NameServer) -> None:
    with resolver_files(hosts=f"{SCANNER} neighbour\n{SCANNER_6} neighbour\n"):
        done = reader.run(attempt(), attempt(SCANNER_6, HOST_6))
    assert_printed(done, line("neighbour"), line("neighbour", HOST_6))


def test_a_source_of_names_that_is_not_installed_is_passed_over(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    with resolver_files(nsswitch="hosts: files nosuchthing [NOTFOUND=continue] dns\n"):
        assert_printed(reader.run(attempt()), line("scanner.example"))


def test_somebody_who_is_not_root_gets_names_too(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    done = reader.run(attempt(), wrapper=as_nobody())
    assert_printed(done, line("scanner.example"))


# Names that are no names.


def test_a_name_that_belongs_to_somebody_else_is_not_printed(server: NameServer, reader: Reader) -> None:
    server.points(SCANNER, "www.bank.example")
    server.addresses[(b"www", b"bank", b"example")] = ["203.0.113.1"]
    assert_printed(reader.run(attempt()), line())


def test_a_name_that_nobody_has_is_not_printed(server: NameServer, reader: Reader) -> None:
    server.points(SCANNER, "nowhere.example")
    assert_printed(reader.run(attempt()), line())


def test_one_of_the_addresses_of_a_name_is_enough(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "both.example", "203.0.113.1")
    server.host(SCANNER_6, "both6.example", "2001:db8::1")
    done = reader.run(attempt(), attempt(SCANNER_6, HOST_6))
    assert_printed(done, line("both.example"), line("both6.example", HOST_6))


def test_a_name_with_addresses_of_the_other_family_only_is_not_printed(server: NameServer, reader: Reader) -> None:
    server.points(SCANNER, "other.example")
    server.addresses[(b"other", b"example")] = ["2001:db8::7", "2001:db8::10"]
    server.points(SCANNER_6, "other6.example")
    server.addresses[(b"other6", b"example")] = [SCANNER, HOST]
    done = reader.run(attempt(), attempt(SCANNER_6, HOST_6))
    assert_printed(done, line(), line(SCANNER_6, HOST_6))


def test_an_ipv4_mapped_source_gets_no_name_of_the_ipv4_host(server: NameServer, reader: Reader) -> None:
    mapped = f"::ffff:{SCANNER}"
    server.host(SCANNER, "scanner.example")
    server.host(mapped, "mapped.example")
    server.addresses[(b"mapped", b"example")] = [SCANNER]
    assert_printed(reader.run(attempt(mapped, HOST_6), attempt()), line(mapped, HOST_6), line("scanner.example"))


ODD_NAMES: dict[str, Sequence[bytes]] = {
    "230 bytes": [b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 38],
    "129 bytes": [b"a" * 63, b"b" * 63, b"c"],
    "a terminal's escapes": [b"\x1b[2J\x1b]0;owned\x07", b"example"],
    "a bar": [b"a|b", b"example"],
    "a newline": [b"a\n" + DATE.encode() + b"|" + HOST.encode(), b"example"],
    "a carriage return": [b"a\r", b"example"],
    "a blank": [b"a b", b"example"],
    "letters beyond ASCII": ["münchen".encode(), b"example"],
    "bytes that are no text": [b"\xff\xfe", b"example"],
    "a zero byte": [b"a\0b", b"example"],
    "a dot in a label": [b"a.b", b"example"],
    "a percent sign": [b"%s%n", b"example"],
    "a slash": [b"../../etc/passwd", b"example"],
    "a quote": [b"a'\"`$(reboot)", b"example"],
    "a hyphen in front": [b"-rf", b"example"],
    "another address": [b"203", b"0", b"113", b"1"],
    "its own address": [part.encode() for part in SCANNER.split(".")],
    "its own address as one number": [str(int(ip_address(SCANNER))).encode()],
    "its own address in hexadecimal": [hex(int(ip_address(SCANNER))).encode()],
    "an IPv6 address": [b"2001:db8::7"],
    "nothing": [],
}


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
def test_what_is_fit_for_no_line_is_not_printed_though_it_is_confirmed(
    server: NameServer, reader: Reader, name: Sequence[bytes]
) -> None:
    server.points(SCANNER, name)
    server.addresses_of_others = [SCANNER]
    assert_printed(reader.run(attempt()), line())


def test_the_longest_name_has_128_bytes(server: NameServer, reader: Reader) -> None:
    name = ".".join(["a" * 63, "b" * 61, "cc"])
    assert len(name) == 128
    server.host(SCANNER, name)
    server.host(HOST, "x" + name)
    assert_printed(reader.run(attempt()), line(name, HOST))


def test_the_callers_environment_has_no_say(server: NameServer, reader: Reader, tmp_path: Path) -> None:
    # HOSTALIASES names a file of other names for names without a dot: hostname(7).
    aliases = tmp_path / "aliases"
    aliases.write_text("short scanner.example\n")
    server.points(SCANNER, "short")
    server.addresses[(b"scanner", b"example")] = [SCANNER]
    done = reader.run(attempt(), env={"HOSTALIASES": str(aliases), "LOCALDOMAIN": "example"})
    assert_printed(done, line())
    assert (b"scanner", b"example") not in [question.name for question in server.questions]


# Name servers that misbehave.


def test_a_server_that_fails_gives_addresses(server: NameServer, reader: Reader) -> None:
    server.fail(SCANNER)
    server.host(HOST, "www.example")
    server.failing.add((b"www", b"example"))
    assert_printed(reader.run(attempt()), line())


def test_a_truncated_answer_is_asked_for_over_tcp(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    server.truncate(SCANNER)
    server.truncated.add((b"scanner", b"example"))
    assert_printed(reader.run(attempt()), line("scanner.example"))
    assert [question.over_tcp for question in server.asked(SCANNER)] == [False, True]


@pytest.mark.busy
@pytest.mark.parametrize("options", ["", "\noptions rotate"], ids=["", "rotate"])
@pytest.mark.parametrize("dead", ["10.77.0.66", "fd77::66"])
def test_a_second_server_is_asked_when_the_first_is_dead(
    server: NameServer, reader: Reader, dead: str, options: str
) -> None:
    """Reported: each of the two questions of a lookup waited for the first one, and most names were missing."""
    sources = [f"198.51.100.{number}" for number in range(1, 9)]
    for source in sources:
        server.host(source, f"host-{source}.example")
    server.host(HOST, "www.example")
    # Packets to an address that no host has are lost without a word.
    with resolver_files(servers=[dead, "127.0.0.1" + options]):
        reader.namespace.run("ip", "neighbour", "replace", dead, "lladdr", "02:00:00:00:77:66", "dev", "wire",
                             "nud", "permanent")
        done = reader.run(*map(attempt, sources))
    assert_printed(done, *[line(f"host-{source}.example", "www.example") for source in sources])
    for address in (*sources, HOST):
        assert [question.kind for question in server.asked(address)] == [PTR]


def test_an_answer_that_never_comes_is_not_waited_for(server: NameServer, reader: Reader) -> None:
    server.host(HOST, "www.example")
    server.be_silent(SCANNER)
    assert_printed(reader.run(attempt()), line(SCANNER, "www.example"))


def test_an_answer_in_time_counts_and_one_after_two_seconds_does_not(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "slow.example")
    server.be_late(SCANNER, 0.7)
    server.late[(b"slow", b"example")] = 0.7
    server.host(HOST, "late.example")
    server.be_late(HOST, 2.6)
    assert_printed(reader.run(attempt()), line("slow.example", HOST))


def test_lines_keep_their_order_whoever_answers_first(server: NameServer, reader: Reader) -> None:
    sources = [f"198.51.100.{number}" for number in range(1, 41)]
    expected = []
    for number, source in enumerate(sources):
        server.host(source, f"host{number}.example")
        if number % 13 == 5:
            server.be_silent(source)
        elif number % 3 == 1:
            server.be_late(source, 0.3)
        expected.append(line(source if number % 13 == 5 else f"host{number}.example", port=number + 1))
    done = reader.run(*[attempt(source, port=number + 1) for number, source in enumerate(sources)])
    # With eight lookups at a time, those behind the silent ones may come too late: then it is the address that stands.
    assert done.status == 0
    assert [text.split("|")[4] for text in done.stdout.splitlines()] == [str(port) for port in range(1, 41)]
    for printed, right, source in zip(done.stdout.splitlines(keepends=True), expected, sources, strict=True):
        assert printed in (right, line(source, port=int(right.split("|")[4]))), printed
    assert done.stdout.splitlines(keepends=True)[:5] == expected[:5]


def sources_of(count: int) -> list[str]:
    return [f"198.51.{number >> 8}.{number & 255}" for number in range(count)]


@pytest.mark.long
def test_a_dead_server_is_not_waited_for_once_for_each_of_10000_sources(
    server: NameServer, reader: Reader, log: SyslogSink
) -> None:
    server.dead = True
    done = reader.run(*[attempt(source) for source in sources_of(10_000)])
    note = "connections: host names: no answer from the resolver; addresses are printed"
    assert done == Finished(0, "".join(line(source) for source in sources_of(10_000)), f"scanlogd: {note}\n")
    # Sixteen had no answer, and with the last of them no more than seven were under way.
    assert 16 <= len({question.name for question in server.questions}) <= 23
    assert [(message.level, message.text) for message in log.messages] == [(4, note)]


def test_hosts_without_names_are_no_dead_server(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    nobody = sources_of(100)
    done = reader.run(*[attempt(source) for source in nobody], attempt())
    assert_printed(done, *[line(source) for source in nobody], line("scanner.example"))


def test_fifteen_without_an_answer_are_no_dead_server(server: NameServer, reader: Reader) -> None:
    silent = sources_of(15)
    for source in silent:
        server.be_silent(source)
    server.host(SCANNER, "scanner.example")
    done = reader.run(*[attempt(source) for source in silent], attempt())
    assert_printed(done, *[line(source) for source in silent], line("scanner.example"))


@pytest.mark.parametrize("is_live", [True, False], ids=["live", "file"])
def test_lines_that_are_due_do_not_keep_it_busy_while_nobody_reads_them(
    server: NameServer, attacker: Namespace, target: Namespace, reader: Reader, is_live: bool
) -> None:
    """Reported: from two seconds on it took all the time of a processor."""
    server.dead = True
    reading, writing = os.pipe()
    if is_live:
        command = target.command(BINARY, "connections", "-r", "-i", "wire", "--limit", "off")
    else:
        command = reader.command([attempt(port=1 + number) for number in range(3000)], "-r")
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: status_fields(process.pid)["Seccomp"] == "2", "no command in its sandbox")
            if is_live:
                with Sender(attacker) as sender:
                    sender.send([Segment(1 + number) for number in range(3000)])
            # No line is written before its time, for all of them can wait.
            wait_until(lambda: is_full(writing), "no lines", 10)
            wait_until(lambda: is_idle(process.pid), "it is never idle", 10)
        finally:
            process.kill()
            os.close(reading)
            os.close(writing)


def test_a_file_of_more_attempts_than_can_wait_is_read_to_its_end(server: NameServer, reader: Reader) -> None:
    """Once it was not: it looked for ever whether there was room for one more, and wrote nothing."""
    server.be_silent(SCANNER)
    ports = range(1, 4200)
    done = reader.run(*[attempt(port=port) for port in ports])
    assert_printed(done, *[line(port=port) for port in ports])


@pytest.mark.busy
@pytest.mark.parametrize("count, delay", [(1000, 0), (300, 0.05)], ids=["many", "slow"])
def test_every_address_of_a_file_is_looked_up(
    server: NameServer, reader: Reader, count: int, delay: float
) -> None:
    """Reported: of more than a few hundred most were not."""
    for number, source in enumerate(sources_of(count)):
        server.host(source, f"host{number}.example")
        server.be_late(source, delay)
        server.late[(b"host%d" % number, b"example")] = delay
    done = reader.run(*[attempt(source) for source in sources_of(count)])
    assert_printed(done, *[line(f"host{number}.example") for number in range(count)])


# Names in an expression.


def in_pcap(order: str, magic: int, link: int, packet: bytes) -> bytes:
    return struct.pack(f"{order}IHHiIII4I", magic, 2, 4, 0, 0, 65535, link, SECOND, 0, len(packet), len(packet)) + packet


def in_pcapng(order: str, blocks_before: bytes, link: int, packet: bytes) -> bytes:
    """Behind a comment, so that the interface's block does not stand where it mostly does."""
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + length + body + length

    comment = struct.pack(f"{order}HH", 1, 7) + b"comment\0" + bytes(4)
    stamp = SECOND * 1_000_000
    return (block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1) + comment)
            + (block(0x0BAD, blocks_before) if blocks_before else b"")
            + block(1, struct.pack(f"{order}HHI", link, 0, 65535))
            + block(6, struct.pack(f"{order}5I", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), len(packet)) + packet))


CAPTURE_FILES: dict[str, bytes] = {
    "pcap": in_pcap("<", 0xA1B2C3D4, 1, ethernet(ipv4(attempt()))),
    "pcap, big-endian": in_pcap(">", 0xA1B2C3D4, 1, ethernet(ipv4(attempt()))),
    "pcap, nanoseconds": in_pcap("<", 0xA1B23C4D, 12, ipv4(attempt())),
    "pcap, big-endian, nanoseconds": in_pcap(">", 0xA1B23C4D, 101, ipv4(attempt())),
    "pcap, a checksum behind frames": in_pcap("<", 0xA1B2C3D4, 0x2400_0001, ethernet(ipv4(attempt()))),
    "pcapng": in_pcapng("<", b"", 1, ethernet(ipv4(attempt()))),
    "pcapng, big-endian": in_pcapng(">", b"", 101, ipv4(attempt())),
}


@pytest.mark.parametrize("content", CAPTURE_FILES.values(), ids=CAPTURE_FILES.keys())
def test_a_name_in_an_expression_is_looked_up_once(
    server: NameServer, target: Namespace, tmp_path: Path, content: bytes
) -> None:
    """Reported: it was for each kind of file, and a name server that is dead was waited for as often."""
    server.host(SCANNER, "scanner.example")
    server.host("203.0.113.1", "other.example")
    file = tmp_path / "capture"
    file.write_bytes(content)
    for name, expected in (("scanner.example", line()), ("other.example", "")):
        server.questions.clear()
        command = target.command(BINARY, "connections", "-f", f"host {name}", "--read", file)
        assert_printed(finish(command, env={"TZ": "UTC"}), expected)
        assert sorted(question.kind for question in server.questions) == [A, AAAA]


def test_a_name_that_nobody_has_is_looked_up_once(server: NameServer, reader: Reader) -> None:
    done = reader.run(attempt(), options=("-f", "host nobody.example"))
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("scanlogd: host nobody.example: compile filter: "), done
    assert sorted({question.kind for question in server.questions}) == [A, AAAA]
    assert len([question for question in server.questions if question.name == (b"nobody", b"example")]) == 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("link", [1, 12, 101])
def test_a_name_is_known_also_where_the_kind_of_file_can_not_be_foreseen(
    server: NameServer, target: Namespace, tmp_path: Path, order: str, link: int
) -> None:
    server.host(SCANNER, "scanner.example")
    packet = ipv4(attempt()) if link != 1 else ethernet(ipv4(attempt()))
    file = tmp_path / "capture"
    file.write_bytes(in_pcapng(order, b"what nobody knows", link, packet))
    command = target.command(BINARY, "connections", "-f", "host scanner.example", "--read")
    assert_printed(finish([*command, str(file)], env={"TZ": "UTC"}), line())
    file.write_bytes(in_pcap(order, 0xA1B2C3D4, link, packet))
    through_a_pipe = ["sh", "-c", f'cat {file} | "$@"', "sh", *command, "-"]
    assert_printed(finish(through_a_pipe, env={"TZ": "UTC"}), line())


def test_standard_input_may_begin_within_a_file(server: NameServer, target: Namespace, tmp_path: Path) -> None:
    """A file of another kind is in front, and whoever read that has left the rest to us."""
    server.host(SCANNER, "scanner.example")
    front = in_pcap("<", 0xA1B2C3D4, 113, b"")
    path = tmp_path / "capture"
    path.write_bytes(front + CAPTURE_FILES["pcap"])
    command = target.command(BINARY, "connections", "-f", "host scanner.example", "--read", "-")
    with path.open("rb", buffering=0) as file:
        file.seek(len(front))
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=10, check=False,
                              env={**os.environ, "TZ": "UTC"})
    assert (done.returncode, done.stdout, done.stderr) == (0, line(), "")
    assert sorted(question.kind for question in server.questions) == [A, AAAA]


# The helper.


def helper_of(command: int) -> int:
    """The helper: the child of the command that leads a session of its own."""
    (helper,) = [child for child in children(command) if is_helper(child)]
    return helper


def is_helper(pid: int) -> bool:
    return os.getsid(pid) == pid


def lookups_of(helper: int) -> list[int]:
    return children(helper)


@contextmanager
def hanging(server: NameServer, reader: Reader) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command and its helper, of which all lookups hang."""
    server.dead = True
    # Again and again two others, so that it goes on for longer than a test looks.
    attempts = [attempt(f"198.51.{number >> 8}.{number & 255}") for number in range(4000)]
    with reader.running(*attempts) as process:
        wait_until(lambda: any(map(is_helper, children(process.pid))), "no helper")
        helper = helper_of(process.pid)
        wait_until(lambda: len(server.questions) == 8 == len(lookups_of(helper)), "no lookups")
        yield process, helper


def test_the_helper_and_its_processes_have_given_everything_up(server: NameServer, reader: Reader) -> None:
    with hanging(server, reader) as (_, helper):
        for pid in (helper, *lookups_of(helper)):
            assert identity(pid) == ([USER] * 4, [GROUP] * 4, [GROUP])
            assert set(capabilities(pid).values()) == {0}
            status = status_fields(pid)
            assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # it can't be looked into


def test_the_helper_and_its_processes_are_limited(server: NameServer, reader: Reader) -> None:
    with hanging(server, reader) as (_, helper):
        for pid in (helper, *lookups_of(helper)):
            found = limits(pid)
            assert found["Max core file size"] == found["Max file size"] == ("0", "0")
            assert found["Max address space"] == (str(256 << 20),) * 2
            assert found["Max open files"] == ("64", "64")
        for pid in lookups_of(helper):
            assert limits(pid)["Max processes"] == ("0", "0")


def test_the_helper_sees_its_sockets_and_nothing_else(server: NameServer, reader: Reader) -> None:
    with hanging(server, reader) as (process, helper):
        opened = descriptors(helper)
        assert [opened[number] for number in range(3)] == ["/dev/null"] * 3
        others = [what for number, what in opened.items() if number > 2]
        assert len(others) == 9 and all(what.startswith("socket:") for what in others)
        for pid in lookups_of(helper):
            opened = descriptors(pid)
            assert [opened[number] for number in range(3)] == ["/dev/null"] * 3
            # Its own end of the way to the helper, and what the resolver asks with.
            assert all(what.startswith("socket:") for number, what in opened.items() if number > 2)
            assert not {what for number, what in opened.items() if number > 2} & set(others)
        assert os.getsid(helper) != os.getsid(process.pid)


def test_no_more_than_eight_lookups_are_under_way(server: NameServer, reader: Reader) -> None:
    with hanging(server, reader) as (_, helper):
        end = time.monotonic() + 3
        before = set(lookups_of(helper))
        seen = set(before)
        while time.monotonic() < end:
            now = lookups_of(helper)
            assert len(now) <= 8
            seen |= set(now)
            time.sleep(0.01)
        assert not before & set(lookups_of(helper)), "a lookup outlives its time"
        assert len(seen) > 8, "no lookup takes the place of another"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_helper_ends_with_the_command_though_lookups_hang(
    server: NameServer, reader: Reader, log: SyslogSink, number: signal.Signals
) -> None:
    with hanging(server, reader) as (process, helper):
        pids = [helper, *lookups_of(helper)]
        process.send_signal(number)
        assert process.wait(5) == (-number if number == signal.SIGKILL else 0)
        wait_until(lambda: not any(is_alive(pid) for pid in pids), "the helper goes on", 1)
        wait_until(lambda: processes_named() == [], "a process is left", 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_helper_ends_with_the_command_in_the_background(
    server: NameServer, attacker: Namespace, target: Namespace, log: SyslogSink, tmp_path: Path, number: signal.Signals
) -> None:
    server.dead = True
    output = tmp_path / "lines"
    started = finish(target.command(BINARY, "connections", "-r", "-b", "-i", "wire", "-o", output))
    assert started == Finished(0, "", "")
    (command,) = [pid for pid in processes_named() if any(is_helper(child) for child in children(pid))]
    helper = helper_of(command)
    with Sender(attacker) as sender:
        sender.send([Segment(port) for port in range(1, 11)])
    wait_until(lambda: len(lookups_of(helper)) == 2, "no lookups")
    os.kill(command, number)
    wait_until(lambda: processes_named() == [], "a process is left", 2)
    ports = [text.split("|")[4] for text in output.read_text().splitlines()]
    assert ports == ([] if number == signal.SIGKILL else [str(port) for port in range(1, 11)])


def is_alive(pid: int) -> bool:
    try:
        return not status_fields(pid)["State"].startswith(("Z", "X"))
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_terminals_signals_are_not_meant_for_the_helper(server: NameServer, reader: Reader) -> None:
    with hanging(server, reader) as (_, helper):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1):
            os.kill(helper, number)
        time.sleep(0.2)
        assert is_alive(helper)


def test_a_lookup_that_dies_harms_no_other(server: NameServer, reader: Reader) -> None:
    server.host(SCANNER, "scanner.example")
    server.be_late(SCANNER, 0.8)
    server.host(HOST, "www.example")
    server.be_silent(HOST)
    with subprocess.Popen(reader.command([attempt()], "-r"), stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "TZ": "UTC"}) as process:
        wait_until(lambda: len(server.asked(HOST)) > 0 and len(server.asked(SCANNER)) > 0, "nobody asks")
        # The source was asked for first.
        _, second = sorted(lookups_of(helper_of(process.pid)))
        os.kill(second, signal.SIGSEGV)
        printed, _ = process.communicate(timeout=5)
    assert printed == line("scanner.example")


def test_without_the_helper_addresses_are_printed_and_that_is_said_once(
    server: NameServer, reader: Reader, log: SyslogSink
) -> None:
    server.dead = True
    attempts = [attempt(f"198.51.100.{number}") for number in range(200)]
    with subprocess.Popen(reader.command(attempts, "-r"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "TZ": "UTC"}) as process:
        wait_until(lambda: len(server.questions) >= 8, "nobody asks")
        os.kill(helper_of(process.pid), signal.SIGKILL)
        printed, said = process.communicate(timeout=5)
    assert (process.returncode, printed) == (0, "".join(line(segment.source) for segment in attempts))
    assert said == "scanlogd: connections: host names: the helper has ended; addresses are printed\n"
    wait_until(lambda: log.messages != [], "the log does not say so")  # it is another process that logs
    assert log.texts() == [said.removeprefix("scanlogd: ").rstrip()]


@pytest.mark.long
def test_a_helper_that_stands_still_is_not_waited_for_for_ever(server: NameServer, reader: Reader) -> None:
    """Some lookups expire before the rest of the file comes, and the sixteenth while lines are made of it."""
    attempts = [attempt(f"198.51.{number}.7") for number in range(60)]
    text = write_capture(reader.file, attempts).read_bytes()
    beginning = 24 + 7 * (len(text) - 24) // len(attempts)
    with subprocess.Popen(reader.namespace.command(BINARY, "connections", "-r", "--read", "-"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TZ": "UTC"}) as process:
        # Stopped before it has reported that it is ready, it would keep the command from its start.
        wait_until(lambda: status_fields(process.pid)["Seccomp"] == "2", "not confined")
        helper = helper_of(process.pid)
        os.kill(helper, signal.SIGSTOP)
        try:
            assert process.stdin
            process.stdin.write(text[:beginning])
            process.stdin.flush()
            time.sleep(13)  # where a file waits for names, each of these eight lookups times out after ten seconds
            printed, said = process.communicate(text[beginning:], timeout=40)
        finally:
            process.kill()
            with suppress(ProcessLookupError):  # it ends with its parent
                os.kill(helper, signal.SIGCONT)
    assert printed.decode() == "".join(line(segment.source) for segment in attempts)
    assert said == b"scanlogd: connections: host names: no answer from the resolver; addresses are printed\n"
    assert process.returncode == 0


# A source of names that is the worst there could be.


@pytest.fixture(scope="session")
def trial() -> Path:
    """Where the module is that `nsswitch.conf` will name."""
    directory = TEMPORARY / "nss"
    directory.mkdir()
    directory.chmod(0o755)
    source = Path(__file__).with_name("nss_trial.c")
    subprocess.run([tool("cc"), "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
                    directory / "libnss_trial.so.2", source], check=True, timeout=60)
    return directory


@pytest.fixture
def trials(server: NameServer, reader: Reader, trial: Path) -> Iterator[Reader]:
    reader.environment["LD_LIBRARY_PATH"] = str(trial)
    with resolver_files(nsswitch="hosts: files trial\n"):
        yield reader


def source(host: int) -> str:
    return f"198.51.100.{host}"


def test_a_lookup_can_do_nothing_but_ask(trials: Reader) -> None:
    printed = trials.run(attempt(source(1)), attempt(source(100)))
    # Of all that it tries only those three things work that it needs.
    assert_printed(printed, line("host-1-udp-tcp-read.trial"), line("host-100.trial"))


@pytest.mark.parametrize("host", [2, 3, 4, 8], ids=["aborts", "crashes", "exits", "takes all memory"])
def test_a_lookup_that_ends_badly_is_no_name(trials: Reader, host: int) -> None:
    done = trials.run(attempt(source(100)), attempt(source(host)), attempt(source(101)))
    assert_printed(done, line("host-100.trial"), line(source(host)), line("host-101.trial"))


@pytest.mark.parametrize("host", [5, 6, 7], ids=["spins", "sleeps", "closes all"])
def test_a_lookup_that_hangs_is_killed_and_harms_no_other(trials: Reader, host: int) -> None:
    done = trials.run(attempt(source(100)), attempt(source(host)), attempt(source(101)))
    assert_printed(done, line("host-100.trial"), line(source(host)), line("host-101.trial"))
    wait_until(lambda: processes_named() == [], "a process is left", 1)


def test_a_lookup_that_says_what_is_no_answer_is_not_listened_to(trials: Reader) -> None:
    done = trials.run(attempt(source(9)), attempt(source(100)))
    assert_printed(done, line(source(9)), line("host-100.trial"))


def test_a_lookup_can_lie_about_its_own_address_only(trials: Reader) -> None:
    done = trials.run(attempt(source(10)), attempt(source(100)), attempt(source(10), port=81))
    assert_printed(done, line("liar"), line("host-100.trial"), line("liar", port=81))


# Live.


class Live:
    """The command on the target's wire. Each line is taken with the moment at which it came."""

    def __init__(self, namespace: Namespace, *options: str) -> None:
        self.process = subprocess.Popen(
            namespace.command(BINARY, "connections", "-r", "-i", "wire", "--date", "epoch", *options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        wait_until(lambda: status_fields(self.process.pid)["Seccomp"] == "2", "no command in its sandbox")

    def _read(self) -> None:
        assert self.process.stdout
        for text in self.process.stdout:
            self.lines.append((time.time(), text.rstrip("\n")))

    def wait_for(self, count: int, timeout: float = 10) -> list[tuple[float, list[str]]]:
        """The moments and the fields of the first lines."""
        wait_until(lambda: len(self.lines) >= count, f"not {count} lines", timeout)
        return [(moment, text.split("|")) for moment, text in self.lines[:count]]

    def stop(self) -> int:
        self.process.terminate()
        status = self.process.wait(5)
        self._thread.join()
        return status


@pytest.fixture
def live(server: NameServer, target: Namespace) -> Iterator[Live]:
    live = Live(target, "--limit", "off")
    yield live
    if live.process.poll() is None:
        assert live.stop() == 0


def test_names_are_printed_live(server: NameServer, attacker: Namespace, live: Live) -> None:
    server.host(ATTACKER, "attacker.example")
    server.host(TARGET, "target.example")
    with Sender(attacker) as sender:
        sender.send([Segment(80)])
        ((_, fields),) = live.wait_for(1)
    assert fields[1:] == ["attacker.example", "40000", "target.example", "80"]


@pytest.mark.alone
def test_a_silent_server_delays_lines_by_two_seconds_and_capture_not_at_all(
    server: NameServer, attacker: Namespace, live: Live
) -> None:
    server.dead = True
    sources = [f"10.77.{1 + (number >> 8)}.{number & 255}" for number in range(2000)]
    with Sender(attacker) as sender:
        sender.send([Segment(80, source=source) for source in sources], gap=0.0005)
        lines = live.wait_for(2000)
    assert [fields[1] for _, fields in lines] == sources
    assert {tuple(fields[2:]) for _, fields in lines} == {("40000", TARGET, "80")}
    captured = [float(fields[0]) for _, fields in lines]
    assert captured == sorted(captured)
    delays = sorted(moment - then for (moment, _), then in zip(lines, captured, strict=True))
    # With room for a processor that others use as well: the resolver alone would take ten seconds.
    assert delays[-1] < 6


def test_a_name_that_was_absent_for_want_of_time_is_there_the_next_time(
    server: NameServer, attacker: Namespace, live: Live
) -> None:
    # Eight lookups that hang keep the ninth waiting, so that its answer comes too late for its line.
    hanging = [f"10.77.9.{number}" for number in range(8)]
    for source in hanging:
        server.be_silent(source)
    server.be_silent(TARGET)
    server.host(ATTACKER, "attacker.example")
    server.be_late(ATTACKER, 0.8)
    with Sender(attacker) as sender:
        sender.send([Segment(80, source=source) for source in hanging])
        wait_until(lambda: len(server.questions) >= 8, "nobody asks")
        time.sleep(0.5)
        sender.send([Segment(80)])
        assert live.wait_for(9)[8][1][1] == ATTACKER
        wait_until(lambda: len(server.asked(ATTACKER)) > 0, "nobody asks")
        time.sleep(1)
        sender.send([Segment(81)])
        assert live.wait_for(10)[9][1][1] == "attacker.example"


def test_waiting_lines_are_written_when_the_command_is_stopped(
    server: NameServer, attacker: Namespace, live: Live
) -> None:
    server.dead = True
    with Sender(attacker) as sender:
        sender.send([Segment(port) for port in range(1, 51)])
    wait_until(lambda: len(server.questions) > 0, "nobody asks")
    time.sleep(0.2)
    assert live.stop() == 0
    assert [text.split("|")[4] for _, text in live.lines] == [str(port) for port in range(1, 51)]
