"""The commands of README and the manual that a reader may copy."""

import re
import subprocess

import pytest
from harness.places import BINARY, REPOSITORY

CAPTURE = REPOSITORY / "Tests/Fixtures/captures/clog_sample.pcap"
PAGES = (REPOSITORY / "README.md", REPOSITORY / "man/scanlogd-connections.8")
COMMAND = re.compile(r"^(?:    (?:sudo )?|\.Dl [#$] )(scanlogd connections .*?)(?: {4,}.*|  +#.*)?$", re.MULTILINE)
COMMANDS = sorted({command for page in PAGES for command in COMMAND.findall(page.read_text())})
EXPRESSION = re.compile(r"-f '(?P<expression>[^']*)'")


def shell(command: str) -> list[str]:
    """Runs a command as it stands there, but on the sample."""
    folder = BINARY.parent
    done = subprocess.run(["sh", "-c", command], env={"PATH": f"{folder}:/usr/bin:/bin", "TZ": "UTC"}, timeout=10,
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def test_both_pages_have_the_four() -> None:
    assert len(COMMANDS) == 4
    for page in PAGES:
        assert len(COMMAND.findall(page.read_text())) == 4, page


@pytest.mark.parametrize(("part", "lines"), [
    ("not src net 192.0.2.0/24", 7), ("-r -f 'dst port 22'", 0), ("src port 20", 0),
])
def test_a_filter_does_what_it_is_there_for(part: str, lines: int) -> None:
    (command,) = [command for command in COMMANDS if part in command]
    assert len(shell(f"{command} --read {CAPTURE}")) == lines


def test_the_top_talkers_are_counted() -> None:
    (command,) = [command for command in COMMANDS if "uniq" in command]
    lines = shell(command.replace("day.pcap", str(CAPTURE)))
    assert [line.split() for line in lines] == [["5", "198.51.100.7"], ["2", "2001:db8::7"]]
