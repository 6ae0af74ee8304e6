"""Whether what came back is the statement that was shown, signed with the signer's own keys; nothing is believed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.errors import EvidenceError, InputError
from pellucid.record.signers import find_signers
from pellucid.statement.dsse import IN_TOTO, Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Parsed, Registry, parse_statement

PAYLOAD_LIMIT = 48_000  # in base64, with a signature, it still is an entry of a log
_WHERE = "signature"
_UNSEEN = frozenset({"Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # letters of some scripts, and emoji, are written with them


class NotFitError(InputError):
    """A statement or a signature was given that cannot be taken; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Signed:
    """An envelope that holds the statement asked for and signatures of the signer's own keys only (their ids)."""

    envelope: Envelope
    keys: frozenset[str]


def read_statement(data: bytes, registry: Registry, *, where: str) -> Parsed:
    """Read a Statement v1 that somebody wants to sign; own types are put into canonical form, others stay to the byte.

    NotFitError for what could not be logged, and for text that reads otherwise than it stands.
    """
    if len(data) > PAYLOAD_LIMIT:
        remedy = "say it in fewer bytes: name what is large by its digest and keep the bytes beside the log"
        raise NotFitError(f"{len(data)} bytes, {PAYLOAD_LIMIT} are allowed", where=where, remedy=remedy)
    try:
        statement = Statement.parse(data, where=where)
        canonical = statement.payload()
        _require_seen(canonical.decode(), where)
        payload = canonical if statement.predicate_type in registry else data
        return parse_statement(Envelope(IN_TOTO, payload, ()), registry, where=where)
    except EvidenceError as error:
        remedy = error.remedy or "give an in-toto Statement v1, as `pellucid` or another program wrote it"
        raise NotFitError(error.what, where=error.where or where, remedy=remedy) from None


def _require_seen(text: str, where: str) -> None:
    """Refuse characters that turn the direction of text or hide: nobody sees by them what would be signed."""
    found = next((char for char in text if char not in _JOINERS and unicodedata.category(char) in _UNSEEN), None)
    if found is not None:
        what = f"it holds the character U+{ord(found):04X}, which turns or hides text"
        raise NotFitError(what, where=where, remedy="say it without: what is signed has to be seen as it is")


def check_signed(data: bytes, payload: bytes, keys: Mapping[str, PublicKey]) -> Signed:
    """Read the envelope that came back; NotFitError unless it holds exactly `payload`, signed with some of `keys`.

    `keys` are the signer's enrolled keys by id. A signature that none of them made is refused too: it would be logged
    beside theirs and nobody here could say whose it is.
    """
    try:
        envelope = Envelope.parse(data, where=_WHERE)
    except EvidenceError as error:
        remedy = "give the .dsse.json file that `pellucid statement sign` wrote"
        raise NotFitError(error.what, where=_WHERE, remedy=remedy) from None
    if envelope.payload_type != IN_TOTO:
        raise NotFitError(f"its payload type is not {IN_TOTO}", where=_WHERE, remedy="sign the statement shown here")
    if envelope.payload != payload:
        what = "it holds another statement than the one shown here"
        raise NotFitError(what, where=_WHERE, remedy="download the statement again, compare its id, and sign that file")
    signers = find_signers(envelope, keys)
    if not signers.keys:
        what = "no signature in it is by a key that you have enrolled and not retired"
        raise NotFitError(what, where=_WHERE, remedy="sign with an enrolled key, or enrol this one first")
    if not signers.complete:
        what = "it carries a signature that is by none of your enrolled keys"
        raise NotFitError(what, where=_WHERE, remedy="sign the downloaded statement itself, in a new envelope")
    return Signed(envelope, signers.keys)
