"""scanlogd wrap and name servers: those that tell the truth, and those that lie."""

import os
import signal
import time

import pytest
from harness.daemon import processes_named
from harness.dns import NameServer, labels, resolver_files
from harness.network import ATTACKER, ATTACKER_6, TARGET, Namespace
from harness.syslog_sink import WARNING
from harness.wrap import AccessFiles, Visit, Wrapped

ECHO = "/bin/echo"
CLIENT = f"{ATTACKER} ({ATTACKER})"
OTHER = "192.0.2.99"
UNVERIFIED = f"warning: can't verify hostname: {ATTACKER} claims "
MISMATCH = f"warning: host name/address mismatch: {ATTACKER} != "


def with_names(wrapped: Wrapped, *arguments: object, source: str = ATTACKER) -> Visit:
    return wrapped.wrap("--names", *arguments, ECHO, "in", source=source)


@pytest.mark.parametrize("source", [ATTACKER, ATTACKER_6])
def test_a_verified_name_is_logged(wrapped: Wrapped, names: NameServer, source: str) -> None:
    names.host(source, "client.example.com", "192.0.2.1", "2001:db8::1")
    visit = with_names(wrapped, source=source)
    assert (visit.received, visit.line) == (b"in\n", f"connect from client.example.com ({source})")


def test_no_name_is_looked_up_that_no_rule_needs(wrapped: Wrapped, rules: AccessFiles, names: NameServer) -> None:
    names.host(ATTACKER, "client.example.com")
    rules.write(allow="sshd: .example.com\nALL: 10.77.0.0/16", deny="ALL: ALL")
    assert wrapped.wrap(ECHO).line == f"connect from {CLIENT}"
    assert names.questions == []


@pytest.mark.parametrize("rule", [
    "ALL: .example.com", "ALL: KNOWN", "ALL: client.*", "ALL: 192.0.2.1 CLIENT.example.com", "ALL EXCEPT sshd: .com",
    "ALL: ALL EXCEPT .example.org",
])
def test_a_name_is_looked_up_that_a_rule_needs(
    wrapped: Wrapped, rules: AccessFiles, names: NameServer, rule: str
) -> None:
    names.host(ATTACKER, "client.example.com")
    rules.write(allow=rule, deny="ALL: ALL")
    visit = wrapped.wrap(ECHO, "in")
    assert (visit.received, visit.line) == (b"in\n", f"connect from client.example.com ({ATTACKER})")
    assert len(names.asked(ATTACKER)) == 1


def test_the_name_of_the_server_is_looked_up_as_well(wrapped: Wrapped, rules: AccessFiles, names: NameServer) -> None:
    names.host(TARGET, "www.example.net")
    rules.write(allow="echo@www.example.net: ALL", deny="ALL: ALL")
    assert wrapped.wrap(ECHO, "in").received == b"in\n"
    assert names.asked(ATTACKER) == []


# Names that are none.


def lies(names: NameServer, how: str) -> str:
    """Has the client's name server lie; returns the name that it tells."""
    if how == "another address":
        names.points(ATTACKER, "trusted.example.com")
        names.addresses[labels("trusted.example.com")] = [OTHER]
        return "trusted.example.com"
    if how == "no address":
        names.points(ATTACKER, "nobody.example.com")
        return "nobody.example.com"
    if how == "another family":
        names.points(ATTACKER, "six.example.com")
        names.addresses[labels("six.example.com")] = [ATTACKER_6]
        return "six.example.com"
    if how == "alias":
        names.points(ATTACKER, "alias.example.com")
        names.alias("alias.example.com", of="real.example.com")
        names.addresses[labels("real.example.com")] = [ATTACKER]
        return "alias.example.com"
    if how == "alias of another":
        names.points(ATTACKER, "alias.example.com")
        names.alias("alias.example.com", of="real.example.com")
        names.addresses[labels("real.example.com")] = [OTHER]
        return "alias.example.com"
    if how == "endless alias":
        names.points(ATTACKER, "loop.example.com")
        names.alias("loop.example.com", of="loop.example.com")
        return "loop.example.com"
    if how == "number":
        names.points(ATTACKER, OTHER)
        names.addresses_of_others = [ATTACKER]
        return OTHER
    assert how == "its own number"
    names.points(ATTACKER, ATTACKER)
    names.addresses_of_others = [ATTACKER]
    return ATTACKER


LIES = ["another address", "no address", "another family", "alias", "alias of another", "endless alias", "number",
        "its own number"]


@pytest.mark.parametrize("how", LIES)
def test_a_name_that_is_a_lie_is_not_known(wrapped: Wrapped, rules: AccessFiles, names: NameServer, how: str) -> None:
    name = lies(names, how)
    rules.write(allow="ALL: .com .org 192.0.2.", deny="ALL: PARANOID")
    visit = with_names(wrapped)
    assert visit.received == b""
    nobody_says = how in ("no address", "another family", "endless alias")
    assert visit.lines == [
        f"{UNVERIFIED}{name}" if nobody_says else f"{MISMATCH}{name}", f"refused connect from {CLIENT}"]


@pytest.mark.parametrize("how", [how for how in LIES if how not in ("endless alias",)])
def test_what_is_a_lie_is_one_for_tcpd(wrapped: Wrapped, rules: AccessFiles, names: NameServer, how: str) -> None:
    lies(names, how)
    rules.write(deny="ALL: PARANOID")
    for visit in (wrapped.tcpd(ECHO, "in"), wrapped.as_tcpd(ECHO, "in")):
        assert (visit.received, visit.lines[-1]) == (b"", f"refused connect from {CLIENT}")


@pytest.mark.parametrize("how", LIES)
def test_who_must_be_trusted_by_name_is_dropped_before_the_files(
    wrapped: Wrapped, rules: AccessFiles, names: NameServer, how: str
) -> None:
    """The paper on rlogin and rsh: the name is checked, and who lies is dropped, whatever the files say."""
    lies(names, how)
    rules.write(allow="ALL: ALL")
    visit = wrapped.wrap("--paranoid", "--service", "in.rshd", ECHO, "in")
    assert (visit.received, visit.lines[-1]) == (b"", f"refused connect from {CLIENT}")
    assert (visit.messages[-1].ident, visit.messages[-1].level) == ("in.rshd", WARNING)
    names.pointers.clear()
    assert wrapped.wrap("--paranoid", ECHO, "in").received == b"in\n", "no name is no lie"
    names.addresses_of_others = []
    names.aliases.clear()
    names.host(ATTACKER, "honest.example.com")
    assert wrapped.wrap("--paranoid", ECHO, "in").received == b"in\n"


@pytest.mark.parametrize("name", [
    [b"a b", b"com"], [b"$(touch /run/stage/tmp/ran)", b"com"], [b"\x1b[2J", b"com"], [b"a\nroot: connect from", b"com"],
    [bytes(range(0x80, 0xC0)), b"com"], [b"-rf", b"com"], [b";x", b"com"],
    [b"\xff" * 63, b"\x01" * 63, b"%s%n%x" * 10, b"'" * 60],
])
def test_odd_bytes_of_a_name_reach_neither_rules_nor_log(
    wrapped: Wrapped, rules: AccessFiles, names: NameServer, name: list[bytes]
) -> None:
    names.points(ATTACKER, name)
    names.addresses_of_others = [ATTACKER]
    rules.write(allow="ALL: .com: setenv CALLED %n")
    visit = wrapped.wrap("--names", "/usr/bin/env")
    assert visit.lines[-1] == f"connect from {CLIENT}"
    assert b"CALLED=" not in visit.received
    for line in visit.lines:
        assert line.isascii() and line.isprintable()


@pytest.mark.parametrize("length", [128, 129, 200, 253])
def test_a_long_name_is_a_name(wrapped: Wrapped, rules: AccessFiles, names: NameServer, length: int) -> None:
    name = ("x" * 31 + ".") * 9
    name = name[:length - 4].rstrip(".") + "y" * (length - 4 - len(name[:length - 4].rstrip("."))) + ".com"
    assert len(name) == length
    names.host(ATTACKER, name)
    rules.write(allow=f"ALL: {name}", deny="ALL: ALL")
    visit = with_names(wrapped)
    assert visit.line == f"connect from {name} ({ATTACKER})"


def test_a_name_server_that_does_not_answer_takes_five_seconds_at_most(
    wrapped: Wrapped, rules: AccessFiles, names: NameServer
) -> None:
    names.dead = True
    rules.write(deny="ALL: PARANOID KNOWN")
    visit = with_names(wrapped)
    assert (visit.received, visit.line) == (b"in\n", f"connect from {CLIENT}")
    assert visit.seconds < 8  # with some time for a machine that has much to do
    assert processes_named() == []


def test_a_slow_name_server_is_waited_for(wrapped: Wrapped, names: NameServer) -> None:
    names.host(ATTACKER, "slow.example.com")
    names.be_late(ATTACKER, 2.5)
    assert with_names(wrapped).line == f"connect from slow.example.com ({ATTACKER})"


def test_who_has_its_name_server_fall_silent_does_not_get_past_paranoid(wrapped: Wrapped, names: NameServer) -> None:
    """It claims a name, and nobody can say that it is another's."""
    names.points(ATTACKER, "trusted.example.com")
    names.silent.add(labels("trusted.example.com"))
    visit = wrapped.wrap("--paranoid", ECHO, "in")
    assert visit.received == b""
    assert visit.lines == [f"{UNVERIFIED}trusted.example.com",
                           f"refused connect from {CLIENT}"]


def test_a_second_name_server_is_asked(wrapped: Wrapped, target: Namespace) -> None:
    server = NameServer(target)
    with resolver_files(servers=("127.0.0.9", "127.0.0.1")):
        server.start()
        server.host(ATTACKER, "client.example.com")
        try:
            assert with_names(wrapped).line == f"connect from client.example.com ({ATTACKER})"
        finally:
            server.stop()


def test_the_lookup_leaves_the_service_nothing(wrapped: Wrapped, names: NameServer) -> None:
    names.host(ATTACKER, "client.example.com")
    script = "import os; os.write(1, open('/proc/thread-self/children','rb').read() + repr(sorted(os.listdir('/proc/self/fd'))).encode())"
    env = {"PATH": "/usr/bin:/bin", "RES_OPTIONS": "ndots:3"}
    visit = wrapped.wrap("--names", "/usr/bin/python3", "-S", "-c", script, env=env)
    assert visit.received == b"['0', '1', '2', '3']", "the last is that of the list itself"
    assert b"RES_OPTIONS=ndots:3\n" in wrapped.wrap("--names", "/usr/bin/env", env=env).received


def test_a_wrapper_that_is_killed_leaves_no_lookup(wrapped: Wrapped, names: NameServer) -> None:
    names.dead = True
    client, server = wrapped.pair()
    with client, server, wrapped.target.entered():
        process = wrapped.start(server, "scanlogd", "wrap", "--names", ECHO)
        deadline = time.monotonic() + 5
        while not names.questions and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(5)
    deadline = time.monotonic() + 2
    while processes_named() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes_named() == []
