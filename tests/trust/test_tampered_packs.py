"""A verifier gets a pack from anybody: whatever was changed in it or left out of it is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.trust.world_pack import (
    FILE_SHA256,
    START,
    Json,
    World,
    accreditation,
    as_json,
    judged,
    log_of,
    review,
    secret,
    unmet,
)

from pellucid.source.predicate import Result
from pellucid.statement.canonical import NotJsonError, canonical_json
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.keys import Role, SecretKey
from pellucid.trust.evidence import Clock
from pellucid.trust.verdict import Answer, decide

STRICT = {"witnesses": 3, "mirrors": 3}


def test_the_honest_pack_meets_the_policy(world: World, honest: Json) -> None:
    assert judged(world, honest, **STRICT).answer is Answer.MEETS


def mutations(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every place of a JSON document with everything that can be done to it there."""
    if isinstance(value, dict):
        yield path, "add a field"
        for key, item in value.items():
            yield (*path, key), "leave out"
            yield from mutations(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from (((*path, at), how) for how in ("leave out", "double", *(["swap"] if at else [])))
            yield from mutations(item, (*path, at))
    else:
        hows = ["first", "middle", "last"] if isinstance(value, str) else ["add one"]
        yield from ((path, how) for how in hows)


def mutated(pack: Json, path: tuple[Any, ...], how: str) -> Json:
    found = copy.deepcopy(pack)
    place = found
    for step in path[:-1]:
        place = place[step]
    if how == "add a field":
        (place[path[-1]] if path else place)["extra"] = 1
        return found
    key = path[-1]
    if how == "leave out":
        del place[key]
    elif how == "double":
        place.insert(key, copy.deepcopy(place[key]))
    elif how == "swap":
        place[key - 1], place[key] = place[key], place[key - 1]
    elif how == "add one":
        place[key] += 1
    else:
        text = place[key]
        at = {"first": 0, "middle": len(text) // 2, "last": len(text) - 1}[how]
        place[key] = text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]
    return found


def test_no_change_anywhere_in_a_pack_goes_unnoticed(world: World, honest: Json) -> None:
    """Where each cosignature and each answer is needed, nothing can be changed, doubled, moved or left out.

    The one thing that may be left out is a key that the policy holds or an accreditation in the pack carries.
    """
    tried, noticed, harmless = 0, 0, set()
    for path, how in mutations(honest):
        tried += 1
        if judged(world, mutated(honest, path, how), **STRICT).answer is Answer.FAILS:
            noticed += 1
        else:
            harmless.add((path[0], how))
    assert harmless == {("keys", "leave out")}
    assert noticed == tried - len(honest["keys"])
    assert tried > 400


def test_leaving_out_keys_changes_nothing_in_the_verdict(world: World, honest: Json) -> None:
    assert judged(world, {**honest, "keys": []}).as_json() == judged(world, honest).as_json()


@pytest.mark.parametrize("data", [b"", b"{", b"\x00\xff", b"not a pack"])
def test_what_is_not_json_is_unusable_input(world: World, data: bytes) -> None:
    with pytest.raises(NotJsonError) as found:
        world.decide(data)
    assert found.value.exit_code == 2


def test_damage_inside_a_pack_is_evidence_that_fails_not_unusable_input(world: World, honest: Json) -> None:
    """A completeness answer whose payload is no JSON any more stands in a pack that is JSON: exit 1, not 2."""
    changed = copy.deepcopy(honest)
    changed["completeness"][0]["payload"] = "bm90IGpzb24="
    assert list(unmet(judged(world, changed))) == ["evidence"]


@pytest.mark.parametrize("data", [b"null", b"[]", b"7", b'"a"', b"{}"])
def test_json_that_is_no_pack_fails(world: World, data: bytes) -> None:
    assert list(unmet(world.decide(data))) == ["evidence"]


def test_another_spelling_of_the_same_pack_fails(world: World, honest: Json) -> None:
    verdict = world.decide(json.dumps(honest, indent=1).encode())
    assert "canonical" in unmet(verdict)["evidence"]


def test_a_pack_about_another_file_fails(world: World, honest: Json) -> None:
    data = canonical_json(honest)
    verdict = world.decide(data, sha256="00" * 32)
    assert "the pack is about" in unmet(verdict)["evidence"]


def worlds_with_a_bad_review(*keys: SecretKey) -> tuple[World, Envelope]:
    world = World()
    bad = world.log(world.nodes["europe"], review(Result.FAIL), *keys)
    return world, bad


def test_a_withheld_bad_review_is_named_by_the_mirrors() -> None:
    world, bad = worlds_with_a_bad_review(secret(Role.PARTY, "europe"))
    assert "fail" in unmet(world.decide(world.pack().to_bytes()))["review"]
    found = unmet(world.decide(world.pack(leave_out=[bad.id]).to_bytes()))
    assert list(found) == ["completeness"]
    assert "entry 1 of log.europe.example" in found["completeness"]


def test_answers_to_a_smaller_question_do_not_hide_a_bad_review() -> None:
    """The maker of the pack asks mirrors only about the file, so that none of them names the review of its source."""
    world, bad = worlds_with_a_bad_review(secret(Role.PARTY, "europe"))
    pack = as_json(world.pack(leave_out=[bad.id]))
    small = [f"sha256:{FILE_SHA256}"]
    nodes = list(world.nodes.values())
    answers = [world.answer(log, mirror, small) for log in nodes for mirror in nodes if mirror is not log]
    pack["completeness"] = [answer.as_json() for answer in sorted(answers, key=Envelope.to_bytes)]
    found = unmet(judged(world, pack))
    assert list(found) == ["completeness"]
    assert "fewer than 2 independent mirrors" in found["completeness"]


def test_leaving_a_key_out_does_not_silence_its_holder() -> None:
    """A bad review signed by two: without the accredited one's key, nobody known would have said it."""
    stranger = secret(Role.PARTY, "Stranger Example")
    europe = secret(Role.PARTY, "europe")
    world, _ = worlds_with_a_bad_review(stranger, europe)
    pack = as_json(world.pack())
    log = log_of(pack, "europe")
    log["statements"] = [s for s in log["statements"] if s["index"] == 1]
    log["checkpoints"] = log["checkpoints"][1:]
    pack["keys"] = [stranger.public.spki_base64]
    refs = world.refs(e for node in world.nodes.values() for e in map(Envelope.parse, node.entries))
    refs = (refs | {f"key:{stranger.public.id}"}) - {f"key:{europe.public.id}"}
    nodes = list(world.nodes.values())
    answers = [world.answer(one, mirror, refs) for one in nodes for mirror in nodes if mirror is not one]
    pack["completeness"] = [answer.as_json() for answer in sorted(answers, key=Envelope.to_bytes)]
    assert list(unmet(judged(world, pack))) == ["completeness"]
    assert "fail" in unmet(judged(world, as_json(world.pack())))["review"]


def test_a_quorum_above_the_nodes_is_not_met(world: World, honest: Json) -> None:
    found = unmet(judged(world, honest, witnesses=4))
    assert list(found) == ["cosigned"]
    assert "3 of 4 required" in found["cosigned"]


def test_an_old_head_is_stale_and_a_fresh_one_is_not(world: World, honest: Json) -> None:
    policy = world.policy(max_age="2h")
    data = canonical_json(honest)
    assert world.decide(data, policy=policy, at=START + 3600).answer is Answer.MEETS
    assert "last seen" in unmet(world.decide(data, policy=policy, at=START + 3 * 3600))["cosigned"]


def test_cosignatures_from_the_future_do_not_count(world: World, honest: Json) -> None:
    early = decide(canonical_json(honest), FILE_SHA256, world.rules(), Clock(START - 3600, START - 3600))
    assert "cosigned" in unmet(early)


def test_a_reviewer_nobody_accredits_does_not_count(world: World) -> None:
    other = World()
    other.nodes["asia"].entries[0] = sign_payload(
        IN_TOTO, accreditation(secret(Role.PARTY, "Nobody Example").public), other.secret_of("asia")
    ).to_bytes()
    other.nodes["asia"].notes.clear()
    for size in (1, 2):
        entries = other.nodes["asia"].entries
        other.nodes["asia"].entries = entries[:size]
        other.publish(other.nodes["asia"])
        other.nodes["asia"].entries = entries
    found = unmet(other.decide(other.pack().to_bytes()))
    assert list(found) == ["review"]
    assert "no accepted reviewer" in found["review"]
