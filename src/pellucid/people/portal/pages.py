"""Page models of people: what their pages print, and their `.json` twins give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.people.codes import MOST_TRIES
from pellucid.people.decision import Factor
from pellucid.people.permissions import permitted
from pellucid.people.portal import sessions
from pellucid.people.portal.models import Account, Invitation, OperatorSession, Organisation, RoleGrant
from pellucid.people.portal.words import role_words
from pellucid.people.roles import Role

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the way to a page."""

    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role of somebody: since when, until when, granted by whom (None: at the home)."""

    id: int
    role: str
    words: str
    granted_at: datetime
    granted_by: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody in the list."""

    id: str
    name: str
    email: str
    organisation: str | None
    roles: tuple[str, ...]
    state: str
    href: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """The people of the node, `PER_PAGE` at a time; `before` and `after` lead on."""

    title: str
    as_of: datetime
    total: int
    people: tuple[PersonLine, ...]
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """An invitation that waits."""

    id: str
    expires_at: datetime
    tries_left: int
    again: bool
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person: who they are, what they may do, how they stand."""

    title: str
    as_of: datetime
    crumbs: tuple[Crumb, ...]
    id: str
    name: str
    email: str
    organisation: str | None
    state: str
    joined_at: datetime | None
    erased_at: datetime | None
    second_factor: bool
    own: bool
    roles: tuple[RoleLine, ...]
    invitations: tuple[InvitationLine, ...]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """An operator session; `reason` is None once it is erased."""

    id: str
    account: str
    name: str
    reason: str | None
    opened_at: datetime
    ends_at: datetime
    closed_at: datetime | None
    requests: int


@dataclass(frozen=True, slots=True)
class SessionPage:
    """The operator session of this browser, if one is open."""

    title: str
    as_of: datetime
    session: SessionLine | None


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """Operator sessions of everybody, newest first."""

    title: str
    as_of: datetime
    crumbs: tuple[Crumb, ...]
    sessions: tuple[SessionLine, ...]


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """An organisation and how many people of it are here."""

    id: str
    name: str
    people: int


@dataclass(frozen=True, slots=True)
class OrganisationsPage:
    """The organisations that people work for."""

    title: str
    as_of: datetime
    crumbs: tuple[Crumb, ...]
    organisations: tuple[OrganisationLine, ...]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A person's own account."""

    title: str
    as_of: datetime
    id: str
    name: str
    email: str
    organisation: str | None
    joined_at: datetime | None
    second_factor: Factor
    roles: tuple[RoleLine, ...]
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page that asks for something."""

    title: str
    as_of: datetime
    crumbs: tuple[Crumb, ...] = ()


def page_of_accounts(start: int) -> Sequence[Account]:
    """Return the accounts that one page of the list shows; those that are erased come last."""
    ordered = Account.objects.select_related("organisation").order_by("erased_at", "made_at", "id")
    return list(ordered[start : start + PER_PAGE])


def people_page(start: int) -> PeoplePage:
    """Return the list of people from the `start`th on."""
    total = Account.objects.count()
    shown = page_of_accounts(start)
    roles: dict[str, list[str]] = {account.id: [] for account in shown}
    for given in _held(RoleGrant.objects.filter(account__in=shown)):
        roles[given.account_id].append(role_words(given.role))
    return PeoplePage(
        title=_("People"),
        as_of=timezone.now(),
        total=total,
        people=tuple(_person_line(account, tuple(sorted(roles[account.id]))) for account in shown),
        before=f"/people?from={max(0, start - PER_PAGE)}" if start else None,
        after=f"/people?from={start + PER_PAGE}" if start + PER_PAGE < total else None,
    )


def person_page(account: Account, *, own: bool, second_factor: bool) -> PersonPage:
    """Return the page of one person."""
    waiting = account.invitations.filter(accepted_at=None, ended_at=None, expires_at__gt=timezone.now())
    return PersonPage(
        title=account.name or (_("Somebody erased") if account.erased_at else account.email),
        as_of=timezone.now(),
        crumbs=(Crumb(_("People"), "/people"),),
        id=account.id,
        name=account.name,
        email="" if account.erased_at else account.email,
        organisation=_organisation(account),
        state=_state(account),
        joined_at=account.joined_at,
        erased_at=account.erased_at,
        second_factor=second_factor,
        own=own,
        roles=_role_lines(account),
        invitations=tuple(map(_invitation_line, waiting)),
    )


def account_page(account: Account, factor: Factor) -> AccountPage:
    """Return a person's own page."""
    roles = _role_lines(account)
    return AccountPage(
        title=_("Your account"),
        as_of=timezone.now(),
        id=account.id,
        name=account.name,
        email=account.email,
        organisation=_organisation(account),
        joined_at=account.joined_at,
        second_factor=factor,
        roles=roles,
        permissions=tuple(sorted(item.value for item in permitted([Role(line.role) for line in roles]))),
    )


def session_page(session: OperatorSession | None) -> SessionPage:
    """Return the page of this browser's operator session."""
    return SessionPage(_("Operator session"), timezone.now(), _session_line(session) if session else None)


def shown_sessions() -> Sequence[OperatorSession]:
    """Return the operator sessions that their page shows."""
    return list(OperatorSession.objects.select_related("account").order_by("-opened_at")[:PER_PAGE])


def sessions_page() -> SessionsPage:
    """Return the page of everybody's operator sessions."""
    crumbs = (Crumb(_("Operator session"), "/operator/session"),)
    return SessionsPage(_("Operator sessions"), timezone.now(), crumbs, tuple(map(_session_line, shown_sessions())))


def organisations_page() -> OrganisationsPage:
    """Return the list of organisations that are not erased."""
    found = Organisation.objects.filter(erased_at=None).order_by("name")[:500]
    lines = tuple(OrganisationLine(item.id, item.name, item.people.filter(erased_at=None).count()) for item in found)
    return OrganisationsPage(_("Organisations"), timezone.now(), (Crumb(_("People"), "/people"),), lines)


def form_page(title: str, *crumbs: Crumb) -> FormPage:
    """Return the page of a form."""
    return FormPage(title, timezone.now(), crumbs)


def _held(grants: object) -> Sequence[RoleGrant]:
    query = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return list(grants.filter(query, ended_at=None).order_by("granted_at"))  # type: ignore[attr-defined]


def _role_lines(account: Account) -> tuple[RoleLine, ...]:
    held = _held(account.grants.select_related("granted_by"))
    return tuple(
        RoleLine(
            id=given.pk,
            role=given.role,
            words=role_words(given.role),
            granted_at=given.granted_at,
            granted_by=_called(given.granted_by) if given.granted_by else None,
            expires_at=given.expires_at,
        )
        for given in held
    )


def _person_line(account: Account, roles: tuple[str, ...]) -> PersonLine:
    email = "" if account.erased_at else account.email
    where = f"/people/{account.id}"
    return PersonLine(account.id, account.name, email, _organisation(account), roles, _state(account), where)


def _invitation_line(invitation: Invitation) -> InvitationLine:
    left = MOST_TRIES - invitation.tries
    roles = tuple(role_words(role) for role in invitation.roles)
    return InvitationLine(invitation.id, invitation.expires_at, left, invitation.again, roles)


def _session_line(session: OperatorSession) -> SessionLine:
    return SessionLine(
        id=session.id,
        account=session.account_id,
        name=_called(session.account),
        reason=sessions.reason(session),
        opened_at=session.opened_at,
        ends_at=session.ends_at,
        closed_at=session.closed_at,
        requests=session.requests,
    )


def _state(account: Account) -> str:
    if account.erased_at is not None:
        return "erased"
    return "here" if account.joined_at is not None else "invited"


def _organisation(account: Account) -> str | None:
    return account.organisation.name or None if account.organisation else None


def _called(account: Account) -> str:
    return account.name or account.id
