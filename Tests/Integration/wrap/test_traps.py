"""The traps of scanlogd wrap: commands that rules run for a client, and what bounds them."""

import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import processes_named, status_fields, wait_until
from harness.dns import NameServer
from harness.network import ATTACKER, ATTACKER_6, TARGET, Namespace
from harness.places import BINARY, TEMPORARY
from harness.syslog_sink import NOTICE
from harness.wrap import AccessFiles, Visit, Wrapped, addresses

ECHO = "/bin/echo"
CLIENT = f"{ATTACKER} ({ATTACKER})"
USER, GROUP = 48651, 48652
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups")
LONGEST = 30


@pytest.fixture
def folder() -> Iterator[Path]:
    """What limits traps, and a place that they write to; both are the user's."""
    base = TEMPORARY / "traps"
    subprocess.run(["rm", "-rf", base], check=True, timeout=10)
    for path in (base, base / "limits", base / "out"):
        path.mkdir(mode=0o755)
        os.chown(path, USER, GROUP)
    yield base
    # A trap that a test has left would be one that the program leaves.
    left = [pid for name in ("sh", "sleep", "python3") for pid in processes_named(name) if owner(pid) == USER]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []
    assert processes_named() == []


def owner(pid: int) -> int:
    try:
        return int(status_fields(pid)["Uid"].split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return -1


def wrap(wrapped: Wrapped, folder: Path, *arguments: object, source: str = ATTACKER) -> Visit:
    return wrapped.visit(BINARY, "wrap", "--traps", folder / "limits", *arguments, wrapper=AS_USER, source=source)


def said(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def locked(folder: Path) -> int:
    """How many traps run."""
    count = 0
    for path in folder.glob("limits/run.*"):
        count += subprocess.run(["flock", "-n", path, "true"], timeout=10, check=False).returncode
    return count


def test_a_trap_runs_beside_the_service(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow=f"ALL: ALL: spawn (sleep 0.5; echo trapped %a) > {folder}/out/a")
    visit = wrap(wrapped, folder, ECHO, "in")
    assert (visit.received, visit.line) == (b"in\n", f"connect from {CLIENT}")
    assert visit.seconds < 0.5, "nobody waits for it"
    wait_until(lambda: said(folder / "out/a") == f"trapped {ATTACKER}\n", "no trap")
    wait_until(lambda: locked(folder) == 0, "it is not over")


def test_the_papers_trap_for_tftp_is_one_here(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    """Figure 9, with the keyword that the language has had since: who is not ours is refused, and looked at."""
    rules.write(allow="in.tftpd: LOCAL .example.com", deny=f"in.tftpd: ALL: spawn (echo %d-%h >> {folder}/out/mail) &")
    visit = wrap(wrapped, folder, "--service", "in.tftpd", ECHO, "in")
    assert (visit.received, visit.line) == (b"", f"refused connect from {CLIENT}")
    wait_until(lambda: (folder / "out/mail").exists() and (folder / "out/mail").read_text() == f"in.tftpd-{ATTACKER}\n",
               "no trap")
    wait_until(lambda: locked(folder) == 0, "it is not over")


def test_an_unused_port_has_a_trap(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow=f"telnetd: ALL: spawn echo early > {folder}/out/warning")
    visit = wrap(wrapped, folder, "--service", "telnetd")
    assert (visit.received, visit.line) == (b"", f"connect from {CLIENT}")
    wait_until(lambda: (folder / "out/warning").exists(), "no trap")
    wait_until(lambda: locked(folder) == 0, "it is not over")


def test_a_twist_answers_in_place_of_the_service(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow=r"echo: ALL: twist read line; echo \:$line\: %s; echo to you >&2; exit 7")
    visit = wrapped.visit(BINARY, "wrap", "--traps", folder / "limits", ECHO, "in", wrapper=AS_USER, send=b"hello\n")
    assert visit.received == f":hello: echo@{TARGET}\nto you\n".encode()
    assert (visit.status, visit.line) == (
        0, f"twist {ATTACKER} to read line; echo :$line: echo@{TARGET}; echo to you >&2; exit 7")


def test_a_trap_has_an_environment_of_four_and_three_descriptors(
    wrapped: Wrapped, rules: AccessFiles, folder: Path
) -> None:
    script = folder / "show"
    script.write_text("""
import json, os, signal
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps([dict(os.environ), os.getcwd(), sorted(os.listdir("/proc/self/fd"))[:3],
                  [os.readlink(f"/proc/self/fd/{n}") for n in (0, 2)], status["SigBlk"], os.getsid(0) == os.getppid()
                  or os.getsid(0) == os.getpid()]))
""")
    rules.write(allow=f"ALL: ALL: setenv SECRET x: spawn /usr/bin/python3 -S {folder}/show >{folder}/out/show")
    wrap(wrapped, folder, "--service", "a;service", ECHO)
    wait_until(lambda: said(folder / "out/show").endswith("\n"), "no trap")
    wait_until(lambda: locked(folder) == 0, "it is not over")
    environment, directory, numbers, others, blocked, own_session = json.loads((folder / "out/show").read_text())
    for name in ("PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"):
        environment.pop(name, None)  # the shell's and Python's own
    assert environment == {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SERVICE": "a_service", "CLIENT_ADDR": ATTACKER,
                           "CLIENT_NAME": "unknown"}
    assert (directory, numbers, others) == ("/", ["0", "1", "2"], ["/dev/null"] * 2)
    assert int(blocked, 16) == 0
    assert own_session


# What bounds them.


def test_without_the_option_no_trap_runs(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    for option, verdict in (("spawn", f"connect from {CLIENT}"), ("twist", f"refused connect from {CLIENT}")):
        rules.write(allow=f"ALL: ALL: {option} touch {folder}/out/ran")
        visit = wrapped.visit(BINARY, "wrap", ECHO, "in", wrapper=AS_USER)
        assert visit.lines == ["trap not run (no --traps)", verdict]
        assert visit.messages[0].level == NOTICE
    time.sleep(0.2)
    assert not (folder / "out/ran").exists()


@pytest.mark.parametrize("option", ["spawn", "twist"])
def test_root_runs_no_trap(wrapped: Wrapped, rules: AccessFiles, folder: Path, option: str) -> None:
    os.chown(folder / "limits", 0, 0)
    rules.write(allow=f"ALL: ALL: {option} touch {folder}/out/ran")
    visit = wrapped.wrap("--traps", folder / "limits", ECHO, "in")
    assert visit.lines == [
        f"error: /etc/hosts.allow, line 1: {option}: run as root: the rule must have the option user before it",
        f"refused connect from {CLIENT}"]
    time.sleep(0.2)
    assert not (folder / "out/ran").exists()


def test_root_runs_a_trap_as_the_user_of_the_rule(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    os.chown(folder / "limits", 0, 0)
    rules.write(allow=f"ALL: ALL: user scanlogd: spawn id -u >{folder}/out/id")
    visit = wrapped.wrap("--traps", folder / "limits", "/usr/bin/id", "-un")
    assert (visit.received, visit.line) == (b"scanlogd\n", f"connect from {CLIENT}")
    wait_until(lambda: said(folder / "out/id") == f"{USER}\n", "no trap")
    wait_until(lambda: locked(folder) == 0, "it is not over")


def test_a_source_has_one_trap_in_a_minute(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow=f"ALL: ALL: spawn echo %a >> {folder}/out/count")
    lines: list[str] = []
    for _ in range(50):
        lines += wrap(wrapped, folder, ECHO).lines
    wait_until(lambda: locked(folder) == 0, "it is not over")
    assert (folder / "out/count").read_text() == f"{ATTACKER}\n"
    assert lines.count(f"trap skipped for {ATTACKER}: one ran less than 60 s ago") == 49
    assert lines.count(f"connect from {CLIENT}") == 50
    # Another one has its own.
    wrap(wrapped, folder, ECHO, source=ATTACKER_6)
    wait_until(lambda: (folder / "out/count").read_text() == f"{ATTACKER}\n{ATTACKER_6}\n", "no trap")
    wait_until(lambda: locked(folder) == 0, "it is not over")


def test_the_addresses_of_a_network_of_ipv6_are_one_source(
    wrapped: Wrapped, rules: AccessFiles, folder: Path
) -> None:
    rules.write(allow=f"ALL: ALL: spawn echo %a >> {folder}/out/count")
    assert wrap(wrapped, folder, ECHO, source=ATTACKER_6).lines == [f"connect from {ATTACKER_6} ({ATTACKER_6})"]
    with addresses(wrapped.attacker, "fd77::9"):
        lines = wrap(wrapped, folder, ECHO, source="fd77::9").lines
    assert lines[0] == "trap skipped for fd77::9: one ran less than 60 s ago"
    wait_until(lambda: locked(folder) == 0, "it is not over")


@pytest.mark.long
def test_four_run_at_a_time(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    """Twenty sources at once."""
    rules.write(allow=f"ALL: ALL: spawn echo %a >> {folder}/out/count; sleep 3")
    sources = [f"10.77.0.{number}" for number in range(101, 121)]
    with addresses(wrapped.attacker, *sources):
        for source in sources:
            wrapped.target.run("ip", "neighbour", "replace", source, "lladdr", "02:00:00:00:77:01", "dev", "wire",
                               "nud", "permanent")
        pairs = [wrapped.pair(source) for source in sources]
        with wrapped.target.entered():
            processes = [wrapped.start(server, BINARY, "wrap", "--traps", folder / "limits", ECHO, wrapper=AS_USER)
                         for _, server in pairs]
        for process in processes:
            assert process.wait(20) == 0
        for ends in pairs:
            for end in ends:
                end.close()
        wait_until(lambda: (folder / "out/count").read_text().count("\n") == 4, "not four")
        assert locked(folder) == 4
        texts = [message.text for message in wrapped.log.messages]
        assert sum(text.endswith(": 4 run") and text.startswith("trap skipped for 10.77.0.") for text in texts) == 16
        assert sum(text.startswith("connect from") for text in texts) == 20
        wait_until(lambda: locked(folder) == 0, "they are not over", 10)
        # A source that was skipped is none that had one.
        skipped = next(text for text in texts if text.startswith("trap skipped")).split()[3].rstrip(":")
        assert wrap(wrapped, folder, ECHO, source=skipped).lines == [f"connect from {skipped} ({skipped})"]
        wait_until(lambda: locked(folder) == 0, "it is not over", 10)
    assert sorted(path.name for path in (folder / "limits").iterdir()) == [
        "run.0", "run.1", "run.2", "run.3", "sources"]


# A command that does what it can to stay: it ignores signals, forks, and leaves its session.
STUBBORN = r"""
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
for kind in range(3):
    if os.fork() == 0:
        if kind: os.setsid()
        if kind == 2 and os.fork(): os._exit(0)
        break
open(sys.argv[1], "a").write(f"{os.getpid()}\n")
time.sleep(600)
"""


@pytest.mark.long
@pytest.mark.parametrize("option", ["spawn", "twist"])
def test_a_trap_is_killed_with_all_that_it_started(
    wrapped: Wrapped, rules: AccessFiles, folder: Path, option: str
) -> None:
    (folder / "stubborn").write_text(STUBBORN)
    rules.write(allow=f"ALL: ALL: {option} trap '' TERM; /usr/bin/python3 {folder}/stubborn {folder}/out/pids & sleep 500")
    client, server = wrapped.pair()
    begin = time.monotonic()
    with client:
        with wrapped.target.entered():
            process = wrapped.start(server, BINARY, "wrap", "--traps", folder / "limits", ECHO, wrapper=AS_USER)
        server.close()
        wait_until(lambda: (folder / "out/pids").exists() and (folder / "out/pids").read_text().count("\n") == 4,
                   "not all have started")
        pids = [int(line) for line in (folder / "out/pids").read_text().split()]
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        # Its time is not over.
        time.sleep(max(0, LONGEST - 4 - (time.monotonic() - begin)))
        assert locked(folder) == 1
        wait_until(lambda: locked(folder) == 0, "it stays", 8)
        assert process.wait(20) == 0
    for pid in pids:
        wait_until(lambda: not Path(f"/proc/{pid}").exists() or status_fields(pid)["State"].startswith("Z"),  # noqa: B023
                   "a process stays")
    texts = [message.text for message in wrapped.log.messages]
    assert texts[-1] == f"trap killed for {ATTACKER}: it took {LONGEST} s"


def test_who_ends_the_wrapper_ends_the_twist(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow="ALL: ALL: twist sleep 500 & sleep 400")
    client, server = wrapped.pair()
    with client, server:
        with wrapped.target.entered():
            process = wrapped.start(server, BINARY, "wrap", "--traps", folder / "limits", ECHO, wrapper=AS_USER)
        wait_until(lambda: len([pid for pid in processes_named("sleep") if owner(pid) == USER]) == 2, "no trap")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    wait_until(lambda: [pid for pid in processes_named("sleep") if owner(pid) == USER] == [], "it stays")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_leaves_nothing_locked(
    wrapped: Wrapped, rules: AccessFiles, folder: Path, number: signal.Signals
) -> None:
    rules.write(allow="ALL: ALL: spawn exec sleep 500")
    wrap(wrapped, folder, ECHO)
    wait_until(lambda: len(processes_named()) == 1, "no trap")
    wait_until(lambda: len([pid for pid in processes_named("sleep") if owner(pid) == USER]) == 1, "no trap")
    (keeper,) = processes_named()
    os.kill(keeper, number)
    wait_until(lambda: locked(folder) == 0, "it is locked")
    wait_until(lambda: [pid for pid in processes_named("sleep") if owner(pid) == USER] == [], "the command stays")


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda path: path.chmod(0o775), "use for traps: others may write to it"),
    (lambda path: path.chmod(0o757), "use for traps: others may write to it"),
    (lambda path: os.chown(path, 65534, 65534), "use for traps: it belongs to another user"),
    (lambda path: (path.rename(f"{path}.real"), path.symlink_to(f"{path}.real")), "open: Not a directory"),
    (lambda path: (path.rmdir(), path.touch()), "open: Not a directory"),
    (lambda path: path.rmdir(), "open: No such file or directory"),
    (lambda path: (path / "sources").mkdir(), "open file in it: Is a directory"),
    (lambda path: (path / "sources").symlink_to("/etc/passwd"), "open file in it: Too many levels of symbolic links"),
    (lambda path: (path / "run.0").symlink_to("/etc/passwd"), "open file in it: Too many levels of symbolic links"),
    (lambda path: os.mkfifo(path / "sources"), "open file in it: not a regular file"),
])
def test_a_directory_that_can_not_be_trusted_has_no_trap_run(
    wrapped: Wrapped, rules: AccessFiles, folder: Path, spoil: object, reason: str
) -> None:
    if "mkfifo" in str(reason):
        os.chown(folder / "limits/sources", USER, GROUP)
    spoil(folder / "limits")  # type: ignore[operator]
    for path in (folder / "limits").iterdir() if (folder / "limits").is_dir() else ():
        os.chown(path, USER, GROUP, follow_symlinks=False)
    for option, verdict in (("spawn", f"connect from {CLIENT}"), ("twist", f"refused connect from {CLIENT}")):
        rules.write(allow=f"ALL: ALL: {option} touch {folder}/out/ran")
        assert wrap(wrapped, folder, ECHO).lines == [f"warning: {folder}/limits: {reason}", verdict]
    time.sleep(0.2)
    assert not (folder / "out/ran").exists()


def test_a_full_disk_has_no_trap_run(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    limits = folder / "limits"
    subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", f"size=4k,uid={USER},mode=755", "full", limits], check=True,
                   timeout=10)
    try:
        (limits / "ballast").write_bytes(b"x" * 4096)
        rules.write(allow=f"ALL: ALL: spawn touch {folder}/out/ran")
        lines = wrap(wrapped, folder, ECHO).lines
        assert lines == [f"warning: {limits}: write file in it: No space left on device", f"connect from {CLIENT}"]
    finally:
        subprocess.run(["umount", "-n", limits], check=True, timeout=10)
    time.sleep(0.2)
    assert not (folder / "out/ran").exists()


def test_any_bytes_in_the_list_of_sources_are_survived(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow=f"ALL: ALL: spawn echo x >> {folder}/out/count")
    for content in (b"", b"x", b"\xff" * 30000, b"\0" * 12288, os.urandom(12288)):
        (folder / "limits/sources").write_bytes(content)
        os.chown(folder / "limits/sources", USER, GROUP)
        assert wrap(wrapped, folder, ECHO).lines == [f"connect from {CLIENT}"]
        wait_until(lambda: locked(folder) == 0, "it is not over")
        assert (folder / "limits/sources").stat().st_size <= 30000
    assert (folder / "out/count").read_text() == "x\n" * 5


def test_as_many_sources_are_remembered_as_there_is_room_for(
    wrapped: Wrapped, rules: AccessFiles, folder: Path
) -> None:
    now = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1e9)
    (folder / "limits/sources").write_bytes(b"".join(struct.pack("QQq", number, 4, now) for number in range(512)))
    os.chown(folder / "limits/sources", USER, GROUP)
    rules.write(allow=f"ALL: ALL: spawn touch {folder}/out/ran")
    assert wrap(wrapped, folder, ECHO).lines == [
        f"trap skipped for {ATTACKER}: traps ran for too many others less than 60 s ago", f"connect from {CLIENT}"]
    assert not (folder / "out/ran").exists()


def test_no_process_for_a_trap_is_a_warning(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    setup = ("import os, resource, sys; os.setgroups([]); os.setgid(48652); "
             "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)); os.setuid(48778); os.execv(sys.argv[1], sys.argv[1:])")
    for option, verdict in (("spawn", f"connect from {CLIENT}"), ("twist", None)):
        subprocess.run(["rm", "-rf", folder / "limits"], check=True, timeout=10)
        (folder / "limits").mkdir(mode=0o755)
        os.chown(folder / "limits", 48778, GROUP)  # whose processes are counted, which no other user's are
        rules.write(allow=f"ALL: ALL: {option} touch {folder}/out/ran")
        visit = wrapped.visit("/usr/bin/python3", "-c", setup, BINARY, "wrap", "--traps", folder / "limits", ECHO,
                              executable="/usr/bin/python3")
        assert visit.lines[-2 if verdict else -1] == "warning: trap: fork: Resource temporarily unavailable"
        assert verdict is None or visit.lines[-1] == verdict
    assert not (folder / "out/ran").exists()


def test_a_datagram_has_no_trap(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    """Its source can be anybody's."""
    rules.write(allow=f"ALL: ALL: spawn touch {folder}/out/ran")
    with wrapped.target.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as server, \
            wrapped.attacker.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.bind((TARGET, 0))
        client.sendto(b"request", server.getsockname())
        time.sleep(0.05)
        with wrapped.target.entered():
            process = wrapped.start(server, BINARY, "wrap", "--traps", folder / "limits", "/bin/true", wrapper=AS_USER)
        assert process.wait(20) == 0
    assert [message.text for message in wrapped.log.messages] == [
        "trap not run (no TCP connection)", f"connect from {CLIENT}"]
    time.sleep(0.2)
    assert not (folder / "out/ran").exists()


# What a client can say.


@pytest.mark.parametrize("name", [
    [b"$(touch", b"ran)"], [b"`touch ran`", b"com"], [b";touch ran;", b"com"], [b"a\ntouch ran", b"com"],
    [b"'; touch ran; '", b"com"], [b'"; touch ran; "', b"com"], [b"-rf", b"com"], [b"&touch ran", b"com"],
    [b"|touch ran", b"com"], [b">ran", b"com"], [b"%c$IFS", b"com"], [b"..", b"com"],
])
def test_no_name_is_anything_but_text_for_the_shell(
    wrapped: Wrapped, rules: AccessFiles, folder: Path, names: NameServer, name: list[bytes]
) -> None:
    names.points(ATTACKER, name)
    names.addresses_of_others = [ATTACKER]
    letters = "aAcdhHnNprRsu%"
    expansions = " ".join(f"%{letter}" for letter in letters)
    rules.write(allow=f"ALL: ALL: spawn cd {folder}/out; echo {expansions} \"$SERVICE $CLIENT_NAME\" > said; rm -f %n %d")
    visit = wrap(wrapped, folder, "--names", "--service", "-x;touch", ECHO)
    assert visit.lines[-1].startswith("connect from ")
    wait_until(lambda: locked(folder) == 0, "it is not over")
    assert [path.name for path in (folder / "out").iterdir()] == ["said"]
    words = (folder / "out/said").read_text()
    assert words.count("\n") == 1
    assert set(words) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%-_=+:,./ \n")
    assert not any(word.startswith("-") for word in words.split())


def test_a_twist_over_a_limit_refuses(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow="ALL: ALL: twist echo hello")
    assert wrap(wrapped, folder, ECHO).received == b"hello\n"
    visit = wrap(wrapped, folder, ECHO, "in")
    assert visit.received == b""
    assert visit.lines == [
        f"trap skipped for {ATTACKER}: one ran less than 60 s ago", f"refused connect from {CLIENT}"]


def test_a_command_that_is_too_long_denies(wrapped: Wrapped, rules: AccessFiles, folder: Path) -> None:
    rules.write(allow="ALL: ALL: spawn true " + "%d" * 900)
    visit = wrap(wrapped, folder, "--service", "x" * 200, ECHO, "in")
    assert visit.received == b""
    assert visit.lines == [
        "error: /etc/hosts.allow, line 1: spawn: expand: too long", f"refused connect from {CLIENT}"]
