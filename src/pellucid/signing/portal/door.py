"""What the signing pages ask of the node that this process serves; set once when the node is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured

from pellucid.record.facts import Views
from pellucid.statement.dsse import Envelope
from pellucid.statement.predicate import Parsed, Registry


@dataclass(frozen=True, slots=True)
class Wording:
    """A statement in words: what kind it is, one sentence, what it is about and its fields.

    `sentence` prints by the tag `say`; the rows have a `name`, a `value`, and `code` for what is a digest.
    """

    kind: str
    sentence: Any
    subjects: Sequence[Any]
    fields: Sequence[Any]


class Ground(Protocol):
    """The node behind the pages."""

    @property
    def origin(self) -> str:
        """The node's name."""

    @property
    def registry(self) -> Registry:
        """The predicate types known here."""

    def views(self) -> Views:
        """Return what the node's logs say."""

    def submit(self, envelope: bytes) -> Envelope:
        """Log a statement if its author may; return the signed receipt, also of a refusal. UnavailableError."""

    def word(self, parsed: Parsed, key: str | None) -> Wording:
        """Say a statement in words, as if `key` had signed it."""


_served: list[Ground] = []


def serve(ground: Ground) -> None:
    """Make `ground` what the signing pages of this process ask."""
    _served[:] = [ground]


def ground() -> Ground:
    """Return the node behind the pages; ImproperlyConfigured before `serve` was called."""
    if not _served:
        raise ImproperlyConfigured("no node is being served: start the portal with `pellucid serve`")
    return _served[0]
