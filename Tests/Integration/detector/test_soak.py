"""Mixed traffic for as long as SOAK_SECONDS says, a short while without it, and memory that does not grow."""

import os
import signal
import time
from pathlib import Path

import pytest
from harness.daemon import processes_named
from harness.network import TARGET_MAC
from harness.packets import scan
from harness.scene import Scene

pytestmark = pytest.mark.busy

SECONDS = float(os.environ.get("SOAK_SECONDS", "10"))
# What each kind of traffic is sent in: as the generator calls it, how many packets, how many a second.
ROUND = (("data", 20_000, 20_000), ("mix", 20_000, 20_000), ("syn", 20_000, 20_000), ("scans", 21_000, 20_000))


def private_memory() -> int:
    """What the two processes have for themselves, in kB."""
    rows = [line.split() for pid in processes_named()
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
    return sum(int(row[1]) for row in rows if row[0] in ("Private_Dirty:", "Private_Clean:"))


def test_mixed_traffic_leaves_memory_flat(scene: Scene, generator: Path) -> None:
    signal.alarm(int(SECONDS) + 120)
    def send(*traffic: object) -> None:
        kind, count, rate = traffic
        scene.attacker.run(generator, "wire", TARGET_MAC, kind, count, rate)

    # Once through every table, so that each of its pages has been used.
    send("flood", 150_000, 50_000)
    for traffic in 3 * ROUND:
        send(*traffic)
    before = private_memory()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for traffic in ROUND:
            send(*traffic)
        scene.daemon.assert_running()
    assert private_memory() <= before + 64
    scene.sender.send(scan(source="10.77.0.91"))
    time.sleep(0.5)
    assert scene.daemon.stop() == 0  # the summary names the last scanner, or counts it
    assert any("not logged" in text or text.startswith("10.77.0.91") for text in scene.log.alerts())
