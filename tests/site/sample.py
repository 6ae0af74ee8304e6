"""The query layer of a hand-made world: a vendor's node, with whatever cosigners a test gives it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tests.site.sample_world import (
    CENTER,
    CENTERS,
    LOG,
    MALLORY,
    ORIGIN,
    PAUL,
    RITA,
    VENDOR,
    World,
    digest,
    leaf,
    path,
    root,
)

from pellucid.record.facts import (
    Accreditation,
    Alarm,
    AuthorRow,
    CheckpointFact,
    CosignatureFact,
    Cosigner,
    DayCount,
    EntryFact,
    KeyFact,
    LogFact,
    MirrorFact,
    NodeFact,
    PartyFact,
    PeerFact,
    ProductRow,
    Record,
)
from pellucid.statement.reference import key_ref, release_ref, statement_ref


class Sample(World):
    """Answers the query layer's questions from the world's lists."""

    def node(self) -> NodeFact:
        return NodeFact(
            "vendor.example", "vendor", "Europe", "Example Endpoint Security", None, _keys("vendor.example")
        )

    def counts(self) -> Mapping[str, int]:
        kinds = [record.kind or "other" for record in self.records]
        return {kind: kinds.count(kind) for kind in set(kinds)}

    def _cosigners(self) -> tuple[Cosigner, ...]:
        return tuple(
            Cosigner(name, "witness", operator, region, f"{name}+12ab34cd+BExampleKey{name}", True)
            for name, operator, region in CENTERS
        )

    def _checkpoint(self, size: int, ago: timedelta) -> CheckpointFact:
        leaves = [leaf(entry) for entry in self.entries[:size]]
        seen = tuple(
            CosignatureFact(item, self.now - ago + timedelta(seconds=70 * place))
            for place, item in enumerate(self._cosigners()[: self.cosigning if self.required else 0])
        )
        note = f"{ORIGIN}\n{size}\nq4C/ExampleRoot=\n\n— {ORIGIN} Az3gruE2xample==\n"
        time = seen[self.required - 1].at if 0 < self.required <= len(seen) else None
        return CheckpointFact(ORIGIN, size, root(leaves).hex(), note, seen, self.required, time)

    def logs(self) -> tuple[LogFact, ...]:
        head = self._checkpoint(len(self.entries), timedelta(minutes=6)) if self.entries else None
        own = LogFact(
            LOG,
            ORIGIN,
            True,
            "Example Endpoint Security",
            "Europe",
            f"{ORIGIN}+8e2f0c11+AeXampleLogKey0123456789abcdefghijk=",
            head,
            self.now - timedelta(minutes=4),
            self._cosigners() if self.required else (),
            self.required,
            max(0, 3 - self.required) if self.required else 0,
            0,
            2,
            False,
        )
        if self.empty:
            return (own,)
        origin = "zurich.example/log"
        size = min(12, len(self.entries))
        kept = replace(self._checkpoint(size, timedelta(hours=30)), origin=origin)
        other = replace(
            own,
            id=hashlib.sha256(origin.encode()).hexdigest(),
            origin=origin,
            own=False,
            operator="Example Lab AG",
            head=kept,
            head_seen=self.now - timedelta(hours=30),
            pending=0,
        )
        return (own, other)

    def log(self, log: str) -> LogFact | None:
        return next((item for item in self.logs() if item.id == log), None)

    def newest(self, log: str, *, before: int | None, limit: int) -> tuple[tuple[int, Record | None], ...]:
        stop = len(self.records) if before is None else min(before, len(self.records))
        return (
            tuple((index, self.records[index]) for index in range(stop - 1, max(-1, stop - 1 - limit), -1))
            if log == LOG
            else ()
        )

    def entry(self, log: str, index: int) -> EntryFact | None:
        if log != LOG or index >= len(self.entries):
            return None
        record, data = self.records[index], self.entries[index]
        return EntryFact(log, index, leaf(data).hex(), data, self._payloads[record.id], record.id)

    def covering(self, log: str, index: int) -> CheckpointFact | None:
        return self._checkpoint(index + 1, timedelta(hours=3)) if log == LOG and index < len(self.entries) else None

    def inclusion(self, log: str, index: int, size: int) -> tuple[str, ...] | None:
        if log != LOG or not index < size <= len(self.entries):
            return None
        return tuple(value.hex() for value in path(index, [leaf(entry) for entry in self.entries[:size]]))

    def consistency(self, log: str, old: int, new: int) -> tuple[str, ...] | None:
        if log != LOG or not 0 <= old <= new <= len(self.entries):
            return None
        return tuple(digest("consistency", old, new, n) for n in range(3)) if old < new else ()

    def root(self, log: str, size: int) -> str | None:
        return (
            root([leaf(entry) for entry in self.entries[:size]]).hex()
            if log == LOG and size <= len(self.entries)
            else None
        )

    def statement(self, statement: str) -> Record | None:
        return next((record for record in self.records if record.id == statement), None)

    def about(self, ref: str, *, kind: str | None = None, limit: int = 200) -> tuple[Record, ...]:
        found = (item for item in reversed(self.records) if ref in _concerns(item) and kind in (None, item.kind))
        return tuple(found)[:limit]

    def about_each(
        self, refs: Sequence[str], *, kind: str | None = None, limit: int = 200
    ) -> Mapping[str, tuple[Record, ...]]:
        return {ref: self.about(ref, kind=kind, limit=limit) for ref in refs}

    def referring(self, ref: str, *, kind: str | None = None, limit: int = 200) -> tuple[Record, ...]:
        value = ref.partition(":")[2]
        found = (
            item
            for item in reversed(self.records)
            if value in json.dumps(dict(item.predicate)) and kind in (None, item.kind)
        )
        return tuple(found)[:limit]

    def referring_each(
        self, refs: Sequence[str], *, kind: str | None = None, limit: int = 200
    ) -> Mapping[str, tuple[Record, ...]]:
        return {ref: self.referring(ref, kind=kind, limit=limit) for ref in refs}

    def by_author(self, key: str, *, limit: int = 200) -> tuple[Record, ...]:
        return tuple(item for item in reversed(self.records) if key in item.authors)[:limit]

    def products(self, *, matching: str | None = None, limit: int = 500, offset: int = 0) -> tuple[ProductRow, ...]:
        names = sorted({item.model.product for item in self.records if item.kind == "release"})
        rows = []
        for name in names:
            found = self.releases(name)
            if not matching or matching.lower() in name.lower():
                rows.append(ProductRow(name, len(found), found[0].id, found[0].model.version, found[0].logged_at))
        return tuple(rows)[offset : offset + limit]

    def product_total(self, *, matching: str | None = None) -> int:
        return len(self.products(matching=matching, limit=10**9))

    def releases(self, product: str, *, limit: int = 500, offset: int = 0) -> tuple[Record, ...]:
        found = (item for item in reversed(self.records) if item.kind == "release" and item.model.product == product)
        return tuple(found)[offset : offset + limit]

    def release_total(self, product: str) -> int:
        return len(self.releases(product, limit=10**9))

    def starting_with(self, prefix: str, *, limit: int = 20) -> tuple[Record, ...]:
        def hit(item: Record) -> bool:
            refs = [ref.partition(":")[2] for subject in item.subjects for ref in subject.refs]
            return any(value.startswith(prefix) for value in (item.id, *refs))

        return tuple(item for item in self.records if hit(item))[:limit]

    def of_kind(self, kind: str, *, limit: int = 200, offset: int = 0) -> tuple[Record, ...]:
        return tuple(_newest(item for item in self.records if item.kind == kind))[offset : offset + limit]

    def authors(self, kind: str, *, limit: int = 200) -> tuple[AuthorRow, ...]:
        said = self.of_kind(kind, limit=10**9)
        keys = dict.fromkeys(key for item in said for key in item.authors)
        by_key = {key: [item for item in said if key in item.authors] for key in keys}
        return tuple(AuthorRow(key, len(items), items[0].logged_at) for key, items in by_key.items())[:limit]

    def newest_releases(self, *, limit: int = 200, offset: int = 0) -> tuple[Record, ...]:
        found = {item.model.product: item for item in reversed(self.of_kind("release", limit=10**9))}
        return tuple(_newest(found.values()))[offset : offset + limit]

    def activity(self, since: datetime, kinds: Sequence[str]) -> tuple[DayCount, ...]:
        said = [item for item in self.records if item.kind in kinds]
        logged = [(item.logged_at, item.kind or "") for item in said if item.logged_at and item.logged_at >= since]
        counts = Counter((moment.date(), kind) for moment, kind in logged)
        return tuple(DayCount(day, kind, counts[day, kind]) for day, kind in sorted(counts, key=str))

    def parties(self, matching: str, *, limit: int = 20) -> tuple[PartyFact, ...]:
        found = [party for party in map(self.party, (VENDOR, RITA, PAUL, MALLORY, CENTER)) if party is not None]
        wanted = matching.casefold()
        hit = (item for item in found if wanted in (item.name or "").casefold() or item.key.startswith(wanted))
        return tuple(hit)[:limit]

    def party(self, key: str) -> PartyFact | None:
        names = {
            VENDOR: ("Example Endpoint Security", None),
            RITA: ("Rita Reviewer", "Example Lab"),
            PAUL: ("Paul Peer", "Example University"),
            MALLORY: (None, None),
            CENTER: ("Zurich Center", "Example Lab AG"),
        }
        if key not in names:
            return None
        granted = tuple(
            Accreditation("reviewer", CENTER, item.id, item.logged_at)
            for item in self.about(key_ref(key), kind="party")
            if item.predicate["action"] == "accredit"
        )
        ended = self._ended if key == MALLORY else None
        return PartyFact(key, names[key][0], names[key][1], granted, ended, len(self.by_author(key, limit=10**9)))

    def peers(self) -> tuple[PeerFact, ...]:
        if self.required == 0:
            return ()
        zurich = hashlib.sha256(b"zurich.example/log").hexdigest()
        peers = []
        for place, (name, operator, region) in enumerate(CENTERS):
            ill = "connection refused" if place == 2 else None
            last = self.now - timedelta(hours=31 if ill else 0, minutes=3)
            peers.append(
                PeerFact(
                    name,
                    "center",
                    region,
                    operator,
                    f"https://{name}",
                    _keys(name),
                    zurich if place == 1 else None,
                    True,
                    place != 2,
                    last,
                    ill,
                )
            )
        return tuple(peers)

    def mirrors(self) -> tuple[MirrorFact, ...]:
        if self.required == 0:
            return ()
        size = len(self.entries)
        return (
            MirrorFact(LOG, ORIGIN, "tokyo.example", size, size, self.now - timedelta(minutes=9), None),
            MirrorFact(LOG, ORIGIN, "zurich.example", size - 14, size, self.now - timedelta(hours=2), None),
            MirrorFact(
                digest("gone"),
                "recife.example/log",
                "vendor.example",
                12,
                None,
                None,
                "the log contradicts an earlier head",
            ),
        )

    def alarms(self) -> tuple[Alarm, ...]:
        return tuple(self._alarms)


def _newest(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda item: item.logged_at.timestamp() if item.logged_at else 0.0, reverse=True)


def _keys(name: str) -> tuple[KeyFact, ...]:
    return tuple(
        KeyFact(
            role,
            name,
            digest(name, role),
            f"{name}/{role}+0a1b2c3d+AexampleKeyMaterial{role}=" if role in ("log", "witness", "mirror") else None,
        )
        for role in ("log", "witness", "mirror", "lookup", "node", "party")
    )


def _concerns(record: Record) -> set[str]:
    refs = {ref for subject in record.subjects for ref in subject.refs}
    if record.kind == "release":
        refs |= {release_ref(record.model.product, record.model.version, item.name) for item in record.model.artifacts}
    if record.kind == "party":
        refs |= {key_ref(ref.partition(":")[2]) for ref in refs}
    if record.kind == "withdrawal":
        refs |= {statement_ref(ref.partition(":")[2]) for ref in refs}
    return refs
