"""The rule itself, over everything that somebody may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.world import open_to

from pellucid.people.decision import Factor, Obstacle, Standing, obstacle
from pellucid.people.permissions import GRANTS, IN_SESSION, Permission, permitted
from pellucid.people.roles import Role

STANDINGS = st.builds(
    Standing,
    signed_in=st.booleans(),
    roles=st.frozensets(st.sampled_from(Role)),
    factor=st.sampled_from(Factor),
    in_session=st.booleans(),
)
PERMISSIONS = st.sampled_from(Permission)


@given(STANDINGS, PERMISSIONS)
def test_whoever_is_let_through_has_everything_it_takes(standing: Standing, wanted: Permission) -> None:
    if obstacle(standing, wanted) is None:
        assert standing.signed_in
        assert any(wanted in GRANTS[role] for role in standing.roles)
        assert standing.factor is Factor.USED
        assert standing.in_session or wanted not in IN_SESSION


@given(STANDINGS, PERMISSIONS)
def test_whoever_has_everything_is_let_through(standing: Standing, wanted: Permission) -> None:
    whole = Standing(signed_in=True, roles=standing.roles, factor=Factor.USED, in_session=True)
    assert (obstacle(whole, wanted) is None) == (wanted in permitted(standing.roles))


@given(st.frozensets(st.sampled_from(Role)), st.frozensets(st.sampled_from(Role)), st.booleans())
def test_another_role_never_takes_anything_away(some: frozenset[Role], more: frozenset[Role], session: bool) -> None:
    assert open_to(some, in_session=session) <= open_to(some | more, in_session=session)


def test_no_role_at_all_reaches_nothing() -> None:
    assert open_to((), in_session=True) == frozenset()
    assert obstacle(Standing(signed_in=True), None) is None
    assert obstacle(Standing(), None) is Obstacle.SIGNED_OUT


def test_every_role_is_in_the_table_and_every_permission_is_somebody_s() -> None:
    assert set(GRANTS) == set(Role)
    assert permitted(tuple(Role)) == frozenset(Permission)
