"""What vendors, logs, mirrors, thieves and makers of packs may try against a verifier, and that it does not work."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.trust.bench_of_judges import BASE, FILE, NOW, ROOT, TREE, Court, key_of, policy
from tests.trust.world_pack import (
    FILE_SHA256,
    START,
    World,
    payload,
    review,
    secret,
)
from tests.trust.world_pack import NOW as PACKED_NOW
from tests.trust.world_pack import (
    TREE as PACKED_TREE,
)

from pellucid.errors import InputError
from pellucid.release.predicate import RELEASE
from pellucid.source.predicate import DELTA, Delta, Result, Tool, tree_subject
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.intoto import Statement, StatementError
from pellucid.statement.keys import Role
from pellucid.statement.moment import format_time, parse_time
from pellucid.trust.evidence import Clock
from pellucid.trust.requirement import Recomputed
from pellucid.trust.testimony import Testimony as Said
from pellucid.trust.testimony import Window
from pellucid.trust.verdict import Answer, Verdict, decide

DAY = 86_400


def also_signed(court: Court, testimony: Said, who: str, at: int) -> Said:
    """Somebody adds a signature to another's statement and has it logged once more, at the second `at`."""
    key = key_of(who).public.id
    signed = {**{k: testimony.window(k) for k in testimony.signers}, key: Window(0, at)}
    return replaced(court, testimony, signers=testimony.signers | {key}, signed=signed)


def presented(court: Court, testimony: Said, at: int, *, after: int = 0) -> Said:
    """The maker of a pack shows a statement under a later checkpoint than the first that covered it."""
    (place,) = testimony.places
    window = dict.fromkeys(testimony.signers, Window(after, at))
    return replaced(
        court, testimony, places=(msgspec.structs.replace(place, logged_at=at, not_before=after),), signed=window
    )


def replaced(court: Court, testimony: Said, **changes: Any) -> Said:
    found = msgspec.structs.replace(testimony, **changes)
    court.testimonies[court.testimonies.index(testimony)] = found
    return found


def unmet(verdict: Verdict) -> dict[str, str]:
    return {result.name: result.why for result in verdict.results if not result.met}


# Somebody else's signature under a statement


def test_who_adds_a_signature_to_a_bad_review_cannot_withdraw_it(court: Court) -> None:
    court.release()
    court.review("carla")
    bad = also_signed(court, court.review(result="fail"), "vera", NOW - 900)
    court.withdraw("vera", bad)
    assert "`fail`" in court.ask("review").why
    court.withdraw("rita", bad)
    assert court.ask("review").met


def test_who_adds_a_signature_to_a_release_cannot_withdraw_it(court: Court) -> None:
    release = also_signed(court, court.release(), "mallory", NOW - 900)
    court.withdraw("mallory", release)
    assert court.ask("release").met


def test_a_signature_added_after_the_theft_does_not_inherit_the_time_of_the_first(court: Court) -> None:
    """The vendor logs the words of a good review itself; years later it gets hold of the reviewer's revoked key."""
    court.release()
    words = court.review("vera", at=NOW - 1000)
    court.party("carla", "rita", "compromised", at=NOW - 400, since=format_time(NOW - 500))
    also_signed(court, words, "rita", NOW - 100)
    assert "revoked" in court.ask("review").why


def test_a_signature_added_after_the_accreditation_ended_is_too_late(court: Court) -> None:
    court.release()
    court.party("carla", "rolf", "accredit", expires=format_time(NOW - 500))
    also_signed(court, court.review("vera", at=NOW - 1000), "rolf", NOW - 100)
    assert not court.ask("review").met


# Negative statements stay, whatever becomes of their authors


@pytest.mark.parametrize("since", [NOW - 800, NOW - 2000])
def test_revoking_its_author_does_not_silence_a_bad_review(court: Court, since: int) -> None:
    court.release()
    court.review("carla")
    court.review("rita", result="fail", at=NOW - 900)
    court.party("cyril", "rita", "compromised", at=NOW - 700, since=format_time(since))
    assert "`fail`" in court.ask("review").why


def test_taking_the_accreditation_back_does_not_silence_a_bad_review(court: Court) -> None:
    court.release()
    court.review("carla")
    granted = court.party("cyril", "rolf", "accredit", expires=format_time(NOW - 950))
    court.review("rolf", result="fail", at=NOW - 960)
    court.withdraw("cyril", granted)
    assert "`fail`" in court.ask("review").why


def test_showing_a_bad_review_under_a_late_checkpoint_does_not_silence_it(court: Court) -> None:
    court.release()
    court.review("carla")
    court.party("cyril", "rolf", "accredit", expires=format_time(NOW - 500))
    presented(court, court.review("rolf", result="fail", at=NOW - 900), NOW - 1)
    assert "`fail`" in court.ask("review").why


def test_a_bad_review_that_was_certainly_logged_after_its_author_lost_the_role_is_a_strangers(court: Court) -> None:
    court.release()
    court.review("carla")
    court.party("cyril", "rolf", "accredit", expires=format_time(NOW - 500))
    presented(court, court.review("rolf", result="fail", at=NOW - 100), NOW - 100, after=NOW - 200)
    assert court.ask("review").met


def test_the_thief_of_a_reviewers_key_cannot_withdraw_a_bad_review(court: Court) -> None:
    court.release()
    court.review("carla")
    bad = court.review("rita", result="fail", at=NOW - 900)
    court.party("carla", "rita", "compromised", at=NOW - 400, since=format_time(NOW - 500))
    court.withdraw("rita", bad, at=NOW - 300)
    assert "`fail`" in court.ask("review").why


def test_a_role_that_stands_second_is_seen_in_a_bad_review_too(court: Court) -> None:
    rules = policy()
    researcher = msgspec.structs.replace(rules.party[0], roles=("researcher",))
    court.rules = msgspec.structs.replace(rules, party=(researcher,))
    court.release()
    court.review("carla")
    court.party("carla", "rita", "accredit")
    court.review("rita", result="fail")
    assert "`fail`" in court.ask("review").why


def test_a_bad_review_of_the_very_file_counts(court: Court) -> None:
    court.release()
    court.review()
    bad = court.review("carla", of="update", result="fail", file=FILE)
    result = court.ask("review")
    assert (result.met, result.evidence) == (False, (bad.id,))


def test_a_way_through_a_tree_that_somebody_failed_is_no_way(court: Court) -> None:
    """The tree in between was read and failed; a small change later nobody has read it again."""
    court.release()
    court.review("carla", tree=ROOT)
    court.delta(ROOT, BASE, 5)
    court.delta(BASE, TREE, 5)
    assert court.ask("review", max_debt_lines=10).met
    court.review("cyril", tree=BASE, result="fail")
    assert "`fail`" in court.ask("review", max_debt_lines=10).why


# Time


def test_a_retired_key_cannot_be_used_while_its_end_is_shown_late(court: Court) -> None:
    court.release()
    court.review("rita", at=NOW - 500)
    end = court.party("rita", "rita", "retire", at=NOW - 600, since=format_time(NOW - 601))
    presented(court, end, NOW - 1)
    assert "revoked" in court.ask("review").why


def test_what_may_be_later_than_the_moment_counts_only_against_the_file(court: Court) -> None:
    court.release()
    presented(court, court.review(), NOW + 1)
    assert not court.ask("review").met
    court.review("carla")
    assert court.ask("review").met
    presented(court, court.review("cyril", result="fail"), NOW + 1)
    assert "`fail`" in court.ask("review").why


def test_a_second_release_shown_late_is_still_a_second_release(court: Court) -> None:
    vendor = policy().node[0]
    until = msgspec.structs.replace(vendor.key[0], until=format_time(NOW - 500))
    rules = policy()
    court.rules = msgspec.structs.replace(rules, node=(msgspec.structs.replace(vendor, key=(until,)), *rules.node[1:]))
    court.release()
    other = court.release(file="e" * 64)
    presented(court, other, NOW - 1)
    assert "2 live releases" in court.ask("release").why


@pytest.mark.parametrize("late", ["2026-02-31T00:00:00Z", "0000-01-01T00:00:00Z"])
def test_a_time_that_never_was_is_refused_where_it_stands(court: Court, late: str) -> None:
    with pytest.raises(StatementError, match="not a time"):
        court.review(expires=late)
    with pytest.raises(StatementError, match="not a time"):
        court.party("carla", "rolf", "accredit", expires=late)
    with pytest.raises(StatementError, match="not a time"):
        court.party("carla", "rolf", "compromised", since=late)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "1960-01-01"])
def test_a_time_that_nobody_could_print_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a time"):
        parse_time(text)


# Debt


def test_a_changed_binary_is_not_nothing(court: Court) -> None:
    """A NUL byte in a comment makes a source file binary: it has no lines, and must not thereby be read."""
    court.release()
    court.review(tree=BASE)
    court.delta(BASE, TREE, 0, binary_changed=1, binary_bytes=9000)
    result = court.ask("review", max_debt_lines=1000)
    assert not result.met
    assert "binary" in result.why
    assert court.ask("review", max_debt_lines=1000, max_debt_binaries=1).met


def test_a_change_without_lines_is_a_change(court: Court) -> None:
    court.release()
    court.review(tree=BASE)
    court.delta(BASE, TREE, 0)
    assert not court.ask("review").met
    assert court.ask("review", max_debt_lines=1).met


def test_of_two_measurements_of_one_change_the_larger_counts(court: Court) -> None:
    court.release()
    court.review(tree=BASE)
    court.delta(BASE, TREE, 500, who="carla")
    court.delta(BASE, TREE, 1, who="cyril")
    assert not court.ask("review", max_debt_lines=100).met
    assert court.ask("review", max_debt_lines=500).met


def test_what_was_left_out_was_not_read_unless_the_policy_says_so(court: Court) -> None:
    court.release()
    court.review(exclusions=[{"sha256": "0" * 64, "lines": 90_000}])
    assert "leaves out 90000 lines" in court.ask("review").why
    assert court.ask("review", max_excluded_lines=90_000).met


def test_a_debt_bound_without_any_review_is_no_error(court: Court) -> None:
    court.release()
    assert court.ask("review", count=0, max_debt_days=5).met


def test_a_strangers_delta_does_not_contradict_anybody(court: Court) -> None:
    court.release()
    measured = Delta(
        base=BASE, files_added=0, files_removed=0, files_changed=1, lines_added=4, lines_removed=0,
        tool=Tool(name="own", version="2"),
    )  # fmt: skip
    own = Recomputed(frozenset({TREE, BASE}), {(BASE, TREE): measured})
    court.delta(BASE, TREE, 1, who="mallory")
    assert court.ask("source", own).met
    court.delta(BASE, TREE, 1)
    assert not court.ask("source", own).met


# One voice counted twice


def test_a_node_with_two_party_keys_is_one_reviewer(court: Court) -> None:
    rules = policy()
    carla = rules.node[1]
    second = msgspec.structs.replace(carla.key[0], key=key_of("mallory").public.spki_base64)
    court.rules = msgspec.structs.replace(
        rules, node=(rules.node[0], msgspec.structs.replace(carla, key=(*carla.key, second)), rules.node[2])
    )
    court.release()
    court.review("carla")
    court.review("mallory")
    assert "1 of 2 reviewers" in court.ask("review", count=2).why


# Whole packs


def with_keys(world: World, use: str, name: str, *lines: str) -> str:
    """Return the world's policy with more words in one key's table."""
    signer = {"log": Role.LOG}.get(use)
    node = world.nodes[name]
    key = node.signer(signer).vkey if signer else node.secret(Role(use)).public.spki_base64
    text = world.policy(witnesses=3, mirrors=3)
    assert f'key = "{key}"' in text
    return text.replace(f'key = "{key}"', "\n".join([f'key = "{key}"', *lines]))


@pytest.mark.parametrize(
    ("use", "unmet_name"), [("log", "cosigned"), ("lookup", "completeness"), ("witness", "cosigned")]
)
@pytest.mark.parametrize("line", ['until = "2020-01-01"', 'from = "2090-01-01"'])
def test_a_key_outside_its_validity_is_not_believed(use: str, unmet_name: str, line: str) -> None:
    world = World()
    if use == "witness":
        key = world.nodes["asia"].signer(Role.WITNESS).vkey
        text = world.policy(witnesses=3, mirrors=3).replace(f'key = "{key}"', f'key = "{key}"\n{line}')
    else:
        text = with_keys(world, use, "asia", line)
    assert list(unmet(world.decide(world.pack().to_bytes(), policy=text))) == [unmet_name]
    assert world.decide(world.pack().to_bytes(), policy=with_keys(world, "log", "asia")).answer is Answer.MEETS


def test_a_past_moment_does_not_hide_a_bad_review_shown_late() -> None:
    """The maker of the pack took the early cosignatures off the checkpoint that first covered it."""
    world = World()
    world.log(world.nodes["europe"], review(Result.FAIL), secret(Role.PARTY, "europe"))
    moment = Clock(world.clock + DAY, world.clock + 3 * DAY)
    world.clock += 2 * DAY
    world.publish(world.nodes["europe"])
    found = decide(world.pack().to_bytes(), FILE_SHA256, world.rules(), moment)
    assert "fail" in unmet(found)["review"]


def test_a_bad_review_after_the_moment_is_left_out_where_that_is_certain() -> None:
    """Its log was seen without it after the moment: the release of the file stood unopposed then."""
    world = World()
    asia = world.nodes["asia"]
    at = world.clock + 30
    world.clock += DAY
    world.log(asia, payload([tree_subject(PACKED_TREE)], DELTA, Delta(
        base=BASE, files_added=0, files_removed=0, files_changed=1, lines_added=4, lines_removed=0,
        tool=Tool(name="own", version="2"))), world.reviewer)  # fmt: skip
    world.log(asia, review(Result.FAIL), world.reviewer)
    data = world.pack().to_bytes()
    now = world.clock + 60
    assert decide(data, FILE_SHA256, world.rules(), Clock(at, now)).answer is Answer.MEETS
    assert "fail" in unmet(decide(data, FILE_SHA256, world.rules(), Clock(now, now)))["review"]


def test_a_statement_of_a_kind_from_the_future_is_said_not_to_be_understood() -> None:
    world = World()
    before = world.decide(world.pack().to_bytes())
    statement = Statement((tree_subject(PACKED_TREE),), RELEASE.uri.replace("v1", "v2"), {"result": "fail"})
    world.log(world.nodes["asia"], statement.payload(), world.reviewer)
    after = world.decide(world.pack().to_bytes())
    assert not any("does not know" in text for text in before.not_proven)
    assert any("does not know" in text for text in after.not_proven)


def test_without_a_quorum_nothing_is_said_about_freshness() -> None:
    world = World()
    found = world.decide(world.pack().to_bytes(), policy=world.policy(witnesses=0), at=PACKED_NOW + 900 * DAY)
    assert any("newest" in text for text in found.not_proven)
    assert not any("newest" in text for text in world.decide(world.pack().to_bytes()).not_proven)


def test_a_file_whose_bytes_are_a_statements_is_not_that_statement() -> None:
    """A release of the bytes that a review's id is the digest of neither withdraws it nor is withdrawn with it."""
    court = Court()
    court.release()
    bad = court.review(result="fail")
    court.release(file=bad.id, version="2", name="b.bin")
    assert "`fail`" in court.ask("review").why
    envelope = sign_payload(IN_TOTO, bad.parsed.statement.payload(), key_of("vera"))
    assert envelope.id == bad.id
    assert START < PACKED_NOW


def test_a_policy_that_asks_for_little_still_sees_a_second_release_and_a_bad_review() -> None:
    """Whoever asks only for a review sees a doubled release, whoever asks only for a release a `fail`."""
    world = World()
    only_review = world.policy().replace("[require.release]\n", "")
    only_release = world.policy().replace("[require.review]\ncount = 1\n", "")
    assert "[require.release]" not in only_review
    assert "[require.review]" not in only_release
    for asked in (only_review, only_release):
        assert world.decide(world.pack().to_bytes(), policy=asked).answer is Answer.MEETS
    world.log(world.nodes["europe"], review(Result.FAIL), secret(Role.PARTY, "europe"))
    assert "fail" in unmet(world.decide(world.pack().to_bytes(), policy=only_release))["review"]
    second = world.release_statement(digest="e" * 64)
    world.log(world.vendor, second, world.vendor.secret(Role.PARTY))
    assert "release" in unmet(world.decide(world.pack().to_bytes(), policy=only_review))
