"""The node that this process serves: set once by the server at start, read by every page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ImproperlyConfigured

from pellucid.record.facts import Views
from pellucid.site.remembered import remembering

READING_LASTS = 0.5

_served: list[Views] = []
_shared: list[tuple[float, Views]] = []
_reading: ContextVar[Views | None] = ContextVar("reading", default=None)


def serve(views: Views) -> None:
    """Make `views` what the pages of this process read."""
    _served[:] = [views]
    _shared.clear()


def views() -> Views:
    """Return what pages read; raises ImproperlyConfigured before `serve` was called."""
    reading = _reading.get()
    if reading is not None:
        return reading
    if not _served:
        raise ImproperlyConfigured("no node is being served: start the portal with `pellucid serve`")
    return _served[0]


def sizes() -> tuple[int, ...]:
    """Return how large the published logs are, the node's own first: what makes a page of before an old one."""
    return tuple(log.head.size if log.head else 0 for log in _recent().logs()) if _served else ()


@contextmanager
def one_reading() -> Iterator[None]:
    """Until its end, ask the node each question once; pages begun within half a second share their reading."""
    token = _reading.set(_recent() if _served else None)
    try:
        yield
    finally:
        _reading.reset(token)


def _recent() -> Views:
    """Return a reading young enough to begin a page with; two threads may each make one, which costs little."""
    now = time.monotonic()
    if not _shared or now - _shared[0][0] > READING_LASTS:
        _shared[:] = [(now, remembering(_served[0]))]
    return _shared[0][1]
