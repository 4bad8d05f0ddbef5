"""scanlogd -r on the recorded captures, by the shipped binary."""

import subprocess
from pathlib import Path

import pytest
from harness.accounts import USER, as_nobody
from harness.daemon import finish, redirected, status_fields
from harness.places import BINARY, REPOSITORY
from harness.proc import identity

CAPTURES = REPOSITORY / "Tests/Fixtures/captures"
# One line more than the reference, which knows no IPv6.
IPV6 = "[fd77::1]:55334 to fd77::2 ports 554, 113, 8080, 135, 23, 25, ..., fSrpauxy, TOS 00, TTL 255 @09:17:05\n"


def expected(name: str) -> str:
    return IPV6 if name == "nmap_6_sS" else (CAPTURES / f"{name}.expected").read_text()


@pytest.mark.parametrize("name", sorted(path.stem for path in CAPTURES.glob("*.expected")))
def test_a_capture_gives_the_lines_of_the_reference(name: str) -> None:
    done = finish([str(BINARY), "-r", str(CAPTURES / f"{name}.pcap")], env={"TZ": "UTC"})
    assert (done.status, done.stderr) == (0, "")
    assert without_summaries(done.stdout) == expected(name)


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
