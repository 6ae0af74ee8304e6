"""Which known keys signed an envelope; DSSE's key ids are hints that make it fast, and are not believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.statement.dsse import Envelope, pae
from pellucid.statement.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Signers:
    """The ids of the known keys that signed, and whether a signature is left that none of them made."""

    keys: frozenset[str]
    complete: bool


_TRIED_MOST = 4096


def find_signers(envelope: Envelope, known: Mapping[str, PublicKey]) -> Signers:
    """Check each signature against the key that its hint names, then against all of `known` (by key id).

    Where more than 4,096 keys are known, a signature whose hint names none of them counts as a stranger's: whoever
    makes many keys known must not make every check slow.
    """
    message = pae(envelope.payload_type, envelope.payload)
    found: set[str] = set()
    complete = True
    for signature in envelope.signatures:
        hinted = known.get(signature.keyid)
        if hinted is not None and hinted.verify(signature.sig, message):
            found.add(signature.keyid)
            continue
        tried = known.items() if len(known) <= _TRIED_MOST else ()
        maker = next((key_id for key_id, key in tried if key.verify(signature.sig, message)), None)
        if maker is None:
            complete = False
        else:
            found.add(maker)
    return Signers(frozenset(found), complete)
