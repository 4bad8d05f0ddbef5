"""The accounts of the stage, which the `stage` script makes, and wrappers that start a program as one of them."""

from .network import tool

USER, GROUP = 48651, 48652
# What the user is in beside the group of its name.
OTHER_GROUP = 48653
# The user and the group of Debian that own nothing.
NOBODY = 65534


def as_user(user: int, group: int) -> list[str]:
    return [tool("setpriv"), f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def as_nobody() -> list[str]:
    return as_user(NOBODY, NOBODY)


def without(*capabilities: str) -> list[str]:
    """A root that lacks capabilities, as in a container or under a service manager."""
    return [tool("setpriv"), "--bounding-set", ",".join(f"-{name}" for name in capabilities), "--inh-caps", "-all"]
