"""What a processor's C compiler and headers say: numbers of system calls, the lists of policy.c, the programs."""

import os
import platform
import re
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

from machine import CallData, Instruction

_HERE = Path(__file__).resolve().parent
_SOURCES = _HERE.parents[1] / "Sources" / "CSeccomp"


@dataclass(frozen=True)
class Processor:
    """A processor by the name that uname(1) has for it, and by the kernel's AUDIT_ARCH number."""

    name: str
    audit_arch: int


PROCESSORS = (Processor("x86_64", 0xC000003E), Processor("aarch64", 0xC00000B7))


class Condition(IntEnum):
    """As in policy.h, and in the same order."""

    ANY = 0
    NOT_EXECUTABLE = 1
    EQUAL = 2
    AT_MOST = 3
    NONE_OF = 4
    CODE_OF_A_FILE = 5
    SOCKET = 6
    IN_DIRECTORY = 7


@dataclass(frozen=True)
class Rule:
    """A row of policy.c, its constants as the processor's headers have them."""

    call: str
    roles: int
    condition: Condition
    argument: int
    value: int


@cache
def _clang_path() -> str:
    """The clang of the Swift toolchain, which compiles for every processor."""
    swift = shutil.which("swift")
    beside = Path(swift).resolve().parent / "clang" if swift else None
    found = str(beside) if beside and beside.exists() else shutil.which("clang")
    assert found, "clang: not found, neither beside swift nor in PATH"
    return found


def _clang(processor: Processor, *arguments: str) -> str:
    """What clang prints that compiles for the processor, with headers of that processor only."""
    command = [_clang_path(), f"--target={processor.name}-linux-gnu"]
    if processor.name != platform.machine():
        headers = Path(f"/usr/{processor.name}-linux-gnu/include")
        assert (headers / "asm" / "unistd.h").exists(), f"{headers}: no headers of {processor.name}"
        command += ["-nostdlibinc", "-isystem", str(headers)]
    command += ["-Werror", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@cache
def call_numbers(processor: Processor) -> dict[str, int]:
    """The number of each system call, from the kernel's header."""
    text = _clang(processor, "-E", "-dM", "-x", "c", "-include", "asm/unistd.h", "/dev/null")
    macros = dict(re.findall(r"^#define (__NR\w+) (\w+)$", text, re.MULTILINE))
    numbers = {}
    for name, value in macros.items():
        while value in macros:
            value = macros[value]
        if name.startswith("__NR_") and name not in ("__NR_syscalls", "__NR_arch_specific_syscall"):
            numbers[name.removeprefix("__NR_")] = int(value, 0)
    return numbers


def _objects(processor: Processor, source: Path, folder: Path) -> dict[str, bytes]:
    """The constants of a C file, by name, as they stand in the object file that a compiler makes for the processor."""
    path = folder / f"{source.stem}-{processor.name}.o"
    _clang(processor, "-c", "-O0", "-I", str(source.parent / "include"), "-o", str(path), str(source))
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01", f"{path}: not a 64-bit little-endian object"
    start, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    # Name, type, flags, address, offset, size, link, information, alignment, size of an entry.
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + index * size) for index in range(count)]
    symbols = next(section for section in sections if section[1] == 2)
    names = sections[symbols[6]][4]
    found = {}
    for entry in range(symbols[4], symbols[4] + symbols[5], 24):
        name, information, _, section, value, length = struct.unpack_from("<IBBHQQ", data, entry)
        if information & 15 == 1 and 0 < section < len(sections):
            end = data.index(b"\0", names + name)
            offset = sections[section][4] + value
            found[data[names + name:end].decode()] = data[offset:offset + length]
    return found


@cache
def lists(processor: Processor, folder: Path) -> tuple[dict[str, int], tuple[Rule, ...]]:
    """The roles of policy.c with the bit of each, and its rules."""
    objects = _objects(processor, _SOURCES / "policy/policy.c", folder)
    roles = {name.rstrip(b"\0").decode(): bit for name, bit in struct.iter_unpack("<16sI", objects["roles"])}
    rules = tuple(Rule(call.rstrip(b"\0").decode(), bits, Condition(condition), argument, value)
                  for call, bits, condition, argument, value in struct.iter_unpack("<20sIII Q", objects["rules"]))
    assert len(roles) == struct.unpack("<I", objects["role_count"])[0]
    assert len(rules) == struct.unpack("<I", objects["rule_count"])[0]
    return roles, rules


@cache
def programs(processor: Processor, folder: Path) -> dict[str, list[Instruction]]:
    """The programs that the daemon has on that processor, by role."""
    objects = _objects(processor, _SOURCES / "CSeccomp.c", folder)
    return {name.removesuffix("_program"): [Instruction(*each) for each in struct.iter_unpack("<HBBI", data)]
            for name, data in objects.items() if name.endswith("_program")}


@cache
def _judge(folder: Path) -> Path:
    path = folder / "judge"
    command = [os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror", "-o", str(path), str(_HERE / "judge.c")]
    subprocess.run(command, check=True)
    return path


def run_by_kernel(program: Sequence[Instruction], calls: Sequence[CallData], folder: Path) -> tuple[int, ...]:
    """The error number that each call ends with below a program, all of whose returns must be SECCOMP_RET_ERRNO."""
    question = struct.pack("<I", len(program)) + b"".join(struct.pack("<HBBI", *each) for each in program)
    question += struct.pack("<I", len(calls))
    question += b"".join(struct.pack("<Q6Q", each.number, *each.arguments) for each in calls)
    done = subprocess.run([_judge(folder)], input=question, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return struct.unpack(f"<{len(calls)}I", done.stdout)
