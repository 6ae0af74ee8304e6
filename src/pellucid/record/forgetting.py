"""Forgetting the names that a node shows for a key; the log never held them, and its commitments stay, mute."""

from __future__ import annotations

from pellucid.record.home import Home
from pellucid.record.openings import Openings
from pellucid.record.views import NodeViews
from pellucid.statement.predicate import Registry
from pellucid.statement.reference import key_ref
from pellucid.trust.predicate import Party


def erase_names(home: Home, registry: Registry, key: str) -> int:
    """Erase what is shown of the identities committed to for a key, by its id; return how many were shown."""
    openings = Openings(home.path / "openings")
    known = NodeViews(home, registry).about(key_ref(key), kind="party")
    roots = {record.model.identity for record in known if isinstance(record.model, Party)}
    shown = [root for root in roots if root is not None and openings.opening(root) is not None]
    for root in shown:
        openings.erase(root)
    return len(shown)
