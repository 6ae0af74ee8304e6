"""What a dishonest maker of packs can do without the others' keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from pellucid.commands.verify import read_rules
from pellucid.statement.canonical import canonical_json
from pellucid.statement.digest import sha256_hex
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.statement.types import RELEASE
from pellucid.tlog.checkpoint import Checkpoint
from pellucid.tlog.merkle import leaf_hash
from pellucid.tlog.note import Note, NoteSignature, Verifier


def changed_byte(data: bytes) -> bytes:
    """Return the bytes with one in the middle changed."""
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def forged_pack(path: Path, file: bytes, policy: Path) -> bytes:
    """Return a pack that speaks for `file`, by a forger who has all keys' names and none of their secrets.

    The release names the file's digest, its log is a tree of the forger's in which it stands, head and proofs fit, and
    each signature bears the true key's id.
    """
    pack: Any = json.loads(path.read_bytes())
    logs = read_rules(policy).keyring.logs
    forger = generate_key(Role.LOG, "forger")
    pack["subject"]["sha256"] = sha256_hex(file)
    for log in pack["logs"]:
        for item in log["statements"]:
            envelope = Envelope.from_json(item["envelope"])
            statement = Statement.parse(envelope.payload)
            if statement.predicate_type == RELEASE:
                false = _false_release(statement, sha256_hex(file), envelope.signatures[0].keyid)
                item |= {"index": 0, "envelope": false.as_json(), "inclusion": []}
                note = _false_head(logs[log["origin"]].verifier, false, forger).to_bytes().decode()
                log |= {"head": note, "checkpoints": [{"note": note, "consistency": []}], "statements": [item]}
                break
    return canonical_json(pack)


def without_statement(data: bytes, statement_id: str) -> bytes:
    """Return a pack from which a statement is gone, and everything that only it needed."""
    pack: Any = json.loads(data)
    kept = [item for log in pack["logs"] for item in log["statements"] if _id(item) != statement_id]
    keys = {signature["keyid"] for item in kept for signature in item["envelope"]["signatures"]}
    for log in pack["logs"]:
        log["statements"] = [item for item in log["statements"] if _id(item) != statement_id]
        sizes = [Checkpoint.parse(Note.parse(c["note"].encode()).text).size for c in log["checkpoints"]]
        needed = {min(size for size in sizes if size > item["index"]) for item in log["statements"]}
        log["checkpoints"] = [c for c, size in zip(log["checkpoints"], sizes, strict=True) if size in needed]
    pack["keys"] = [key for key in pack["keys"] if _key_id(key) in keys]
    return canonical_json(pack)


def _false_release(statement: Statement, sha256: str, keyid: str) -> Envelope:
    """Return the release with the file in place of its first artifact, signed by nobody in the name of the vendor."""
    subjects = (Subject({"sha256": sha256}, statement.subjects[0].name), *statement.subjects[1:])
    false = Statement(subjects, statement.predicate_type, statement.predicate)
    signed = sign_payload(IN_TOTO, false.payload(), generate_key(Role.PARTY, "forger"))
    return Envelope.from_json(
        {**signed.as_json(), "signatures": [{**signed.as_json()["signatures"][0], "keyid": keyid}]}
    )


def _false_head(log: Verifier, entry: Envelope, forger: SecretKey) -> Note:
    text = Checkpoint(log.name, 1, leaf_hash(entry.to_bytes())).text
    return Note(text, (NoteSignature(log.name, log.key_id, forger.sign(text.encode())),))


def _id(item: Any) -> str:
    return Envelope.from_json(item["envelope"]).id


def _key_id(spki: str) -> str:
    return sha256_hex(base64.b64decode(spki))
