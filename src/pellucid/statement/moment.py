"""Moments in time: seconds since 1970 inside, RFC 3339 in UTC outside."""

from __future__ import annotations

from datetime import UTC, datetime

from pellucid.errors import InputError

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def format_time(seconds: int) -> str:
    """Return a moment as `2026-11-21T14:02:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORMAT)


def parse_time(text: str, *, where: str = "time") -> int:
    """Return the seconds since 1970 of an RFC 3339 time; a bare date means its first second, an offset is honoured."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text[:60]!r} is not a time", where=where, remedy="write it as 2026-11-21T14:02:00Z"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
