"""What the API says of a node, as plain data; one node is served by this process."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pellucid.node import Node
from pellucid.record.facts import Place, Record
from pellucid.record.lookup import LookupAnswer
from pellucid.record.predicate import RECEIPT, Receipt, Refusal
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import read_predicate

_STATUS = {None: 201, Refusal.MALFORMED: 400, Refusal.TOO_LARGE: 413}
_MOST_LOOKED_AT = 1000
_NEVER_SERVED = "no node is being served: start it with `pellucid serve`"

_served: list[Answers] = []


class Answers:
    """Questions to `node` as the API asks them; None where there is nothing. Safe between threads."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def submit(self, data: bytes) -> tuple[Envelope, int]:
        """Have a statement logged; return the signed receipt and the HTTP status that fits it."""
        answer = self._node.submit(data)
        receipt: Receipt = read_predicate(Statement.parse(answer.payload), RECEIPT)
        return answer, _STATUS.get(receipt.reason, 403)

    def lookup(self, refs: list[str], origin: str, size: int) -> LookupAnswer:
        """See `Node.lookup`."""
        return self._node.lookup(refs, origin, size)

    def card(self) -> Envelope:
        """Return the node's card."""
        return self._node.card()

    def key(self, key_id: str) -> PublicKey | None:
        """Return a known party's key, or one of the keys of this node and its peers."""
        known = self._node.views.key(key_id)
        if known is not None:
            return known
        situation = self._node.logs.now()
        keys = [*self._node.home.keys.values(), *(key for peer in situation.peers for key in peer.keys.values())]
        return next((key for key in keys if key.id == key_id), None)

    def statement(self, statement_id: str) -> dict[str, Any] | None:
        """Return a statement with its envelope as it was logged first."""
        record = self._node.views.statement(statement_id)
        if record is None or not record.places:
            return None
        place = record.places[0]
        entry = self._node.views.entry(place.log, place.index)
        if entry is None:
            return None
        envelope = Envelope.parse(entry.data, where=f"entry {place.index}")
        return {"id": record.id, "envelope": envelope.as_json(), "places": _places(record.places)}

    def about(self, ref: str, predicate_type: str | None, limit: int) -> list[dict[str, Any]]:
        """Return the statements that concern a reference, newest logged first."""
        records = self._node.views.about(ref, limit=limit if predicate_type is None else _MOST_LOOKED_AT)
        found = [record for record in records if predicate_type in {None, record.predicate_type}]
        return [_row(record) for record in found[:limit]]

    def logs(self) -> list[dict[str, Any]]:
        """Return the logs kept and mirrored here."""
        return [
            {
                "id": log.id,
                "origin": log.origin,
                "own": log.own,
                "vkey": log.vkey,
                "size": log.head.size if log.head else None,
                "path": "" if log.own else f"mirror/{log.id}",
            }
            for log in self._node.views.logs()
        ]

    def kept(self, log: str, after: int, limit: int) -> Sequence[int] | None:
        """Return sizes of kept checkpoints above `after`."""
        return self._node.doors.kept_sizes(log, after, limit)

    def covering(self, log: str, index: int) -> tuple[int, bytes] | None:
        """Return size and note of the first kept checkpoint that covers an entry."""
        return self._node.doors.covering(log, index)

    def inclusion(self, log: str, index: int, size: int) -> Sequence[str] | None:
        """Return an inclusion proof."""
        return self._node.views.inclusion(log, index, size)

    def consistency(self, log: str, old: int, new: int) -> Sequence[str] | None:
        """Return a consistency proof."""
        return self._node.views.consistency(log, old, new)

    def entry(self, log: str, index: int) -> dict[str, Any] | None:
        """Return one entry to the byte."""
        entry = self._node.views.entry(log, index)
        if entry is None:
            return None
        data = base64.b64encode(entry.data).decode()
        return {"index": index, "leaf_hash": entry.leaf_hash, "data": data, "statement": entry.statement}


def serve(node: Node) -> None:
    """Make `node` what the API of this process speaks for."""
    _served[:] = [Answers(node)]


def answers() -> Answers:
    """Return what the API speaks for; RuntimeError before `serve` was called."""
    if not _served:
        raise RuntimeError(_NEVER_SERVED)
    return _served[0]


def _row(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "type": record.predicate_type,
        "kind": record.kind,
        "authors": list(record.authors),
        "logged_at": _time(record.logged_at),
        "places": _places(record.places),
    }


def _places(places: Sequence[Place]) -> list[dict[str, Any]]:
    return [{"log": place.log, "index": place.index} for place in places]


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
