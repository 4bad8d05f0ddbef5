"""Programs of the host's that a test does without."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from .places import TEMPORARY


@contextmanager
def hidden(program: str) -> Iterator[None]:
    """Makes a program not executable for the block. A mount, because scripts set their own PATH."""
    path = shutil.which(program)
    if path is None:
        yield
        return
    cover = TEMPORARY / "cover"
    cover.touch(mode=0o644)
    subprocess.run(["mount", "-n", "--bind", cover, path], check=True, timeout=10)
    try:
        assert shutil.which(program) is None
        yield
    finally:
        subprocess.run(["umount", path], check=True, timeout=10)
