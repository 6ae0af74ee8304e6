"""`party` and `withdrawal`: who may speak, and what is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec

from pellucid.errors import InputError
from pellucid.statement import types
from pellucid.statement.digest import is_sha256
from pellucid.statement.intoto import Statement, StatementError, Subject
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Predicate, PredicateKind, Sha256, Time, require_times
from pellucid.statement.reference import Ref, key_ref, statement_ref


class PartyRole(StrEnum):
    """What a party may be believed in."""

    VENDOR = "vendor"
    CENTER = "center"
    REVIEWER = "reviewer"
    ASSESSOR = "assessor"
    ATTESTOR = "attestor"
    RESEARCHER = "researcher"


class PartyAction(StrEnum):
    """What a `party` statement does to its subject, a key."""

    ACCREDIT = "accredit"
    RETIRE = "retire"
    COMPROMISED = "compromised"


class Custody(StrEnum):
    """Where the secret key is kept."""

    FILE = "file"
    BROWSER = "browser"
    TOKEN = "token"  # noqa: S105 - a hardware token


class Party(Predicate, frozen=True):
    """An accreditation of a key, or its end.

    `accredit` carries the key itself and its roles. `retire` spares what was logged before `since`, the time when the
    key was laid down (where it is missing, before the statement itself was logged). `compromised` voids what was logged
    after `since`. Who the key belongs to is a salted commitment (`identity`), never in the clear.
    """

    action: PartyAction
    roles: Annotated[tuple[PartyRole, ...], msgspec.Meta(max_length=6)] = ()
    spki: (
        Annotated[str, msgspec.Meta(min_length=60, max_length=60, description="base64 SubjectPublicKeyInfo")] | None
    ) = None
    custody: Custody = Custody.FILE
    identity: Sha256 | None = None
    since: Time | None = None
    expires: Time | None = None


class WithdrawalReason(StrEnum):
    """Why an author takes a statement back."""

    MISTAKE = "mistake"
    SUPERSEDED = "superseded"
    VULNERABLE = "vulnerable"
    OTHER = "other"


class Withdrawal(Predicate, frozen=True):
    """The author's own withdrawal of the statement that is its subject; nobody else's counts."""

    reason: WithdrawalReason
    replaced_by: Sha256 | None = None
    explanation: Sha256 | None = None


def key_subject(key_id: str) -> Subject:
    """Name a key as the subject of a statement."""
    return Subject({"sha256": key_id}, "key")


def statement_subject(statement_id: str) -> Subject:
    """Name a statement as the subject of another."""
    return Subject({"sha256": statement_id}, "statement")


def _one_digest(statement: Statement) -> str:
    digest = statement.subjects[0].digest
    if len(statement.subjects) != 1 or set(digest) != {"sha256"} or not is_sha256(digest["sha256"]):
        raise StatementError("it has exactly one subject, by its SHA-256")
    return digest["sha256"]


def _check_party(statement: Statement, party: Party) -> None:
    key_id = _one_digest(statement)
    if party.action is PartyAction.ACCREDIT:
        if not party.roles or party.spki is None:
            raise StatementError("an accreditation names roles and carries the key (spki)")
        if _key_of(party.spki) != key_id:
            raise StatementError("the key it carries is not its subject")
    elif party.roles or party.spki or party.expires:
        raise StatementError(f"{party.action.value} carries no roles, key or expiry")
    if party.action is PartyAction.COMPROMISED and party.since is None:
        raise StatementError("`compromised` says since when")
    if party.action is PartyAction.ACCREDIT and party.since is not None:
        raise StatementError("`since` stands with `compromised` and `retire`, and only there")
    require_times(since=party.since, expires=party.expires)


def _key_of(spki: str) -> str:
    """Return the id of a key in a statement; a bad one is damage in the evidence, not in what the user gave."""
    try:
        return PublicKey.from_base64(spki, where="spki").id
    except InputError as error:
        raise StatementError(error.what, where=error.where) from None


def _check_withdrawal(statement: Statement, _withdrawal: Withdrawal) -> None:
    _one_digest(statement)


def _party_concerns(statement: Statement, _party: Party) -> Iterable[Ref]:
    return (key_ref(_one_digest(statement)),)


def _withdrawal_concerns(statement: Statement, _withdrawal: Withdrawal) -> Iterable[Ref]:
    return (statement_ref(_one_digest(statement)),)


PARTY = PredicateKind("party", types.PARTY, Party, concerns=_party_concerns, check=_check_party)
WITHDRAWAL = PredicateKind(
    "withdrawal", types.WITHDRAWAL, Withdrawal, concerns=_withdrawal_concerns, check=_check_withdrawal
)
