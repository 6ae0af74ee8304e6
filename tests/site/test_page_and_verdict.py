"""A page and a verdict read the same statements: they agree on what is covered, and on how many lines are unread."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.site.sample import Sample
from tests.trust.bench_of_judges import NOW, Court, key_of

from pellucid.record.facts import Accreditation, PartyFact, Place, Record, SubjectFact
from pellucid.release.portal.coverage import Coverage, coverage
from pellucid.source.requirement import ReviewRequirement, readings_of
from pellucid.statement.reference import tree_ref
from pellucid.trust.testimony import Testimony as Said  # a class whose name starts with Test would be collected

TREES = [f"{number:02x}" * 32 for number in range(6)]
REVIEWERS = ("rita", "carla")


class Shown(Sample):
    """A court's statements as a node would show them; Rita is accredited, Carla runs a center."""

    def __init__(self, court: Court) -> None:
        super().__init__(empty=True)
        self.records = [_record(item) for item in court.testimonies]

    def party(self, key: str) -> PartyFact | None:
        readers = {key_of(name).public.id for name in REVIEWERS}
        granted = (Accreditation("reviewer", "a center", "its statement", None),) if key in readers else ()
        return PartyFact(key, None, None, granted, None, 1)


def _record(testimony: Said) -> Record:
    statement, at = testimony.parsed.statement, datetime.fromtimestamp(testimony.logged_at, UTC)
    subjects = tuple(
        SubjectFact(item.name, tuple(f"{kind}:{value}" for kind, value in item.digest.items()))
        for item in statement.subjects
    )
    kind = testimony.parsed.kind
    assert kind is not None
    return Record(
        testimony.id, kind.name, kind.uri, tuple(testimony.signers), subjects, statement.predicate,
        testimony.parsed.predicate, {}, None, (Place("log", "log", True, 0, 1, at),), at, None, None,
    )  # fmt: skip


def page(court: Court) -> Coverage:
    return coverage(TREES[0], Shown(court), datetime.fromtimestamp(NOW, UTC))


def verdict(court: Court) -> tuple[int | None, frozenset[str]]:
    """Return the fewest unread lines over all reviews that count, and whose debt is that; None if none counts."""
    requirement = msgspec.convert({"max_debt_lines": 10**9}, ReviewRequirement)
    readings = readings_of(court.case(), requirement, tree_ref(TREES[0]))
    least = min((item.debt for item in readings), default=None)
    return least, frozenset(item.testimony.id for item in readings if item.debt == least)


def agree(court: Court) -> Coverage:
    shown, (lines, reviews) = page(court), verdict(court)
    assert (shown.lines if shown.bearing else None) == lines
    assert {item.id for item in shown.bearing} == reviews
    return shown


def test_a_chain_of_deltas_adds_up() -> None:
    court = Court()
    court.review(tree=TREES[3])
    for number, lines in enumerate((5, 7, 11)):
        court.delta(TREES[number + 1], TREES[number], lines)
    shown = agree(court)
    assert shown.lines == 23
    assert [item.model.lines for item in shown.deltas] == [5, 7, 11]


def test_more_steps_with_fewer_unread_lines_are_the_nearer_way() -> None:
    court = Court()
    court.review(tree=TREES[1])
    court.delta(TREES[1], TREES[0], 1000)
    court.delta(TREES[2], TREES[0], 10)
    court.delta(TREES[1], TREES[2], 20)
    shown = agree(court)
    assert shown.lines == 30
    assert sorted(item.model.lines for item in shown.deltas) == [10, 20]


def test_what_a_delta_review_read_is_no_debt() -> None:
    court = Court()
    court.review("carla", tree=TREES[1])
    court.delta(TREES[1], TREES[0], 1000)
    court.review(tree=TREES[0], base=TREES[1])
    shown = agree(court)
    assert shown.lines == 0
    assert [len(shown.reviews), len(shown.chain), len(shown.deltas)] == [1, 1, 0]


def test_circles_end() -> None:
    court = Court()
    for one, other in ((0, 1), (1, 0), (1, 2), (2, 0)):
        court.delta(TREES[one], TREES[other], 3)
    court.review(tree=TREES[0], base=TREES[1])
    court.review(tree=TREES[1], base=TREES[0])
    assert not agree(court).bearing
    court.review(tree=TREES[2])
    assert agree(court).lines == 3


@pytest.mark.parametrize("changes", [{"expires": "2020-01-01T00:00:00Z"}, {"result": "fail"}, {"who": "mallory"}])
def test_what_the_verdict_leaves_out_the_page_leaves_out(changes: dict[str, str]) -> None:
    court = Court()
    court.review(tree=TREES[0], **changes)
    assert not agree(court).bearing


def test_a_vendors_own_measure_shortens_nothing() -> None:
    court = Court()
    court.review(tree=TREES[1])
    court.delta(TREES[1], TREES[0], 1, who="vera")
    assert not agree(court).bearing
    court.delta(TREES[1], TREES[0], 50)
    assert agree(court).lines == 50


def test_a_change_without_lines_weighs_the_same_on_both() -> None:
    court = Court()
    court.review(tree=TREES[1])
    court.delta(TREES[1], TREES[0], 0)
    assert agree(court).lines == 1


def test_of_two_measurements_both_take_the_larger() -> None:
    court = Court()
    court.review(tree=TREES[1])
    court.delta(TREES[1], TREES[0], 5)
    court.delta(TREES[1], TREES[0], 500, who="carla")
    assert agree(court).lines == 500


def test_changed_binary_files_bridge_nothing_on_both() -> None:
    court = Court()
    court.review(tree=TREES[1])
    court.delta(TREES[1], TREES[0], 5, binary_changed=1, binary_bytes=9)
    assert not agree(court).bearing


Edge = st.tuples(st.sampled_from(TREES), st.sampled_from(TREES), st.integers(0, 9), st.sampled_from("dDr"))


@given(st.lists(Edge, max_size=9), st.lists(st.sampled_from(TREES), max_size=2))
def test_on_any_graph(edges: list[tuple[str, str, int, str]], full: list[str]) -> None:
    court = Court()
    for target, base, lines, kind in edges:
        if kind == "r":
            court.review(tree=target, base=base)
        else:
            court.delta(base, target, lines, who="rita" if kind == "d" else "carla")
    for tree in full:
        court.review("carla", tree=tree)
    agree(court)
