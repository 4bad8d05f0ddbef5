"""Events for machines: read, and held against the schema that is installed."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from .places import REPOSITORY
from .syslog_sink import INFORMATION, SyslogSink

SCHEMA = REPOSITORY / "rc.d/event.schema.json"
_FIELDS = set(json.loads(SCHEMA.read_text())["properties"])
_VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

Event = dict[str, Any]


def parse(text: str) -> Event:
    """An event, with no other fields than the schema knows, and no field twice."""
    def once(pairs: list[tuple[str, Any]]) -> Event:
        assert len({name for name, _ in pairs}) == len(pairs), f"a field twice: {text}"
        return dict(pairs)
    event = json.loads(text, object_pairs_hook=once)
    _VALIDATOR.validate(event)
    assert set(event) <= _FIELDS, f"fields that the schema does not know: {set(event) - _FIELDS}"
    return event


def logged(log: SyslogSink) -> list[Event]:
    """The events in a log, each behind its line and at the same level, with numbers that have no gaps."""
    events = []
    line = None
    for message in log.messages:
        if message.ident != "scanlogd-event":
            line = message
            continue
        assert len(message.raw) < 1024
        prefix, mark, text = message.text.partition("@cee: ")
        assert prefix == "" and mark, message.text
        events.append(parse(text))
        if events[-1]["kind"] == "touch":  # which has no line
            assert message.level == INFORMATION
            continue
        assert line is not None and line.ident == "scanlogd", f"an event without a line: {message}"
        assert (message.level, message.facility, message.pid) == (line.level, line.facility, None)
        if "message" in events[-1]:
            assert events[-1]["message"] == line.text
        line = None
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["run"] for event in events}) <= 1
    return events


def read_lines(text: str) -> list[Event]:
    """The events of a replay or of a file, one a line."""
    return [parse(line) for line in text.splitlines()]


def installed_schema(prefix: Path) -> Path:
    return prefix / "share/scanlogd/event.schema.json"
