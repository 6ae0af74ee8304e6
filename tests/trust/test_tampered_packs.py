"""A verifier gets a pack from anybody: whatever was changed in it, left out of it or forged for it, is found."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from tests.trust.world_pack import (
    FILE_SHA256,
    NOW,
    START,
    World,
    WorldNode,
    accreditation,
    as_json,
    packed_log,
    review,
    secret,
)

from pellucid.source.predicate import Result
from pellucid.statement.canonical import NotJsonError, canonical_json
from pellucid.statement.commitment import commit
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.keys import Role, SecretKey
from pellucid.tlog.checkpoint import sign_checkpoint
from pellucid.tlog.cosignature import cosign
from pellucid.trust.evidence import Clock
from pellucid.trust.verdict import Answer, Verdict, decide

Json = Any
STRICT = {"witnesses": 3, "mirrors": 3}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def honest(world: World) -> Json:
    return as_json(world.pack())


def judged(world: World, pack: Json, **policy: Any) -> Verdict:
    return world.decide(canonical_json(pack), policy=world.policy(**policy))


def unmet(verdict: Verdict) -> dict[str, str]:
    return {result.name: result.why for result in verdict.results if not result.met}


def log_of(pack: Json, name: str) -> Json:
    return next(log for log in pack["logs"] if log["origin"] == f"log.{name}.example")


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


Forgery = Callable[[World, Json], None]


def forge_review(world: World, pack: Json) -> None:
    """Say `pass` with a better criterion: a review signed by the forger under the reviewer's key id."""
    forger = secret(Role.PARTY, "Mallory Example")
    false = sign_payload(IN_TOTO, review(Result.PASS, criteria="everything"), forger)
    statement = log_of(pack, "asia")["statements"][1]
    statement["envelope"] = false.as_json()
    statement["envelope"]["signatures"][0]["keyid"] = world.reviewer.public.id
    pack["keys"] = sorted([*pack["keys"], forger.public.spki_base64])


def rebuild_with_false_root(world: World, pack: Json) -> None:
    """Put the false review in a tree of its own, with proofs and checkpoints that fit, signed by a key of that name."""
    forged_log(world, pack, secret(Role.LOG, "forged"), cosigned=False)


def rebuild_with_true_log_key(world: World, pack: Json) -> None:
    """The same by the operator of the log, whose key is the true one, without the others."""
    forged_log(world, pack, world.nodes["asia"].signer(Role.LOG).key, cosigned=False)


def forged_log(world: World, pack: Json, key: SecretKey, *, cosigned: bool) -> None:
    asia = world.nodes["asia"]
    false = WorldNode("asia", "center", entries=list(asia.entries))
    false.entries[1] = sign_payload(IN_TOTO, review(Result.PASS, criteria="everything"), world.reviewer).to_bytes()
    signer = asia.signer(Role.LOG)
    signer = type(signer)(signer.name, signer.kind, key)
    for size in (1, 2):
        note = sign_checkpoint(false.checkpoint(size), signer)
        others = [node for node in world.nodes.values() if node is not asia] if cosigned else []
        false.notes[size] = note.with_signatures([cosign(note, n.signer(Role.WITNESS), NOW) for n in others])
    place = next(at for at, log in enumerate(pack["logs"]) if log["origin"] == asia.origin)
    chosen = [(i, Envelope.parse(entry)) for i, entry in enumerate(false.entries)]
    pack["logs"][place] = json.loads(msgspec.json.encode(packed_log(false, chosen)))


def answer_by_a_stranger(world: World, pack: Json) -> None:
    """A completeness answer signed by a key that is no look-up key."""
    replace_answer(world, pack, world.nodes["europe"].secret(Role.NODE))


def answer_under_a_false_name(world: World, pack: Json) -> None:
    """The same, claiming the look-up key of a mirror."""
    replace_answer(world, pack, secret(Role.LOOKUP, "forged"), world.nodes["europe"].secret(Role.LOOKUP).public.id)


def replace_answer(world: World, pack: Json, key: SecretKey, claim: str | None = None) -> None:
    first = Envelope.from_json(pack["completeness"][0])
    false = sign_payload(IN_TOTO, first.payload, key).as_json()
    changed: Json = {**false, "signatures": [{**false["signatures"][0]}]}
    changed["signatures"][0]["keyid"] = claim or key.public.id
    pack["completeness"][0] = changed
    pack["completeness"].sort(key=canonical_json)


def older_head(world: World, pack: Json) -> None:
    """Show the log as it was before the review, with answers that speak of the newer tree."""
    asia = log_of(pack, "asia")
    asia["head"] = asia["checkpoints"][0]["note"]
    asia["checkpoints"] = [{"note": asia["head"], "consistency": []}]
    asia["statements"] = asia["statements"][:1]
    pack["keys"].remove(world.reviewer.public.spki_base64)


def head_of_another_log(world: World, pack: Json) -> None:
    log_of(pack, "asia")["head"] = log_of(pack, "europe")["head"]


def other_logs_statement(world: World, pack: Json) -> None:
    """Show a statement of one log, proof and all, under another."""
    log_of(pack, "europe")["statements"].insert(0, log_of(pack, "asia")["statements"][0])


def swapped_proofs(world: World, pack: Json) -> None:
    first, second = log_of(pack, "asia")["statements"]
    first["inclusion"], second["inclusion"] = second["inclusion"], first["inclusion"]


def another_index(world: World, pack: Json) -> None:
    log_of(pack, "europe")["statements"] = []
    first, second = log_of(pack, "asia")["statements"]
    first["index"], second["index"] = 1, 2


def statement_twice(world: World, pack: Json) -> None:
    """Count one review twice, by a second entry with its own index."""
    statements = log_of(pack, "asia")["statements"]
    statements.append({**statements[1], "index": 2})


def log_left_out(world: World, pack: Json) -> None:
    pack["logs"] = [log for log in pack["logs"] if log["origin"] != "log.europe.example"]


def log_of_a_stranger(world: World, pack: Json) -> None:
    pack["logs"].append({**log_of(pack, "europe"), "origin": "log.zebra.example"})


def cosignatures_of_another_size(world: World, pack: Json) -> None:
    """Put the cosignatures of one checkpoint under another."""
    asia = log_of(pack, "asia")
    text, _, _ = asia["head"].rpartition("\n\n")
    _, _, lines = asia["checkpoints"][0]["note"].rpartition("\n\n")
    own = asia["head"].rpartition("\n\n")[2].splitlines()[0]
    asia["head"] = f"{text}\n\n{own}\n" + "\n".join(lines.splitlines()[1:]) + "\n"


def one_cosignature_twice(world: World, pack: Json) -> None:
    asia = log_of(pack, "asia")
    asia["head"] += asia["head"].splitlines()[-1] + "\n"


def text_of_what_is_not_proven(world: World, pack: Json) -> None:
    pack["not_proven"] = ["nothing"]


def opening_of_nothing(world: World, pack: Json) -> None:
    pack["openings"] = [msgspec.to_builtins(commit({"name": "Rita Example"})[1])]


FORGERIES: dict[Forgery, tuple[str, str]] = {
    forge_review: ("evidence", "not in the log"),
    rebuild_with_false_root: ("evidence", "signature by log.asia.example is wrong|not signed by a known key"),
    rebuild_with_true_log_key: ("evidence", "another tree than the head"),
    answer_by_a_stranger: ("evidence", "no look-up key of the policy signed it"),
    answer_under_a_false_name: ("evidence", "no look-up key of the policy signed it"),
    older_head: ("evidence", "another tree than the head"),
    head_of_another_log: ("evidence", "not of 'log.asia.example'"),
    other_logs_statement: ("evidence", "covers it|not in the log|not in order"),
    swapped_proofs: ("evidence", "not in the log"),
    another_index: ("evidence", "not in the log|covers it"),
    statement_twice: ("evidence", "no checkpoint of the pack covers it"),
    log_left_out: ("evidence", "log.europe.example"),
    log_of_a_stranger: ("evidence", "which the policy does not name"),
    cosignatures_of_another_size: ("evidence", "signature by .* is wrong"),
    one_cosignature_twice: ("evidence", "signed the note twice"),
    text_of_what_is_not_proven: ("evidence", "not proven"),
    opening_of_nothing: ("evidence", "no statement in the pack makes this commitment"),
}


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: str(forgery.__name__))
def test_a_forged_pack_fails_for_its_own_reason(world: World, honest: Json, forgery: Forgery) -> None:
    pack = copy.deepcopy(honest)
    forgery(world, pack)
    name, why = FORGERIES[forgery]
    found = unmet(judged(world, pack))
    assert list(found) == [name]
    assert re.search(why, found[name])


def test_a_log_that_rewrites_itself_alone_lacks_the_others(world: World, honest: Json) -> None:
    """The operator forges its whole log with its true key, with nobody's answers in the pack: nobody saw it."""
    pack = copy.deepcopy(honest)
    rebuild_with_true_log_key(world, pack)
    pack["completeness"] = []
    assert set(unmet(judged(world, pack))) == {"cosigned", "completeness"}


def test_collusion_of_everybody_is_not_found_and_is_said_to_be_so(world: World, honest: Json) -> None:
    """The negative control of the forgeries: with all witnesses in it, the pack holds; that is what a quorum is."""
    pack = copy.deepcopy(honest)
    forged_log(world, pack, world.nodes["asia"].signer(Role.LOG).key, cosigned=True)
    pack["completeness"] = []
    verdict = judged(world, pack, mirrors=0)
    assert verdict.answer is Answer.MEETS
    assert verdict.tolerates[1] == 0


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
