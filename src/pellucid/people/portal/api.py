"""What API operations that are not public ask for, and `/api/me`: what a person's own account says."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.security import APIKeyCookie

from pellucid.people.decision import Factor, Obstacle
from pellucid.people.permissions import Permission, permitted
from pellucid.people.portal.access import About, account_of, check, factor_of, roles_of, session_of
from pellucid.people.portal.models import Account
from pellucid.people.portal.refused import Refusal, RefusedError


class ErrorText(Schema):
    """What went wrong, where, and how to mend it."""

    what: str
    where: str | None
    remedy: str | None


class ErrorBody(Schema):
    """Every answer that is no answer."""

    error: ErrorText


# What every operation that is not public may answer instead: not signed in, not permitted, too often, not now.
REFUSALS: dict[int, type[Schema]] = dict.fromkeys((401, 403, 429, 503), ErrorBody)
REFUSALS_OF_INPUT: dict[int, type[Schema]] = {400: ErrorBody, **REFUSALS}


class Needs(APIKeyCookie):
    """An account that is signed in, and holds a permission where one is named; writes need the CSRF token too."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(
        self,
        permission: Permission | None,
        *,
        about: str | About = "",
        private: bool = True,
        unless_own: Permission | None = None,
    ) -> None:
        super().__init__()
        self.permission = permission
        self.asked = permission or unless_own  # read by the walk over all operations
        self._about = about
        self._private = private

    def __call__(self, request: HttpRequest) -> Account:
        """Return who asks; RefusedError where something is in the way, HttpError 403 without the CSRF token."""
        if account_of(request) is None:
            raise RefusedError(Refusal(Obstacle.SIGNED_OUT))
        return self.authenticate(request, self._get_key(request))

    def authenticate(self, request: HttpRequest, key: str | None) -> Account:  # noqa: ARG002 - the framework's signature
        """See `__call__`."""
        refusal = check(request, self.permission, about=self._about, private=self._private)
        account = account_of(request)
        if refusal is not None or account is None:
            raise RefusedError(refusal or Refusal(Obstacle.SIGNED_OUT))
        return account


def needs(
    permission: Permission | None,
    *,
    about: str | About = "",
    private: bool = True,
    unless_own: Permission | None = None,
) -> Needs:
    """Return the `auth=` of an operation; arguments as of `access.require`, None asks for an account only.

    `unless_own` says what the operation itself asks for, of everybody but who owns what is asked about.
    """
    return Needs(permission, about=about, private=private, unless_own=unless_own)


class SessionBody(Schema):
    """An operator session that is open in this browser; times in RFC 3339."""

    id: str
    opened_at: str
    ends_at: str


class MeBody(Schema):
    """The account that asks. `permissions` are those of its roles; some need an operator session too."""

    id: str
    name: str
    email: str
    organisation: str | None
    roles: list[str]
    permissions: list[str]
    second_factor: Factor
    operator_session: SessionBody | None


router = Router()


@router.get("/me", response={200: MeBody, **REFUSALS}, auth=needs(None), summary="The account that asks")
def me(request: HttpRequest) -> dict[str, Any]:
    """Say who is signed in, in which roles, and what they allow."""
    account, session = account_of(request), session_of(request)
    assert account is not None  # noqa: S101 - `needs` let it through
    roles = roles_of(account)
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "organisation": account.organisation.name if account.organisation else None,
        "roles": sorted(role.value for role in roles),
        "permissions": sorted(item.value for item in permitted(roles)),
        "second_factor": factor_of(request, account),
        "operator_session": session
        and {"id": session.id, "opened_at": _time(session.opened_at), "ends_at": _time(session.ends_at)},
    }


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
