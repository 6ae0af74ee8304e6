"""A quorum counts independent operators, dates what they saw, and states what it tolerates."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.statement.keys import PublicKey, Role
from pellucid.tlog.cosignature import Cosignature
from pellucid.tlog.errors import PolicyError, SharedKeyError
from pellucid.tlog.note import SignatureKind, Verifier
from pellucid.tlog.quorum import Cosigner, KeyUse, Quorum, Tolerance, refuse_shared_keys


def cosigner(operator: str, region: str, number: int) -> Cosigner:
    public = PublicKey((2**200 + number).to_bytes(32, "big"))
    return Cosigner(operator, region, Verifier(f"{operator}.example/{number}", SignatureKind.COSIGNATURE, public))


ASIA, EUROPE, AMERICAS = (
    cosigner("asia-lab", "asia", 1),
    cosigner("europe-lab", "europe", 2),
    cosigner("americas-lab", "americas", 3),
)
VENDOR = cosigner("vendor", "europe", 4)
ASIA_TOO = cosigner("asia-lab", "europe", 5)
THREE = (ASIA, EUROPE, AMERICAS)


def at(*pairs: tuple[Cosigner, int]) -> list[Cosignature]:
    return [Cosignature(who.verifier, time) for who, time in pairs]


def test_two_of_three() -> None:
    quorum = Quorum(2, THREE, "vendor")
    assert not quorum.met(at((ASIA, 5)))
    assert quorum.met(at((ASIA, 5), (AMERICAS, 6)))
    standing = quorum.standing(at((ASIA, 5)))
    assert standing.operators == ("asia-lab",)
    assert standing.missing == (EUROPE, AMERICAS)
    assert standing.reasons == ("1 of 2 required independent operators cosigned",)


def test_two_keys_of_one_operator_count_once() -> None:
    quorum = Quorum(2, (*THREE, ASIA_TOO), "vendor")
    assert not quorum.met(at((ASIA, 5), (ASIA_TOO, 6)))
    assert quorum.met(at((ASIA, 5), (ASIA_TOO, 6), (EUROPE, 7)))


def test_the_logs_own_operator_never_counts() -> None:
    quorum = Quorum(2, (*THREE, VENDOR), "vendor")
    assert VENDOR not in quorum.eligible
    assert not quorum.met(at((VENDOR, 5), (ASIA, 6)))
    assert quorum.logged_time(at((VENDOR, 5), (ASIA, 6))) is None


def test_strangers_do_not_count() -> None:
    assert not Quorum(1, THREE, "vendor").met(at((cosigner("stranger", "asia", 9), 5)))


def test_a_quorum_of_none_is_met_and_dates_nothing() -> None:
    quorum = Quorum(0, (), "vendor", max_age=10)
    assert quorum.met([], now=1000)
    assert quorum.logged_time(at((ASIA, 5))) is None
    assert quorum.tolerates() == Tolerance(0, 0)


def test_logged_time_is_the_kth_earliest_operators() -> None:
    quorum = Quorum(2, (*THREE, ASIA_TOO), "vendor")
    seen = at((AMERICAS, 30), (ASIA, 10), (ASIA_TOO, 11), (EUROPE, 20))
    for order in permutations(seen):
        assert quorum.logged_time(order) == 20
        assert quorum.seen_time(order) == 20
    assert Quorum(1, THREE, "vendor").logged_time(seen) == 10
    assert Quorum(3, THREE, "vendor").logged_time(seen) == 30
    assert Quorum(3, THREE, "vendor").seen_time(seen) == 10
    assert Quorum(3, (*THREE, ASIA_TOO), "vendor").seen_time(seen) == 11
    assert Quorum(4, THREE, "vendor").logged_time(seen) is None
    assert Quorum(4, THREE, "vendor").seen_time(seen) is None


def test_a_liar_below_the_threshold_cannot_date_an_entry_back() -> None:
    quorum = Quorum(2, THREE, "vendor")
    assert quorum.logged_time(at((ASIA, 1), (EUROPE, 1000), (AMERICAS, 1001))) == 1000


def test_freshness_is_that_of_the_kth_newest() -> None:
    quorum = Quorum(2, THREE, "vendor", max_age=100)
    seen = at((ASIA, 1000), (EUROPE, 900), (AMERICAS, 100))
    assert quorum.met(seen, now=1000)
    assert quorum.standing(seen, now=1001).reasons == (
        "last cosigned by enough operators 101 s ago, 100 s are allowed",
    )
    assert quorum.met(seen)


def test_cosignatures_from_the_future_do_not_count() -> None:
    quorum = Quorum(1, THREE, "vendor", max_age=100)
    assert quorum.met(at((ASIA, 1300)), now=1000)
    assert not quorum.met(at((ASIA, 1301)), now=1000)


def test_regions_need_an_operator_each() -> None:
    quorum = Quorum(2, (*THREE, ASIA_TOO), "vendor", regions=2)
    near = cosigner("asia-other", "asia", 6)
    assert quorum.met(at((ASIA, 5), (EUROPE, 5)))
    assert not Quorum(2, (ASIA, near), "vendor", regions=2).met(at((ASIA, 5), (near, 5)))
    assert Quorum(2, (ASIA, near, ASIA_TOO), "vendor", regions=2).met(at((ASIA, 5), (near, 5), (ASIA_TOO, 5)))
    unknown = cosigner("unknown", "", 7)
    assert not Quorum(2, (ASIA, unknown), "vendor", regions=2).met(at((ASIA, 5), (unknown, 5)))
    one_operator = Quorum(1, (ASIA, ASIA_TOO), "vendor", regions=2).standing(at((ASIA, 5), (ASIA_TOO, 5)))
    assert one_operator.reasons == ("cosigned from 1 of 2 required regions",)


@pytest.mark.parametrize(
    ("required", "count", "outages", "colluders"),
    [(0, 3, 3, 0), (1, 3, 2, 0), (2, 3, 1, 0), (3, 3, 0, 2), (3, 4, 1, 1), (4, 5, 1, 2), (7, 10, 3, 3), (4, 3, 0, 4)],
)
def test_what_a_quorum_tolerates(required: int, count: int, outages: int, colluders: int) -> None:
    candidates = tuple(cosigner(f"o{number}", "here", number) for number in range(count))
    assert Quorum(required, candidates, "vendor").tolerates() == Tolerance(outages, colluders)


operators = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=7, unique=True)


@given(operators, st.integers(0, 5), st.integers(0, 4))
def test_tolerated_outages_are_exact(places: list[tuple[int, int]], required: int, regions: int) -> None:
    candidates = tuple(cosigner(f"o{o}", f"r{r}" if r else "", number) for number, (o, r) in enumerate(places))
    quorum = Quorum(required, candidates, "vendor", regions=regions)
    names = sorted({item.operator for item in candidates})

    def survives(out: tuple[str, ...]) -> bool:
        return quorum.met(at(*((item, 5) for item in candidates if item.operator not in out)))

    assert quorum.reachable is survives(())
    outages = quorum.tolerates().outages
    if quorum.reachable:
        assert all(survives(out) for out in combinations(names, outages))
        assert outages == len(names) or not all(survives(out) for out in combinations(names, outages + 1))
    else:
        assert outages == 0


@given(st.integers(1, 9), st.integers(1, 9))
def test_tolerated_colluders_are_exact(count: int, required: int) -> None:
    """To fork a log is to show each honest operator one of two views, while colluders cosign both."""
    candidates = tuple(cosigner(f"o{number}", "here", number) for number in range(count))
    quorum = Quorum(required, candidates, "vendor")

    def forked_with(colluders: int) -> bool:
        honest = count - colluders
        return any(min(left, honest - left) + colluders >= required for left in range(honest + 1))

    colluders = quorum.tolerates().colluders
    assert quorum.overlapping is not forked_with(0)
    if quorum.overlapping:
        assert not forked_with(colluders)
        assert colluders >= count or forked_with(colluders + 1)


def test_reachable_without_the_vendor() -> None:
    quorum = Quorum(3, (*THREE, VENDOR), "center")
    assert quorum.reachable
    assert quorum.without("vendor").reachable
    assert not quorum.without("asia-lab").without("vendor").reachable


def test_quorums_that_cannot_be_counted_are_refused() -> None:
    twin = Cosigner("other", "asia", Verifier("other.example", SignatureKind.COSIGNATURE, ASIA.verifier.public))
    with pytest.raises(SharedKeyError):
        Quorum(1, (ASIA, twin), "vendor")
    log_key = Cosigner("x", "asia", Verifier("x.example", SignatureKind.ED25519, PublicKey(b"\7" * 32)))
    with pytest.raises(PolicyError, match="cosignature keys"):
        Quorum(1, (log_key,), "vendor")
    for numbers in ((-1, 0, None), (0, -1, None), (0, 0, -1)):
        with pytest.raises(PolicyError, match="not negative"):
            Quorum(numbers[0], (), "vendor", numbers[1], numbers[2])
    assert Quorum(1, tuple(cosigner("o", f"r{number}", number) for number in range(12)), "vendor").reachable
    with pytest.raises(PolicyError, match="regions"):
        Quorum(1, tuple(cosigner("o", f"r{number}", number) for number in range(13)), "vendor")


def test_a_key_in_two_roles_or_under_two_names_is_refused() -> None:
    key, other = PublicKey(b"\1" * 32), PublicKey(b"\2" * 32)
    fine = [KeyUse("a", Role.LOG, key), KeyUse("a", Role.WITNESS, other), KeyUse("a", Role.LOG, key)]
    refuse_shared_keys(fine)
    for shared in (KeyUse("a", Role.WITNESS, key), KeyUse("b", Role.LOG, key)):
        with pytest.raises(SharedKeyError, match="log 'a'") as caught:
            refuse_shared_keys([*fine, shared])
        assert caught.value.where == f"key {key.id}"
