"""A request for a signature: whatever happens in whatever order, nothing signed is lost and nothing ended returns."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.signing.states import TRANSITIONS, Action, NotNowError, State, after

ACTIONS = st.lists(st.sampled_from(Action), max_size=30)


def run(actions: list[Action]) -> list[State]:
    """Return every state on the way; what cannot happen does not."""
    states = [State.OPEN]
    for action in actions:
        try:
            states.append(after(states[-1], action))
        except NotNowError:
            states.append(states[-1])
    return states


def test_every_state_and_action_is_decided() -> None:
    assert set(TRANSITIONS) == set(State)
    for moves in TRANSITIONS.values():
        assert set(moves) <= set(Action)


@given(ACTIONS)
def test_what_is_over_stays_as_it_is(actions: list[Action]) -> None:
    states = run(actions)
    for before, now in pairwise(states):
        assert not before.over or now is before


@given(ACTIONS)
def test_a_signature_that_is_out_is_not_declined_expired_or_taken_back_before_the_log_has_spoken(
    actions: list[Action],
) -> None:
    states = run(actions)
    for before, now in pairwise(states):
        if before is State.SIGNED:
            assert now in {State.SIGNED, State.LOGGED, State.REFUSED}


@given(ACTIONS)
def test_nothing_is_refused_by_the_log_that_nobody_signed(actions: list[Action]) -> None:
    states = run(actions)
    if State.REFUSED in states:
        assert State.SIGNED in states[: states.index(State.REFUSED)]


@given(ACTIONS)
def test_every_state_can_still_end(actions: list[Action]) -> None:
    state = run(actions)[-1]
    assert state.over or any(found.over for found in TRANSITIONS[state].values())


@pytest.mark.parametrize("state", [state for state in State if state.over])
@pytest.mark.parametrize("action", list(Action))
def test_what_is_over_says_so(state: State, action: Action) -> None:
    with pytest.raises(NotNowError, match=state.value):
        after(state, action)


def test_the_ends_are_these() -> None:
    assert {state for state in State if state.over} == {
        State.LOGGED,
        State.DECLINED,
        State.EXPIRED,
        State.TAKEN_BACK,
    }
