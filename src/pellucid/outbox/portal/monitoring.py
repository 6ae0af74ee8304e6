"""What a `pellucid monitor` on the machine of a node has its operators told."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from django.db import DatabaseError, transaction
from django.utils import timezone

from pellucid.errors import UnavailableError
from pellucid.outbox.notice import Notice, NoticeKind, spoken
from pellucid.outbox.portal.audience import holders
from pellucid.outbox.portal.door import post
from pellucid.outbox.portal.models import Concern
from pellucid.outbox.portal.watches import OPERATORS
from pellucid.record import monitor


def tell(source: str, alarms: Iterable[monitor.Notice]) -> int:
    """Post the alarms of a pass that were not there at the pass before; return how many.

    `source` keeps the passes of different monitors apart. An alarm that is over and comes back is told again.
    UnavailableError if the database cannot be written.
    """
    try:
        return _tell(source, alarms)
    except DatabaseError as error:
        remedy = "try again; nothing of this pass was posted"
        raise UnavailableError("the outbox cannot be written", where="site.db", remedy=remedy) from error


def _tell(source: str, alarms: Iterable[monitor.Notice]) -> int:
    watch = f"monitor:{sha256(source.encode()).hexdigest()[:16]}"
    found = {_subject(alarm): alarm for alarm in alarms}
    with transaction.atomic():
        known = Concern.objects.filter(watch=watch)
        known.exclude(subject__in=list(found)).delete()
        told = set(known.values_list("subject", flat=True))
        for subject, alarm in found.items():
            if subject not in told:
                now = timezone.now()
                Concern.objects.create(watch=watch, subject=subject, since=now, told_at=now)
                post(_notice(f"{watch}:{subject}:{int(now.timestamp() * 1000)}", alarm), holders(OPERATORS))
    return len(found.keys() - told)


def _subject(alarm: monitor.Notice) -> str:
    named = sha256(f"{alarm.log}\0{alarm.statement or ''}".encode()).hexdigest()
    return f"{alarm.kind.value}:{named}"


def _notice(key: str, alarm: monitor.Notice) -> Notice:
    words: dict[str, str | int] = {"alarm": alarm.kind.value, "log": spoken(alarm.log)}
    if alarm.statement is not None:
        words["statement"] = alarm.statement
    return Notice(NoticeKind.ALARM, key, "/", words)
