"""A node that answers nonsense is named, and nothing it says is taken for more than it is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.node.conftest import JSON, PASSPHRASE, Town
from tests.record.conftest import release

from pellucid.errors import UnavailableError
from pellucid.node import DoorReply
from pellucid.record.client import NodeClient
from pellucid.statement.keys import Role, generate_key

Ask = Callable[[NodeClient], object]

QUESTIONS: dict[str, Ask] = {
    "card": NodeClient.card,
    "submit": lambda client: client.submit(b"{}"),
    "lookup": lambda client: client.lookup("a.example", 1, ["sha256:" + "0" * 64]),
    "covering": lambda client: client.covering("a.example", 0),
    "statement": lambda client: client.statement("0" * 64),
    "key": lambda client: client.key("0" * 64),
    "logs": NodeClient.logs,
}

ANSWERS = [
    (200, b""),
    (200, b"nonsense"),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"completeness": {}, "checkpoint": "", "statements": []}'),
    (200, b'{"size": -1, "note": ""}'),
    (200, b'{"spki": "AAAA"}'),
    (200, b'{"logs": [{"id": "x"}]}'),
    (200, b"[" * 100_000),
    (302, b""),
    (500, b"\xff\x00\x1b[31m"),
]


@pytest.fixture
def town_with_liar(town: Town) -> Town:
    town.build("liar")
    return town


def ask(town: Town, status: int, body: bytes, question: Ask) -> object:
    server = town.servers["liar"]
    server.reply = lambda *_: DoorReply(status, JSON, body)  # type: ignore[method-assign]
    client = NodeClient(f"http://{server.listen}", timeout=5, deadline=10)
    try:
        return question(client)
    finally:
        client.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_nonsense_is_told_with_the_nodes_name(town_with_liar: Town, question: str) -> None:
    for status, body in ANSWERS:
        with pytest.raises(UnavailableError) as caught:
            ask(town_with_liar, status, body, QUESTIONS[question])
        assert town_with_liar.servers["liar"].listen in str(caught.value)
        assert str(caught.value).isprintable()


def test_another_key_or_statement_than_asked_for_is_refused(town_with_liar: Town) -> None:
    key = generate_key(Role.PARTY, "somebody")
    body = json.dumps({"spki": key.public.spki_base64}).encode()
    assert ask(town_with_liar, 200, body, lambda client: client.key(key.public.id)) == key.public
    with pytest.raises(UnavailableError, match="another key"):
        ask(town_with_liar, 200, body, lambda client: client.key("0" * 64))
    envelope = release(town_with_liar.homes["liar"].secret(Role.PARTY, PASSPHRASE))
    body = json.dumps({"id": envelope.id, "envelope": envelope.as_json(), "places": []}).encode()
    found = ask(town_with_liar, 200, body, lambda client: client.statement(envelope.id))
    assert found is not None
    with pytest.raises(UnavailableError, match="another statement"):
        ask(town_with_liar, 200, body, lambda client: client.statement("0" * 64))


def test_an_endless_answer_is_cut_off(town_with_liar: Town) -> None:
    with pytest.raises(UnavailableError, match="more than"):
        ask(town_with_liar, 200, b" " * 300_000, lambda client: client.key("0" * 64))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(sorted(QUESTIONS)))
def test_no_answer_makes_it_fall_over(town_with_liar: Town, body: bytes, question: str) -> None:
    with pytest.raises(UnavailableError):
        ask(town_with_liar, 200, body, QUESTIONS[question])
