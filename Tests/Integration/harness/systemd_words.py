"""What systemd makes of an EnvironmentFile= and of a $NAME in ExecStart=, by its own code.

That code is in the library that systemd's programs share. What it exports there is no interface, and changes: this
speaks to the versions up to 253.
"""

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

_Strings = ctypes.POINTER(ctypes.c_char_p)


@cache
def _library() -> ctypes.CDLL:
    directories = (Path(name) for name in ("/usr/lib", "/lib"))
    found = sorted(path for directory in directories for path in directory.glob("**/libsystemd-shared-*.so"))
    assert found, "no library of systemd's here"
    version = re.search(r"-(\d+)", found[0].name)
    if not version or int(version[1]) >= 254:
        pytest.skip(f"{found[0]}: its functions may be others")
    library = ctypes.CDLL(str(found[0]))
    library.load_env_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(_Strings)]
    library.strv_env_clean_with_callback.argtypes = [_Strings, ctypes.c_void_p, ctypes.c_void_p]
    library.strv_env_clean_with_callback.restype = _Strings
    library.replace_env_argv.argtypes = [_Strings, _Strings]
    library.replace_env_argv.restype = _Strings
    return library


def _listed(strings: object) -> list[bytes]:
    found: list[bytes] = []
    while strings and strings[len(found)] is not None:  # type: ignore[index]
        found.append(strings[len(found)])  # type: ignore[index]
    return found


@dataclass(frozen=True)
class Reading:
    """A file as systemd reads it."""

    words: list[bytes]
    # Whether it says by itself that it can't use the file, or a line of it.
    complains: bool


def words_of(file: Path, name: str) -> Reading:
    """The words that a $NAME of its own in ExecStart= becomes, if the file is the unit's, with a minus before it."""
    library = _library()
    loaded = _Strings()
    if library.load_env_file(None, bytes(file), ctypes.byref(loaded)) < 0:
        return Reading([], complains=True)
    count = len(_listed(loaded))
    environment = library.strv_env_clean_with_callback(loaded, None, None)
    command = (ctypes.c_char_p * 3)(b"program", f"${name}".encode(), None)
    words = _listed(library.replace_env_argv(ctypes.cast(command, _Strings), environment))
    return Reading(words[1:], complains=len(_listed(environment)) < count)
