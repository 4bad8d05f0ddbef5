"""The root directory of a container image, without an engine: in namespaces, with the capabilities that are named."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import Daemon, finish, status_fields, sweep
from harness.network import Namespace, tool
from harness.packets import Sender, scan
from harness.places import BINARY, LOG_SOCKET, REPOSITORY, STAGE
from harness.syslog_sink import SyslogSink

MAKE_ROOT = REPOSITORY / "rc.d/container/make-root"
CONTAINERFILE = (REPOSITORY / "rc.d/container/Containerfile").read_text()
ROOT = STAGE / "container"


def capabilities() -> list[str]:
    (named,) = re.findall(r"--cap-add ([A-Z_,]+) ", CONTAINERFILE)
    return named.lower().split(",")


def wrapper() -> list[str]:
    """What an engine does: no capability but those, no way to get more, processes and a root of its own."""
    bound = ",".join(["-all", *(f"+{name}" for name in capabilities())])
    return [tool("setpriv"), "--no-new-privs", f"--bounding-set={bound}", f"--inh-caps={bound}", tool("chroot"), str(ROOT)]


@pytest.fixture
def container() -> Iterator[Path]:
    done = finish([str(MAKE_ROOT), str(BINARY), str(ROOT)])
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    mounted = [ROOT]
    try:
        subprocess.run(["mount", "-n", "--bind", ROOT, ROOT], check=True, timeout=10)
        subprocess.run(["mount", "-n", "-o", "remount,bind,ro", ROOT], check=True, timeout=10)
        for kind, place in (("proc", "proc"), ("tmpfs", "dev"), ("tmpfs", "run")):
            subprocess.run(["mount", "-n", "-t", kind, kind, ROOT / place], check=True, timeout=10)
            mounted.append(ROOT / place)
        (ROOT / "dev/null").touch()
        subprocess.run(["mount", "-n", "--bind", "/dev/null", ROOT / "dev/null"], check=True, timeout=10)
        mounted.append(ROOT / "dev/null")
        yield ROOT
    finally:
        for place in reversed(mounted):
            subprocess.run(["umount", "--lazy", place], check=False, timeout=10)
        subprocess.run(["rm", "-rf", "--one-file-system", ROOT], check=True, timeout=10)


@pytest.fixture
def contained(container: Path, log: SyslogSink, target: Namespace) -> Iterator[Daemon]:
    """A daemon in there, not started yet, with the host's log as a volume."""
    (container / "dev/log").touch()
    subprocess.run(["mount", "-n", "--bind", LOG_SOCKET, container / "dev/log"], check=True, timeout=10)
    sweep()
    daemon = Daemon(target, Path("/usr/sbin/scanlogd"))
    yield daemon
    daemon.tear_down()
    subprocess.run(["umount", container / "dev/log"], check=True, timeout=10)


def test_the_image_has_what_it_needs_and_nothing_else(container: Path) -> None:
    # The walk does not enter what the engine mounts: processes of proc come and go beneath it.
    image = [top for top in container.iterdir() if top.name not in ("proc", "dev", "run")]
    files = {path.relative_to(container).as_posix()
             for top in image for path in (top, *top.rglob("*")) if path.is_file()}
    assert {re.sub(r"[^/]*-linux-gnu/|64(?=/)", "", name) for name in files} == {
        "usr/sbin/scanlogd", "etc/passwd", "etc/group", "etc/nsswitch.conf", "lib/libc.so.6",
        next(name for name in ("lib/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")
             if name.split("/")[1] in {Path(file).name for file in files})}
    assert (container / "var/empty").is_dir() and not any((container / "var/empty").iterdir())


def test_the_unit_names_the_same_capabilities() -> None:
    (named,) = re.findall(r"^CapabilityBoundingSet=(.*)$", (REPOSITORY / "rc.d/scanlogd.service").read_text(), re.MULTILINE)
    assert sorted(f"cap_{name}" for name in capabilities()) == sorted(named.lower().split())


def test_it_reports_a_scan_with_the_capabilities_that_are_named(
    contained: Daemon, log: SyslogSink, sender: Sender
) -> None:
    contained.start_foreground(wrapper=wrapper(), option="--foreground")
    for pid in (contained.pid, contained.sensor):
        status = status_fields(pid)
        assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"0" * 16}
        assert set(status["Uid"].split()) == {"999"} and set(status["Gid"].split()) == {"999"}
    assert os.readlink(f"/proc/{contained.sensor}/root") == f"{ROOT}/var/empty"
    sender.send(scan(source="10.77.0.61"))
    assert log.wait_for_alerts(1)[0].startswith("10.77.0.61:40000 to 10.77.0.2 ports ")
    assert "10.77.0.61:40000 to 10.77.0.2 ports " in contained.stderr()
    assert contained.stop() == 0


# Without SYS_CHROOT the test itself could not enter the root directory.
@pytest.mark.parametrize("missing", ["net_raw", "setuid", "setgid", "setpcap"])
def test_each_capability_is_needed(contained: Daemon, missing: str) -> None:
    without = [word.replace(f",+{missing}", "") for word in wrapper()]
    assert without != wrapper()
    done = contained.run("--foreground", wrapper=without)
    assert done.status == 1 and "Operation not permitted" in done.stderr


def test_it_says_what_is_wrong_and_leaves_nothing(tmp_path: Path) -> None:
    for arguments, reason in (
        ([tmp_path / "none", tmp_path / "root"], f"{tmp_path}/none: not built; run make first"),
        ([BINARY, tmp_path], f"{tmp_path}: exists"),
        ([BINARY, tmp_path / "root", tmp_path / "none"], f"{tmp_path}/none: is no directory"),
        ([BINARY, tmp_path / "root", tmp_path], "not found"),
        ([MAKE_ROOT, tmp_path / "root"], "is no program of Linux"),
        ([], "usage: "),
    ):
        done = finish([str(MAKE_ROOT), *map(str, arguments)])
        assert done.status == 1 and done.stdout == "" and reason in done.stderr, (arguments, done)
        assert not (tmp_path / "root").exists()
