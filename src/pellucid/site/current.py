"""The node that this process serves: set once by the server at start, read by every page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ImproperlyConfigured

from pellucid.record.facts import Views
from pellucid.site.remembered import remembering

_served: list[Views] = []
_reading: ContextVar[Views | None] = ContextVar("reading", default=None)


def serve(views: Views) -> None:
    """Make `views` what the pages of this process read."""
    _served[:] = [views]


def views() -> Views:
    """Return what pages read; raises ImproperlyConfigured before `serve` was called."""
    reading = _reading.get()
    if reading is not None:
        return reading
    if not _served:
        raise ImproperlyConfigured("no node is being served: start the portal with `pellucid serve`")
    return _served[0]


@contextmanager
def one_reading() -> Iterator[None]:
    """Until its end, ask the node each question once."""
    token = _reading.set(remembering(_served[0]) if _served else None)
    try:
        yield
    finally:
        _reading.reset(token)
