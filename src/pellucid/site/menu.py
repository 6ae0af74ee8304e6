"""The account menu and the rooms of whoever is signed in; for a visitor neither session nor database is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from pellucid.people.permissions import Permission, permitted
from pellucid.people.portal.access import account_of, roles_of, session_of
from pellucid.people.portal.models import OperatorSession

_EVERYBODY = None
_MESSAGES_COOKIE = "messages"

_YOU, _WORK, _NODE = gettext_noop("You"), gettext_noop("Work"), gettext_noop("This node")

# Group, room, address, and the permission without which the room is not offered.
ROOMS: tuple[tuple[str, str, str, Permission | None], ...] = (
    (_YOU, gettext_noop("Account"), "/account", _EVERYBODY),
    (_YOU, gettext_noop("Ways to sign in"), "/account/2fa/", _EVERYBODY),
    (_YOU, gettext_noop("Your sessions"), "/account/sessions/", _EVERYBODY),
    (_YOU, gettext_noop("Notices"), "/account/notices", _EVERYBODY),
    (_YOU, gettext_noop("Recorded about you"), "/account/record", _EVERYBODY),
    (_WORK, gettext_noop("Signing"), "/signing", Permission.SIGN_STATEMENTS),
    (_WORK, gettext_noop("Signing keys"), "/account/keys", Permission.ENROL_KEYS),
    (_WORK, gettext_noop("Jobs"), "/jobs", Permission.SEE_JOBS),
    (_NODE, gettext_noop("Operator session"), "/operator/session", Permission.OPEN_OPERATOR_SESSION),
    (_NODE, gettext_noop("People"), "/people", Permission.SEE_PEOPLE),
    (_NODE, gettext_noop("Keys of people"), "/operator/keys", Permission.SEE_PEOPLE),
    (_NODE, gettext_noop("Audit log"), "/audit", Permission.SEE_AUDIT),
    (_NODE, gettext_noop("Outbox"), "/outbox", Permission.SEE_OUTBOX),
)


@dataclass(frozen=True, slots=True)
class Room:
    """One page that somebody may open."""

    name: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rooms that belong together."""

    name: str
    rooms: tuple[Room, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """Who is signed in, the rooms open to them, and the operator session that runs in this browser."""

    name: str
    groups: tuple[Group, ...]
    session: OperatorSession | None


def account(request: HttpRequest) -> dict[str, Any]:
    """Give templates `menu` (None for a visitor) and `told`, the messages to show once; both only when asked."""
    cookies = request.COOKIES
    signed_in = settings.SESSION_COOKIE_NAME in cookies
    if not signed_in and _MESSAGES_COOKIE not in cookies:
        return {}
    return {
        "menu": SimpleLazyObject(lambda: _menu(request)) if signed_in else None,
        "told": SimpleLazyObject(lambda: tuple(messages.get_messages(request))),
    }


def _menu(request: HttpRequest) -> Menu | None:
    person = account_of(request)
    if person is None:
        return None
    allowed = permitted(roles_of(person))
    groups: dict[str, list[Room]] = {}
    session = session_of(request) if Permission.OPEN_OPERATOR_SESSION in allowed else None
    for group, name, href, permission in ROOMS:
        if permission is None or permission in allowed:
            groups.setdefault(_(group), []).append(Room(_(name), href, _is_current(request.path, href)))
    listed = tuple(Group(name, tuple(rooms)) for name, rooms in groups.items())
    return Menu(person.name or person.email, listed, session)


def _is_current(path: str, href: str) -> bool:
    if href == "/people" and path.startswith("/organisations"):
        return True
    return path == href if href == "/account" else path.startswith(href.rstrip("/"))
