"""/etc/default/scanlogd: the init script reads it as systemd does, or refuses it, and runs nothing in it."""

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.daemon import finish
from harness.network import tool
from harness.places import REPOSITORY
from harness.systemd_words import words_of

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "ash"], "bash": ["bash", "--posix"]}
TIMEOUT = 30


@dataclass
class Script:
    """The init script, whose daemon only writes down how it was called."""

    shell: list[str]
    directory: Path

    def __post_init__(self) -> None:
        text = (REPOSITORY / "rc.d/scanlogd").read_text()
        assert text.count("@SBINDIR@") == 1 and text.count("/etc/default/scanlogd") == 1
        text = text.replace("@SBINDIR@", str(self.directory)).replace("/etc/default/scanlogd", str(self.file))
        self._path.write_text(text)
        daemon = self.directory / "scanlogd"
        daemon.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >{self._record}\nexit 2\n")
        daemon.chmod(0o755)

    @property
    def file(self) -> Path:
        return self.directory / "default"

    @property
    def _path(self) -> Path:
        return self.directory / "init"

    @property
    def _record(self) -> Path:
        return self.directory / "record"

    def start(self) -> str:
        """Starts it, and returns what it says. Debian's log_failure_msg says it on standard output, and adds a word."""
        self._record.unlink(missing_ok=True)
        done = finish([tool(self.shell[0]), *self.shell[1:], str(self._path), "start"], TIMEOUT)
        assert done.status == 6, done
        return (done.stdout + done.stderr).replace(" ... failed!\n", "\n")

    def words(self, content: bytes) -> list[bytes] | None:
        """The options that it starts the daemon with; nothing if it refuses the file, for which it has to say why."""
        self.file.write_bytes(content)
        said = self.start()
        if self._record.exists():
            words = self._record.read_bytes().split(b"\0")[:-1]
            assert words[:3] == [b"--background", b"--pidfile", b"/run/scanlogd.pid"]
            return words[3:]
        assert said.startswith(f"scanlogd: {self.file}:") and said.count("\n") == 1, said
        return None


@pytest.fixture(params=SHELLS)
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Script:
    return Script(SHELLS[request.param], tmp_path)


# What people write, and what it comes to.
READ = [
    (b"", []),
    (b"\n\n", []),
    (b"# SCANLOGD_OPTIONS=no\n; SCANLOGD_OPTIONS=no\n   # \xe4 \xc3\xa4 'it's\n", []),
    (b"SCANLOGD_OPTIONS=\n", []),
    (b"SCANLOGD_OPTIONS=''\n", []),
    (b'SCANLOGD_OPTIONS=""\n', []),
    (b"SCANLOGD_OPTIONS=--exempt /etc/scanlogd.exempt\n", [b"--exempt", b"/etc/scanlogd.exempt"]),
    (b"SCANLOGD_OPTIONS='--exempt /etc/scanlogd.exempt'\n", [b"--exempt", b"/etc/scanlogd.exempt"]),
    (b'SCANLOGD_OPTIONS="--exempt /etc/scanlogd.exempt"', [b"--exempt", b"/etc/scanlogd.exempt"]),
    (b"SCANLOGD_OPTIONS='-i eth0\t -i  eth1  '  \n", [b"-i", b"eth0", b"-i", b"eth1"]),
    (b" \tSCANLOGD_OPTIONS \t= \t --backend raw \t\n", [b"--backend", b"raw"]),
    (b"SCANLOGD_OPTIONS=--backend raw\r\n", [b"--backend", b"raw"]),
    (b"SCANLOGD_OPTIONS='--backend raw'\r\n# more\r\n", [b"--backend", b"raw"]),
    (b"SCANLOGD_OPTIONS=-d\nSCANLOGD_OPTIONS=--backend raw\n", [b"--backend", b"raw"]),
    (b"SCANLOGD_OPTIONS=-d\nSCANLOGD_OPTIONS=\n", []),
    (b"SCANLOGD_OPTIONS=-i eth0 \\\n  -i eth1\n", [b"-i", b"eth0", b"-i", b"eth1"]),
    (b"SCANLOGD_OPTIONS=\\\n'-i eth0'\n", [b"-i eth0"]),
    (b"SCANLOGD_OPTIONS=-i eth0 \\", [b"-i", b"eth0"]),
    (b"SCANLOGD_OPTIONS='-i eth0\n-i eth1\n'\n", [b"-i", b"eth0", b"-i", b"eth1"]),
    (b'SCANLOGD_OPTIONS="-i eth0 \\\n-i eth1"\n', [b"-i", b"eth0", b"-i", b"eth1"]),
    (b"SCANLOGD_OPTIONS='--exempt \"/etc/my file\"'\n", [b"--exempt", b"/etc/my file"]),
    (b"SCANLOGD_OPTIONS=\"--exempt '/etc/my file'\"\n", [b"--exempt", b"/etc/my file"]),
    (b"SCANLOGD_OPTIONS=--exempt '/etc/my file'\n", [b"--exempt", b"/etc/my file"]),
    (b'SCANLOGD_OPTIONS="--exempt \\"/etc/my file\\""\n', [b"--exempt", b"/etc/my file"]),
    (b"SCANLOGD_OPTIONS='a\"b c\"d \"\" e'\n", [b"ab cd", b"", b"e"]),
    # Nothing is expanded, and nothing ends a command.
    (b"SCANLOGD_OPTIONS=* /etc/* [a-z]?\n", [b"*", b"/etc/*", b"[a-z]?"]),
    (b"SCANLOGD_OPTIONS='$HOME ${PATH} ~'\n", [b"$HOME", b"${PATH}", b"~"]),
    (b'SCANLOGD_OPTIONS="\\$HOME \\`x\\`"\n', [b"$HOME", b"`x`"]),
    (b"SCANLOGD_OPTIONS=a # b; c & d | e > f\n", [b"a", b"#", b"b;", b"c", b"&", b"d", b"|", b"e", b">", b"f"]),
    (b"SCANLOGD_OPTIONS=-- -x --\n", [b"--", b"-x", b"--"]),
]

# What the script refuses, by line; 0 is the whole file.
REFUSED = [
    (b"DAEMON_OPTS=-d\n", 1, "only SCANLOGD_OPTIONS can be set here"),
    (b"# options\n\nscanlogd_options=-d\n", 3, "only SCANLOGD_OPTIONS can be set here"),
    (b"export SCANLOGD_OPTIONS=-d\n", 1, "only SCANLOGD_OPTIONS can be set here"),
    (b"SCANLOGD_OPTIONS+=-d\n", 1, "only SCANLOGD_OPTIONS can be set here"),
    (b"=-d\n", 1, "only SCANLOGD_OPTIONS can be set here"),
    (b"SCANLOGD_OPTIONS=-d\nif [ -x /bin/x ]; then\n", 2, "neither an assignment nor a comment"),
    (b"SCANLOGD_OPTIONS=-d\nfi\n", 2, "neither an assignment nor a comment"),
    (b". /etc/default/other\n", 1, "neither an assignment nor a comment"),
    (b"SCANLOGD_OPTIONS=a\rb\n", 1, "a character that is not printable ASCII"),
    (b"SCANLOGD_OPTIONS=\x1b[0m\n", 1, "a character that is not printable ASCII"),
    (b"SCANLOGD_OPTIONS='\xe4'\n", 1, "a character that is not printable ASCII"),
    (b"\xef\xbb\xbfSCANLOGD_OPTIONS=-d\n", 1, "a character that is not printable ASCII"),
    (b"SCANLOGD_OPTIONS='a\n\xff'\n", 2, "a character that is not printable ASCII"),
    (b"SCANLOGD_OPTIONS=a\\\r\nb\n", 1, "a backslash before a carriage return"),
    (b"SCANLOGD_OPTIONS='a\r\nb'\r\n", 1, "a carriage return within quotes"),
    (b"# a\n# b \\\nSCANLOGD_OPTIONS=-d\n", 2, "a comment that ends in a backslash"),
    (b"# a\rSCANLOGD_OPTIONS=-d\n", 1, "a carriage return in a comment"),
    (b"SCANLOGD_OPTIONS='a' b\n", 1, "something follows the closing quote"),
    (b"SCANLOGD_OPTIONS='a'b\n", 1, "something follows the closing quote"),
    (b'SCANLOGD_OPTIONS="a"\'b\'\n', 1, "something follows the closing quote"),
    (b"SCANLOGD_OPTIONS='a' # why\n", 1, "something follows the closing quote"),
    (b"SCANLOGD_OPTIONS='a'; touch /x\n", 1, "something follows the closing quote"),
    (b"#\nSCANLOGD_OPTIONS='a\n\n\n", 2, "the quote is not closed"),
    (b'SCANLOGD_OPTIONS="a\\"\n', 1, "the quote is not closed"),
    (b"SCANLOGD_OPTIONS=it's\n", 1, "a quote within the value is not closed"),
    (b"\nSCANLOGD_OPTIONS='--exempt \"/etc/my file'\n", 2, "a quote within the value is not closed"),
    (b"SCANLOGD_OPTIONS='/etc/my\\ file'\n", 1, "a backslash is left in the value"),
    (b'SCANLOGD_OPTIONS="a\\nb"\n', 1, "a backslash is left in the value"),
    (b"SCANLOGD_OPTIONS=\\\\\n", 1, "a backslash is left in the value"),
    (b"SCANLOGD_OPTIONS=-d\0\n", 0, "has a byte of 0 in it"),
    (b"# \0\n", 0, "has a byte of 0 in it"),
    (b"#" * 16385, 0, "is larger than 16 KiB"),
]


@pytest.mark.parametrize(("content", "words"), READ)
def test_it_is_read_as_systemd_reads_it(script: Script, content: bytes, words: list[bytes]) -> None:
    assert script.words(content) == words
    assert words_of(script.file, "SCANLOGD_OPTIONS").words == words


@pytest.mark.parametrize(("content", "line", "reason"), REFUSED)
def test_what_can_not_be_read_alike_is_refused(script: Script, content: bytes, line: int, reason: str) -> None:
    script.file.write_bytes(content)
    assert script.start() == f"scanlogd: {script.file}:{f'{line}:' if line else ''} {reason}\n"


COMMANDS = [
    "touch {0}", "$(touch {0})", "`touch {0}`", "SCANLOGD_OPTIONS=$(touch {0})", 'SCANLOGD_OPTIONS="$(touch {0})"',
    "SCANLOGD_OPTIONS=`touch {0}`", 'SCANLOGD_OPTIONS="`touch {0}`"', "SCANLOGD_OPTIONS=a; touch {0}",
    "SCANLOGD_OPTIONS=a touch {0}", "SCANLOGD_OPTIONS='a'; touch {0}", "SCANLOGD_OPTIONS='a' && touch {0}",
    "SCANLOGD_OPTIONS=a\ntouch {0}", "SCANLOGD_OPTIONS=$((a[$(touch {0})]))", "SCANLOGD_OPTIONS=> {0}",
    "SCANLOGD_OPTIONS='a' > {0}", "SCANLOGD_OPTIONS=a | touch {0}", "SCANLOGD_OPTIONS=<(touch {0})",
    "SCANLOGD_OPTIONS='\"$(touch {0})\"'", "touch() {{ :; }}", "{1}", "SCANLOGD_OPTIONS=--exempt {1}",
    "name[$(touch {0})]=1", "SCANLOGD_OPTIONS=a\\\ntouch {0}", "${{x:=$(touch {0})}}", "SCANLOGD_OPTIONS=\\$(touch {0})",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_in_it_is_run(script: Script, command: str) -> None:
    trace, program = script.directory / "trace", script.directory / "program"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    script.words(command.format(trace, program).encode() + b"\n")
    assert not trace.exists()


# What is put together at random: what means something to either of the readers, and what lies between.
PIECES = [
    b"SCANLOGD_OPTIONS=", b"SCANLOGD_OPTIONS=", b"SCANLOGD_OPTIONS='", b'SCANLOGD_OPTIONS="', b"SCANLOGD_OPTIONS ", b"=",
    b"'", b'"', b"'", b'"', b"\\", b"\\\n", b"\n", b"\n", b"\r\n", b" ", b" ", b"\t", b"#", b";", b"--exempt", b"/etc/x",
    b"-i", b"a", b"$", b"$HOME", b"`", b"*", b"[", b"]", b"?", b"!", b"~", b"-", b"^", b"%s", b"&", b"\r", b"\\$", b'\\"',
    b"\xc3\xa4", b"\xff", b"\x01", b"X=1",
]


def random_file(random_: random.Random) -> bytes:
    start = random_.choice([b"", b"# why\n", b"SCANLOGD_OPTIONS=", b"SCANLOGD_OPTIONS='", b'SCANLOGD_OPTIONS="'])
    end = random_.choice([b"", b"\n", start[-1:] + b"\n"])
    # Mostly without what is refused wherever it stands.
    pieces = PIECES if random_.random() < 0.3 else PIECES[:36]
    return start + b"".join(random_.choices(pieces, k=random_.randrange(12))) + end


@pytest.mark.long
@pytest.mark.parametrize("shell", SHELLS)
def test_random_files_are_read_as_systemd_reads_them_or_refused(shell: str, tmp_path: Path) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    random_ = random.Random(seed)
    script = Script(SHELLS[shell], tmp_path)
    told = 0
    for _ in range(int(os.environ.get("DEFAULT_FILES", "300"))):
        content = random_file(random_)
        words = script.words(content)
        reading = words_of(script.file, "SCANLOGD_OPTIONS")
        assert words is None or words == reading.words and not reading.complains, content
        told += bool(words)
    assert told > 20, "hardly any file was one that can be read"


def test_what_is_no_file_is_refused_at_once(script: Script) -> None:
    reason = f"scanlogd: {script.file}: is not a regular file\n"
    script.file.mkdir()
    assert script.start() == reason
    script.file.rmdir()
    os.mkfifo(script.file)
    assert script.start() == reason
    script.file.unlink()
    for target in ("/dev/zero", "/dev/stdin", "/nonexistent", str(script.file)):
        script.file.symlink_to(target)
        assert script.start() == reason, target
        script.file.unlink()


def test_without_it_there_are_no_options(script: Script) -> None:
    assert script.words(b"") == []
    script.file.unlink()
    script.start()
    assert (script.directory / "record").read_bytes().count(b"\0") == 3


@pytest.mark.parametrize("piece", [b"\\a", b"a\\\n", b"'' ", b"\n", b"SCANLOGD_OPTIONS=\n", b"a ", b"'\"a\"\n", b"#"])
def test_no_file_keeps_a_start_waiting(script: Script, piece: bytes) -> None:
    """The bound on the time is that of any start here."""
    for size in (1024, 16384):
        head = b"SCANLOGD_OPTIONS="
        script.words(head + piece * ((size - len(head)) // len(piece)))


def test_as_many_options_as_there_may_be_are_read(script: Script) -> None:
    options = [b"-i", b"eth0123456789012"] * 40
    assert script.words(b"SCANLOGD_OPTIONS='" + b" \n".join(options) + b"'\n") == options
    line = b"SCANLOGD_OPTIONS=" + b"a" * (1024 - 17)
    assert script.words(line + b"\n") == [b"a" * (1024 - 17)]
    assert script.words(line + b"a\n") is None
    assert script.words(b"SCANLOGD_OPTIONS='\n" + b"a" * 1021 + b"\n'\n") == [b"a" * 1021]
    assert script.words(b"SCANLOGD_OPTIONS='\n" + b"a" * 1022 + b"\n'\n") is not None
    assert script.words(b"SCANLOGD_OPTIONS='\n" + b"a" * 1023 + b"\n'\n") is None
