"""Rita at her desk: she enrols keys, is accredited, and signs what is shown to her."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.world import PASSPHRASE, World

from pellucid.capabilities import PREDICATES
from pellucid.record.predicate import RECEIPT, Receipt
from pellucid.signing.challenge import Challenge, answer
from pellucid.signing.portal.models import KeyChallenge, PartyKey, SigningRequest
from pellucid.source.predicate import DELTA, REVIEW, tree_subject
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.statement.predicate import make_statement, read_predicate
from pellucid.statement.types import PARTY
from pellucid.trust.predicate import key_subject

TREE = "aa" * 32


def review(tree: str = TREE, **changes: Any) -> Statement:
    """Return a review of a source tree."""
    fields: dict[str, Any] = {
        "of": "source", "extent": "full", "result": "pass", "independence": "independent", "paid_by": "center",
        "criteria": ["no-hidden-channel"], "scope": {"files": 3, "lines": 1204}, "minutes": 60,
        "expires": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    return make_statement((tree_subject(tree),), REVIEW, msgspec.convert(fields | changes, REVIEW.model))


def delta() -> Statement:
    """Return a measured change."""
    fields: dict[str, Any] = {
        "base": "bb" * 32, "files_added": 0, "files_removed": 0, "files_changed": 1, "lines_added": 3,
        "lines_removed": 0, "tool": {"name": "pellucid", "version": "1"},
    }  # fmt: skip
    return make_statement((tree_subject(TREE),), DELTA, msgspec.convert(fields, DELTA.model))


def signed(statement: Statement | bytes, *keys: SecretKey) -> bytes:
    """Return a signed statement as the CLI writes it."""
    payload = statement if isinstance(statement, bytes) else statement.payload()
    return sign_payload(IN_TOTO, payload, *keys).to_bytes()


class Desk:
    """What one person does on a node; the node's own party key is the accreditor."""

    def __init__(self, world: World, name: str = "rita") -> None:
        self.world = world
        self.name = name
        self.account = world.account(name)
        self.client: Client = world.client(name)
        self.key = generate_key(Role.PARTY, name)

    def begin(self, key: SecretKey | None = None, custody: str = "file", *, changes: Mapping[str, str] = {}) -> Any:
        """Ask for a challenge."""
        spki = (key or self.key).public.spki_base64
        return self.client.post("/account/keys", {"spki": spki, "custody": custody, "label": "laptop", **changes})

    def challenge(self, key: SecretKey | None = None, custody: str = "file") -> tuple[str, Challenge]:
        """Ask for a challenge; return its address and what it says, as downloaded."""
        address = self.begin(key, custody)["Location"]
        return address, Challenge.parse(self.client.get(f"{address}/file").content, where="test")

    def answer(self, address: str, data: bytes) -> Any:
        """Answer a challenge by pasting."""
        return self.client.post(address, {"text": data.decode()})

    def enrol(self, key: SecretKey | None = None) -> PartyKey:
        """Enrol a key that lies in a file."""
        key = key or self.key
        address, challenge = self.challenge(key)
        proof = answer(challenge, key, int(time.time()), where="test")
        assert self.answer(address, proof.to_bytes())["Location"] == "/account/keys"
        return PartyKey.objects.get(key_id=key.public.id)

    def accredit(
        self,
        *roles: str,
        key: SecretKey | None = None,
        by: SecretKey | None = None,
        custody: str = "file",
        **changes: Any,
    ) -> str:
        """Have the node's own party accredit a key, as an operator does on the home; return the statement's id."""
        public = (key or self.key).public
        fields = {"action": "accredit", "roles": roles or ("reviewer",), "spki": public.spki_base64}
        kind = PREDICATES[PARTY]
        model = msgspec.convert({**fields, "custody": custody, **changes}, kind.model)
        return self.log(make_statement((key_subject(public.id),), kind, model), by or self.node_key())

    def node_key(self) -> SecretKey:
        """Return the node's own party key."""
        return self.world.home.secret(Role.PARTY, PASSPHRASE)

    def log(self, statement: Statement, key: SecretKey) -> str:
        """Have a statement logged past the pages, and published."""
        receipt = self.world.node.submit(signed(statement, key))
        said: Receipt = read_predicate(Statement.parse(receipt.payload), RECEIPT)
        assert said.reason is None, said.reason
        self.world.node.publish()
        return Envelope.parse(signed(statement, key)).id

    def bring(self, statement: Statement | bytes) -> SigningRequest:
        """Bring a statement to sign, as a file."""
        payload = statement if isinstance(statement, bytes) else statement.payload()
        answered = self.client.post("/signing/new", {"text": "", "file": SimpleUploadedFile("s.json", payload)})
        assert answered.status_code == 302, answered.content.decode()
        return SigningRequest.objects.get(id=answered["Location"].rpartition("/")[2])

    def send(self, request: SigningRequest, data: bytes) -> Any:
        """Send a signed statement by pasting."""
        return self.client.post(f"/signing/{request.id}", {"text": data.decode()})

    def state(self, request: SigningRequest) -> str:
        """Return how a request stands in the database."""
        return str(SigningRequest.objects.get(id=request.id).state)

    def let_pass(self, request: SigningRequest) -> None:
        """Let the time of a request pass."""
        SigningRequest.objects.filter(id=request.id).update(expires_at=timezone.now() - timedelta(seconds=1))

    def let_challenges_pass(self) -> None:
        """Let the time of every challenge pass."""
        KeyChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
