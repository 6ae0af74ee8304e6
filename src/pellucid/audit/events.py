"""What an audit log holds: typed events that name accounts by their pseudonym, and carry no secret and no content."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from pellucid.errors import EvidenceError, InputError

PersonId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", min_length=32, max_length=32)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._:/-]*$(?!\n)", max_length=120)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class EventType(StrEnum):
    """Everything that is recorded; the documentation tells what each means and which details it has."""

    ACCOUNT_INVITED = "account.invited"
    ACCOUNT_JOINED = "account.joined"
    ACCOUNT_SIGNED_IN = "account.signed-in"
    ACCOUNT_SIGN_IN_REFUSED = "account.sign-in-refused"
    ACCOUNT_SIGNED_OUT = "account.signed-out"
    ACCOUNT_FACTOR_ADDED = "account.factor-added"
    ACCOUNT_FACTOR_REMOVED = "account.factor-removed"
    ACCOUNT_PASSWORD_CHANGED = "account.password-changed"  # noqa: S105 - an event, not a password
    ACCOUNT_ADDRESS_CHANGED = "account.address-changed"
    ACCOUNT_ERASED = "account.erased"
    ROLE_GRANTED = "role.granted"
    ROLE_ENDED = "role.ended"
    KEY_ENROLLED = "key.enrolled"
    KEY_RETIRED = "key.retired"
    SESSION_OPENED = "operator-session.opened"
    SESSION_CLOSED = "operator-session.closed"
    SESSION_REQUEST = "operator-session.request"
    ACCESS_GRANTED = "access.granted"
    ACCESS_REFUSED = "access.refused"
    SIGNING_REQUESTED = "signing.requested"
    SIGNING_SHOWN = "signing.shown"
    SIGNING_SIGNED = "signing.signed"
    SIGNING_DECLINED = "signing.declined"
    JOB_STARTED = "job.started"
    JOB_CANCELLED = "job.cancelled"


class Event(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that happened on a node.

    `at` is in milliseconds since 1970 by the node's clock. `actor` did it (None: the node itself, or a visitor who is
    not known); `about` are the accounts whose private things it touched. `target` names what it was done to, as
    `kind:id` (`page:/people`, `statement:<sha256>`, `job:<id>`). `details` are words and numbers, never text of people.
    """

    type: EventType
    at: Whole
    actor: PersonId | None = None
    about: Annotated[tuple[PersonId, ...], msgspec.Meta(max_length=20)] = ()
    target: Annotated[str, msgspec.Meta(pattern=r"^[a-z-]+:[!-~]+$(?!\n)", max_length=300)] | None = None
    details: Annotated[Mapping[Word, Word | Whole | bool], msgspec.Meta(max_length=12)] = {}

    @property
    def concerns(self) -> tuple[str, ...]:
        """Return the accounts in whose record it stands: who did it, whom it touched, whom it was done to."""
        done_to = (self.target or "").removeprefix("account:") if (self.target or "").startswith("account:") else None
        return tuple(dict.fromkeys(account for account in (self.actor, *self.about, done_to) if account))

    def checked(self) -> Event:
        """Return the event as it will be read again; InputError if a field is not what it may be."""
        try:
            return msgspec.convert(msgspec.to_builtins(self), Event)
        except msgspec.ValidationError as error:
            raise InputError(f"is no audit event: {error}", where=f"event {self.type}"[:80]) from error


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the audit log: the event, and 16 random bytes in hexadecimal.

    The salt makes each entry one of its own, and its leaf hash, which stands in the proofs of other entries, nothing
    that anybody could find the event by.
    """

    event: Event
    salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", min_length=32, max_length=32)]

    @classmethod
    def of(cls, event: Event) -> Entry:
        """Return a new entry for an event."""
        return cls(event, secrets.token_hex(16))

    def to_bytes(self) -> bytes:
        """Return the bytes that are logged: canonical JSON (RFC 8785), since all that may stand here is ASCII."""
        return msgspec.json.encode(self, order="sorted")

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> Entry:
        """Read an entry; EvidenceError if it is none, or is spelled in another way."""
        try:
            entry = msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise EvidenceError(f"is no audit event: {error}", where=where) from error
        if entry.to_bytes() != data:
            raise EvidenceError("is no canonical JSON (RFC 8785)", where=where)
        return entry
