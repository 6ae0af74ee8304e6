"""Where every page and API operation records what it is about to do; set once when the node is served."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from django.core.exceptions import ImproperlyConfigured

from pellucid.audit.events import Event, EventType
from pellucid.audit.trail import Trail

_NEVER_SERVED = "no audit log is open: start the portal with `pellucid serve`"


class Recorder(Protocol):
    """Takes events for good."""

    def record(self, event: Event) -> int:
        """Make an event durable and return its index in the audit log; raises when it cannot, and nothing is shown."""


_served: list[Recorder] = []


def serve(recorder: Recorder) -> None:
    """Make `recorder` what this process records in."""
    _served[:] = [recorder]


def record(
    type: EventType,  # noqa: A002 - as in the event
    *,
    actor: str | None = None,
    about: tuple[str, ...] = (),
    target: str | None = None,
    details: Mapping[str, str | int | bool] | None = None,
) -> int:
    """Record an event, durably, before the caller goes on; return its index.

    NotRecordedError if it is not durable: the caller lets it pass, and the middleware answers 503. DetailError for
    what the table in `audit.details` does not allow.
    """
    if not _served:
        raise ImproperlyConfigured(_NEVER_SERVED)
    event = Event(type, int(time.time() * 1000), actor, about, target, details or {})
    return _served[0].record(event)


def trail() -> Trail:
    """Return the audit log that this process records in, to read from; ImproperlyConfigured where there is none."""
    for served in _served:
        if isinstance(served, Trail):
            return served
    raise ImproperlyConfigured(_NEVER_SERVED)
