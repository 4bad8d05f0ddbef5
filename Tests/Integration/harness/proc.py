"""What /proc shows of a process: its rights, its limits and what it holds."""

import re
from pathlib import Path

from .daemon import descriptors, status_fields

_SOCKET_TABLES = (
    ("raw", 9), ("raw6", 9), ("unix", 6), ("packet", 8), ("netlink", 9), ("tcp", 9), ("tcp6", 9), ("udp", 9),
    ("udp6", 9),
)


def identity(pid: int) -> tuple[list[int], list[int], list[int]]:
    """Its users and its groups, real, effective, saved and of files, and its supplementary groups."""
    status = status_fields(pid)
    users, groups, supplementary = (list(map(int, status[name].split())) for name in ("Uid", "Gid", "Groups"))
    return users, groups, supplementary


def capabilities(pid: int) -> dict[str, int]:
    """Its five sets of capabilities, by the names that /proc has for them."""
    status = status_fields(pid)
    return {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def limits(pid: int) -> dict[str, tuple[str, str]]:
    """Its soft and its hard limits, by name."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): (line[26:47].strip(), line[47:68].strip()) for line in lines}


def kinds_of_descriptors(pid: int) -> list[str]:
    """What it holds beyond standard input, output and error: sockets by the table of /proc/net that they are in."""
    tables = _tables_of_sockets(pid)
    found = []
    for number, name in descriptors(pid).items():
        if inode := re.fullmatch(r"socket:\[(\d+)\]", name):
            found.append(tables[inode[1]])
        elif number > 2:
            found.append(re.sub(r"^anon_inode:\[(\w+)\]$|^(pipe):.*$", r"\1\2", name))
    return sorted(found)


def _tables_of_sockets(pid: int) -> dict[str, str]:
    """Which table of its network namespace each socket's inode is in."""
    tables = {}
    for table, column in _SOCKET_TABLES:
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            tables[line.split()[column]] = table
    return tables
