"""Parties and nodes that a search finds, by name, by key, by operator."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.record.facts import NodeFact, PeerFact, Views
from pellucid.release.portal.claims import Speaker
from pellucid.release.portal.speakers import introduce

MOST = 20


@dataclass(frozen=True, slots=True)
class PartyFound:
    """A key that speaks, and how much it has said here."""

    who: Speaker
    statements: int


@dataclass(frozen=True, slots=True)
class NodeFound:
    """A node that this one was joined with, or itself."""

    name: str
    role: str
    operator: str
    region: str
    href: str


def find_parties(views: Views, wanted: str) -> tuple[PartyFound, ...]:
    """Return parties whose opened name, affiliation or key answers to `wanted`."""
    key = wanted.rpartition(":")[2]
    found = views.parties(key, limit=MOST) if key else ()
    return tuple(PartyFound(introduce(party.key, views), party.statements) for party in found)


def find_nodes(views: Views, wanted: str) -> tuple[NodeFound, ...]:
    """Return nodes whose name, operator or region holds `wanted` in any case."""
    text = wanted.casefold()
    if not text:
        return ()
    nodes: tuple[NodeFact | PeerFact, ...] = (views.node(), *views.peers())
    hits = (node for node in nodes if any(text in part.casefold() for part in (node.name, node.operator, node.region)))
    found = [NodeFound(node.name, node.role, node.operator, node.region, "/nodes") for node in hits]
    return tuple(found[:MOST])
