"""`custody` of a policy: a key kept in a way that the verifier refuses speaks for nothing, and still against."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.trust.bench_of_judges import BASE, TREE, Court, key_of, policy

from pellucid.toml_file import TomlError
from pellucid.trust.policy import parse_policy
from pellucid.trust.predicate import Custody, PartyRole


def court_refusing(*accepted: str, **changes: Any) -> Court:
    """Return a court whose policy takes keys of these custodies only, with a release logged."""
    court = Court(policy(custody=list(accepted), **changes))
    court.release()
    return court


@pytest.mark.parametrize(
    ("kept", "accepted", "counts"),
    [
        ("browser", ("file", "token"), False),
        ("browser", ("file", "browser"), True),
        ("token", ("file",), False),
        ("token", ("token",), True),
        ("file", ("token", "browser"), False),
    ],
)
def test_a_review_counts_only_by_a_key_kept_as_the_policy_wants(
    kept: str, accepted: tuple[str, ...], counts: bool
) -> None:
    court = court_refusing(*accepted)
    court.party("cyril", "rolf", "accredit", custody=kept)
    court.review("rolf")
    result = court.ask("review")
    assert result.met is counts
    assert ("custody" in result.why) is not counts
    if not counts:
        assert f"its reviewer's key has the custody `{kept}`, which the policy refuses" in result.why


def test_without_a_word_on_custody_every_key_counts(court: Court) -> None:
    court.release()
    court.party("cyril", "rolf", "accredit", custody="browser")
    court.review("rolf")
    assert court.ask("review").met


def test_an_accreditation_that_names_no_custody_means_a_file() -> None:
    court = court_refusing("file")
    court.party("cyril", "rolf", "accredit")
    court.review("rolf")
    assert court.ask("review").met


def test_a_second_accreditation_does_not_wash_a_key() -> None:
    court = court_refusing("file", "token")
    court.party("carla", "rolf", "accredit", custody="browser")
    court.party("cyril", "rolf", "accredit", custody="file")
    court.review("rolf")
    assert "`browser`" in court.ask("review").why


def test_the_end_of_an_accreditation_does_not_wash_a_key() -> None:
    court = court_refusing("file")
    court.party("carla", "rolf", "accredit", custody="browser", expires="2020-01-01T00:00:00Z")
    court.party("cyril", "rolf", "accredit")
    court.review("rolf")
    assert not court.ask("review").met


def test_who_said_it_by_mistake_can_take_it_back() -> None:
    court = court_refusing("file")
    mistake = court.party("carla", "rolf", "accredit", custody="browser")
    court.party("cyril", "rolf", "accredit")
    court.review("rolf")
    assert not court.ask("review").met
    court.withdraw("cyril", mistake)
    assert not court.ask("review").met
    court.withdraw("carla", mistake)
    assert court.ask("review").met


def test_a_stranger_speaks_nobody_out_of_court() -> None:
    court = court_refusing("file")
    court.review("rita")
    court.party("mallory", "rita", "accredit", custody="browser")
    assert court.ask("review").met


def test_whom_the_policy_names_itself_needs_no_word_but_may_give_one() -> None:
    court = court_refusing("file")
    court.review("rita")
    assert court.ask("review").met
    court.party("rita", "rita", "accredit", custody="browser")
    assert "`browser`" in court.ask("review").why


def test_a_fail_is_heard_whatever_the_custody() -> None:
    court = court_refusing("file")
    court.review("rita")
    court.party("cyril", "rolf", "accredit", custody="browser")
    bad = court.review("rolf", result="fail")
    result = court.ask("review")
    assert (result.met, result.evidence) == (False, (bad.id,))


def test_a_measure_by_a_refused_key_bridges_nothing() -> None:
    court = court_refusing("file")
    court.party("cyril", "rolf", "accredit", custody="browser")
    court.review("rita", tree=BASE)
    court.delta(BASE, TREE, 3, "rolf")
    assert not court.ask("review", max_debt_lines=9).met
    court.delta(BASE, TREE, 3, "rita")
    assert court.ask("review", max_debt_lines=9).met


def test_a_measure_by_a_refused_key_still_weighs_where_it_is_worse() -> None:
    court = court_refusing("file")
    court.party("cyril", "rolf", "accredit", custody="browser")
    court.review("rita", tree=BASE)
    court.delta(BASE, TREE, 3, "rita")
    assert court.ask("review", max_debt_lines=9).met
    court.delta(BASE, TREE, 500, "rolf")
    assert not court.ask("review", max_debt_lines=9).met


def test_a_release_by_a_refused_key_is_none_and_says_why() -> None:
    court = Court(policy(custody=["file"]))
    court.release()
    assert court.ask("release").met
    court.party("carla", "vera", "accredit", custody="browser")
    result = court.ask("release")
    assert not result.met
    assert "its vendor's key has the custody `browser`" in result.why


def test_a_second_release_by_a_refused_key_is_still_a_second_release() -> None:
    party = {"name": "rolf", "roles": ["vendor"], "key": key_of("rolf").public.spki_base64}
    court = Court(policy(custody=["file"], party=[party]))
    court.release()
    court.party("carla", "rolf", "accredit", custody="browser")
    court.release("rolf", file="e" * 64)
    assert "2 live releases" in court.ask("release").why


def test_a_refused_accreditor_accredits_nobody() -> None:
    court = court_refusing("file")
    court.party("cyril", "rolf", "accredit")
    court.review("rolf")
    assert court.ask("review").met
    court.party("carla", "cyril", "accredit", custody="browser")
    assert not court.ask("review").met


def test_a_refused_reviewer_is_named_with_its_custody_by_the_authority() -> None:
    court = court_refusing("file")
    court.party("cyril", "rolf", "accredit", custody="browser")
    review = court.review("rolf")
    authority = court.case().authority
    assert authority.refused_author(review, PartyRole.REVIEWER) is Custody.BROWSER
    assert authority.refused_author(review, PartyRole.ASSESSOR) is None
    assert not authority.speakers(review, PartyRole.REVIEWER)
    assert authority.once(review, PartyRole.REVIEWER)


@pytest.mark.parametrize("text", ["[]", '["drawer"]', '"file"', '["file", "file", "token", "browser"]'])
def test_a_custody_that_is_none_is_refused_at_its_line(text: str) -> None:
    data = f"custody = {text}\nquorum = {{witnesses = 0}}\n{_NODE}"
    with pytest.raises(TomlError, match=r"policy\.toml:1:"):
        parse_policy(data.encode())


def test_a_custody_that_is_one_is_read() -> None:
    data = f'custody = ["token"]\nquorum = {{witnesses = 0}}\n{_NODE}'
    assert parse_policy(data.encode()).custody == (Custody.TOKEN,)
    assert msgspec.convert(msgspec.to_builtins(policy()), type(policy())).custody == tuple(Custody)


_NODE = """
[[node]]
name = "log.vendor.example/1"
role = "vendor"
region = "europe"
operator = "Example Vendor"
obtained = "in the test"
key = []
"""
