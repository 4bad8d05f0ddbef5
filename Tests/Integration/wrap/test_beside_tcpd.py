"""scanlogd under the name of tcpd beside Debian's tcpd: random rules and clients, the same outcome."""

import os
import random
import re
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from harness.dns import NameServer, labels, resolver_files
from harness.network import ATTACKER, ATTACKER_6, TARGET, Namespace, tool
from harness.places import BINARY, TEMPORARY
from harness.syslog_sink import Message
from harness.wrap import AS_TCPD, Wrapped, read_all

FOLDER = TEMPORARY / "beside"
CASES = int(os.environ.get("WRAP_CASES", "48"))
AT_ONCE = 24
LYING, NAMELESS = "10.77.0.31", "10.77.0.32"
SOURCES = (ATTACKER, ATTACKER_6, LYING, NAMELESS)

SERVICE = """#!/bin/sh
env | sort
umask
nice
ls /proc/self/fd
grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status
"""

DAEMONS = ["ALL", "ALL", "ALL", "svc", "svc other", "other", "s*", "s??", "ALL EXCEPT other", "ALL EXCEPT svc", f"svc@{TARGET}",
           "svc@10.77.", "SVC", "2399"]
CLIENTS = [
    "ALL", ATTACKER, "10.77.", "10.77.0.0/16", "10.77.0.0/255.255.255.240", "10.77.0.?", "10.77.0.3*", f"[{ATTACKER_6}]",
    "[fd77::]/64", "[fd78::]/16", "[fd00::]/8", "KNOWN", "UNKNOWN", "LOCAL", "PARANOID", ".example.com", "client.example.com",
    "*.example.com", "CLIENT.EXAMPLE.COM", "trusted.example.org", "192.0.2.", "unknown", "ALL EXCEPT 10.77.0.3?",
    "10. EXCEPT .example.com", "ALL EXCEPT LOCAL EXCEPT KNOWN", "/nonexistent",
]
OPTIONS = [
    "severity mail.info", "severity local3.crit", "severity debug", "setenv SEEN %a-%A-%c-%d-%h-%H-%s-%u-%%",
    "setenv NAMES %n", r"setenv COLON a\:b", "umask 027", "umask 0", "nice 4", "nice", "keepalive", "linger 3", "allow", "deny",
    "bogus", "severity bogus", "umask 9", "allow: keepalive", "linger -1", "setenv", "user nosuchuser",
]


def rule(chance: random.Random) -> str:
    daemons = " ".join(chance.sample(DAEMONS, 1))
    clients = chance.choice([" ", ", ", ","]).join(
        chance.sample([word for word in CLIENTS if "EXCEPT" not in word], chance.choice([1, 1, 2])))
    if chance.random() < 0.25:
        clients = chance.choice(CLIENTS)
    options = "".join(f": {option}" for option in chance.sample(OPTIONS, chance.choice([0, 0, 1, 1, 2, 3])))
    return f"{daemons}: {clients} {options}"


def rules(chance: random.Random) -> str:
    lines = [chance.choice(["# comment", "", "no colon here", "  "]) if chance.random() < 0.15 else rule(chance)
             for _ in range(chance.randrange(5))]
    return "".join(f"{line}\n" for line in lines)


@dataclass
class Case:
    number: int
    allow: str
    deny: str
    source: str

    def command(self, wrapper: str) -> list[str]:
        """A mount namespace of its own, as tcpd has no option to read other files."""
        folder = FOLDER / str(self.number)
        folder.mkdir(exist_ok=True)
        (folder / "allow").write_text(self.allow)
        (folder / "deny").write_text(self.deny)
        script = 'mount -n --bind "$1" /etc/hosts.allow; mount -n --bind "$2" /etc/hosts.deny; exec "$3" "$4" "$5"'
        # sh can't set argv[0], which is how tcpd is told its program.
        start = "import os, sys; os.execve(sys.argv[1], sys.argv[2:], {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'})"
        return ["unshare", "--mount", "sh", "-c", script.replace('exec "$3" "$4" "$5"', 'exec python3 -S -c "$3" "$4" "$5" x'),
                "sh", str(folder / "allow"), str(folder / "deny"), start, wrapper, str(FOLDER / "svc")]


@dataclass(frozen=True)
class Outcome:
    received: bytes
    verdict: tuple[int, int, str]
    errors: tuple[str, ...]


def outcome(received: bytes, messages: list[Message]) -> Outcome:
    """The last line is the verdict; of faults their kind and place count, as the words are others.

    If an option has a fault, tcpd has carried out those before it, and so may know the client's name; scanlogd has not.
    """
    last = messages[-1]
    errors = tuple(sorted(" ".join(message.text.split()[:4]) for message in messages[:-1]
                          if message.text.startswith("error:")))
    text = re.sub(r"^(refused connect from) \S+ ", r"\1 ", last.text) if errors else last.text
    return Outcome(received, (last.facility, last.level, text), errors)


@pytest.fixture
def names(target: Namespace) -> Iterator[NameServer]:
    server = NameServer(target)
    with resolver_files():
        server.start()
        server.host(ATTACKER, "client.example.com")
        server.host(ATTACKER_6, "client6.example.com")
        server.points(LYING, "trusted.example.org")
        server.addresses[labels("trusted.example.org")] = ["192.0.2.1"]
        server.host(TARGET, "server.example.com")
        yield server
        server.stop()


def run(wrapped: Wrapped, cases: list[Case], wrapper: str) -> list[Outcome]:
    """Some connections at once, each with rules of its own."""
    started = []
    for case in cases:
        client, server = wrapped.pair(case.source)
        with wrapped.target.entered():
            process = subprocess.Popen(case.command(wrapper), stdin=server, stdout=server, stderr=server)
        server.close()
        started.append((client, process))
    results = []
    for client, process in started:
        with client:
            received = read_all(client)
        process.wait(20)
        mine = [message for message in wrapped.log.messages if message.pid == process.pid]
        assert mine, (wrapper, received)
        assert {message.ident for message in mine} == {"svc"}
        results.append(outcome(received, mine))
    return results


@pytest.mark.busy
@pytest.mark.long
def test_random_rules_and_clients_have_the_same_outcome(wrapped: Wrapped, names: NameServer) -> None:
    seed = int(os.environ.get("WRAP_SEED", random.randrange(1 << 32)))
    print(f"WRAP_SEED={seed}")
    chance = random.Random(seed)
    FOLDER.mkdir(exist_ok=True)
    service = FOLDER / "svc"
    service.write_text(SERVICE)
    service.chmod(service.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    AS_TCPD.parent.mkdir(exist_ok=True)
    if not AS_TCPD.is_symlink():
        AS_TCPD.symlink_to(BINARY)
    wrapped.attacker.run("sh", "-c", f"ip address add {LYING}/32 dev wire; ip address add {NAMELESS}/32 dev wire")
    for source in (LYING, NAMELESS):
        wrapped.target.run("ip", "neighbour", "replace", source, "lladdr", "02:00:00:00:77:01", "dev", "wire", "nud",
                           "permanent")
    try:
        cases = [Case(number, rules(chance), rules(chance), chance.choice(SOURCES)) for number in range(CASES)]
        granted = 0
        for first in range(0, CASES, AT_ONCE):
            some = cases[first:first + AT_ONCE]
            theirs, ours = run(wrapped, some, tool("tcpd")), run(wrapped, some, str(AS_TCPD))
            for case, their, our in zip(some, theirs, ours, strict=True):
                assert our == their, f"{case.source}\nallow:\n{case.allow}\ndeny:\n{case.deny}\n{our}\n{their}"
                granted += our.received != b""
        assert CASES / 10 < granted < CASES * 9 / 10, "nothing was judged"
    finally:
        wrapped.attacker.run("sh", "-c", f"ip address del {LYING}/32 dev wire; ip address del {NAMELESS}/32 dev wire")
