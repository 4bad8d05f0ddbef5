"""Files that scanlogd connections writes to: rotations, what is refused, a full disk; and pipes that are closed."""

import fcntl
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.connections import SAMPLE, Connections, fields, pcap
from harness.daemon import descriptors, finish, is_full, is_idle, processes_named, redirected, wait_until
from harness.frames import ethernet, ipv4
from harness.network import TARGET_MAC, Namespace, tool
from harness.packets import Segment, Sender
from harness.places import BINARY
from harness.syslog_sink import SyslogSink


@contextmanager
def traffic(attacker: Namespace, generator: Path, count: int) -> Iterator[None]:
    """Attempts at a moderate rate while the block runs."""
    process = subprocess.Popen(attacker.command(generator, "wire", TARGET_MAC, "flood", count, 20_000),
                               stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        assert process.wait(30) == 0


def test_rotations_lose_and_double_no_line(
    connections: Connections, attacker: Namespace, generator: Path, tmp_path: Path
) -> None:
    count = 60_000
    out = tmp_path / "out"
    connections.start("-i", "wire", "--limit", "off", "-o", out)
    files = [out]
    with traffic(attacker, generator, count):
        for number in range(10):
            time.sleep(0.2)
            files.append(out.rename(tmp_path / f"out.{number}"))
            connections.send_signal(signal.SIGHUP)
            wait_until(out.exists, "no new file")
    counters = connections.stop_and_account_for(count)
    assert counters["packets dropped by kernel"] == 0, "the test asks for too much"
    sources: Counter[str] = Counter()
    for file in files:
        lines = connections.lines(file)
        assert lines or file == out, f"nothing in {file}"
        sources.update(fields(line)[0] for line in lines)
    # Two in a few billion may be the same; twice the same rotation's lines would be many.
    assert sum(sources.values()) == count
    assert len(sources) > count - 10


def test_a_file_is_made_for_root_and_its_group_and_appended_to(
    connections: Connections, sender: Sender, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    old = os.umask(0)
    try:
        for number in range(1, 4):
            connections.start("-i", "wire", "-o", out, "-c", 1)
            sender.send([Segment(number)])
            assert connections.wait() == 0
    finally:
        os.umask(old)
    assert [fields(line)[3] for line in connections.lines(out)] == [1, 2, 3]
    status = out.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 0, 0)
    assert connections.stdout.read_bytes() == b""


def test_a_files_mode_is_left_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("before\n")
    out.chmod(0o604)
    done = finish([str(BINARY), "connections", "--read", str(SAMPLE), "-o", str(out)])
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    assert out.read_text().startswith("before\n1996-")
    assert stat.S_IMODE(out.stat().st_mode) == 0o604


def make_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_fifo_that_is_read(path: Path) -> None:
    os.mkfifo(path)
    os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def make_hard_link(path: Path) -> None:
    other = path.with_name("roots")
    other.write_text("mine\n")
    path.hardlink_to(other)


def make_socket(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


@pytest.mark.parametrize("make, reason", [
    (make_link, "Too many levels of symbolic links"), (make_fifo, "not a regular file"),
    (make_fifo_that_is_read, "not a regular file"), (make_socket, "not a regular file"),
    (Path.mkdir, "Is a directory"), (make_hard_link, "a hard link: it has another name too")])
@pytest.mark.parametrize("background", [False, True])
def test_what_is_no_file_is_refused(
    connections: Connections, tmp_path: Path, make: Callable[[Path], None], reason: str, background: bool
) -> None:
    out = tmp_path / "out"
    make(out)
    done = connections.run("-o", out, *(["-b"] if background else []))
    assert (done.status, done.stdout, done.stderr) == (1, "", f"scanlogd: {out}: open: {reason}\n")
    assert not (tmp_path / "elsewhere").exists()
    assert make != make_hard_link or (tmp_path / "roots").read_text() == "mine\n"
    wait_until(lambda: not processes_named(), "a process is left", 1)


# What is there for something else too.


def by_name(path: Path) -> Path:
    return path


def in_other_words(path: Path) -> Path:
    return path.parent / "." / ".." / path.parent.name / path.name


def through_a_link(path: Path) -> Path:
    link = path.with_name("link")
    link.symlink_to(path.parent)
    return link / path.name


def by_another_name(path: Path) -> Path:
    path.with_name("other").hardlink_to(path)
    return path.with_name("other")


LINKED = "open: a hard link: it has another name too"
SAME = pytest.mark.parametrize("name", [by_name, in_other_words, through_a_link, by_another_name])


def refused(*command: object, redirections: str = "", status: int = 1) -> str:
    """What a command says that must change nothing and leave nothing."""
    done = finish(redirected(list(map(str, (BINARY, "connections", *command))), redirections))
    assert (done.status, done.stdout, done.stderr.count("\n")) == (status, "", 1), done
    wait_until(lambda: not processes_named(), "a process is left")
    return done.stderr


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Path]:
    """A capture file that must stay as it is."""
    capture = tmp_path / "capture"
    capture.write_bytes(SAMPLE.read_bytes())
    yield capture
    assert capture.read_bytes() == SAMPLE.read_bytes()


@SAME
def test_lines_are_not_written_into_the_capture_file(capture: Path, name: Callable[[Path], Path]) -> None:
    out = name(capture)
    reason = LINKED if name is by_another_name else "write lines: it is what --read reads"
    assert refused("--read", capture, "-o", out) == f"scanlogd: {out}: {reason}\n"
    assert refused("--read", "-", "-o", out, redirections=f"<{capture}") == f"scanlogd: {out}: {reason}\n"
    said = refused("--read", out, redirections=f">>{capture}")
    assert said == "scanlogd: standard output: write lines: it is what --read reads\n"


def test_a_capture_file_may_be_a_link_but_not_to_the_output_file(capture: Path) -> None:
    link = capture.with_name("link")
    link.symlink_to(capture)
    assert refused("--read", link, "-o", capture) == f"scanlogd: {capture}: write lines: it is what --read reads\n"


@SAME
def test_the_process_id_is_not_written_into_the_capture_file(capture: Path, name: Callable[[Path], Path]) -> None:
    pid_file = name(capture)
    said = refused("--read", capture, "-P", pid_file)
    assert said == f"scanlogd: {pid_file}: write process id: it is what --read reads\n"


@SAME
@pytest.mark.parametrize("options", [("--read", SAMPLE), ("-i", "lo"), ("-b", "-i", "lo")], ids=["file", "live", "-b"])
def test_lines_and_the_process_id_do_not_go_to_the_same_file(
    tmp_path: Path, options: tuple[str, ...], name: Callable[[Path], Path]
) -> None:
    out = tmp_path / "out"
    out.write_text("before\n")
    pid_file = name(out)
    said = refused(*options, "-o", out, "-P", pid_file, status=2 if name is by_name else 1)
    assert said == f"scanlogd: {out}: write lines: it is the file of -P\n"
    said = refused("--read", SAMPLE, "-P", pid_file, redirections=f">>{out}")
    assert said == "scanlogd: standard output: write lines: it is the file of -P\n"
    assert out.read_text() == "before\n"


def test_a_file_that_would_be_made_for_both_is_not_made(tmp_path: Path) -> None:
    said = refused("--read", SAMPLE, "-o", tmp_path / "out", "-P", tmp_path / "out", status=2)
    assert said.endswith("the file of -P\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("directory_mode", [0o700, 0o500])
def test_a_directory_of_root_alone_is_enough(
    connections: Connections, sender: Sender, tmp_path: Path, directory_mode: int
) -> None:
    directory = tmp_path / "private"
    directory.mkdir(mode=directory_mode)
    out = directory / "out"
    connections.start("-i", "wire", "-o", out)
    sender.send([Segment(1)])
    connections.wait_for(1, out)
    out.rename(directory / "old")
    connections.send_signal(signal.SIGHUP)
    wait_until(out.exists, "no new file")
    sender.send([Segment(2)])
    assert [fields(line)[3] for line in connections.wait_for(1, out)] == [2]
    assert [fields(line)[3] for line in connections.lines(directory / "old")] == [1]
    assert stat.S_IMODE(out.stat().st_mode) == 0o640


def test_a_directory_of_somebody_else_is_enough(connections: Connections, sender: Sender, tmp_path: Path) -> None:
    directory = tmp_path / "theirs"
    directory.mkdir(mode=0o700)
    os.chown(directory, 65534, 65534)
    connections.start("-i", "wire", "-o", directory / "out")
    (directory / "out").rename(directory / "old")
    connections.send_signal(signal.SIGHUP)
    wait_until((directory / "out").exists, "no new file")


def test_a_path_from_here_stays_the_same(tmp_path: Path) -> None:
    done = finish(["sh", "-c", f"cd {tmp_path} && exec {BINARY} connections --read {SAMPLE} -o out"])
    assert (done.status, done.stderr) == (0, "")
    assert (tmp_path / "out").read_text().count("\n") == 7


@pytest.mark.parametrize("place", ["place/out", "out"])
@pytest.mark.parametrize("replace", [Path.mkdir, make_link], ids=["directory", "link"])
def test_the_directory_stays_the_same_when_another_one_gets_its_name(
    connections: Connections, sender: Sender, log: SyslogSink, tmp_path: Path, replace: Callable[[Path], None],
    place: str
) -> None:
    """Its own name, or that of one above it."""
    directory, away = tmp_path / "directory", tmp_path / "away"
    out = directory / place
    out.parent.mkdir(parents=True)
    connections.start("-i", "wire", "-o", out)
    sender.send([Segment(1)])
    connections.wait_for(1, out)
    directory.rename(away)
    (away / place).rename(away / "old")
    (tmp_path / "elsewhere").mkdir()
    replace(directory)
    connections.send_signal(signal.SIGHUP)
    wait_until((away / place).exists, "no new file")
    sender.send([Segment(2)])
    assert [fields(line)[3] for line in connections.wait_for(1, away / place)] == [2]
    assert len(connections.lines(away / "old")) == 1
    assert list(directory.iterdir()) == [] and not log.messages


def remove_directory(out: Path) -> None:
    out.rename(out.parent.with_name("old"))
    out.parent.rmdir()


def put_link(out: Path) -> None:
    out.rename(out.with_name("old"))
    out.symlink_to(out.parent.with_name("elsewhere"))


def put_fifo(out: Path) -> None:
    out.rename(out.with_name("old"))
    os.mkfifo(out)


def put_hard_link(out: Path) -> None:
    out.rename(out.with_name("old"))
    make_hard_link(out)


@pytest.mark.parametrize("change", [remove_directory, put_link, put_fifo, put_hard_link])
def test_a_hangup_that_finds_no_place_is_one_note_and_the_old_file_goes_on(
    connections: Connections, sender: Sender, log: SyslogSink, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    directory = tmp_path / "place"
    directory.mkdir()
    out = directory / "out"
    connections.start("-i", "wire", "-o", out)
    sender.send([Segment(1)])
    connections.wait_for(1, out)
    change(out)
    old = (tmp_path if change is remove_directory else directory) / "old"
    connections.send_signal(signal.SIGHUP)
    wait_until(lambda: len(log.messages) > 0, "no note in the log")
    sender.send([Segment(2)])
    connections.wait_for(2, old)
    (note,) = log.messages
    assert note.text.startswith(f"{out}: open: ") and note.level == 4
    assert connections.stderr() == f"scanlogd: {note.text}\n"
    assert not (tmp_path / "elsewhere").exists()
    assert change is not put_hard_link or (directory / "roots").read_text() == "mine\n"


def test_nobody_else_can_lock_the_pid_file(connections: Connections, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    pid_file = tmp_path / "pid"
    pid_file.touch(mode=0o644)
    nobody = [tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    with pid_file.open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        connections.start_background("-i", "wire", "-o", tmp_path / "out", pid_file=pid_file)
    assert stat.S_IMODE(pid_file.stat().st_mode) == 0o600
    assert finish([*nobody, tool("flock"), "--shared", "--nonblock", str(pid_file), "true"]).status != 0
    assert connections.stop() == 0


# No room.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=755", "small", disk], check=True, timeout=10)
    yield disk
    subprocess.run(["umount", disk], check=True, timeout=10)


def open_anew(connections: Connections, out: Path) -> None:
    """Has it open its file again, and waits until it goes on in what its broker has opened."""
    def numbers() -> list[int]:
        try:
            return [number for number, name in descriptors(connections.pid).items() if name == str(out)]
        except FileNotFoundError:  # it was closed meanwhile
            return []
    before = numbers()
    connections.send_signal(signal.SIGHUP)
    wait_until(lambda: len(numbers()) == 1 and numbers() != before, "it is not opened anew")


@pytest.mark.parametrize("manner", ["-o", "-o, SIGHUP", ">", ">>"])
def test_a_full_disk_is_told_of_once_and_lines_come_again(
    connections: Connections, sender: Sender, log: SyslogSink, small_disk: Path, manner: str
) -> None:
    out, ballast = small_disk / "out", small_disk / "ballast"
    if manner.startswith("-o"):
        connections.start("-i", "wire", "--limit", "off", "-o", out)
        if "SIGHUP" in manner:
            open_anew(connections, out)
    else:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if manner == ">>" else 0)
        descriptor = os.open(out, flags, 0o644)
        connections.start("-i", "wire", "--limit", "off", stdout=descriptor)
        os.close(descriptor)
    ballast.write_bytes(bytes(100 * 1024))
    sent = 0
    while not log.messages and sent < 20_000:
        sender.send(Segment(80, source_port=1 + (sent + number) % 65535) for number in range(50))
        sent += 50
    sender.send(Segment(81) for _ in range(1000))
    sent += 1000
    wait_until(lambda: connections.ask_counters()["packets captured"] >= sent, "not all packets are there")
    full = connections.lines(out)  # whole lines only
    counters = connections.counters()
    assert counters["lines lost"] > 500
    assert len(full) == counters["lines written"] == sent - counters["lines lost"]
    name = str(out) if manner.startswith("-o") else "standard output"
    problem = (f"connections: {name}: write: No space left on device; "
               "lines are lost until it can be written again")
    assert [(message.level, message.text) for message in log.messages] == [(4, problem)]
    ballast.unlink()
    sender.send([Segment(82)])
    connections.wait_for(len(full) + 1, out)
    assert [fields(line)[3] for line in connections.lines(out)[len(full):]] == [82]
    wait_until(lambda: len(log.messages) == 2, "nothing said of an end")
    assert log.messages[1].text == f"connections: written again, lines lost: {counters['lines lost']}"
    assert connections.stop() == 1, "lines were lost"
    assert connections.lines(out)[len(full):] == connections.lines(out)[-1:]
    assert connections.stderr().count("No space left") == 1


def lose_lines(connections: Connections, sender: Sender, ballast: Path, after: int) -> int:
    """Fills the disk and makes more attempts than there is room for lines; returns their number."""
    ballast.write_bytes(bytes(90 * 1024))
    sender.send(Segment(80) for _ in range(1500))
    wait_until(
        lambda: connections.ask_counters()["packets captured"] >= after + 1500, "not all packets are there")
    return 1500


def write_again(sender: Sender, out: Path, ballast: Path) -> int:
    """Makes room on the disk, and one attempt, of which the line is there then; returns that number."""
    ballast.unlink()
    os.truncate(out, 0)
    sender.send([Segment(81)])
    wait_until(lambda: "|81\n" in out.read_text(), "no line")
    return 1


def test_a_disk_on_the_edge_does_not_fill_the_log(
    connections: Connections, sender: Sender, log: SyslogSink, small_disk: Path
) -> None:
    """There is room for a moment, again and again."""
    out, ballast = small_disk / "out", small_disk / "ballast"
    connections.start("-i", "wire", "--limit", "off", "-o", out)
    sent = 0
    for _ in range(10):
        sent += lose_lines(connections, sender, ballast, after=sent)
        sent += write_again(sender, out, ballast)
    assert connections.counters()["lines lost"] > 1000
    assert len(log.messages) <= 3, log.texts()
    assert connections.stop() == 1


@pytest.mark.parametrize("comes_again", [True, False])
def test_of_a_disk_that_is_soon_full_again_it_is_told_later(
    connections: Connections, sender: Sender, log: SyslogSink, shim: Path, small_disk: Path, comes_again: bool
) -> None:
    """Reported: of what was lost within a minute after the first note no word was said."""
    out, ballast = small_disk / "out", small_disk / "ballast"
    connections.start("-i", "wire", "--limit", "off", "-o", out, env={"LD_PRELOAD": str(shim), "SHIM_HASTE": "12"})
    sent = 0
    for attempt in range(2):
        sent += lose_lines(connections, sender, ballast, after=sent)
        if attempt == 1 and not comes_again:
            break
        sent += write_again(sender, out, ballast)

    def said(words: str) -> list[str]:
        return [message.text.partition(words)[2] for message in log.messages if words in message.text]
    if comes_again:
        lost = connections.ask_counters()["lines lost"]
        wait_until(lambda: sum(map(int, said("written again, lines lost: "))) == lost, "not all is told", 20)
    else:
        wait_until(lambda: len(said("lines are lost until")) == 2, "it is not told", 20)
    assert connections.stop() == 1


@pytest.fixture
def begun(connections: Connections, sender: Sender, log: SyslogSink, shim: Path, small_disk: Path) -> Path:
    """A file that can only be appended to, after the disk was full in the middle of a line. It still is."""
    out = small_disk / "out"
    connections.start("-i", "wire", "--limit", "off", "-o", out, env={"LD_PRELOAD": str(shim), "SHIM_APPEND_ONLY": "1"})
    assert lose_lines(connections, sender, small_disk / "ballast", after=0) == 1500
    assert not out.read_text().endswith("\n"), "the test has met the end of a line"
    return out


@pytest.mark.parametrize("is_opened_anew", [False, True], ids=["", "SIGHUP"])
def test_a_line_whose_beginning_can_not_be_taken_back_is_finished_first(
    connections: Connections, sender: Sender, begun: Path, is_opened_anew: bool
) -> None:
    """Reported: the next line was glued to it."""
    if is_opened_anew:
        open_anew(connections, begun)
    begun.with_name("ballast").unlink()
    sender.send([Segment(81)])
    wait_until(lambda: begun.read_text().endswith("|81\n"), "no line")
    assert connections.stop() == 1
    counters = connections.counters()
    assert len(connections.lines(begun)) == counters["lines written"] == 1501 - counters["lines lost"]


def test_the_rest_of_a_line_does_not_go_into_another_file(
    connections: Connections, sender: Sender, begun: Path
) -> None:
    old = begun.rename(begun.with_name("old"))
    open_anew(connections, begun)
    connections.ask_counters()  # now the old one is closed
    begun.with_name("ballast").unlink()
    sender.send([Segment(81)])
    assert [fields(line)[3] for line in connections.wait_for(1, begun)] == [81]
    assert connections.stop() == 1
    counters = connections.counters()
    assert old.read_text().count("\n") == counters["lines written"] - 1 == 1500 - counters["lines lost"]


def test_a_line_that_can_not_be_finished_is_lost(connections: Connections, begun: Path) -> None:
    assert connections.stop() == 1
    counters = connections.counters()
    assert begun.read_text().count("\n") == counters["lines written"] == 1500 - counters["lines lost"]


def test_a_limit_of_size_is_a_full_disk(tmp_path: Path, log: SyslogSink) -> None:
    out = tmp_path / "out"
    command = ["prlimit", "--fsize=100", str(BINARY), "connections", "--read", str(SAMPLE), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, env={"TZ": "UTC"}, check=False)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert out.read_text() == "1996-06-26T16:00:00+00:00|198.51.100.7|40001|192.0.2.10|21\n"
    assert done.stderr.splitlines()[-1] == "scanlogd: connections: lines lost: 6"
    wait_until(lambda: log.texts()[-1:] == ["connections: lines lost: 6"], "not logged")


def test_lines_that_wait_for_their_reader_when_a_file_is_no_longer_to_be_read_are_told_of(
    tmp_path: Path, log: SyslogSink
) -> None:
    """Reported: status 1, and no word why."""
    file = tmp_path / "many.pcap"
    file.write_bytes(pcap((number, ethernet(ipv4(Segment(80)))) for number in range(6000)))
    reading, writing = os.pipe()
    with subprocess.Popen([BINARY, "connections", "--read", file], stdout=writing, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            wait_until(lambda: is_full(writing), "no lines")
            wait_until(lambda: is_idle(process.pid), "it does not wait")
            process.terminate()
            _, said = process.communicate(timeout=5)
        finally:
            process.kill()
            os.close(reading)
            os.close(writing)
    assert process.returncode == 1
    assert re.fullmatch(r"scanlogd: connections: lines lost: [1-9]\d*\n", said)
    wait_until(lambda: [f"scanlogd: {message.text}\n" for message in log.messages] == [said], "not logged")


# Whoever has read enough.


def test_head_ends_it_quietly(connections: Connections, sender: Sender, tmp_path: Path) -> None:
    command = " ".join(connections.command("-i", "wire"))
    status = tmp_path / "status"
    with (tmp_path / "err").open("wb") as stderr:
        process = subprocess.Popen(["sh", "-c", f"({command}; echo $? >{status}) | head -n 1"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        wait_until(lambda: len(processes_named()) == 2, "not started")
        time.sleep(0.3)
        sender.send([Segment(80)])
        text, _ = process.communicate(timeout=5)  # and nothing more is captured
    assert text.count(b"\n") == 1
    wait_until(lambda: status.exists() and status.read_text() == "0\n", "no status 0")
    assert b"scanlogd" not in (tmp_path / "err").read_bytes()
    wait_until(lambda: not processes_named(), "a process is left")


def test_head_ends_the_reading_of_a_file_quietly(tmp_path: Path) -> None:
    done = finish(["bash", "-c", f"{BINARY} connections --read {SAMPLE} | head -n 1; echo ${{PIPESTATUS[0]}}"])
    assert (done.status, done.stderr, done.stdout.splitlines()[1:]) == (0, "", ["0"])


@pytest.mark.parametrize("redirections", [">&-", "1</dev/null", "<&- >&-"])
@pytest.mark.parametrize("options", [("--read", SAMPLE), ("-i", "lo")], ids=["file", "live"])
def test_standard_output_that_is_closed_is_told_of(options: tuple[object, ...], redirections: str) -> None:
    assert refused(*options, redirections=redirections) == "scanlogd: standard output: write: Bad file descriptor\n"


@pytest.mark.parametrize("redirections", ["<&-", "0>/dev/null"])
def test_standard_input_that_is_closed_is_told_of(redirections: str) -> None:
    said = refused("--read", "-", redirections=redirections)
    assert said.startswith("scanlogd: standard input: ") and said.endswith(": Bad file descriptor\n")


def test_what_is_not_used_may_be_closed(tmp_path: Path) -> None:
    command = [str(BINARY), "connections", "--read", str(SAMPLE), "-o", str(tmp_path / "out")]
    assert finish(redirected(command, "<&- >&- 2>&-")).status == 0
    assert len((tmp_path / "out").read_text().splitlines()) == 7


def test_standard_output_that_is_full_is_told_of() -> None:
    done = finish(["sh", "-c", f"exec {BINARY} connections --read {SAMPLE} >/dev/full"])
    assert done.status == 1
    assert "standard output: write: No space left on device" in done.stderr
    assert done.stderr.endswith("\nscanlogd: connections: lines lost: 7\n")


@pytest.mark.parametrize("number", [*range(4, 13), 64])
@pytest.mark.parametrize("options", [(), ("-r",)])
def test_with_few_descriptors_it_works_or_says_why_not(number: int, options: tuple[str, ...]) -> None:
    command = ["sh", "-c", f'ulimit -n {number} && exec "$@"', "sh", BINARY, "connections", *options, "--read", SAMPLE]
    done = finish(list(map(str, command)))
    if done.status == 0:
        assert (len(done.stdout.splitlines()), done.stderr) == (7, "")
    else:
        assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
        assert number < 12
    wait_until(lambda: processes_named(BINARY.name) == [], "a process is left")
