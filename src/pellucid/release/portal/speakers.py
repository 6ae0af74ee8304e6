"""Who speaks: a key by the name that its owner opened here, else by who accredited it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from pellucid.record.facts import Record, Views
from pellucid.release.portal.claims import Speaker, key_name, listed
from pellucid.trust.predicate import Custody

READERS = frozenset({"reviewer", "center"})
MAX_ACCREDITORS = 3


def introduce(key: str, views: Views) -> Speaker:
    """Return who a key is, as far as this node knows."""
    party = views.party(key)
    if party is None:
        return Speaker(key, None, None, None, f"/parties/{key}")
    granters = tuple(dict.fromkeys(item.by for item in party.accreditations if item.by != key))
    names = [_name(granter, views) for granter in granters[:MAX_ACCREDITORS]]
    more = [_("others")] if len(granters) > MAX_ACCREDITORS else []
    accredited_by = listed([*names, *more]) or None
    in_browser = any(item.custody == Custody.BROWSER for item in party.accreditations)
    return Speaker(key, party.name, party.affiliation, accredited_by, f"/parties/{key}", in_browser)


def author(record: Record, views: Views) -> Speaker | None:
    """Return who makes a statement; None if no signature on it is by a key known here."""
    return introduce(record.authors[0], views) if record.authors else None


def may_read(record: Record, views: Views) -> bool:
    """Return whether an author is known here as a reviewer or a center: only their readings and measures count."""
    return any(roles(key, views) & READERS for key in record.authors)


def roles(key: str, views: Views) -> frozenset[str]:
    """Return the roles of a key: those it was accredited with, and that of the node whose party key it is."""
    party = views.party(key)
    granted = frozenset(item.role for item in party.accreditations) if party is not None else frozenset()
    node = views.node()
    nodes = ((node.role, node.keys), *((peer.role, peer.keys) for peer in views.peers()))
    return granted | {role for role, keys in nodes if any(k.role == "party" and k.fingerprint == key for k in keys)}


def _name(key: str, views: Views) -> str:
    party = views.party(key)
    return party.name if party is not None and party.name else key_name(key)
