"""Which references a question about one thing leads to, given the statements there are.

A file leads to its releases, these to their source tree and their place in the product, the tree to its reviews and
deltas, each delta to its base, every statement to its own id (withdrawals) and to every key that signed it, or that a
signature names. Pack and verifier compute the same set, so that a completeness answer can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pellucid.statement.predicate import Parsed
from pellucid.statement.reference import Ref, key_ref, statement_ref


def references_of(statement: Parsed, signers: Iterable[str]) -> frozenset[Ref]:
    """Return what must be followed once `statement`, signed by the keys with the ids `signers`, is in view."""
    return statement.leads_to | {statement_ref(statement.id)} | {key_ref(key) for key in signers}


def closure(start: Ref, statements: Iterable[tuple[Parsed, Iterable[str]]]) -> frozenset[Ref]:
    """Return every reference reachable from `start` over `statements` (each with the ids of its signers)."""
    waiting = [(parsed, frozenset(signers)) for parsed, signers in statements]
    reached: set[Ref] = {start}
    while True:
        seen = [(parsed, signers) for parsed, signers in waiting if parsed.concerns & reached]
        if not seen:
            return frozenset(reached)
        waiting = [(parsed, signers) for parsed, signers in waiting if not parsed.concerns & reached]
        for parsed, signers in seen:
            reached |= references_of(parsed, signers)
