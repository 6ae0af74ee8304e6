"""Showing that one holds a key: an answer fits one challenge, one key, a quarter of an hour, and is no statement."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.capabilities import PREDICATES
from pellucid.signing.challenge import (
    LIFETIME,
    PAYLOAD_TYPE,
    Challenge,
    ChallengeError,
    answer,
    check_answer,
    make_challenge,
)
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import StatementError
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.statement.predicate import parse_statement
from pellucid.trust.predicate import Custody

NOW = int(time.time())
NODE, ACCOUNT = "log.vendor.example/1", "0" * 31 + "1"


@pytest.fixture
def key() -> SecretKey:
    return generate_key(Role.PARTY, "rita")


@pytest.fixture
def challenge(key: SecretKey) -> Challenge:
    return make_challenge(NODE, ACCOUNT, key.public, Custody.FILE, NOW)


def test_the_holder_of_the_key_answers_it(challenge: Challenge, key: SecretKey) -> None:
    check_answer(answer(challenge, key, NOW, where="test"), challenge, key.public, NOW + LIFETIME)


def test_no_two_challenges_are_alike(key: SecretKey) -> None:
    made = {make_challenge(NODE, ACCOUNT, key.public, Custody.FILE, NOW).payload() for _ in range(10)}
    assert len(made) == 10


def test_another_key_does_not_answer_it(challenge: Challenge, key: SecretKey) -> None:
    mallory = generate_key(Role.PARTY, "mallory")
    with pytest.raises(ChallengeError, match="no signature in it is by the key"):
        check_answer(sign_payload(PAYLOAD_TYPE, challenge.payload(), mallory), challenge, key.public, NOW)
    with pytest.raises(ChallengeError, match="is for the key"):
        answer(challenge, mallory, NOW, where="test")


@pytest.mark.parametrize(
    "change",
    [
        {"node": "log.mallory.example/1"},
        {"account": "f" * 32},
        {"nonce": "0" * 64},
        {"custody": "token"},
        {"expires": "2099-01-01T00:00:00Z"},
    ],
)
def test_an_answer_to_anything_else_does_not_count(
    challenge: Challenge, key: SecretKey, change: dict[str, str]
) -> None:
    other = Challenge.parse(_canonical({**json.loads(challenge.payload()), **change}), where="test")
    with pytest.raises(ChallengeError, match="answers another challenge"):
        check_answer(sign_payload(PAYLOAD_TYPE, other.payload(), key), challenge, key.public, NOW)


def test_after_its_time_nothing_answers_it(challenge: Challenge, key: SecretKey) -> None:
    late = answer(challenge, key, NOW, where="test")
    with pytest.raises(ChallengeError, match="over"):
        check_answer(late, challenge, key.public, NOW + LIFETIME + 1)
    with pytest.raises(ChallengeError, match="over"):
        answer(challenge, key, NOW + LIFETIME + 1, where="test")


def test_an_answer_is_no_statement_and_a_statement_no_answer(challenge: Challenge, key: SecretKey) -> None:
    proof = answer(challenge, key, NOW, where="test")
    with pytest.raises(StatementError, match="payload type"):
        parse_statement(proof, PREDICATES)
    moved = Envelope(IN_TOTO, proof.payload, proof.signatures)
    assert not moved.verified_by(key.public)
    with pytest.raises(StatementError):
        parse_statement(moved, PREDICATES)
    with pytest.raises(ChallengeError, match="payload type"):
        check_answer(sign_payload(IN_TOTO, challenge.payload(), key), challenge, key.public, NOW)


def test_a_key_in_a_file_does_not_say_that_it_is_in_a_browser(key: SecretKey) -> None:
    challenge = make_challenge(NODE, ACCOUNT, key.public, Custody.BROWSER, NOW)
    with pytest.raises(ChallengeError, match="in a browser"):
        answer(challenge, key, NOW, where="test")


@given(st.binary(max_size=5000))
def test_no_bytes_make_the_reader_fall(data: bytes) -> None:
    with pytest.raises(ChallengeError):
        Challenge.parse(data, where="test")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "pellucid-key-challenge/v2"},
        {"account": "F" * 32},
        {"account": "0" * 32 + "\n"},
        {"nonce": "0" * 63},
        {"custody": "drawer"},
        {"expires": "2026-02-31T00:00:00Z"},
        {"node": "two words"},
        {"more": "field"},
    ],
)
def test_what_is_not_quite_a_challenge_is_refused(challenge: Challenge, change: dict[str, Any]) -> None:
    with pytest.raises(ChallengeError):
        Challenge.parse(_canonical({**json.loads(challenge.payload()), **change}), where="test")


def test_another_spelling_is_refused(challenge: Challenge) -> None:
    assert Challenge.parse(challenge.payload(), where="test") == challenge
    with pytest.raises(ChallengeError, match="canonical"):
        Challenge.parse(json.dumps(json.loads(challenge.payload())).encode(), where="test")


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
