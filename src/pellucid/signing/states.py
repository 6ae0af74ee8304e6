"""How a request for a signature stands, and what may become of it: one enum, one table, one function."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pellucid.errors import InputError


class State(StrEnum):
    """How a request stands."""

    OPEN = "open"
    SIGNED = "signed"
    REFUSED = "refused"
    LOGGED = "logged"
    DECLINED = "declined"
    EXPIRED = "expired"
    TAKEN_BACK = "taken-back"

    @property
    def over(self) -> bool:
        """Whether nothing more can become of it."""
        return not TRANSITIONS[self]

    @property
    def wants_signature(self) -> bool:
        """Whether a signature would be taken now."""
        return Action.SIGN in TRANSITIONS[self]


class Action(StrEnum):
    """What can happen to a request.

    `sign`: a signature that fits is kept. `log`: the log took it, from here or by another way. `refuse`: the log did
    not, and said so in a signed receipt. `take-back`: who asked no longer asks.
    """

    SIGN = "sign"
    LOG = "log"
    REFUSE = "refuse"
    DECLINE = "decline"
    EXPIRE = "expire"
    TAKE_BACK = "take-back"


class DeclineReason(StrEnum):
    """Why somebody does not sign."""

    NOT_TRUE = "not-true"
    NOT_MINE = "not-mine"
    CONFLICT = "conflict"
    UNCLEAR = "unclear"
    OTHER = "other"


class NotNowError(InputError):
    """A request stands so that this cannot happen to it."""


_WAITING: Mapping[Action, State] = {
    Action.SIGN: State.SIGNED,
    Action.LOG: State.LOGGED,
    Action.DECLINE: State.DECLINED,
    Action.EXPIRE: State.EXPIRED,
    Action.TAKE_BACK: State.TAKEN_BACK,
}

# What was signed is not declined, expired or taken back any more: the signature is out, and the log may have it.
TRANSITIONS: Mapping[State, Mapping[Action, State]] = {
    State.OPEN: _WAITING,
    State.SIGNED: {Action.SIGN: State.SIGNED, Action.LOG: State.LOGGED, Action.REFUSE: State.REFUSED},
    State.REFUSED: _WAITING,
    State.LOGGED: {},
    State.DECLINED: {},
    State.EXPIRED: {},
    State.TAKEN_BACK: {},
}


def after(state: State, action: Action) -> State:
    """Return how a request stands after `action`; NotNowError where that cannot happen."""
    found = TRANSITIONS[state].get(action)
    if found is None:
        what = f"the request is {state.value}, so this cannot be done any more: {action.value.replace('-', ' ')}"
        raise NotNowError(what, where="request", remedy="look at the page again")
    return found
