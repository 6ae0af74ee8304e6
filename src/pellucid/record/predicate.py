"""What nodes sign about themselves: cards, receipts and completeness answers. None of them is logged."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from pellucid.statement import types
from pellucid.statement.intoto import Statement, StatementError
from pellucid.statement.predicate import Count, Predicate, PredicateKind, Sha256, Time

Origin = Annotated[str, msgspec.Meta(pattern=r"^[^\s+\x00-\x1f\x7f]+$(?!\n)", min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", min_length=1, max_length=200)]
Vkey = Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$(?!\n)", max_length=500)]
Spki = Annotated[str, msgspec.Meta(min_length=60, max_length=60)]
RefText = Annotated[
    str,
    msgspec.Meta(pattern=r"^(sha256|gitTree|statement|key|release):[0-9a-f]{64}$(?!\n)", min_length=68, max_length=74),
]


class Card(Predicate, frozen=True):
    """A node's own word on who it is: name, role, region, operator, address and public keys.

    Log, witness, mirror and audit keys are C2SP vkeys; lookup, node and party keys base64 SubjectPublicKeyInfos. The
    subject is the node key; the card is signed by the node key and the party key. A card without `audit` is of a node
    that keeps no audit log, or was given before it kept one.
    """

    name: Origin
    role: Literal["vendor", "center"]
    region: Text
    operator: Text
    log: Vkey
    witness: Vkey
    mirror: Vkey
    lookup: Spki
    node: Spki
    party: Spki
    audit: Vkey | None = None
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$(?!\n)", max_length=300)] | None = None


class Outcome(StrEnum):
    """What became of a submission."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Refusal(StrEnum):
    """Why a node does not log a submission."""

    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    UNSIGNED = "unsigned"
    UNKNOWN_PARTY = "unknown-party"
    REVOKED_PARTY = "revoked-party"
    WRONG_ROLE = "wrong-role"


class Receipt(Predicate, frozen=True):
    """A node's signed answer to a submission; its subject is the statement id, or the bytes where they are none.

    An accepted submission is durable under `index` in the log `log` and will be published there by `due`.
    """

    outcome: Outcome
    log: Origin
    received: Time
    index: Count | None = None
    due: Time | None = None
    reason: Refusal | None = None


class Listed(Predicate, frozen=True):
    """One statement in a completeness answer: its place in the log and its id."""

    index: Count
    id: Sha256


class Completeness(Predicate, frozen=True):
    """In the log `log` up to `size` (root hash `root`), exactly `statements` concern any of `refs`."""

    log: Origin
    size: Count
    root: Sha256
    refs: Annotated[tuple[RefText, ...], msgspec.Meta(min_length=1, max_length=10_000)]
    statements: Annotated[tuple[Listed, ...], msgspec.Meta(max_length=100_000)]


def _check_receipt(_statement: Statement, receipt: Receipt) -> None:
    accepted = receipt.outcome is Outcome.ACCEPTED
    if accepted != (receipt.index is not None and receipt.due is not None) or accepted == (receipt.reason is not None):
        raise StatementError("an accepted receipt has index and due, a refusal its reason")


CARD = PredicateKind("card", types.CARD, Card)
RECEIPT = PredicateKind("receipt", types.RECEIPT, Receipt, check=_check_receipt)
COMPLETENESS = PredicateKind("completeness", types.COMPLETENESS, Completeness)

NODE_KINDS: Mapping[str, PredicateKind] = {kind.uri: kind for kind in (CARD, RECEIPT, COMPLETENESS)}
