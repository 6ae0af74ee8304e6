"""The people of a home, for its command line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from pellucid.errors import InputError
from pellucid.people.portal import erasure, grants, invitations, spool
from pellucid.people.portal.models import Account
from pellucid.people.roles import Role
from pellucid.record.home import Home


@dataclass(frozen=True, slots=True)
class InvitedHere:
    """An invitation made at the home; the code is shown this once."""

    account: str
    address: str
    code: str
    expires_at: str
    again: bool


class PeopleDesk:
    """Works in the database of a home; `database.prepare` was called for it."""

    most_days = invitations.MOST_DAYS

    def __init__(self, home: Home) -> None:
        self._home = home
        spool.serve()

    def invite(
        self, email: str, roles: Collection[Role], *, organisation: str, until: datetime | None, days: int
    ) -> InvitedHere:
        """Invite somebody, or let somebody who lost every way in come back; roles are for newcomers."""
        found = Account.objects.filter(email=email.strip().lower()).exclude(joined_at=None).first()
        if found is not None:
            if roles or organisation:
                raise InputError(
                    "somebody with this address is here already",
                    where=email[:254],
                    remedy="leave --role and --organisation away for a new way in; `pellucid people grant` gives roles",
                )
            made = invitations.invite_again(found, by=None, days=days)
        else:
            made = invitations.invite(email, roles, by=None, organisation=organisation, roles_until=until, days=days)
        invitation = made.invitation
        ends = invitation.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return InvitedHere(invitation.account_id, self._address(made.path), made.code, ends, invitation.again)

    def grant(self, person: str, role: Role, *, until: datetime | None) -> str:
        """Grant a role to somebody who is here, by mail address or id; return the id."""
        account = self._somebody(person)
        grants.grant(account, role, by=None, until=until)
        return account.id

    def everybody(self) -> list[dict[str, Any]]:
        """Return who is here, invited or erased, with the roles they hold now."""
        now = timezone.now()
        people = []
        for account in Account.objects.order_by("made_at", "id").select_related("organisation"):
            held = account.grants.filter(Q(expires_at=None) | Q(expires_at__gt=now), ended_at=None)
            state = "here" if account.joined_at else "invited"
            people.append(
                {
                    "id": account.id,
                    "state": "erased" if account.erased_at else state,
                    "name": account.name or None,
                    "email": None if account.erased_at else account.email,
                    "organisation": account.organisation.name if account.organisation else None,
                    "roles": sorted(held.values_list("role", flat=True)),
                }
            )
        return people

    def erase(self, person: str) -> str:
        """Erase somebody by mail address or id; return the id."""
        account = self._somebody(person)
        erasure.erase(account, by=None)
        return account.id

    def _somebody(self, person: str) -> Account:
        account = Account.objects.filter(Q(id=person) | Q(email=person.strip().lower())).first()
        if account is None:
            raise InputError("nobody is here by that", where=person[:254], remedy="`pellucid people list` lists all")
        return account

    def _address(self, path: str) -> str:
        url = self._home.settings.address or self._home.node_url() or "http://127.0.0.1"
        return url.rstrip("/") + path
