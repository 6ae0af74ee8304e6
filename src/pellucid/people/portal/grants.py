"""Roles granted and ended; nobody changes their own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.errors import InputError
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal import door as outbox
from pellucid.people.portal.models import Account, RoleGrant
from pellucid.people.roles import Role


class GrantError(InputError):
    """A role cannot be granted or ended so."""


def grant(account: Account, role: Role, *, by: Account | None, until: datetime | None = None) -> RoleGrant:
    """Grant a role, until a time or until it is ended; what stood of the same role before is ended."""
    _refuse_own(account, by)
    refuse_operators((role,), by)
    if account.erased_at is not None:
        raise GrantError(_("this account is erased"), remedy=_("invite the person anew"))
    if until is not None and until <= timezone.now():
        raise GrantError(_("that time is over"), where="until", remedy=_("give a later one"))
    expires = {"expires": int(until.timestamp() * 1000)} if until is not None else {}
    with transaction.atomic():
        account.grants.filter(role=role.value, ended_at=None).update(ended_at=timezone.now())
        given = RoleGrant.objects.create(account=account, role=role.value, granted_by=by, expires_at=until)
        door.record(
            EventType.ROLE_GRANTED,
            actor=by.id if by else None,
            about=(account.id,),
            details={"role": role.value, **expires},
        )
        _tell(given, "role-granted")
    account.__dict__.pop("_held_roles", None)
    return given


def end(given: RoleGrant, *, by: Account | None, why: str = "asked") -> bool:
    """End a granted role; False if it was over already. `why` is `asked` or `erased`."""
    _refuse_own(given.account, by)
    with transaction.atomic():
        if not RoleGrant.objects.filter(id=given.id, ended_at=None).update(ended_at=timezone.now()):
            return False
        door.record(
            EventType.ROLE_ENDED,
            actor=by.id if by else None,
            about=(given.account_id,),
            details={"role": given.role, "reason": why},
        )
        _tell(given, "role-ended")
    given.account.__dict__.pop("_held_roles", None)
    return True


def _tell(given: RoleGrant, change: str) -> None:
    words: dict[str, str | int] = {"change": change, "role": given.role}
    if change == "role-granted" and given.expires_at is not None:
        words["expires"] = int(given.expires_at.timestamp())
    outbox.post(Notice(NoticeKind.ACCOUNT_CHANGED, f"{change}:{given.pk}", "/account", words), (given.account_id,))


def refuse_operators(roles: Collection[Role], by: Account | None) -> None:
    """Refuse to let somebody make operators who is not at the home: they could be two, and answer to nobody."""
    if by is not None and Role.OPERATOR in roles:
        remedy = _("on the node's home: `pellucid people invite MAIL --role operator`, or `people grant`")
        raise GrantError(_("operators are let in at the node's home, not on a page"), remedy=remedy)


def _refuse_own(account: Account, by: Account | None) -> None:
    if by is not None and by.id == account.id:
        raise GrantError(_("nobody changes their own roles"), remedy=_("ask another operator"))
