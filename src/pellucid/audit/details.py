"""Which details an event of each type may carry, and what each may say: closed words, digests, ids and numbers.

What is recorded stays for ever, so the table is the wall that keeps secrets, names and content out of it. A new detail
is a new line here and in the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pellucid.audit.events import Event, EventType
from pellucid.errors import InputError
from pellucid.people.permissions import Permission
from pellucid.people.roles import Role
from pellucid.signing.states import DeclineReason

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{8,64}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MOST = 2**53 - 1


class DetailError(InputError):
    """An event carries what its type does not allow; it is not recorded."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a detail may say: in words for the documentation, and as a test of a value."""

    says: str
    allows: Callable[[object], bool]


def _one_of(*words: str) -> Shape:
    allowed = frozenset(words)
    return Shape(" · ".join(f"`{word}`" for word in words), lambda value: isinstance(value, str) and value in allowed)


def _matching(says: str, pattern: re.Pattern[str]) -> Shape:
    return Shape(says, lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


NUMBER = Shape("a whole number", _is_number)
FLAG = Shape("true or false", lambda value: isinstance(value, bool))
TIME = Shape("a time, in milliseconds since 1970", _is_number)
DIGEST = _matching("64 hexadecimal digits of a SHA-256", _DIGEST)
ID = Shape(
    "8 to 64 hexadecimal digits, or a number",
    lambda value: _is_number(value) or (isinstance(value, str) and _ID.fullmatch(value) is not None),
)
NAME = _matching("a name that the program or the node's settings give", _NAME)
ROLE = _one_of(*(role.value for role in Role))
PERMISSION = _one_of(*(permission.value for permission in Permission))
METHOD = _one_of("get", "head", "post", "put", "patch", "delete", "options")
SIGN_IN = _one_of("password", "passkey", "totp", "recovery-codes", "openid", "invitation", "closed", "other")
FACTOR = _one_of("totp", "passkey", "recovery-codes", "openid", "other", "none")
CUSTODY = _one_of("file", "browser", "token")
END = _one_of("asked", "expired", "idle", "age", "elsewhere", "erased", "replaced")
DECLINE = _one_of(*(reason.value for reason in DeclineReason))
REFUSAL = _one_of("signed-out", "permission", "second-factor", "session", "csrf", "rate", "wrong")

DETAILS: Mapping[EventType, Mapping[str, Shape]] = {
    EventType.ACCOUNT_INVITED: {"role": ROLE, "invitation": ID, "organisation": ID, "expires": TIME, "again": FLAG},
    EventType.ACCOUNT_JOINED: {"invitation": ID, "again": FLAG},
    EventType.ACCOUNT_SIGNED_IN: {"by": SIGN_IN, "factor": FACTOR},
    EventType.ACCOUNT_SIGN_IN_REFUSED: {"by": SIGN_IN},
    EventType.ACCOUNT_SIGNED_OUT: {"why": END, "sessions": NUMBER},
    EventType.ACCOUNT_FACTOR_ADDED: {"kind": FACTOR},
    EventType.ACCOUNT_FACTOR_REMOVED: {"kind": FACTOR},
    EventType.ACCOUNT_PASSWORD_CHANGED: {},
    EventType.ACCOUNT_ADDRESS_CHANGED: {},
    EventType.ACCOUNT_ERASED: {},
    EventType.ROLE_GRANTED: {"role": ROLE, "expires": TIME},
    EventType.ROLE_ENDED: {"role": ROLE, "reason": END},
    EventType.KEY_ENROLLED: {"custody": CUSTODY, "key": DIGEST},
    EventType.KEY_RETIRED: {"custody": CUSTODY, "key": DIGEST},
    EventType.SESSION_OPENED: {"session": ID, "reason": DIGEST, "expires": TIME, "minutes": NUMBER},
    EventType.SESSION_CLOSED: {"session": ID, "reason": END, "requests": NUMBER},
    EventType.SESSION_REQUEST: {"session": ID, "method": METHOD, "permission": PERMISSION},
    EventType.ACCESS_GRANTED: {"permission": PERMISSION, "method": METHOD, "session": ID},
    EventType.ACCESS_REFUSED: {"permission": PERMISSION, "method": METHOD, "session": ID, "reason": REFUSAL},
    EventType.SIGNING_REQUESTED: {"request": ID, "statement": DIGEST, "expires": TIME},
    EventType.SIGNING_SHOWN: {"request": ID, "statement": DIGEST},
    EventType.SIGNING_SIGNED: {"request": ID, "statement": DIGEST, "custody": CUSTODY, "key": DIGEST},
    EventType.SIGNING_DECLINED: {"request": ID, "statement": DIGEST, "reason": DECLINE},
    EventType.JOB_STARTED: {"job": NAME},
    EventType.JOB_CANCELLED: {"job": NAME},
}

_PATH = re.compile(r"/[A-Za-z0-9/._-]*")
_HANDLE = re.compile(r"[0-9a-f]{8,64}|[0-9]{1,16}")
_JOB = re.compile(r"[a-z][a-z0-9.-]{0,119}")

TARGETS: Mapping[str, Shape] = {
    "page": _matching("the path of a page, without its query", _PATH),
    "api": _matching("the path of an API operation, without its query", _PATH),
    "account": _matching("a pseudonym", re.compile(r"[0-9a-f]{32}")),
    "statement": DIGEST,
    "key": DIGEST,
    "job": _matching("the id of a job", _JOB),
    "invitation": _matching("the id of an invitation", _HANDLE),
    "organisation": _matching("the id of an organisation", _HANDLE),
    "role": ROLE,
    "operator-session": _matching("the id of an operator session", _HANDLE),
    "signing-request": _matching("the id of a signing request", _HANDLE),
    "message": _matching("the id of a message", _HANDLE),
    "webhook": _matching("the id of a webhook", _HANDLE),
}


def require_allowed(event: Event) -> None:
    """Check an event against the table; DetailError names what its type does not allow, never the value."""
    allowed = DETAILS[event.type]
    for name, value in event.details.items():
        shape = allowed.get(name)
        if shape is None:
            raise DetailError(
                f"an event {event.type.value} has no detail {name!r}",
                remedy=f"it may have: {', '.join(allowed) or '-'}",
            )
        if not shape.allows(value):
            raise DetailError(f"the detail {name!r} of an event {event.type.value} is not {shape.says}")
    if event.target is not None:
        kind, _, target = event.target.partition(":")
        shape = TARGETS.get(kind)
        if shape is None:
            raise DetailError(f"nothing can be the target of an event as {kind[:40]!r}", remedy=", ".join(TARGETS))
        if not shape.allows(target):
            raise DetailError(f"the target of an event after {kind + ':'!r} is not {shape.says}")
