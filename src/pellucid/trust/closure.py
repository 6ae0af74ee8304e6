"""Which references a question about one thing leads to, given the statements there are.

A file leads to its releases, these to their source tree and their place in the product, the tree to its reviews and
deltas, each delta to its base, every statement to its own id (withdrawals) and to every key that signed it, or that a
signature names. Pack and verifier compute the same set, so that a completeness answer can be held against it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pellucid.statement.predicate import Parsed
from pellucid.statement.reference import Ref, key_ref, statement_ref


def references_of(statement: Parsed, signers: Iterable[str]) -> frozenset[Ref]:
    """Return what must be followed once `statement`, signed by the keys with the ids `signers`, is in view."""
    return statement.leads_to | {statement_ref(statement.id)} | {key_ref(key) for key in signers}


def closure(start: Ref, statements: Iterable[tuple[Parsed, Iterable[str]]]) -> frozenset[Ref]:
    """Return every reference reachable from `start` over `statements` (each with the ids of its signers)."""
    onward: dict[Ref, list[frozenset[Ref]]] = defaultdict(list)
    for parsed, signers in statements:
        follow = references_of(parsed, signers)
        for ref in parsed.concerns:
            onward[ref].append(follow)
    reached, waiting = {start}, [start]
    while waiting:
        new = frozenset().union(*onward.pop(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return frozenset(reached)
