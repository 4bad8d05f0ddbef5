"""Sources that are not to be reported: --exempt."""

import re
from pathlib import Path

import pytest
from harness.daemon import finish, processes_named
from harness.lines import SUPPRESSED, Report, read
from harness.network import ATTACKER, TARGET, TARGET_6
from harness.packets import LOW_PORTS, scan
from harness.places import BINARY, REPOSITORY
from harness.scene import Scene
from harness.syslog_sink import ALERT, CRITICAL, DEBUG, NOTICE

CAPTURES = REPOSITORY / "Tests/Fixtures/captures"
OURS = "10.77.0.50"
OURS_6 = "fd77::50"


def rules(folder: Path, text: str) -> Path:
    path = folder / "exempt"
    path.write_text(text)
    return path


def report(source: str, destination: str = TARGET) -> Report:
    return Report(source, destination, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64)


def test_a_permitted_scanner_does_not_use_up_the_limit(idle_scene: Scene, tmp_path: Path) -> None:
    """Twenty scans of ours first, and more while the real ones come: these have all that the limit lets through."""
    idle_scene.daemon.start("--exempt", rules(tmp_path, "scanlogd: 10.77.1.0/24\n"))
    for number in range(1, 21):
        idle_scene.sender.send(scan(source=f"10.77.1.{number}"))
    sources = [f"10.77.0.{number}" for number in range(101, 107)]
    for number, source in enumerate(sources):
        # In this order, so that all were judged when the last line is there.
        idle_scene.sender.send(scan(source=f"10.77.1.{100 + number}"))
        idle_scene.sender.send(scan(source=source))
    alerts = idle_scene.log.wait_for_alerts(6)
    assert [read(alert)[0] for alert in alerts[:5]] == [report(source) for source in sources[:5]]
    assert alerts[5:] == [SUPPRESSED]
    found = idle_scene.status()
    assert (found["reports"], found["exempt"], found["suppressed"]) == (32, 26, 1)


def test_many_permitted_scanners_are_counted_and_nothing_else(idle_scene: Scene, tmp_path: Path) -> None:
    idle_scene.daemon.start("--exempt", rules(tmp_path, "scanlogd: 10.77.1.0/24 EXCEPT 10.77.1.77\n"))
    for number in range(1, 21):
        idle_scene.sender.send(scan(source=f"10.77.1.{number}"))
    idle_scene.sender.send(scan(source="10.77.1.77"))
    idle_scene.expect(report("10.77.1.77"))
    found = idle_scene.status()
    assert (found["exempt"], found["reports"], found["suppressed"]) == (20, 22, 0)  # 22: with the witness


def test_a_report_may_be_lowered_and_does_not_use_up_the_limit_then(idle_scene: Scene, tmp_path: Path) -> None:
    idle_scene.daemon.start("--exempt", rules(tmp_path, "scanlogd: 10.77.1. : severity local0.notice\n"))
    for number in range(1, 8):
        idle_scene.sender.send(scan(source=f"10.77.1.{number}"))
    for source in (ATTACKER, "10.77.0.102"):
        idle_scene.sender.send(scan(source=source))
    idle_scene.expect(report(ATTACKER), report("10.77.0.102"))
    lowered = idle_scene.log.texts(NOTICE)
    assert len(lowered) == 6
    assert all(text.startswith(f"10.77.1.{number}:40000 to ") for number, text in enumerate(lowered[:5], start=1))
    assert lowered[5] == SUPPRESSED
    idle_scene.daemon.stop()
    assert any(text.startswith("2 port scans from 2 sources not logged") for text in idle_scene.log.texts(NOTICE))


def test_each_level_has_a_limit_and_a_summary_of_its_own(idle_scene: Scene, tmp_path: Path) -> None:
    idle_scene.daemon.start("--exempt", rules(
        tmp_path, "scanlogd: 10.77.1. : severity debug\nscanlogd: 10.77.2. : severity crit\n"))
    for number in range(1, 8):
        idle_scene.sender.send(scan(source=f"10.77.1.{number}"))
    for number in range(1, 7):
        idle_scene.sender.send(scan(source=f"10.77.2.{number}"))
    idle_scene.sender.send(scan(source="10.77.1.9"))
    idle_scene.sender.send(scan(source=ATTACKER))
    idle_scene.expect(report(ATTACKER))
    idle_scene.daemon.stop()
    for level, net, summary in (
        (DEBUG, "10.77.1.", "3 port scans from 3 sources not logged in "),
        (CRITICAL, "10.77.2.", "1 port scan from 1 source not logged in "),
    ):
        texts = idle_scene.log.texts(level)
        assert [text.split(":")[0] for text in texts[:5]] == [f"{net}{number}" for number in range(1, 6)]
        assert texts[5] == SUPPRESSED
        assert len(texts) == 7 and texts[6].startswith(summary), texts
        assert set(re.findall(r"10\.77\.\d\.", texts[6])) == {net}


def test_the_level_of_all_others_has_one_limit(idle_scene: Scene, tmp_path: Path) -> None:
    idle_scene.daemon.start("--exempt", rules(tmp_path, "scanlogd: 10.77.1. : severity alert\n"))
    sources = [f"10.77.{number % 2}.{number + 100}" for number in range(7)]
    for source in sources:
        idle_scene.sender.send(scan(source=source))
    alerts = idle_scene.log.wait_for_alerts(6)
    assert [read(alert)[0] for alert in alerts[:5]] == [report(source) for source in sources[:5]]
    assert alerts[5:] == [SUPPRESSED]
    idle_scene.daemon.stop()
    told = idle_scene.log.texts(ALERT)[6:]
    assert len(told) == 1 and told[0].startswith("2 port scans from 2 sources not logged"), told


@pytest.mark.parametrize(("rule", "is_exempt"), [
    ("scanlogd: [fd77::]/64", True), (f"ALL: [{OURS_6}]", True), ("ALL: ALL", True), ("sshd: ALL", False),
    ("scanlogd: [fd77::]/64 EXCEPT [fd77::80]/122", True), ("scanlogd: [fd77::]/64 EXCEPT [fd77::50]", False),
    ("scanlogd: [fd77::]/64 : deny", False), ("scanlogd: 10.77.", False),
])
def test_ipv6_sources_are_exempt_as_the_rules_say(
    idle_scene: Scene, tmp_path: Path, rule: str, is_exempt: bool
) -> None:
    # The witness must be reported, also where the rule means all.
    text = f"scanlogd: [fd77::99] : deny\n{rule}\n"
    idle_scene.daemon.start("--exempt", rules(tmp_path, text))
    idle_scene.sender.send(scan(source=OURS_6, destination=TARGET_6))
    idle_scene.assert_nothing_more(0 if is_exempt else 1, family=6)


def test_a_file_of_patterns_is_read_at_the_start(idle_scene: Scene, tmp_path: Path) -> None:
    patterns = tmp_path / "scanners"
    patterns.write_text(f"# ours\n{OURS} [{OURS_6}]\n")
    idle_scene.daemon.start("--exempt", rules(tmp_path, f"scanlogd: {patterns}\n"))
    patterns.unlink()
    idle_scene.sender.send(scan(source=OURS))
    idle_scene.sender.send(scan(source=ATTACKER))
    idle_scene.expect(report(ATTACKER))


@pytest.mark.parametrize(("text", "complaint"), [
    ("scanlogd: 10.77.0.1\nscanlogd: scanner.example\n", ":2:11: \"scanner.example\": "),
    ("scanlogd: LOCAL\n", ":1:11: \"LOCAL\": "),
    ("scanlogd: 10.77.0.1 : twist /bin/true\n", ":1:23: \"twist\": "),
    ("scanlogd: root@10.77.0.1\n", ":1:11: \"root@10.77.0.1\": "),
    ("scanlogd: 10.77.0.0/33\n", ":1:11: \"10.77.0.0/33\": "),
    ("scanlogd 10.77.0.1\n", ":1: "),
    ("scanlogd: /nowhere\n", ":1:11: \"/nowhere\": "),
    ("scanlogd: 10.77.0.1\033[2J\n", ":1:11: \"10.77.0.1\\033[2J\": "),
    ("scanlogd: 10.77.0.1\n" * 257, ":257: "),
])
def test_a_broken_file_stops_the_start(idle_scene: Scene, tmp_path: Path, text: str, complaint: str) -> None:
    path = rules(tmp_path, text)
    for options in ((), ("-d",)):
        done = idle_scene.daemon.run(*options, "--exempt", path)
        assert (done.status, done.stdout) == (2, "")
        assert done.stderr.startswith(f"scanlogd: {path}{complaint}"), done.stderr
        assert done.stderr.count("\n") == 1 and "\033" not in done.stderr
    assert processes_named() == []


@pytest.mark.parametrize(("path", "reason"), [
    ("/nowhere/exempt", "open: No such file or directory"), ("/", "read: not a regular file"),
    ("/dev/zero", "read: not a regular file"),
])
def test_a_file_that_cannot_be_read_stops_the_start(idle_scene: Scene, path: str, reason: str) -> None:
    done = idle_scene.daemon.run("--exempt", path)
    assert (done.status, done.stdout, done.stderr) == (2, "", f"scanlogd: {path}: {reason}\n")
    assert processes_named() == []


@pytest.mark.parametrize("options", [("-d",), ("-r", "/dev/null"), ("--self-test",)])
def test_a_second_file_of_exempt_sources_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = rules(tmp_path, "scanlogd: 10.77.0.1\n")
    done = finish([str(BINARY), *options, "--exempt", str(path), "--exempt", str(path)])
    assert (done.status, done.stdout, done.stderr) == (
        2, "", "scanlogd: --exempt: option: given twice\n")


def test_a_file_that_is_too_large_stops_the_start(idle_scene: Scene, tmp_path: Path) -> None:
    path = rules(tmp_path, "#" * (1 << 20) + "\n")
    done = idle_scene.daemon.run("--exempt", path)
    assert (done.status, done.stdout, done.stderr) == (2, "", f"scanlogd: {path}: read: too large\n")


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
def test_a_file_of_patterns_may_be_as_large_as_one_of_rules(tmp_path: Path, size: int) -> None:
    patterns = tmp_path / "scanners"
    patterns.write_text("10.77.0.11\n" + "#" * (size - 12) + "\n")
    path = rules(tmp_path, f"scanlogd: {patterns}\n")
    done = finish([str(BINARY), "-r", str(CAPTURES / "mix_10hosts.pcap"), "--exempt", str(path)])
    if size == 1 << 20:
        assert (done.status, done.stderr) == (0, "")
        assert "10.77.0.11:" not in done.stdout and "10.77.0.1" in done.stdout
    else:
        assert (done.status, done.stdout) == (2, "")
        assert done.stderr.startswith(f"scanlogd: {path}:1:11: \"{patterns}\": "), done.stderr


def test_a_replay_leaves_exempt_sources_out(tmp_path: Path) -> None:
    expected = (CAPTURES / "mix_10hosts.expected").read_text().splitlines()
    file = CAPTURES / "mix_10hosts.pcap"
    exempt = rules(tmp_path, "scanlogd: 10.77.0.11\n")
    done = finish([str(BINARY), "-r", str(file), "--exempt", str(exempt)], env={"TZ": "UTC"})
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [line for line in expected if not line.startswith("10.77.0.11:")]
    assert len(expected) > len(done.stdout.splitlines())
