"""The command line, and every reason not to start: one line, status 1 or 2, nothing left."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.accounts import GROUP, NOBODY, OTHER_GROUP, USER, as_nobody
from harness.daemon import Daemon, Finished, finish, processes_named, redirected, wait_until
from harness.lines import Report
from harness.network import ATTACKER, TARGET, missing, tool
from harness.packets import LOW_PORTS, scan
from harness.places import ACCOUNTS, BINARY, CHROOT, PID_FILE, REPOSITORY, TEMPORARY
from harness.scene import Scene

EVERY_START = pytest.mark.parametrize("options", [(), ("-d",)], ids=["daemon", "foreground"])


def assert_refused(done: Finished, *words: str) -> None:
    """Status 1 and one line on standard error, which names the program and these; nothing runs, nothing is left."""
    assert done.status == 1, done
    assert done.stdout == ""
    assert re.fullmatch(r"scanlogd: [^\n]+\n", done.stderr), done
    for word in words:
        assert word in done.stderr, done
    assert processes_named() == []
    assert not PID_FILE.exists() or PID_FILE.read_text() == ""


# The command line.


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_goes_to_standard_output(daemon: Daemon, option: str) -> None:
    done = daemon.run(option)
    assert (done.status, done.stderr) == (0, "")
    for documented in ("--foreground", "--backend", "--pidfile", "--help", "--version"):
        assert documented in done.stdout


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_goes_to_standard_output(daemon: Daemon, option: str) -> None:
    done = daemon.run(option)
    assert (done.status, done.stderr) == (0, "")
    assert re.match(r"scanlogd \S+", done.stdout)
    assert done.stdout.endswith("\n")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_output_that_is_closed_is_a_failure(option: str) -> None:
    done = finish(redirected([str(BINARY), option], ">&-"))
    assert done == Finished(1, "", "scanlogd: standard output: write: Bad file descriptor\n")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_output_that_cannot_be_written_is_a_failure(option: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, option], stdout=full, stderr=subprocess.PIPE, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"scanlogd: [^\n]*No space left on device\n", done.stderr)


@pytest.mark.parametrize("options", [
    ("--no-such-option",), ("-Z",), ("-P",), ("--pidfile",), ("--backend",), ("--backend", "no-such-backend"),
    ("operand",), ("-d", "operand"), ("--help=yes",), ("--backend", ""), ("-P", ""),
])
def test_a_usage_error_is_told_on_standard_error(daemon: Daemon, options: tuple[str, ...]) -> None:
    done = daemon.run(*options)
    assert done.status == (1 if options == ("-P", "") else 2), done
    assert done.stdout == ""
    assert re.fullmatch(r"scanlogd: [^\n]+\n(scanlogd: [^\n]+\n)?", done.stderr)
    assert processes_named() == []
    assert not PID_FILE.exists()


@pytest.mark.parametrize("options", [
    ("--backend", "raw"), ("--backend=raw",), ("-P", PID_FILE), ("--pidfile", PID_FILE), (f"--pidfile={PID_FILE}",),
    ("--", ),
])
def test_an_accepted_option_starts_a_daemon(idle_scene: Scene, options: tuple[str, ...]) -> None:
    idle_scene.daemon.start(*options)
    idle_scene.assert_nothing_more()


@pytest.mark.parametrize("spelling", ["-b", "--background", "--backgr"])
def test_it_goes_to_the_background_when_it_is_told_to(daemon: Daemon, spelling: str) -> None:
    daemon.start(spelling)


@pytest.mark.parametrize(("options", "reason"), [
    (("-d",), "does not go with --foreground"), (("--foreground", "-P", PID_FILE), "does not go with --foreground"),
    (("-r", "-"), "only a start goes to the background"), (("--self-test",), "only a start goes to the background"),
    (("--version",), "only a start goes to the background"), (("-h",), "only a start goes to the background"),
])
def test_what_does_not_go_to_the_background_is_refused_where_it_was_told_to(
    daemon: Daemon, options: tuple[object, ...], reason: str
) -> None:
    for order in (("-b", *options), (*options, "-b")):
        assert daemon.run(*order) == Finished(2, "", f"scanlogd: --background: option: {reason}\n")
    assert processes_named() == []


@pytest.mark.parametrize("option", ["-d", "--foreground"])
def test_either_spelling_stays_in_the_foreground(idle_scene: Scene, option: str) -> None:
    idle_scene.daemon.start_foreground(option=option)
    idle_scene.assert_nothing_more()


@pytest.mark.parametrize("arguments", [
    "", "-d", "--help", "--version", "--self-test", "-r /dev/null", "connections", "connections -h",
    "connections --read /dev/null", "rules", "rules --help", "rules check", "rules match sshd 192.0.2.1",
])
def test_nothing_runs_with_a_parameter_out_of_bounds(daemon: Daemon, arguments: str) -> None:
    binary = os.environ.get("SCANLOGD_WITH_TEST_HOOKS", "/nonexistent")
    if not os.access(binary, os.X_OK):
        missing("no binary with test hooks: make integration")
    problem = "weightThreshold: must be above the weight of one port"
    done = finish(daemon.namespace.command(binary, *arguments.split()), env={"SCANLOGD_TEST_PARAMETERS": problem})
    assert done == Finished(2, "", f"scanlogd: parameters: check: {problem}\n")


# The pid file.


def test_the_pid_file_holds_the_daemons_number(daemon: Daemon) -> None:
    daemon.start()
    assert PID_FILE.read_text() == f"{daemon.pid}\n"
    mode = PID_FILE.stat()
    assert (mode.st_uid, mode.st_gid, mode.st_mode & 0o777) == (0, 0, 0o600)


def test_the_pid_file_is_locked_while_the_daemon_runs(daemon: Daemon) -> None:
    daemon.start()
    flock = [tool("flock"), "--nonblock", str(PID_FILE), "true"]
    assert finish(flock).status == 1
    daemon.stop()
    assert not PID_FILE.exists() or finish(flock).status == 0


def test_the_pid_file_can_be_put_elsewhere(idle_scene: Scene) -> None:
    elsewhere = TEMPORARY / "other.pid"
    try:
        idle_scene.daemon.start("-P", elsewhere, pid_file=elsewhere)
        assert not PID_FILE.exists()
        assert idle_scene.daemon.stop() == 0
        assert not elsewhere.exists() or elsewhere.read_text() == ""
    finally:
        elsewhere.unlink(missing_ok=True)


def test_the_pid_file_in_a_relative_place_is_found_from_where_the_daemon_starts(daemon: Daemon) -> None:
    elsewhere = TEMPORARY / "relative.pid"
    try:
        daemon.start("-P", elsewhere.name, wrapper=["env", "-C", str(TEMPORARY)], pid_file=elsewhere)
        assert daemon.stop() == 0
    finally:
        elsewhere.unlink(missing_ok=True)


def test_a_foreground_daemon_writes_a_pid_file_that_is_asked_for(daemon: Daemon) -> None:
    daemon.start_foreground("-P", PID_FILE)
    # It is in its chroot, but nothing tells yet that it has started.
    wait_until(lambda: PID_FILE.read_text() != "", "nothing in the pid file")
    assert PID_FILE.read_text() == f"{daemon.pid}\n"


@pytest.mark.parametrize("content", ["", "garbage\n", "1\n", "99999999999999999999\n", "-1\n", "4194300\n"])
def test_what_a_stale_pid_file_says_does_not_matter(daemon: Daemon, content: str) -> None:
    PID_FILE.write_text(content)
    daemon.start()
    assert PID_FILE.read_text() == f"{daemon.pid}\n"


@pytest.mark.parametrize("options", [(), ("-d", "-P", PID_FILE)], ids=["daemon", "foreground"])
def test_a_second_start_is_refused_with_the_number_of_the_first(
    idle_scene: Scene, options: tuple[object, ...]
) -> None:
    idle_scene.daemon.start()
    first = idle_scene.daemon.pid
    running = processes_named()
    done = idle_scene.daemon.run(*options)
    assert (done.status, done.stdout) == (1, "")
    assert re.fullmatch(rf"scanlogd: [^\n]*already running[^\n]*\b{first}\b[^\n]*\n", done.stderr), done
    assert processes_named() == running
    assert PID_FILE.read_text() == f"{first}\n"
    idle_scene.assert_nothing_more()


@contextmanager
def lock_of(user: str, mode: str = "--exclusive") -> Iterator[subprocess.Popen[str]]:
    """Has somebody lock the pid file during the block, as far as he may open it."""
    command = [tool("flock"), mode, "--nonblock", str(PID_FILE), "sh", "-c", "echo locked; exec sleep 60"]
    locker = subprocess.Popen([*(as_nobody() if user == "nobody" else []), *command], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        assert locker.stdout
        locker.stdout.readline()
        yield locker
    finally:
        locker.kill()
        locker.wait(10)


@pytest.mark.parametrize("mode", ["--exclusive", "--shared"])
@EVERY_START
def test_nobody_else_can_keep_a_daemon_from_starting(daemon: Daemon, options: tuple[str, ...], mode: str) -> None:
    daemon.start()
    assert daemon.stop() == 0
    with lock_of("nobody", mode):
        if options:
            daemon.start_foreground("-P", PID_FILE)
        else:
            daemon.start()
        assert daemon.stop() == 0


# What an older version left, or somebody else: all may read it, and so lock it.
@pytest.mark.parametrize(("mode", "owner"), [(0o644, 0), (0o666, 0), (0o640, 0), (0o600, 65534)])
@pytest.mark.parametrize("content", ["", "4194300\n"])
def test_a_pid_file_that_others_could_lock_is_replaced(
    daemon: Daemon, mode: int, owner: int, content: str
) -> None:
    PID_FILE.write_text(content)
    os.chown(PID_FILE, owner, 0)
    PID_FILE.chmod(mode)
    with lock_of("nobody" if mode & 4 or owner else "root"):
        daemon.start()
        status = PID_FILE.stat()
        assert (status.st_uid, status.st_mode & 0o777) == (0, 0o600)
        assert PID_FILE.read_text() == f"{daemon.pid}\n"
        done = daemon.run()
        assert done.stderr == f"scanlogd: {PID_FILE}: lock: already running as process {daemon.pid}\n"
        assert daemon.stop() == 0
    assert not PID_FILE.with_name("scanlogd.pid.new").exists()


def test_a_daemon_of_an_older_version_that_runs_is_respected(daemon: Daemon) -> None:
    PID_FILE.touch(mode=0o644)
    PID_FILE.chmod(0o644)
    with lock_of("root") as older:
        PID_FILE.write_text(f"{older.pid}\n")
        done = daemon.run()
        assert (done.status, done.stderr) == (
            1, f"scanlogd: {PID_FILE}: lock: already running as process {older.pid}\n")
    daemon.start()


def test_a_file_of_roots_under_the_name_of_the_pid_file_stays_as_it_is(daemon: Daemon) -> None:
    """Who can write to the directory of the pid file may give a file of root's a second name there."""
    directory = TEMPORARY / "directory of the pid file"
    directory.mkdir()
    valuable, name = directory / "valuable", directory / "link.pid"
    try:
        valuable.write_text("worth keeping\n")
        valuable.chmod(0o600)
        name.hardlink_to(valuable)
        daemon.start("-P", name, pid_file=name)
        assert name.read_text() == f"{daemon.pid}\n"
        daemon.stop()
        assert valuable.read_text() == "worth keeping\n"
    finally:
        shutil.rmtree(directory)


def test_of_many_that_start_at_once_where_a_pid_file_is_replaced_one_runs(daemon: Daemon) -> None:
    for _ in range(5):
        PID_FILE.unlink(missing_ok=True)
        PID_FILE.write_text("")
        PID_FILE.chmod(0o644)
        starts = [subprocess.Popen(daemon.command(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                  for _ in range(6)]
        errors = [start.communicate(timeout=30)[1] for start in starts]
        assert sorted(start.returncode for start in starts) == [0, 1, 1, 1, 1, 1], errors
        assert all("already running" in error for error in errors if error)
        daemon.adopt()
        assert daemon.stop() == 0


@pytest.mark.parametrize("device", [False, True])
def test_a_pid_file_that_is_no_file_is_refused(daemon: Daemon, device: bool) -> None:
    path = Path("/dev/null") if device else TEMPORARY / "fifo"
    if not device:
        os.mkfifo(path)
    try:
        assert_refused(daemon.run("-P", path), f"{path}: open: not a regular file")
    finally:
        if not device:
            path.unlink()


@pytest.mark.parametrize("path", ["/no/such/directory/scanlogd.pid", "/read-only.pid", "/run", "/proc/scanlogd.pid"])
@pytest.mark.parametrize("options", [(), ("-d",)], ids=["daemon", "foreground"])
def test_a_pid_file_that_cannot_be_written_is_refused(daemon: Daemon, options: tuple[str, ...], path: str) -> None:
    # On the stage the root directory is mounted read-only.
    assert_refused(daemon.run(*options, "-P", path), path)


# The chroot directory.


@contextmanager
def no_chroot_directory() -> Iterator[None]:
    """Takes /var/empty away for the block, which may put something else there."""
    CHROOT.rmdir()
    try:
        yield
    finally:
        if CHROOT.is_dir() and not CHROOT.is_symlink():
            CHROOT.rmdir()
        else:
            CHROOT.unlink(missing_ok=True)
        CHROOT.mkdir(mode=0o755)


@EVERY_START
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777, 0o720, 0o702])
def test_a_chroot_directory_that_others_can_write_to_is_refused(
    daemon: Daemon, options: tuple[str, ...], mode: int
) -> None:
    with no_chroot_directory():
        CHROOT.mkdir()
        CHROOT.chmod(mode)
        assert_refused(daemon.run(*options), str(CHROOT))


@EVERY_START
@pytest.mark.parametrize("owner", ["nobody", "scanlogd"])
def test_a_chroot_directory_of_another_owner_is_refused(
    daemon: Daemon, options: tuple[str, ...], owner: str
) -> None:
    with no_chroot_directory():
        CHROOT.mkdir(mode=0o755)
        shutil.chown(CHROOT, owner)
        assert_refused(daemon.run(*options), str(CHROOT))


@EVERY_START
def test_a_missing_chroot_directory_is_refused(daemon: Daemon, options: tuple[str, ...]) -> None:
    with no_chroot_directory():
        assert_refused(daemon.run(*options), str(CHROOT), "No such file or directory")


@EVERY_START
def test_a_chroot_directory_that_is_a_symbolic_link_is_refused(daemon: Daemon, options: tuple[str, ...]) -> None:
    elsewhere = TEMPORARY / "empty"
    elsewhere.mkdir(mode=0o755)
    try:
        with no_chroot_directory():
            CHROOT.symlink_to(elsewhere)
            assert_refused(daemon.run(*options), str(CHROOT))
    finally:
        elsewhere.rmdir()


@EVERY_START
def test_a_chroot_directory_that_is_a_file_is_refused(daemon: Daemon, options: tuple[str, ...]) -> None:
    with no_chroot_directory():
        CHROOT.touch()
        assert_refused(daemon.run(*options), str(CHROOT))


def test_any_mode_that_only_root_can_write_is_accepted(daemon: Daemon) -> None:
    with no_chroot_directory():
        CHROOT.mkdir()
        CHROOT.chmod(0o555)
        daemon.start()
        assert daemon.stop() == 0


# The user.


@contextmanager
def account(line: str | None) -> Iterator[None]:
    """Replaces the user scanlogd in the password file. It is a bind mount: written over, never renamed."""
    before = ACCOUNTS.read_text()
    others = [entry for entry in before.splitlines() if not entry.startswith("scanlogd:")]
    ACCOUNTS.write_text("\n".join([*others, *([line] if line else [])]) + "\n")
    try:
        yield
    finally:
        ACCOUNTS.write_text(before)


@EVERY_START
def test_a_missing_user_is_refused(daemon: Daemon, options: tuple[str, ...]) -> None:
    with account(None):
        assert_refused(daemon.run(*options), "scanlogd")


@pytest.mark.parametrize("role", [("-r",), ("connections", "--read"), ("connections", "-r", "--read")], ids=" ".join)
def test_an_ordinary_user_reads_a_file_where_nothing_is_installed(role: tuple[str, ...]) -> None:
    file = REPOSITORY / "Tests/Fixtures/captures/clog_sample.pcap"
    command = ["sh", "-c", f'exec "$@" <{file}', "sh", str(BINARY), *role, "-"]
    with no_chroot_directory(), account(None):
        done = finish([*as_nobody(), *command])
    assert (done.status, done.stderr) == (0, "")
    wait_until(lambda: not processes_named(), "a process is left")


@EVERY_START
@pytest.mark.parametrize("ids", [f"0:{GROUP}", "0:0", f"{USER}:0"])
def test_a_user_or_group_that_is_roots_is_refused(daemon: Daemon, options: tuple[str, ...], ids: str) -> None:
    with account(f"scanlogd:x:{ids}::/nonexistent:/usr/sbin/nologin"):
        assert_refused(daemon.run(*options), "scanlogd")


@EVERY_START
@pytest.mark.parametrize("group", [NOBODY, OTHER_GROUP])
def test_another_group_than_the_users_own_is_refused(daemon: Daemon, options: tuple[str, ...], group: int) -> None:
    """That of Debian's old package, say, which whoever has no group is in."""
    with account(f"scanlogd:x:{USER}:{group}::/nonexistent:/usr/sbin/nologin"):
        assert_refused(
            daemon.run(*options), "scanlogd: become user: its primary group is not the group of its name")


@EVERY_START
def test_without_root_there_is_one_clear_line(daemon: Daemon, options: tuple[str, ...]) -> None:
    done = daemon.run(*options, wrapper=[tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert_refused(done)
    assert re.search(r"root|Operation not permitted|Permission denied", done.stderr), done


@EVERY_START
def test_without_the_capability_for_raw_sockets_there_is_one_clear_line(
    daemon: Daemon, options: tuple[str, ...]
) -> None:
    done = daemon.run(*options, wrapper=[tool("setpriv"), "--bounding-set=-net_raw"])
    assert_refused(done, "Operation not permitted")


def test_after_a_refusal_a_start_works(idle_scene: Scene) -> None:
    with no_chroot_directory():
        assert_refused(idle_scene.daemon.run())
    idle_scene.daemon.start()
    idle_scene.sender.send(scan())
    idle_scene.expect(Report(ATTACKER, TARGET, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64))


def test_the_stage_itself_is_as_the_tests_suppose() -> None:
    assert os.getpid() == 1
    assert not os.access("/", os.W_OK)
    assert not Path("/run/scanlogd.pid").exists()
    assert (CHROOT.stat().st_uid, CHROOT.stat().st_mode & 0o7777) == (0, 0o755)
