"""What of people ends soon: roles, accreditations, invitations and requests for a signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pellucid.outbox.clock import Clock, Due
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.people.portal.models import Invitation, RoleGrant
from pellucid.signing.portal.models import PartyKey, SigningRequest
from pellucid.signing.portal.standing import standing_of
from pellucid.signing.states import State

LONG_BEFORE = (30, 7, 1)
SHORTLY_BEFORE = (1,)


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends at a moment: `what` is a term, `name` stays the same for the same thing."""

    what: str
    name: str
    at: datetime
    path: str
    words: dict[str, str | int]

    def notice(self, now: int, days: Iterable[int]) -> Notice | None:
        """Return the notice of the smallest number of days that it is within, None if it is within none."""
        expires = int(self.at.timestamp())
        near = [limit for limit in days if 0 < expires - now <= limit * 86_400]
        if not near:
            return None
        key = f"expiry:{self.what}:{self.name}:{expires}:{min(near)}"
        return Notice(NoticeKind.EXPIRY, key, self.path, {"what": self.what, "expires": expires, **self.words})


def roles(now: int) -> Iterator[Due]:
    """Yield a notice 30 days, 7 days and a day before a role ends, for its holder and whoever gave it."""
    start, end = _window(now, LONG_BEFORE)
    for grant in RoleGrant.objects.filter(expires_at__gt=start, expires_at__lte=end, ended_at=None):
        if grant.expires_at is not None:
            ending = Ending("role", str(grant.pk), grant.expires_at, "/account", {"role": grant.role})
            yield from _due(ending, now, LONG_BEFORE, grant.account_id, grant.granted_by_id)


def accreditations(now: int) -> Iterator[Due]:
    """Yield a notice 30 days, 7 days and a day before a key's last accreditation for a role ends, for its owner."""
    start, end = _window(now, LONG_BEFORE)
    for key in PartyKey.objects.filter(retired_at=None, account__is_active=True):
        for grant in standing_of(key).grants:
            if grant.expires is not None and start < grant.expires <= end and not grant.over:
                ending = Ending("accreditation", grant.statement, grant.expires, "/account/keys", {"key": key.key_id})
                yield from _due(ending, now, LONG_BEFORE, key.account_id)


def invitations(now: int) -> Iterator[Due]:
    """Yield a notice a day before an invitation ends that nobody took up, for whoever made it."""
    start, end = _window(now, SHORTLY_BEFORE)
    for invitation in Invitation.objects.filter(
        expires_at__gt=start, expires_at__lte=end, accepted_at=None, ended_at=None
    ):
        ending = Ending("invitation", invitation.id, invitation.expires_at, "/people", {})
        yield from _due(ending, now, SHORTLY_BEFORE, invitation.invited_by_id)


def signing_requests(now: int) -> Iterator[Due]:
    """Yield a notice a day before a request for a signature ends, for who is asked."""
    start, end = _window(now, SHORTLY_BEFORE)
    for request in SigningRequest.objects.filter(expires_at__gt=start, expires_at__lte=end, state=State.OPEN.value):
        ending = Ending("signing-request", request.id, request.expires_at, f"/signing/{request.id}", {})
        yield from _due(ending, now, SHORTLY_BEFORE, request.account_id)


EXPIRIES = (
    Clock("roles", roles, every=300.0),
    Clock("accreditations", accreditations, every=3600.0),
    Clock("invitations", invitations, every=300.0),
    Clock("signing-requests", signing_requests, every=300.0),
)


def _window(now: int, days: tuple[int, ...]) -> tuple[datetime, datetime]:
    start = datetime.fromtimestamp(now, UTC)
    return start, start + timedelta(days=max(days))


def _due(ending: Ending, now: int, days: Iterable[int], *accounts: str | None) -> Iterator[Due]:
    notice = ending.notice(now, days)
    if notice is not None:
        yield Due(notice, frozenset(account for account in accounts if account))
