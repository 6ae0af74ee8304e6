"""What a monitor remembers between its passes, in one JSON file that is replaced whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from pellucid.errors import InputError, UnavailableError
from pellucid.statement.predicate import Count

_LIMIT = 1 << 30


class MonitorStateError(InputError):
    """The file of a monitor's state cannot be used."""


class Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest checkpoint of a log that was seen and read up to."""

    size: Count
    note: str


class Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement that claims a place, withdraws or speaks of a key: needed whenever doubles are looked for."""

    log: str
    index: Count
    id: str
    envelope: str


class MonitorState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything remembered, by the origins of the logs."""

    logs: Mapping[str, Remembered] = {}
    judged: tuple[Judged, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["pellucid-monitor/v1"]
    state: MonitorState


def load_state(path: Path) -> MonitorState | None:
    """Return what is remembered at `path`, None if there is no file; MonitorStateError if it was damaged."""
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MonitorStateError(f"cannot be read: {error.strerror}", where=str(path), remedy="name another") from error
    try:
        return msgspec.json.decode(data, type=_File).state
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MonitorStateError(
            f"is damaged: {error}",
            where=str(path),
            remedy="restore it from a copy; without it, what changed since the last pass cannot be told",
        ) from None


def save_state(path: Path, state: MonitorState) -> None:
    """Write the state whole or not at all."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with aside.open("xb") as file:
            file.write(msgspec.json.encode(_File("pellucid-monitor/v1", state)))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        aside.unlink(missing_ok=True)
