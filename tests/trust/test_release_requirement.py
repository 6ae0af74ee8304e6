"""`[require.release]`: one live release for each place, one source tree for each file."""

from __future__ import annotations

from tests.trust.bench_of_judges import BASE, FILE, Court, key_of, policy


def test_the_one_live_release_meets_it(court: Court) -> None:
    release = court.release()
    result = court.ask("release")
    assert (result.met, result.evidence) == (True, (release.id,))


def test_an_unlogged_file_fails_it(court: Court) -> None:
    court.release(file="0" * 64)
    assert "no release of this file is logged" in court.ask("release").why


def test_a_release_by_anyone_else_fails_it(court: Court) -> None:
    for who in ("mallory", "rita", "carla"):
        court.release(who)
    result = court.ask("release")
    assert not result.met
    assert "signed by a vendor that the policy accepts" in result.why


def test_a_second_release_of_the_same_place_fails_it_and_both_are_named(court: Court) -> None:
    first, second = court.release(), court.release(file="e" * 64)
    result = court.ask("release")
    assert not result.met
    assert "2 live releases of a.bin of example 1" in result.why
    assert set(result.evidence) == {first.id, second.id}


def test_a_second_release_that_differs_only_in_its_source_fails_it(court: Court) -> None:
    court.release()
    court.release(tree=BASE)
    assert not court.ask("release").met


def test_another_version_or_name_is_another_place(court: Court) -> None:
    court.release()
    court.release(file="e" * 64, version="2")
    court.release(file="d" * 64, name="b.bin")
    assert court.ask("release").met


def test_a_stranger_cannot_double_a_release(court: Court) -> None:
    court.release()
    court.release("mallory", file="e" * 64)
    assert court.ask("release").met


def test_a_withdrawn_release_is_live_no_more(court: Court) -> None:
    first = court.release()
    court.withdraw("vera", first)
    assert "withdrawn" in court.ask("release").why
    court.release(file=FILE, version="1", previous="0")
    assert court.ask("release").met


def test_only_the_author_withdraws(court: Court) -> None:
    first = court.release()
    court.withdraw("carla", first)
    court.withdraw("mallory", first)
    assert court.ask("release").met


def test_one_file_from_two_source_trees_fails_it(court: Court) -> None:
    court.release()
    court.release(tree=BASE, version="2")
    assert "2 source trees" in court.ask("release").why


def test_a_release_without_source_fails_unless_the_policy_allows_it(court: Court) -> None:
    court.release(tree=None)
    assert "names its source tree" in court.ask("release").why
    assert court.ask("release", source=False).met


def test_the_product_may_be_narrowed(court: Court) -> None:
    court.release()
    assert court.ask("release", product="example").met
    assert "not as other" in court.ask("release", product="other").why


def test_the_vendor_may_be_named(court: Court) -> None:
    court.rules = policy(party=[{"name": "rival", "key": key_of("rolf").public.spki_base64, "roles": ["vendor"]}])
    court.release()
    court.release("rolf", file="e" * 64)
    assert "2 live releases" in court.ask("release").why
    assert court.ask("release", vendor="vera").met
    assert court.ask("release", vendor="rival").why == "this file is released, but not as any product by rival"
