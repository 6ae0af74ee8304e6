"""Moments in time: seconds since 1970 inside, RFC 3339 in UTC outside."""

from __future__ import annotations

from datetime import UTC, datetime

from pellucid.errors import InputError

_LAST = 253_402_300_799
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def format_time(seconds: int) -> str:
    """Return a moment as `2026-11-21T14:02:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORMAT)


def duration_words(seconds: int) -> str:
    """Return a duration in the largest unit that leaves two digits or more to tell it by, such as `61 d` or `36 h`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (seconds >= length and seconds % length == 0):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def parse_time(text: str, *, where: str = "time") -> int:
    """Return the seconds since 1970 of an RFC 3339 time; a bare date means its first second, an offset is honoured.

    Raises InputError for what is no time, and for times before 1970 or after the year 9999.
    """
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if not 0 <= seconds <= _LAST:
        raise InputError(f"{text[:60]!r} is not a time", where=where, remedy="write it as 2026-11-21T14:02:00Z")
    return seconds
