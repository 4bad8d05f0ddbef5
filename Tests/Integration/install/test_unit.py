"""The systemd unit, as far as it can be tried without systemd: its filter of system calls lets the daemon do its work."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from harness.daemon import Finished, finish
from harness.lines import Report
from harness.network import ATTACKER, TARGET, tool
from harness.packets import LOW_PORTS, scan
from harness.places import PID_FILE, REPOSITORY, TEMPORARY
from harness.scene import Scene
from harness.syslog_sink import INFORMATION

UNIT = REPOSITORY / "rc.d/scanlogd.service"
LANDLOCK = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}


@cache
def members(group: str) -> frozenset[str]:
    """The system calls of one of systemd's groups."""
    listing = subprocess.run([tool("systemd-analyze"), "syscall-filter", group], check=True, capture_output=True,
                             text=True, timeout=10).stdout
    words = [line.strip() for line in listing.splitlines()[1:] if not line.strip().startswith("#")]
    return frozenset(name for word in words if word for name in expand(word))


def expand(word: str) -> frozenset[str]:
    return members(word) if word.startswith("@") else frozenset([word])


def allowed() -> set[str]:
    """What the unit lets a process call; it and its children always may do what @default names."""
    calls = set(members("@default"))
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.MULTILINE):
        names = set().union(*(expand(word) for word in line.removeprefix("~").split()))
        calls = calls - names if line.startswith("~") else calls | names
    return calls


@pytest.fixture(scope="module")
def allow() -> Path:
    program = TEMPORARY / "allow"
    source = Path(__file__).with_name("allow.c")
    subprocess.run([tool("cc"), "-Wall", "-Wextra", "-Werror", "-o", program, source, "-lseccomp"], check=True,
                   timeout=60)
    return program


def start(scene: Scene, allow: Path, calls: set[str], *options: str) -> list[str]:
    """Starts the daemon with these calls only, and returns what it says of itself once it has reported a scan."""
    names = TEMPORARY / "calls"
    names.write_text("\n".join(sorted(calls)))
    scene.daemon.start(*options, wrapper=[str(allow), str(names)])
    scene.sender.send(scan())
    scene.expect(Report(ATTACKER, TARGET, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64))
    assert scene.daemon.stop() == 0
    return scene.log.texts(INFORMATION)


@pytest.mark.parametrize("backend", ["ring", "raw", "pcap", "nids"])
def test_the_units_filter_lets_the_daemon_work_and_lock_itself_in(
    idle_scene: Scene, allow: Path, backend: str
) -> None:
    started, stopped = start(idle_scene, allow, allowed(), "--backend", backend)
    assert re.fullmatch(rf"started, version \S+, backend {backend}", started)
    assert stopped == "stopped"


def test_a_filter_that_does_not_know_landlock_is_no_reason_not_to_start(idle_scene: Scene, allow: Path) -> None:
    assert start(idle_scene, allow, allowed() - LANDLOCK)[0].startswith("started, ")


def test_where_system_calls_can_not_be_filtered_it_says_so(idle_scene: Scene, allow: Path) -> None:
    assert start(idle_scene, allow, allowed() - {"seccomp"})[0].endswith(", system calls not filtered")


def confined() -> list[str]:
    """Runs a program with what of the unit can be had without systemd: its capabilities, its umask and its /proc."""
    (capabilities,), (umask,) = settings()["CapabilityBoundingSet"], settings()["UMask"]
    names = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in capabilities.split())
    script = f"""
        mount -n -t proc -o subset={settings()["ProcSubset"][0]},hidepid={settings()["ProtectProc"][0]} proc /proc &&
        umask {umask} && exec setpriv --bounding-set=-all,{names} --no-new-privs -- "$@"
    """
    return [tool("unshare"), "--mount", "sh", "-c", script, "sh"]


@pytest.mark.parametrize("backend", ["ring", "raw", "pcap", "nids"])
def test_what_the_unit_takes_away_is_not_missed(idle_scene: Scene, backend: str) -> None:
    idle_scene.daemon.start("--backend", backend, wrapper=confined())
    idle_scene.sender.send(scan())
    idle_scene.expect(Report(ATTACKER, TARGET, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64))
    assert PID_FILE.stat().st_mode & 0o7777 == 0o600
    assert idle_scene.daemon.stop() == 0


def analyze(*arguments: object) -> Finished:
    """Runs systemd-analyze, which needs a /tmp to write to."""
    own = [tool("unshare"), "--mount", "sh", "-c", 'mount -n -t tmpfs tmp /tmp && exec "$@"', "sh"]
    return finish([*own, tool("systemd-analyze"), *map(str, arguments)])


def test_systemd_finds_it_well_locked_in() -> None:
    unit = TEMPORARY / "scanlogd.service"
    unit.write_text(UNIT.read_text().replace("@SBINDIR@/scanlogd", "/bin/true"))
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=25", unit)
    assert done.status == 0, done
    assert analyze("verify", unit) == Finished(0, "", "")
    unit.unlink()


def test_the_unit_and_the_init_script_speak_of_the_same_file() -> None:
    script = (REPOSITORY / "rc.d/scanlogd").read_text()
    (file,) = settings()["EnvironmentFile"]
    assert f"\nOPTIONS_FILE={file.removeprefix('-')}\n" in script
    assert settings()["AssertPathIsDirectory"] == [f"!{file.removeprefix('-')}"]
    example = "SCANLOGD_OPTIONS='--exempt /etc/scanlogd.exempt'"
    assert f"\n# {example}\n" in UNIT.read_text() and f"\n#     {example}\n" in script


def settings() -> dict[str, list[str]]:
    """What the unit says, by name."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_what_will_fail_again_is_not_started_again(idle_scene: Scene) -> None:
    """A mistake in what the daemon is given has the status that the unit names for it."""
    (status,) = settings()["RestartPreventExitStatus"]
    exempt = TEMPORARY / "exempt"
    exempt.write_text("nonsense\n")
    for options in (["--exempt", exempt], ["--exempt", TEMPORARY / "nowhere"], ["--no-such-option"],
                    ["--direction", "up"], ["--backend", "raw", "-i", "wire"],
                    ["--backend", "none"], ["operand"]):
        for manner in ([], ["-d"]):
            assert idle_scene.daemon.run(*manner, *options).status == int(status), options
    # What another time may work has another.
    assert idle_scene.daemon.run("-d", "-P", "/nowhere/pid").status == 1
    assert idle_scene.daemon.run("-d", "-i", "nothere0").status == 1
    exempt.unlink()


def test_what_keeps_failing_is_not_started_for_ever() -> None:
    """So many starts, one behind the other, fall into the time that the unit names; else its limit has no effect."""
    found = settings()
    assert found["Restart"] == ["on-failure"]
    (pause,), (burst,), (interval,) = found["RestartSec"], found["StartLimitBurst"], found["StartLimitIntervalSec"]
    minutes = re.fullmatch(r"(\d+)min", interval)
    assert minutes and int(burst) * (int(pause) + 5) < 60 * int(minutes[1])
    unit = UNIT.read_text()
    assert unit.index("StartLimitBurst=") < unit.index("[Service]")
