"""The proof of an account's events as pages and API give it."""

from __future__ import annotations

from pellucid.audit.proof import MOST_EVENTS, AccountProof, make_proof
from pellucid.audit.trail import Trail
from pellucid.errors import UnavailableError


def proof_of(trail: Trail, account: str, before: int | None) -> AccountProof:
    """Return the newest 2,000 events of an account below `before` that the published head covers, each proven.

    UnavailableError before the first publication.
    """
    head = trail.published
    if head is None:
        raise UnavailableError(
            "the audit log has no published head yet", remedy="try again once enough others have cosigned it"
        )
    end = min(head.checkpoint.size, head.checkpoint.size if before is None else before)
    events = trail.events(account=account, before=end, limit=MOST_EVENTS + 1)
    given = events[:MOST_EVENTS]
    since = given[-1].index if len(events) > MOST_EVENTS else 0
    return make_proof(account, given, since, head, trail.tree().read)
