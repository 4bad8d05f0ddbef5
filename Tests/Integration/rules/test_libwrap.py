"""scanlogd rules match beside TCP Wrappers' own: Debian's tcpdmatch and its libwrap."""

import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness.daemon import finish
from harness.network import tool
from harness.places import BINARY, REPOSITORY, TEMPORARY

VECTORS = REPOSITORY / "Tests/Fixtures/hosts_access"
# The vectors whose verdict is another here, on purpose: scanlogd-rules(5), COMPATIBILITY.
DIFFERENCES = {
    "HA172": "granted", "HA173": "granted", "HA174": "granted",  # a last line without newline
    "HA070": "denied", "HA071": "denied", "HA039": "denied",  # a prefix length that is none
    "HA232": "granted", "HA233": "denied",  # a byte order mark
    "HA162": "granted",  # a comment in a pattern file
}
RANDOM_CASES = 300
RANDOM_CASES_WITH_NAMES = 700


@dataclass
class Case:
    """Two rule files, and who asks: `-` for a name that is not known."""

    allow: bytes | None
    deny: bytes | None
    daemon: str
    client: str
    name: str = "-"
    folder: Path = field(default_factory=lambda: TEMPORARY)

    def write(self) -> None:
        self.folder.mkdir(exist_ok=True)
        for name, content in (("hosts.allow", self.allow), ("hosts.deny", self.deny)):
            path = self.folder / name
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)

    def ours(self) -> str:
        """What scanlogd says, its exit status agreeing."""
        options = []
        for name, content in (("allow", self.allow), ("deny", self.deny)):
            # A file that is named must be there.
            path = "/dev/null" if content is None else str(self.folder / f"hosts.{name}")
            options += [f"--{name}", path]
        if self.name != "-":
            options += ["--name", self.name]
        done = finish([str(BINARY), "rules", "match", *options, "--", self.daemon, self.client])
        said = [line.partition(":")[0] for line in done.stdout.splitlines() if not line.startswith(("/", "because: "))]
        assert (len(said), said[-1], done.stderr) == (2, "compared with", ""), done
        assert done.status == {"granted": 0, "denied": 1, "delegated": 1}[said[0]], done
        if "because: aclexec: " in done.stdout:
            # The originals are not to run commands here, and go on as if they had succeeded.
            return "granted" if done.stdout.startswith(f"delegated: {self.folder}/hosts.allow:") else "denied"
        return said[0]

    def tcpdmatch(self) -> str:
        configuration = self.folder / "inetd.conf"
        configuration.touch()
        done = subprocess.run(
            [tool("tcpdmatch"), "-d", "-i", configuration, self.daemon, self.client], cwd=self.folder, timeout=10,
            capture_output=True, text=True, check=False)
        verdicts = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("access:")]
        assert len(verdicts) == 1, (self, done)
        return verdicts[0]


def vectors() -> Iterator[pytest.param]:
    rows = [line.split("\t") for line in (VECTORS / "vectors.tsv").read_text().splitlines()[1:]]
    for row in rows:
        yield pytest.param(row, id=row[0])


def unescaped(text: str) -> bytes:
    text = text.replace("PATTERNS/", f"{TEMPORARY}/rules/PATTERNS/")
    return text.encode("utf-8").decode("unicode_escape").encode("utf-8")


@pytest.fixture
def folder() -> Path:
    folder = TEMPORARY / "rules"
    (folder / "PATTERNS").mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def libwrap() -> Iterator[subprocess.Popen[str]]:
    """A program that asks libwrap about one case after the other."""
    binary = TEMPORARY / "wrap_oracle"
    source = Path(__file__).with_name("wrap_oracle.c")
    tool("tcpdmatch")  # whose package needs the library
    subprocess.run(
        [tool("cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-o", binary, source, "-l:libwrap.so.0"], check=True,
        timeout=60)
    with subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        yield process
        process.stdin.close()


def ask(libwrap: subprocess.Popen[str], case: Case) -> str:
    user, _, address = case.client.rpartition("@")
    name = "unknown" if case.name == "-" else case.name
    fields = [case.folder / "hosts.allow", case.folder / "hosts.deny", case.daemon, name, address, user or "unknown"]
    libwrap.stdin.write("\t".join(map(str, fields)) + "\n")
    return libwrap.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("row", vectors())
def test_a_vector_has_the_verdict_of_both_programs(
    folder: Path, libwrap: subprocess.Popen[str], row: list[str]
) -> None:
    identifier, allow, deny, daemon, client, name, verdict = row[:7]
    for line in (VECTORS / "files.tsv").read_text().splitlines()[1:]:
        vector, path, content = line.split("\t")
        if vector == identifier:
            (folder / path).write_bytes(unescaped(content))
    allow_file, deny_file = (None if text == "<absent>" else unescaped(text) for text in (allow, deny))
    case = Case(allow_file, deny_file, daemon, client, name, folder)
    case.write()
    if name == "-":
        assert case.tcpdmatch() == verdict
    elif "@" not in daemon:
        assert ask(libwrap, case) == verdict
    assert case.ours() == DIFFERENCES.get(identifier, verdict)


@pytest.mark.parametrize(("rule", "verdict"), [
    ("sshd**: ALL", "granted"), ("ALL: 10.1.1.1**", "granted"), ("sshd*: ALL", "denied"), ("ALL: 10.1.1.**", "denied"),
])
def test_two_stars_at_the_end_want_text_for_libwrap_only(folder: Path, rule: str, verdict: str) -> None:
    case = Case(b"", f"{rule}\n".encode(), "sshd", "10.1.1.1", folder=folder)
    case.write()
    assert (case.tcpdmatch(), case.ours()) == (verdict, "denied")


@pytest.mark.parametrize("rule", ["sshd: ALL", "x: y", "# x", "x: y\n", "sshd: ALL\n", ""])
@pytest.mark.parametrize("end", ["\\\n", " \\\n", "\\\n\\\n", "\\"])
def test_a_last_line_that_would_be_joined_with_the_next_is_as_for_libwrap(folder: Path, rule: str, end: str) -> None:
    text = (rule + end).encode()
    for allow, deny in ((text, b"ALL: ALL\n"), (b"", text)):
        case = Case(allow, deny, "sshd", "10.1.1.1", folder=folder)
        case.write()
        assert case.ours() == case.tcpdmatch(), case


@pytest.mark.parametrize("server", ["unknown", "UNKNOWN", "paranoid", "Paranoid", "10.0.0.9"])
@pytest.mark.parametrize("host", ["LOCAL", "KNOWN", "UNKNOWN", "PARANOID", "ALL"])
def test_the_words_for_a_server_without_a_name_are_those_of_tcpdmatch(folder: Path, server: str, host: str) -> None:
    case = Case(f"sshd@{host}: ALL\n".encode(), b"ALL: ALL\n", f"sshd@{server}", "10.1.1.1", folder=folder)
    case.write()
    assert case.ours() == case.tcpdmatch(), case


class Maker:
    """Rule files made up of what rules are made of, without what is different here on purpose."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, words: str) -> str:
        return self.random.choice(words.split(" "))

    def file(self) -> bytes:
        return "".join(self.line() for _ in range(self.random.randrange(6))).encode()

    def line(self) -> str:
        kind = self.random.randrange(20)
        if kind == 0:
            return self.random.choice(["# comment\n", "# comment \\\nx: y\n", "\n", " \t\n", " # x: ALL\n", "nonsense\n",
                                       "\r\n", ",\n"])
        # With a blank: behind a bracket without its other half the colon is a part of the word before it, where libwrap
        # would leave it out of a prefix length.
        text = self.words(self.daemon) + " :" + self.words(self.host)
        while self.random.randrange(3) == 0:
            text += self.random.choice([" :", " : "]) + self.option()
        if kind == 1:
            place = self.random.randrange(len(text))
            text = text[:place] + "\\\n" + text[place:]
        if kind == 2:
            text += " " * (2046 - len(text.replace("\\\n", "xx")) + self.random.randrange(-1, 2))
        return text + self.random.choice(["\n", "\n", "\n", "\r\n", " \n"])

    def words(self, word) -> str:
        text = " "
        for _ in range(self.random.randrange(4)):
            text += word() + self.random.choice([" ", ", ", "\t", ",", " EXCEPT ", " except "])
        return text + (word() if self.random.randrange(3) else "")

    def daemon(self) -> str:
        return self.pick("ALL ALL sshd sshd in.* in. .ftpd s?hd 22 0022 65536 KNOWN UNKNOWN * LOCAL sshd@10.0.0.9 "
                         "ALL@10.0.0.0/24 sshd@[2001:db8::9] 22@ALL sshd@ sshd@ALL ALL@UNKNOWN ALL@KNOWN @x /a [x:y]")

    def host(self) -> str:
        user = self.pick("root@ ALL@ KNOWN@ UNKNOWN@ b?b@ ro.@ x@ @x@ *@") if self.random.randrange(8) == 0 else ""
        return user + self.pick(
            "ALL 10.1.1.1 10.1.1.1 10.1.1.2 10. 10.1. 192.0.2. .1.1 10.1.1.* 1?.1.1.1 * *.*.*.* 10.0.0.0/8 "
            "10.1.1.0/24 10.1.1.0/255.255.255.0 10.0.1.0/255.0.255.0 x] y]] 10.1.1.1/24 0xa.1.1.0/24 012.1.1.0/24 "
            "10.1.1.0/024 10.1.1.0/ 10.1.1.0/33 10.1.1.1/32 0.0.0.0/0.0.0.0 0.0.0.0/0 128.0.0.0/1 10.1.1/24 "
            "10.1.1.1/255.255.255.255 [2001:db8::1] [2001:DB8:0:0::1] [2001:db8::]/32 [2001:db8::ffff]/33 [::]/0 "
            "[fe80::]/10 [2001:db8::]/129 [2001:db8::]/-1 [::ffff:10.1.1.1] [::ffff:10.1.1.0]/120 [10.1.1.1] "
            "[::1.2.3.4] [2001:db8::1 [x:y] 2001:db8::1 .example.com www.example.com *.example.com w*.e?ample.* www. "
            "LOCAL KNOWN UNKNOWN PARANOID unk* p*d HOST @group 1.1.1.1 999.1.1.1 10.1.1 FAIL # "
            f"{TEMPORARY}/rules/PATTERNS/one {TEMPORARY}/rules/PATTERNS/two {TEMPORARY}/rules/PATTERNS/none")

    def option(self) -> str:
        return self.random.choice([
            "allow", "deny", "ALLOW", "deny", "allow x", "severity info", "severity mail.info", "severity kern.err",
            "severity authpriv.info", "severity", "severity mail.", "spawn echo a\\:b", "spawn", "twist /bin/echo",
            "twist = x", "setenv A B", "umask 022", "umask = 8", "umask +777", "umask 1000", "nice", "nice 5",
            "nice 5 5", "user nosuch-user", "user root.nosuch", "group nosuch", "group root", "banners /nosuch",
            "linger 5", "linger -0", "linger -1", "keepalive", "keepalive =", "keepalive 1", "rfc931", "rfc931 5",
            "rfc931 0", "aclexec /bin/true", "frob", "", "nice 2147483647"])

    def patterns(self) -> bytes:
        words = [self.host() for _ in range(self.random.randrange(5))]
        return "".join(word + self.random.choice([" ", "\n", "\t", "\v"]) for word in words).replace("#", "x").encode()


def compare(case: Case, verdict: str) -> None:
    ours = case.ours()
    if ours != verdict:
        patterns = (case.folder / "PATTERNS/one").read_bytes()
        pytest.fail(f"{ours} where the original says {verdict}: {case} {patterns!r}", pytrace=False)


@pytest.fixture
def maker(folder: Path) -> Maker:
    seed = int(os.environ.get("SCANLOGD_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"random tests: SCANLOGD_TEST_SEED={seed}")
    maker = Maker(seed)
    (folder / "PATTERNS/one").write_bytes(maker.patterns().replace(b"PATTERNS/one", b"PATTERNS/none"))
    (folder / "PATTERNS/two").write_bytes(b"10.1.1.1 .example.com\n[2001:db8::]/32\nUNKNOWN\n")
    return maker


@pytest.mark.long
def test_random_rules_have_the_verdict_of_tcpdmatch(folder: Path, maker: Maker) -> None:
    seen = set()
    for _ in range(RANDOM_CASES):
        daemon = maker.pick("sshd in.ftpd SSHD 22 sshd@10.0.0.9 sshd@2001:db8::9 x")
        client = maker.pick("10.1.1.1 root@10.1.1.1 10.1.1.2 192.0.2.1 2001:db8::1 fe80::1 ::ffff:10.1.1.1 bob@10.11.1.1")
        case = Case(maker.file(), maker.file(), daemon, client, folder=folder)
        case.write()
        verdict = case.tcpdmatch()
        compare(case, verdict)
        seen.add(verdict)
    assert seen >= {"granted", "denied"}


@pytest.mark.long
def test_random_rules_have_the_verdict_of_libwrap_for_names(
    folder: Path, maker: Maker, libwrap: subprocess.Popen[str]
) -> None:
    seen = set()
    for _ in range(RANDOM_CASES_WITH_NAMES):
        client = maker.pick("10.1.1.1 root@10.1.1.1 192.0.2.1 2001:db8::1 ::1.2.3.4 255.255.255.255 bob@10.11.1.1")
        name = maker.pick("www.example.com host paranoid WWW.x a.b.example.com 1.1.1.1 - example.com UNKNOWN")
        case = Case(maker.file(), maker.file(), maker.pick("sshd in.ftpd SSHD 22 x"), client, name, folder)
        case.write()
        verdict = ask(libwrap, case)
        compare(case, verdict)
        seen.add(verdict)
    assert seen >= {"granted", "denied"}


# Words that `rules check` says match nothing.

BASES = ("192.0.2.7 192.0.2. 192.0.2.* 192.0.2.? 10.1.1.0/24 10.1.1.1/0 0.0.0.0/0 0.0.0.0/00 10.1.1/24 10.1.1.1/24 host "
         "host_7.example.com www.example.com .example.com *.example.com www. .2.7 ALL LOCAL UNKNOWN KNOWN PARANOID * ? "
         "[2001:db8::1] 2-9 192.0.2.5-9 192.0.2.5-192.0.2.9 10.1.1 999.1.1.1").split()
ODD = ["<", ">", '"', "'", "`", ";", "!", "~", "$", "(", ")", "{", "}", "|", "&", "=", "+", "^", "-", "_", ".", "..", "%", "[",
       "]", "\\x", "*", "?", "#", "@", "/", "/0", "\u00a0", "\u201c", "\u2013", "\u00fc", "\x7f", "\x01", "a", "7"]


def odd_word(maker: Maker) -> str:
    word = maker.random.choice(BASES)
    for _ in range(maker.random.randrange(3)):
        place = maker.random.choice([0, len(word), maker.random.randrange(len(word) + 1)])
        word = word[:place] + maker.random.choice(ODD) + word[place:]
    return word


def told_to_match_nothing(folder: Path, words: list[str]) -> list[str]:
    file = folder / "odd"
    file.write_bytes("".join(f"ALL: {word} \n" for word in words).encode())
    done = finish([str(BINARY), "rules", "check", "--allow", "/dev/null", "--deny", str(file)])
    assert done.stderr == ""
    # Of this file only: a pattern file that a word names has lines of its own.
    lines = re.findall(
        rf"^{re.escape(str(file))}:(\d+):\d+: "
        r".*(?:: it matches nothing|0 matches nothing: ALL stands for everybody)$", done.stdout, re.MULTILINE)
    return [words[number - 1] for number in sorted({int(line) for line in lines})]


def is_legal(name: str) -> bool:
    """Of a host: letters, digits, hyphens, and underscores, which are in use; no address, nor the like of one."""
    parts = name.split(".")
    return all(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?", part) for part in parts) and bool(
        re.search("[A-Za-z]", parts[-1]))


def names_like(word: str) -> set[str]:
    """Legal names that come as near to a word as they can."""
    bare = re.sub(r"[^A-Za-z0-9._*?-]", "", word)
    filled = {re.sub(r"[*?]", filling, bare) for filling in ("", "a", "a.b")}
    return {name for text in filled for name in (text.strip(".-"), f"x{text}", f"{text}x", f"{text}example.com")
            if is_legal(name)}


def test_what_is_told_to_match_nothing_matches_no_address_and_no_name(
    folder: Path, maker: Maker, libwrap: subprocess.Popen[str]
) -> None:
    words = [odd_word(maker) for _ in range(400)]
    told = told_to_match_nothing(folder, words)
    assert 100 < len(told) < 400
    deny = "".join(f"ALL: {word} \n" for word in told).encode()
    names = sorted({name for word in told for name in names_like(word)} | {"www.example.com", "host", "-", "paranoid"})
    clients = ["192.0.2.7", "192.0.2.9", "10.1.1.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::1", "fe80::1%eth0"]
    Case(b"", deny, "sshd", clients[0], folder=folder).write()
    for number, name in enumerate(names):
        for client in clients if number < 20 else clients[number % len(clients):][:1]:
            case = Case(b"", deny, "sshd", client, name, folder)
            if ask(libwrap, case) != "granted":
                pytest.fail(f"{client} {name} is one of {[word for word in told if matches(libwrap, case, word)]}")


def matches(libwrap: subprocess.Popen[str], case: Case, word: str) -> bool:
    one = Case(b"", f"ALL: {word} \n".encode(), case.daemon, case.client, case.name, case.folder)
    one.write()
    return ask(libwrap, one) != "granted"


def test_what_matches_is_not_told_to_match_nothing(folder: Path, maker: Maker, libwrap: subprocess.Popen[str]) -> None:
    """The other way round: of words that libwrap matches with a legal name, or an address."""
    words = [maker.host() for _ in range(200)] + [name for word in BASES for name in names_like(word)]
    words = [word for word in words if not word.startswith(("#", str(TEMPORARY)))]
    told = set(told_to_match_nothing(folder, words))
    seen = 0
    for word in sorted(set(words)):
        name = word if is_legal(word) else "www.example.com"
        for client in ("10.1.1.1", "2001:db8::1"):
            if matches(libwrap, Case(b"", b"", "sshd", client, name, folder), word):
                assert word not in told
                seen += 1
    assert seen > 50
