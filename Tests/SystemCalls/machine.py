"""A machine for the kernel's filters of system calls: classic BPF, as far as seccomp(2) takes it."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

KILL_PROCESS = 0x80000000
ERRNO = 0x00050000
ALLOW = 0x7FFF0000

_WORD = 0xFFFFFFFF
_DATA_SIZE = 64
_MOST_INSTRUCTIONS = 4096
_MEMORY_WORDS = 16

# From linux/bpf_common.h.
_LD, _LDX, _ST, _STX, _ALU, _JMP, _RET, _MISC = range(8)
_IMM, _ABS, _MEM, _LEN = 0x00, 0x20, 0x60, 0x80
_X = 0x08
_ADD, _SUB, _MUL, _DIV, _OR, _AND, _LSH, _RSH, _NEG, _XOR = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0xA0
_JA, _JEQ, _JGT, _JGE, _JSET = 0x00, 0x10, 0x20, 0x30, 0x40
_RET_A = 0x10
_TXA = 0x80


class Instruction(NamedTuple):
    """struct sock_filter."""

    code: int
    jt: int
    jf: int
    k: int


class CallData(NamedTuple):
    """struct seccomp_data."""

    number: int
    arch: int
    instruction_pointer: int
    arguments: tuple[int, int, int, int, int, int]

    def words(self) -> tuple[int, ...]:
        """The words that a filter can load, in the order of a little-endian processor."""
        packed = struct.pack("<IIQ6Q", self.number, self.arch, self.instruction_pointer, *self.arguments)
        return struct.unpack("<16I", packed)


def _codes() -> frozenset[int]:
    """What seccomp_check_filter() of the kernel takes."""
    calculations = (_ADD, _SUB, _MUL, _DIV, _OR, _AND, _LSH, _RSH, _XOR)
    comparisons = (_JEQ, _JGT, _JGE, _JSET)
    return frozenset(
        [_LD | _ABS, _LD | _LEN, _LDX | _LEN, _LD | _IMM, _LDX | _IMM, _LD | _MEM, _LDX | _MEM, _ST, _STX,
         _RET, _RET | _RET_A, _MISC, _MISC | _TXA, _ALU | _NEG, _JMP | _JA]
        + [_ALU | each | source for each in calculations for source in (0, _X)]
        + [_JMP | each | source for each in comparisons for source in (0, _X)])


_CODES = _codes()


def faults(program: Sequence[Instruction]) -> list[str]:
    """Why the kernel would not take the program: what bpf_check_classic() and seccomp_check_filter() look at."""
    found = []
    if not 0 < len(program) <= _MOST_INSTRUCTIONS:
        return [f"{len(program)} instructions"]
    stored: list[int | None] = [None] * len(program)
    stored[0] = 0
    for index, it in enumerate(program):
        known = stored[index] or 0
        if it.code not in _CODES:
            found.append(f"{index}: code {it.code:#x}")
        if it.code == _LD | _ABS and (it.k >= _DATA_SIZE or it.k % 4):
            found.append(f"{index}: load at {it.k}")
        if it.code == _ALU | _DIV and it.k == 0:
            found.append(f"{index}: division by 0")
        if it.code in (_ALU | _LSH, _ALU | _RSH) and it.k >= 32:
            found.append(f"{index}: shift by {it.k}")
        if it.code in (_LD | _MEM, _LDX | _MEM, _ST, _STX):
            if it.k >= _MEMORY_WORDS:
                found.append(f"{index}: memory at {it.k}")
            elif it.code in (_ST, _STX):
                known |= 1 << it.k
            elif not known & 1 << it.k:
                found.append(f"{index}: memory at {it.k} read before it was written")
        if it.code & 7 == _JMP:
            distances = [it.k] if it.code == _JMP | _JA else [it.jt, it.jf]
        else:
            distances = [] if it.code & 7 == _RET else [0]
        for target in (index + 1 + distance for distance in distances):
            if target >= len(program):
                found.append(f"{index}: leads to {target} of {len(program)}")
            else:
                before = stored[target]
                stored[target] = known if before is None else before & known
    if program[-1].code not in (_RET, _RET | _RET_A):
        found.append("does not end in a return")
    found += [f"{index}: never reached" for index, it in enumerate(stored) if it is None]
    return found


def _calculate(operation: int, left: int, right: int) -> int:
    match operation:
        case 0x00: return left + right & _WORD
        case 0x10: return left - right & _WORD
        case 0x20: return left * right & _WORD
        case 0x30: return left // right
        case 0x40: return left | right
        case 0x50: return left & right
        # The kernel shifts by the low five bits.
        case 0x60: return left << (right & 31) & _WORD
        case 0x70: return left >> (right & 31)
        case 0x80: return -left & _WORD
        case 0xA0: return left ^ right
    raise ValueError(f"operation {operation:#x}")


def _holds(comparison: int, left: int, right: int) -> bool:
    match comparison:
        case 0x10: return left == right
        case 0x20: return left > right
        case 0x30: return left >= right
        case 0x40: return left & right != 0
    raise ValueError(f"comparison {comparison:#x}")


def run(program: Sequence[Instruction], data: CallData) -> int:
    """What the program returns for a call."""
    words = data.words()
    a = x = at = 0
    memory = [0] * _MEMORY_WORDS
    while True:
        code, jt, jf, k = program[at]
        at += 1
        kind, operand = code & 7, x if code & _X else k
        if kind == _LD or kind == _LDX:
            mode = code & 0xE0
            value = words[k // 4] if mode == _ABS else memory[k] if mode == _MEM else k if mode == _IMM else _DATA_SIZE
            if kind == _LD:
                a = value
            else:
                x = value
        elif kind == _JMP:
            if code & 0xF0 == _JA:
                at += k
            else:
                at += jt if _holds(code & 0xF0, a, operand) else jf
        elif kind == _ALU:
            if code == _ALU | _DIV | _X and x == 0:
                return 0
            a = _calculate(code & 0xF0, a, operand)
        elif kind == _RET:
            return a if code == _RET | _RET_A else k
        elif kind == _MISC:
            if code & _TXA:
                a = x
            else:
                x = a
        else:
            memory[k] = a if kind == _ST else x
