"""What each role may do: one enum, one table, one function that reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from pellucid.people.roles import Role


class Permission(StrEnum):
    """One thing that not everybody may do. Whoever holds any of them signs in with a second factor."""

    SIGN_STATEMENTS = "sign-statements"
    ENROL_KEYS = "enrol-keys"
    REQUEST_SIGNATURES = "request-signatures"
    SEE_JOBS = "see-jobs"
    RUN_JOBS = "run-jobs"
    OPEN_OPERATOR_SESSION = "open-operator-session"
    SEE_PEOPLE = "see-people"
    INVITE_PEOPLE = "invite-people"
    CHANGE_ROLES = "change-roles"
    ERASE_PEOPLE = "erase-people"
    SEE_AUDIT = "see-audit"
    SEE_OUTBOX = "see-outbox"


_SIGNERS = frozenset({Permission.SIGN_STATEMENTS, Permission.ENROL_KEYS})

# What an operator reaches only in an operator session: time-limited, with a stated reason, every request recorded.
IN_SESSION: frozenset[Permission] = frozenset(
    {
        Permission.SEE_PEOPLE,
        Permission.INVITE_PEOPLE,
        Permission.CHANGE_ROLES,
        Permission.ERASE_PEOPLE,
        Permission.SEE_AUDIT,
        Permission.SEE_OUTBOX,
    }
)

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.OPERATOR: IN_SESSION
    | {
        Permission.OPEN_OPERATOR_SESSION,
        Permission.SEE_JOBS,
        Permission.RUN_JOBS,
        Permission.REQUEST_SIGNATURES,
    },
    Role.VENDOR_CONTACT: _SIGNERS,
    Role.REVIEWER: _SIGNERS,
    Role.ASSESSOR: _SIGNERS,
    Role.ATTESTOR: _SIGNERS,
    Role.RESEARCHER: _SIGNERS,
}


def permitted(roles: Collection[Role]) -> frozenset[Permission]:
    """Return what any of the roles allows, whether or not an operator session is open."""
    return frozenset().union(*(GRANTS[role] for role in roles))
