"""ClickHouse as a library, in the process of the tests."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from .network import missing
from .places import REPOSITORY

# Where install-needs has unpacked it.
_PACKAGE = REPOSITORY / ".needs/chdb-core"


class ClickHouse:
    """A session with a folder of its own. A process can have one folder only."""

    def __init__(self, folder: Path) -> None:
        if not _PACKAGE.exists():
            missing("chdb-core is not unpacked")
        sys.path.insert(0, str(_PACKAGE))
        try:
            chdb = importlib.import_module("chdb.session")
        finally:
            sys.path.remove(str(_PACKAGE))
        self._session = chdb.Session(str(folder))

    def use_new(self, name: str) -> None:
        """From here on another database, which is empty."""
        self.run(f"create database {name}; use {name}")

    def run(self, statements: str) -> None:
        self._session.query(statements)

    def rows(self, query: str) -> list[list[Any]]:
        """The names of the columns, and what is found."""
        text = self._session.query(query, "JSONCompactEachRowWithNames").bytes().decode()
        return [json.loads(line) for line in text.splitlines()]

    def close(self) -> None:
        self._session.close()
