"""scanlogd rules check and scanlogd rules match: what they print, and how they end."""

import subprocess
from pathlib import Path

import pytest
from harness.accounts import as_nobody
from harness.daemon import Finished, finish
from harness.network import tool
from harness.places import BINARY

TRY_HELP = "scanlogd: try 'scanlogd rules --help'\n"


def rules(*arguments: object) -> Finished:
    return finish([str(BINARY), "rules", *map(str, arguments)])


@pytest.fixture
def allow(tmp_path: Path) -> Path:
    path = tmp_path / "allow"
    path.write_text("# ours\nsshd: 10.1. LOCAL : severity info\nftpd: 10.2.1.1, \\\n 10.2.1.2\nnonsense\n")
    return path


@pytest.fixture
def deny(tmp_path: Path) -> Path:
    path = tmp_path / "deny"
    path.write_text("\nALL EXCEPT httpd: ALL\n")
    return path


def match(allow: Path, deny: Path, *arguments: object) -> Finished:
    return rules("match", "--allow", allow, "--deny", deny, *arguments)


def problems(tmp_path: Path, content: bytes, *options: str, name: str = "deny") -> tuple[int, list[str]]:
    """What check says of a hosts.deny, or of an hosts.allow, and its exit status."""
    paths = {file: tmp_path / f"{file}.checked" for file in ("allow", "deny")}
    for file, path in paths.items():
        path.write_bytes(content if file == name else b"")
    done = rules("check", *options, "--allow", paths["allow"], "--deny", paths["deny"])
    assert done.stderr == "", done
    prefix = f"{paths[name]}:"
    assert all(line.startswith(prefix) for line in done.stdout.splitlines()), done
    return done.status, [line.removeprefix(prefix) for line in done.stdout.splitlines()]


# What match says.


def test_a_rule_of_hosts_allow_grants(allow: Path, deny: Path) -> None:
    done = match(allow, deny, "sshd", "10.1.2.3")
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout == (
        f"granted: {allow}:2: sshd: 10.1. LOCAL : severity info\n"
        "compared with: daemon sshd, client 10.1.2.3, name unknown, user unknown\n")


def test_a_rule_of_hosts_deny_denies(allow: Path, deny: Path) -> None:
    done = match(allow, deny, "sshd@10.0.0.9", "bob@[2001:DB8::0:1]")
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout == (
        f"denied: {deny}:2: ALL EXCEPT httpd: ALL\n"
        "compared with: daemon sshd@10.0.0.9, client 2001:db8::1, name unknown, user bob\n")


def test_without_a_rule_access_is_granted(allow: Path, deny: Path) -> None:
    done = match(allow, deny, "httpd", "10.1.2.3")
    assert (done.status, done.stdout.splitlines()[0]) == (0, "granted: no rule matches")


def test_the_name_is_the_one_that_is_given(allow: Path, deny: Path) -> None:
    assert match(allow, deny, "--name", "host", "sshd", "192.0.2.1").status == 0
    assert match(allow, deny, "--name", "host.example.com", "sshd", "192.0.2.1").status == 1
    assert match(allow, deny, "--name", "paranoid", "sshd", "192.0.2.1").status == 1
    assert match(allow, deny, "--name", "unknown", "sshd", "192.0.2.1").status == 1


@pytest.mark.parametrize("word", ["unknown", "Unknown", "UNKNOWN", "paranoid", "Paranoid", "PARANOID"])
def test_the_words_for_names_are_the_same_in_either_case(tmp_path: Path, deny: Path, word: str) -> None:
    allow = tmp_path / "allow"
    for rule, meant in (("KNOWN", ""), ("UNKNOWN", "unknown"), ("PARANOID", "paranoid")):
        allow.write_text(f"sshd: {rule}\n")
        done = match(allow, deny, "--name", word, "sshd", "192.0.2.1")
        assert done.status == (0 if word.lower() == meant else 1), done
    assert match(allow, deny, "sshd", word).status == (1 if word.lower() == "unknown" else 2)


def test_a_port_is_compared_with_numbers(allow: Path, deny: Path) -> None:
    allow.write_text("22: ALL\n")
    assert match(allow, deny, "--port", "22", "sshd", "192.0.2.1").status == 0
    assert match(allow, deny, "--port", "23", "sshd", "192.0.2.1").status == 1
    assert match(allow, deny, "22", "192.0.2.1").status == 1


def test_verbose_says_why_earlier_rules_do_not_match(allow: Path, deny: Path) -> None:
    done = match(allow, deny, "-v", "sshd", "10.2.1.1")
    assert done.status == 1
    assert done.stdout == (
        f"{allow}:2: another client: sshd: 10.1. LOCAL : severity info\n"
        f"{allow}:4: another daemon: ftpd: 10.2.1.1,  10.2.1.2\n"
        f'{allow}:5: no ":": the line is skipped\n'
        f"denied: {deny}:2: ALL EXCEPT httpd: ALL\n"
        "compared with: daemon sshd, client 10.2.1.1, name unknown, user unknown\n")


def test_the_bad_option_that_denies_is_named(allow: Path, deny: Path) -> None:
    allow.write_text("sshd: ALL : nice : frob \x1b : allow\n")
    done = match(allow, deny, "sshd", "10.1.1.1")
    assert done.status == 1
    assert done.stdout.splitlines()[:2] == [
        f"denied: {allow}:1: sshd: ALL : nice : frob \\033 : allow", 'because: "frob": no such option: the rule denies']


def test_twist_answers_in_place_of_the_daemon(allow: Path, deny: Path) -> None:
    allow.write_text("sshd: ALL : twist /bin/echo\n")
    done = match(allow, deny, "sshd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[0]) == (1, f"delegated: {allow}:1: sshd: ALL : twist /bin/echo")


def test_a_command_may_have_the_say(allow: Path, deny: Path) -> None:
    allow.write_text("sshd: ALL : severity info : aclexec /bin/false\n")
    done = match(allow, deny, "sshd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[:2]) == (1, [
        f"delegated: {allow}:1: sshd: ALL : severity info : aclexec /bin/false",
        "because: aclexec: if its command fails, hosts.deny decides"])
    deny.write_text("ftpd: ALL : aclexec /bin/false : umask 022\n")
    done = match(allow, deny, "ftpd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[:2]) == (1, [
        f"delegated: {deny}:1: ftpd: ALL : aclexec /bin/false : umask 022",
        "because: aclexec: if its command fails, access is granted"])


@pytest.mark.parametrize(("option", "verdict", "status"), [
    ("allow", "granted", 0), ("deny", "denied", 1), ("frob", "denied", 1), ("twist /bin/x", "delegated", 1)])
def test_what_stands_behind_a_command_has_the_last_word(
    allow: Path, deny: Path, option: str, verdict: str, status: int
) -> None:
    allow.write_text(f"sshd: ALL : aclexec /bin/false : {option}\n")
    done = match(allow, deny, "sshd", "10.1.1.1")
    assert (done.status, done.stdout.partition(":")[0], "aclexec: if" in done.stdout) == (status, verdict, False)


def test_users_groups_and_directories_are_those_of_this_host(allow: Path, deny: Path) -> None:
    for option, status in (("user root", 0), ("user nosuchuser", 1), ("user root.root", 0), ("group nosuchgroup", 1)):
        allow.write_text(f"sshd: ALL : {option}\n")
        assert match(allow, deny, "sshd", "10.1.1.1").status == status, option


def test_a_line_that_is_too_long_denies_everybody(allow: Path, deny: Path) -> None:
    deny.write_text("httpd: 10.9.9.9\nhttpd: " + "10.9.9.9 " * 300 + "\n")
    done = match(allow, deny, "httpd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[0]) == (
        1, f"denied: {deny}:2: longer than 2047 bytes: all after it is ignored, and in hosts.deny everybody is denied")


def test_a_hosts_allow_that_is_not_read_to_its_end_is_told_of(allow: Path, deny: Path) -> None:
    allow.write_text("x: " + "10.9.9.9 " * 300 + "\nALL: ALL\n")
    done = match(allow, deny, "sshd", "10.1.1.1")
    assert done.status == 1
    assert done.stdout.startswith(f"{allow}:1: longer than 2047 bytes: all after it is ignored")


def test_hostile_bytes_reach_no_terminal(allow: Path, deny: Path) -> None:
    allow.write_bytes(b"")
    deny.write_bytes(b"\x1b2Jsshd\x07 \xff\xc2\x9b ALL\t:\tALL \x7f\\ : deny\r\n")
    done = match(allow, deny, "-v", "--name", "\x1b[2J", "sshd\x07", "b\x9bb@10.1.1.1")
    assert done.status == 1
    assert done.stdout == (
        f"denied: {deny}:1: \\0332Jsshd\\007 \\377\\302\\233 ALL : ALL \\177\\134 : deny\n"
        "compared with: daemon sshd\\007, client 10.1.1.1, name \\033[2J, user b\\302\\233b\n")
    checked = rules("check", "--allow", allow, "--deny", deny)
    assert all(character == "\n" or " " <= character <= "~" for character in checked.stdout)


# Files that can't be read.


def in_etc(script: str, *arguments: str) -> Finished:
    """Runs a script where /etc has only what it puts there."""
    script = f"mount -n -t tmpfs etc /etc && cd /etc && {script}"
    return finish([tool("unshare"), "--mount", "sh", "-c", script, "sh", *arguments])


def with_etc(script: str, *arguments: str) -> Finished:
    """Runs the command where /etc has only what a script puts there."""
    return in_etc(f"{script} && exec {BINARY} rules \"$@\"", *arguments)


def test_a_hosts_deny_that_is_a_directory_denies() -> None:
    done = with_etc("mkdir hosts.deny", "match", "httpd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[0]) == (1, "denied: /etc/hosts.deny: read: Is a directory")


def test_a_hosts_deny_that_may_not_be_read_denies() -> None:
    script = f"touch hosts.deny && chmod 0 hosts.deny && cp {BINARY} /etc/copy"
    command = ["/etc/copy", "rules", "match", "httpd", "10.1.1.1"]
    done = in_etc(f"{script} && exec {' '.join(as_nobody())} \"$@\"", *command)
    assert (done.status, done.stdout.splitlines()[0]) == (1, "denied: /etc/hosts.deny: open: Permission denied")


def test_a_hosts_allow_that_can_not_be_read_grants_nothing() -> None:
    done = with_etc("mkdir hosts.allow && echo 'ALL EXCEPT httpd: ALL' >hosts.deny", "match", "sshd", "10.1.1.1")
    assert (done.status, done.stderr) == (1, "scanlogd: /etc/hosts.allow: read: Is a directory\n")
    assert done.stdout.startswith("denied: /etc/hosts.deny:1: ")


@pytest.mark.parametrize("option", ["--allow", "--deny"])
def test_a_file_that_is_named_must_be_readable(tmp_path: Path, option: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "plain").touch()
    for path, reason in (
        (tmp_path, "read: Is a directory"), (tmp_path / "loop", "open: Too many levels of symbolic links"),
        (tmp_path / "plain/x", "open: Not a directory"),
    ):
        assert rules("match", option, path, "sshd", "10.1.1.1") == Finished(2, "", f"scanlogd: {path}: {reason}\n")


@pytest.mark.parametrize("option", ["--allow", "--deny", "--exempt"])
def test_a_file_that_is_named_must_be_there(option: str) -> None:
    assert rules("match", option, "/nonexistent", "scanlogd", "10.1.1.1") == Finished(
        2, "", "scanlogd: /nonexistent: open: No such file or directory\n")
    done = rules("check", option, "/nonexistent")
    assert (done.status, done.stderr) == (1, "scanlogd: /nonexistent: open: No such file or directory\n")


def test_the_files_are_those_in_etc() -> None:
    done = with_etc("echo 'sshd: 10.1.1.1' >hosts.allow && echo 'ALL: ALL' >hosts.deny", "match", "sshd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[0]) == (0, "granted: /etc/hosts.allow:1: sshd: 10.1.1.1")
    done = with_etc("echo 'ALL: ALL' >hosts.deny", "match", "-v", "sshd", "10.1.1.1")
    assert (done.status, done.stdout.splitlines()[:2]) == (
        1, ["/etc/hosts.allow: open: there is no such file", "denied: /etc/hosts.deny:1: ALL: ALL"])
    assert with_etc("true", "match", "sshd", "10.1.1.1").status == 0
    assert with_etc("true", "check") == Finished(0, "", "")
    done = with_etc("echo 'sshd: ALL EXCEPT' >hosts.allow && echo 'x' >hosts.deny", "check")
    assert (done.status, done.stdout) == (
        1, "/etc/hosts.allow:1: the client list is empty, or EXCEPT has nothing beside it\n"
        '/etc/hosts.deny:1: no ":": the line is skipped\n')


def test_a_pipe_can_be_read() -> None:
    command = f"printf 'sshd: ALL\\n' | {BINARY} rules match --allow /dev/stdin --deny /dev/null sshd 10.1.1.1"
    assert finish(["sh", "-c", command]).status == 0


def test_a_device_or_a_pipe_is_no_pattern_file(allow: Path, deny: Path, tmp_path: Path) -> None:
    subprocess.run(["mkfifo", tmp_path / "pipe"], check=True)
    allow.write_text(f"sshd: /dev/zero {tmp_path}/pipe {tmp_path}\n")
    done = match(allow, deny, "sshd", "10.1.1.1")
    assert (done.status, done.stdout.startswith(f"denied: {deny}:2: ")) == (1, True)
    assert rules("check", "--allow", allow, "--deny", "/dev/null").stdout.count("can't be read") == 3


# What check says.

PROBLEMS = {
    b"\xef\xbb\xbfsshd: 10.1.1.1\n": '1: byte order mark: libwrap takes it for a part of the first word',
    b"sshd: 10.1.1.1": "1: no newline: ",
    b"x: " + b"10.9.9.9 " * 300 + b"\n": "1: longer than 2047 bytes: ",
    b"sshd: 10.1.1.1 \0\n": "1: zero byte: ",
    b"\nnonsense\n": '2: no ":": the line is skipped',
    b"sshd: 10.1.1.1 \\\n":
        "1: backslash at the end of the last line: there is no next line to join, this one is ignored, and in hosts.deny"
        " everybody is denied",
    b"sshd: 10.1.1.1 \\\r\n": "1: backslash before a carriage return",
    b"# off \\\nALL: ALL\n": "1: comment that ends in a backslash: the next line is a part of it",
    b"  # ALL: ALL\n": '1:3: "#": blank before "#": this is no comment',
    b"sshd: 10.1.1.1 # ours\n": '1:16: "#": "#" begins no comment here',
    b": ALL\n": "1: the daemon list is empty",
    b"sshd:\n": "1: the client list is empty",
    b"sshd: ALL EXCEPT\n": "1: the client list is empty, or EXCEPT has nothing beside it",
    b"@x: 10.1.1.1\n": """1:1: "@x": a daemon's name begins with "@\"""",
    b"/x: 10.1.1.1\n": """1:1: "/x": a daemon's name begins with "/\"""",
    b".x: 10.1.1.1\n": """1:1: ".x": a daemon's name begins with a dot""",
    b"x.: 10.1.1.1\n": """1:1: "x.": a daemon's name ends in a dot""",
    b"LOCAL: 10.1.1.1\n": """1:1: "LOCAL": a daemon's name that is a word for clients""",
    b"sshd: KNOWN@x FAIL@y.de\n": """1:15: "FAIL": a user's name that is a word for hosts""",
    b"sshd: FAIL\n": '1:7: "FAIL": FAIL is no longer known',
    b"sshd: @group\n": '1:7: "@group": netgroup',
    b"sshd: .1.1\n": '1:7: ".1.1": begins with a dot',
    b"sshd: example.com.\n": '1:7: "example.com.": a name that ends in a dot',
    b"sshd: 10.1.1.1/24\n": '1:7: "10.1.1.1/24": bits are set behind the prefix',
    b"sshd: 010.0.0.0/8\n":
        '1:7: "010.0.0.0/8": a number behind a 0 is octal, one behind 0x hexadecimal: it means 8.0.0.0/255.0.0.0',
    b"sshd: [::1]/64\n":
        '1:7: "[::1]/64": bits are set behind the prefix: they do not count, and it matches the whole net',
    b"sshd: [::]/\n": '1:7: "[::]/": no prefix length: it matches nothing here, and every IPv6 address for libwrap',
    b"sshd: 10.0.0.0/\n": '1:7: "10.0.0.0/": no prefix length: it matches nothing',
    b"sshd: 10.1.1.1/255.255.255.255\n":
        '1:7: "10.1.1.1/255.255.255.255": this mask matches nothing: write the address without it',
    b"sshd: [2001:db8::]/x\n": '1:7: "[2001:db8::]/x": the prefix length must be digits only',
    b"sshd: 10.1.1.0/24x\n": '1:7: "10.1.1.0/24x": the prefix length must be digits only',
    b"sshd: [2001:db8::/32]\n": '1:7: "[2001:db8::/32]": the prefix length stands in the brackets',
    b"sshd: 10.1.1.1 2001:db8::1\n": '1:16: "2001:db8::1": an IPv6 address needs brackets',
    b"sshd: 999.1.1.1\n": '1:7: "999.1.1.1": no address is printed like this',
    b"sshd: 010.1.1.1\n": '1:7: "010.1.1.1": no address is printed like this',
    b"sshd: 10.1.1\n": '1:7: "10.1.1": no address is printed like this',
    b"sshd: [fe80::1%eth0]\n": '1:7: "[fe80::1%eth0]": a zone is not compared',
    b"sshd: /nonexistent\n": """1:7: "/nonexistent": can't be read""",
    b"sshd: 10.1.1.1 : frob\n": '1:18: "frob": no such option',
    b"sshd: 10.1.1.1 :\n": "1:17: no option behind the colon",
    b"sshd: 10.1.1.1 : deny : nice\n": '1:18: "deny": an option that must be the last',
    b"sshd: 10.1.1.1 : spawn\n": '1:18: "spawn": an option without its value',
    b"sshd: 10.1.1.1 : keepalive 1\n": '1:18: "keepalive": an option that takes no value',
    b"sshd: 10.1.1.1 : umask 9\n": '1:24: "9": not a number for this option',
    b"sshd: 10.1.1.1 : severity x.info\n": '1:27: "x": no facility or level',
    b"sshd: 10.1.1.1 : user nosuchuser\n": '1:23: "nosuchuser": no such user',
    b"sshd: 10.1.1.1 : user root.nosuchgroup\n": '1:28: "nosuchgroup": no such group',
    b"sshd: 10.1.1.1 : banners /nonexistent\n": '1:26: "/nonexistent": no such directory',
    b"sshd: 10.1.1.1 : spawn %q\n": '1:24: "%q": stands for nothing',
    b"ALL: 10.\nsshd: 10.1.1.1\n": "2: never reached: all it matches is matched by line 1",
    b"sshd: 10.1.1.1\nSSHD : 10.1.1.1\n": "2: never reached: the same as line 1",
    b"ALL: 10.1.1.1\nsshd: 10.1.1.1\n": "2: never reached: the same as line 1",
    b"ALL: 10.1.1.1 10.1.1.2\nsshd: 10.1.1.2\n": "2: never reached: all it matches is matched by line 1",
    b"a: 10.1.1.1\na: 10.1.1.2\na: 10.1.1.2 10.1.1.1\n":
        "3: never reached: all it matches is matched by earlier lines, the last of which is 2",
    b"ALL: ALL\nsshd: 10.1.1.1\n": "2: never reached: everything is matched by line 1",
}


@pytest.mark.parametrize("content", PROBLEMS, ids=[text.split(": ", 1)[1][:40] for text in PROBLEMS.values()])
def test_each_problem_is_told_with_its_place(tmp_path: Path, content: bytes) -> None:
    status, lines = problems(tmp_path, content)
    assert (status, len(lines)) == (1, 1), lines
    assert lines[0].startswith(PROBLEMS[content]), lines


def test_a_file_without_problems_is_said_nothing_of(tmp_path: Path) -> None:
    content = b"# ours\nsshd: 10.1. [2001:db8::]/32 .example.com /etc/hostname EXCEPT 10.1.1.1 : severity info : deny\n"
    (tmp_path / "names").write_text("10.1.1.1\n")
    content = content.replace(b"/etc/hostname", bytes(tmp_path / "names"))
    assert problems(tmp_path, content) == (0, [])
    assert problems(tmp_path, b"") == (0, [])


def test_verbose_prints_each_rule(tmp_path: Path) -> None:
    status, lines = problems(tmp_path, b"# x\nsshd: 10.1.1.1 \\\n 10.1.1.2\nnonsense\nftpd: LOCAL\n", "-v")
    assert (status, lines) == (1, [
        "3: rule: sshd: 10.1.1.1  10.1.1.2", "5: rule: ftpd: LOCAL", '4: no ":": the line is skipped'])


def test_implicit_allows_are_told_when_asked_for(tmp_path: Path) -> None:
    content = b"sshd: 10.1.1.1\nsshd: 10.1.1.2 : allow\n"
    assert problems(tmp_path, content, name="allow") == (0, [])
    assert problems(tmp_path, content, "-a", name="allow") == (1, ['1: grants without saying "allow"'])


def test_a_rule_for_everything_in_hosts_allow_makes_hosts_deny_useless(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("ALL: ALL\n")
    (tmp_path / "d").write_text("sshd: 10.1.1.1\nsshd: 10.1.1.2\n")
    done = rules("check", "--allow", tmp_path / "a", "--deny", tmp_path / "d")
    assert (done.status, done.stdout) == (
        1, f"{tmp_path}/d:1: never reached, with all that follow: everything is matched in hosts.allow by line 1\n")


@pytest.mark.parametrize(("first", "is_hidden"), [
    ("ALL: 10.", True), ("sshd ftpd: LOCAL 10.1.1.1", True), ("sshd: 10.1.1.1 : allow", True), ("ALL: 10.1.1.2", False),
    ("sshd: 10.1.1.1 : aclexec /bin/true", False), ("sshd: 10. : aclexec /bin/true", False),
])
def test_a_rule_of_hosts_deny_that_hosts_allow_covers_is_told(tmp_path: Path, first: str, is_hidden: bool) -> None:
    (tmp_path / "a").write_text(f"# ours\n{first}\n")
    (tmp_path / "d").write_text("sshd: 10.1.1.1\n")
    done = rules("check", "--allow", tmp_path / "a", "--deny", tmp_path / "d")
    told = f"{tmp_path}/d:1: never reached: all it matches is matched in hosts.allow by line 2\n"
    assert done == (Finished(1, told, "") if is_hidden else Finished(0, "", ""))


def test_problems_in_a_pattern_file_are_told_with_its_name(tmp_path: Path) -> None:
    patterns = tmp_path / "patterns"
    patterns.write_text("# ours\n10.1.1.1, 10.1.1.2\n 300.1.\n")
    (tmp_path / "d").write_text(f"sshd: {patterns}\n")
    done = rules("check", "--allow", "/dev/null", "--deny", tmp_path / "d")
    assert (done.status, done.stdout) == (
        1, f'{patterns}:2:1: "10.1.1.1,": a comma separates nothing in a pattern file\n'
        f'{patterns}:3:2: "300.1.": no address is printed like this: it matches nothing\n')


def test_files_whose_names_differ_in_case_are_two(tmp_path: Path) -> None:
    for name, address in (("list", "10.1.1.1"), ("List", "10.1.1.2")):
        (tmp_path / name).write_text(f"{address}\n")
    content = f"sshd: {tmp_path}/list\nsshd: {tmp_path}/List\n".encode()
    assert problems(tmp_path, content) == (0, [])
    assert problems(tmp_path, content.replace(b"List", b"list")) == (1, ["2: never reached: the same as line 1"])


def test_a_hundred_thousand_rules_are_checked_at_once(tmp_path: Path) -> None:
    addresses = [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(100_000)]
    content = "".join(f"ALL: {address}\n" for address in addresses) + "sshd: 10.0.3.232\n"
    status, lines = problems(tmp_path, content.encode())
    assert (status, lines) == (1, ["100001: never reached: the same as line 1001"])
    (tmp_path / "d").write_text(content)
    done = match(Path("/dev/null"), tmp_path / "d", "sshd", addresses[-1])
    assert done.stdout.startswith(f"denied: {tmp_path}/d:100000: ALL: {addresses[-1]}\n")


# Exempt sources.


@pytest.fixture
def exempt(tmp_path: Path) -> Path:
    path = tmp_path / "exempt"
    path.write_text("# scanners\nscanlogd: 192.0.2.7 [2001:db8:5::]/48\n"
                    "scanlogd: 10.0.0.0/8 EXCEPT 10.9.0.0/16 : severity notice\nALL: 10.9.9.9 : deny\n")
    return path


@pytest.mark.parametrize(("client", "status", "verdict"), [
    ("192.0.2.7", 0, "exempt: {}:2: scanlogd: 192.0.2.7 [2001:db8:5::]/48"),
    ("2001:db8:5::1", 0, "exempt: {}:2: scanlogd: 192.0.2.7 [2001:db8:5::]/48"),
    ("10.1.1.1", 1, "reported at level notice: {}:3: scanlogd: 10.0.0.0/8 EXCEPT 10.9.0.0/16 : severity notice"),
    ("10.9.9.9", 1, "reported: {}:4: ALL: 10.9.9.9 : deny"),
    ("10.9.9.8", 1, "reported: no rule matches"),
    ("::ffff:192.0.2.7", 1, "reported: no rule matches"),
])
def test_a_source_is_exempt_as_its_rule_says(exempt: Path, client: str, status: int, verdict: str) -> None:
    done = rules("match", "--exempt", exempt, "scanlogd", client)
    assert (done.status, done.stderr) == (status, "")
    assert done.stdout.splitlines()[0] == verdict.format(exempt)


def test_verbose_tells_the_rules_before(exempt: Path) -> None:
    exempt.write_text("sshd: 10.1.1.1\n" + exempt.read_text())
    done = rules("match", "-v", "--exempt", exempt, "scanlogd", "10.1.1.1")
    assert done.stdout.splitlines() == [
        f"{exempt}:1: another daemon: sshd: 10.1.1.1",
        f"{exempt}:3: another client: scanlogd: 192.0.2.7 [2001:db8:5::]/48",
        f"reported at level notice: {exempt}:4: scanlogd: 10.0.0.0/8 EXCEPT 10.9.0.0/16 : severity notice",
        "compared with: daemon scanlogd, client 10.1.1.1"]


def test_what_rules_are_compared_with_is_told(allow: Path, deny: Path, exempt: Path) -> None:
    told = [match(allow, deny, "sshd", client).stdout.splitlines()[-1] for client in ("::ffff:1.2.3.4", "UNKNOWN")]
    assert told == ["compared with: daemon sshd, client 1.2.3.4, name unknown, user unknown",
                    "compared with: daemon sshd, client unknown, name unknown, user unknown"]
    # A source like that is not taken for the address in it.
    done = rules("match", "--exempt", exempt, "scanlogd", "::ffff:1.2.3.4")
    assert done.stdout.splitlines()[-1] == "compared with: daemon scanlogd, client ::ffff:1.2.3.4"


@pytest.mark.parametrize("rule", [
    "scanlogd: www.example.com", "scanlogd: .example.com", "scanlogd: LOCAL", "scanlogd: KNOWN", "scanlogd: PARANOID",
    "scanlogd: root@10.1.1.1", "scanlogd: 10.1.1.1 : spawn x", "scanlogd: 10.1.1.1 : twist x", "scanlogd: 10.1.1",
    "scanlogd: 10.1.1.1/8", "scanlogd: 010.0.0.0/8", "scanlogd: 10.1.1.1 : frob", "scanlogd: /nonexistent", "scanlogd 10.1.1.1",
])
def test_an_exempt_file_that_would_be_refused_is_a_problem(tmp_path: Path, rule: str) -> None:
    path = tmp_path / "exempt"
    path.write_text(f"scanlogd: 10.9.9.9\n{rule}\n")
    checked = rules("check", "--exempt", path)
    assert (checked.status, checked.stderr, checked.stdout.count("\n")) == (1, "", 1)
    assert checked.stdout.startswith(f"{path}:2:")
    assert rules("match", "--exempt", path, "scanlogd", "10.1.1.1") == Finished(2, checked.stdout, "")


def test_all_that_is_wrong_in_an_exempt_file_is_told(exempt: Path) -> None:
    exempt.write_text("scanlogd: 2001:db8::1\nscanlogd: 10.1.1.1 # ours\nsshd: LOCAL\nsshd\nscanlogd: [::1]/64 : nice")
    done = rules("check", "--exempt", exempt)
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.replace(str(exempt), "") == (
        ':1:11: "2001:db8::1": an IPv6 address needs brackets\n'
        ':2:20: "#": "#" begins no comment here: what follows are words of the rule\n'
        ":3: not about scanlogd: it is not used\n"
        ':4: no ":": scanlogd does not start\n'
        ':5:11: "[::1]/64": bits are set behind the prefix: they do not count, and it matches the whole net\n'
        ':5:22: "nice": only allow, deny and severity may stand in an exempt file\n')
    # The daemon says the first of them, in the same words.
    started = finish([str(BINARY), "-d", "--exempt", str(exempt)])
    assert started == Finished(2, "", f"scanlogd: {done.stdout.splitlines()[0]}\n")


def test_an_exempt_file_is_read_as_the_daemon_reads_it(tmp_path: Path) -> None:
    subprocess.run(["mkfifo", tmp_path / "pipe"], check=True)
    (tmp_path / "large").write_text("#" * (1 << 20) + "\n")
    for name, reason in (("pipe", "not a regular file"), ("large", "too large"), (".", "not a regular file")):
        path = tmp_path / name
        complaint = f"scanlogd: {path}: read: {reason}\n"
        assert rules("check", "--exempt", path) == Finished(1, "", complaint)
        assert rules("match", "--exempt", path, "scanlogd", "10.1.1.1") == Finished(2, "", complaint)
        assert finish([str(BINARY), "-d", "--exempt", str(path)]) == Finished(2, "", complaint)
    # A file of patterns that is too large is as one that can't be read.
    (tmp_path / "rules").write_text(f"scanlogd: {tmp_path / 'large'}\n")
    told = f'{tmp_path}/rules:1:11: "{tmp_path}/large": can\'t be read: scanlogd does not start\n'
    assert rules("check", "--exempt", tmp_path / "rules") == Finished(1, told, "")
    assert rules("match", "--exempt", tmp_path / "rules", "scanlogd", "10.1.1.1") == Finished(2, told, "")
    assert finish([str(BINARY), "-d", "--exempt", str(tmp_path / "rules")]) == Finished(2, "", f"scanlogd: {told}")
    (tmp_path / "large").write_text("#\n" * (1 << 19))
    assert rules("check", "--exempt", tmp_path / "large") == Finished(0, "", "")


def test_a_pattern_file_that_names_itself_is_told_once(tmp_path: Path) -> None:
    patterns = tmp_path / "patterns"
    patterns.write_text(f"{patterns}\n" * 100)
    (tmp_path / "rules").write_text(f"scanlogd: {patterns}\n")
    told = f'{patterns}:1:1: "{patterns}": a pattern file that names itself, or one that names it: '
    assert rules("check", "--exempt", tmp_path / "rules").stdout == f"{told}scanlogd does not start\n"
    done = rules("check", "--allow", "/dev/null", "--deny", tmp_path / "rules")
    assert done.stdout == f"{told}everybody is denied\n"


def test_an_exempt_file_that_is_right_has_no_problems(exempt: Path) -> None:
    assert rules("check", "--exempt", exempt) == Finished(0, "", "")
    exempt.write_text("scanlogd: 10.\nsshd: LOCAL\nscanlogd: 10.1.1.1")
    assert rules("check", "--exempt", exempt) == Finished(
        1, f"{exempt}:2: not about scanlogd: it is not used\n"
        f"{exempt}:3: never reached: all it matches is matched by line 1\n", "")


# The command line.


@pytest.mark.parametrize(("arguments", "complaint"), [
    ((), "rules: argument: check or match must follow"),
    (("frob",), "frob: argument: no such command of rules"),
    (("check", "x"), "x: argument: none is expected"),
    (("match",), "rules match: argument: a daemon and a client must be named"),
    (("match", "sshd"), "rules match: argument: a daemon and a client must be named"),
    (("match", "sshd", "10.1.1.1", "x"), "rules match: argument: a daemon and a client must be named"),
    (("match", "--exempt", "/dev/null", "sshd", "10.1.1.1"), "sshd: argument: only scanlogd has exempt sources"),
    (("match", "--exempt", "/dev/null", "scanlogd", "unknown"), "unknown: argument: the source of a packet has an address, and no user"),
    (("match", "--exempt", "/dev/null", "scanlogd", "x@10.1.1.1"), "x@10.1.1.1: argument: the source of a packet has an address, and no user"),
    (("match", "--exempt", "/dev/null", "--name", "x", "scanlogd", "10.1.1.1"), "--name: argument: the source of a packet has an address only"),
    (("match", "--exempt", "/dev/null", "--port", "1", "scanlogd", "10.1.1.1"), "--port: argument: scans are of many ports: rules for exempt sources have none"),
    (("match", "--exempt", "x", "--deny", "y", "a", "b"), "--exempt: argument: is for a file of its own, beside no other"),
    (("match", "--exempt", "x", "--exempt", "y", "a", "b"), "--exempt: option: given twice"),
    (("check", "--allow", "x", "--allow", "x"), "--allow: option: given twice"),
    (("check", "--deny", "x", "--deny", "y"), "--deny: option: given twice"),
    (("check", "-a", "--exempt", "x"), "-a: argument: rules for exempt sources need not say allow"),
    (("match", "--port", "65536", "sshd", "10.1.1.1"), "65536: argument: not a port: 0 to 65535"),
    (("match", "--port", "", "sshd", "10.1.1.1"), ": argument: not a port: 0 to 65535"),
    (("match", "--name", "x" * 256, "sshd", "10.1.1.1"), "x" * 256 + ": argument: a name has 1 to 255 bytes"),
    (("match", "sshd@", "10.1.1.1"), "sshd@: argument: no daemon, or no server: names have 1 to 255 bytes"),
    (("match", "sshd", "host"), "host: argument: not an address: no name is looked up, so say the address, and the name "
     "with --name"),
])
def test_arguments_that_make_no_sense_are_refused(arguments: tuple[str, ...], complaint: str) -> None:
    assert rules(*arguments) == Finished(2, "", f"scanlogd: {complaint}\n{TRY_HELP}")


@pytest.mark.parametrize("arguments", [("check", "--frob"), ("check", "--name", "x"), ("match", "-a"), ("match", "--deny")])
def test_options_that_are_unknown_are_refused(arguments: tuple[str, ...]) -> None:
    done = rules(*arguments)
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith(f"scanlogd rules {arguments[0]}: ")
    assert done.stderr.endswith(TRY_HELP)


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("check", "-h"), ("match", "--help")])
def test_help_is_printed(arguments: tuple[str, ...]) -> None:
    done = rules(*arguments)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: scanlogd rules check ")
    assert max(map(len, done.stdout.splitlines())) <= 90


@pytest.mark.parametrize("target, reason", [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_output_that_can_not_be_written_is_told_of(allow: Path, deny: Path, target: str, reason: str) -> None:
    for command in (f"check -v --allow {allow} --deny {deny}", f"match --allow {allow} --deny {deny} sshd 10.1.1.1"):
        done = finish(["sh", "-c", f"exec {BINARY} rules {command} {target}"])
        assert (done.status, done.stderr) == (2, f"scanlogd: standard output: write: {reason}\n")


def test_no_privileges_are_needed() -> None:
    command = [*as_nobody(), str(BINARY), "rules", "match", "--allow", "/dev/null", "--deny", "/dev/null"]
    assert finish([*command, "sshd", "10.1.1.1"]).status == 0
