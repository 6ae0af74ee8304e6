"""Invitations: an address by mail, a code by another way, and a few tries to bring both together."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.errors import InputError
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal import door as outbox
from pellucid.people.codes import MOST_TRIES, new_code, typed_code
from pellucid.people.permissions import Permission, permitted
from pellucid.people.portal import credentials, grants
from pellucid.people.portal.access import roles_of
from pellucid.people.portal.models import Account, Invitation, Organisation
from pellucid.people.roles import Role
from pellucid.record.settings import load_settings

Details = Mapping[str, str | int | bool]

DAYS = 7
MOST_DAYS = 30
LONGEST_ADDRESS = 254
_GUEST = "guest"


class InvitationError(InputError):
    """An invitation cannot be made, or is over."""


class WrongCodeError(InputError):
    """The code is not the invitation's."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made, with its code, which is shown this once."""

    invitation: Invitation
    code: str

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/join/{self.invitation.address}"


def invite(
    email: str,
    roles: Collection[Role],
    *,
    by: Account | None,
    organisation: str = "",
    roles_until: datetime | None = None,
    days: int = DAYS,
) -> Invited:
    """Invite somebody who is not here yet; `by` None: whoever holds the home. Earlier invitations of theirs end."""
    email = _checked(email)
    if by is not None and email == by.email:
        raise InvitationError(_("nobody invites themselves"), where="email")
    grants.refuse_operators(roles, by)
    with transaction.atomic():
        found = Account.objects.filter(email=email).first()
        if found is not None and found.joined_at is not None:
            remedy = _("invite them again from their own page, or grant them a role there")
            raise InvitationError(_("somebody with this address is here already"), where="email", remedy=remedy)
        account = found or Account.objects.create_user(email, is_active=False)
        if organisation.strip():
            account.organisation = _organisation(organisation)
            account.save(update_fields=["organisation"])
        return _make(account, roles, by=by, roles_until=roles_until, days=days, again=False)


def invite_again(account: Account, *, by: Account | None, days: int = DAYS) -> Invited:
    """Invite somebody who lost every way in; what they had goes on until they come back by this one."""
    if by is not None and account.id == by.id:
        raise InvitationError(_("nobody invites themselves"))
    if account.erased_at is not None:
        raise InvitationError(_("this account is erased"), remedy=_("invite the person anew"))
    grants.refuse_operators(roles_of(account), by)
    last = account.invitations.order_by("-made_at").first()
    roles = [Role(role) for role in last.roles] if last is not None and account.joined_at is None else []
    grants.refuse_operators(roles, by)
    until = last.roles_expire_at if last is not None else None
    with transaction.atomic():
        return _make(account, roles, by=by, roles_until=until, days=days, again=account.joined_at is not None)


def is_mailed() -> bool:
    """Tell whether this node sends mail; if not, whoever invites has to hand over the address too."""
    return settings.HOME is not None and load_settings(settings.HOME).mail is not None


def open_invitation(address: str) -> Invitation | None:
    """Return the invitation that can still be accepted at an address."""
    waiting = Invitation.objects.filter(address=address, accepted_at=None, ended_at=None, tries__lt=MOST_TRIES)
    found = waiting.filter(expires_at__gt=timezone.now()).select_related("account", "invited_by").first()
    return found if found is not None and _is_vouched_for(found) else None


def end_invitations(account: Account) -> int:
    """End the open invitations of an account; return how many."""
    waiting = Invitation.objects.filter(account=account, accepted_at=None, ended_at=None)
    for invitation in waiting:
        outbox.withdraw(_key(invitation))
    return waiting.update(ended_at=timezone.now())


def accept(invitation: Invitation, code: str, name: str, password: str) -> Account:
    """Let somebody in: their name, their password, their roles; every earlier way in is taken away.

    WrongCodeError tells how many tries are left; InvitationError once there are none, or its time is over.
    """
    _check_code(invitation, code)
    with transaction.atomic():
        account = Account.objects.select_for_update().get(id=invitation.account_id)
        if account.erased_at is not None or not _is_vouched_for(invitation) or not _take(invitation):
            raise InvitationError(_("this invitation is over"), remedy=_("ask for another one"))
        details: Details = {"invitation": invitation.id, "again": invitation.again}
        door.record(EventType.ACCOUNT_JOINED, actor=account.id, about=(account.id,), details=details)
        credentials.take_away(account)
        account.name, account.is_active = name.strip(), True
        account.joined_at = account.joined_at or timezone.now()
        account.set_password(password)
        account.save()
        EmailAddress.objects.create(user=account, email=account.email, verified=True, primary=True)
        for role in invitation.roles:
            grants.grant(account, Role(role), by=invitation.invited_by, until=invitation.roles_expire_at)
        outbox.withdraw(_key(invitation))
    return account


def _make(
    account: Account,
    roles: Collection[Role],
    *,
    by: Account | None,
    roles_until: datetime | None,
    days: int,
    again: bool,
) -> Invited:
    if not 0 < days <= MOST_DAYS:
        raise InvitationError(
            _("lasts too long"), where="days", remedy=_("ask for at most %(number)d days") % {"number": MOST_DAYS}
        )
    end_invitations(account)
    code = new_code()
    invitation = Invitation(
        id=secrets.token_hex(16),
        account=account,
        code_hash=make_password(code.replace(" ", "")),
        again=again,
        roles=[role.value for role in roles],
        roles_expire_at=roles_until,
        invited_by=by,
        expires_at=timezone.now() + timedelta(days=days),
    )
    invitation.save(force_insert=True)
    _record(invitation, by)
    _tell(invitation)
    return Invited(invitation, code)


def _tell(invitation: Invitation) -> None:
    """Mail the address of the page, never the code; who has an account is told of it on their other ways too."""
    account = invitation.account
    role = next(iter(invitation.roles), None) or next(iter(sorted(roles_of(account))), _GUEST)
    words = {"role": role, "expires": int(invitation.expires_at.timestamp())}
    notice = Notice(NoticeKind.INVITATION, _key(invitation), f"/join/{invitation.address}", words)
    outbox.post_to_address(notice, account.email, invitation.expires_at)
    if invitation.again:
        changed = Notice(NoticeKind.ACCOUNT_CHANGED, f"again:{invitation.id}", "/account", {"change": "invited-again"})
        outbox.post(changed, (account.id,))


def _record(invitation: Invitation, by: Account | None) -> None:
    """Record an invitation once for each role that it carries."""
    expires = int(invitation.expires_at.timestamp() * 1000)
    actor, about = by.id if by else None, (invitation.account_id,)
    for role in invitation.roles or [None]:
        details: Details = {"invitation": invitation.id, "expires": expires, "again": invitation.again}
        told = {**details, "role": role} if role else details
        door.record(EventType.ACCOUNT_INVITED, actor=actor, about=about, details=told)


def _check_code(invitation: Invitation, code: str) -> None:
    """Count a try, then hold the code against its hash: many at once have no more tries than one after the other."""
    counted = Invitation.objects.filter(id=invitation.id, tries__lt=MOST_TRIES, accepted_at=None, ended_at=None)
    if not counted.filter(expires_at__gt=timezone.now()).update(tries=F("tries") + 1):
        raise InvitationError(_("this invitation is over"), remedy=_("ask for another one"))
    digits = typed_code(code)
    if digits is not None and check_password(digits, invitation.code_hash):
        return
    door.record(EventType.ACCOUNT_SIGN_IN_REFUSED, about=(invitation.account_id,), details={"by": "invitation"})
    invitation.refresh_from_db(fields=["tries"])
    left = MOST_TRIES - invitation.tries
    if left <= 0:
        end_invitations(invitation.account)
        raise InvitationError(_("that was the last try: this invitation is over"), remedy=_("ask for another one"))
    raise WrongCodeError(
        _("this is not the code"), where="code", remedy=_("compare it; tries left: %(number)d") % {"number": left}
    )


def _take(invitation: Invitation) -> bool:
    """Mark an invitation as accepted; False if somebody else did, or ended it."""
    waiting = Invitation.objects.filter(id=invitation.id, accepted_at=None, ended_at=None)
    return bool(waiting.update(accepted_at=timezone.now()))


def _is_vouched_for(invitation: Invitation) -> bool:
    """Tell whether whoever invited may still do so; what was made at the home needs nobody."""
    by = invitation.invited_by
    return by is None or (by.is_active and Permission.INVITE_PEOPLE in permitted(roles_of(by)))


def _organisation(name: str) -> Organisation:
    name = " ".join(name.split())
    return Organisation.objects.filter(name=name).first() or Organisation.objects.create(name=name)


def _checked(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
        MaxLengthValidator(LONGEST_ADDRESS)(email)
    except ValidationError:
        remedy = _("write it as name@host")
        raise InvitationError(_("this is no mail address"), where="email", remedy=remedy) from None
    return email


def _key(invitation: Invitation) -> str:
    return f"invitation:{invitation.id}"
