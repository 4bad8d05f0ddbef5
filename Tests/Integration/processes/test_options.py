"""The command lines of all roles: every option that --help names, given twice."""

import re
from dataclasses import dataclass
from itertools import product

import pytest
from harness.daemon import Finished, finish, processes_named
from harness.places import BINARY, PID_FILE

ROLES = [(), ("connections",), ("rules", "check"), ("rules", "match")]
# Something right for each kind of argument that the texts name: else it would be refused for itself.
ARGUMENTS = {
    "FILE": "/dev/null", "NAME": "raw", "in|out|both": "in", "iso|epoch": "epoch", "N|off": "5", "COUNT": "5",
    "EXPRESSION": "tcp", "PORT": "22", "LIST": "slow", "NETWORK": "192.0.2.0/24", "RULE": "answers",
}
MAY_REPEAT = {"--interface", "--local"}


@dataclass(frozen=True)
class Option:
    role: tuple[str, ...]
    spellings: tuple[str, ...]
    argument: str | None

    def __str__(self) -> str:
        return " ".join([*self.role, self.spellings[-1]])

    def given(self, spelling: str) -> list[str]:
        return [spelling] if self.argument is None else [spelling, ARGUMENTS[self.argument]]


def run(*arguments: str) -> Finished:
    return finish([str(BINARY), *arguments])


def options(role: tuple[str, ...]) -> list[Option]:
    """What the text of --help tells of: `  -c, --count COUNT     end after so many lines`."""
    found = []
    for line in run(*role[:1], "--help").stdout.splitlines():
        match = re.match(r" {2,6}(-[\w-]+)(?:, (--[\w-]+))?(?: (\S+))?(?: {2,}(.*))?$", line)
        if not match:
            continue
        commands = re.findall(r"\b(check|match): ", match[4] or "")  # nothing: it is an option of both
        if not commands or role[-1] in commands:
            found.append(Option(role, tuple(word for word in match.groups()[:2] if word), match[3]))
    return found


@pytest.fixture(params=ROLES, ids=lambda role: " ".join(role) or "detector")
def role(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return tuple(request.param)


def complaint(role: tuple[str, ...], words: str) -> Finished:
    more = "scanlogd: try 'scanlogd rules --help'\n" if "rules" in role else ""
    return Finished(2, "", f"scanlogd: {words}\n{more}")


def test_help_tells_of_what_the_usage_lines_have(role: tuple[str, ...]) -> None:
    """So that this page walks over all there are."""
    text = run(*role[:1], "--help").stdout
    usage = text[:text.index("\n\n")]
    told = {spelling for option in options(role) for spelling in option.spellings}
    named = set(re.findall(r"(?<![\w-])--?\w[\w-]*", usage))
    bundles = {word for word in named if re.fullmatch(r"-[a-z]{2,}", word)}  # [-av]
    others = {"-a", "--name", "--port", "--wrap"} - told if "rules" in role else set()
    assert (named - bundles) <= told | others
    assert len(told) >= 8


def test_an_option_that_is_given_twice_is_refused_however_it_is_written(role: tuple[str, ...]) -> None:
    """One of the two would be left out."""
    for option in options(role):
        for first, second in product(option.spellings, repeat=2):
            given = [*option.given(first), *option.given(second)]
            if option.spellings[-1] in MAY_REPEAT:
                assert "unrecognized option '--no-such'" in run(*role, *given, "--no-such").stderr
            else:
                assert run(*role, *given) == complaint(role, f"{second}: option: given twice"), option
    assert not PID_FILE.exists() and not processes_named()


def test_other_ways_to_write_an_option_twice_are_seen_too(role: tuple[str, ...]) -> None:
    for option in options(role):
        short, long = option.spellings[0], option.spellings[-1]
        if long in MAY_REPEAT:
            continue
        value = ARGUMENTS[option.argument] if option.argument else None
        if long.startswith("--") and value:
            assert run(*role, f"{long}={value}", f"{long}={value}") == complaint(role, f"{long}: option: given twice")
        if not short.startswith("--"):
            arguments = [short + value] * 2 if value else [short + short[1]]
            assert run(*role, *arguments) == complaint(role, f"{short}: option: given twice")


def test_a_shortened_option_is_the_same_option() -> None:
    assert run("--pidf", "a", "--pid", "b") == complaint((), "--pidfile: option: given twice")
    assert run("-P", "a", "operand", "--pid=b") == complaint((), "--pidfile: option: given twice")


def test_interfaces_are_named_one_by_one() -> None:
    done = run("-i", "nothere0", "--interface", "nothere1", "-i", "nothere0", "--backend", "frob")
    assert done == complaint((), "frob: backend: there is none of this name: ring, raw, pcap, nids")


@pytest.mark.parametrize("arguments", [("-r", "/dev/null", "--self-test"), ("--self-test", "--read", "/dev/null")])
def test_a_file_is_not_read_by_a_self_test(arguments: tuple[str, ...]) -> None:
    """The last one was obeyed, and the other left out."""
    assert run(*arguments) == complaint((), "--self-test: option: it is that of a start, not of -r")


@pytest.mark.parametrize("arguments", [("-h", "-V"), ("-h", "-r", "/dev/null"), ("-d", "-h"), ("-r", "/dev/null", "-h")])
def test_whoever_asks_for_help_gets_it(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_one_filter_is_taken() -> None:
    done = run("connections", "-f", "tcp", "-F", "udp")
    assert done == complaint((), "udp: filter: there is one already: only one of -f and -F is taken")
