"""A checkpoint states one size and one root of one log, signed by that log."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from pellucid.tlog.errors import (
    BadSignatureError,
    CheckpointError,
    KeyRoleError,
    MalformedNoteError,
    OriginError,
    UnsignedNoteError,
)
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.note import Note, NoteSigner

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
TEXT = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"


def test_the_example_of_the_spec_reads() -> None:
    checkpoint = Checkpoint.parse(TEXT)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root[:2]) == (
        "example.com/behind-the-sofa",
        20852163,
        b"\x0a\xc5",
    )
    assert checkpoint.text == TEXT


def test_extension_lines_are_kept() -> None:
    checkpoint = Checkpoint.parse(f"{TEXT}extension one\nextension two\n")
    assert checkpoint.extensions == ("extension one", "extension two")
    assert checkpoint.text == f"{TEXT}extension one\nextension two\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n\n{ROOT}\n",
        "origin\n1\n\n",
        f"origin\n1\n{ROOT}\n\n",
        f"origin\n1\n{ROOT}\n\nextension\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n1 \n{ROOT}\n",
        f"origin\n9223372036854775808\n{ROOT}\n",
        f"origin\n\u0661\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-1]}\n",
        f"origin\n1\n{ROOT[:-2]}J=\n",
        "origin\n1\nAAAA\n",
        f"origin\n1\n {ROOT}\n",
        f"{'o' * 256}\n1\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.parse(text, where="pack: head")
    assert caught.value.where == "pack: head"


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_every_checkpoint_reads_back(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(checkpoint.text) == checkpoint


def test_an_origin_has_up_to_255_bytes() -> None:
    assert Checkpoint.parse(Checkpoint("o" * 255, 1, EMPTY_ROOT).text).origin == "o" * 255
    with pytest.raises(CheckpointError, match="255 bytes"):
        Checkpoint("\u00f6" * 128, 1, EMPTY_ROOT)


@given(st.text(max_size=80))
def test_any_text_is_a_checkpoint_in_one_way_or_refused(text: str) -> None:
    for candidate in (text, f"origin\n{text}\n{ROOT}\n", f"origin\n1\n{text}\n", TEXT + text):
        with contextlib.suppress(CheckpointError):
            assert Checkpoint.parse(candidate).text == candidate


def test_values_that_are_no_checkpoint() -> None:
    for origin, size, root in (("", 0, EMPTY_ROOT), ("a\nb", 0, EMPTY_ROOT), ("a", -1, EMPTY_ROOT), ("a", 0, b"")):
        with pytest.raises(CheckpointError):
            Checkpoint(origin, size, root)


def test_a_log_signs_and_everyone_can_check(log: NoteSigner) -> None:
    checkpoint = Checkpoint(log.name, 5, EMPTY_ROOT)
    data = sign_checkpoint(checkpoint, log).to_bytes()
    signed = open_checkpoint(data, log.verifier)
    assert signed.checkpoint == checkpoint
    assert signed.to_bytes() == data
    with pytest.raises(BadSignatureError) as caught:
        open_checkpoint(data.replace(b"\n5\n", b"\n6\n"), log.verifier, where="peer")
    assert caught.value.where == "peer"


def test_a_checkpoint_with_an_empty_line_in_its_text_is_refused_although_it_is_signed(log: NoteSigner) -> None:
    note = log.sign_note(f"{log.name}\n5\n{ROOT}\n\n")
    assert note.verify([log.verifier])
    with pytest.raises(CheckpointError, match="non-empty lines"):
        open_checkpoint(note.to_bytes(), log.verifier)


def test_two_empty_lines_before_the_signatures_are_refused(log: NoteSigner, note: Note) -> None:
    text, tail = note.to_bytes().split(b"\n\n")
    with pytest.raises(MalformedNoteError):
        open_checkpoint(text + b"\n\n\n" + tail, log.verifier)


def test_another_logs_checkpoint_is_refused(log: NoteSigner) -> None:
    with pytest.raises(OriginError):
        sign_checkpoint(Checkpoint("other.example/log", 5, EMPTY_ROOT), log)
    forged = log.sign_note(Checkpoint("other.example/log", 5, EMPTY_ROOT).text)
    with pytest.raises(OriginError, match=r"other\.example/log"):
        open_checkpoint(forged.to_bytes(), log.verifier)


def test_only_a_logs_key_signs_checkpoints(log: NoteSigner, asia: NoteSigner, note: Note) -> None:
    with pytest.raises(KeyRoleError):
        sign_checkpoint(Checkpoint(asia.name, 5, EMPTY_ROOT), asia)
    with pytest.raises(KeyRoleError):
        open_checkpoint(note, asia.verifier)
    with pytest.raises(UnsignedNoteError):
        open_checkpoint(Note(note.text, (asia.sign(note.text, timestamp=1),)), log.verifier)
