"""The programs that filter system calls, judged by the lists of policy.c and by nothing that libseccomp says.

Each program is run for every number of a call that a processor has, for those that it has not, and for what arguments
the lists are about. The numbers come from the kernel's headers, the constants from the C library's, both of the
processor the program is for.
"""

import itertools
import platform
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine import ALLOW, ERRNO, KILL_PROCESS, CallData, Instruction, faults, run
from systemcalls import PROCESSORS, Condition, Processor, Rule, call_numbers, lists, programs, run_by_kernel

ROLES = ("logger", "raw", "ring", "pcap", "connections", "broker", "names", "lookup")

EPERM = 1
PROT_WRITE, PROT_EXEC, MAP_ANONYMOUS, SOCK_TYPE_MASK = 2, 4, 0x20, 0xF
X32 = 0x40000000
ALL_ONES = (1 << 64) - 1
# Past the last call of either processor, with room for those to come.
MOST_CALLS = 640

# Calls by which the kernel's own probes return to it, which it asks no filter about: uretprobe and uprobe.
UNFILTERED = {"x86_64": {335, 336}, "aarch64": set[int]()}

# What the C library calls where a processor lacks the call.
SUBSTITUTES = {
    "poll": "ppoll", "alarm": "setitimer", "stat": "newfstatat", "lstat": "newfstatat", "dup2": "dup3", "fork": "clone",
    "epoll_wait": "epoll_pwait", "open": "openat", "access": "faccessat", "readlink": "readlinkat",
    "select": "pselect6", "time": "clock_gettime",
}

pytestmark = [pytest.mark.parametrize("processor", PROCESSORS, ids=lambda processor: processor.name)]
each_role = pytest.mark.parametrize("role", ROLES)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the objects for each processor lie."""
    return tmp_path_factory.mktemp("objects")


def _rules(processor: Processor, role: str, folder: Path) -> list[Rule]:
    bits, rules = lists(processor, folder)
    return [rule for rule in rules if rule.roles & bits[role]]


def _listed_numbers(processor: Processor, role: str, folder: Path) -> dict[int, list[Rule]]:
    """The rules for each number on the list of a role. Calls that the processor lacks have none."""
    numbers = call_numbers(processor)
    found: dict[int, list[Rule]] = {}
    for rule in _rules(processor, role, folder):
        if rule.call in numbers:
            found.setdefault(numbers[rule.call], []).append(rule)
    return found


def _effect_on_listed(role: str) -> int:
    return ERRNO | EPERM if role == "lookup" else ALLOW


def _effect_on_others(role: str) -> int:
    return {"names": ERRNO | EPERM, "lookup": ALLOW}.get(role, KILL_PROCESS)


def _applies(rule: Rule, arguments: tuple[int, ...]) -> bool:
    """Whether the condition of a rule holds, in terms of what the call does with its arguments."""
    argument = arguments[rule.argument] if rule.argument < 6 else 0
    match rule.condition:
        case Condition.ANY:
            return True
        case Condition.NOT_EXECUTABLE:
            return not argument & PROT_EXEC
        case Condition.EQUAL:
            return argument == rule.value
        case Condition.AT_MOST:
            return argument <= rule.value
        case Condition.NONE_OF:
            return not argument & rule.value
        case Condition.CODE_OF_A_FILE:
            protection, flags = arguments[2:4]
            return bool(protection & PROT_EXEC) and not protection & PROT_WRITE and not flags & MAP_ANONYMOUS
        case Condition.SOCKET:
            family, kind = arguments[:2]
            return family == rule.value and kind & SOCK_TYPE_MASK == rule.argument
        case Condition.IN_DIRECTORY:
            return arguments[0] == rule.argument and arguments[2] == rule.value


def _expected(processor: Processor, role: str, rules: list[Rule], data: CallData) -> int:
    if data.arch != processor.audit_arch:
        return KILL_PROCESS
    # An x32 call is another processor's. The number -1 has that bit too, but is no call at all.
    if processor.name == "x86_64" and X32 <= data.number < 0xFFFFFFFF:
        return KILL_PROCESS
    applies = any(_applies(rule, data.arguments) for rule in rules)
    return _effect_on_listed(role) if applies else _effect_on_others(role)


def _constants(program: list[Instruction]) -> set[int]:
    """What a program compares with: where its verdicts may change, whatever it was made from."""
    return {it.k + step & 0xFFFFFFFF for it in program if it.code & 7 != 6 for step in (-1, 0, 1)}


def _numbers(program: list[Instruction]) -> list[int]:
    """Numbers of calls: all that exist, x32's, and strange ones."""
    strange = {X32 - 1, 0x7FFFFFFF, 0x80000000, 0xC0000000, 0xFFFFFFFE, 0xFFFFFFFF}
    return sorted({*range(MOST_CALLS), *range(X32, X32 + MOST_CALLS), *strange, *_constants(program)})


def _argument_sets(rules: list[Rule], program: list[Instruction], dice: random.Random) -> Iterator[tuple[int, ...]]:
    """Arguments around what the rules for one call ask for. Those that no rule is about are drawn."""
    values: dict[int, set[int]] = {}
    for rule in rules:
        match rule.condition:
            case Condition.ANY:
                pass
            case Condition.CODE_OF_A_FILE:
                values.setdefault(2, set()).update({PROT_EXEC, PROT_EXEC | PROT_WRITE})
                values.setdefault(3, set()).add(MAP_ANONYMOUS)
            case Condition.NOT_EXECUTABLE:
                values.setdefault(rule.argument, set()).add(PROT_EXEC)
            case Condition.SOCKET:
                values.setdefault(0, set()).add(rule.value)
                values.setdefault(1, set()).add(rule.argument)
            case Condition.IN_DIRECTORY:
                values.setdefault(0, set()).add(rule.argument)
                values.setdefault(2, set()).add(rule.value)
            case _:
                values.setdefault(rule.argument, set()).add(rule.value)
    bits = [1 << bit for bit in range(64)]
    halves = [each << shift for each in _constants(program) for shift in (0, 32)]
    special = {index: sorted(those | {0, ALL_ONES}) for index, those in values.items()}
    around = {index: sorted({*bits, *halves, 0, ALL_ONES, *(each ^ bit for each in those for bit in bits),
                             *(each + step & ALL_ONES for each in those for step in (-1, 0, 1))})
              for index, those in values.items()}

    def drawn() -> list[int]:
        return [dice.choice((0, ALL_ONES, dice.getrandbits(64), dice.getrandbits(8))) for _ in range(6)]

    for _ in range(50):
        yield tuple(drawn())
    for varied in values:
        others = [index for index in values if index != varied]
        for chosen in itertools.product(*(special[index] for index in others)):
            for value in around[varied]:
                arguments = drawn()
                arguments[varied] = value
                for index, each in zip(others, chosen, strict=True):
                    arguments[index] = each
                yield tuple(arguments)


def _data(processor: Processor, number: int, arguments: tuple[int, ...], dice: random.Random) -> CallData:
    first, second, third, fourth, fifth, sixth = arguments
    return CallData(number, processor.audit_arch, dice.getrandbits(64), (first, second, third, fourth, fifth, sixth))


def _some_arguments(dice: random.Random) -> list[tuple[int, ...]]:
    return [(0,) * 6, (ALL_ONES,) * 6, *(tuple(dice.getrandbits(64) for _ in range(6)) for _ in range(3))]


# What stands for a return where calls must have no effect.
_ERROR_NUMBERS = {ALLOW: 77, KILL_PROCESS: 78, ERRNO | EPERM: EPERM}


def _without_effect(it: Instruction) -> Instruction:
    return it._replace(k=ERRNO | _ERROR_NUMBERS[it.k]) if it.code & 7 == 6 else it


@pytest.fixture
def dice() -> random.Random:
    """Random numbers, from a seed that a failure shows."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


def _report(wrong: list[tuple[CallData, int, int]]) -> str:
    rows = [f"call {data.number:#x}, arch {data.arch:#x}, arguments {[hex(each) for each in data.arguments]}: "
            f"{found:#x} instead of {expected:#x}" for data, found, expected in wrong[:5]]
    return f"{len(wrong)} wrong verdicts, of which\n" + "\n".join(rows)


def _compare(processor: Processor, role: str, folder: Path, calls: Iterator[CallData]) -> None:
    """Compares verdicts of the program with those of the list."""
    program = programs(processor, folder)[role]
    listed = _listed_numbers(processor, role, folder)
    wrong = []
    for data in calls:
        found, expected = run(program, data), _expected(processor, role, listed.get(data.number, []), data)
        if found != expected:
            wrong.append((data, found, expected))
    assert not wrong, _report(wrong)


def test_each_role_has_a_list_and_a_program(processor: Processor, folder: Path) -> None:
    assert set(lists(processor, folder)[0]) == set(programs(processor, folder)) == set(ROLES)


def test_each_call_on_a_list_exists_on_a_processor(processor: Processor, folder: Path) -> None:
    known = set().union(*(call_numbers(each) for each in PROCESSORS))
    assert {rule.call for rule in lists(processor, folder)[1]} <= known


@each_role
def test_what_the_c_library_calls_instead_of_a_call_that_the_processor_lacks_is_listed(
        processor: Processor, role: str, folder: Path) -> None:
    listed = {rule.call for rule in _rules(processor, role, folder)}
    lacked = listed - set(call_numbers(processor))
    assert lacked <= set(SUBSTITUTES)
    assert {SUBSTITUTES[call] for call in lacked} <= listed & set(call_numbers(processor))


@each_role
def test_a_program_has_the_form_that_the_kernel_asks_for(processor: Processor, role: str, folder: Path) -> None:
    assert faults(programs(processor, folder)[role]) == []


@each_role
def test_this_kernel_runs_the_program_as_the_machine_does(
        processor: Processor, role: str, folder: Path, dice: random.Random) -> None:
    """The kernel as judge of the machine. It takes a program for another processor, and then finds each call to be of
    the wrong one. No call is made: each return is made an error number that stands for it."""
    program = programs(processor, folder)[role]
    listed = _listed_numbers(processor, role, folder)
    here = next(each for each in PROCESSORS if each.name == platform.machine())
    calls = [_data(here, number, arguments, dice)
             for number in _numbers(program) if number not in UNFILTERED[here.name]
             for arguments in _some_arguments(dice)]
    calls += [_data(here, number, arguments, dice)
              for number, rules in listed.items() for arguments in _argument_sets(rules, program, dice)]
    numbers = run_by_kernel([_without_effect(it) for it in program], calls, folder)
    wrong = [(data, number, expected) for data, number in zip(calls, numbers, strict=True)
             if number != (expected := _ERROR_NUMBERS[run(program, data)])]
    assert not wrong, _report(wrong)


@each_role
def test_every_call_gets_the_verdict_of_its_list(
        processor: Processor, role: str, folder: Path, dice: random.Random) -> None:
    numbers = _numbers(programs(processor, folder)[role])
    _compare(processor, role, folder, (_data(processor, number, arguments, dice)
                                       for number in numbers for arguments in _some_arguments(dice)))


@each_role
def test_conditions_on_arguments_decide_as_written(
        processor: Processor, role: str, folder: Path, dice: random.Random) -> None:
    program = programs(processor, folder)[role]
    _compare(processor, role, folder, (
        _data(processor, number, arguments, dice)
        for number, rules in _listed_numbers(processor, role, folder).items()
        for arguments in _argument_sets(rules, program, dice)))


@each_role
def test_calls_of_another_processor_kill(
        processor: Processor, role: str, folder: Path, dice: random.Random) -> None:
    own = processor.audit_arch
    swapped = int.from_bytes(own.to_bytes(4, "little"), "big")
    # Also those of 32-bit x86 and ARM, and of no processor.
    others = {each.audit_arch for each in PROCESSORS} | {0x40000003, 0x40000028, 0, 0xFFFFFFFF, swapped}
    others |= {own ^ 1 << bit for bit in range(32)}
    numbers = [*range(0, MOST_CALLS, 7), *_listed_numbers(processor, role, folder), X32, 0xFFFFFFFF]
    _compare(processor, role, folder, (
        _data(processor, number, (0,) * 6, dice)._replace(arch=arch) for arch in others - {own} for number in numbers))


@each_role
def test_a_program_names_no_call_that_its_list_does_not(
        processor: Processor, role: str, folder: Path, dice: random.Random) -> None:
    """The calls that a program treats otherwise than those that are not listed, for any arguments tried: none that the
    list does not name, and none left out."""
    program = programs(processor, folder)[role]
    listed = _listed_numbers(processor, role, folder)
    names = {number: name for name, number in call_numbers(processor).items()}
    found = set()
    # What the list asks for, as if it were asked of every call.
    rules = [rule for rule in _rules(processor, role, folder) if rule.condition != Condition.ANY]
    asked = [(each,) * 6 for each in sorted({each for rule in rules for each in (rule.value, rule.argument)})]
    for number in _numbers(program):
        tried = itertools.chain(_some_arguments(dice), asked, _argument_sets(listed.get(number, []), program, dice))
        if any(run(program, _data(processor, number, arguments, dice)) == _effect_on_listed(role)
               for arguments in tried):
            found.add(names.get(number, hex(number)))
    assert found == {names[number] for number in listed}
