"""Envelopes: other people's libraries read ours, and nothing but an envelope is read as one."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_toto.exceptions import SignatureVerificationError
from in_toto.models.metadata import Envelope as InTotoEnvelope
from in_toto_attestation.v1.statement import Statement as TheirStatement
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from pellucid.errors import EvidenceError, PellucidError
from pellucid.statement.canonical import CanonicalError, canonical_json, parse_canonical
from pellucid.statement.dsse import IN_TOTO, Envelope, pae, sign_payload
from pellucid.statement.intoto import Statement, StatementError, Subject
from pellucid.statement.keys import PublicKey, Role, SecretKey, generate_key


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return generate_key(Role.PARTY, "vera")


def _their_key(key: PublicKey) -> SSlibKey:
    return SSlibKey(key.id, "ed25519", "ed25519", {"public": key.raw.hex()})


def test_the_encoding_is_the_specifications_example() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_securesystemslib_accepts_our_envelope_and_refuses_a_changed_one(key: SecretKey) -> None:
    ours = json.loads(sign_payload(IN_TOTO, b'{"a":1}', key).to_bytes())
    theirs = TheirEnvelope.from_dict(ours)
    assert list(theirs.verify([_their_key(key.public)], 1)) == [key.public.id]
    ours = json.loads(sign_payload(IN_TOTO, b'{"a":1}', key).to_bytes())
    ours["payload"] = base64.b64encode(b'{"a":2}').decode()
    with pytest.raises(VerificationError):
        TheirEnvelope.from_dict(ours).verify([_their_key(key.public)], 1)


def test_in_toto_accepts_our_envelope_and_refuses_another_key(key: SecretKey) -> None:
    theirs = InTotoEnvelope.from_dict(json.loads(sign_payload(IN_TOTO, b"{}", key).to_bytes()))
    theirs.verify_signature({"keyid": key.public.id, **_their_key(key.public).to_dict()})
    other = _their_key(generate_key(Role.PARTY, "mallory").public)
    with pytest.raises(SignatureVerificationError):
        theirs.verify_signature({"keyid": other.keyid, **other.to_dict()})


def test_in_toto_reads_our_statement(key: SecretKey) -> None:
    statement = Statement((Subject({"sha256": "ab" * 32}, "a.bin"),), "https://example.com/p/v1", {"x": 1})
    envelope = sign_payload(IN_TOTO, statement.payload(), key)
    theirs = TheirStatement.copy_from_pb(_their_proto(envelope.payload))
    theirs.validate()
    assert theirs.pb.subject[0].digest["sha256"] == "ab" * 32
    assert Statement.parse(envelope.payload) == statement


def _their_proto(payload: bytes) -> object:
    from google.protobuf.json_format import Parse
    from in_toto_attestation.v1.statement_pb2 import Statement as Proto

    return Parse(payload, Proto())


def test_the_id_does_not_depend_on_who_signed_or_how_it_is_spelled(key: SecretKey) -> None:
    first = sign_payload(IN_TOTO, b"{}", key)
    other = sign_payload(IN_TOTO, b"{}", generate_key(Role.PARTY, "otto"), key)
    spelled = json.dumps(first.as_json(), indent=3).encode()
    assert first.id == other.id == Envelope.parse(spelled).id
    assert first.id != sign_payload(IN_TOTO, b"{} ", key).id
    assert first.id != sign_payload(IN_TOTO + "x", b"{}", key).id


def test_a_hint_is_never_believed(key: SecretKey) -> None:
    mallory = generate_key(Role.PARTY, "mallory")
    value = dict(sign_payload(IN_TOTO, b"{}", mallory).as_json())
    value["signatures"][0]["keyid"] = key.public.id
    assert not Envelope.from_json(value).verified_by(key.public)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{}",
        b'{"payloadType":"a","payload":"","signatures":[]}',
        b'{"payloadType":"a","payload":"*","signatures":[{"sig":"AA=="}]}',
        b'{"payloadType":"a","payload":"","signatures":[{"sig":"AA=="}],"extra":1}',
        b'{"payloadType":"a","payloadType":"b","payload":"","signatures":[{"sig":"AA=="}]}',
        b'{"payloadType":"","payload":"","signatures":[{"sig":"AA=="}]}',
        b'{"payloadType":"a","payload":"","signatures":[{"keyid":1,"sig":"AA=="}]}',
        b'{"payloadType":"a","payload":"","signatures":[{"sig":"AA=="},{"cert":"x","sig":""}]}',
        b"[" * 60_000,
        b"{" + b" " * 70_000 + b"}",
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        Envelope.parse(data)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    with suppress(PellucidError):
        Envelope.parse(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(_json)
def test_canonical_json_reads_back_and_has_one_spelling(value: object) -> None:
    data = canonical_json(value)
    assert parse_canonical(data, where="x", limit=1 << 20) == value
    with pytest.raises(CanonicalError):
        parse_canonical(data + b"\n", where="x", limit=1 << 20)


@pytest.mark.parametrize(
    "data", [b'{"b":1,"a":1}', b'{"a": 1}', b'{"a":1,"a":1}', b"1.0", b"1e3", b"NaN", b'"\\u0041"']
)
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(CanonicalError):
        parse_canonical(data, where="x", limit=100)


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "a"}]},
        {"subject": [{"digest": {"sha256": 1}}]},
        {"predicate": []},
        {"predicateType": 1},
        {"extra": 1},
    ],
)
def test_what_is_no_statement_is_refused(change: dict[str, object]) -> None:
    statement = Statement((Subject({"sha256": "ab" * 32}),), "t", {}).as_json() | change
    with pytest.raises(StatementError):
        Statement.parse(canonical_json(statement))
