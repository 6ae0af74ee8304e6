"""Numbers and times as each language writes them, times in UTC; a language without a line is written as English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import get_language

SOURCE = "en"  # the language that messages are written in


@dataclass(frozen=True, slots=True)
class Format:
    """How a language writes thousands, decimals and days."""

    thousands: str
    decimal: str
    months: tuple[str, ...]
    day: str


FORMATS = {
    SOURCE: Format(
        thousands=",",
        decimal=".",
        months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        day="{0.day} {1} {0.year}",
    ),
    "de": Format(
        thousands=".",
        decimal=",",
        months=("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."),
        day="{0.day}. {1} {0.year}",
    ),
}


def language() -> str:
    """Return the language in which words are written now."""
    return get_language() or SOURCE


def grouped(number: int) -> str:
    """Write a whole number with its thousands apart: `1,204`."""
    if -1000 < number < 1000:
        return str(number)
    text = f"{number:,}"
    mark = _format().thousands
    return text if mark == "," else text.replace(",", mark)


def decimal(number: float) -> str:
    """Write a number with one digit after the decimal mark."""
    return f"{number:.1f}".replace(".", _format().decimal)


def day(moment: datetime) -> str:
    """Write a moment as its day: `21 Nov 2026`."""
    form, utc = _format(), moment.astimezone(UTC)
    return form.day.format(utc, form.months[utc.month - 1])


def day_and_time(moment: datetime) -> str:
    """Write a moment as `21 Nov 2026 14:02 UTC`."""
    return f"{day(moment)} {moment.astimezone(UTC):%H:%M} UTC"


def _format() -> Format:
    return FORMATS.get(language(), FORMATS[SOURCE])
