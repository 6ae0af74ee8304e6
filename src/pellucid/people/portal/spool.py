"""Events of commands that work on a home beside its node: kept with what they record, then taken into the audit log."""

from __future__ import annotations

import threading

import msgspec
from django.db import OperationalError, close_old_connections, connection

from pellucid.audit.details import require_allowed
from pellucid.audit.events import Event
from pellucid.audit.portal import door
from pellucid.audit.portal.door import Recorder
from pellucid.errors import InputError, UnavailableError
from pellucid.people.portal.models import WaitingEvent
from pellucid.terminal import say

_LOOK_EVERY = 2.0
_STOP_WITHIN = 5.0
_AT_ONCE = 100
_unfit: set[int] = set()


class Spool:
    """Keeps events in the transaction that they belong to; the node takes them into its log within seconds.

    It has no index to give: `record` returns -1.
    """

    def record(self, event: Event) -> int:
        """See `Recorder`."""
        checked = event.checked()
        require_allowed(checked)
        WaitingEvent.objects.create(event=msgspec.json.encode(checked).decode())
        return -1


def take_in(recorder: Recorder) -> int:
    """Move what waits into the log; return how many events. A kill in between records one twice, never not at all.

    What is no event, as a newer program may have left, stays and keeps no other out.
    """
    taken, last = 0, 0
    while waiting := list(WaitingEvent.objects.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        for row in waiting:
            last = row.pk
            try:
                recorder.record(msgspec.json.decode(row.event, type=Event))
            except (msgspec.MsgspecError, InputError):
                _complain(row)
                continue
            row.delete()
            taken += 1
    return taken


def _complain(row: WaitingEvent) -> None:
    if row.pk not in _unfit:
        _unfit.add(row.pk)
        say(f"pellucid: an audit event that waits cannot be read, and stays: number {row.pk} in site.db")


class Intake:
    """The thread of a served node that takes events in."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="intake of audit events")
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(_STOP_WITHIN)

    def _run(self) -> None:
        while True:
            try:
                take_in(self._recorder)
            except (OperationalError, UnavailableError):
                close_old_connections()  # the database is busy, or nothing can be recorded now: it waits
            if self._stop.wait(_LOOK_EVERY):
                break
        connection.close()


_running: list[Intake] = []


def start(recorder: Recorder) -> None:
    """Take in what waits now and from now on; called once, where a node is served."""
    _running[:] = [Intake(recorder)]


def stop() -> None:
    """End that."""
    for intake in _running:
        intake.stop()
    _running.clear()


def serve() -> None:
    """Have what this process does recorded through the spool: it is no node, and holds no log."""
    door.serve(Spool())
