"""TOML files that people write: read into a model, with every error named by line and column."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from pellucid.errors import InputError

Model = TypeVar("Model")
Place = tuple[str | int, ...]
LIMIT = 1 << 20

_PATH_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_KEY_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_DOTTED = rf"{_KEY_PART}(?:\s*\.\s*{_KEY_PART})*"
_TABLE = re.compile(rf"\s*(?P<open>\[\[?)\s*(?P<key>{_DOTTED})\s*\]\]?")
_ASSIGNMENT = re.compile(rf"\s*(?P<key>{_DOTTED})\s*=")
_SYNTAX = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")


class TomlError(InputError):
    """A TOML file is not what it has to be; `where` is `file:line:column`."""


def load_toml(path: Path, model: type[Model]) -> Model:
    """Read the file at `path` into `model`."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return parse_toml(data, model, where=str(path))


def parse_toml(data: bytes, model: type[Model], *, where: str) -> Model:
    """Read at most 1 MiB of TOML into `model`; raises TomlError at the line and column of what does not fit."""
    if len(data) > LIMIT:
        raise TomlError(f"more than {LIMIT} bytes", where=where)
    try:
        text = data.decode()
        value = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TomlError("not UTF-8", where=f"{where}:{line}") from None
    except RecursionError:
        raise TomlError("nested too deeply", where=where) from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(error, text, where) from None
    try:
        return msgspec.convert(value, model)
    except msgspec.ValidationError as error:
        raise field_error(str(error), text, where) from None


def field_error(message: str, text: str, where: str, *, under: Place = ()) -> TomlError:
    """Return the TomlError for msgspec's `message` on a value of `text` that stands `under` a place of it."""
    what, _, path = message.partition(" - at `$")
    place = under + tuple(
        int(step["index"]) if step["index"] else step["key"] for step in _PATH_STEP.finditer(path.rstrip("`"))
    )
    unknown = _UNKNOWN.search(what)
    line, column = find_place(text, (*place, unknown["name"]) if unknown else place)
    named = ".".join(str(step) for step in place) or "the top level"
    return TomlError(
        what.replace("Object", "the table"),
        where=f"{where}:{line}:{column}",
        remedy=f"mend `{unknown['name'] if unknown else named}`; the file's reference page lists what may stand there",
    )


def find_place(text: str, place: Place) -> tuple[int, int]:
    """Return line and column (from 1) of the key or table at `place`, or of its nearest ancestor that is written."""
    best, found = 0, (1, 1)
    for known, line, column in _places(text):
        depth = len(known) if known == place[: len(known)] else 0
        if depth > best:
            best, found = depth, (line, column)
    return found


def _places(text: str) -> Iterator[tuple[Place, int, int]]:
    """Yield each table header and assignment with its place; arrays of tables count from 0."""
    table: Place = ()
    counts: dict[Place, int] = {}
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if header := _TABLE.match(line):
            table = _resolve(_keys(header["key"]), counts, is_array=header["open"] == "[[")
            yield table, number, header.start("open") + 1
        elif assignment := _ASSIGNMENT.match(line):
            yield table + _keys(assignment["key"]), number, assignment.start("key") + 1
            fence = _open_fence(line[assignment.end() :])


def _keys(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in re.findall(_KEY_PART, dotted))


def _resolve(keys: Place, counts: dict[Place, int], *, is_array: bool) -> Place:
    """Turn the keys of a header into a place, counting the arrays of tables that it stands in."""
    place: Place = ()
    for depth, key in enumerate(keys, 1):
        place = (*place, key)
        if depth == len(keys) and is_array:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _open_fence(value: str) -> str:
    for fence in ('"""', "'''"):
        if value.count(fence) % 2:
            return fence
    return ""


def _syntax_error(error: tomllib.TOMLDecodeError, text: str, where: str) -> TomlError:
    match = _SYNTAX.fullmatch(str(error))
    if match is None:
        return TomlError(f"not TOML: {error}", where=where)
    line = match["line"] or text.count("\n") + 1
    return TomlError(
        f"not TOML: {match['what']}",
        where=f"{where}:{line}:{match['column'] or 1}",
        remedy="mend the line; texts stand in quotes, tables in brackets",
    )
