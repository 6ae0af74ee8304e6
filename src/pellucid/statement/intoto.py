"""in-toto Statement v1: subjects by digest, one predicate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import canonical_json, parse_json
from pellucid.statement.dsse import ENVELOPE_LIMIT

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_SUBJECTS_MOST = 256


class StatementError(EvidenceError):
    """A payload is not an in-toto Statement that can be used."""


class Subject(msgspec.Struct, frozen=True):
    """What a statement is about: digests by algorithm, and a name where one helps."""

    digest: Mapping[str, str]
    name: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the in-toto ResourceDescriptor."""
        return {"digest": dict(self.digest)} | ({"name": self.name} if self.name is not None else {})


class Statement(msgspec.Struct, frozen=True):
    """One predicate about one or more subjects."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the in-toto Statement as a JSON object."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [s.as_json() for s in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
        }

    def payload(self) -> bytes:
        """Return the bytes to sign: canonical JSON."""
        return canonical_json(self.as_json())

    @classmethod
    def parse(cls, payload: bytes, *, where: str = "statement") -> Statement:
        """Read a Statement v1, whoever made it; other fields than the four of the specification are refused."""
        value = parse_json(payload, where=where, limit=ENVELOPE_LIMIT)
        if not isinstance(value, dict) or set(value) != {"_type", "subject", "predicateType", "predicate"}:
            raise StatementError("a Statement holds _type, subject, predicateType and predicate", where=where)
        if value["_type"] != STATEMENT_TYPE:
            raise StatementError(f"its _type is not {STATEMENT_TYPE}", where=where)
        subjects, predicate = value["subject"], value["predicate"]
        if not isinstance(subjects, list) or not 0 < len(subjects) <= _SUBJECTS_MOST:
            raise StatementError(f"a Statement has 1 to {_SUBJECTS_MOST} subjects", where=where)
        if not isinstance(value["predicateType"], str) or not isinstance(predicate, dict):
            raise StatementError("predicateType is a text and predicate an object", where=where)
        return cls(tuple(_subject(s, where=where) for s in subjects), value["predicateType"], predicate)


def _subject(value: Any, *, where: str) -> Subject:
    if not isinstance(value, dict) or not isinstance(value.get("digest"), dict) or not value["digest"]:
        raise StatementError("each subject has a digest", where=where)
    digest, name = value["digest"], value.get("name")
    if not all(isinstance(d, str) and 0 < len(d) <= 200 for d in digest.values()):
        raise StatementError("each digest is a text", where=where)
    if name is not None and (not isinstance(name, str) or len(name) > 1000):
        raise StatementError("a subject's name is a text", where=where)
    return Subject(digest, name)
