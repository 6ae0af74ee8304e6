"""The node that this process serves: set once by the server at start, read by every page."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from pellucid.record.facts import Views

_served: list[Views] = []


def serve(views: Views) -> None:
    """Make `views` what the pages of this process read."""
    _served[:] = [views]


def views() -> Views:
    """Return what pages read; raises ImproperlyConfigured before `serve` was called."""
    if not _served:
        raise ImproperlyConfigured("no node is being served: start the portal with `pellucid serve`")
    return _served[0]
