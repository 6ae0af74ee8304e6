"""Requests and answers between log and witness have one spelling, and stay small."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tlog.cosignature import cosign
from pellucid.tlog.errors import MalformedNoteError
from pellucid.tlog.note import Note, NoteSigner, encode_base64
from pellucid.tlog.witness_protocol import (
    MAX_ADD_CHECKPOINT,
    AddCheckpoint,
    decode_signatures,
    decode_size,
    encode_signatures,
    encode_size,
)

HASH = encode_base64(bytes(32))
hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=63)


@given(st.integers(0, 2**63 - 1), hashes)
def test_requests_read_back(note: Note, old_size: int, proof: list[bytes]) -> None:
    request = AddCheckpoint(old_size, tuple(proof), note)
    assert AddCheckpoint.parse(request.to_bytes()) == request


def test_a_request_has_up_to_63_proof_lines(note: Note) -> None:
    request = AddCheckpoint(1, (bytes(32),) * 63, note)
    assert AddCheckpoint.parse(request.to_bytes()) == request


def test_a_first_request_has_no_proof(note: Note) -> None:
    assert AddCheckpoint(0, (), note).to_bytes() == b"old 0\n\n" + note.to_bytes()


@pytest.mark.parametrize(
    "head",
    [
        "",
        "\n",
        "old\n",
        "old \n",
        "old 01\n",
        "old -1\n",
        "old +1\n",
        "old 1 \n",
        "old  1\n",
        "Old 1\n",
        " old 1\n",
        "old 9223372036854775808\n",
        "old 1\nold 1\n",
        f"old 1\n{HASH}",
        f"old 1\n{HASH}=\n",
        f"old 1\n {HASH}\n",
        "old 1\nAAAA\n",
        f"old 1\n{HASH[:-2]}B=\n",
        f"old 1\r\n{HASH}\n",
        f"old 1\n{HASH}\n" + f"{HASH}\n" * 63,
        f"{HASH}\nold 1\n",
    ],
)
def test_what_is_no_request_is_refused(note: Note, head: str) -> None:
    with pytest.raises(MalformedNoteError):
        AddCheckpoint.parse(f"{head}\n".encode() + note.to_bytes())


def test_a_request_needs_a_note_after_its_empty_line(note: Note) -> None:
    for body in (b"", b"old 0\n", b"old 0\n\n", b"old 0\n\ntext\n", b"old 0\n\n\n\n" + note.to_bytes()[:-1]):
        with pytest.raises(MalformedNoteError):
            AddCheckpoint.parse(body)
    with pytest.raises(MalformedNoteError, match="bytes"):
        AddCheckpoint.parse(b"old 0\n\n" + b"x" * MAX_ADD_CHECKPOINT)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_request_in_one_way_or_refused(note: Note, data: bytes) -> None:
    for body in (data, b"old 3\n" + data + note.to_bytes()):
        with contextlib.suppress(MalformedNoteError):
            assert AddCheckpoint.parse(body).to_bytes() == body


@given(st.integers(0, 2**63 - 1))
def test_size_answers_read_back(size: int) -> None:
    assert decode_size(encode_size(size)) == size


@pytest.mark.parametrize("body", [b"", b"5", b"5\n\n", b"05\n", b"-5\n", b"five\n", b"5" * 40 + b"\n", b"\xff\n"])
def test_what_is_no_size_answer_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedNoteError):
        decode_size(body)


def test_cosignature_answers_read_back(note: Note, asia: NoteSigner, europe: NoteSigner) -> None:
    lines = [cosign(note, asia, 5), cosign(note, europe, 6)]
    body = encode_signatures(lines)
    assert decode_signatures(body) == lines
    assert decode_signatures(encode_signatures(lines[:1])) == lines[:1]
    assert len(decode_signatures(body * 50)) == 100
    for bad in (b"", b"\n", body[:-1], body + b"\n", b"\n" + body, body * 51, body + note.to_bytes()):
        with pytest.raises(MalformedNoteError):
            decode_signatures(bad)
