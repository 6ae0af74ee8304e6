"""When a delivery is tried: back-off with jitter, quiet hours and daily mails by a person's own clock. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TypeVar

from pellucid.outbox.channel import Mode

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
MOST_ATTEMPTS = 16

T = TypeVar("T")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of all IANA time zones."""
    from zoneinfo import available_timezones  # noqa: PLC0415 - only a served node has use for zones

    return frozenset(available_timezones())


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name; what is none counts as UTC."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - as above

    return ZoneInfo(name if name in zones() else "UTC")


def pause_after(attempts: int, luck: random.Random | None = None) -> timedelta | None:
    """Return how long to wait after the attempt number `attempts` failed, None when it was the last.

    The pause doubles from 30 seconds up to 6 hours; a random half of it keeps many deliveries from coming back at
    once. All attempts together take between one and two days.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    whole = min(FIRST_PAUSE * float(2 ** min(attempts - 1, 30)), LONGEST_PAUSE)
    return whole * ((1 + (luck or random.SystemRandom()).random()) / 2)


@dataclass(frozen=True, slots=True)
class Hours:
    """A person's clock: the zone, when it is quiet (from equal to until, or None: never), when the daily mail goes."""

    zone: str = "UTC"
    quiet_from: time | None = None
    quiet_until: time | None = None
    daily_at: time = time(8)

    def due(self, now: datetime, mode: Mode) -> datetime:
        """Return when a mail that is asked for now may go: at once but for quiet hours, or at the next daily hour."""
        if mode is Mode.DAILY:
            return self.next_at(now, self.daily_at)
        return self.next_at(now, self.quiet_until) if self.is_quiet(now) and self.quiet_until else now

    def is_quiet(self, now: datetime) -> bool:
        """Tell whether the person wants no mail at this moment."""
        start, end = self.quiet_from, self.quiet_until
        if start is None or end is None or start == end:
            return False
        here = now.astimezone(zone_of(self.zone)).time()
        return start <= here < end if start < end else here >= start or here < end

    def next_at(self, now: datetime, at: time) -> datetime:
        """Return the next moment after `now` at which the person's clock shows `at`, or would if it were not moved."""
        zone = zone_of(self.zone)
        day = now.astimezone(zone).date()
        moments = (datetime.combine(day + timedelta(days=more), at, zone).astimezone(UTC) for more in (-1, 0, 1, 2))
        return min(moment for moment in moments if moment > now)


def some(of: Sequence[T], most: int) -> list[T]:
    """Return up to `most` of them, in any order: whoever comes first now comes first by chance."""
    return random.SystemRandom().sample(of, min(len(of), most))
