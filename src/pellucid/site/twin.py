"""Page models as JSON: fields by name, times in RFC 3339, sentences as their text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from pellucid.release.portal.claims import Sentence


def as_json(model: Any) -> bytes:
    """Return a page model, or plain data, as indented JSON in UTF-8."""
    return json.dumps(_plain(model), ensure_ascii=False, indent=2).encode() + b"\n"


def _plain(value: Any) -> Any:
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (Sentence, lambda value: value.text),
    (Enum, lambda value: value.value),
    (datetime, lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    (msgspec.Struct, lambda value: {name: _plain(getattr(value, name)) for name in value.__struct_fields__}),
    (bytes, lambda value: value.decode("utf-8", "backslashreplace")),
    (Mapping, lambda value: {str(key): _plain(item) for key, item in value.items()}),
    ((list, tuple), lambda value: [_plain(item) for item in value]),
)
