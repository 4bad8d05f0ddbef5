"""What `scanlogd rules check` knows of the wrapper."""

import pytest
from harness.daemon import finish
from harness.places import BINARY, TEMPORARY

FILE = TEMPORARY / "checked"


def check(rule: str, *options: str) -> tuple[int, list[str]]:
    FILE.write_text(f"{rule}\n")
    done = finish([str(BINARY), "rules", "check", *options, "--allow", str(FILE), "--deny", "/dev/null"])
    assert done.stderr == ""
    return done.status, [line.removeprefix(f"{FILE}:1:") for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("option", "problem"), [
    ("spawn true", '"spawn": scanlogd wrap runs it with --traps only, for TCP, and for root only behind the option user'),
    ("twist true", '"twist": scanlogd wrap runs it with --traps only, for TCP, and for root only behind the option user'),
    ("aclexec true", '"aclexec": scanlogd wrap does not run it: the rule denies'),
    ("rfc931", '"rfc931": scanlogd wrap asks nobody: users are unknown'),
])
def test_options_for_which_the_wrapper_does_less_are_reported_if_asked(option: str, problem: str) -> None:
    assert check(f"ALL: ALL: {option}") == (0, [])
    status, problems = check(f"ALL: ALL: {option}", "--wrap")
    assert (status, [text.partition(": ")[2] for text in problems]) == (1, [problem])


@pytest.mark.parametrize("option", ["severity info", "setenv A b", "umask 022", "nice", "keepalive", "linger 1", "allow",
                                    "user root", "group root", "banners /etc"])
def test_the_others_are_carried_out(option: str) -> None:
    assert check(f"ALL: ALL: {option}", "--wrap") == (0, [])


@pytest.mark.parametrize("command", ["(/usr/bin/finger -l @%h | mail root) &", "/usr/bin/safe_finger -l @%h"])
def test_a_bare_command_of_old_is_told_what_it_lacks(command: str) -> None:
    status, problems = check(f"in.tftpd: ALL: {command}")
    word = command.split()[0]
    assert (status, problems) == (1, [
        f'16: "{word}": a command without an option: write spawn or twist before it: the rule denies'])


def test_the_wrapper_is_not_for_exempt_sources() -> None:
    done = finish([str(BINARY), "rules", "check", "--wrap", "--exempt", "/dev/null"])
    assert done.status == 2
    assert done.stderr.startswith("scanlogd: --wrap: argument: rules for exempt sources have no such options\n")
