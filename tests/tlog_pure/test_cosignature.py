"""A cosignature says who saw a checkpoint and when, and cannot be moved to another one or another time."""

from __future__ import annotations

import pytest

from pellucid.statement.keys import Role, generate_key
from pellucid.tlog.cosignature import Cosignature, cosign, cosignatures
from pellucid.tlog.errors import BadSignatureError, CheckpointError, KeyRoleError
from pellucid.tlog.note import Note, NoteSignature, NoteSigner, SignatureKind, cosigned_message

TIME = 1_700_000_000


def test_the_signed_message_is_that_of_the_spec() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosigned_message(text, 1679315147) == f"cosignature/v1\ntime 1679315147\n{text}".encode()


def test_a_cosignature_is_76_bytes_and_carries_its_time(note: Note, asia: NoteSigner) -> None:
    line = cosign(note, asia, TIME)
    assert len(line.key_id + line.signature) == 76
    assert int.from_bytes(line.signature[:8], "big") == TIME
    assert asia.key.public.verify(line.signature[8:], cosigned_message(note.text, TIME))


def test_known_cosigners_are_found_and_others_ignored(
    note: Note, asia: NoteSigner, europe: NoteSigner, mirror: NoteSigner
) -> None:
    lines = [cosign(note, asia, TIME), cosign(note, europe, TIME + 1), cosign(note, mirror, TIME + 2)]
    cosigned = Note.parse(note.with_signatures(lines).to_bytes())
    found = cosignatures(cosigned, [mirror.verifier, asia.verifier])
    assert found == [Cosignature(asia.verifier, TIME), Cosignature(mirror.verifier, TIME + 2)]
    assert cosignatures(note, [asia.verifier]) == []


@pytest.mark.parametrize("change", ["time", "signature", "text", "short", "long", "empty"])
def test_a_changed_cosignature_condemns_the_note(note: Note, asia: NoteSigner, log: NoteSigner, change: str) -> None:
    line = cosign(note, asia, TIME)
    signature, text = line.signature, note.text
    if change == "time":
        signature = (TIME + 1).to_bytes(8, "big") + signature[8:]
    elif change == "signature":
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    elif change == "text":
        text = text.replace("\n70\n", "\n71\n")
    elif change == "short":
        signature = signature[:-1]
    elif change == "long":
        signature += b"\0"
    else:
        signature = b"\1"
    forged = Note(text, (NoteSignature(line.name, line.key_id, signature),))
    with pytest.raises(BadSignatureError, match=asia.name):
        cosignatures(forged, [asia.verifier])


@pytest.mark.parametrize("time", [0, 2**63, 2**64 - 1])
def test_a_cosignature_without_a_usable_time_is_refused(note: Note, asia: NoteSigner, time: int) -> None:
    with pytest.raises(ValueError, match="time"):
        cosign(note, asia, time)
    raw = time.to_bytes(8, "big") + asia.key.sign(cosigned_message(note.text, time))
    forged = Note(note.text, (NoteSignature(asia.name, asia.verifier.key_id, raw),))
    with pytest.raises(BadSignatureError, match="no usable time"):
        cosignatures(forged, [asia.verifier])


def test_the_last_time_there_is(note: Note, asia: NoteSigner) -> None:
    cosigned = note.with_signatures([cosign(note, asia, 2**63 - 1)])
    assert cosignatures(cosigned, [asia.verifier]) == [Cosignature(asia.verifier, 2**63 - 1)]


def test_only_checkpoints_are_cosigned_and_only_by_cosigners(note: Note, asia: NoteSigner, log: NoteSigner) -> None:
    with pytest.raises(CheckpointError):
        cosign(log.sign_note("just a note\n"), asia, TIME)
    with pytest.raises(KeyRoleError):
        cosign(note, log, TIME)
    with pytest.raises(KeyRoleError):
        cosignatures(note, [log.verifier])
    with pytest.raises(ValueError, match="no time"):
        log.sign(note.text, timestamp=TIME)
    with pytest.raises(ValueError, match="needs a time"):
        asia.sign(note.text)


def test_a_cosignature_does_not_pass_for_a_logs_signature(note: Note) -> None:
    key = generate_key(Role.WITNESS, "w")
    witness = NoteSigner("w.example", SignatureKind.COSIGNATURE, key)
    line = cosign(note, witness, TIME)
    assert not key.public.verify(line.signature[8:], note.text.encode())
