"""Showing that one holds a key: a challenge of a node, signed under a payload type of its own.

The payload is canonical JSON and names the node, the account, the key and how it is kept. Its payload type is part of
what is signed (DSSE's PAE), so an answer can never pass for a statement, nor a statement for an answer.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

import msgspec

from pellucid.errors import InputError
from pellucid.record.predicate import Origin
from pellucid.statement.canonical import CanonicalError, canonical_json, parse_canonical
from pellucid.statement.dsse import Envelope, sign_payload
from pellucid.statement.keys import PublicKey, SecretKey
from pellucid.statement.moment import format_time, parse_time
from pellucid.statement.predicate import Sha256, Time
from pellucid.trust.predicate import Custody

PAYLOAD_TYPE = "application/vnd.pellucid.key-challenge+json"
CHALLENGE_LIMIT = 4096
LIFETIME = 15 * 60

PersonId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", min_length=32, max_length=32)]


class ChallengeError(InputError):
    """A challenge, or the answer to one, cannot be used."""


class Challenge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the holder of `key` signs to show that it is theirs; `nonce` makes each one different.

    `node` is the origin of the node that asks, `account` the pseudonym of who asked to enrol the key there. After
    `expires` no answer is taken.
    """

    kind: Literal["pellucid-key-challenge/v1"]
    node: Origin
    account: PersonId
    key: Sha256
    custody: Custody
    nonce: Sha256
    expires: Time

    def payload(self) -> bytes:
        """Return the bytes to sign: canonical JSON (RFC 8785)."""
        return canonical_json(msgspec.to_builtins(self))

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> Challenge:
        """Read a challenge as a node wrote it, in canonical form; ChallengeError for anything else."""
        try:
            challenge = msgspec.convert(parse_canonical(data, where=where, limit=CHALLENGE_LIMIT), cls)
            parse_time(challenge.expires)
        except (CanonicalError, InputError, msgspec.ValidationError) as error:
            what = f"this is no challenge of a node: {getattr(error, 'what', error)}"
            raise ChallengeError(what, where=where, remedy="give the file as the page gave it to you") from None
        return challenge


def make_challenge(node: str, account: str, key: PublicKey, custody: Custody, now: int) -> Challenge:
    """Return a new challenge for `key`, to be answered within a quarter of an hour of `now` (POSIX seconds)."""
    expires = format_time(now + LIFETIME)
    return Challenge("pellucid-key-challenge/v1", node, account, key.id, custody, secrets.token_hex(32), expires)


def answer(challenge: Challenge, key: SecretKey, now: int, *, where: str) -> Envelope:
    """Sign a challenge with the key that it names; ChallengeError if it is for another key, or over."""
    if challenge.key != key.public.id:
        what = f"this challenge is for the key {challenge.key}, not {key.public.id}"
        raise ChallengeError(what, where=where, remedy="give the key file that you enrol")
    if challenge.custody is Custody.BROWSER:
        what = "this challenge says that the key is kept in a browser, and here it lies in a file"
        raise ChallengeError(what, where=where, remedy="begin the enrolment again and say that it is kept in a file")
    if now > parse_time(challenge.expires):
        what = f"this challenge was over on {challenge.expires}"
        raise ChallengeError(what, where=where, remedy="begin the enrolment again")
    return sign_payload(PAYLOAD_TYPE, challenge.payload(), key)


def check_answer(envelope: Envelope, challenge: Challenge, key: PublicKey, now: int) -> None:
    """Raise ChallengeError unless `envelope` is this very challenge, signed with `key`, in time."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ChallengeError(f"its payload type is not {PAYLOAD_TYPE}", where="answer", remedy="sign the challenge")
    if envelope.payload != challenge.payload():
        what = "it answers another challenge"
        raise ChallengeError(what, where="answer", remedy="sign the challenge that this page shows")
    if key.id != challenge.key or not envelope.verified_by(key):
        what = f"no signature in it is by the key {challenge.key}"
        raise ChallengeError(what, where="answer", remedy="sign with the key that you enrol")
    if now > parse_time(challenge.expires):
        raise ChallengeError("the challenge is over", where="answer", remedy="begin the enrolment again")
