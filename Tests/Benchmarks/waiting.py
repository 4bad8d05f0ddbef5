"""Waiting for something to be so, but not for ever."""

import sys
import time
from collections.abc import Callable

GIVE_UP = 10.0


def wait(holds: Callable[[], bool], otherwise: str) -> None:
    """Returns when it holds; ends the run, saying why, when it does not within 10 s."""
    deadline = time.monotonic() + GIVE_UP
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(0.02)
