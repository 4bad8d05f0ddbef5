"""scanlogd -r on the recorded captures, by the shipped binary."""

import csv
import re
import subprocess
from pathlib import Path

import pytest
from harness.accounts import USER, as_nobody
from harness.daemon import finish, redirected, status_fields
from harness.places import BINARY, REPOSITORY
from harness.proc import identity

CAPTURES = REPOSITORY / "Tests/Fixtures/captures"
KINDS = ["quick", "slow", "spread", "sweep", "ping", "udp", "ack", "protocols", "sctp"]
NETWORKS = ["10.77.0.2", "10.77.1.0/24", "fd77::2", "fd77:0:0:bb::/64"]
LOCAL = [word for network in NETWORKS for word in ("--local", network)]
# What a line about a scan is like.
FLAGS = r"[fF?][sS?][rR?][pP?][aA?][uU?][xX?][yY?](?:, TOS [0-9a-f]{2})?(?:, TTL \d+)?"
LINE = re.compile(
    r"\S+ to \S+(?: and others,)? (?:"
    rf"ports (?:\d+, )+\.\.\., {FLAGS}"
    rf"|(?P<slow>slow) ports (?:\d+, )+\.\.\., \d+ s, {FLAGS}"
    r"|(?P<spread>spread) ports (?:\d+, )+\.\.\., 4 or more sources, \d+ s"
    r"|(?P<other>udp|ack|sctp) ports (?:\d+, )+\.\.\., \d+ s"
    r"|(?P<protocols>protocols) (?:\d+, )+\.\.\., \d+ s"
    rf"|(?P<sweep>sweep) port \d+, \d+ hosts, \d+ s, {FLAGS}"
    r"|sweep (?P<ping>ping), \d+ hosts, \d+ s"
    r") @\d\d:\d\d:\d\d")
# One line more than the reference, which knows no IPv6.
IPV6 = "[fd77::1]:55334 to fd77::2 ports 554, 113, 8080, 135, 23, 25, ..., fSrpauxy, TOS 00, TTL 255 @09:17:05\n"


def expected(name: str) -> str:
    return IPV6 if name == "nmap_6_sS" else (CAPTURES / f"{name}.expected").read_text()


@pytest.mark.parametrize("name", sorted(path.stem for path in CAPTURES.glob("*.expected")))
def test_a_capture_gives_the_lines_of_the_reference(name: str) -> None:
    done = finish([str(BINARY), "-r", str(CAPTURES / f"{name}.pcap"), "--kinds", "quick"], env={"TZ": "UTC"})
    assert (done.status, done.stderr) == (0, "")
    assert without_summaries(done.stdout) == expected(name)


def kinds_found(name: str, *options: str) -> list[str]:
    """The kinds of the lines about a capture; every line is one of the grammar."""
    done = finish([str(BINARY), "-r", str(CAPTURES / "kinds" / f"{name}.pcap"), *options], env={"TZ": "UTC"})
    assert done.status == 0
    lines = [line for line in done.stdout.splitlines() if "not logged" not in line and not line.startswith("More ")]
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), done.stdout
    return [next(filter(None, match.groups()), "quick") for match in matches if match]


def index() -> list[dict[str, str]]:
    with (CAPTURES / "kinds/INDEX.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("row", index(), ids=lambda row: row["name"])
def test_other_kinds_are_found_in_captures_and_nothing_else(row: dict[str, str]) -> None:
    others = ",".join(kind for kind in KINDS if kind != "quick")
    expected_local, expected_plain = (
        [] if row[field] == "-" else [row[field]] for field in ("kinds", "kinds without --local"))
    assert kinds_found(row["name"], *LOCAL, "--kinds", others) == expected_local
    assert kinds_found(row["name"], "--kinds", others) == expected_plain
    for kind in KINDS:
        found = kinds_found(row["name"], *LOCAL, "--kinds", kind)
        assert kind == "quick" or found == [known for known in expected_local if known == kind]


def test_captures_of_quick_scans_and_of_none_give_no_other_kind() -> None:
    known = {row["name"].removeprefix("../") for row in index()}
    for path in CAPTURES.glob("*.expected"):
        if path.stem in known:
            continue
        for options in (LOCAL, []):
            assert set(kinds_found(f"../{path.stem}", *options)) <= {"quick"}, path.stem


@pytest.mark.parametrize(("options", "words"), [
    (["--kinds", "fast"], "fast: --kinds: must be all, or a list of quick, slow, spread, sweep, ping, udp, ack, "
                          "protocols and sctp"),
    (["--kinds", ""], ": --kinds: must be all, or a list of quick, slow, spread, sweep, ping, udp, ack, protocols "
                      "and sctp"),
    (["--local", "10.0.0.0/33"], "10.0.0.0/33: network: must be an address, or one with /LENGTH"),
    (["--local", "fd77::/"], "fd77::/: network: must be an address, or one with /LENGTH"),
    (["--local", "here"], "here: network: must be an address, or one with /LENGTH"),
    ([word for number in range(17) for word in ("--local", f"192.0.2.{number}")],
     "192.0.2.16: --local: the most that can be named are 16"),
])
def test_what_is_no_kind_and_no_network_is_refused(options: list[str], words: str) -> None:
    done = finish([str(BINARY), "-r", str(CAPTURES / "nmap_sS.pcap"), *options])
    assert (done.status, done.stdout, done.stderr) == (2, "", f"scanlogd: {words}\n")


def test_an_option_for_files_is_refused_at_a_start() -> None:
    done = finish([str(BINARY), "--local", "192.0.2.1"])
    assert (done.status, done.stderr) == (2, "scanlogd: --local: option: it goes with --read only\n")


def without_summaries(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "not logged" not in line)


def test_standard_input_is_read_without_privileges() -> None:
    command = [*as_nobody(), str(BINARY), "-r", "-"]
    with (CAPTURES / "nmap_sS.pcap").open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=10, check=False,
                              env={"TZ": "UTC"})
    assert (done.returncode, done.stdout, done.stderr) == (0, expected("nmap_sS"), "")


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_a_pipe_is_read_that_a_shell_has_left_open_for_it(folder: str) -> None:
    """As `-r <(zcat day.pcap.gz)`."""
    with (CAPTURES / "nmap_sS.pcap").open("rb") as file, subprocess.Popen(["cat"], stdin=file,
                                                                          stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        number = writer.stdout.fileno()
        done = subprocess.run([str(BINARY), "-r", f"{folder}/{number}"], pass_fds=[number], capture_output=True,
                              text=True, timeout=10, check=False, env={"TZ": "UTC"})
    assert (done.returncode, done.stdout, done.stderr) == (0, expected("nmap_sS"), "")


def test_privileges_are_dropped_before_a_byte_is_read() -> None:
    with subprocess.Popen([str(BINARY), "-r", "-"], stdin=subprocess.PIPE) as process:
        try:
            deadline = 200
            while status_fields(process.pid)["Uid"].split()[0] == "0" and deadline:
                deadline -= 1
                subprocess.run(["sleep", "0.01"], check=True)
            status = status_fields(process.pid)
            assert identity(process.pid)[0] == [USER] * 4
            assert status["NoNewPrivs"] == "1"
            assert Path(f"/proc/{process.pid}/root").readlink() == Path("/var/empty")
        finally:
            process.kill()


@pytest.mark.parametrize("length", [24, 40, 100, 1000, 3000])
def test_a_truncated_file_is_reported_as_far_as_it_goes(tmp_path: Path, length: int) -> None:
    whole = (CAPTURES / "nmap_sS.pcap").read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:length + 7])
    done = finish([str(BINARY), "-r", str(cut)], env={"TZ": "UTC"})
    assert done.status == 1
    assert done.stderr.startswith(f"scanlogd: {cut}: read at byte ")
    assert done.stderr.count("\n") == 1
    assert expected("nmap_sS").startswith(done.stdout)
    if length >= 3000:
        assert done.stdout == expected("nmap_sS")


@pytest.mark.parametrize("content", [b"", b"no capture at all", b"\xd4\xc3\xb2\xa1", bytes(24)])
def test_a_file_that_is_none_is_told_of(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "none.pcap"
    file.write_bytes(content)
    done = finish([str(BINARY), "-r", str(file)])
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"scanlogd: {file}: read")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("path", ["/nonexistent/file.pcap", "/"])
def test_a_file_that_can_not_be_read_is_told_of(path: str) -> None:
    done = finish([str(BINARY), "-r", path])
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"scanlogd: {path}: ")
    assert done.stderr.count("\n") == 1


def test_an_unreadable_file_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "secret.pcap"
    file.write_bytes(b"")
    file.chmod(0)
    done = finish([*as_nobody(), str(BINARY), "-r", str(file)])
    assert (done.status, done.stderr) == (1, f"scanlogd: {file}: open: Permission denied\n")


def test_an_unknown_link_type_is_named(tmp_path: Path) -> None:
    # Behind the header's first twenty bytes stands the link type: 147, the first of those for private use.
    header = bytes.fromhex("d4c3b2a1 02000400 00000000 00000000 ffff0000 93000000")
    file = tmp_path / "strange.pcap"
    file.write_bytes(header)
    done = finish([str(BINARY), "-r", str(file)])
    assert (done.status, done.stdout) == (1, "")
    assert "link type" in done.stderr, done


@pytest.mark.parametrize("target, reason", [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_output_that_can_not_be_written_is_told_of(target: str, reason: str) -> None:
    done = finish(redirected([str(BINARY), "-r", f"{CAPTURES}/nmap_sS.pcap"], target))
    assert (done.status, done.stderr) == (1, f"scanlogd: standard output: write: {reason}\n")


def test_input_that_is_closed_is_told_of() -> None:
    done = finish(redirected([str(BINARY), "-r", "-"], "<&-"))
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("scanlogd: standard input: ") and done.stderr.endswith(": Bad file descriptor\n")


@pytest.mark.parametrize("options", [("-i", "lo"), ("--backend", "ring"), ("-P", "/run/x.pid"), ("--promiscuous",)])
def test_options_of_the_daemon_are_refused(options: tuple[str, ...]) -> None:
    done = finish([str(BINARY), "-r", "-", *options])
    assert (done.status, done.stdout, done.stderr.count("\n")) == (2, "", 1)
