"""Whether somebody may do something, and if not, what is in the way: the whole rule, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pellucid.people.permissions import IN_SESSION, Permission, permitted
from pellucid.people.roles import Role


class Factor(StrEnum):
    """How a second factor stands: an account has none, or has one, or has used it to sign in where it now asks."""

    NONE = "none"
    SET = "set"
    USED = "used"


class Obstacle(StrEnum):
    """What is in the way of a request, in the order in which it is found."""

    SIGNED_OUT = "signed-out"
    PERMISSION = "permission"
    NO_FACTOR = "no-factor"
    FACTOR_NOT_USED = "factor-not-used"
    NO_SESSION = "no-session"


@dataclass(frozen=True, slots=True)
class Standing:
    """Who asks: signed in or not, with which roles, factor, and whether in an operator session."""

    signed_in: bool = False
    roles: frozenset[Role] = frozenset()
    factor: Factor = Factor.NONE
    in_session: bool = False

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the roles allow, whatever else is still in the way."""
        return permitted(self.roles) if self.signed_in else frozenset()


def obstacle(standing: Standing, wanted: Permission | None) -> Obstacle | None:
    """Return what keeps `standing` from what `wanted` allows (None: anything that only asks for an account)."""
    if not standing.signed_in:
        return Obstacle.SIGNED_OUT
    if wanted is None:
        return None
    if wanted not in standing.permissions:
        return Obstacle.PERMISSION
    if standing.factor is not Factor.USED:
        return Obstacle.NO_FACTOR if standing.factor is Factor.NONE else Obstacle.FACTOR_NOT_USED
    return Obstacle.NO_SESSION if wanted in IN_SESSION and not standing.in_session else None
