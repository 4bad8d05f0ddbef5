"""scanlogd wrap: who is logged, who is refused, and what becomes of the service."""

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from harness.daemon import finish
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace, tool
from harness.places import BINARY, LOG_SOCKET, STAGE, TEMPORARY
from harness.syslog_sink import INFORMATION, LOG_DAEMON, WARNING
from harness.wrap import AccessFiles, Visit, Wrapped, addresses

ECHO = "/bin/echo"
ERROR = 3
NO_NAME = ": service: a name has 1 to 255 printable characters, and no blank"
CLIENT = f"{ATTACKER} ({ATTACKER})"
CLIENT_6 = f"{ATTACKER_6} ({ATTACKER_6})"
# A service that says what it was given.
SHOW = """
import json, os, resource, signal, sys
report = {
    "argv": sys.argv[1:], "env": dict(os.environ), "umask": os.umask(0), "nice": os.nice(0), "cwd": os.getcwd(),
    "fds": {name: os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{name}")},
    "ids": [os.getresuid(), os.getresgid(), sorted(os.getgroups())],
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")},
    "status": {k: v.strip() for k, v in (l.split(":", 1) for l in open("/proc/self/status"))
               if k.startswith(("SigB", "SigI", "SigC", "Cap", "NoNewPrivs", "Seccomp"))},
    "session": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
    "children": open("/proc/thread-self/children").read(),
}
os.write(1, json.dumps(report).encode())
"""


def show(visit: Visit) -> dict[str, object]:
    assert visit.received, visit
    report: dict[str, object] = json.loads(visit.received)
    return report


def only_line(visit: Visit, level: int, facility: int = LOG_DAEMON) -> str:
    (message,) = visit.messages
    assert (message.level, message.facility) == (level, facility), message
    return message.text


@pytest.mark.parametrize(("source", "client"), [(ATTACKER, CLIENT), (ATTACKER_6, CLIENT_6)])
def test_a_connection_is_logged_and_reaches_the_service(wrapped: Wrapped, source: str, client: str) -> None:
    visit = wrapped.wrap(ECHO, "hello", "there", source=source)
    assert (visit.received, visit.status) == (b"hello there\n", 0)
    (message,) = visit.messages
    assert (message.ident, message.level, message.text) == ("echo", INFORMATION, f"connect from {client}")
    assert message.pid


@pytest.mark.parametrize(("source", "client"), [(ATTACKER, CLIENT), (ATTACKER_6, CLIENT_6)])
def test_who_is_refused_reaches_nothing(wrapped: Wrapped, rules: AccessFiles, source: str, client: str) -> None:
    rules.write(deny="ALL: ALL")
    visit = wrapped.wrap(ECHO, "hello", source=source, send=b"GET /\r\n")
    assert (visit.received, visit.status) == (b"", 0)
    assert only_line(visit, WARNING) == f"refused connect from {client}"
    assert visit.messages[0].ident == "echo"


def test_the_log_has_a_line_for_each_service(wrapped: Wrapped, rules: AccessFiles) -> None:
    """The paper's figure 2: telnet, finger, login and shell, with who connects."""
    rules.write(deny="in.rshd in.rlogind: ALL")
    lines = []
    for name in ("in.telnetd", "in.fingerd", "in.rlogind", "in.rshd"):
        visit = wrapped.wrap("--service", name, "/bin/true")
        lines += [f"{message.ident}: {message.text}" for message in visit.messages]
    assert lines == [
        f"in.telnetd: connect from {CLIENT}", f"in.fingerd: connect from {CLIENT}",
        f"in.rlogind: refused connect from {CLIENT}", f"in.rshd: refused connect from {CLIENT}",
    ]


def test_the_first_file_grants_before_the_second_denies(wrapped: Wrapped, rules: AccessFiles) -> None:
    """The paper's figures 6 and 7: everything for our own network, nothing for others."""
    rules.write(allow="ALL: 10.77.0.", deny="ALL: ALL")
    assert wrapped.wrap(ECHO, "in").received == b"in\n"
    with addresses(wrapped.attacker, "10.78.0.9"), route(wrapped.target, "10.78.0.9"):
        visit = wrapped.wrap(ECHO, "in", source="10.78.0.9")
    assert (visit.received, visit.line) == (b"", "refused connect from 10.78.0.9 (10.78.0.9)")


class route:
    """Lets a host answer an address that is not on its wire's network."""

    def __init__(self, namespace: Namespace, address: str) -> None:
        self._namespace, self._address = namespace, address

    def __enter__(self) -> None:
        self._namespace.run("ip", "route", "replace", self._address, "dev", "wire")
        # The attacker's hardware address, as the harness has it for others.
        self._namespace.run("ip", "neighbour", "replace", self._address, "lladdr", "02:00:00:00:77:01", "dev", "wire",
                            "nud", "permanent")

    def __exit__(self, *_: object) -> None:
        self._namespace.run("ip", "route", "del", self._address, "dev", "wire")
        self._namespace.run("ip", "neighbour", "del", self._address, "dev", "wire")


@pytest.mark.parametrize(("source", "is_granted"), [
    ("1.2.3.4", True), ("1.2.4.4", False), ("3ffe:ffff:100:200::9", True), ("3ffe:ffff:100:201::9", False),
])
def test_the_rules_of_the_ipv6_howto_are_obeyed(
    wrapped: Wrapped, rules: AccessFiles, source: str, is_granted: bool
) -> None:
    rules.write(allow="sshd: 1.2.3. [3ffe:ffff:100:200::]/64\ndaytime-stream: ALL", deny="ALL: ALL")
    with addresses(wrapped.attacker, source), route(wrapped.target, source):
        visit = wrapped.wrap("--service", "sshd", ECHO, "in", source=source)
        other = wrapped.wrap("--service", "daytime-stream", ECHO, "in", source=source)
    assert visit.line == f"{'' if is_granted else 'refused '}connect from {source} ({source})"
    assert visit.received == (b"in\n" if is_granted else b"")
    assert other.received == b"in\n"


@pytest.mark.parametrize("how", ["wrap", "as_tcpd"])
def test_the_program_is_executed_as_it_would_be_by_tcpd(wrapped: Wrapped, how: str) -> None:
    """The same arguments, environment, descriptors, signals and limits."""
    env = {"PATH": "/usr/bin:/bin", "ODD": "a b\tc", "LC_ALL": "C.UTF-8"}
    # A super-server may ignore signals, and block some.
    setup = ("import os, signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_IGN); "
             "signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.pthread_sigmask(signal.SIG_BLOCK, "
             "[signal.SIGUSR1, signal.SIGALRM]); os.umask(0); os.execv(sys.argv[1], sys.argv[2:])")
    ours = [str(BINARY), "scanlogd", "wrap"] if how == "wrap" else [str(TEMPORARY / "wrap-bin/tcpd")]
    wrapped.as_tcpd(ECHO)  # makes the link
    seen = []
    for program in (["/usr/sbin/tcpd"], ours):
        command = ["/usr/bin/python3", "-c", setup, *program, "/usr/bin/python3", "-c", SHOW, "-l", "--names"]
        seen.append(show(wrapped.visit(*command, executable=command[0], env=env)))
        # The numbers of sockets differ.
        seen[-1]["fds"] = {number: name.partition("[")[0]  # type: ignore[attr-defined]
                           for number, name in seen[-1]["fds"].items()}  # type: ignore[attr-defined]
    assert seen[0] == seen[1]
    assert seen[1]["argv"] == ["-l", "--names"]
    assert set(seen[1]["fds"]) == {"0", "1", "2"}  # type: ignore[call-overload]


def test_standard_streams_that_were_closed_are_closed_for_the_service(wrapped: Wrapped) -> None:
    script = "import os; os.write(0, repr([os.path.exists(f'/proc/self/fd/{n}') for n in range(5)]).encode())"
    client, server = wrapped.pair()
    with client, server:
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", BINARY, "wrap", "/usr/bin/python3", "-S", "-c", script],
            stdin=server, timeout=20, check=False)
        server.shutdown(socket.SHUT_RDWR)
        # Python opens nothing by itself; listing the folder is what it does not do here.
        assert (done.returncode, client.recv(100)) == (0, b"[True, False, False, False, False]")


@pytest.mark.parametrize(("before", "after"), [("0", 0o22), ("022", 0o22), ("077", 0o77), ("4", 0o26)])
def test_no_service_has_its_files_written_by_others(wrapped: Wrapped, before: str, after: int) -> None:
    """tcpd sets 022, and forgets a stricter mask."""
    setup = f'umask {before}; exec "$@"'
    visit = wrapped.visit("sh", "-c", setup, "sh", BINARY, "wrap", "/usr/bin/python3", "-c", SHOW, executable="/bin/sh")
    assert show(visit)["umask"] == after


def test_a_program_without_a_slash_is_looked_for_where_tcpd_does(wrapped: Wrapped) -> None:
    visit = wrapped.wrap("no-such-daemon", "-l")
    assert visit.status == 1
    assert visit.lines == [
        f"connect from {CLIENT}", "error: cannot execute /usr/sbin/no-such-daemon: No such file or directory"]
    assert [message.ident for message in visit.messages] == ["no-such-daemon"] * 2


@pytest.mark.parametrize(("program", "reason"), [
    ("/usr", "Permission denied"), ("/etc/passwd", "Permission denied"), ("/usr/bin/none", "No such file or directory"),
    ("/etc/passwd/x", "Not a directory"), ("/" + "x" * 300 + "/y", "File name too long"), ("/" + "x/" * 4200 + "y", None),
])
def test_what_can_not_be_executed_is_one_error(wrapped: Wrapped, program: str, reason: str | None) -> None:
    visit = wrapped.wrap(program)
    assert (visit.status, visit.received) == (1, b"")
    assert [message.level for message in visit.messages] == [INFORMATION, ERROR]
    assert visit.lines[1].startswith("error: cannot execute /")
    assert visit.lines[1].endswith(reason or "the path is too long")


def test_options_end_where_the_program_begins(wrapped: Wrapped) -> None:
    assert wrapped.wrap(ECHO, "--names", "-h").received == b"--names -h\n"
    assert wrapped.wrap("--", ECHO, "--", "-x").received == b"-- -x\n"
    assert wrapped.wrap("--service=x", "--", ECHO, "a").messages[0].ident == "x"


def test_without_a_program_the_connection_is_logged_judged_and_closed(wrapped: Wrapped, rules: AccessFiles) -> None:
    visit = wrapped.wrap("--service", "telnetd", send=b"root\r\n")
    assert (visit.received, visit.status, visit.line) == (b"", 0, f"connect from {CLIENT}")
    rules.write(deny="telnetd: ALL")
    visit = wrapped.wrap("--service", "telnetd")
    assert (visit.received, visit.status, visit.line) == (b"", 0, f"refused connect from {CLIENT}")
    assert visit.messages[0].ident == "telnetd"


@pytest.mark.parametrize(("arguments", "reason"), [
    ((), "error: --service: option: needed if no program follows"),
    (("--bogus", ECHO), "error: --bogus: option: unknown, ambiguous, or without the argument that it needs"),
    (("--traps",), "error: --traps: option: unknown, ambiguous, or without the argument that it needs"),
    (("--names", "--names", ECHO), "error: --names: option: given twice"),
    (("--refuse-delay", "3601", ECHO), "error: 3601: refuse delay: must be 0 to 3600 seconds"),
    (("--refuse-delay", "-1", ECHO), "error: -1: refuse delay: must be 0 to 3600 seconds"),
    (("--service", "", ECHO), f"error: {NO_NAME}"),
    (("--service", "x" * 256, ECHO), f"error: {'x' * 256}{NO_NAME}"),
    (("/" + "x" * 256,), f"error: {'x' * 256}{NO_NAME}"),
    (("--service", "a b", ECHO), f"error: a b{NO_NAME}"),
    (("/bin/",), f"error: .{NO_NAME}"),
])
def test_a_wrong_command_line_is_an_error_in_the_log_and_nothing_for_the_client(
    wrapped: Wrapped, arguments: tuple[str, ...], reason: str
) -> None:
    visit = wrapped.wrap(*arguments)
    assert (visit.received, visit.status, visit.lines) == (b"", 2, [reason])
    assert (visit.messages[0].ident, visit.messages[0].level) == ("scanlogd", ERROR)


def test_an_administrator_sees_errors_and_help_on_a_terminal(wrapped: Wrapped) -> None:
    done = finish([str(BINARY), "wrap", "--bogus"])
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "scanlogd: --bogus: option: unknown, ambiguous, or without the argument that it needs",
        "scanlogd: try 'scanlogd wrap --help'"]
    done = finish([str(BINARY), "wrap", "--help"])
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: scanlogd wrap [--allow FILE]")


def test_under_the_name_of_tcpd_no_option_is_read(wrapped: Wrapped, rules: AccessFiles) -> None:
    visit = wrapped.as_tcpd(ECHO, "--service", "x", "-h")
    assert (visit.received, visit.messages[0].ident) == (b"--service x -h\n", "echo")
    rules.write(deny="echo: ALL")
    visit = wrapped.as_tcpd(ECHO, "wrap")
    assert (visit.received, visit.line) == (b"", f"refused connect from {CLIENT}")


def test_files_may_be_named(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow="ALL: ALL")
    (TEMPORARY / "other").write_text("ALL: ALL\n")
    visit = wrapped.wrap("--allow", "/dev/null", "--deny", TEMPORARY / "other", ECHO)
    assert visit.line == f"refused connect from {CLIENT}"


@pytest.mark.parametrize(("option", "lines"), [
    ("--allow", ["warning: /nonexistent: open: No such file or directory", f"connect from {CLIENT}"]),
    ("--deny", ["error: /nonexistent: open: No such file or directory", f"refused connect from {CLIENT}"]),
])
def test_a_named_file_that_is_not_there_grants_nothing(wrapped: Wrapped, option: str, lines: list[str]) -> None:
    assert wrapped.wrap(option, "/nonexistent", ECHO).lines == lines


def test_a_rule_that_is_wrong_denies_and_says_where(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow="# ours\n\nALL: 10. : severity bogus")
    visit = wrapped.wrap(ECHO)
    assert visit.lines == [
        'error: /etc/hosts.allow, line 3: "bogus": no facility or level that libwrap knows: the rule denies',
        f"refused connect from {CLIENT}"]
    assert [message.level for message in visit.messages] == [ERROR, WARNING]


def test_lines_that_are_wrong_are_warned_about_and_not_without_end(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow="no rule\n" * 1000 + "ALL: ALL")
    lines = wrapped.wrap(ECHO).lines
    assert lines[0] == 'warning: /etc/hosts.allow, line 1: no ":": the line is skipped'
    assert lines[7:] == [
        'warning: /etc/hosts.allow, line 8: no ":": the line is skipped',
        "warning: /etc/hosts.allow, line 9: there are more: try 'scanlogd rules check'", f"connect from {CLIENT}"]


@pytest.mark.parametrize(("rule", "facility", "level"), [
    ("severity debug", LOG_DAEMON, 7), ("severity mail.notice", 2, 5), ("severity local7.err", 23, 3),
    ("severity auth.info", 4, 6),
])
@pytest.mark.parametrize("verdict", ["allow", "deny"])
def test_severity_is_that_of_the_line(
    wrapped: Wrapped, rules: AccessFiles, rule: str, facility: int, level: int, verdict: str
) -> None:
    rules.write(allow=f"ALL: ALL: {rule}: {verdict}")
    assert only_line(wrapped.wrap(ECHO), level, facility).endswith(f"connect from {CLIENT}")


def test_options_are_for_the_service(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow=r"ALL: ALL: setenv WHO %c\:%d at %s, %u%%: umask 027: nice 3: keepalive: linger 4: rfc931 2")
    seen = show(wrapped.wrap("/usr/bin/python3", "-c", SHOW))
    assert seen["env"]["WHO"] == f"{ATTACKER}:python3 at python3@{TARGET}, unknown%"  # type: ignore[index]
    assert (seen["umask"], seen["nice"]) == (0o27, 3)


def test_socket_options_are_set(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow="ALL: ALL: keepalive: linger 4")
    script = ("import os, socket; s = socket.socket(fileno=0); os.write(1, repr((s.getsockopt(socket.SOL_SOCKET, "
              "socket.SO_KEEPALIVE), s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))).encode())")
    assert wrapped.wrap("/usr/bin/python3", "-c", script).received == rb"(1, b'\x01\x00\x00\x00\x04\x00\x00\x00')"


@pytest.mark.parametrize(("option", "ids"), [
    ("user scanlogd", [[48651] * 3, [48652] * 3, [48652, 48653]]),
    ("user scanlogd.scanbait", [[48651] * 3, [48653] * 3, [48653]]),
])
def test_the_service_becomes_a_user(wrapped: Wrapped, rules: AccessFiles, option: str, ids: list[list[int]]) -> None:
    rules.write(allow=f"ALL: ALL: {option}")
    assert show(wrapped.wrap("/usr/bin/python3", "-c", SHOW))["ids"] == ids


def test_who_can_not_become_a_user_is_denied(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow="ALL: ALL: user root")
    other = ("setpriv", "--reuid=48651", "--regid=48652", "--clear-groups")
    visit = wrapped.visit(BINARY, "wrap", ECHO, "in", wrapper=other)
    assert visit.received == b""
    assert visit.lines == [
        "error: /etc/hosts.allow, line 1: root: set groups: Operation not permitted",
        f"refused connect from {CLIENT}"]
    rules.write(allow="ALL: ALL: user nosuchuser")
    assert wrapped.wrap(ECHO).lines == [
        'error: /etc/hosts.allow, line 1: "nosuchuser": no such user: the rule denies',
        f"refused connect from {CLIENT}"]


def test_an_ordinary_user_needs_no_more(wrapped: Wrapped) -> None:
    other = ("setpriv", "--reuid=48651", "--regid=48652", "--clear-groups", "--bounding-set=-all", "--no-new-privs")
    visit = wrapped.visit(BINARY, "wrap", ECHO, "in", wrapper=other)
    assert (visit.received, visit.line) == (b"in\n", f"connect from {CLIENT}")


@pytest.mark.parametrize("verdict", ["allow", "deny"])
def test_a_banner_is_sent_before_the_service_or_the_refusal(
    wrapped: Wrapped, rules: AccessFiles, verdict: str
) -> None:
    folder = TEMPORARY / "banners"
    folder.mkdir(exist_ok=True)
    (folder / "echo").write_text("Hello %h, this is %H.\nNo %q %%\n")
    rules.write(allow=f"ALL: ALL: banners {folder}: {verdict}")
    # What the client has sent is not read, which must not cost it the banner.
    visit = wrapped.wrap(ECHO, "in", send=b"x" * 1000)
    banner = f"Hello {ATTACKER}, this is {TARGET}.\r\nNo  %\r\n".encode()
    assert visit.received == banner + (b"in\n" if verdict == "allow" else b"")
    assert wrapped.wrap("--service", "other", ECHO, "in").received == (b"in\n" if verdict == "allow" else b"")


def test_a_client_that_does_not_read_its_banner_can_not_hold_the_wrapper(wrapped: Wrapped, rules: AccessFiles) -> None:
    folder = TEMPORARY / "banners"
    folder.mkdir(exist_ok=True)
    (folder / "long").write_text("%c" * 32000)
    rules.write(allow=f"ALL: ALL: banners {folder}: deny")
    client, server = wrapped.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with client, server:
        process = wrapped.start(server, "scanlogd", "wrap", "--service", "long")
        assert process.wait(20) == 0


def test_a_refusal_is_delayed_if_asked(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(deny="ALL: ALL")
    client, server = wrapped.pair()
    with client:
        begin = time.monotonic()
        process = wrapped.start(server, "scanlogd", "wrap", "--refuse-delay", "1", ECHO)
        server.close()
        assert client.recv(10) == b""
        assert time.monotonic() - begin < 0.9, "the client waits as well"
        assert process.wait(20) == 0
    assert time.monotonic() - begin >= 1


@pytest.fixture(scope="module")
def source_route() -> Path:
    """What makes the kernel's answer one that a network hardly lets through any more."""
    library = STAGE / "source_route.so"
    source = Path(__file__).with_name("source_route.c")
    subprocess.run([tool("cc"), "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", library, source], check=True,
                   timeout=60)
    return library


def test_a_source_route_is_refused_whatever_the_rules_say(
    wrapped: Wrapped, rules: AccessFiles, source_route: Path
) -> None:
    rules.write(allow="ALL: ALL")
    visit = wrapped.wrap(ECHO, "in", env={"LD_PRELOAD": str(source_route)})
    assert (visit.received, visit.status) == (b"", 0)
    assert visit.line == f"refused connect from {ATTACKER} with IP source routing options"
    assert visit.messages[0].level == WARNING


def test_other_ip_options_are_ignored_and_logged(wrapped: Wrapped) -> None:
    visit = wrapped.wrap(ECHO, "in", ip_options=bytes([7, 7, 4, 0, 0, 0, 0, 0]))  # record route
    assert visit.received == b"in\n"
    assert visit.lines == [f"connect from {ATTACKER} with IP options (ignored)", f"connect from {CLIENT}"]


# What is no connection.


@pytest.mark.parametrize(("kind", "reason"), [
    ("pipe", "Socket operation on non-socket"), ("file", "Socket operation on non-socket"),
    ("closed", "Bad file descriptor"),
])
@pytest.mark.parametrize("is_granted", [True, False])
def test_what_is_no_socket_is_a_client_that_is_not_known(
    wrapped: Wrapped, rules: AccessFiles, kind: str, reason: str, is_granted: bool
) -> None:
    rules.write(deny="" if is_granted else "ALL: UNKNOWN")
    mark = TEMPORARY / "ran"
    mark.unlink(missing_ok=True)
    redirection = {"pipe": "true | exec", "file": "exec </etc/passwd", "closed": "exec <&-"}[kind]
    done = finish(["sh", "-c", f'{redirection} "$@"', "sh", str(BINARY), "wrap", "/usr/bin/touch", str(mark)])
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    lines = [message.text for message in wrapped.log.messages]
    assert lines == [f"warning: client: get address: {reason}",
                     f"{'' if is_granted else 'refused '}connect from unknown (unknown)"]
    assert mark.exists() == is_granted


def test_a_client_that_has_gone_is_judged_by_what_is_known(wrapped: Wrapped) -> None:
    """A reset before the wrapper runs: the kernel no longer knows whose connection it was."""
    client, server = wrapped.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.close()
    time.sleep(0.05)
    with server:
        assert wrapped.start(server, "scanlogd", "wrap", ECHO).wait(20) == -signal.SIGPIPE, "that is the service's"
    lines = [message.text for message in wrapped.log.messages]
    assert lines[-1] == "connect from unknown (unknown)"
    assert lines[0].startswith("warning: client: get address: ")
    assert len(lines) == 2


def test_without_a_log_connections_are_judged_all_the_same(wrapped: Wrapped, rules: AccessFiles) -> None:
    wrapped.log.close()
    LOG_SOCKET.unlink(missing_ok=True)
    visits = []
    for deny in ("", "ALL: ALL"):
        rules.write(deny=deny)
        client, server = wrapped.pair()
        with client:
            process = wrapped.start(server, "scanlogd", "wrap", ECHO, "in")
            server.close()
            visits.append((client.recv(100), process.wait(20)))
    assert visits == [(b"in\n", 0), (b"", 0)]


def test_a_log_that_takes_nothing_delays_but_does_not_stop(wrapped: Wrapped) -> None:
    wrapped.log.close()
    LOG_SOCKET.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
        full.bind(str(LOG_SOCKET))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    sender.sendto(b"x", str(LOG_SOCKET))
        client, server = wrapped.pair()
        with client:
            process = wrapped.start(server, "scanlogd", "wrap", ECHO, "in")
            server.close()
            assert (client.recv(100), process.wait(20)) == (b"in\n", 0)
    LOG_SOCKET.unlink()


@pytest.mark.parametrize("content", [
    b"\0", b"ALL: ALL\0", b"\xff\xfe: \x01\x02\x1b[2J: spawn \x07\n", b":" * 2047, b"[" * 5000, b"ALL: " + b"*a" * 900 + b"\n",
    b"ALL: /etc/hosts.deny\n", b"ALL:ALL:" + b"setenv A %c:" * 100 + b"deny\n", b"\\\n" * 5000,
])
@pytest.mark.parametrize("file", ["allow", "deny"])
def test_any_rule_file_is_judged_and_logged_in_plain_text(
    wrapped: Wrapped, rules: AccessFiles, content: bytes, file: str
) -> None:
    rules.write(**{file: content})
    visit = wrapped.wrap(ECHO, "in")
    assert visit.status == 0
    assert visit.lines[-1] in (f"connect from {CLIENT}", f"refused connect from {CLIENT}")
    assert (visit.received == b"in\n") == visit.lines[-1].startswith("connect")
    for line in visit.lines:
        assert line.isascii() and line.isprintable()


def test_a_large_rule_file_takes_a_time_linear_in_its_size(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow="# comment\n" * 10 + "sshd: 192.0.2.7 .example.com\n" * 100_000 + "echo: 10.\n", deny="ALL: ALL")
    assert wrapped.wrap(ECHO, "in").received == b"in\n"


# Datagrams.


def datagram(wrapped: Wrapped, family: socket.AddressFamily, *arguments: object) -> tuple[int, list[str], bytes | None]:
    """A datagram at a socket that a super-server waits for: the status, the lines, and what is left."""
    source, there = (ATTACKER_6, TARGET_6) if family == socket.AF_INET6 else (ATTACKER, TARGET)
    before = len(wrapped.log.messages)
    with wrapped.target.open_socket(family, socket.SOCK_DGRAM) as server, \
            wrapped.attacker.open_socket(family, socket.SOCK_DGRAM) as client:
        server.bind((there, 0))
        client.bind((source, 0))
        client.sendto(b"request", server.getsockname()[:2])
        time.sleep(0.05)
        status = wrapped.start(server, "scanlogd", "wrap", *arguments).wait(20)
        server.setblocking(False)
        try:
            left = server.recv(100)
        except BlockingIOError:
            left = None
    return status, [message.text for message in wrapped.log.messages[before:]], left


@pytest.mark.parametrize(("family", "client"), [(socket.AF_INET, CLIENT), (socket.AF_INET6, CLIENT_6)])
def test_a_datagram_is_left_to_the_service(wrapped: Wrapped, family: socket.AddressFamily, client: str) -> None:
    assert datagram(wrapped, family, "/bin/true") == (0, [f"connect from {client}"], b"request")


@pytest.mark.parametrize(("family", "client"), [(socket.AF_INET, CLIENT), (socket.AF_INET6, CLIENT_6)])
def test_a_datagram_that_is_refused_is_eaten(
    wrapped: Wrapped, rules: AccessFiles, family: socket.AddressFamily, client: str
) -> None:
    rules.write(deny="ALL: ALL")
    assert datagram(wrapped, family, "/bin/true") == (0, [f"refused connect from {client}"], None)


def test_a_wrong_command_line_eats_the_datagram_as_well(wrapped: Wrapped) -> None:
    status, lines, left = datagram(wrapped, socket.AF_INET, "--bogus", "/bin/true")
    assert (status, left) == (2, None)
    assert len(lines) == 1


def test_a_full_process_table_keeps_no_name_and_no_service(wrapped: Wrapped, rules: AccessFiles) -> None:
    """A lookup takes a process; the service takes none, as it is this one."""
    rules.write(allow="ALL: .example.com", deny="ALL: KNOWN")
    setup = ("import os, resource, sys; os.setgid(48652); resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)); "
             "os.setuid(48777); os.execv(sys.argv[1], sys.argv[1:])")
    visit = wrapped.visit("/usr/bin/python3", "-c", setup, BINARY, "wrap", ECHO, "in", executable="/usr/bin/python3")
    assert visit.received == b"in\n"
    assert visit.lines == [
        "warning: host names: fork: Resource temporarily unavailable", f"connect from {CLIENT}"]


def test_a_mapped_address_is_that_of_ipv4(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(deny=f"ALL: {ATTACKER}")
    with wrapped.target.open_socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.listen()
        client = wrapped.attacker.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        with client:
            client.connect((TARGET, listener.getsockname()[1]))
            server, _ = listener.accept()
            process = wrapped.start(server, "scanlogd", "wrap", ECHO, "in")
            server.close()
            assert (client.recv(10), process.wait(20)) == (b"", 0)
    assert [message.text for message in wrapped.log.messages] == [f"refused connect from {CLIENT}"]


def test_the_port_and_the_address_that_was_connected_to_count(wrapped: Wrapped, rules: AccessFiles) -> None:
    rules.write(allow=f"2323: ALL\necho@{TARGET_6.replace(':', '*')}: ALL\necho@[{TARGET_6}]: ALL", deny="ALL: ALL")
    assert wrapped.wrap(ECHO, "in", port=2323).received == b"in\n"
    assert wrapped.wrap(ECHO, "in", port=2324).received == b""
    assert wrapped.wrap(ECHO, "in", source=ATTACKER_6, port=2324).received == b"in\n"


