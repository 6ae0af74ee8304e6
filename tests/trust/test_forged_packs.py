"""A verifier gets a pack from anybody: whatever was forged for it is found, each for its own reason."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable

import msgspec
import pytest
from tests.trust.world_pack import NOW, Json, World, WorldNode, judged, log_of, packed_log, review, secret, unmet

from pellucid.source.predicate import Result
from pellucid.statement.canonical import canonical_json
from pellucid.statement.commitment import commit
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.keys import Role, SecretKey
from pellucid.tlog.checkpoint import sign_checkpoint
from pellucid.tlog.cosignature import cosign
from pellucid.trust.verdict import Answer

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
