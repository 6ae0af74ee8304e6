"""`[require.review]`: who counts, what does not, and how far unread changes may go."""

from __future__ import annotations

from typing import Any

import pytest
from tests.trust.bench_of_judges import BASE, NOW, ROOT, TREE, Court

from pellucid.source.predicate import Delta, Tool
from pellucid.trust.requirement import Recomputed


@pytest.fixture(autouse=True)
def released(court: Court) -> None:
    court.release()


def test_a_full_review_of_the_tree_meets_it(court: Court) -> None:
    review = court.review()
    result = court.ask("review")
    assert result.met
    assert result.evidence == (review.id,)
    assert "nothing unread" in result.why


def test_without_a_review_it_fails(court: Court) -> None:
    assert "nobody read this source tree" in court.ask("review").why


def test_a_review_of_another_tree_does_not_count(court: Court) -> None:
    court.review(tree=BASE)
    assert not court.ask("review").met


@pytest.mark.parametrize(
    ("changes", "settings", "why"),
    [
        ({"expires": "2020-01-01T00:00:00Z"}, {}, "expired on 2020-01-01"),
        ({"paid_by": "vendor"}, {"not_paid_by": ["vendor"]}, "paid by the vendor"),
        ({"independence": "employee"}, {"independence": ["independent", "customer"]}, "independence is `employee`"),
        ({"criteria": ["style"]}, {"criteria": ["no-hidden-channel"]}, "does not speak to no-hidden-channel"),
        ({"exclusions": [{"sha256": "0" * 64, "lines": 9}]}, {"max_excluded_lines": 8}, "leaves out 9 lines"),
        ({"result": "fail"}, {}, "`fail`"),
    ],
)
def test_a_review_that_the_policy_does_not_want(
    court: Court, changes: dict[str, Any], settings: dict[str, Any], why: str
) -> None:
    court.review(**changes)
    result = court.ask("review", **settings)
    assert not result.met
    assert why in result.why


def test_by_a_stranger_or_the_vendor_it_does_not_count(court: Court) -> None:
    court.review("mallory")
    court.review("vera")
    assert "no accepted reviewer" in court.ask("review").why


def test_an_accredited_reviewer_counts_from_a_named_accreditor_only(court: Court) -> None:
    court.review("rolf")
    assert not court.ask("review").met
    court.party("mallory", "rolf", "accredit")
    court.party("rita", "rolf", "accredit")
    assert not court.ask("review").met
    court.party("cyril", "rolf", "accredit")
    assert court.ask("review").met


def test_an_accreditation_that_expired_or_was_withdrawn_grants_nothing(court: Court) -> None:
    court.review("rolf", at=NOW - 5)
    court.party("carla", "rolf", "accredit", expires="2020-01-01T00:00:00Z")
    assert not court.ask("review").met
    taken_back = court.party("cyril", "rolf", "accredit")
    assert court.ask("review").met
    court.withdraw("cyril", taken_back)
    assert not court.ask("review").met


def test_nobody_accredits_a_vendor(court: Court) -> None:
    court.party("carla", "mallory", "accredit", roles=["vendor", "reviewer"])
    court.release("mallory", file="e" * 64)
    assert court.ask("release").met


def test_retiring_a_key_spares_what_was_logged_before(court: Court) -> None:
    court.review(at=NOW - 500)
    court.party("rita", "rita", "retire", at=NOW - 400)
    assert court.ask("review").met
    court.testimonies.clear()
    court.release()
    court.party("rita", "rita", "retire", at=NOW - 600)
    court.review(at=NOW - 500)
    assert "revoked" in court.ask("review").why


def test_a_compromised_key_voids_what_was_logged_after(court: Court) -> None:
    court.review(at=NOW - 500)
    court.party("carla", "rita", "compromised", at=NOW - 1, since="2027-01-15T07:00:00Z")
    assert "revoked" in court.ask("review").why


def test_a_stranger_revokes_nobody(court: Court) -> None:
    court.review(at=NOW - 500)
    for who in ("mallory", "vera", "rolf"):
        court.party(who, "rita", "compromised", since="2001-01-01T00:00:00Z")
    assert court.ask("review").met


def test_one_failing_review_weighs_more_than_any_number_of_good_ones(court: Court) -> None:
    court.review()
    court.review("carla")
    bad = court.review("cyril", result="fail", expires="2020-01-01T00:00:00Z", paid_by="customer")
    result = court.ask("review", not_paid_by=["customer"])
    assert (result.met, result.evidence) == (False, (bad.id,))
    court.withdraw("cyril", bad)
    assert court.ask("review").met


def test_operators_and_regions_are_counted_apart(court: Court) -> None:
    court.review("rita")
    court.review("carla")
    assert court.ask("review", count=2).met
    assert "1 of 2 operators" in court.ask("review", count=2, operators=2).why
    assert "1 of 2 regions" in court.ask("review", regions=2).why
    court.review("cyril")
    assert court.ask("review", count=3, operators=2, regions=2).met


def test_the_same_reviewer_twice_is_one(court: Court) -> None:
    court.review(minutes=1)
    court.review(minutes=2)
    assert "1 of 2 reviewers" in court.ask("review", count=2).why


def test_a_delta_review_counts_on_a_base_that_was_read(court: Court) -> None:
    court.review(base=BASE)
    assert not court.ask("review").met
    court.review(tree=BASE)
    assert court.ask("review").met


def test_a_chain_of_delta_reviews_needs_a_full_review_at_its_end(court: Court) -> None:
    court.review(base=BASE)
    court.review(tree=BASE, base=ROOT)
    assert not court.ask("review").met
    court.review("carla", tree=ROOT)
    assert court.ask("review").met


def test_delta_reviews_in_a_circle_prove_nothing(court: Court) -> None:
    court.review(base=BASE)
    court.review(tree=BASE, base=TREE)
    assert not court.ask("review").met


def test_unread_lines_are_a_debt_that_the_policy_bounds(court: Court) -> None:
    court.review(tree=BASE)
    court.delta(BASE, TREE, 120)
    assert "120 changed lines were read by nobody, the policy allows 100" in court.ask("review", max_debt_lines=100).why
    met = court.ask("review", max_debt_lines=120)
    assert met.met
    assert "120 changed lines unread" in met.why


def test_debts_add_up_and_the_cheapest_way_counts(court: Court) -> None:
    court.review(tree=ROOT)
    court.delta(ROOT, BASE, 50)
    court.delta(BASE, TREE, 60)
    assert not court.ask("review", max_debt_lines=109).met
    assert court.ask("review", max_debt_lines=110).met
    court.delta(ROOT, TREE, 80)
    assert court.ask("review", max_debt_lines=80).met


def test_only_accepted_readers_measure_deltas(court: Court) -> None:
    court.review(tree=BASE)
    court.delta(BASE, TREE, 1, who="vera")
    court.delta(BASE, TREE, 1, who="mallory")
    assert not court.ask("review", max_debt_lines=1000).met


def test_a_debt_grows_old(court: Court) -> None:
    court.review(tree=BASE, at=NOW - 10 * 86_400)
    court.delta(BASE, TREE, 5)
    assert court.ask("review", max_debt_lines=9, max_debt_days=10).met
    assert "10 days old; the policy allows 9" in court.ask("review", max_debt_lines=9, max_debt_days=9).why


def test_own_source_has_to_have_the_tree_that_the_release_names(court: Court) -> None:
    assert court.ask("source", Recomputed(frozenset({TREE}))).met
    assert "another tree id" in court.ask("source", Recomputed(frozenset({BASE}))).why
    assert "--source" in court.ask("source").why


def test_a_delta_with_forged_numbers_fails_when_it_is_recomputed(court: Court) -> None:
    said = court.delta(BASE, TREE, 1)
    real = Delta(base=BASE, files_added=0, files_removed=0, files_changed=1, lines_added=400, lines_removed=0,
                 tool=Tool(name="own", version="2"))  # fmt: skip
    result = court.ask("source", Recomputed(frozenset({TREE, BASE}), {(BASE, TREE): real}))
    assert (result.met, result.evidence) == (False, (said.id,))


def test_no_policy_can_overlook_a_failing_review(court: Court) -> None:
    assert court.ask("review", count=0).met
    bad = court.review("cyril", result="fail")
    assert court.ask("review", count=0).evidence == (bad.id,)
    assert not court.ask("review", count=0).met


def test_a_failing_review_of_a_file_without_source_is_seen_too(court: Court) -> None:
    court.testimonies.clear()
    court.release(tree=None)
    assert court.ask("review", count=0).met
    assert "names the source tree" in court.ask("review").why
