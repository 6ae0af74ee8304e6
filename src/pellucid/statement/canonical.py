"""Canonical JSON (RFC 8785): one value has one spelling, so a digest of it means something."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from pellucid.errors import EvidenceError


class CanonicalError(EvidenceError):
    """Bytes that had to be canonical JSON are JSON in another spelling, or hold what canonical JSON cannot."""


class NotJsonError(CanonicalError):
    """Bytes that had to be JSON are not."""

    exit_code = 2


def canonical_json(value: Any) -> bytes:
    """Return `value` (dicts, lists, str, int, bool, None) as RFC 8785 bytes; else raises CanonicalError."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise CanonicalError(f"cannot be written as canonical JSON: {error}") from error


def parse_json(data: bytes, *, where: str, limit: int) -> Any:
    """Parse at most `limit` bytes of JSON in which no object names a key twice and no number is a float."""
    if len(data) > limit:
        raise CanonicalError(
            f"{len(data)} bytes, more than the {limit} allowed", where=where, remedy="give a smaller document"
        )
    try:
        return json.loads(
            data,
            object_pairs_hook=_object_without_doubles,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except CanonicalError as error:
        raise CanonicalError(error.what, where=where) from None
    except RecursionError:
        raise CanonicalError("nested too deeply", where=where) from None
    except ValueError as error:
        raise NotJsonError(f"not JSON: {error}", where=where, remedy="give the file as it was written") from None


def parse_canonical(data: bytes, *, where: str, limit: int) -> Any:
    """Parse JSON and refuse every spelling but the canonical one (RFC 8785)."""
    value = parse_json(data, where=where, limit=limit)
    try:
        canonical = canonical_json(value)
    except CanonicalError as error:
        raise CanonicalError(error.what, where=where) from None
    if canonical != data:
        raise CanonicalError("not canonical JSON (RFC 8785)", where=where, remedy="give the file as it was written")
    return value


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise CanonicalError(f"the key {double[:80]!r} stands twice in one object")
    return found


def _refuse_number(text: str) -> Any:
    raise CanonicalError(f"the number {text[:40]} is not an integer")
