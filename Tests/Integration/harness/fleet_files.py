"""The files of a collector, made without one: events with the hosts they came from, and lines that are none."""

import json
import time
from pathlib import Path
from typing import Any

NOW = time.time()


def event(seq: int, /, kind: str | None = "scan", host: str = "a", run: str | None = "00c0ffee", **fields: Any) -> dict[str, Any]:
    basis = {"v": 1, "kind": kind, "run": run, "seq": seq, "time": NOW - 100 + seq}
    scan = {"src": "198.51.100.7", "dst": "192.0.2.1", "ports": [22, 80], "nports": 3, "first": NOW - 101}
    return {"host": host, "event": basis | ({} if kind in ("status", "stop", "summary") else scan) | fields}


def write(path: Path, *lines: dict[str, Any] | str | bytes) -> Path:
    encoded = [line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
               for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in encoded))
    return path


# What the views have an answer to.
EXAMPLES = [
    event(1), event(1, host="b"), event(3, kind="slow", host="b"),
    event(2, kind="summary", sources=["203.0.113.9", "198.51.100.8"], scans=2),
    event(4, host="b", kind="summary", sources=["203.0.113.9"], scans=1),
    event(5, host="b", kind="sweep", src="198.51.100.10", hosts=40, ports=[22], nports=1),
    *(event(7, host=host, kind="touch", src="192.0.2.77", ports=[n], nports=1) for n, host in enumerate("abc")),
    event(8, host="a", kind="touch", src="192.0.2.78", ports=list(range(7)), nports=7),
    event(9, host="b", kind="touch", src="192.0.2.79", ports=[1, 2], nports=2),
    event(10, host="a", kind="touch", src="198.51.100.7", ports=list(range(9)), nports=9),
    event(1, host="gone", kind="status", run="00000001", time=NOW - 3 * 86_400),
    event(1, host="stopped", kind="stop", run="00000001", time=NOW - 3 * 86_400),
]

# Each of them is told and left out.
HOSTILE = [
    b"garbage", b"[1]", b'{"host":"a"}', b'{"host":1,"event":{}}', b"\xff\xfe", b"", b'{"host":"a","event":' + b"[" * 5000,
    *(json.dumps(event(1, **fields)).encode() for fields in [
        {"v": 2}, {"run": "x"}, {"run": None}, {"seq": -1}, {"seq": 1.5}, {"seq": True}, {"seq": 2**63}, {"time": "x"},
        {"time": 1e300}, {"time": -1}, {"time": NOW + 1e7}, {"time": None}, {"src": 7}, {"ports": [2**70]},
        {"ports": ["x"]}, {"ports": 7}, {"sources": [7]}, {"sport": "x"}, {"kind": None}, {"nports": []},
        {"first": "x"}, {"first": 1e12}, {"packets": -1}]),
    json.dumps(event(1)).replace('"time": ', '"time": 1' + "0" * 400).encode(),
    json.dumps(event(1)).replace('"first": ', '"first": NaN, "x": ').encode(),
]
