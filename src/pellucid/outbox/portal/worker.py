"""The thread of a served node that asks the clocks and delivers what is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Count, Min

from pellucid.errors import PellucidError
from pellucid.outbox.channel import Channel, DeliveryState
from pellucid.outbox.clock import Clock, Clocks, Due, Watch, clocks
from pellucid.outbox.portal import door
from pellucid.outbox.portal.audience import holders
from pellucid.outbox.portal.models import Concern, Delivery
from pellucid.outbox.portal.sending import AT_ONCE_MOST, Sender
from pellucid.outbox.portal.watches import watch_node
from pellucid.outbox.speaker import Speaker

_LOOK_EVERY = 5.0
_CLEAR_EVERY = 3600.0
_PATIENCE = 30.0
_STOP_WITHIN = 5.0  # what is cut off is sent again
_log = logging.getLogger("pellucid.outbox")


@dataclass(frozen=True, slots=True)
class Health:
    """How the outbox stands: counts of deliveries, when the oldest that waits was made (Unix seconds), what is wrong.

    Only `problem` keeps a node from being healthy; without a mail server mail waits, and `mail` says so.
    """

    mail: str = "unknown"
    waiting: int = 0
    failed: int = 0
    oldest: int | None = None
    problem: str | None = None


@dataclass
class _Times:
    """When each clock is asked next, by the machine's monotonic clock."""

    next: dict[str, float] = field(default_factory=dict)

    def is_due(self, name: str, every: float) -> bool:
        if time.monotonic() < self.next.get(name, 0.0):
            return False
        self.next[name] = time.monotonic() + every
        return True


class Worker:
    """Asks, posts and delivers for one node. `start` it and `stop` it, or call `turn` where no thread is wanted."""

    def __init__(self, speaker: Speaker, known: Clocks | None = None, now: Callable[[], float] = time.time) -> None:
        self._speaker = speaker
        self._clocks = clocks if known is None else known
        self._own = watch_node(speaker)
        self._now = now
        self._sender = Sender(speaker)
        self._times = _Times()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._health = Health()
        self._failing: float | None = None
        self._broken: set[str] = set()

    @property
    def health(self) -> Health:
        """How the outbox stood at the last turn."""
        if self._thread is not None and not self._thread.is_alive() and not self._stop.is_set():
            return Health(problem="the outbox has stopped")
        return self._health

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the delivery under way; what is left is delivered after the next start."""
        self._stop.set()
        door.posted.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN)

    def turn(self) -> int:
        """Ask every clock that is due and try every delivery that is due, once; return how many were tried."""
        for item in (*self._own, *self._clocks.clocks.values(), *self._clocks.watches.values()):
            if self._times.is_due(item.name, item.every):
                self._ask(item)
        if self._times.is_due("clear", _CLEAR_EVERY):
            self._sender.clear()
        tried = self._sender.round(self._stop.is_set)
        self._health = self._look()
        return tried

    def _run(self) -> None:
        while not self._stop.is_set():
            door.posted.clear()
            close_old_connections()
            tried = 0
            try:
                tried = self.turn()
                self._failing = None
            except (DatabaseError, OSError, PellucidError) as error:
                self._complain(type(error).__name__)
            if not self._stop.is_set() and tried < AT_ONCE_MOST:
                door.posted.wait(_LOOK_EVERY)
        connection.close()

    def _complain(self, what: str) -> None:
        """Say once that turns fail, and call the node unhealthy when it goes on for long."""
        if self._failing is None:
            self._failing = time.monotonic()
            _log.warning("the outbox does not work: %s", what)
        if time.monotonic() - self._failing >= _PATIENCE:
            self._health = replace(self._health, problem=f"the outbox does not work: {what}")

    def _ask(self, item: Clock | Watch) -> None:
        """Ask one clock; a mistake in one keeps no other from being asked."""
        try:
            if isinstance(item, Clock):
                for due in item.ask(int(self._now())):
                    _tell(due)
            else:
                self._watch(item)
            self._broken.discard(item.name)
        except Exception as error:  # noqa: BLE001 - other rooms' clocks may fail in any way
            if item.name not in self._broken:
                _log.warning("the clock %s failed: %s", item.name, type(error).__name__)
            self._broken.add(item.name)

    def _watch(self, watch: Watch) -> None:
        """Remember what is wrong since when, tell what has been so for long, forget what is over."""
        now = int(self._now())
        found = watch.ask(now)
        if found is None:
            return
        wrong = {item.subject: item for item in found}
        Concern.objects.filter(watch=watch.name).exclude(subject__in=list(wrong)).delete()
        for item in wrong.values():
            concern, _new = Concern.objects.get_or_create(
                watch=watch.name, subject=item.subject, defaults={"since": datetime.fromtimestamp(now, UTC)}
            )
            since = int(concern.since.timestamp())
            if concern.told_at is None and now - since >= watch.patience:
                with transaction.atomic():
                    _tell(item.due(since))
                    concern.told_at = datetime.fromtimestamp(now, UTC)
                    concern.save(update_fields=["told_at"])

    def _look(self) -> Health:
        waiting = Delivery.objects.filter(state=DeliveryState.WAITING).aggregate(
            count=Count("pk"), oldest=Min("made_at")
        )
        failed = Delivery.objects.filter(state=DeliveryState.FAILED).count()
        oldest = int(waiting["oldest"].timestamp()) if waiting["oldest"] else None
        return Health(self._mail_standing(), waiting["count"], failed, oldest)

    def _mail_standing(self) -> str:
        if self._speaker.home.settings.mail is None:
            return "no-mail-server-set"
        problems = Delivery.objects.filter(state=DeliveryState.WAITING, channel=Channel.MAIL).exclude(problem="")
        latest = problems.order_by("-due_at").values_list("problem", flat=True).first()
        return str(latest) if latest else "set"


def _tell(due: Due) -> None:
    to = due.accounts | (holders(due.holders) if due.holders is not None else frozenset())
    if to:
        door.post(due.notice, to)


_served: list[Worker] = []


def serve(speaker: Speaker, *, start: bool = True) -> Worker:
    """Deliver for a node in this process from now on, in a thread unless `start` is False."""
    worker = Worker(speaker)
    _served[:] = [worker]
    if start:
        worker.start()
    return worker


def stop() -> None:
    """End what `serve` began."""
    while _served:
        _served.pop().stop()


def mail() -> str:
    """Return how the mail server stands: `set`, `no-mail-server-set`, a Problem, or `unknown` where no worker runs."""
    return _served[0].health.mail if _served else "unknown"


def healthz() -> tuple[str | None, dict[str, object]]:
    """Return what is wrong with the outbox (None while it works), and how it stands for `/healthz`."""
    if not _served:
        return None, {}
    health = _served[0].health
    return health.problem, {
        "mail": health.mail,
        "waiting": health.waiting,
        "failed": health.failed,
        "oldest": health.oldest,
    }
