"""A hand-made world for pages: one vendor's node with its log, three centers, two releases, and things gone wrong.

Statements, ids and the log's hashes are real; signatures are not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pellucid.capabilities import PREDICATES
from pellucid.record.facts import (
    Alarm,
    Ending,
    Place,
    Record,
    Revocation,
    SubjectFact,
    Withdrawal,
)


def digest(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:cut]) + root(leaves[cut:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    if index < cut:
        return [*path(index, leaves[:cut]), root(leaves[cut:])]
    return [*path(index - cut, leaves[cut:]), root(leaves[:cut])]


ORIGIN = "vendor.example/log"
LOG = hashlib.sha256(ORIGIN.encode()).hexdigest()
VENDOR, RITA, PAUL, MALLORY, CENTER = (digest("key", name) for name in ("vendor", "rita", "paul", "mallory", "center"))
TREE_1, TREE_2, TREE_3 = (digest("tree", number) for number in (1, 2, 3))
CENTERS = (
    ("tokyo.example", "Example University", "Asia"),
    ("zurich.example", "Example Lab AG", "Europe"),
    ("recife.example", "Example Consumers", "Americas"),
)


@dataclass
class World:
    """What was said and logged up to one moment."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    required: int = 2
    cosigning: int = 3
    empty: bool = False
    records: list[Record] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)

    def add(
        self,
        kind: str,
        author: str,
        subjects: Sequence[tuple[str | None, str, str]],
        predicate: Mapping[str, Any],
        *,
        ago: timedelta,
    ) -> Record:
        uri = next(
            (key for key, value in PREDICATES.items() if value.name == kind), f"https://elsewhere.example/{kind}"
        )
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"digest": {algorithm: value}, **({"name": name} if name else {})}
                for name, algorithm, value in subjects
            ],
            "predicateType": uri,
            "predicate": predicate,
        }
        payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
        index = len(self.entries)
        self.entries.append(json.dumps({"payload": payload.hex(), "index": index}).encode())
        at = None if self.required == 0 else self.now - ago
        known = PREDICATES.get(uri)
        record = Record(
            id=hashlib.sha256(payload).hexdigest(),
            kind=known.name if known else None,
            predicate_type=uri,
            authors=(author,),
            subjects=tuple(SubjectFact(name, (f"{algorithm}:{value}",)) for name, algorithm, value in subjects),
            predicate=predicate,
            model=msgspec.convert(predicate, known.model) if known else None,
            opened={},
            problem=None,
            places=(Place(LOG, ORIGIN, True, index, index + 1, at),),
            logged_at=at,
            withdrawn=None,
            revoked=None,
        )
        self.records.append(record)
        self._payloads[record.id] = payload
        return record

    def __post_init__(self) -> None:
        self._payloads: dict[str, bytes] = {}
        self._alarms: list[Alarm] = []
        if not self.empty:
            self._fill()

    def _fill(self) -> None:
        day = timedelta(days=1)
        for key, role in ((RITA, "reviewer"), (PAUL, "reviewer"), (MALLORY, "reviewer")):
            self.add(
                "party",
                CENTER,
                [("key", "sha256", key)],
                {"action": "accredit", "roles": [role], "spki": "A" * 60},
                ago=120 * day,
            )
        first = self.release("Example Scanner", "4.1.0", TREE_1, ago=95 * day)
        self.review(RITA, TREE_1, ago=80 * day, expires=self.now + 100 * day, lines=412_870, minutes=1860, exclusions=3)
        self.review(
            MALLORY,
            TREE_1,
            ago=60 * day,
            expires=self.now - 2 * day,
            lines=9_000,
            minutes=40,
            paid="vendor",
            result="pass",
        )
        second = self.release("Example Scanner", "4.2.0", TREE_2, ago=timedelta(hours=5), previous="4.1.0")
        self.delta(RITA, TREE_1, TREE_2, 961, 243, ago=timedelta(hours=4))
        self.add(
            "vsa",
            PAUL,
            [("scanner", "sha256", digest("file", "4.2.0", 0))],
            {"verifier": {"id": "https://elsewhere.example"}, "timeVerified": "2026-11-20T10:00:00Z", "passed": True},
            ago=timedelta(hours=2),
        )
        third = self.release("Example Rules", "2026.11.20", None, ago=26 * day, kind="rules", files=1)
        reviewed = self._reviewed(day)
        bad, doubled = self._wrong(day)
        ended = self.add(
            "party",
            CENTER,
            [("key", "sha256", MALLORY)],
            {"action": "compromised", "since": "2026-01-01T00:00:00Z"},
            ago=5 * day,
        )
        self._ended = Revocation(Ending.COMPROMISED, self.now - 300 * day, CENTER, ended.id, ended.logged_at)
        self._replace(next(item for item in self.records if item.authors == (MALLORY,)), revoked=self._ended)
        for number in range(60):
            self.release(
                f"Example Tool/{number % 3}",
                f"1.{number}",
                digest("tree", "tool", number),
                ago=timedelta(hours=4) - timedelta(minutes=2 * number),
                files=1,
            )
        self.marks = {
            "reviewed": reviewed,
            "debt": second,
            "first": first,
            "sourceless": third,
            "withdrawn": bad,
            "doubled": doubled,
        }

    def _reviewed(self, day: timedelta) -> Record:
        reviewed = self.release("Example Library", "1.9", TREE_3, ago=12 * day)
        self.review(RITA, TREE_3, ago=11 * day, expires=self.now + 300 * day, lines=20_110, minutes=600, found=(0, 0))
        self.review(
            PAUL,
            TREE_3,
            ago=10 * day,
            expires=self.now + 200 * day,
            lines=20_110,
            minutes=700,
            found=(4, 1),
            result="pass-with-findings",
        )
        return reviewed

    def _wrong(self, day: timedelta) -> tuple[Record, Record]:
        bad = self.release("Example Agent", "0.9-beta", digest("tree", 9), ago=9 * day)
        self.review(
            PAUL,
            digest("tree", 9),
            ago=8 * day,
            expires=self.now + 200 * day,
            lines=5_000,
            minutes=300,
            found=(7, 7),
            result="fail",
        )
        withdrawal = self.add(
            "withdrawal", VENDOR, [("statement", "sha256", bad.id)], {"reason": "vulnerable"}, ago=7 * day
        )
        self._replace(bad, withdrawn=Withdrawal(withdrawal.id, "vulnerable", withdrawal.logged_at))
        one = self.release("Example Agent", "0.8", digest("tree", 8), ago=30 * day)
        two = self.release("Example Agent", "0.8", digest("tree", 8), ago=20 * day, salt="special")
        self._alarms.append(
            Alarm(
                "doubled-release",
                "Example Agent 0.8 is released twice with different files.",
                LOG,
                (one.id, two.id),
                self.now - 20 * day,
            )
        )
        return bad, one

    def release(
        self,
        product: str,
        version: str,
        tree: str | None,
        *,
        ago: timedelta,
        kind: str = "software",
        files: int = 2,
        previous: str | None = None,
        salt: str = "",
    ) -> Record:
        stem = product.lower().replace(" ", "-").replace("/", "-")
        names = [f"{stem}-{version}.tar.gz", f"{stem}-{version}-py3-none-any.whl"][:files]
        subjects = [
            (
                name,
                "sha256",
                digest("file", version, place, product, salt)
                if salt or product != "Example Scanner"
                else digest("file", version, place),
            )
            for place, name in enumerate(names)
        ]
        body: dict[str, Any] = {
            "product": product,
            "version": version,
            "kind": kind,
            "artifacts": [
                {"name": name, "size": 1_204_331 + place, "purl": f"pkg:generic/{stem}@{version}"}
                for place, name in enumerate(names)
            ],
        }
        if tree:
            body["source"] = {
                "sha256": tree,
                "sha1": tree[:40],
                "files": 4_831,
                "size": 48_120_993,
                "swhid": f"swh:1:dir:{tree[:40]}",
            }
        if previous:
            body["previous"] = previous
        return self.add("release", VENDOR, subjects, body, ago=ago)

    def review(
        self,
        author: str,
        tree: str,
        *,
        ago: timedelta,
        expires: datetime,
        lines: int,
        minutes: int,
        exclusions: int = 0,
        paid: str = "customer",
        result: str = "pass",
        found: tuple[int, int] = (4, 0),
    ) -> Record:
        body = {
            "of": "source",
            "extent": "full",
            "result": result,
            "independence": "independent",
            "paid_by": paid,
            "criteria": ["no-hidden-channel", "no-data-hunting"],
            "scope": {"files": 4_831, "lines": lines},
            "minutes": minutes,
            "expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "exclusions": [{"sha256": digest("excluded", n), "lines": 1_900 * (n + 1)} for n in range(exclusions)],
            "findings": {"count": found[0], "open": found[1]},
        }
        return self.add("review", author, [("source", "gitTree", tree)], body, ago=ago)

    def delta(self, author: str, base: str, target: str, added: int, removed: int, *, ago: timedelta) -> Record:
        body = {
            "base": base,
            "files_added": 4,
            "files_removed": 1,
            "files_changed": 37,
            "lines_added": added,
            "lines_removed": removed,
            "tool": {"name": "pellucid", "version": "0.1.0"},
            "binary_changed": 0,
            "binary_bytes": 0,
        }
        return self.add("delta", author, [("source", "gitTree", target)], body, ago=ago)

    def _replace(self, record: Record, **changes: Any) -> None:
        self.records[self.records.index(record)] = replace(record, **changes)
